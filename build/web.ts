/**
 * What pages load: browser.mjs, web-quick.mjs, kernels.wasm; when a link needs it, web-worker.mjs, the complete program; and
 * inline.mjs, which has all of it in one file.
 *
 * How large it is: page-size.ts. What is published goes through terser as well (`release`), which takes seconds and saves one
 * byte in twenty; the browser tests run that.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { build, type BuildOptions, type Plugin } from "esbuild";
import { leaveOut } from "./program.ts";
import { put } from "./put.ts";

/** What starts programs has a counterpart that does not; pages draw the layout themselves, so they load no page to write. */
const noPrograms: Plugin = {
  name: "no-programs",
  setup(bundler) {
    bundler.onResolve({ filter: /\/lto\/(?:gcc-lto|bitcode)\.ts$/ }, ({ path: file }) => ({ path: path.resolve("ts/lto", `no-${path.basename(file)}`) }));
    bundler.onResolve({ filter: /\/layout-page\.ts$/ }, () => ({ path: path.resolve("ts/report/no-layout-page.ts") }));
  },
};

/**
 * What web-quick.mjs is without: there it is the bytes that count, and links that fail or are looked into are as common as others, so
 * messages and reports are in; scripts that lay out, -r, folding, indexes of debug information, compressed sections and the names of C++ and
 * Rust in messages are not.
 */
const SELDOM = [
  /^args\/help\./, /^diagnostics\/demangle\//, /^host\/unpack-/, /^lto\/(?!slim-mark)/, /^input\/(made-object|missing-library|gcc-symtab)\./, /^report\/(reproduce|cross-reference)/,
  /^passes\/(script-(?!symbols|shape)|relocatable|write-relocatable|compress-sections|cache-directed-sort|call-graph|emit-relocs|fold-identical|unique-sections|hex-output|shuffle-sections|cross-references|separate-debug|crc32|walk-archives)/,
  /^script\/(?!glob\.|lexer\.|input-script\.|version-script\.|dynamic-list\.)/, /^synthetic\/(gdb-index|debug-units|debug-names)/,
];

const WEB: BuildOptions = { plugins: [noPrograms], bundle: true, platform: "browser", format: "esm", target: "es2022", mainFields: ["module", "main"], minify: true, legalComments: "none", logLevel: "warning", write: false };

/** Smaller still. Passes beyond the second change next to nothing. */
async function squeeze(text: string, module: boolean): Promise<string> {
  const { minify } = await import("terser");
  const { code } = await minify(text, { module, compress: { passes: 2, ecma: 2020 }, mangle: true });
  return code!;
}

/**
 * The page's half and the quick program in a worker. What both need is in both, 16 kB: a file that they share would be asked for only when
 * they have arrived, in the page and in the worker, and the first link waits for both.
 */
async function halves(dist: string, release: boolean): Promise<void> {
  const result = await build({ ...WEB, plugins: [noPrograms, leaveOut(SELDOM)], entryPoints: { browser: "ts/browser.ts", "web-quick": "ts/web-worker.ts" }, outdir: dist, outExtension: { ".js": ".mjs" } });
  await Promise.all(result.outputFiles!.map(async (file) => put(file.path, release ? await squeeze(file.text, true) : file.contents)));
}

/** The complete program in a worker. */
async function complete(dist: string, release: boolean): Promise<void> {
  const result = await build({ ...WEB, entryPoints: ["ts/web-worker.ts"], outfile: path.join(dist, "web-worker.mjs") });
  const { path: file, text, contents } = result.outputFiles![0]!;
  put(file, release ? await squeeze(text, true) : contents);
}

/** inline.ts imports the engine as text and the kernels as bytes. */
async function inline(dist: string, kernels: string, release: boolean): Promise<void> {
  const engine = await build({ ...WEB, entryPoints: ["ts/api/engine.ts"], format: "iife", globalName: "wieldEngine", outfile: "engine.js" });
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
  const result = await build({ ...WEB, entryPoints: ["ts/inline.ts"], outfile: path.join(dist, "inline.mjs"), plugins: [parts] });
  put(path.join(dist, "inline.mjs"), result.outputFiles![0]!.contents);
}

/** To `dist`, with the kernels from a file. `release`: as it is published. */
export async function web(dist: string, kernels: string, release: boolean): Promise<void> {
  await Promise.all([halves(dist, release), complete(dist, release), inline(dist, kernels, release)]);
}

/** `node build/run.mjs build/web.ts FOLDER`: what is published, with the kernels of dist/, for tests. */
if (/build-web\.mjs$/.test(process.argv[1] ?? "")) {
  const folder = path.resolve(process.argv[2]!);
  fs.copyFileSync("dist/kernels.wasm", path.join(folder, "kernels.wasm"));
  await web(folder, "dist/kernels.wasm", true);
}
