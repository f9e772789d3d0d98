/**
 * Relinks of a context after one changed object, beside links from nothing: the program and `link()` of the API, each in a new process.
 *
 * Of each change there is one, in the largest object that the command line names: the same bytes again, another byte of contents, a larger
 * section, another symbol name, a function in a section of its own that comes and goes again, a string literal; each in new memory and in that of an output that is given back. The surprising choice: the context lives in this process, so its processor time is a difference.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { SHF_EXECINSTR, SHT_PROGBITS, SHT_SYMTAB, STT_FILE } from "../as-kernels/shared/elf.ts";
import type * as Wield from "../ts/index.ts";
import { withFunction, withString } from "./edit-object.ts";
import { median, sample, type Sample } from "./measure.ts";
import { WIELD } from "./rivals.ts";
import { workloads } from "./workloads.ts";

export interface RelinkResult {
  workload: string;
  threads: number;
  /** Wall and processor time of every round, in milliseconds, by kind. */
  samples: Record<string, Omit<Sample, "peak">[]>;
}

interface Header {
  at: number;
  type: number;
  flags: number;
  offset: number;
  size: number;
}

function headersOf(object: Uint8Array): Header[] {
  const view = new DataView(object.buffer, object.byteOffset, object.length);
  const word = (at: number): number => Number(view.getBigUint64(at, true));
  return Array.from({ length: view.getUint16(60, true) }, (_, i) => {
    const at = word(40) + 64 * i;
    return { at, type: view.getUint32(at + 4, true), flags: word(at + 8), offset: word(at + 24), size: word(at + 32) };
  });
}

/** The largest section of code. */
function codeOf(object: Uint8Array): Header {
  return headersOf(object).filter(({ type, flags }) => type === SHT_PROGBITS && (flags & SHF_EXECINSTR) !== 0).sort((a, b) => b.size - a.size)[0]!;
}

/** The last byte of code, which is no instruction or the end of one, is another. */
function otherContents(object: Uint8Array, round: number): Uint8Array {
  const made = object.slice();
  const code = codeOf(object);
  made[code.offset + code.size - 1] = round;
  return made;
}

/** The largest section of code moves to the end of the file and has more bytes. */
function larger(object: Uint8Array, round: number): Uint8Array {
  const { at, offset, size } = codeOf(object);
  const to = Math.ceil(object.length / 64) * 64;
  const made = new Uint8Array(to + size + 16 * (round + 1)).fill(0x90);
  made.set(object);
  made.set(object.subarray(offset, offset + size), to);
  const view = new DataView(made.buffer);
  view.setBigUint64(at + 24, BigInt(to), true);
  view.setBigUint64(at + 32, BigInt(made.length - to), true);
  return made;
}

/** The symbol that names the source file has another name. */
function otherName(object: Uint8Array, round: number): Uint8Array {
  const made = object.slice();
  const view = new DataView(made.buffer);
  const headers = headersOf(made);
  const symtab = headers.find(({ type }) => type === SHT_SYMTAB)!;
  const strtab = headers[view.getUint32(symtab.at + 40, true)]!;
  let entry = symtab.offset;
  while ((made[entry + 4]! & 15) !== STT_FILE) entry += 24;
  made[strtab.offset + view.getUint32(entry, true)] = 65 + (round % 26);
  return made;
}

const CHANGES: Record<string, (object: Uint8Array, round: number) => Uint8Array> = {
  "the same again": (object) => object.slice(), "other contents": otherContents, "a larger section": larger, "another symbol": otherName,
  "one more function": withFunction, "one more string": withString,
};
const THREADS = [1, 2];

const COLD = `const [url, args] = JSON.parse(process.argv[1]); const { link } = await import(url); await link({ args }); process.exit()`;

export async function relinkBench(names: string[], scratch: string, rounds: number): Promise<RelinkResult[]> {
  const url = pathToFileURL(path.resolve("dist/index.mjs")).href;
  const { createContext } = (await import(url)) as typeof Wield;
  const home = process.cwd();
  const all: RelinkResult[] = [];
  for (const workload of await workloads(names.length > 0 ? names : ["hello-musl-static", "clang-release"], scratch)) {
    process.chdir(workload.cwd);
    const line = workload.args === "@args" ? fs.readFileSync("args", "latin1") : workload.args.replaceAll("'", "");
    const words = line.split(/\s+/).filter((word) => word !== "");
    const objects = words.filter((word) => word.endsWith(".o") && fs.existsSync(word)).sort((a, b) => fs.statSync(b).size - fs.statSync(a).size);
    for (const threads of THREADS) {
      const args = [...words, `--threads=${threads}`];
      const samples: RelinkResult["samples"] = {};
      const note = (kind: string, one: Omit<Sample, "peak">): void => void (samples[kind] ??= []).push(one);
      const context = await createContext({ args });
      let last = (await context.relink()).output;
      const object = new Uint8Array(fs.readFileSync(objects[0]!));
      for (let round = 0; round < rounds; round++) {
        note("the program", sample(`${WIELD.command} ${workload.args} -o ${path.join(scratch, "cold")} --threads=${threads}`, workload.cwd));
        note("link() in a new process", sample(`${process.execPath} --input-type=module -e '${COLD}' '${JSON.stringify([url, args])}'`, workload.cwd));
        context.update({ [objects[0]!]: object });
        await context.relink();
        for (const [kind, change] of Object.entries(CHANGES)) {
          for (const [how, options] of Object.entries({ "": {}, ", recycled": { recycle: last } })) {
            context.update({ [objects[0]!]: change(object, 2 * round + Number(how !== "")) });
            const before = process.cpuUsage();
            const start = performance.now();
            last = (await context.relink(options)).output;
            const wall = performance.now() - start;
            const { user, system } = process.cpuUsage(before);
            note(kind + how, { wall, cpu: (user + system) / 1000 });
          }
        }
      }
      await context.dispose();
      print(workload.name, threads, samples);
      all.push({ workload: workload.name, threads, samples });
    }
  }
  process.chdir(home);
  return all;
}

function print(name: string, threads: number, samples: RelinkResult["samples"]): void {
  const middle = (kind: string, what: "wall" | "cpu"): number => median(samples[kind]!.map((one) => one[what]));
  console.log(`\n${name}, ${threads} thread${threads > 1 ? "s" : ""}`);
  console.log(`${"".padEnd(26)}${["wall ms", "cpu ms"].map((text) => text.padStart(9)).join("")}   beside the program: wall, cpu`);
  for (const kind of Object.keys(samples)) {
    const [wall, cpu] = [middle(kind, "wall"), middle(kind, "cpu")];
    console.log(`${kind.padEnd(26)}${wall.toFixed(1).padStart(9)}${cpu.toFixed(1).padStart(9)}   ${(wall / middle("the program", "wall")).toFixed(3)} ${(cpu / middle("the program", "cpu")).toFixed(3)}`);
  }
}
