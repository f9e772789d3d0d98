/**
 * Contexts with --gc-sections whose objects change what they refer to: what is live is what a link from nothing keeps, whoever had reached it
 * before. Functions call one another at random, in circles too, across objects, through data, unwind tables and groups of sections.
 */
import { suite } from "uvu";
import {
  R_X86_64_64, R_X86_64_PC32, R_X86_64_PLT32, SHF_ALLOC, SHF_EXECINSTR, SHF_MERGE, SHF_STRINGS, SHF_WRITE, SHT_INIT_ARRAY, SHT_X86_64_UNWIND, STB_WEAK, STT_FUNC, STT_OBJECT,
} from "../../as-kernels/shared/elf.ts";
import * as assert from "uvu/assert";
import type { LinkOptions } from "../../ts/api/types.ts";
import { memoryFS } from "../../ts/index.ts";
import { archive, ObjectBuilder, type Section, type Sym } from "../helpers/object.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { contextOf, disposeContexts, sameAsCold, wayOf, type Files } from "../helpers/relinks.ts";

const test = suite("api/relink-marks");
test.after(disposeContexts);

interface Fun {
  name: string;
  /** Names of functions and tables; those that start with a dot are local to the object. */
  calls: string[];
  text?: string;
  /** Has an unwind record that keeps a table. */
  table?: boolean;
  inline?: boolean;
  /** Is called before main. */
  early?: boolean;
}

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
// A CIE with a language's data, whose FDEs have four bytes of it.
const CIE = [20, 0, 0, 0, 0, 0, 0, 0, 1, 0x7a, 0x4c, 0x52, 0, 1, 0x78, 0x10, 2, 0x1b, 0x1b, 0, 0, 0, 0, 0];
const SIZE = 64;
const FDE_BYTES = 24;

function addRecord(unwind: Section, object: ObjectBuilder, code: Sym, table: Sym | null): void {
  const at = unwind.data.length;
  const view = new DataView(new ArrayBuffer(FDE_BYTES));
  [FDE_BYTES - 4, at + 4, 0, SIZE].forEach((value, i) => view.setUint32(4 * i, value, true));
  view.setUint8(16, 4);
  unwind.data = new Uint8Array([...unwind.data, ...new Uint8Array(view.buffer)]);
  unwind.size = unwind.data.length;
  object.reloc(unwind, at + 8, R_X86_64_PC32, code, 0);
  if (table !== null) object.reloc(unwind, at + 17, R_X86_64_PC32, table, 0);
}

function objectOf(functions: readonly Fun[]): Uint8Array {
  const object = new ObjectBuilder();
  const symbols = new Map<string, Sym>();
  const sections = functions.map(({ name, inline, table, early }) => {
    const code = object.section(`.text.${name}`, { flags: SHF_ALLOC | SHF_EXECINSTR, data: new Uint8Array(SIZE).fill(0x90), align: 16 });
    const local = name.startsWith(".");
    const symbol = object.symbol(name, { in: code, type: STT_FUNC, size: SIZE, ...(local ? { bind: 0 } : inline === true ? { bind: STB_WEAK } : {}) });
    symbols.set(name, symbol);
    const data = table === true ? object.section(`.gcc_except_table.${name}`, { flags: SHF_ALLOC, data: new Uint8Array(16), align: 4 }) : null;
    if (inline === true) object.group(symbol, data === null ? [code] : [code, data]);
    if (early === true) object.reloc(object.section(".init_array", { type: SHT_INIT_ARRAY, flags: SHF_ALLOC | SHF_WRITE, data: new Uint8Array(8), align: 8 }), 0, R_X86_64_64, symbol, 0);
    return { code, data };
  });
  const texts = functions.flatMap(({ text }) => text ?? []);
  const literals = texts.length === 0 ? null : object.section(".rodata.str1.1", { flags: SHF_ALLOC | SHF_MERGE | SHF_STRINGS, entsize: 1, data: bytesOf(texts.map((text) => `${text}\0`).join("")) });
  const unwind = object.section(".eh_frame", { type: SHT_X86_64_UNWIND, flags: SHF_ALLOC, data: new Uint8Array(CIE), align: 8 });
  let place = 0;
  functions.forEach(({ calls, text }, i) => {
    const { code, data } = sections[i]!;
    addRecord(unwind, object, object.sectionSymbol(code), data === null ? null : object.sectionSymbol(data));
    calls.forEach((callee, k) => {
      if (!symbols.has(callee)) symbols.set(callee, object.symbol(callee));
      // Exception tables refer to code, too.
      object.reloc(k === 3 && data !== null ? data : code, k === 3 && data !== null ? 4 : 8 * k + 1, k === 3 && data !== null ? R_X86_64_PC32 : R_X86_64_PLT32, symbols.get(callee)!, -4);
    });
    if (text === undefined || literals === null) return;
    object.reloc(code, 56, R_X86_64_PC32, object.sectionSymbol(literals), place);
    place += text.length + 1;
  });
  object.symbol("kept" + functions[0]!.name.replace(".", ""), { in: object.section(".data", { flags: SHF_ALLOC | SHF_WRITE, data: new Uint8Array(8), align: 8 }), type: STT_OBJECT, size: 8 });
  return object.bytes();
}

const OBJECTS = 7;
/** More of them, and others, when somebody looks for mistakes. */
const STEPS = Number(process.env["WIELD_FUZZ"] ?? 40);
const SEED = Number(process.env["WIELD_SEED"] ?? 0);
const GLOBALS = 4;
const globalName = (o: number, i: number): string => `f${o}x${i}`;

/** The names that all objects may refer to stay; what they refer to does not. */
function randomObject(random: Prng, o: number, dense: number): Fun[] {
  const locals = Array.from({ length: random.below(4) }, (_, i) => `.local${i}`);
  const inlines = [`in${o}x0`, `in${o}x1`, "in"].filter((name) => random.chance(name === "in" ? 0.05 : 0.4));
  const others = (): string => (random.chance(0.25) && locals.length > 0 ? random.pick(locals) : globalName(random.below(OBJECTS), random.below(GLOBALS)));
  const fun = (name: string, more: Partial<Fun> = {}): Fun => ({
    name, calls: Array.from({ length: random.chance(dense) ? random.below(4) + Number(random.chance(0.2)) : 0 }, others), table: random.chance(0.3), ...(random.chance(0.4) ? { text: `text ${random.below(8)}` } : {}), ...more,
  });
  const all = [...Array.from({ length: GLOBALS }, (_, i) => fun(globalName(o, i))), ...locals.map((name) => fun(name)), ...inlines.map((name) => fun(name, { inline: true })), ...Array.from({ length: random.below(3) }, (_, i) => fun(`own${o}x${i}`))];
  if (random.chance(0.15)) all[0]!.early = true;
  if (o === 0) all.unshift(fun("_start", { calls: Array.from({ length: 1 + random.below(3) }, others) }));
  return all;
}

/** Another edge, one less, or something altogether else. */
function edit(random: Prng, o: number, functions: Fun[], dense: number): Fun[] {
  if (random.chance(0.25)) return randomObject(random, o, dense);
  const made = structuredClone(functions);
  const one = random.pick(made);
  if (random.chance(0.5) && one.calls.length > 0) one.calls.splice(random.below(one.calls.length), 1);
  else if (one.calls.length < 5) one.calls.splice(random.below(one.calls.length + 1), 0, random.chance(0.3) ? random.pick(made).name : globalName(random.below(OBJECTS), random.below(GLOBALS)));
  return made;
}

const KINDS = [
  { args: ["-pie", "--threads=1"], dense: 0.5 }, { args: ["--threads=2"], dense: 0.8 }, { args: ["-e", globalName(2, 2), "--threads=1"], dense: 0.3 },
  { args: ["-pie", "-e", globalName(3, 1), "--eh-frame-hdr", "--threads=3"], dense: 0.4 },
];

for (const [seed, { args, dense }] of KINDS.entries()) {
  test(`what is live is found again: ${args.join(" ")}`, async () => {
    const random = prng(seed + 31 + SEED);
    const shapes = Array.from({ length: OBJECTS }, (_, o) => randomObject(random, o, dense));
    const library = (): Uint8Array => archive(shapes.slice(5).map((shape, i) => ({ name: `m${i}.o`, data: objectOf(shape) })));
    const names = shapes.slice(0, 5).map((_, o) => `o${o}.o`);
    const files: Files = { ...Object.fromEntries(names.map((name, o) => [name, objectOf(shapes[o]!)])), "lib.a": library() };
    const options: LinkOptions = { args: ["--gc-sections", ...args, ...names, "--whole-archive", "lib.a"] };
    const context = await contextOf({ ...options, fs: memoryFS({ ...files }) });
    await context.relink({ throwOnError: false });
    const ways = { all: 0, sections: 0, sizes: 0, contents: 0 };
    for (let step = 0; step < STEPS; step++) {
      const changes: Files = {};
      for (let n = random.chance(0.7) ? 1 : 2; n > 0; n--) {
        const o = random.below(OBJECTS);
        shapes[o] = edit(random, o, shapes[o]!, dense);
        const name = o < 5 ? names[o]! : "lib.a";
        changes[name] = files[name] = o < 5 ? objectOf(shapes[o]!) : library();
      }
      context.update(changes);
      const result = await context.relink({ throwOnError: false });
      ways[wayOf(result)]++;
      await sameAsCold(result, options, files, `step ${step}: ${Object.keys(changes)}`);
    }
    assert.ok(ways.sections > STEPS / 4, JSON.stringify(ways));
  });
}

test.run();
