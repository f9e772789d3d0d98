/**
 * The program in dist/: cli.cjs and the two bundles that it starts, made of the same sources.
 *
 * main.js is the complete program. quick.js is without the modules that a link which succeeds silently does not call (LEFT_OUT): a third
 * of the code to read and set up, which is most of what a small link costs. When it calls one after all, it hands over: main.js starts
 * from the beginning, before anything was said.
 */
import * as path from "node:path";
import { build, type BuildOptions, type Plugin } from "esbuild";
import { launcherFlags, launcherV8Flags } from "./launcher/launcher.ts";
import { LEFT_OUT, leaveOut } from "./leave-out.ts";
import { put } from "./put.ts";
import { putTied } from "./tied.ts";

/** A bundle is one function, so that nothing has to be put around its text. Its parameters beyond CommonJS's are what ts/cli.ts declares. */
const FUNCTION = ["(function(exports,require,module,__filename,__dirname,complete,inputBytes,v8Flags){", "})//"] as const;

async function bundleProgram(dist: string, common: BuildOptions, name: string, plugins: Plugin[]): Promise<void> {
  const outfile = path.join(dist, `${name}.js`);
  const result = await build({ ...common, entryPoints: ["ts/cli.ts"], outfile, minify: true, charset: "ascii", write: false, plugins });
  putTied(outfile, `${FUNCTION[0]}${result.outputFiles![0]!.text}${FUNCTION[1]}`);
}

/** A script that begins with ts/start/load.ts. */
async function startScript(entry: string, common: BuildOptions, flags: readonly string[]): Promise<string> {
  const define = { LAUNCHER_V8_FLAGS: JSON.stringify(flags) };
  const result = await build({ ...common, define, entryPoints: [entry], outdir: "out", minify: true, write: false });
  return result.outputFiles![0]!.text;
}

/** dist/cli.cjs, quick.js, main.js, and warm.cjs. */
export async function program(dist: string, common: BuildOptions): Promise<void> {
  await Promise.all([bundleProgram(dist, common, "quick", [leaveOut(LEFT_OUT, "options")]), bundleProgram(dist, common, "main", [leaveOut([], "all")])]);
  const flags = launcherV8Flags(launcherFlags());
  put(path.join(dist, "cli.cjs"), `#!/usr/bin/env node\n${await startScript("ts/start/program.ts", common, flags)}`, 0o777);
  put(path.join(dist, "warm.cjs"), await startScript("build/warm.ts", common, flags));
}
