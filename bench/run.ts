/**
 * `npm run bench [-- PART…] [NAME…] [--rounds=N] [--fresh] [--json=FILE] [--chart=FILE]`: the parts links, phases, kernels and scale, all
 * of them unless some are named; NAME…: workloads of the folder WIELD_CORPUS, and "debug", which is compiled when it is named first
 * (minutes, kept in WIELD_BENCH_CACHE or node_modules/.cache). The parts relink and rival run when they are named: the second
 * installs a package and takes minutes. --fresh: links find no old output.
 *
 * Not a test: nothing here fails on a slow machine. Every time is a median of interleaved rounds, and everything printed is
 * also written as JSON, to dist/bench.json. The surprising choice: outputs go to /dev/shm where there is one, so that disks do
 * not take part.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { chart } from "./chart.ts";
import { kernelBench } from "./kernels.ts";
import { linkBench } from "./links.ts";
import { phaseBench } from "./phases.ts";
import { parallelCores } from "./measure.ts";
import { relinkBench } from "./relink.ts";
import { rivalBench } from "./rival.ts";
import { scaleBench } from "./scale.ts";

const USUAL = ["links", "phases", "kernels", "scale"];
const PARTS = [...USUAL, "relink", "rival"];

const flags = process.argv.slice(2).filter((word) => word.startsWith("--"));
const words = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const unknown = flags.filter((given) => !/^--((rounds|json|chart)=|fresh$)/.test(given));
if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(" ")}; there are --rounds=N, --fresh, --json=FILE and --chart=FILE`);
const flag = (name: string): string | undefined => flags.find((given) => given.startsWith(`--${name}=`))?.slice(name.length + 3);
const named = PARTS.filter((part) => words.includes(part));
const names = words.filter((word) => !PARTS.includes(word));
const parts = named.length > 0 ? named : names.length > 0 ? ["links"] : USUAL;
const rounds = Math.max(1, Number(flag("rounds") ?? 7));

function revision(): string {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], { encoding: "utf8" }).trim();
  } catch {
    return "";
  }
}

const scratch = fs.mkdtempSync(path.join(fs.existsSync("/dev/shm") ? "/dev/shm" : os.tmpdir(), "wield-bench-"));
try {
  const cores = parallelCores();
  console.log(`${os.cpus()[0]?.model ?? ""}, ${os.cpus().length} processors; two spinning processes get ${cores.toFixed(2)} of them; Node ${process.version}`);
  const record = {
    date: new Date().toISOString(), revision: revision(), node: process.version, cpu: os.cpus()[0]?.model ?? "", cpus: os.cpus().length, cores, rounds,
    links: parts.includes("links") ? await linkBench(names, scratch, rounds, flags.includes("--fresh")) : [],
    phases: parts.includes("phases") ? await phaseBench(names, scratch, rounds) : [],
    kernels: parts.includes("kernels") ? await kernelBench(rounds) : [],
    scale: parts.includes("scale") ? scaleBench(scratch, rounds) : [],
    relink: parts.includes("relink") ? await relinkBench(names, scratch, rounds) : undefined,
    rival: parts.includes("rival") ? await rivalBench(scratch, Number(flag("rounds") ?? 9)) : undefined,
  };
  const file = flag("json") ?? path.resolve("dist", "bench.json");
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, JSON.stringify(record, null, 1) + "\n");
  // The rival's part says how many there are of it.
  console.log(`\n${parts.some((part) => part !== "rival") ? `medians of ${rounds} interleaved rounds; ` : ""}every sample is in ${file}`);
  const picture = flag("chart");
  if (picture !== undefined) fs.writeFileSync(picture, chart(record));
} finally {
  fs.rmSync(scratch, { recursive: true, force: true });
}
