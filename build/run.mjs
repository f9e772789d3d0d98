/**
 * Runs one of the TypeScript scripts under build/ or bench/: `node build/run.mjs build/bundle.ts args…`.
 *
 * Node 20 does not read TypeScript, so esbuild bundles the script to dist/build/ and we import it. Not a general runner:
 * packages stay external, and import.meta.url means the bundle, so scripts take the repository root from the working folder.
 */
import { build } from "esbuild";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [script, ...args] = process.argv.slice(2);
if (script === undefined) throw new Error("usage: node build/run.mjs SCRIPT.ts [ARGS]");
process.chdir(root);
const outfile = resolve(root, "dist/build", script.replace(/[/\\]/g, "-").replace(/\.ts$/, ".mjs"));
const result = await build({
  entryPoints: [resolve(root, script)],
  outfile,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  packages: "external",
  sourcemap: "inline",
  logLevel: "warning",
  write: false,
});
// By rename: another run of the same script may be reading the file.
const temporary = `${outfile}.${process.pid}.tmp`;
mkdirSync(dirname(outfile), { recursive: true });
writeFileSync(temporary, result.outputFiles[0].contents);
renameSync(temporary, outfile);
process.argv = [process.argv[0], outfile, ...args];
process.setSourceMapsEnabled?.(true);
await import(pathToFileURL(outfile).href);
