/**
 * How cost grows: a generated link 1, 2, 4 and 8 times as large, time per symbol and per relocation; and one link whose inputs
 * and output pass 4 GiB together.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { generate, generateHuge } from "./generate.ts";
import { compare, peakMemory, sample } from "./measure.ts";
import { rivals, WIELD } from "./rivals.ts";

export interface ScaleResult {
  factor: number;
  symbols: number;
  relocations: number;
  /** Milliseconds over an empty link (factor 0), by linker. */
  cpu: Record<string, number>;
  wall: Record<string, number>;
  /** Nanoseconds of wield's processor time for each. */
  perSymbol: number;
  perRelocation: number;
}

const FACTORS = [0, 1, 2, 4, 8];
const SHOWN = /^(wield|ld\.lld|mold)/;
const HUGE_SECTIONS = 2;
const HUGE_BYTES = Math.floor(1.1 * 2 ** 27) * 8;

function stats(command: string): (name: string) => number {
  const done = spawnSync("bash", ["-c", `${command} --stats`], { encoding: "latin1" });
  if (done.status !== 0) throw new Error(done.stderr.slice(0, 500));
  return (name) => Number(new RegExp(`(\\d+)  ${name}\\n`).exec(done.stdout + done.stderr)?.[1] ?? 0);
}

export function scaleBench(scratch: string, rounds: number): ScaleResult[] {
  const linkers = [WIELD, ...rivals()].filter(({ name }) => SHOWN.test(name));
  const results: ScaleResult[] = [];
  console.log("\ngenerated links, one thread, CPU milliseconds over the smallest");
  const base: Record<string, { cpu: number; wall: number }> = {};
  for (const factor of FACTORS) {
    const folder = fs.mkdtempSync(path.join(scratch, "scale-"));
    const out = path.join(folder, "out");
    const args = factor === 0 ? generateHuge(folder, 1, 64) : generate(folder, factor);
    const command = (linker: (typeof linkers)[number]): string => `${linker.command} ${args.join(" ")} -o ${out} ${linker.threads?.(1) ?? ""}`;
    const rows = compare(linkers.map((linker) => ({ name: linker.name, command: command(linker) })), rounds, folder);
    const count = stats(command(WIELD));
    const status = spawnSync(out).status;
    if (status !== (factor === 0 ? 40 : 0)) throw new Error(`the generated program ends with ${status}`);
    fs.rmSync(folder, { recursive: true });
    if (factor === 0) {
      for (const { name, cpu, wall } of rows) base[name] = { cpu, wall };
      continue;
    }
    const over = (key: "cpu" | "wall") => Object.fromEntries(rows.map((row) => [row.name, row[key] - base[row.name]![key]]));
    const symbols = count("global symbols") + count("local symbols");
    const relocations = count("relocations");
    const own = over("cpu")["wield"]! * 1e6;
    const result = { factor, symbols, relocations, cpu: over("cpu"), wall: over("wall"), perSymbol: own / symbols, perRelocation: own / relocations };
    const times = Object.entries(result.cpu).map(([name, ms]) => `${name} ${ms.toFixed(0)}`).join(", ");
    console.log(`  ${factor}x: ${symbols} symbols, ${relocations} relocations: ${times}; wield ${result.perSymbol.toFixed(0)} ns a symbol, ${result.perRelocation.toFixed(0)} ns a relocation`);
    results.push(result);
  }
  beyond4GiB();
  return results;
}

/** Holes in the inputs, real bytes in the output, on disk. */
function beyond4GiB(): void {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wield-huge-"));
  try {
    const { bavail, bsize } = fs.statfsSync(folder);
    if (bavail * bsize < 3 * HUGE_SECTIONS * HUGE_BYTES) return console.log("  inputs and output beyond 4 GiB: not enough disk here");
    const out = path.join(folder, "out");
    const args = generateHuge(folder, HUGE_SECTIONS, HUGE_BYTES);
    const command = `${WIELD.command} ${args.join(" ")} -o ${out}`;
    const { wall, cpu } = sample(command, folder);
    const bytes = args.reduce((sum, file) => sum + fs.statSync(file).size, fs.statSync(out).size);
    const status = spawnSync(out).status;
    if (status !== 40 + HUGE_SECTIONS - 1) throw new Error(`the huge program ends with ${status}`);
    const peak = peakMemory(command, folder) / 1024;
    console.log(`  inputs and output of ${(bytes / 2 ** 30).toFixed(1)} GiB: runs; wall ${(wall / 1000).toFixed(1)} s, CPU ${(cpu / 1000).toFixed(1)} s, peak ${peak.toFixed(0)} MB`);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
