/**
 * Programs without the modules that a link which succeeds silently does not call (program.ts, web.ts): when one is called after all, the
 * program hands over to the complete one (ts/host/hand-over.ts).
 */
import * as fs from "node:fs";
import * as path from "node:path";
import type { Plugin } from "esbuild";
import { numbersApart, resolveNumbers } from "./numbers.ts";

/** Folders and modules of ts/ that quick.js is without; functions and classes only, a constant that is used keeps its module in. */
export const LEFT_OUT = [
  /^diagnostics\/(?!print\.|spelling\.|place\.)/, /^report\/(?!index\.)/, /^lto\/(?!slim-mark)/, /^host\/(complete-program|print|large-link|pipe|run-command|spooled-output|unpack-zstd)\./,
  /^arch\/x86-64-words\./, /^input\/(made-object|imported-versions|missing-library|gcc-symtab)\./,
  /^passes\/(?:[\w-]+\/)?(script-(?!symbols|shape)|relocatable|write-relocatable|(no-)?compress-sections|wanted-compression|cache-directed-sort|call-graph|emit-relocs|fold-identical|check-protection|unique-sections|hex-output|shuffle-sections|cross-references|separate-debug|crc32|adjust-sections|rewrite-endbr|output-order|zero-sections|needed-libraries|unique-names|walk-archives|warn-alignment|start-stop)/,
  /^script\/(?!glob\.|lexer\.|input-script\.|version-script\.|dynamic-list\.)/, /^synthetic\/(retained-symbols|gdb-index|debug-units|debug-names|sframe|entry-symbols)/, /^args\/(help|output-order)\./,
  /^api\/link-graph\./,
];

/**
 * In place of a module that is left out: every function hands over, and so does every use of a class. Plain constants stay;
 * phases are there for passes that hand over, so there are none.
 */
function standIn(name: string, source: string): string {
  const parts = [...source.matchAll(/^export (?:async )?(function\*?|abstract class|class|const) ([A-Za-z0-9_$]+)(.*)/gm)].map(([, kind, what, rest]) => {
    const place = JSON.stringify(`${name}: ${what}`);
    const literal = /^(?:: \w+)? = ("[^"]*"|[\d_]+);$/.exec(rest!)?.[1];
    if (kind!.endsWith("class")) return `export const ${what} = /* @__PURE__ */ standIn$(${place});`;
    if (kind !== "const" || /^ = (async )?\(/.test(rest!)) return `export function ${what}() { leave$(${place}); }`;
    return what!.endsWith("_PHASES") ? `export const ${what} = {};` : literal !== undefined ? `export const ${what} = ${literal};` : "";
  });
  return [
    `import { HandOver } from ${JSON.stringify(path.resolve("ts/host/hand-over.ts"))};`,
    "function leave$(what) { throw new HandOver(what); }",
    "function standIn$(what) { const trap = () => leave$(what); return new Proxy(class {}, { construct: trap, get: trap }); }",
    ...parts,
  ].join("\n");
}

/** What --help says of an option: the third string of a row in ts/args/options/, and the fourth of one that has two. */
const HELP_TEXT = /^(  (?:option|accept|\.\.\.onOff)\((?:"[^"]*", ){2})("(?:[^"\\]|\\.)*"(?:, "(?:[^"\\]|\\.)*")?)/gm;
const STRING = /"(?:[^"\\]|\\.)*"/g;

/**
 * What a program has of a file in ts/args/options/: "all"; "options", which say \0 to --help; "help", which is what they are
 * without (ts/args/help-texts.ts).
 */
export type OptionTables = "all" | "options" | "help";

function optionTable(source: string, tables: OptionTables): string {
  if (tables === "all") return source;
  if (tables === "options") return source.replaceAll(HELP_TEXT, (_, row: string, texts: string) => row + texts.replaceAll(STRING, '"\\0"'));
  const name = /^export const (\w+): OptionRow\[\]/m.exec(source)![1]!;
  return `export const ${name} = [${[...source.matchAll(HELP_TEXT)].map(([, , text]) => text).join()}].map((help) => ({ help }));`;
}

/** Makes a program that is without `modules` (patterns of their names), and what `tables` leaves out. `change`: of every module's text. */
export function leaveOut(modules: readonly RegExp[], tables: OptionTables, change = (text: string, _file: string): string => text): Plugin {
  return {
    name: "leave-out",
    setup(bundler) {
      resolveNumbers(bundler);
      bundler.onLoad({ filter: /\/ts\/.*\.ts$/ }, ({ path: file }) => {
        const name = path.relative(path.resolve("ts"), file).replaceAll(path.sep, "/");
        const source = change(fs.readFileSync(file, "utf8"), file);
        if (modules.some((pattern) => pattern.test(name))) return { contents: standIn(name, source), loader: "js" };
        return { contents: numbersApart(name.startsWith("args/options/") ? optionTable(source, tables) : source, file), loader: "ts" };
      });
    },
  };
}
