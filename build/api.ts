/**
 * The API as Node imports it: node.mjs, which runs api.js with the code that V8 compiled when it was built, api.cache (ts/start/load-api.ts).
 *
 * This is index.mjs, which Deno and Bun import, as a script.
 */
import * as path from "node:path";
import { build, type BuildOptions } from "esbuild";
import { put } from "./put.ts";
import { putTied } from "./tied.ts";

/** Characters. Node shows the line that made an error which nobody catches, and what it says comes after that. */
export const LINE_LIMIT = 200;

async function loaderModule(entry: string, common: BuildOptions): Promise<string> {
  const result = await build({ ...common, format: "esm", define: {}, entryPoints: [entry], outdir: "out", minify: true, write: false });
  return result.outputFiles![0]!.text;
}

/** dist/api.js, node.mjs, and warm-api.mjs, which makes api.cache (warm.ts). */
export async function api(dist: string, common: BuildOptions): Promise<void> {
  const result = await build({ ...common, entryPoints: ["ts/index.ts"], outfile: path.join(dist, "api.js"), minify: true, lineLimit: LINE_LIMIT, charset: "ascii", write: false });
  putTied(path.join(dist, "api.js"), `(function(exports,require,module,__filename,__dirname){${result.outputFiles![0]!.text}})//`);
  put(path.join(dist, "node.mjs"), await loaderModule("ts/start/api.ts", common));
  put(path.join(dist, "warm-api.mjs"), await loaderModule("build/record-api.ts", common));
}
