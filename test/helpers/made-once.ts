/**
 * Things that several test files need and that take long to make: the first process makes them, the others wait for it.
 *
 * Kept in dist/test, which a run of all tests empties, under a digest of what they are made from.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { repoRoot } from "./tools.ts";

const POLL_MS = 100;

export function digestOf(files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of files) hash.update(`${path.basename(file)}\0`).update(fs.readFileSync(file));
  return hash.digest("hex").slice(0, 16);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Takes the lock, or waits a little; a lock whose process has died is nobody's. */
function lock(file: string): boolean {
  try {
    fs.writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_MS);
  try {
    const holder = Number(fs.readFileSync(file, "utf8"));
    if (holder > 0 && !isRunning(holder)) fs.rmSync(file, { force: true });
  } catch {
    // It has been given back.
  }
  return false;
}

/** A folder that `make` fills; `digest`: of everything it depends on. */
export function madeOnce(name: string, digest: string, make: (folder: string) => void): string {
  const all = path.join(repoRoot(), "dist/test/made");
  const folder = path.join(all, `${name}-${digest}`);
  fs.mkdirSync(all, { recursive: true });
  while (!fs.existsSync(folder)) {
    if (!lock(`${folder}.lock`)) continue;
    try {
      if (fs.existsSync(folder)) break;
      const making = `${folder}.${process.pid}`;
      fs.mkdirSync(making);
      make(making);
      fs.renameSync(making, folder);
    } finally {
      fs.rmSync(`${folder}.lock`, { force: true });
    }
  }
  return folder;
}
