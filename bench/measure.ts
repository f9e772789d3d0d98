/**
 * Measures commands: wall time, processor time of the process and its children, and peak memory where time(1) is installed.
 *
 * Not a statistics package. The surprising choice: bash's `time` does the measuring, because Node reports resource usage of itself only, and rounds
 * are interleaved (A B C A B C …), so that a noisy minute hits every rival alike.
 */

import { spawnSync } from "node:child_process";
import * as fs from "node:fs";

export interface Sample {
  /** Milliseconds. */
  wall: number;
  /** User and system time in milliseconds. */
  cpu: number;
  /** Kilobytes, of one more run; 0 = not known. */
  peak: number;
}

export interface Rival {
  name: string;
  /** Bash text. */
  command: string;
  /** Runs before each sample, not measured. */
  prepare?: () => void;
}

export interface Row extends Sample {
  name: string;
  /** All wall and cpu samples, in milliseconds. */
  samples: Omit<Sample, "peak">[];
}

function bash(script: string, command: string, cwd: string): string {
  const done = spawnSync("bash", ["-c", script], { cwd, env: { ...process.env, COMMAND: command, NODE_OPTIONS: "" }, encoding: "latin1", maxBuffer: 64 << 20 });
  if (done.status !== 0) throw new Error(`status ${done.status ?? done.signal} from: ${command}\n${done.stderr.slice(0, 2000)}`);
  return done.stderr;
}

/** Runs `command` once. Throws when it fails. */
export function sample(command: string, cwd: string): Omit<Sample, "peak"> {
  const text = bash(`TIMEFORMAT='@%3R %3U %3S'; time eval "$COMMAND"`, command, cwd);
  const [wall, user, system] = /@([\d.]+) ([\d.]+) ([\d.]+)\s*$/.exec(text)!.slice(1).map(Number);
  return { wall: wall! * 1000, cpu: (user! + system!) * 1000 };
}

/** Peak memory of `command` in kilobytes, 0 when time(1) is not installed. */
export function peakMemory(command: string, cwd: string): number {
  if (!fs.existsSync("/usr/bin/time")) return 0;
  return Number(/@(\d+)\s*$/.exec(bash(`/usr/bin/time -f @%M bash -c "exec $COMMAND"`, command, cwd))?.[1] ?? 0);
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** How many processors two spinning processes get between them: 2 where two are really there. */
export function parallelCores(): number {
  const spin = `${process.execPath} -e 'for (const end = Date.now() + 1000; Date.now() < end; );'`;
  const { cpu, wall } = sample(`${spin} & ${spin} & wait`, ".");
  return cpu / wall;
}

/** `rounds` interleaved rounds after one unmeasured round. */
export function compare(rivals: Rival[], rounds: number, cwd: string): Row[] {
  const samples = rivals.map(() => [] as Omit<Sample, "peak">[]);
  for (let round = -1; round < rounds; round++) {
    rivals.forEach((rival, i) => {
      rival.prepare?.();
      const taken = sample(rival.command, cwd);
      if (round >= 0) samples[i]!.push(taken);
    });
  }
  return rivals.map((rival, i) => ({
    name: rival.name,
    wall: median(samples[i]!.map((s) => s.wall)),
    cpu: median(samples[i]!.map((s) => s.cpu)),
    peak: peakMemory(rival.command, cwd),
    samples: samples[i]!,
  }));
}
