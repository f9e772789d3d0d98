/**
 * `npm run bench -- rival`: wield beside the only other ELF linker on npm, the ld.lld inside @yowasp/clang, in Node and Chromium.
 *
 * Both link the same virtual files; every program is run here and must say what it should. The rival is installed into a
 * temporary folder. Its file shim copies the whole output at every write and unpacks 30 MB of headers at every link, so it is
 * also measured with a shim that does neither ("tuned"), which nobody can install. Files come from this machine: the time of a
 * download is not in any number, its bytes are. Pages run in a browser as people have it, with no debugger attached.
 */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { pathToFileURL } from "node:url";
import { brotliCompress, constants } from "node:zlib";
import { build } from "esbuild";
import { needOpener, postedBy } from "../test/helpers/runtimes.ts";
import { median } from "./measure.ts";
import { type Program, programs } from "./rival-programs.ts";
import type { Entry, Job } from "./rival-runner.ts";

const PACKAGE = "@yowasp/clang@22.0.0-git20542-10";
/** Each in a new process or browser: seconds, for the rival. */
const FIRST_LINKS = 5;

/** What a runner answers: outputs as base64; a page also tells which addresses it has loaded. */
interface Answer {
  samples: Record<string, number[]>;
  outputs: Record<string, string[]>;
  loaded?: string[];
  error?: string;
}

export interface RivalResult {
  runtime: string;
  program: string;
  /** Milliseconds, all samples, by linker. */
  first: Record<string, number[]>;
  relink: Record<string, number[]>;
}

// ---- the linkers ----

/** The text between two lines of the rival's bundle replaced; a bundle of another shape is an error. */
function replaced(text: string, from: string, to: string, by: string): string {
  const start = text.indexOf(from);
  const end = text.indexOf(to, start);
  if (start < 0 || end < 0) throw new Error(`${PACKAGE} has changed: no ${JSON.stringify(start < 0 ? from : to)}`);
  return text.slice(0, start) + by + text.slice(end);
}

/** WriteStream.write with room to grow, as `write` of any file system has it. */
const WRITE = `write(contents) {
    const { file } = this, offset = Number(this.offset), end = offset + contents.length, before = file.data.length;
    if (end > before) {
      if (file.room === undefined || file.room.buffer !== file.data.buffer || file.room.length < end) (file.room = new Uint8Array(Math.max(end, before * 2, 1 << 20))).set(file.data);
      file.data = file.room.subarray(0, end);
      file.data.fill(0, before, Math.max(before, offset));
    }
    file.data.set(contents, offset);
    this.offset += BigInt(contents.length);
  }
};
`;

/** Installs the rival and puts the tuned bundle beside the published one; its folder. */
function install(dir: string): string {
  execFileSync("npm", ["install", "--prefix", dir, "--no-audit", "--no-fund", "--ignore-scripts", "--silent", PACKAGE], { stdio: ["ignore", "ignore", "inherit"] });
  const folder = path.join(dir, "node_modules/@yowasp/clang/gen");
  const published = fs.readFileSync(path.join(folder, "bundle.js"), "utf8");
  const writing = replaced(published, "write(contents) {\n    const offset = Number(this.offset);", "var Descriptor = ", WRITE);
  fs.writeFileSync(path.join(folder, "tuned.js"), replaced(writing, 'await fetch3(new URL("./llvm-resources.tar"', "\n});\nvar totalSize", "{}"));
  return folder;
}

function linkers(wield: string, rival: string): Record<"wield" | "again" | "rival" | "tuned", Entry> {
  return {
    wield: { name: "wield", kind: "relink", url: wield },
    again: { name: "wield, link() anew", kind: "link", url: wield },
    rival: { name: "@yowasp/clang", kind: "runLLVM", url: `${rival}/bundle.js` },
    tuned: { name: "the same, tuned", kind: "runLLVM", url: `${rival}/tuned.js` },
  };
}

// ---- the runtimes ----

/** Runs a job for a program, from nothing. */
type Runner = (job: Job) => Promise<Answer>;

const NODE = `import * as fs from "node:fs";
import { run } from "./runner.mjs";
const job = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const files = Object.fromEntries([...job.files, ...job.variants].filter((name) => fs.existsSync(name)).map((name) => [name, new Uint8Array(fs.readFileSync(name))]));
const { samples, outputs } = await run(job, files);
fs.writeFileSync(process.argv[3], JSON.stringify({ samples, outputs: Object.fromEntries(Object.entries(outputs).map(([name, all]) => [name, all.map((one) => Buffer.from(one).toString("base64"))])) }));
process.exit();
`;

/** Waits until the browser, which has just started, is no longer busy with itself. */
const PAGE = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module">
import { run } from "./runner.mjs";
const base64 = (bytes) => new Promise((done) => { const reader = new FileReader(); reader.onload = () => done(reader.result.split(",")[1]); reader.readAsDataURL(new Blob([bytes])); });
const answer = async () => {
  const job = await (await fetch("job.json")).json();
  const files = {};
  for (const name of new Set([...job.files.filter((name) => name !== job.changed), ...job.variants])) files[name] = new Uint8Array(await (await fetch("/files/" + job.folder + "/" + name)).arrayBuffer());
  await new Promise((done) => setTimeout(done, 500));
  const { samples, outputs } = await run(job, files);
  const packed = Object.fromEntries(await Promise.all(Object.entries(outputs).map(async ([name, all]) => [name, await Promise.all(all.map(base64))])));
  return { samples, outputs: packed, loaded: performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname) };
};
fetch("/posted", { method: "POST", body: JSON.stringify(await answer().catch((error) => ({ error: String(error) }))) });
</script>`;

function nodeRunner(scratch: string, files: string): Runner {
  return async (job) => {
    fs.writeFileSync(path.join(scratch, "job.json"), JSON.stringify(job));
    const done = spawnSync(process.execPath, [path.join(scratch, "node.mjs"), path.join(scratch, "job.json"), path.join(scratch, "answer.json")], { cwd: path.join(files, job.folder), encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "" } });
    if (done.status !== 0) throw new Error(done.stderr);
    return JSON.parse(fs.readFileSync(path.join(scratch, "answer.json"), "utf8")) as Answer;
  };
}

/** A new browser for every job, which nobody drives: a debugger makes workers wait for it. `loaded` collects what pages load for first links, by linker. */
function pageRunner(folders: Record<string, string>, loaded: Map<string, Set<string>>): Runner {
  return async (job) => {
    fs.writeFileSync(path.join(folders["scratch"]!, "job.json"), JSON.stringify(job));
    const answer = JSON.parse(await postedBy("Chromium", folders, "scratch/page.html", false)) as Answer;
    if (answer.error !== undefined) throw new Error(answer.error);
    const name = job.entries[0]!.name;
    if (job.rounds === 0) for (const [, folder, ...file] of answer.loaded!.map((address) => address.split("/"))) if (folder === "wield" || folder === "rival") loaded.set(name, (loaded.get(name) ?? new Set()).add(file.join("/")));
    return answer;
  };
}

// ---- one program in one runtime ----

/** Runs what was linked. */
function check(program: Program, answer: Answer, scratch: string): void {
  for (const [name, outputs] of Object.entries(answer.outputs)) {
    outputs.forEach((text, variant) => {
      const file = path.join(scratch, `prog-${variant}`);
      fs.rmSync(file, { force: true });
      fs.writeFileSync(file, Buffer.from(text, "base64"), { mode: 0o755 });
      const done = spawnSync(file, { encoding: "latin1" });
      if (done.status !== 0 || done.stdout !== program.expected[variant]) throw new Error(`${program.name} linked by ${name}: ${done.status ?? done.signal} ${done.stdout}`);
    });
  }
}

async function measure(runtime: string, runner: Runner, program: Program, all: ReturnType<typeof linkers>, rounds: number, scratch: string): Promise<RivalResult> {
  const job = (entries: Entry[], count: number): Job => ({
    entries, rounds: count, folder: program.folder, args: program.args, changed: program.changed, variants: program.variants,
    files: [...Object.keys(program.files).filter((name) => !program.variants.includes(name)), program.changed],
  });
  const first: Record<string, number[]> = {};
  for (let round = 0; round < FIRST_LINKS; round++) {
    for (const entry of [{ ...all.wield, kind: "link" as const }, all.rival, all.tuned]) {
      const answer = await runner(job([entry], 0));
      check(program, answer, scratch);
      (first[entry.name] ??= []).push(...answer.samples[entry.name]!);
    }
  }
  const answer = await runner(job([all.wield, all.again, all.rival, all.tuned], rounds));
  check(program, answer, scratch);
  const result = { runtime, program: program.name, first, relink: answer.samples };
  print(result);
  return result;
}

function print({ runtime, program, first, relink }: RivalResult): void {
  const samples = (times: Record<string, number[]>): number => times["wield"]!.length;
  console.log(`\n${program}, ${runtime}: medians of ${samples(first)} first links and ${samples(relink)} relinks`);
  console.log(`${"".padEnd(22)}${"first ms".padStart(10)}${"beside wield".padStart(14)}${"relink ms".padStart(11)}${"beside wield".padStart(14)}`);
  const columns = (times: Record<string, number[]>, name: string, width: number): string => {
    if (times[name] === undefined) return "".padStart(width + 14);
    return median(times[name]!).toFixed(1).padStart(width) + `${(median(times[name]!) / median(times["wield"]!)).toFixed(1)}x`.padStart(14);
  };
  for (const name of Object.keys(relink)) console.log(name.padEnd(22) + columns(first, name, 10) + columns(relink, name, 11));
}

/** Bytes of what pages load, as servers send them: brotli, best quality. */
async function downloads(loaded: Map<string, Set<string>>, folders: { wield: string; rival: string }): Promise<Record<string, number>> {
  console.log("\nwhat a page loads, brotli (this takes minutes)");
  const sizes = new Map<string, Promise<number>>();
  const size = (file: string): Promise<number> => {
    const contents = fs.readFileSync(file);
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: contents.length };
    return promisify(brotliCompress)(contents, { params }).then(({ length }) => length);
  };
  const totals: Record<string, number> = {};
  for (const [name, files] of loaded) {
    const folder = name === "wield" ? folders.wield : folders.rival;
    const parts = [...files].map((file) => path.join(folder, file)).map((file) => sizes.get(file) ?? sizes.set(file, size(file)).get(file)!);
    totals[name] = (await Promise.all(parts)).reduce((sum, bytes) => sum + bytes, 0);
  }
  for (const [name, bytes] of Object.entries(totals)) console.log(`${name.padEnd(22)}${(bytes / 1000).toFixed(0).padStart(8)} kB${`${(bytes / totals["wield"]!).toFixed(0)}x`.padStart(8)}   ${[...loaded.get(name)!].join(", ")}`);
  return totals;
}

export async function rivalBench(scratch: string, rounds: number): Promise<{ rival: string; results: RivalResult[]; bytes: Record<string, number> }> {
  const [web, files, compiled] = ["web", "files", "compiled"].map((name) => path.join(scratch, name)) as [string, string, string];
  for (const folder of [web, files, compiled]) fs.mkdirSync(folder);
  console.log(`\n${PACKAGE}: installing, compiling the programs`);
  const rival = install(path.join(scratch, "rival"));
  const list = programs(compiled);
  for (const { folder, files: contents } of list) {
    fs.mkdirSync(path.join(files, folder));
    for (const [name, bytes] of Object.entries(contents)) fs.writeFileSync(path.join(files, folder, name), bytes);
  }
  execFileSync(process.execPath, ["build/run.mjs", "build/web.ts", web]);
  await build({ entryPoints: ["bench/rival-runner.ts"], bundle: true, format: "esm", target: "es2022", outfile: path.join(scratch, "runner.mjs"), logLevel: "warning" });
  fs.writeFileSync(path.join(scratch, "node.mjs"), NODE);
  fs.writeFileSync(path.join(scratch, "page.html"), PAGE);

  const results: RivalResult[] = [];
  const node = linkers(pathToFileURL(path.resolve("dist/node.mjs")).href, pathToFileURL(rival).href);
  for (const program of list) results.push(await measure(`Node ${process.version}`, nodeRunner(scratch, files), program, node, rounds, scratch));
  if (needOpener("Chromium") !== "") {
    console.log(`\nChromium: left out, ${needOpener("Chromium")}`);
    return { rival: PACKAGE, results, bytes: {} };
  }
  const loaded = new Map<string, Set<string>>();
  const runner = pageRunner({ scratch, files, wield: web, rival }, loaded);
  for (const program of list) results.push(await measure("Chromium, a page that is not isolated", runner, program, linkers("/wield/browser.mjs", "/rival"), rounds, scratch));
  return { rival: PACKAGE, results, bytes: await downloads(loaded, { wield: web, rival }) };
}
