/**
 * The workload "debug": 500 MB of objects with debug information, compiled here from seeded sources (debug-sources.ts) and kept for the next run.
 *
 * Not in the repository and not fetched. The surprising choice: both compilers take part, mostly without optimisation, because their
 * debug information asks different things of a linker: gcc refers to every string by a relocation in .debug_info, clang through
 * .debug_str_offsets and .debug_addr.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { debugSources } from "./debug-sources.ts";

const SEED = 7;
const HEADERS = 40;
const UNITS = 140;
const FUNCTIONS = 2;
const FLAGS = "-g -std=c++17 -ffunction-sections -fdata-sections -fPIE";
/** How units are compiled, in turn. */
const TURNS = ["g++ -O0", "clang++ -O0", "g++ -O0", "clang++ -O1", "clang++ -O0", "g++ -O0", "clang++ -O0", "g++ -O1"];

function installed(names: string[]): string | undefined {
  return names.find((name) => spawnSync(name, ["--version"]).status === 0);
}

/** The compilers' programs; undefined: one of them is missing. */
function compilers(): Record<string, string> | undefined {
  const [gcc, clang] = [installed(["g++"]), installed(["clang++-22", "clang++", "clang++-19"])];
  return gcc === undefined || clang === undefined ? undefined : { "g++": gcc, "clang++": clang };
}

/** Where programs of this kind are kept: WIELD_BENCH_CACHE, or the folder that tools keep theirs in. */
function cacheFolder(): string {
  return path.resolve(process.env.WIELD_BENCH_CACHE ?? "node_modules/.cache/wield-bench");
}

/** Runs the commands, as many at a time as there are processors. */
async function runAll(commands: string[], cwd: string, said: (done: number) => void): Promise<void> {
  let [next, done] = [0, 0];
  const one = async (): Promise<void> => {
    while (next < commands.length) {
      const command = commands[next++]!;
      const status = await new Promise((resolve) => spawn("bash", ["-c", command], { cwd, stdio: ["ignore", "ignore", "inherit"] }).on("exit", resolve));
      if (status !== 0) throw new Error(`status ${status} from ${command}`);
      said(++done);
    }
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, one));
}

/** The arguments that the driver gives its linker for `object`, without the output and without plugins. */
export function driverArguments(compiler: string, object: string, cwd: string): string[] {
  const done = spawnSync("bash", ["-c", `${compiler} '-###' ${object} 2>&1 | grep /collect2`], { cwd, encoding: "latin1" });
  if (done.status !== 0) throw new Error(`${compiler} does not show its link: ${done.stderr}`);
  const words = done.stdout.trim().split(/\s+/).slice(1).map((word) => word.replace(/^"|"$/g, ""));
  for (let at = words.indexOf("-plugin"); at >= 0; at = words.indexOf("-plugin")) words.splice(at, 2);
  const output = words.indexOf("-o");
  if (output >= 0) words.splice(output, 2);
  return words.filter((word) => !word.startsWith("-plugin-opt"));
}

/** Is it there already? */
export function hasDebugProgram(): boolean {
  return debugFolder() !== undefined && fs.existsSync(path.join(debugFolder()!, "args"));
}

/** A folder named after all that goes in; undefined: a compiler is missing. */
function debugFolder(): string | undefined {
  const found = compilers();
  if (found === undefined) return undefined;
  const versions = Object.values(found).map((name) => spawnSync(name, ["-dumpfullversion"], { encoding: "latin1" }).stdout.trim());
  const sources = createHash("sha256").update([...debugSources(SEED, HEADERS, 4, FUNCTIONS).values()].join(""));
  const key = sources.update([UNITS, FLAGS, TURNS, versions].join()).digest("hex").slice(0, 12);
  return path.join(cacheFolder(), `debug-${key}`);
}

/** The folder to link in, with its list of arguments `args`; made when it is not there. undefined: a compiler is missing. */
export async function debugProgram(): Promise<string | undefined> {
  const [folder, found] = [debugFolder(), compilers()];
  if (folder === undefined || found === undefined) return undefined;
  if (fs.existsSync(path.join(folder, "args"))) return folder;
  fs.mkdirSync(folder, { recursive: true });
  for (const [name, text] of debugSources(SEED, HEADERS, UNITS, FUNCTIONS)) fs.writeFileSync(path.join(folder, name), text);
  const units = Array.from({ length: UNITS }, (_, unit) => `u${unit}`);
  const commands = ["main", ...units].map((name, i) => {
    const [compiler, level] = TURNS[i % TURNS.length]!.split(" ");
    return `[ -f ${name}.o ] || { ${found[compiler!]} ${level} ${FLAGS} -c ${name}.cpp -o ${name}.tmp && mv ${name}.tmp ${name}.o; }`;
  });
  console.log(`compiling ${commands.length} files with debug information, to ${folder}`);
  await runAll(commands, folder, (done) => done % 20 === 0 && console.log(`  ${done} of ${commands.length}`));
  const words = driverArguments(found["g++"]!, "main.o", folder).flatMap((word) => (word === "main.o" ? ["main.o", ...units.map((name) => `${name}.o`)] : [word]));
  fs.writeFileSync(path.join(folder, "args"), words.join("\n"));
  return folder;
}
