/**
 * What README.md and the types say in code is so: samples are taken out of them, type-checked as a program that has the package installed
 * would be, and run.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { assert, behaviour, contains, type Workspace } from "./helpers/link.ts";
import { repoRoot, run } from "./helpers/tools.ts";

const documents = behaviour("documents");
const readme = fs.readFileSync(path.join(repoRoot(), "README.md"), "utf8");
const scripts = (JSON.parse(fs.readFileSync(path.join(repoRoot(), "package.json"), "utf8")) as { scripts: Record<string, string> }).scripts;

/** The blocks of README.md in one language. */
const blocks = (language: string): string[] => [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map((match) => match[1]!);

/** Every `@example` of the declarations, as the body of a function. */
function examples(): string[] {
  const text = fs.readFileSync(path.join(repoRoot(), "dist/index.d.mts"), "utf8");
  return [...text.matchAll(/ \* @example\n((?: \* .*\n)+)/g)].map((match) => match[1]!.replace(/^ \* /gm, ""));
}

/** A folder in which the package is installed, and the demo's objects are. */
function installed(w: Workspace): Workspace {
  for (const name of ["start", "print", "steps"]) w.write({ [`${name}.o`]: fs.readFileSync(path.join(repoRoot(), `build/demo/${name}.o`)) });
  fs.mkdirSync(w.path("node_modules"));
  fs.symlinkSync(repoRoot(), w.path("node_modules/wield"));
  return w;
}

/** What tsc has to say of `files` in a program with these libraries and types; `more`: compiler options. */
function complaints(w: Workspace, files: Record<string, string>, lib: string[], types: string[], more: Record<string, unknown> = {}): string {
  const compilerOptions = {
    lib, types, typeRoots: [path.join(repoRoot(), "node_modules/@types")], target: "es2022", module: "nodenext", strict: true, exactOptionalPropertyTypes: true,
    skipLibCheck: false, allowJs: true, checkJs: true, noEmit: true, preserveSymlinks: true, ...more,
  };
  w.write({ ...files, "tsconfig.json": JSON.stringify({ compilerOptions, files: Object.keys(files) }) });
  const done = run(process.execPath, [path.join(repoRoot(), "node_modules/typescript/bin/tsc"), "-p", "."], { cwd: w.dir });
  return done.stdout + done.stderr.replace(/^npm warn.*\n/gm, "");
}

const NAMES = "createContext, createEngine, layerFS, link, LinkError, memoryFS, parseArgs";
const asModule = (body: string, more: string): string => `import { ${NAMES}${more} } from "wield";\ndeclare const bytes: Uint8Array, fs: import("wield").LinkFileSystem;\nexport async function example() {\n${body}}\n`;

documents("samples type-check in a program for Node that knows no DOM", (w) => {
  const files: Record<string, string> = {};
  blocks("js").forEach((text, i) => (files[`sample${i}.mjs`] = text));
  examples().filter((text) => !text.includes("new Worker")).forEach((text, i) => (files[`example${i}.mts`] = `import { writeFile } from "node:fs/promises";\n${asModule(text, ", realFS")}`));
  assert.ok(Object.keys(files).length >= 6, "samples in README.md and the types");
  assert.is(complaints(installed(w), files, ["es2023"], ["node"]), "");
});

/** What is an error of types: an option that does not exist, a wrong kind, a file without contents. */
const WRONG = 'import { link } from "wield/inline";\nvoid link({ kinds: "pie" });\nvoid link({ kind: "dynamic" });\nvoid link({ inputs: [{ name: "a.o" }] });\n';

documents("samples type-check in a program for pages that knows no Node; what is wrong does not", (w) => {
  const files: Record<string, string> = { "wrong.mts": WRONG };
  examples().filter((text) => !/writeFile|realFS/.test(text)).forEach((text, i) => (files[`example${i}.mts`] = asModule(text, "").replace('"wield"', '"wield/inline"')));
  const said = complaints(installed(w), files, ["es2023", "dom"], []).split("\n").filter((line) => /^\S/.test(line));
  assert.equal(said.map((line) => line.replace(/,.*/, "")), ["wrong.mts(2", "wrong.mts(3", "wrong.mts(4"], said.join("\n"));
});

/** `bun init` writes this (1.3). */
const BUN = {
  target: "ESNext", module: "Preserve", moduleDetection: "force", jsx: "react-jsx", moduleResolution: "bundler", allowImportingTsExtensions: true, verbatimModuleSyntax: true,
  noFallthroughCasesInSwitch: true, noUncheckedIndexedAccess: true, noImplicitOverride: true,
};

documents("types are those of what a program gets, whichever way it finds the package", (w) => {
  installed(w);
  const program = { "real.mts": 'import { link, realFS } from "wield";\nimport { layerFS } from "wield/inline";\nvoid link({ inputs: ["a.o"], fs: layerFS(realFS()) });\nlet wrong: number = realFS;\n' };
  const wrong = /^real\.mts\(4,5\): error TS2322/;
  const said = (more: Record<string, unknown>, lib = ["esnext"], types = ["node"]): string => complaints(w, program, lib, types, more);
  for (const more of [{ module: "node16" }, { module: "node20" }, { module: "nodenext" }, { module: "esnext", moduleResolution: "bundler" }, BUN]) assert.match(said(more), wrong, JSON.stringify(more));
  // In a page there are no real files.
  const page = said({ module: "esnext", moduleResolution: "bundler", customConditions: ["browser"] }, ["esnext", "dom"], []);
  assert.match(page, /^real\.mts\(1,16\): error TS2305: .*realFS/);
});

/** Options that a program hands on, some of which it may not have been given. */
const WRAPPER = `import { createContext, createEngine, link, type LinkOptions } from "wield/inline";
export async function wrapped(given: { gcSections?: boolean; signal?: AbortSignal; pollMs?: number; namespace?: string }) {
  const { gcSections, signal, pollMs, namespace } = given;
  const options: LinkOptions = { inputs: ["a.o", { lib: "c", static: gcSections }], gcSections, signal, args: undefined, onProgress: undefined };
  const context = await createContext(options);
  await context.relink({ signal, recycle: undefined });
  context.watch({ signal, pollMs });
  createEngine({ kernels: undefined, createWorker: undefined });
  return link({ ...options, plugins: [{ name: "own", setup: ({ onLoad }) => onLoad({ filter: /./, namespace }, () => undefined) }] });
}
`;

documents("what a program has not been given it can hand on as undefined, also with exactOptionalPropertyTypes", (w) => {
  assert.is(complaints(installed(w), { "wrapper.mts": WRAPPER }, ["es2023", "dom"], []), "");
});

documents("samples in JavaScript run", (w) => {
  installed(w);
  const said = blocks("js").filter((text) => !text.includes("fetch(")).map((text, i) => (w.write({ [`sample${i}.mjs`]: text }), w.sh(`node sample${i}.mjs`)));
  contains(said[0]!, /^a program of \d+ bytes$/m);
  contains(said[1]!, /^\.text [0-9a-f]+ \d+$/m, "UNDEFINED_SYMBOL does_not_exist");
  contains(said[2]!, /^true \[.*steps\.o.*\]$/m);
  contains(w.sh("./demo"), "hello from a program that wield linked");
});

documents("what package.json exports is packed, and has types", () => {
  const { exports, files } = JSON.parse(fs.readFileSync(path.join(repoRoot(), "package.json"), "utf8")) as { exports: Record<string, unknown>; files: string[] };
  const targets = (value: unknown): string[] => (typeof value === "string" ? [value] : Object.values(value as object).flatMap(targets));
  const kinds = files.filter((name) => !name.startsWith("!")).map((name) => new RegExp(`^${name.replace(/[.]/g, "\\.").replace("*", "[^/]*")}$`));
  const wrong = targets(exports).filter((target) => target !== "./package.json" && !(fs.existsSync(path.join(repoRoot(), target)) && kinds.some((kind) => kind.test(target.slice(2)))));
  assert.equal(wrong, []);
  const untyped = Object.entries(exports).filter(([name, value]) => !/\.(json|wasm)$/.test(name) && !JSON.stringify(value).includes(".d.mts"));
  assert.equal(untyped, []);
});

documents("nothing that is packed names a folder of the machine that built it", () => {
  const dist = path.join(repoRoot(), "dist");
  const packed = fs.readdirSync(dist).filter((name) => /\.(cache|m?js|mts|wasm)$/.test(name) && !/\.tmp/.test(name));
  assert.ok(packed.includes("api.cache"));
  assert.equal(packed.filter((name) => fs.readFileSync(path.join(dist, name)).includes(`${repoRoot()}/`)), []);
});

documents("commands of the first screen: npm's are scripts, the others run", (w) => {
  fs.symlinkSync(path.join(repoRoot(), "dist"), w.path("dist"));
  w.write({ "main.c": "int main(void) { return 0; }" });
  const commands = blocks("sh").join("").split("\n").flatMap((line) => line.replace(/#.*/, "").split("&&")).map((command) => command.trim()).filter((command) => command !== "");
  for (const command of commands.filter((each) => each.startsWith("npm "))) assert.ok(command === "npm ci" || command.replace(/^npm (run )?/, "").split(" ")[0]! in scripts, command);
  w.sh(commands.filter((each) => !each.startsWith("npm ")).join(" && "));
  for (const [, name] of readme.matchAll(/`npm run ([\w:]+)/g)) assert.ok(name! in scripts, `npm run ${name}`);
});

/** The first command of a row of the table "with | write". */
function written(tool: string): string {
  const found = new RegExp(`^\\| ${tool}[^|]*\\| \`(.*?)\``, "m").exec(readme)?.[1];
  assert.ok(found, `README.md says how to link with ${tool}`);
  return `W=$B; ${found!.replaceAll("$W", "$B")}`;
}

const C = { "main.c": "int main(void) { return 0; }" };

documents("gcc and make, as README.md says", (w) => {
  w.write({ ...C, Makefile: "main: main.o\n\t$(CC) $(LDFLAGS) main.o -o $@\n" }).sh(`gcc -c main.c && ${written("gcc")} && ./main && rm main && ${written("make")} && ./main`);
  contains(w.sh("readelf -p .comment main"), "wield");
}, "make");

documents("clang, as README.md says", (w) => {
  w.write(C).sh(`clang() { $CLANG "$@"; }; clang -c main.c && ${written("clang")} && ./main`);
  contains(w.sh("readelf -p .comment main"), "wield");
}, "clang");

documents("rustc, as README.md says", (w) => {
  w.write({ "main.rs": "fn main() {}" }).sh(`${written("rustc")} || { ${written("rustc").replace("-Clinker-features=-lld", "")}; } && ./main`);
  contains(w.sh("readelf -p .comment main"), "wield");
}, "rustc");

documents("cmake, as README.md says", (w) => {
  const flags = written("cmake").replace(/^W=\$B; /, "");
  w.write({ ...C, "CMakeLists.txt": "cmake_minimum_required(VERSION 3.10)\nproject(main C)\nadd_executable(main main.c)\n" }).sh(`cmake ${flags} -B build . && cmake --build build && build/main`);
  contains(w.sh("readelf -p .comment build/main"), "wield");
}, "cmake");

documents("meson, as README.md says", (w) => {
  w.write({ ...C, "meson.build": "project('main', 'c')\nexecutable('main', 'main.c')\n" }).sh(`${written("meson")} && ninja -C build && build/main`);
  contains(w.sh("readelf -p .comment build/main"), "wield");
}, "meson", "ninja");

documents.run();
