/**
 * `npm run build`: everything in dist/, from nothing, in a few seconds.
 *
 * asc makes kernels.wasm and kernels.debug.wasm (kernels.ts) while esbuild makes the bundles. The bundles are CommonJS, which starts faster on Node 20.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { build, type BuildOptions } from "esbuild";
import { api, LINE_LIMIT } from "./api.ts";
import { refreshGenerated } from "./generated.ts";
import { refreshKernels } from "./kernels.ts";
import { pageSizeLine } from "./page-size.ts";
import { program } from "./program.ts";
import { put } from "./put.ts";
import { single } from "./single.ts";
import { web } from "./web.ts";

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
    refreshKernels(DIST),
    program(DIST, BUNDLE),
    bundle("ts/worker.ts", "worker.js"),
    bundle("ts/worker-api.ts", "worker-api.js"),
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
