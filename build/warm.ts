/** The code caches in dist/: made from links like a compiler's, and tried. */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { BuildOptions } from "esbuild";
import { warmApi } from "./api.ts";
import { warmKernels } from "./kernel-cache.ts";
import { startScript } from "./program.ts";
import { warmLinks } from "./warm-links.ts";

/** Ends when the process has; throws what it said if it failed. */
function node(args: string[], failure: string): Promise<void> {
  return new Promise((done, failed) => {
    execFile(process.execPath, args, (error, stdout, stderr) => (error === null ? done() : failed(new Error(`${failure}:\n${stdout}${stderr}`))));
  });
}

/** The caches of both programs. Scripts lie in dist/ while they run, because bundles are loaded from beside them. */
async function warmProgram(dist: string, common: BuildOptions, flags: readonly string[], links: readonly string[][], made: string): Promise<void> {
  const [recorder, trier] = ["record", "try"].map((what) => path.join(dist, `${what}.${process.pid}.tmp.js`)) as [string, string];
  try {
    fs.writeFileSync(recorder, await startScript("build/record-program.ts", common, flags));
    fs.writeFileSync(trier, await startScript("build/try-program.ts", common, flags));
    for (const name of ["main", "quick"]) {
      const cache = path.join(dist, `${name}.cache`);
      fs.rmSync(cache, { force: true });
      await node([...flags, recorder, name, JSON.stringify(links), made], `${name}.js does not link`);
      fs.renameSync(made, cache);
      for (const link of links) await node([...flags, trier, name, ...link], `${name}.js does not link with its code cache`);
    }
  } finally {
    for (const file of [recorder, trier]) fs.rmSync(file, { force: true });
  }
}

/** Makes the caches of the kernels, of the API and of both programs; `flags`: the launcher's. */
export async function warm(dist: string, common: BuildOptions, flags: readonly string[]): Promise<void> {
  const folder = path.join(dist, "build", `warm.${process.pid}`);
  fs.mkdirSync(folder, { recursive: true });
  try {
    const links = warmLinks(folder);
    warmKernels(dist, flags);
    await warmApi(dist, common, links);
    await warmProgram(dist, common, flags, links, path.join(folder, "cache"));
  } finally {
    fs.rmSync(folder, { force: true, recursive: true });
  }
}
