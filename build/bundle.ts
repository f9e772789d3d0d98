/**
 * `npm run build`: everything in dist/, from nothing, in a few seconds.
 *
 * asc makes kernels.wasm and kernels.debug.wasm (side by side, as processes) while esbuild makes the bundles. The bundles are CommonJS, which starts faster on Node 20.
 */
import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { build, type BuildOptions } from "esbuild";
import { api, LINE_LIMIT } from "./api.ts";
import { refreshGenerated } from "./generated.ts";
import { kernelNames } from "./gen-kernels.ts";
import { tabulateKernels } from "./kernel-table.ts";
import { pageSizeLine } from "./page-size.ts";
import { program } from "./program.ts";
import { put } from "./put.ts";
import { single } from "./single.ts";
import { web } from "./web.ts";
import { checkKernels } from "./wasm-check.ts";

const DIST = path.resolve("dist");

/** What every bundle has in common. `define` gives CommonJS its import.meta.dirname. */
const BUNDLE: BuildOptions = {
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  mainFields: ["module", "main"],
  define: { "import.meta.dirname": "__dirname" },
  logLevel: "warning",
  legalComments: "none",
};

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
  const compiled = fs.readFileSync(temporary);
  checkKernels(compiled, name);
  put(path.join(DIST, name), tabulateKernels(compiled, kernelNames()));
  fs.rmSync(temporary);
}

/** Digest of everything that the kernels are compiled from. */
function kernelInputs(): string {
  const files = fs.readdirSync("as-kernels", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts")).sort();
  const hash = createHash("sha256");
  for (const file of [...files.map((name) => path.join("as-kernels", name)), "asconfig.json", "node_modules/assemblyscript/package.json", "build/kernel-table.ts"]) {
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

/** What the API's bundles have: they are modules, because those who import them are. Builtins that are loaded late need a `require`. */
const MODULE: BuildOptions = {
  format: "esm",
  lineLimit: LINE_LIMIT,
  define: { "import.meta.dirname": "$dirname" },
  banner: {
    js: 'import{createRequire as $createRequire}from"node:module";import{fileURLToPath as $path}from"node:url";const require=$createRequire(import.meta.url),$dirname=$path(new URL(".",import.meta.url)).replace(/.$/,"");',
  },
};

async function bundle(entry: string, name: string, more: BuildOptions = {}): Promise<void> {
  const outfile = path.join(DIST, name);
  const result = await build({ ...BUNDLE, entryPoints: [entry], outfile, minify: true, sourcemap: "linked", write: false, ...more });
  for (const file of result.outputFiles!) put(file.path, file.contents);
}

/** Types of the API: files that import nothing but each other. */
function types(): void {
  const text = (file: string): string => fs.readFileSync(path.join("ts/api", file), "utf8").replaceAll(/"\.\/([\w-]*types)\.ts"/g, '"./$1.mjs"');
  for (const name of ["types", "map-types"]) put(path.join(DIST, `${name}.d.mts`), text(`${name}.ts`));
  for (const name of ["index", "browser", "inline"]) put(path.join(DIST, `${name}.d.mts`), text("declarations.d.ts") + (name === "index" ? REAL_FS : ""));
  put(path.join(DIST, "worker.d.mts"), "/** The worker of a page, for createWorker of EngineOptions: it is started, never imported. */\nexport {};\n");
}

/** What only runtimes with files have. */
const REAL_FS = `
/** The files of this machine: the default of \`fs\`, and a layer of layerFS. Relative paths begin at the current directory. */
export declare function realFS(): LinkFileSystem;
`;

/** `release`: as it is packed, which takes a few seconds more. */
export async function buildAll(release = false): Promise<void> {
  fs.mkdirSync(DIST, { recursive: true });
  for (const file of refreshGenerated()) console.log(`${file} was stale and has been written again`);
  put(path.join(DIST, "package.json"), '{ "type": "commonjs" }\n');
  types();
  const parts = await Promise.allSettled([
    allKernels(),
    program(DIST, BUNDLE),
    bundle("ts/memory/worker.ts", "worker.js"),
    bundle("ts/memory/worker-api.ts", "worker-api.js"),
    bundle("ts/host/zstd.ts", "zstd.js", { sourcemap: false, legalComments: "inline" }),
    bundle("ts/index.ts", "index.mjs", MODULE),
    api(DIST, BUNDLE),
  ]);
  if (parts.every(({ status }) => status === "fulfilled")) parts.push(...(await Promise.allSettled([web(DIST, path.join(DIST, "kernels.wasm"), release), single(DIST, BUNDLE)])));
  const failures = parts.flatMap((part) => (part.status === "rejected" ? [String((part.reason as Error).message)] : []));
  if (failures.length > 0) throw new Error(`build failed:\n${failures.join("\n")}`);
  execFileSync(process.execPath, [path.join(DIST, "warm.cjs"), ...(release ? ["portable"] : [])], { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, NODE_OPTIONS: "" } });
}

if (/build-bundle\.mjs$/.test(process.argv[1] ?? "")) {
  try {
    const release = process.argv.includes("--release");
    await buildAll(release);
    console.log(await pageSizeLine(DIST, release));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
