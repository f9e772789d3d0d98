/**
 * What `npm run bench` links: workloads of the folder WIELD_CORPUS, or programs compiled here when there is none; and "debug", which is
 * compiled here always (debug-program.ts).
 *
 * Not the tests' corpus (test/link/corpus.test.ts verifies what it links). The surprising choice: only workloads of a single link are
 * taken, since a time for several steps says nothing.
 */

import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { debugProgram, driverArguments, hasDebugProgram } from "./debug-program.ts";

export interface Workload {
  name: string;
  /** Folder to link in. */
  cwd: string;
  /** Arguments without -o, as bash text. */
  args: string;
  /** Bash text that succeeds when the program `prog` in `folder` does its work. */
  verify: (folder: string) => string;
}

/** Those of them that are there; others are named on the command line. */
const DEFAULT = ["hello-c", "hello-c-static", "sqlite3", "git", "clang-release", "python-g"];

/** Half a gigabyte of objects with debug information: minutes to make, so only when it is named or has been made before. */
const DEBUG = "debug";

export async function workloads(names: string[], scratch: string): Promise<Workload[]> {
  const folder = process.env.WIELD_CORPUS ?? "";
  const wanted = names.length > 0 ? names.filter((name) => name !== DEBUG) : DEFAULT;
  const debug = names.includes(DEBUG) || (names.length === 0 && hasDebugProgram()) ? await debugWorkload() : [];
  if (folder === "") return names.length > 0 && wanted.length === 0 ? debug : [compiled(scratch), ...debug];
  const found = wanted.flatMap((name): Workload[] => {
    const cwd = path.resolve(folder, name);
    if (fs.existsSync(path.join(cwd, "args")) && !fs.existsSync(path.join(cwd, "steps"))) return [{ name, cwd, args: "@args", verify: (folder) => `./verify.sh ${folder}` }];
    if (names.length > 0) console.error(`no workload ${name} in ${folder}`);
    return [];
  });
  return [...found, ...debug];
}

async function debugWorkload(): Promise<Workload[]> {
  const cwd = await debugProgram();
  if (cwd === undefined) console.error("no workload debug: it needs g++ and clang++");
  return cwd === undefined ? [] : [{ name: DEBUG, cwd, args: "@args", verify: (out) => `${out}/prog` }];
}

/** hello in C: compiled with gcc, its link line taken from the driver. */
function compiled(scratch: string): Workload {
  fs.writeFileSync(path.join(scratch, "hello.c"), '#include <stdio.h>\nint main(void) { puts("hello"); }\n');
  const done = spawnSync("gcc", ["-O1", "-c", "hello.c"], { cwd: scratch, encoding: "latin1" });
  if (done.status !== 0) throw new Error(`gcc cannot compile hello.c: ${done.stderr}`);
  return { name: "hello-c (compiled here)", cwd: scratch, args: driverArguments("gcc", "hello.o", scratch).map((word) => `'${word}'`).join(" "), verify: (folder) => `${folder}/prog` };
}
