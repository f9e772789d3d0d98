/**
 * The linkers that wield is measured beside: those that are installed, told to use N threads and not to fork.
 *
 * A program that forks would hide its time from us: the parent leaves as soon as the output is there.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

export interface Linker {
  name: string;
  /** Bash words before the link's arguments. */
  command: string;
  /** Bash words that ask for `threads` threads; undefined: it has one, always. */
  threads?: (threads: number) => string;
}

interface Candidate {
  files: string[];
  threads?: (threads: number) => string;
  always?: string;
}

const CANDIDATES: Candidate[] = [
  { files: ["ld.bfd"] },
  { files: ["ld.gold"], threads: (n) => (n === 1 ? "--no-threads" : `--threads --thread-count=${n}`) },
  { files: ["ld.lld-22", "ld.lld", "ld.lld-19"], threads: (n) => `--threads=${n}` },
  { files: ["mold"], threads: (n) => `--thread-count=${n}`, always: "--no-fork" },
  { files: ["wild"], threads: (n) => `--threads=${n}`, always: "--no-fork" },
];

export const WIELD: Linker = { name: "wield", command: path.resolve("dist/driver/ld"), threads: (n) => `--threads=${n}` };

function installed(names: string[]): string | undefined {
  const dirs = (process.env["PATH"] ?? "").split(":");
  return names.flatMap((name) => dirs.map((dir) => path.join(dir, name))).find((file) => fs.existsSync(file));
}

export function rivals(): Linker[] {
  return CANDIDATES.flatMap(({ files, threads, always }) => {
    const file = installed(files);
    if (file === undefined) return [];
    const command = always === undefined ? file : `${file} ${always}`;
    return [threads === undefined ? { name: path.basename(file), command } : { name: path.basename(file), command, threads }];
  });
}

/** `LLD 22.1.3`, for the record. */
export function version({ command }: Linker): string {
  return spawnSync(command.split(" ")[0]!, ["--version"], { encoding: "latin1" }).stdout?.split("\n")[0] ?? "";
}
