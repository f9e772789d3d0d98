/**
 * dist/warm.cjs: makes the launcher and the code caches in dist/ for the Node that runs it, the caches from links like a compiler's, and tries
 * them. The build ends with it, and so does installing the package (`postinstall`), because caches are for one Node only.
 *
 * Nothing but speed depends on it: without caches V8 compiles what is called, which takes a small link 60 ms more.
 */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { loadBundle } from "../ts/start/load.ts";
import { warmKernels } from "./kernel-cache.ts";
import { launcherFlags, launcherV8Flags, nativeLauncher, shellLauncher } from "./launcher/launcher.ts";
import { put } from "./put.ts";
import { recordKernels } from "./record-kernels.ts";
import { record } from "./record-program.ts";
import { warmLinks } from "./warm-links.ts";

/** As in load.ts. */
declare const LAUNCHER_V8_FLAGS: readonly string[];

const dist = __dirname;

/** Ends when the process has; throws what it said if it failed. */
function node(args: string[], failure: string): Promise<void> {
  return new Promise((done, failed) => {
    execFile(process.execPath, args, { env: { ...process.env, NODE_OPTIONS: "" } }, (error, stdout, stderr) => (error === null ? done() : failed(new Error(`${failure}:\n${stdout}${stderr}`))));
  });
}

/** The cache of a bundle of the program. */
async function warmProgram(name: string, flags: readonly string[], links: readonly string[][], made: string): Promise<void> {
  const cache = path.join(dist, `${name}.cache`);
  fs.rmSync(cache, { force: true });
  await node([...flags, __filename, "record", name, JSON.stringify(links), made], `${name}.js does not link`);
  fs.renameSync(made, cache);
  for (const link of links) await node([...flags, __filename, "try", name, ...link], `${name}.js does not link with its code cache`);
}

async function warmApi(links: readonly string[][], made: string): Promise<void> {
  const cache = path.join(dist, "api.cache");
  fs.rmSync(cache, { force: true });
  await node([path.join(dist, "warm-api.mjs"), JSON.stringify(links), made], "the API does not link");
  fs.renameSync(made, cache);
}

function putLauncher(launcher: string | Uint8Array): void {
  for (const name of ["ld", "ld.wield"]) put(path.join(dist, "driver", name), launcher, 0o777);
}

/** `portable`: with a launcher that other systems and processors run, too. */
async function warm(portable: boolean): Promise<void> {
  const flags = launcherFlags();
  putLauncher(shellLauncher(flags));
  const folder = fs.mkdtempSync(path.join(dist, "warm."));
  try {
    const links = warmLinks(folder, path.join(dist, "..", "build/demo"));
    if (!portable) putLauncher(nativeLauncher(flags, path.join(dist, "../build/launcher/launcher.o"), path.join(dist, "driver/ld"), folder));
    warmKernels(dist, flags, [__filename, "kernels", JSON.stringify(links)]);
    await warmApi(links, path.join(folder, "cache"));
    // Those are what dist/cli.cjs sets when it finds caches.
    if (launcherV8Flags(flags).join() !== LAUNCHER_V8_FLAGS.join()) return;
    for (const name of ["main", "quick"]) await warmProgram(name, flags, links, path.join(folder, "cache"));
  } finally {
    fs.rmSync(folder, { force: true, recursive: true });
  }
}

const [what, name, ...rest] = process.argv.slice(2);
if (what === "record") record(name!, JSON.parse(rest[0]!) as string[][], rest[1]!);
else if (what === "kernels") recordKernels(JSON.parse(name!) as string[][], rest[0]!);
else if (what === "try") {
  process.argv.splice(2, 2);
  loadBundle(name!).start();
} else {
  warm(what === "portable" || process.platform !== "linux" || process.arch !== "x64").catch((error: Error) => {
    // Where nobody may write, for example: not a reason to have no wield.
    if (process.env["npm_lifecycle_event"] === "postinstall") return;
    console.error(error.message);
    process.exitCode = 1;
  });
}
