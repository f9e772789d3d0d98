/**
 * The program in dist/: cli.cjs and the two bundles that it starts, made of the same sources.
 *
 * main.js is the complete program. quick.js is without the modules that a link which succeeds silently does not call (LEFT_OUT): a third
 * of the code to read and set up, which is most of what a small link costs. When it calls one after all, it hands over: main.js starts
 * from the beginning, before anything was said.
 */
import * as path from "node:path";
import { build, type BuildOptions, type Plugin } from "esbuild";
import { launcherV8Flags, v8Defaults } from "./launcher.ts";
import { LEFT_OUT, leaveOut } from "./leave-out.ts";
import { put } from "./put.ts";
import { putTied } from "./tied.ts";

/** A bundle is one function, so that nothing has to be put around its text. Its parameters beyond CommonJS's are what ts/cli.ts declares. */
const FUNCTION = ["(function(exports,require,module,__filename,__dirname,complete,inputBytes,v8Flags){", "})//"] as const;

async function bundleProgram(dist: string, common: BuildOptions, name: string, plugins: Plugin[]): Promise<void> {
  const outfile = path.join(dist, `${name}.js`);
  const define = { ...common.define, V8_DEFAULTS: JSON.stringify(v8Defaults()) };
  const result = await build({ ...common, define, entryPoints: ["ts/cli.ts"], outfile, minify: true, charset: "ascii", write: false, plugins });
  putTied(outfile, `${FUNCTION[0]}${result.outputFiles![0]!.text}${FUNCTION[1]}`);
}

/** A script that begins with ts/start/load.ts. */
export async function startScript(entry: string, common: BuildOptions, flags: readonly string[]): Promise<string> {
  const define = { LAUNCHER_V8_FLAGS: JSON.stringify(launcherV8Flags(flags)) };
  const result = await build({ ...common, define, entryPoints: [entry], outdir: "out", minify: true, write: false });
  return result.outputFiles![0]!.text;
}

/** dist/cli.cjs, quick.js and main.js; `flags`: the launcher's. */
export async function program(dist: string, common: BuildOptions, flags: readonly string[]): Promise<void> {
  await Promise.all([bundleProgram(dist, common, "quick", [leaveOut(LEFT_OUT)]), bundleProgram(dist, common, "main", [leaveOut([], true)])]);
  put(path.join(dist, "cli.cjs"), `#!/usr/bin/env node\n${await startScript("ts/start/program.ts", common, flags)}`, 0o777);
}
