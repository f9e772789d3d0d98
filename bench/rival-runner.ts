/**
 * One job of `npm run bench -- rival`, in Node and in a page alike: links by wield or by @yowasp/clang's ld.lld, timed.
 *
 * Bundled by itself and imported by what bench/rival.ts writes. `rounds` 0 = the first link of the only entry, from before its
 * module is imported; otherwise all entries link in turn, the changed file alternating, first WARM unmeasured rounds: who links
 * as they type has a warm linker, and JavaScript takes longer than WebAssembly to become so.
 */
import type { LinkOptions } from "../ts/api/types.ts";

const WARM = 8;

type Files = Record<string, Uint8Array>;

export interface Entry {
  name: string;
  /** relink: wield's createContext; link: wield's link() each time; runLLVM: the rival. */
  kind: "relink" | "link" | "runLLVM";
  /** Its module. */
  url: string;
}

export interface Job {
  entries: Entry[];
  /** Words after the linker's name; the output is a.out. */
  args: string[];
  /** Where the files are, for those who read them. */
  folder: string;
  files: string[];
  /** The file that changes, and the two files that take its place in turn. */
  changed: string;
  variants: [string, string];
  rounds: number;
}

export interface Done {
  /** Milliseconds of every measured link, by entry. */
  samples: Record<string, number[]>;
  /** The program from each variant (of the first only, for first links), by entry. */
  outputs: Record<string, Uint8Array[]>;
}

type Linker = (contents: Uint8Array) => Promise<Uint8Array>;

async function linker({ kind, url }: Entry, { args, changed }: Job, files: Files): Promise<Linker> {
  if (kind === "runLLVM") {
    const { runLLVM } = (await import(url)) as { runLLVM(args: string[], files: Files, options: object): Promise<Files> };
    return async (contents) => (await runLLVM(["ld.lld", ...args, "-o", "a.out"], { ...files, [changed]: contents }, { decodeASCII: false, fetchProgress() {} }))["a.out"]!;
  }
  const { link, createContext, memoryFS } = (await import(url)) as typeof import("../ts/index.ts");
  if (kind === "link") return async (contents) => (await link({ args, fs: memoryFS({ ...files, [changed]: contents }) })).output;
  const options: LinkOptions = { args, fs: memoryFS(files) };
  const context = await createContext(options);
  return async (contents) => {
    context.update({ [changed]: contents });
    return (await context.relink()).output;
  };
}

const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);

export async function run(job: Job, all: Files): Promise<Done> {
  const variants = job.variants.map((name) => all[name]!);
  const files = Object.fromEntries(job.files.map((name) => [name, name === job.changed ? variants[0]! : all[name]!]));
  const done: Done = { samples: {}, outputs: {} };
  const linkers = new Map<string, Linker>();
  for (const entry of job.entries) {
    const start = performance.now();
    const made = await linker(entry, job, files);
    const first = await made(variants[0]!);
    done.samples[entry.name] = job.rounds === 0 ? [performance.now() - start] : [];
    done.outputs[entry.name] = [first];
    linkers.set(entry.name, made);
  }
  for (let round = 1 - WARM; round <= job.rounds && job.rounds > 0; round++) {
    for (const [name, made] of linkers) {
      const start = performance.now();
      const output = await made(variants[round & 1]!);
      if (round > 0) done.samples[name]!.push(performance.now() - start);
      const before = (done.outputs[name]![round & 1] ??= output);
      if (!same(before, output)) throw new Error(`${name}: another output from the same files`);
    }
  }
  return done;
}
