/**
 * The page's build: `npm run playground` serves it, dist/ must be built before.
 *
 * The examples are made here: musl's libc.a is in the repository compressed more than browsers can undo. The list of all files
 * goes into the service worker, which keeps them for use without a network.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { brotliDecompressSync, constants, deflateSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const here = import.meta.dirname;
const EXAMPLES = path.join(here, "examples");

/** Served files of the examples, by their address. */
function exampleFiles(): Map<string, () => Uint8Array> {
  const files = new Map<string, () => Uint8Array>();
  for (const folder of ["objects", "musl", "c"]) {
    for (const name of fs.readdirSync(path.join(EXAMPLES, folder))) {
      const file = path.join(EXAMPLES, folder, name);
      if (name.endsWith(".br")) files.set(`examples/${name.slice(0, -3)}.z`, () => deflateSync(brotliDecompressSync(fs.readFileSync(file)), { level: constants.Z_BEST_COMPRESSION }));
      else files.set(`examples/${name}`, () => fs.readFileSync(file));
    }
  }
  return files;
}

function examples(): Plugin {
  return {
    name: "examples",
    configureServer(server) {
      const files = exampleFiles();
      server.middlewares.use((request, response, next) => {
        const contents = files.get((request.url ?? "").replace(/^\/|\?.*$/g, ""));
        if (contents === undefined) return next();
        response.setHeader("Content-Type", "application/octet-stream");
        response.end(contents());
      });
    },
    generateBundle() {
      for (const [fileName, contents] of exampleFiles()) this.emitFile({ type: "asset", fileName, source: contents() });
    },
  };
}

/** service-worker.js with the names of all files, and a version that changes with them. */
function offline(): Plugin {
  return {
    name: "offline",
    apply: "build",
    enforce: "post",
    generateBundle(_, bundle) {
      const files = Object.keys(bundle).filter((name) => !name.endsWith(".map")).sort();
      const digest = createHash("sha256");
      for (const name of files) {
        const part = bundle[name]!;
        digest.update(name).update(part.type === "chunk" ? part.code : part.source);
      }
      const text = fs.readFileSync(path.join(here, "service-worker.js"), "utf8");
      const source = text.replace('"FILES"', JSON.stringify(["./", ...fs.readdirSync(path.join(here, "public")), ...files.filter((name) => name !== "index.html")])).replace("VERSION", digest.digest("hex").slice(0, 16));
      this.emitFile({ type: "asset", fileName: "service-worker.js", source });
    },
  };
}

const ISOLATED = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
const headers = process.env["PLAYGROUND_ISOLATED"] === "0" ? {} : ISOLATED;

export default defineConfig({
  root: here,
  base: "./",
  plugins: [examples(), offline()],
  resolve: { alias: { wield: path.resolve(here, "../dist/browser.mjs") } },
  worker: { format: "es" },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: { outDir: path.resolve(here, "../dist/playground"), emptyOutDir: true, target: "es2022", chunkSizeWarningLimit: 900 },
  server: { headers, fs: { allow: [path.resolve(here, "..")] } },
  preview: { headers },
});
