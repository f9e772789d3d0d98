/**
 * `npm run bench:compare REV [NAME…] [--rounds=N]`: links with this tree and with revision REV, interleaved, and says what
 * changed beyond noise.
 *
 * REV is checked out into a temporary worktree and built there with this tree's packages. A difference counts when the medians
 * are further apart than the two runs' spreads (median absolute deviations) together.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { compare, median, type Row } from "./measure.ts";
import { workloads } from "./workloads.ts";

const words = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const rounds = Number(process.argv.find((word) => word.startsWith("--rounds="))?.slice(9) ?? 11);
const [revision, ...names] = words;
if (revision === undefined) throw new Error("usage: npm run bench:compare REV [NAME…] [--rounds=N]");

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "wield-compare-"));
const old = path.join(scratch, "tree");

function spread(row: Row, key: "wall" | "cpu"): number {
  return median(row.samples.map((sample) => Math.abs(sample[key] - row[key])));
}

function verdict(before: Row, after: Row, key: "wall" | "cpu"): string {
  const noise = spread(before, key) + spread(after, key);
  const change = `${key} ${before[key].toFixed(1)} → ${after[key].toFixed(1)} ms (${(after[key] / before[key]).toFixed(2)})`;
  return Math.abs(after[key] - before[key]) <= noise ? `${change}, within noise` : `${change}, ${after[key] < before[key] ? "FASTER" : "SLOWER"}`;
}

try {
  const added = spawnSync("git", ["worktree", "add", "--detach", old, revision], { encoding: "utf8" });
  if (added.status !== 0) throw new Error(added.stderr.trim());
  fs.symlinkSync(path.resolve("node_modules"), path.join(old, "node_modules"));
  const built = spawnSync("npm", ["run", "--silent", "build"], { cwd: old, encoding: "utf8" });
  if (built.status !== 0) throw new Error(`${revision} does not build:\n${built.stderr.trim()}`);
  for (const workload of await workloads(names, scratch)) {
    const out = path.join(scratch, "out");
    const rivals = [path.join(old, "dist/driver/ld"), path.resolve("dist/driver/ld")].flatMap((linker) =>
      [1, 2].map((threads) => ({ name: String(threads), command: `${linker} ${workload.args} -o ${out} --threads=${threads}`, prepare: () => fs.rmSync(out, { force: true }) })),
    );
    const rows = compare(rivals, rounds, workload.cwd);
    for (const at of [0, 1]) {
      console.log(`${workload.name}, ${rows[at]!.name} thread${at > 0 ? "s" : ""}: ${verdict(rows[at]!, rows[at + 2]!, "cpu")}; ${verdict(rows[at]!, rows[at + 2]!, "wall")}`);
    }
  }
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  spawnSync("git", ["worktree", "remove", "--force", old], { stdio: "ignore" });
  fs.rmSync(scratch, { recursive: true, force: true });
}
