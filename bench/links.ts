/**
 * Whole links by wield and by every rival that is installed, at one and at two threads, with the ratio to each rival.
 *
 * Each finds its own output of the round before, as a program is linked again and again while somebody works on it; with `fresh` it finds none.
 * An output counts when the program runs: a workload's verify.sh, or the program itself, is run once before anything is timed.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { compare, type Rival, type Row } from "./measure.ts";
import { type Linker, rivals, version, WIELD } from "./rivals.ts";
import { type Workload, workloads } from "./workloads.ts";

export interface LinkResult {
  workload: string;
  /** What each linker says of itself. */
  versions: Record<string, string>;
  rows: (Row & { linker: string; threads: number })[];
}

const THREADS = [1, 2];

interface Entry {
  linker: Linker;
  threads: number;
  rival: Rival;
  /** The output's folder; it is called prog. */
  folder: string;
}

function entries({ args }: Workload, scratch: string, fresh: boolean): Entry[] {
  return [WIELD, ...rivals()].flatMap((linker) =>
    (linker.threads === undefined ? [1] : THREADS).map((threads) => {
      const option = linker.threads?.(threads) ?? "";
      const name = linker.threads === undefined ? linker.name : `${linker.name}, ${threads} thread${threads > 1 ? "s" : ""}`;
      const folder = fs.mkdtempSync(path.join(scratch, "out-"));
      const out = path.join(folder, "prog");
      const prepare = (): void => (fresh ? fs.rmSync(out, { force: true }) : undefined);
      return { linker, threads, folder, rival: { name, command: `${linker.command} ${args} -o ${out} ${option}`, prepare } };
    }),
  );
}

/** Links once with each and runs the result; those that fail are said and left out. */
function runnable(workload: Workload, list: Entry[]): Entry[] {
  return list.filter(({ rival, folder }) => {
    const done = spawnSync("bash", ["-c", `${rival.command} && ${workload.verify(folder)}`], { cwd: workload.cwd, encoding: "latin1", maxBuffer: 1 << 28 });
    if (done.status !== 0) console.log(`  ${rival.name}: left out, the link fails or its program does: ${done.stderr.trim().split("\n").at(-1) ?? ""}`);
    return done.status === 0;
  });
}

const column = (text: string): string => text.padStart(9);

function print(workload: Workload, node: Row, rows: LinkResult["rows"]): void {
  console.log(`\n${workload.name}`);
  console.log(`${"".padEnd(22)}${["wall ms", "cpu ms", "over node", "peak MB"].map(column).join("")}   wield's wall and cpu beside it`);
  console.log(`${"empty node start".padEnd(22)}${column(node.wall.toFixed(1))}${column(node.cpu.toFixed(1))}${column("")}${column((node.peak / 1024).toFixed(0))}`);
  for (const row of rows) {
    const over = row.linker === "wield" ? (row.cpu - node.cpu).toFixed(1) : "";
    const own = rows.find(({ linker, threads }) => linker === "wield" && threads === row.threads);
    const ratio = row.linker === "wield" || own === undefined ? "" : `   ${(own.wall / row.wall).toFixed(2)} ${(own.cpu / row.cpu).toFixed(2)}`;
    console.log(`${row.name.padEnd(22)}${[row.wall.toFixed(1), row.cpu.toFixed(1), over, (row.peak / 1024).toFixed(0)].map(column).join("")}${ratio}`);
  }
}

export async function linkBench(names: string[], scratch: string, rounds: number, fresh: boolean): Promise<LinkResult[]> {
  return (await workloads(names, scratch)).map((workload) => {
    const folder = fs.mkdtempSync(path.join(scratch, "link-"));
    const list = runnable(workload, entries(workload, folder, fresh));
    const [node, ...timed] = compare([{ name: "empty node start", command: `${process.execPath} -e 0` }, ...list.map(({ rival }) => rival)], rounds, workload.cwd);
    const rows = timed.map((row, i) => ({ ...row, linker: list[i]!.linker.name, threads: list[i]!.threads }));
    print(workload, node!, rows);
    fs.rmSync(folder, { recursive: true });
    const versions = Object.fromEntries(list.map(({ linker }) => [linker.name, version(linker)]));
    return { workload: workload.name, versions, rows: [{ ...node!, linker: "node", threads: 1 }, ...rows] };
  });
}
