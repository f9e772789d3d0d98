/**
 * Rules of the house that a machine can hold. Reads sources as text; knows nothing about linking.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { isViewerFresh } from "../build/report-viewer.ts";
import { allKernels, generateKernels, KERNELS_FILE } from "../build/gen-kernels.ts";
import { generateLayout, generateTables, LAYOUT_FILE, TABLES_FILE } from "../build/gen-tables.ts";
import { checkKernels } from "../build/wasm-check.ts";
import { PARAM_OFFSETS } from "../ts/memory/table-layout.ts";
import { PARAMS, TABLES } from "../ts/memory/schema.ts";
import { VERSION } from "../ts/args/identity.ts";

const tidy = suite("tidy");

function sources(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => path.join(folder, file))
    .sort();
}

const read = (file: string): string => fs.readFileSync(file, "utf8");
const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");

/** Layers from the bottom: a file may import from its own layer and from those below. */
const LAYERS: RegExp[][] = [
  [/^as-kernels\/shared\//],
  [/^ts\/(arch|elf|memory|host|diagnostics|args|script)\//],
  [/^ts\/context\.ts$/],
  [/^ts\/(synthetic|input|report|lto)\//],
  [/^ts\/passes\//],
  [/^ts\/((re)?link|new-context|phases|resolve-inputs)\.ts$/],
  [/^ts\/api\//],
  [/^ts\/(cli|index|run|browser|inline|(web-)?worker|worker-api)\.ts$/],
  [/^ts\/start\//],
];

const layer = (file: string): number => LAYERS.findIndex((patterns) => patterns.some((pattern) => pattern.test(file)));

function imports(file: string): { typeOnly: boolean; target: string }[] {
  const found = [...withoutComments(read(file)).matchAll(/^(?:import|export)\s+(type\s)?[^;]*?from\s+"(\.[^"]+)"/gms)];
  return found.map((match) => ({ typeOnly: match[1] !== undefined, target: path.join(path.dirname(file), match[2]!) }));
}

tidy("imports point downwards", () => {
  const wrong: string[] = [];
  for (const file of sources("ts").filter((name) => !name.endsWith(".d.ts"))) {
    assert.ok(layer(file) >= 0, `${file} has no layer`);
    for (const { typeOnly, target } of imports(file)) {
      if (!typeOnly && layer(target) > layer(file)) wrong.push(`${file} imports ${target}`);
    }
  }
  assert.equal(wrong, []);
});

tidy("imports name files that exist, with their extension", () => {
  const wrong = sources("ts").flatMap((file) => imports(file).filter(({ target }) => !fs.existsSync(target)).map(({ target }) => `${file}: ${target}`));
  assert.equal(wrong, []);
});

tidy("only cli.ts, host/node.ts and what starts them touch process", () => {
  const allowed = (file: string): boolean => ["ts/cli.ts", "ts/host/node.ts"].includes(file) || file.startsWith("ts/start/");
  const wrong = sources("ts").filter((file) => !allowed(file) && /\bprocess\./.test(withoutComments(read(file))));
  assert.equal(wrong, []);
});

tidy("only hosts, workers and what starts the program import Node's modules", () => {
  const allowed = /^ts\/(host\/|start\/|worker(-api)?\.ts$)/;
  const wrong = sources("ts").filter((file) => !allowed.test(file) && /(?:from|require\(|import\()\s*"node:/.test(withoutComments(read(file))));
  assert.equal(wrong, []);
});

/** To add an architecture is to add its files, and rows that name it. */
tidy("only files of the architecture, and a message, name its relocation types", () => {
  const allowed = /^(as-kernels\/(arch\/|shared\/elf\.ts)|ts\/(arch\/|diagnostics\/messages\.ts))/;
  const wrong = [...sources("ts"), ...sources("as-kernels")].filter((file) => !allowed.test(file) && /\bR_X86_64_/.test(withoutComments(read(file))));
  assert.equal(wrong, []);
});

/** Column-length loops in passes: one by one up to a table's rows or a parameter that counts rows. Steps of chunks are fine. */
tidy("passes loop over rows in kernels, not in TypeScript", () => {
  const bound = /for\s*\([^;]*;[^;]*<=?\s*[^;]*(\.rows\b|symRows|globalSyms)/;
  const wrong = sources("ts/passes").flatMap((file) =>
    withoutComments(read(file))
      .split("\n")
      .filter((line) => bound.test(line) && !/\+= ?\w/.test(line) && !/\b(osec|obj|msec|tables\.group)\b/.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );
  assert.equal(wrong, []);
});

tidy("what --report's page is made of is fresh", () => {
  assert.ok(isViewerFresh(), "run npm run build");
});

tidy("generated tables are fresh", () => {
  assert.is(read(TABLES_FILE), generateTables(), "run npm run tables");
  assert.is(read(LAYOUT_FILE), generateLayout(), "run npm run tables");
});

tidy("the types of the kernels are fresh", () => {
  assert.is(read(KERNELS_FILE), generateKernels(), "run npm run tables");
});

/** Names in the code of `folders`, without comments and what is generated, each as often as it occurs. */
function namesIn(...folders: string[]): Map<string, number> {
  const count = new Map<string, number>();
  for (const file of folders.flatMap(sources).filter((name) => ![TABLES_FILE, LAYOUT_FILE, KERNELS_FILE, "ts/memory/schema.ts"].includes(name))) {
    for (const [name] of withoutComments(read(file)).matchAll(/\w+/g)) count.set(name, (count.get(name) ?? 0) + 1);
  }
  return count;
}

tidy("every column, parameter and number of the ABI is used", () => {
  const count = namesIn("ts", "as-kernels");
  const declared = [...Object.values(TABLES).flatMap((columns) => Object.keys(columns)), ...Object.keys(PARAMS)];
  const numbers = ["abi", "cells"].flatMap((name) => [...read(`as-kernels/shared/${name}.ts`).matchAll(/^export const (\w+)/gm)].map((match) => match[1]!));
  assert.equal([...declared.filter((name) => !count.has(name)), ...numbers.filter((name) => count.get(name) === 1)], []);
});

/** tsc does not read kernels, and asc does not mind. */
tidy("kernels import what they use", () => {
  const wrong = sources("as-kernels").flatMap((file) => {
    const text = withoutComments(read(file));
    const imported = [...text.matchAll(/^import \{([^}]*)\}/gm)].flatMap((match) => match[1]!.match(/\w+/g) ?? []);
    const used = new Set(text.replace(/^import [^;]*;/gm, "").match(/\w+/g));
    return imported.filter((name) => !used.has(name)).map((name) => `${file}: ${name}`);
  });
  assert.equal(wrong, []);
});

/** Neither asc nor tsc says so of kernels. */
tidy("kernels declare nothing that nobody uses", () => {
  const count = namesIn("as-kernels", "ts", "test");
  const wrong = sources("as-kernels").filter((file) => ![TABLES_FILE, "as-kernels/shared/columns.ts"].includes(file)).flatMap((file) => {
    const declared = [...withoutComments(read(file)).matchAll(/^(?:export )?(?:const|function|class) (\w+)/gm)].map((match) => match[1]!);
    return declared.filter((name) => count.get(name) === 1).map((name) => `${file}: ${name}`);
  });
  assert.equal(wrong, []);
});

/** tsc says so of what is not exported. Types that exported functions speak of are exported with them. */
tidy("nothing is exported that is used in its own file only", () => {
  const files = ["ts", "build", "bench", "test"].flatMap(sources).filter((file) => ![LAYOUT_FILE, KERNELS_FILE].includes(file));
  const words = new Map<string, Set<string>>();
  for (const file of files) {
    for (const [name] of withoutComments(read(file)).matchAll(/[\w$]+/g)) words.set(name, (words.get(name) ?? new Set()).add(file));
  }
  const wrong = files.flatMap((file) => {
    const exported = [...read(file).matchAll(/^export (?:abstract )?(?:async )?(?:const|function\*?|class) ([\w$]+)/gm)].map((match) => match[1]!);
    return exported.filter((name) => words.get(name)!.size === 1).map((name) => `${file}: ${name}`);
  });
  assert.equal(wrong, []);
});

/** A second look is due at fifty lines (see the longest ones); a list of options is as long as there are options. */
tidy("no function is longer than a hundred lines", () => {
  const wrong = [...sources("ts"), ...sources("as-kernels"), ...sources("build")].filter((file) => file !== "ts/args/default-options.ts").flatMap((file) => {
    const lines = read(file).split("\n");
    const starts = lines.flatMap((line, i) => (/^(export )?(async )?function\*? \w+|^  (?:(?:private|static|async) )*[\w*]+\(.*\{$/.test(line) ? [i] : []));
    return starts.filter((from) => {
      const indent = /^ */.exec(lines[from]!)![0];
      return lines.findIndex((line, i) => i > from && line === `${indent}}`) - from > 100;
    }).map((from) => `${file}:${from + 1}`);
  });
  assert.equal(wrong, []);
});

tidy("every kernel is called", () => {
  const callers = [...sources("ts"), ...sources("test")].map((file) => withoutComments(read(file))).join("\n");
  const unused = [...allKernels().values()].flat().filter(({ name }) => !new RegExp(`\\bkernels\\.${name}\\b`).test(callers));
  assert.equal(unused.map(({ name }) => name), []);
});

/** asc lays out class fields in order, each aligned to its size; table.ts computes the same offsets. */
tidy("parameters are where asc puts them", () => {
  let at = 0;
  for (const [name, type] of Object.entries(PARAMS)) {
    const bytes = type === "u64" ? 8 : 4;
    at = (at + bytes - 1) & -bytes;
    assert.is(PARAM_OFFSETS[name], at, name);
    at += bytes;
  }
});

for (const name of ["kernels.wasm", "kernels.debug.wasm"]) {
  tidy(`${name} has no data section and imports only memory`, () => {
    checkKernels(fs.readFileSync(path.join("dist", name)), name);
  });
}

tidy("every source begins with a comment", () => {
  const wrong = [...sources("ts"), ...sources("as-kernels"), ...sources("build")].filter((file) => !/^(#!.*\n)?\s*\/[*/]/.test(read(file)));
  assert.equal(wrong, []);
});

tidy("shared number files are only integers", () => {
  for (const file of ["abi", "cells", "elf", "reloc"].map((name) => `as-kernels/shared/${name}.ts`)) {
    const lines = withoutComments(read(file)).split("\n").filter((line) => line.trim() !== "");
    const wrong = lines.filter((line) => !/^export const [A-Za-z_]\w* = [-\w <|+*()x]+;\s*$/.test(line));
    assert.equal(wrong, [], file);
  }
});

tidy("types check", () => {
  const done = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "--noEmit"], { encoding: "utf8" });
  assert.is(done.status, 0, done.stdout);
});

tidy("every path in ARCHITECTURE.md exists", () => {
  const text = read("ARCHITECTURE.md");
  const paths = [...text.matchAll(/`((?:ts|as-kernels|build|test|bench)\/[\w./-]*)`/g)].map((match) => match[1]!);
  assert.equal(paths.filter((name) => !fs.existsSync(name)), []);
});

/** Comments name files from the root, or from ts/, as-kernels/ or test/. */
tidy("every source that a comment names exists", () => {
  const named = /(?<![\w./-])((?:ts|as-kernels|build|bench|test|playground|passes|host|memory|script|input|diagnostics|api|synthetic|args|lib|start|report|lto)\/[\w/-]+\.ts)\b/g;
  const wrong = ["ts", "as-kernels", "build", "bench", "test"].flatMap(sources).flatMap((file) =>
    [...read(file).matchAll(named)].map((match) => match[1]!).filter((name) => !["", "ts/", "as-kernels/", "test/"].some((folder) => fs.existsSync(folder + name))).map((name) => `${file}: ${name}`),
  );
  assert.equal(wrong, []);
});

tidy("every pass is in ARCHITECTURE.md", () => {
  const text = read("ARCHITECTURE.md");
  const passes = [...`${read("ts/link.ts")}${read("ts/resolve-inputs.ts")}`.matchAll(/\b(?:run\(|timed\(ctx, )"([\w-]+)"/g)].map((match) => match[1]!);
  assert.ok(passes.length > 20);
  assert.equal(passes.filter((name) => !new RegExp(`(?<![\\w-/])${name}(?![\\w-])`).test(text)), []);
});

tidy("--version says what package.json says", () => {
  assert.is(VERSION, JSON.parse(read("package.json")).version);
});

tidy("the lock file names no registry or folder of one machine", () => {
  assert.not.match(read("package-lock.json"), /"resolved": "(?!https:\/\/registry\.npmjs\.org\/)|file:|\/root\//);
});

tidy.run();
