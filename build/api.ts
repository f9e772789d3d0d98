/**
 * The API as Node imports it: node.mjs, which runs api.js with the code that V8 compiled when it was built, api.cache (ts/start/load-api.ts).
 *
 * This is index.mjs, which Deno and Bun import, as a script.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { build, type BuildOptions } from "esbuild";
import { put } from "./put.ts";
import { putTied } from "./tied.ts";

async function loaderModule(entry: string, common: BuildOptions): Promise<string> {
  const result = await build({ ...common, format: "esm", define: {}, entryPoints: [entry], outdir: "out", minify: true, write: false });
  return result.outputFiles![0]!.text;
}

/** dist/api.js and node.mjs. */
export async function api(dist: string, common: BuildOptions): Promise<void> {
  const result = await build({ ...common, entryPoints: ["ts/index.ts"], outfile: path.join(dist, "api.js"), minify: true, charset: "ascii", write: false });
  putTied(path.join(dist, "api.js"), `(function(exports,require,module,__filename,__dirname){${result.outputFiles![0]!.text}})//`);
  put(path.join(dist, "node.mjs"), await loaderModule("ts/start/api.ts", common));
}

/** dist/api.cache, of `links`. */
export async function warmApi(dist: string, common: BuildOptions, links: readonly string[][]): Promise<void> {
  const cache = path.join(dist, "api.cache");
  const recorder = path.join(dist, `warm-api.${process.pid}.tmp.mjs`);
  fs.rmSync(cache, { force: true });
  fs.writeFileSync(recorder, await loaderModule("build/record-api.ts", common));
  try {
    execFileSync(process.execPath, [recorder, JSON.stringify(links), cache], { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, NODE_OPTIONS: "" } });
  } finally {
    fs.rmSync(recorder, { force: true });
  }
}
