/**
 * What pages load: browser.mjs, web-worker.mjs and what both share, kernels.wasm; and inline.mjs, which has all of it in one file.
 *
 * How large it is: page-size.ts.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { build, type BuildOptions, type Plugin } from "esbuild";

/** What starts programs has a counterpart that does not. */
const noPrograms: Plugin = {
  name: "no-programs",
  setup(bundler) {
    bundler.onResolve({ filter: /\/lto\/(?:gcc-lto|bitcode)\.ts$/ }, ({ path: file }) => ({ path: path.resolve("ts/lto", `no-${path.basename(file)}`) }));
  },
};

const WEB: BuildOptions = { plugins: [noPrograms], bundle: true, platform: "browser", format: "esm", target: "es2022", mainFields: ["module", "main"], minify: true, legalComments: "none", logLevel: "warning", write: false, lineLimit: 1000 };

type Put = (file: string, contents: string | Uint8Array) => void;

/** The page's half and the worker's half; what both need is one file, so that it is loaded once. */
async function halves(dist: string, put: Put): Promise<void> {
  const result = await build({
    ...WEB, entryPoints: { browser: "ts/browser.ts", "web-worker": "ts/web-worker.ts" }, outdir: dist, outExtension: { ".js": ".mjs" }, splitting: true, chunkNames: "web-shared",
  });
  for (const file of result.outputFiles!) put(file.path, file.contents);
  if (result.outputFiles!.length !== 3) throw new Error(`pages load ${result.outputFiles!.map((file) => path.basename(file.path)).join(", ")}: one shared file was expected`);
}

/** inline.ts imports the engine as text and the kernels as bytes. */
async function inline(dist: string, put: Put): Promise<void> {
  const engine = await build({ ...WEB, entryPoints: ["ts/api/engine.ts"], format: "iife", globalName: "wieldEngine", outfile: "engine.js" });
  const parts: Plugin = {
    name: "parts",
    setup(bundler) {
      bundler.onResolve({ filter: /^wield:/ }, ({ path: name }) => ({ path: name, namespace: "part" }));
      bundler.onLoad({ filter: /./, namespace: "part" }, ({ path: name }) =>
        name === "wield:engine" ? { contents: engine.outputFiles![0]!.text, loader: "text" } : { contents: fs.readFileSync(path.join(dist, "kernels.wasm")), loader: "binary" });
    },
  };
  const result = await build({ ...WEB, entryPoints: ["ts/inline.ts"], outfile: path.join(dist, "inline.mjs"), plugins: [parts] });
  put(path.join(dist, "inline.mjs"), result.outputFiles![0]!.contents);
}

/** Needs kernels.wasm. */
export async function web(dist: string, put: Put): Promise<void> {
  await Promise.all([halves(dist, put), inline(dist, put)]);
}
