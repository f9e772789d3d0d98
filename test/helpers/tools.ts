/**
 * Finds and runs the programs that tests need: compilers, reference linkers, binutils; and keeps a temporary folder per test.
 *
 * Not about linking (see link.ts). The surprising choice: a test's commands are bash text run in its folder, because that is what a user
 * types and what a failure report can be pasted from.
 */

import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

export interface Result {
  status: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
  command: string;
}

/** The checkout: the nearest folder at or above the working directory whose package.json names wield. */
export function repoRoot(): string {
  for (let dir = process.cwd(); ; dir = path.dirname(dir)) {
    try {
      if (JSON.parse(fs.readFileSync(path.join(dir, "package.json"), "utf8")).name === "wield") return dir;
    } catch {
      // no package.json here
    }
    if (dir === path.dirname(dir)) throw new Error(`no wield checkout at or above ${process.cwd()}`);
  }
}

/** The full path of program `name`, "" when it is not on PATH. */
export function which(name: string): string {
  if (name.includes("/")) return executable(name) ? name : "";
  for (const dir of (process.env.PATH ?? "").split(":")) {
    const file = path.join(dir, name);
    if (dir !== "" && executable(file)) return file;
  }
  return "";
}

function executable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Tools that come under versioned names: the plain one, else the newest. */
const VERSIONED = ["clang", "clang++", "ld.lld", "llvm-ar", "llvm-readelf"];
const found = new Map<string, string>();

/** Like `which`, but `clang`, `clang++`, `ld.lld`… may be installed as `clang-19`; "" when missing. */
export function tool(name: string): string {
  let file = found.get(name);
  if (file === undefined) {
    file = which(name);
    for (let n = 24; file === "" && n >= 13 && VERSIONED.includes(name); n--) file = which(`${name}-${n}`);
    found.set(name, file);
  }
  return file;
}

export function run(command: string, args: string[], options: { cwd?: string; env?: Record<string, string>; input?: string | Uint8Array; timeout?: number } = {}): Result {
  const done = spawnSync(command, args, {
    cwd: options.cwd,
    // --threads=N is meant wherever a test says it.
    env: { ...process.env, LC_ALL: "C", WIELD_ALL_THREADS: "1", ...options.env } as NodeJS.ProcessEnv,
    input: options.input,
    timeout: options.timeout ?? 120_000,
    killSignal: "SIGKILL",
    maxBuffer: 256 << 20,
    encoding: "latin1",
  });
  if (done.error && done.status === null && done.signal === null) throw done.error;
  return { status: done.status, signal: done.signal, stdout: done.stdout, stderr: done.stderr, command: [command, ...args].join(" ") };
}

const folders: string[] = [];
process.on("exit", () => {
  if (!process.env.WIELD_TEST_KEEP) for (const dir of folders) fs.rmSync(dir, { recursive: true, force: true });
});

/** A fresh temporary folder, removed at exit (kept when WIELD_TEST_KEEP is set). */
export function temporaryFolder(name: string): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), `wield-${name.replace(/[^a-zA-Z0-9]+/g, "-").slice(0, 40)}-`));
  folders.push(dir);
  return dir;
}
