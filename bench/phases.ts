/**
 * Where a link's time goes: wield's passes with nanoseconds per item, beside what lld's --time-trace and mold's --perf say.
 *
 * One thread, medians over rounds. The items are what the pass goes through (input sections, symbols, relocations, bytes of
 * the output); the counts are those of --stats.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { median } from "./measure.ts";
import { rivals, WIELD } from "./rivals.ts";
import { type Workload, workloads } from "./workloads.ts";

type Item = "input sections" | "symbols" | "relocations" | "output bytes";

/** What each pass goes through. */
const ITEMS: Record<string, Item> = {
  "parse-object": "symbols", "intern-names": "symbols", "resolve-symbols": "symbols", "load-sections": "input sections", "set-visibility": "symbols",
  "split-pieces": "input sections", "mark-live": "relocations", "bind-sections": "input sections", "merge-pieces": "input sections", "scan-relocs": "relocations",
  "assign-addresses": "input sections", "resolve-addresses": "symbols", relocate: "relocations", "write-synthetic": "symbols", "finish-output": "output bytes",
};

export interface PhaseResult {
  workload: string;
  passes: { name: string; milliseconds: number; item: string; count: number; nanoseconds: number }[];
  /** Share of the wall time after start-up that the passes account for. */
  covered: number;
  /** Longest phases of the rivals, milliseconds. */
  rivals: Record<string, { name: string; milliseconds: number }[]>;
}

function run(command: string, cwd: string): { stdout: string; stderr: string } {
  const done = spawnSync("bash", ["-c", command], { cwd, encoding: "latin1", maxBuffer: 1 << 28 });
  if (done.status !== 0) throw new Error(`status ${done.status ?? done.signal} from: ${command}\n${done.stderr.slice(0, 500)}`);
  return done;
}

/** Complete events of a Chrome trace: milliseconds by name. */
function traced(file: string, total: RegExp): Map<string, number> {
  const { traceEvents } = JSON.parse(fs.readFileSync(file, "latin1")) as { traceEvents: { ph: string; name: string; dur?: number }[] };
  const sums = new Map<string, number>();
  for (const { ph, name, dur } of traceEvents) if (ph === "X" && total.test(name)) sums.set(name, (sums.get(name) ?? 0) + (dur ?? 0) / 1000);
  return sums;
}

function medians(samples: Map<string, number>[]): Map<string, number> {
  return new Map([...samples[0]!.keys()].map((name) => [name, median(samples.map((sample) => sample.get(name) ?? 0))]));
}

function counts(workload: Workload, out: string): Record<Item, number> {
  const { stdout, stderr } = run(`${WIELD.command} ${workload.args} -o ${out} --threads=1 --stats`, workload.cwd);
  const of = (name: string): number => Number(new RegExp(`(\\d+)  ${name}\\n`).exec(stdout + stderr)?.[1] ?? 0);
  return {
    "input sections": of("input sections"), symbols: of("global symbols") + of("local symbols"), relocations: of("relocations"),
    "output bytes": fs.statSync(out).size,
  };
}

const ROUNDS_OF_RIVALS = 3;
const LONGEST = 8;

function rivalPhases(workload: Workload, out: string): PhaseResult["rivals"] {
  const found: PhaseResult["rivals"] = {};
  const longest = (sums: Map<string, number>) =>
    [...sums].sort((a, b) => b[1] - a[1]).slice(0, LONGEST).map(([name, milliseconds]) => ({ name, milliseconds }));
  for (const { name, command, threads } of rivals()) {
    if (name.startsWith("ld.lld")) {
      const trace = `${out}.trace`;
      const sample = (): Map<string, number> => {
        run(`${command} ${workload.args} -o ${out} ${threads!(1)} --time-trace=${trace} --time-trace-granularity=0`, workload.cwd);
        return traced(trace, /^Total (?!ExecuteLinker|Link$)/);
      };
      found[name] = longest(medians(Array.from({ length: ROUNDS_OF_RIVALS }, sample)));
    } else if (name === "mold") {
      const { stdout, stderr } = run(`${command} ${workload.args} -o ${out} ${threads!(1)} --perf`, workload.cwd);
      const lines = [...(stdout + stderr).matchAll(/^ +[\d.]+ +[\d.]+ +([\d.]+) {4,6}(\S.*)$/gm)];
      found[name] = longest(new Map(lines.map(([, seconds, phase]) => [phase!, Number(seconds) * 1000])));
    }
  }
  return found;
}

function print({ workload, passes, covered, rivals: others }: PhaseResult): void {
  console.log(`\n${workload}: passes at one thread; they account for ${(100 * covered).toFixed(1)} % of the time after start-up`);
  for (const { name, milliseconds, item, count, nanoseconds } of passes) {
    const each = count === 0 ? "" : `${nanoseconds.toFixed(nanoseconds < 10 ? 2 : 0).padStart(9)} ns for each of ${count} ${item}`;
    console.log(`  ${name.padEnd(20)}${milliseconds.toFixed(2).padStart(9)} ms${each}`);
  }
  for (const [name, phases] of Object.entries(others)) {
    console.log(`  ${name}: ${phases.map((phase) => `${phase.name} ${phase.milliseconds.toFixed(1)}`).join(", ")} ms`);
  }
}

export async function phaseBench(names: string[], scratch: string, rounds: number): Promise<PhaseResult[]> {
  return (await workloads(names, scratch)).map((workload) => {
    const out = path.join(scratch, "phases");
    const trace = path.join(scratch, "phases.json");
    const samples = Array.from({ length: rounds }, () => {
      run(`${WIELD.command} ${workload.args} -o ${out} --threads=1 --time-trace=${trace} --time-trace-granularity=0`, workload.cwd);
      return traced(trace, /./);
    });
    const times = medians(samples);
    const total = times.get("ExecuteLinker")!;
    times.delete("ExecuteLinker");
    const rows = counts(workload, out);
    const result: PhaseResult = {
      workload: workload.name,
      passes: [...times].map(([name, milliseconds]) => {
        const item = ITEMS[name];
        const count = item === undefined ? 0 : rows[item];
        return { name, milliseconds, item: item ?? "", count, nanoseconds: count === 0 ? 0 : (milliseconds * 1e6) / count };
      }),
      covered: [...times.values()].reduce((sum, value) => sum + value, 0) / total,
      rivals: rivalPhases(workload, out),
    };
    print(result);
    return result;
  });
}
