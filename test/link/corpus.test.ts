/**
 * Real programs: every workload of the folder WIELD_CORPUS is linked from its response file, verified by its own script, and linked again
 * with 1, 2, 3 and 8 threads, which must give the same bytes.
 *
 * The folder is not part of the checkout; without it these tests do not exist (the other tests of link/ build their own programs through
 * gcc, g++, clang, rustc and go). A workload holds `args` (a response file), perhaps `steps` ("ARGSFILE OUTPUT more…" a line, $OUT is the
 * output folder) and `verify.sh OUT`. WIELD_CORPUS_ONLY is a pattern of names. The surprising choice: outputs are checked with verifyElf as well.
 */

import * as fs from "node:fs";
import * as path from "node:path";
import { behaviour, linkerName, type Workspace } from "../helpers/link.ts";

const corpus = behaviour("corpus");
const folder = process.env.WIELD_CORPUS ?? "";
const only = new RegExp(process.env.WIELD_CORPUS_ONLY ?? "");

interface Step { args: string; output: string; more: string }

function stepsOf(dir: string): Step[] {
  const file = path.join(dir, "steps");
  const lines = fs.existsSync(file) ? fs.readFileSync(file, "utf8").split("\n") : ["args prog"];
  return lines.filter((line) => line.trim() !== "").map((line) => {
    const [args = "", output = "", ...more] = line.trim().split(/\s+/);
    return { args, output, more: more.join(" ") };
  });
}

/** Links all steps of a workload into folder `out`. */
function linkAll(w: Workspace, dir: string, steps: Step[], out: string, extra: string): void {
  for (const step of steps) {
    w.sh(`export OUT=$PWD/${out}; mkdir -p $OUT; cd ${dir}; $LD @${step.args} -o $OUT/${step.output} ${step.more} ${extra}`, 600_000);
  }
}

function check(w: Workspace, dir: string): void {
  const steps = stepsOf(dir);
  const one = linkerName === "bfd" ? "" : "--threads=1";
  linkAll(w, dir, steps, "out", one);
  for (const step of steps) if (fs.statSync(w.path(`out/${step.output}`)).size < 64 << 20) w.elf(`out/${step.output}`);
  w.sh(`bash ${dir}/verify.sh $PWD/out`, 600_000);
  if (linkerName === "bfd") return;
  for (const threads of [2, 3, 8]) {
    linkAll(w, dir, steps, "again", `--threads=${threads}`);
    // a later step reads an earlier step's output from $OUT, so the second folder is compared as a whole
    for (const step of steps) w.sh(`cmp out/${step.output} again/${step.output}`);
    fs.rmSync(w.path("again"), { recursive: true });
  }
  fs.rmSync(w.path("out"), { recursive: true });
}

if (folder === "") console.log("corpus: WIELD_CORPUS names no folder, so no workloads are linked");
else {
  for (const name of fs.readdirSync(folder).sort()) {
    const dir = path.resolve(folder, name);
    if (!only.test(name) || !fs.existsSync(path.join(dir, "verify.sh"))) continue;
    if (stepsOf(dir).some((step) => !fs.existsSync(path.join(dir, step.args)))) continue;
    corpus(name, (w) => check(w, dir));
  }
}

corpus.run();
