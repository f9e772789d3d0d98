/**
 * `npm run build`: everything in dist/, from nothing, in a few seconds.
 *
 * asc makes kernels.wasm and kernels.debug.wasm (side by side, as processes) while esbuild makes the bundles. Files appear by
 * rename, so that a build beside a running test disturbs nothing. The bundles are CommonJS, which starts faster on Node 20.
 */
import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { build, type BuildOptions } from "esbuild";
import { refreshTables } from "./gen-tables.ts";
import { checkKernels } from "./wasm-check.ts";

const DIST = path.resolve("dist");

/** What every bundle has in common. `define` gives CommonJS its import.meta.dirname. */
export const BUNDLE: BuildOptions = {
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  mainFields: ["module", "main"],
  define: { "import.meta.dirname": "__dirname" },
  logLevel: "warning",
  legalComments: "none",
};

function put(file: string, contents: string | Uint8Array, mode = 0o666): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(temporary, contents, { mode });
  fs.chmodSync(temporary, mode & ~process.umask());
  fs.renameSync(temporary, file);
}

/** Compiles the kernels with one of asconfig.json's targets. */
async function kernels(target: "release" | "debug", name: string): Promise<void> {
  const temporary = path.join(DIST, `${name}.${process.pid}.tmp.wasm`);
  const asc = path.resolve("node_modules/assemblyscript/bin/asc.js");
  await new Promise<void>((done, failed) => {
    const args = [asc, "as-kernels/index.ts", "--config", "asconfig.json", "--target", target, "--outFile", temporary];
    execFile(process.execPath, args, { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error === null && fs.existsSync(temporary)) done();
      else failed(new Error(`asc --target ${target} failed\n${stdout}${stderr}`));
    });
  });
  checkKernels(fs.readFileSync(temporary), name);
  fs.renameSync(temporary, path.join(DIST, name));
}

/** Digest of everything that the kernels are compiled from. */
function kernelInputs(): string {
  const files = fs.readdirSync("as-kernels", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts")).sort();
  const hash = createHash("sha256");
  for (const file of [...files.map((name) => path.join("as-kernels", name)), "asconfig.json", "node_modules/assemblyscript/package.json"]) {
    hash.update(`${file}\0`).update(fs.readFileSync(file)).update("\0");
  }
  return hash.digest("hex");
}

/** Both kernel modules; they are left alone when they were made from exactly these sources. */
async function allKernels(): Promise<void> {
  const stamp = path.join(DIST, "kernels.stamp");
  const inputs = kernelInputs();
  const made = ["kernels.wasm", "kernels.debug.wasm", "kernels.stamp"].every((name) => fs.existsSync(path.join(DIST, name)));
  if (made && fs.readFileSync(stamp, "utf8") === inputs) return;
  fs.rmSync(stamp, { force: true });
  await Promise.all([kernels("release", "kernels.wasm"), kernels("debug", "kernels.debug.wasm")]);
  put(stamp, inputs);
}

async function bundle(entry: string, name: string): Promise<void> {
  const outfile = path.join(DIST, name);
  const result = await build({ ...BUNDLE, entryPoints: [entry], outfile, minify: true, sourcemap: "linked", write: false });
  for (const file of result.outputFiles!) put(file.path, file.contents);
}

/** Hexadecimal digits of the digest that ties main.js and its caches together. */
const TIE = 16;

/**
 * What the launcher tells V8, because most links are over in the time that V8 takes to plan for a long run:
 * no optimising compiler for kernels that run for a few milliseconds (a large link asks for it: Host.expectLargeLink), no
 * validation of kernels that are not called, no baseline code, room for all garbage of a small link, and strings hashed as in V8's snapshot instead of all of them again.
 */
const SMALL_LINK_FLAGS = ["--wasm-tiering-budget=1000000000", "--wasm-lazy-validation", "--no-sparkplug", "--min-semi-space-size=16", "--no-rehash-snapshot"];

/** The flags that this Node knows: it refuses to start with any other. */
function launcherFlags(): string[] {
  const accepted = (flags: string[]): boolean => spawnSync(process.execPath, [...flags, "-e", ""]).status === 0;
  return accepted(SMALL_LINK_FLAGS) ? SMALL_LINK_FLAGS : SMALL_LINK_FLAGS.filter((flag) => accepted([flag]));
}

/**
 * Statements that load main.js with V8's code cache: `script` is the compiled bundle. V8 takes a cache only under the flags
 * it was made with, so the launcher has one of its own.
 */
const LOAD = [
  '"use strict";',
  'const fs=require("node:fs"),vm=require("node:vm"),file=__dirname+"/main.js";',
  'const text=fs.readFileSync(file,"latin1");let cache;',
  'const cached=__dirname+(process.execArgv.length?"/launcher.cache":"/main.cache");',
  `try{cache=fs.readFileSync(cached);cache=cache.latin1Slice(-${TIE})===text.slice(-${TIE})?cache.subarray(0,-${TIE}):undefined}catch{}`,
  'const script=new vm.Script("(function(exports,require,module,__filename,__dirname){"+text+"\\n})",{filename:file,cachedData:cache});',
  "script.runInThisContext()(exports,require,module,file,__dirname);",
].join("");

/**
 * dist/cli.js, the program: loads the bundle with the code that V8 compiled when it was built, which saves a third of the
 * start-up over an empty Node. A cache belongs to one version of Node and one main.js; any other ignores it.
 */
async function program(): Promise<void> {
  const result = await build({ ...BUNDLE, entryPoints: ["ts/cli.ts"], outfile: path.join(DIST, "main.js"), minify: true, charset: "ascii", write: false });
  const text = result.outputFiles![0]!.text;
  const tie = createHash("sha256").update(text).digest("hex").slice(0, TIE);
  put(path.join(DIST, "main.js"), `${text}//${tie}`);
  put(path.join(DIST, "cli.js"), `#!/usr/bin/env node\n${LOAD}\n`, 0o777);
}

/** Links the demo's objects in the ways that compilers ask for, and keeps the code that was compiled on the way. */
async function warm(flags: string[]): Promise<void> {
  const folder = path.join(DIST, "build", `warm.${process.pid}`);
  const script = path.join(DIST, `warm.${process.pid}.tmp.js`);
  const finish = `process.on("exit",()=>fs.writeFileSync(cached+".tmp",Buffer.concat([script.createCachedData(),Buffer.from(text.slice(-${TIE}))])));`;
  fs.mkdirSync(folder, { recursive: true });
  put(script, LOAD + finish);
  const run = async (v8: string[], args: string[]): Promise<void> => {
    const made = path.join(DIST, v8.length > 0 ? "launcher.cache" : "main.cache");
    fs.rmSync(`${made}.tmp`, { force: true });
    const said = await new Promise<string>((done) => {
      execFile(process.execPath, [...v8, script, ...args], (_, stdout, stderr) => done(stdout + stderr));
    });
    if (!fs.existsSync(`${made}.tmp`) || !fs.existsSync(args[args.indexOf("-o") + 1]!)) throw new Error(`the program does not link:\n${said}`);
    fs.renameSync(`${made}.tmp`, made);
  };
  try {
    for (const v8 of flags.length > 0 ? [flags, []] : [[]]) for (const args of warmLinks(folder)) await run(v8, args);
  } finally {
    for (const file of [script, folder]) fs.rmSync(file, { force: true, recursive: true });
  }
}

/** Command lines: a library from objects, then a program that uses it, with what gcc passes. The last one is what is kept. */
function warmLinks(folder: string): string[][] {
  const [start, print, steps] = ["start.o", "print.o", "steps.o"].map((name) => path.join("build/demo", name));
  const file = (name: string): string => path.join(folder, name);
  fs.writeFileSync(file("libsteps.so"), `/* GNU ld script */\nOUTPUT_FORMAT(elf64-x86-64)\nGROUP ( ${file("libsteps.so.1")} AS_NEEDED ( ${file("libsteps.so.1")} ) )\n`);
  return [
    ["-shared", "-soname", "libsteps.so.1", "-o", file("libsteps.so.1"), steps!, print!],
    [
      "--build-id", "--eh-frame-hdr", "-m", "elf_x86_64", "--hash-style=gnu", "--as-needed", "-dynamic-linker", "/lib64/ld-linux-x86-64.so.2", "-pie", "--allow-shlib-undefined",
      "-o", file("program"), start!, `-L${folder}`, "--push-state", "--as-needed", "-lsteps", "--pop-state",
    ],
  ];
}

/**
 * dist/driver/ld, for `gcc -B dist/driver`. What a user's environment does to Node programs (NODE_OPTIONS=--require …, extra
 * certificates that cost 30 ms to load) does not reach the linker; nothing but a symbolic link to it costs a process.
 */
function launcher(flags: string[]): string {
  const node = `'${process.execPath.replaceAll("'", "'\\''")}'`;
  return [
    "#!/bin/sh",
    "unset NODE_OPTIONS NODE_EXTRA_CA_CERTS",
    'cli="${0%/*}/../cli.js"',
    '[ -f "$cli" ] || cli="$(dirname "$(readlink -f "$0")")/../cli.js"',
    `[ -x ${node} ] || exec node "$cli" "$@"`,
    `exec ${[node, ...flags].join(" ")} "$cli" "$@"`,
    "",
  ].join("\n");
}

export async function buildAll(): Promise<void> {
  fs.mkdirSync(DIST, { recursive: true });
  if (refreshTables()) console.log("as-kernels/shared/tables.ts was stale and has been written again");
  put(path.join(DIST, "package.json"), '{ "type": "commonjs" }\n');
  const flags = launcherFlags();
  for (const name of ["ld", "ld.wield"]) put(path.join(DIST, "driver", name), launcher(flags), 0o777);
  const parts = await Promise.allSettled([
    allKernels(),
    program(),
    bundle("ts/memory/worker.ts", "worker.js"),
    bundle("ts/index.ts", "index.js"),
  ]);
  const failures = parts.flatMap((part) => (part.status === "rejected" ? [String((part.reason as Error).message)] : []));
  if (failures.length > 0) throw new Error(`build failed:\n${failures.join("\n")}`);
  await warm(flags);
}

if (/build-bundle\.mjs$/.test(process.argv[1] ?? "")) {
  try {
    await buildAll();
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
