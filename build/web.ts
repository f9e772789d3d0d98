/**
 * What pages load: browser.mjs, web-quick.mjs, kernels.wasm; when a link needs it, web-worker.mjs, the complete program; and
 * inline.mjs, which has all of it in one file.
 *
 * How large it is: page-size.ts. What is published goes through terser as well (`release`), which takes seconds and saves one
 * byte in twenty; the browser tests run that.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { build, type BuildOptions, type Plugin } from "esbuild";
import { calledOnly } from "./called.ts";
import { eager } from "./eager.ts";
import { firstLinks, ordinaryLinks } from "./ordinary-links.ts";
import { LEFT_OUT, leaveOut } from "./leave-out.ts";
import { shortNames } from "./short-names.ts";
import { put } from "./put.ts";
import { KERNEL_NAMES } from "../ts/memory/kernel-types.ts";
import { ARRAYS, offsetsOf } from "../ts/memory/table-columns.ts";
import { PARAM_OFFSETS, WIDE_PARAMS } from "../ts/memory/table-layout.ts";

/** What a page cannot do (start programs, compress at once) and what it has no use for (it draws the layout itself, and has the inputs) has a counterpart that says so. */
const counterparts: Plugin = {
  name: "counterparts",
  setup(bundler) {
    bundler.onResolve({ filter: /\/(?:gcc-lto|bitcode|layout-page|reproduce|compress-sections)\.ts$/ }, ({ path: file, resolveDir }) => {
      const { dir, base } = path.parse(path.resolve(resolveDir, file));
      return { path: path.join(dir, `no-${base}`) };
    });
  },
};

/** The getters of a class in ts/memory/table-layout.ts: name, number and kind of array of each. */
const GETTER = /    get (\w+)\(\) \{ return this\.columns\[\d+\] \?\? this\.view\(\d+, (\w+)\); \}\n/g;

/** In that file, too. */
const OFFSETS = /(PARAM_OFFSETS: Readonly<Record<string, number>> = )\{[^}]*\}/;

/** Of the tables themselves, there. */
const TABLE_GETTER = /  get \w+\(\) \{ return this\.made\[\d+\] \?\? this\.make\(\d+\); \}\n/g;

/** Places of parameters as ts/memory/table-columns.ts finds them. */
function offsetsCall(): string {
  const names = Object.keys(PARAM_OFFSETS).map((name) => name + (WIDE_PARAMS.includes(name) ? "!" : "")).join(" ");
  if (JSON.stringify(offsetsOf(names)) !== JSON.stringify(PARAM_OFFSETS)) throw new Error("build/gen-tables.ts places parameters otherwise than ts/memory/table-columns.ts");
  return `offsetsOf("${names}")`;
}

/** Tables' views as ts/memory/table-columns.ts makes them. */
const sharedGetters: Plugin = {
  name: "shared-getters",
  setup(bundler) {
    bundler.onLoad({ filter: /\/memory\/table-layout\.ts$/ }, ({ path: file }) => {
      const contents = fs.readFileSync(file, "utf8").replace(/class extends View \{\n((?:    get .*\n)+)  \}/g, (_, getters: string) => {
        const columns = [...getters.matchAll(GETTER)];
        const kinds = columns.map(([, , name]) => ARRAYS.findIndex((array) => array.name === name));
        return `viewOf("${columns.map(([, name]) => name).join(" ")}", "${kinds.join("")}")`;
      });
      if (contents.includes("extends View") || !OFFSETS.test(contents) || !TABLE_GETTER.test(contents)) throw new Error("build/gen-tables.ts makes other classes or parameters than build/web.ts looks for");
      const getters = "TABLE_NAMES.forEach((name, i) => Object.defineProperty(AllTables.prototype, name, { get() { return this.made[i] ?? this.make(i); } }));";
      return { contents: `import { offsetsOf, viewOf } from "./table-columns.ts";\n${contents.replace(OFFSETS, `$1${offsetsCall()}`).replaceAll(TABLE_GETTER, "")}${getters}\n`, loader: "ts" };
    });
  },
};

const PLUGINS = [counterparts, sharedGetters];

/** A kernel's name by its number, as an expression of `i`. */
const SHORT_NAME = '"$" + i.toString(36)';
const SHORT = new Map(KERNEL_NAMES.map((name, i) => [name, `$${i.toString(36)}`]));
const NAME_LIST = /(KERNEL_NAMES: readonly string\[\] = )\[[^\]]*\]/;

/** Kernels are called by short names, which the list of kernels has in the place of theirs. */
function shortKernels(text: string, file: string): string {
  if (!file.endsWith("/memory/kernel-types.ts")) return text.replace(/\b(kernels\.)(\w+)/g, (all, before: string, name: string) => (SHORT.has(name) ? before + SHORT.get(name)! : all));
  if (!NAME_LIST.test(text)) throw new Error("build/gen-kernels.ts makes another list than build/web.ts looks for");
  return text.replace(NAME_LIST, `$1Array.from({ length: ${KERNEL_NAMES.length} }, (_, i) => ${SHORT_NAME})`);
}

/** Modules of which the quick program in a worker has nothing at all. Command lines are parsed in the page. */
const SELDOM = [...LEFT_OUT, /^host\/unpack-/, /^args\/(?!identity\.|option-row\.)/];

const WEB: BuildOptions = { plugins: PLUGINS, bundle: true, platform: "browser", format: "esm", target: "es2022", mainFields: ["module", "main"], minify: true, mangleProps: shortNames("ts"), legalComments: "none", logLevel: "warning", write: false };

/**
 * Smaller still. `arrows`: in the place of functions, else methods; none of them is called as a constructor. Reading a property changes nothing that anybody
 * else sees (getters of tables make a view), so what is read for nothing may go.
 */
async function squeeze(text: string, module: boolean, arrows = true): Promise<string> {
  const { minify } = await import("terser");
  const { code } = await minify(text, { module, compress: { passes: 4, ecma: 2020, keep_fargs: false, pure_getters: true, lhs_constants: false, unsafe_arrows: arrows, unsafe_methods: !arrows }, mangle: true });
  return code!;
}

/** What is imported, and parses command lines. What it has in common with a worker is in both: a file of its own would be asked for when they have arrived, and the first link waits for both. */
async function page(dist: string, release: boolean): Promise<void> {
  const result = await build({ ...WEB, plugins: [...PLUGINS, leaveOut([], "options")], entryPoints: ["ts/browser.ts"], outfile: path.join(dist, "browser.mjs") });
  const { path: file, text, contents } = result.outputFiles![0]!;
  put(file, release ? await squeeze(text, true) : contents);
}

/** Exports at the end of a module, and as what it exports serveWorker. */
const EXPORTS = /export\s*\{[^}]*?([\w$]+) as serveWorker\b[^}]*\};?\s*$/;

/** The quick program in a worker: the functions that ordinary links call, of which those of first links are compiled at once. */
async function quick(dist: string, kernels: string, release: boolean): Promise<void> {
  const entry = 'export * from "./ts/api/engine.ts"; export { remoteParser, unpackOptions } from "./ts/api/remote.ts";';
  const result = await build({ ...WEB, minify: false, plugins: [...PLUGINS, leaveOut(SELDOM, "options", shortKernels)], stdin: { contents: entry, resolveDir: process.cwd() } });
  const { text } = result.outputFiles![0]!;
  const bytes = fs.readFileSync(kernels);
  const [whole, small] = ["engine", "quick"].map((name) => path.resolve("dist/build", `${name}.${process.pid}.mjs`)) as [string, string];
  try {
    put(whole, text);
    put(whole, await calledOnly(text, pathToFileURL(whole).href, async () => ordinaryLinks(await import(pathToFileURL(whole).href), bytes)));
    const made = await build({ ...WEB, entryPoints: [whole] });
    const minified = made.outputFiles![0]!.text;
    const squeezed = release ? await squeeze(minified, true, false) : minified;
    put(small, squeezed);
    const ready = await eager(squeezed, pathToFileURL(small).href, async () => firstLinks(await import(pathToFileURL(small).href), bytes));
    put(path.join(dist, "web-quick.mjs"), ready.replace(EXPORTS, "$1();"));
  } finally {
    for (const file of [whole, small]) fs.rmSync(file, { force: true });
  }
}

/** The complete program in a worker. */
async function complete(dist: string, release: boolean): Promise<void> {
  const result = await build({ ...WEB, plugins: [...PLUGINS, leaveOut([], "help", shortKernels)], entryPoints: ["ts/web-worker.ts"], outfile: path.join(dist, "web-worker.mjs") });
  const { path: file, text, contents } = result.outputFiles![0]!;
  put(file, release ? await squeeze(text, true) : contents);
}

/** inline.ts imports the engine as text and the kernels as bytes. */
async function inline(dist: string, kernels: string, release: boolean): Promise<void> {
  const engine = await build({ ...WEB, plugins: [...PLUGINS, leaveOut([], "help", shortKernels)], entryPoints: ["ts/api/engine.ts"], format: "iife", globalName: "wieldEngine", outfile: "engine.js" });
  const text = engine.outputFiles![0]!.text;
  const contents = release ? await squeeze(text, false) : text;
  const parts: Plugin = {
    name: "parts",
    setup(bundler) {
      bundler.onResolve({ filter: /^wield:/ }, ({ path: name }) => ({ path: name, namespace: "part" }));
      bundler.onLoad({ filter: /./, namespace: "part" }, ({ path: name }) =>
        name === "wield:engine" ? { contents, loader: "text" } : { contents: fs.readFileSync(kernels), loader: "binary" });
    },
  };
  const result = await build({ ...WEB, entryPoints: ["ts/inline.ts"], outfile: path.join(dist, "inline.mjs"), plugins: [parts, leaveOut([], "options")] });
  put(path.join(dist, "inline.mjs"), result.outputFiles![0]!.contents);
}

/** To `dist`, with the kernels from a file. `release`: as it is published. */
export async function web(dist: string, kernels: string, release: boolean): Promise<void> {
  await Promise.all([page(dist, release), quick(dist, kernels, release), complete(dist, release), inline(dist, kernels, release)]);
}

/** `node build/run.mjs build/web.ts FOLDER`: what is published, with the kernels of dist/, for tests. */
if (/build-web\.mjs$/.test(process.argv[1] ?? "")) {
  const folder = path.resolve(process.argv[2]!);
  fs.copyFileSync("dist/kernels.wasm", path.join(folder, "kernels.wasm"));
  await web(folder, "dist/kernels.wasm", true);
}
