/**
 * The program in dist/: cli.cjs and what it loads, the code caches, and the launcher that compilers run.
 *
 * Two bundles are made of the same sources. main.js is the complete program. quick.js is without the modules that a link
 * which succeeds silently does not call (LEFT_OUT): a third of the code to read and set up, which is most of what a small
 * link costs. When it calls one after all, it hands over: main.js starts from the beginning, before anything was said.
 */
import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { build, type BuildOptions, type Plugin } from "esbuild";
import { NATIVES } from "../ts/host/kernel-cache.ts";
import { LARGE_BYTES } from "../ts/host/host.ts";
import { warmApi } from "./api.ts";
import { put } from "./put.ts";
import { warmKernels } from "./kernel-cache.ts";

/** Folders and modules of ts/ that quick.js is without; functions and classes only, a constant that is used keeps its module in. */
export const LEFT_OUT = [
  /^diagnostics\/(?!print\.|spelling\.|place\.)/, /^report\/(?!index\.)/, /^lto\/(?!slim-mark)/, /^host\/(print|large-link|pipe|run-command|spooled-output|unpack-zstd)\./,
  /^input\/(made-object|missing-library|gcc-symtab)\./,
  /^passes\/(script-(?!symbols|shape)|relocatable|write-relocatable|compress-sections|cache-directed-sort|call-graph|emit-relocs|fold-identical|check-protection|unique-sections|hex-output|shuffle-sections|cross-references|separate-debug|crc32|adjust-sections|rewrite-endbr|output-order|zero-sections|unique-names|walk-archives|warn-alignment)/,
  /^script\/(?!glob\.|lexer\.|input-script\.|version-script\.|dynamic-list\.)/, /^synthetic\/(retained-symbols|gdb-index|debug-units|debug-names)/, /^args\/(help|output-order)\./,
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

/** What --help says of an option, which the complete program prints: the third string of a row in ts/args/options/. */
const HELP_TEXT = /^(  (?:must|should|accept)\((?:"[^"]*", ){2})"(?:[^"\\]|\\.)*"/gm;

/** Makes a program that is without `modules` (patterns of their names) and what --help says. */
export function leaveOut(modules: readonly RegExp[]): Plugin {
  return {
    name: "leave-out",
    setup(bundler) {
      bundler.onLoad({ filter: /\/ts\/.*\.ts$/ }, ({ path: file }) => {
        const name = path.relative(path.resolve("ts"), file).replaceAll(path.sep, "/");
        if (name.startsWith("args/options/")) return { contents: fs.readFileSync(file, "utf8").replaceAll(HELP_TEXT, '$1""'), loader: "ts" };
        return modules.some((pattern) => pattern.test(name)) ? { contents: standIn(name, fs.readFileSync(file, "utf8")), loader: "js" } : undefined;
      });
    },
  };
}

/** Command lines with fewer words, and response files of fewer bytes, are not looked at: small links have no time for it. */
const MANY_WORDS = 64;
const MANY_BYTES = 1 << 10;
/** Words of a command line whose size is asked for. */
const LOOKED_AT = 2048;
/** Room for the largest file that a small link starts with. Memory is taken when it is written to. */
const ROOM_BYTES = 1 << 20;

/** Characters of the digest that ties a bundle and its caches together. */
const TIE = 16;

/** A bundle is one function, so that nothing has to be put around its text; `complete` starts the complete program, `inputBytes` is what a large link has on its command line, `v8Flags` are V8's. */
const FUNCTION = ["(function(exports,require,module,__filename,__dirname,complete,inputBytes,v8Flags){", "})//"] as const;

async function bundleProgram(dist: string, common: BuildOptions, name: string, plugins: Plugin[]): Promise<void> {
  const result = await build({
    ...common, entryPoints: ["ts/cli.ts"], outfile: path.join(dist, `${name}.js`), minify: true, charset: "ascii", write: false, plugins,
  });
  const text = `${FUNCTION[0]}${result.outputFiles![0]!.text}${FUNCTION[1]}`;
  put(path.join(dist, `${name}.js`), text + createHash("sha256").update(text).digest("hex").slice(0, TIE));
}

/**
 * cli.cjs (a name for which Node looks for no package.json): loads a bundle with the code that V8 compiled when it was built. V8
 * itself refuses a cache of other flags, but does not tell builds of one V8 apart, nor a damaged cache from a good one: so its last
 * bytes name the bundle and the Node it is for.
 *
 * Started without the launcher, it sets the launcher's flags itself: some come too late to be obeyed, but all of them are what V8
 * compares, and with the caches a small link takes three quarters of the time. Only in the Node that the caches are for, which knows them.
 *
 * All is read into one buffer, because the first touch of memory costs more than reading, and readFileSync is a function that Node
 * would have to compile first. The script's name, which stack traces show, is kept in the cache: it is no folder of the machine that built it.
 */
const load = (flags: readonly string[]): string => [
  '"use strict";',
  'const fs=require("node:fs"),vm=require("node:vm"),node=process.version+process.versions.v8+process.arch;',
  `let room=Buffer.allocUnsafeSlow(${ROOM_BYTES});`,
  'function bytes(file){const fd=fs.openSync(file,"r");try{let end=0;for(;;){const count=fs.readSync(fd,room,end,room.length-end,end);if(count===0)return room.subarray(0,end);end+=count;',
  "if(end===room.length){const more=Buffer.allocUnsafeSlow(2*end);room.copy(more);room=more}}}finally{fs.closeSync(fd)}}",
  `let flags=process.execArgv.includes("${NATIVES}")?process.execArgv:undefined;`,
  `function setFlags(){flags=${JSON.stringify(flags.filter((flag) => !SMALL_LINK_NODE_FLAGS.includes(flag)))};const v8=require("node:v8");for(const flag of flags)v8.setFlagsFromString(flag)}`,
  "function load(name,complete,use,inputBytes){",
  'const file=__dirname+"/"+name+".js",text=bytes(file).latin1Slice(),cached=__dirname+"/"+name+".cache";',
  `const tie=text.slice(-${TIE})+node;let cache;`,
  "try{const all=bytes(cached);if(all.subarray(-tie.length).latin1Slice()===tie){cache=all.subarray(0,-tie.length);if(!flags)setFlags()}}catch{}",
  "const script=new vm.Script(text,{filename:`wield/dist/${name}.js`,cachedData:cache}),start=script.runInThisContext();",
  "if(use)use(script,tie,cached,file,start);else start(exports,require,module,file,__dirname,complete,inputBytes,flags)}",
].join("");

/**
 * Large links are for the complete program from the first (host/large-link.ts): those that say so at a glance, because starting both
 * programs costs them more than it costs others to look. Only a guess: either program does the whole of any link.
 */
const START = [
  'function large(words){const all=[];for(const word of words)if(word[0]==="@")response(word.slice(1),all);else all.push(word);',
  // Of very many every so manieth tells enough.
  `if(all.length<${MANY_WORDS})return 0;let bytes=0;const step=Math.ceil(all.length/${LOOKED_AT});for(let i=0;i<all.length;i+=step)if(/\\.(o|a|rlib)$/.test(all[i]))bytes+=size(all[i])*step;`,
  `return bytes>=${LARGE_BYTES}?bytes:0}`,
  // Not of what can be read only once.
  "function size(file){try{const stat=fs.statSync(file);return stat.isFile()?stat.size:0}catch{return 0}}",
  `function response(file,all){try{if(size(file)>=${MANY_BYTES})for(const word of bytes(file).latin1Slice().split(/[ \\t\\n\\v\\f\\r]+/))all.push(word)}catch{}}`,
  'const inputBytes=large(process.argv.slice(2));if(inputBytes)load("main",undefined,undefined,inputBytes);else load("quick",()=>load("main"));',
].join("");

/** dist/cli.cjs, quick.js and main.js; `flags`: the launcher's. */
export async function program(dist: string, common: BuildOptions, flags: readonly string[]): Promise<void> {
  await Promise.all([bundleProgram(dist, common, "quick", [leaveOut(LEFT_OUT)]), bundleProgram(dist, common, "main", [])]);
  put(path.join(dist, "cli.cjs"), `#!/usr/bin/env node\n${load(flags)}${START}\n`, 0o777);
}

/** Runs `links` one after another in one process without a cache, then writes what V8 has compiled to `to`. */
const RECORD = [
  "function record(name,links,to){load(name,undefined,(script,tie,cached,file,start)=>{",
  // With something to hand over to, because the complete program without it may change the flags, which the cache is tied to.
  'const end=process.reallyExit,fail=()=>{throw new Error("handed over")};let at=0;',
  "const next=()=>{if(at===links.length){fs.writeFileSync(to,Buffer.concat([script.createCachedData(),Buffer.from(tie)]));end.call(process,0)}",
  'process.removeAllListeners("uncaughtException");process.argv=[process.argv[0],file,...links[at++]];start(exports,require,module,file,__dirname,fail,undefined,flags)};',
  "process.reallyExit=(status)=>{if(status!==0)end.call(process,status);setImmediate(next)};next()})}",
].join("");

function node(args: string[]): Promise<{ status: number; said: string }> {
  return new Promise((done) => {
    execFile(process.execPath, args, (error, stdout, stderr) => done({ status: error === null ? 0 : 1, said: stdout + stderr }));
  });
}

/** Makes the code caches of both programs and of the API from links like a compiler's, and tries them. */
export async function warm(dist: string, flags: string[]): Promise<void> {
  const folder = path.join(dist, "build", `warm.${process.pid}`);
  const script = path.join(dist, `warm.${process.pid}.tmp.js`);
  fs.mkdirSync(folder, { recursive: true });
  const links = warmLinks(folder);
  try {
    warmKernels(dist, flags);
    warmApi(dist, links);
    for (const name of ["main", "quick"]) {
      const cache = path.join(dist, `${name}.cache`);
      const made = path.join(folder, "cache");
      fs.rmSync(cache, { force: true });
      fs.writeFileSync(script, `${load(flags)}${RECORD}record(${JSON.stringify(name)},${JSON.stringify(links)},${JSON.stringify(made)});`);
      const recorded = await node([...flags, script]);
      if (recorded.status !== 0) throw new Error(`${name}.js does not link:\n${recorded.said}`);
      fs.renameSync(made, cache);
      fs.writeFileSync(script, `${load(flags)}load(${JSON.stringify(name)});`);
      for (const link of links) {
        const tried = await node([...flags, script, ...link]);
        if (tried.status !== 0) throw new Error(`${name}.js does not link with its code cache:\n${tried.said}`);
      }
    }
  } finally {
    for (const file of [script, folder]) fs.rmSync(file, { force: true, recursive: true });
  }
}

/** A GNU archive: `members` are file names of objects with the global names they define; names of files that are too long for a header are in a table. */
function archive(members: readonly [string, readonly string[]][]): Buffer {
  const header = (name: string, bytes: number): string => `${name.padEnd(48)}${String(bytes).padEnd(10)}\`\n`;
  const even = (bytes: Buffer): Buffer => (bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from("\n")]));
  const symbols = members.flatMap(([, names], i) => names.map((name) => ({ name, i })));
  const isLong = (file: string): boolean => path.basename(file).length > 15;
  const longNames = even(Buffer.from(members.map(([file]) => (isLong(file) ? `${path.basename(file)}/\n` : "")).join("")));
  const names = even(Buffer.from(symbols.map(({ name }) => `${name}\0`).join("")));
  const index = Buffer.alloc(4 + 4 * symbols.length);
  const parts = [Buffer.from("!<arch>\n" + header("/", index.length + names.length)), index, names, Buffer.from(header("//", longNames.length)), longNames];
  const starts: number[] = [];
  let long = 0;
  for (const [file] of members) {
    const bytes = fs.readFileSync(file);
    starts.push(parts.reduce((sum, part) => sum + part.length, 0));
    parts.push(Buffer.from(header(isLong(file) ? `/${long}` : `${path.basename(file)}/`, bytes.length)), even(bytes));
    if (isLong(file)) long += `${path.basename(file)}/\n`.length;
  }
  index.writeUInt32BE(symbols.length, 0);
  symbols.forEach(({ i }, k) => index.writeUInt32BE(starts[i]!, 4 + 4 * k));
  return Buffer.concat(parts);
}

/**
 * Command lines: a library from objects, then programs that use it, dynamic and static, with what gcc passes: what is compiled for
 * them is in the code cache, everything else is compiled when it is called.
 */
export function warmLinks(folder: string): string[][] {
  const [start, print, steps, runtime, library] = ["start.o", "print.o", "steps.o", "runtime.o", "library.o"].map((name) => path.join("build/demo", name)) as [string, string, string, string, string];
  const file = (name: string): string => path.join(folder, name);
  fs.writeFileSync(file("libsteps.so"), `/* GNU ld script */\nOUTPUT_FORMAT(elf64-x86-64)\nGROUP ( ${file("libsteps.so.1")} AS_NEEDED ( libsteps.so.1 ) )\n`);
  fs.writeFileSync(file("steps.map"), "STEPS_1 { global: steps; }; STEPS_2 { global: print; local: *; } STEPS_1;\n");
  fs.writeFileSync(file("libprint.a"), archive([[print, ["print", "unused"]], [steps, ["steps"]]]));
  // Objects of more than 64 KiB are read in parts.
  const large = file("a-member-that-is-large.o");
  fs.writeFileSync(large, Buffer.concat([fs.readFileSync(library), Buffer.alloc(1 << 17)]));
  fs.writeFileSync(file("libunused.a"), archive([[print, ["unused"]], [large, ["library"]]]));
  fs.writeFileSync(file("liblibrary.a"), archive([[large, ["library", "length", "_init", "_fini", "_copy"]], [print, ["print"]]]));
  const driver = ["--build-id", "--eh-frame-hdr", "-m", "elf_x86_64", "--hash-style=gnu", "--as-needed", "--threads=1"];
  fs.writeFileSync(file("arguments"), driver.join("\n"));
  return [
    ["-shared", "-soname", "libsteps.so.1", "--version-script", file("steps.map"), "-o", file("libsteps.so.1"), steps, print],
    ["-shared", "-soname", "libruntime.so", "-o", file("libruntime.so"), runtime, `-L${folder}`, "-lsteps"],
    [
      `@${file("arguments")}`, "-dynamic-linker", "/lib64/ld-linux-x86-64.so.2", "-pie", "--allow-shlib-undefined",
      "-o", file("program"), start, runtime, `-L${folder}`, "-lunused", "--push-state", "--as-needed", "-lsteps", "--pop-state", "-lruntime",
    ],
    [...driver, "--gc-sections", "-static", "-z", "relro", "-o", file("static"), start, `-L${folder}`, "--start-group", "-lprint", "-lunused", "--end-group"],
    ["--gc-sections", "--build-id", "-static", "-o", file("static"), start, print, steps, runtime],
    // The file is large because of its pages, which is what one with large sections takes.
    [...driver, "--gc-sections", "-static", "-z", "separate-code", "-z", "max-page-size=0x200000", "-u", "library", "-o", file("large"), library, start, steps, "--start-group", `-L${folder}`, "-llibrary", "--end-group"],
    ["-shared", "--gc-sections", "--version-script", file("steps.map"), "-o", file("libcomplete.so"), steps, print],
    [...driver, "-dynamic-linker", "/lib64/ld-linux-x86-64.so.2", "-pie", "-z", "separate-code", "-z", "max-page-size=0x200000", "-o", file("program"), start, large, `-L${folder}`, "-lcomplete", "-lruntime"],
  ];
}

/**
 * What the launcher tells V8, because most links are over in the time that V8 takes to plan for a long run: no optimising
 * compiler for kernels that run for a few milliseconds (a large link asks for it: Host.expectLargeLink), no validation of
 * kernels that are not called, no compiled JavaScript (a third of the CPU time of a link of 100 ms), room for all garbage of a
 * small link, strings hashed as in V8's snapshot instead of all of them again, and kernels that are compiled already.
 */
const SMALL_LINK_FLAGS = ["--wasm-tiering-budget=1000000000", "--wasm-lazy-validation", "--no-sparkplug", "--no-opt", "--min-semi-space-size=8", "--no-rehash-snapshot", "--no-verify-snapshot-checksum", NATIVES];

/**
 * And Node: one thread for V8's background work, of which a small link has little; nothing that has to do with certificates; and the program's
 * path as it is, in which the launcher has followed links.
 */
const SMALL_LINK_NODE_FLAGS = ["--v8-pool-size=1", "--openssl-config=/dev/null", "--preserve-symlinks-main"];

/** The flags that this Node knows: it refuses to start with any other. */
export function launcherFlags(): string[] {
  const accepted = (flags: string[]): boolean => spawnSync(process.execPath, [...flags, "-e", ""]).status === 0;
  const flags = [...SMALL_LINK_FLAGS, ...SMALL_LINK_NODE_FLAGS];
  return accepted(flags) ? flags : flags.filter((flag) => accepted([flag]));
}

/**
 * dist/driver/ld, for `gcc -B dist/driver`. What a user's environment does to Node programs (NODE_OPTIONS=--require …, extra
 * certificates that cost 30 ms to load) does not reach the linker; nothing but a symbolic link to it costs a process. The name
 * that it was called by goes along, for messages.
 */
export function launcher(flags: string[]): string {
  const node = `'${process.execPath.replaceAll("'", "'\\''")}'`;
  return [
    "#!/bin/sh",
    "unset NODE_OPTIONS NODE_EXTRA_CA_CERTS",
    'export WIELD_CALLED="${0##*/}"',
    'cli="${0%/*}/../cli.cjs"',
    '[ -f "$cli" ] || cli="$(dirname "$(readlink -f "$0")")/../cli.cjs"',
    `[ -x ${node} ] || exec node "$cli" "$@"`,
    `exec ${[node, ...flags].join(" ")} "$cli" "$@"`,
    "",
  ].join("\n");
}
