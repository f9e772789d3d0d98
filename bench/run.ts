/**
 * `npm run bench [-- NAME…] [--rounds=N] [--json=FILE]`: links workloads with wield and with the other linkers that are installed.
 *
 * Not a test: nothing here fails on a slow machine. Prints medians of interleaved rounds, the time over an empty `node` start, and ratios to
 * ld.lld. The surprising choice: outputs go to /dev/shm where there is one, so that disks do not take part.
 */

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { compare, type Rival, type Row } from "./measure.ts";
import { type Workload, workloads } from "./workloads.ts";

const LINKERS = [["ld.bfd"], ["ld.lld", "ld.lld-22", "ld.lld-19"], ["mold"]];

function installed(names: string[]): string | undefined {
  const dirs = (process.env.PATH ?? "").split(":");
  return names.flatMap((name) => dirs.map((dir) => path.join(dir, name))).find((file) => fs.existsSync(file));
}

function rivals(workload: Workload, out: string): Rival[] {
  const wield = path.resolve("dist/driver/ld");
  const prepare = (): void => fs.rmSync(out, { force: true });
  const line = (linker: string): string => `${linker} ${workload.args} -o ${out}`;
  const list: Rival[] = [
    { name: "empty node start", command: `${process.execPath} -e 0` },
    { name: "wield, 1 thread", command: `${line(wield)} --threads=1`, prepare },
    { name: "wield, 2 threads", command: `${line(wield)} --threads=2`, prepare },
    { name: "wield, default", command: line(wield), prepare },
  ];
  for (const names of LINKERS) {
    const found = installed(names);
    // mold forks, and its parent's times would not count the child's
    if (found) list.push({ name: path.basename(found), command: line(found) + (found.endsWith("mold") ? " --no-fork" : ""), prepare });
  }
  return list;
}

const ms = (value: number): string => value.toFixed(1).padStart(9);

function print(workload: Workload, rows: Row[]): void {
  const node = rows[0]!;
  const lld = rows.find((row) => row.name.startsWith("ld.lld"));
  console.log(`\n${workload.name}`);
  console.log(`${"".padEnd(18)}  wall ms   cpu ms  cpu over node  wall/lld  cpu/lld  peak MB`);
  for (const row of rows) {
    const over = row.name.startsWith("wield") ? ms(row.cpu - node.cpu) : "".padStart(9);
    const ratio = (key: "wall" | "cpu"): string => (lld && row !== node ? (row[key] / lld[key]).toFixed(2) : "").padStart(8);
    console.log(`${row.name.padEnd(18)}${ms(row.wall)}${ms(row.cpu)}      ${over} ${ratio("wall")} ${ratio("cpu")} ${(row.peak / 1024).toFixed(0).padStart(8)}`);
  }
}

function main(): void {
  const flags = process.argv.slice(2).filter((a) => a.startsWith("--"));
  const names = process.argv.slice(2).filter((a) => !a.startsWith("--"));
  const flag = (name: string): string | undefined => flags.find((f) => f.startsWith(`--${name}=`))?.slice(name.length + 3);
  const rounds = Math.max(1, Number(flag("rounds") ?? 7));
  const scratch = fs.mkdtempSync(path.join(fs.existsSync("/dev/shm") ? "/dev/shm" : os.tmpdir(), "wield-bench-"));
  try {
    const results = workloads(names, scratch).map((workload) => {
      const rows = compare(rivals(workload, path.join(scratch, "out")), rounds, workload.cwd);
      print(workload, rows);
      return { workload: workload.name, rounds, rows };
    });
    const cpus = os.cpus();
    const record = { date: new Date().toISOString(), node: process.version, cpu: cpus[0]?.model ?? "", cpus: cpus.length, results };
    const file = flag("json") ?? path.resolve("dist", "bench.json");
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, JSON.stringify(record, null, 1) + "\n");
    console.log(`\nmedians of ${rounds} interleaved rounds; every sample is in ${file}`);
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

main();
