/**
 * What `npm run bench` links: workloads of the folder WIELD_CORPUS, or programs compiled here when there is none.
 *
 * Not the tests' corpus (test/link/corpus.test.ts verifies what it links). The surprising choice: only workloads of a single link are
 * taken, since a time for several steps says nothing.
 */

import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

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

export function workloads(names: string[], scratch: string): Workload[] {
  const folder = process.env.WIELD_CORPUS ?? "";
  const wanted = names.length > 0 ? names : DEFAULT;
  if (folder === "") return [compiled(scratch)];
  return wanted.flatMap((name) => {
    const cwd = path.resolve(folder, name);
    if (fs.existsSync(path.join(cwd, "args")) && !fs.existsSync(path.join(cwd, "steps"))) return [{ name, cwd, args: "@args", verify: (folder) => `./verify.sh ${folder}` }];
    if (names.length > 0) console.error(`no workload ${name} in ${folder}`);
    return [];
  });
}

/** hello in C: compiled with gcc, its link line taken from the driver. */
function compiled(scratch: string): Workload {
  fs.writeFileSync(path.join(scratch, "hello.c"), '#include <stdio.h>\nint main(void) { puts("hello"); }\n');
  const done = spawnSync("bash", ["-c", "gcc -O1 -c hello.c && gcc '-###' hello.o 2>&1 | grep /collect2"], { cwd: scratch, encoding: "latin1" });
  if (done.status !== 0) throw new Error(`gcc cannot compile hello.c: ${done.stderr}`);
  const words = done.stdout.trim().split(/\s+/).slice(1).map((word) => word.replace(/^"|"$/g, ""));
  for (let at = words.indexOf("-plugin"); at >= 0; at = words.indexOf("-plugin")) words.splice(at, 2);
  const output = words.indexOf("-o");
  if (output >= 0) words.splice(output, 2);
  return { name: "hello-c (compiled here)", cwd: scratch, args: words.filter((word) => !word.startsWith("-plugin-opt")).map((word) => `'${word}'`).join(" "), verify: (folder) => `${folder}/prog` };
}
