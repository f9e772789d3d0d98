/**
 * Links many damaged inputs in one process; a child of test/link/malformed. Prints one line per case when something is wrong, and a heartbeat.
 *
 * Not a test file itself. Reads a job (JSON file named by argv[2]); the surprising choice: it calls what the program calls, in one process, so that
 * thousands of links cost no process start, and its parent kills it when the heartbeat stops, which is how a hang is found.
 */

import * as fs from "node:fs";
import * as path from "node:path";
import { createNodeHost } from "../../ts/host/node.ts";
import { run } from "../../ts/run.ts";
import { byteValues, mutate, mutateText } from "./mutate.ts";
import { prng } from "./prng.ts";

export interface Job {
  dir: string;
  /** The intact file. */
  file: string;
  kind: "bytes" | "mutate" | "text" | "intact";
  /** `bytes`: [from, to) offsets. `mutate`, `text`: seeds. `intact`: the file as it is, which must link. */
  from: number;
  to: number;
  /** Argument lists to take in turn; MUTANT stands for the damaged file, OUT for the output. */
  lines: string[][];
}

/** What the last link printed. */
let said = "";

async function main(): Promise<void> {
  const job = JSON.parse(fs.readFileSync(process.argv[2]!, "utf8")) as Job;
  process.chdir(job.dir);
  const original = new Uint8Array(fs.readFileSync(job.file));
  const mutant = path.resolve("mutant" + path.extname(job.file));
  const out = path.resolve("mutant.out");
  const counts = { cases: 0, linked: 0, refused: 0 };
  for (let i = job.from; i < job.to; i++) {
    const variants = job.kind === "bytes" ? byteValues(original, i) : [variant(job, original, i)];
    for (const [v, bytes] of variants.entries()) {
      const name = `${job.kind} ${path.basename(job.file)} ${i}.${v}`;
      fs.writeSync(1, `@${name}\n`);
      fs.writeFileSync(mutant, bytes);
      const line = job.lines[(i + v) % job.lines.length]!.map((a) => (a === "MUTANT" ? mutant : a === "OUT" ? out : a.replace(/^(@|.*=)MUTANT$/, (_, before: string) => before + mutant)));
      const failure = await once(line, out, counts);
      if (job.kind === "intact" && counts.refused > 0) throw new Error(`the intact file does not link: ${line.join(" ")}\n${said}`);
      if (failure !== "") fs.writeSync(1, `!${name}: ${failure.slice(0, 1500).replaceAll("\n", "\n  ")}\n   args: ${line.join(" ")}\n`);
    }
  }
  fs.writeSync(1, `=${JSON.stringify(counts)}\n`);
}

function variant(job: Job, original: Uint8Array, seed: number): Uint8Array {
  if (job.kind === "intact") return original;
  if (job.kind === "mutate") return mutate(original, prng(seed));
  return Buffer.from(mutateText(Buffer.from(original).toString("latin1"), prng(seed)), "latin1");
}

/** "" when the link behaved: succeeded with an output, or failed with a message and without one. */
async function once(args: string[], out: string, counts: Record<string, number>): Promise<string> {
  let text = "";
  said = "";
  const host = Object.assign(createNodeHost(), { print: (_stream: string, part: string) => { text += part; said += part; } });
  fs.rmSync(out, { force: true });
  counts.cases = counts.cases! + 1;
  const start = Date.now();
  let status: number;
  try {
    status = await run(args.map((arg) => Buffer.from(arg).toString("latin1")), host);
  } catch (error) {
    return `thrown: ${(error as Error).stack ?? error}`;
  }
  const left = fs.readdirSync(".").filter((n) => /\.tmp/.test(n));
  if (left.length > 0) return `left behind: ${left}`;
  if (Date.now() - start > 15_000) return `took ${Date.now() - start} ms`;
  if (/internal error|RuntimeError|out of bounds memory|unreachable/.test(text)) return text;
  counts[status === 0 ? "linked" : "refused"] = counts[status === 0 ? "linked" : "refused"]! + 1;
  if (status === 0) return fs.existsSync(out) ? "" : "status 0 without an output";
  if (status !== 1) return `status ${status}`;
  if (fs.existsSync(out)) return `status 1, but there is an output: ${text}`;
  return /error/.test(text) ? "" : `status 1 without an error: ${text}`;
}

await main();
