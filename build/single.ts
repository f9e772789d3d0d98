/**
 * dist/single.js: the program with its kernels and its worker in one file, for `bun build --compile` and `deno compile`.
 *
 * Not what Node starts: without code caches, and with the kernels as text, it would take longer.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { build, type BuildOptions, type Plugin } from "esbuild";
import { put } from "./put.ts";

/** Needs kernels.wasm and worker.js. */
export async function single(dist: string, common: BuildOptions): Promise<void> {
  const parts: Plugin = {
    name: "parts",
    setup(bundler) {
      bundler.onResolve({ filter: /^wield:/ }, ({ path: name }) => ({ path: name, namespace: "part" }));
      bundler.onLoad({ filter: /^wield:embedded$/, namespace: "part" }, () => ({
        contents: 'import kernels from "wield:kernels"; import worker from "wield:worker"; export const EMBEDDED = { kernels, worker };', loader: "js", resolveDir: dist,
      }));
      bundler.onLoad({ filter: /^wield:kernels$/, namespace: "part" }, () => ({ contents: fs.readFileSync(path.join(dist, "kernels.wasm")), loader: "binary" }));
      bundler.onLoad({ filter: /^wield:worker$/, namespace: "part" }, () => ({ contents: fs.readFileSync(path.join(dist, "worker.js"), "utf8").replace(/^\/\/# sourceMappingURL.*$/m, ""), loader: "text" }));
    },
  };
  const outfile = path.join(dist, "single.js");
  const result = await build({ ...common, entryPoints: ["ts/cli.ts"], outfile, inject: ["wield:embedded"], plugins: [parts], minify: true, write: false });
  put(outfile, result.outputFiles![0]!.contents);
}
