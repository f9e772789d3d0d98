/**
 * Contexts whose objects get other symbol tables: every link gives what a link from nothing gives, byte for byte.
 *
 * Objects are random and made here: names come and go as definitions, references and mere mentions, strong, weak, common, in COMDAT groups,
 * before and behind those who define them, in archives and in a shared object; few enough names that all of it meets.
 */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { R_X86_64_64, R_X86_64_GOTPCREL, R_X86_64_PC32, R_X86_64_PLT32, SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, STB_GLOBAL, STB_WEAK, STT_FUNC, STT_OBJECT, STV_HIDDEN } from "../../as-kernels/shared/elf.ts";
import type { LinkOptions } from "../../ts/api/types.ts";
import { link, memoryFS } from "../../ts/index.ts";
import { archive, ObjectBuilder, type Sym } from "../helpers/object.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { contextOf, disposeContexts, sameAsCold, wayOf, type Files } from "../helpers/relinks.ts";

const test = suite("api/relink-symbols");
test.after(disposeContexts);

type Bind = "global" | "weak" | "hidden";
type Use = "call" | "address" | "got" | "data" | "mention" | "weak call";

interface Module {
  /** Bytes of code. */
  size: number;
  /** Names in .text, by name. */
  defined: Map<string, Bind>;
  /** Names in COMDAT groups of their own. */
  inline: Set<string>;
  commons: Map<string, number>;
  locals: string[];
  uses: [name: string, use: Use][];
  /** References to locals, by place in `locals`. */
  own: number[];
  /** Names are in another order in the table. */
  turned: boolean;
}

const RELOCS: Partial<Record<Use, number>> = { call: R_X86_64_PLT32, "weak call": R_X86_64_PLT32, address: R_X86_64_PC32, got: R_X86_64_GOTPCREL, data: R_X86_64_64 };

function objectOf(module: Module): Uint8Array {
  const object = new ObjectBuilder();
  const code = new Uint8Array(module.size).fill(0x90);
  const text = object.section(".text", { flags: SHF_ALLOC | SHF_EXECINSTR, data: code, align: 16 });
  const data = object.section(".data", { flags: SHF_ALLOC | SHF_WRITE, data: new Uint8Array(256), align: 8 });
  const symbols = new Map<string, Sym>();
  const makers: (() => void)[] = [];
  for (const [name, bind] of module.defined) {
    makers.push(() => void symbols.set(name, object.symbol(name, { in: text, type: STT_FUNC, size: 4, value: 4 * symbols.size, bind: bind === "weak" ? STB_WEAK : STB_GLOBAL, visibility: bind === "hidden" ? STV_HIDDEN : 0 })));
  }
  for (const [name, size] of module.commons) makers.push(() => void symbols.set(name, object.common(name, size, 8)));
  for (const name of module.inline) {
    const section = object.section(`.text.${name}`, { flags: SHF_ALLOC | SHF_EXECINSTR, data: new Uint8Array(8).fill(0xc3), align: 8 });
    makers.push(() => {
      const sym = object.symbol(name, { in: section, type: STT_FUNC, size: 8, bind: STB_WEAK });
      symbols.set(name, sym);
      object.group(sym, [section]);
    });
  }
  for (const [name, use] of module.uses) makers.push(() => void (symbols.has(name) || symbols.set(name, object.symbol(name, use === "weak call" ? { bind: STB_WEAK } : {}))));
  // Definitions first: a name is not both.
  const first = module.defined.size + module.commons.size + module.inline.size;
  const definitions = makers.slice(0, first);
  for (const make of module.turned ? definitions.reverse() : definitions) make();
  for (const make of module.turned ? makers.slice(first).reverse() : makers.slice(first)) make();
  const locals = module.locals.map((name, i) => object.symbol(name, { in: i % 2 === 0 ? text : data, type: i % 2 === 0 ? STT_FUNC : STT_OBJECT, value: 4 * i, size: 4, bind: 0 }));
  module.uses.forEach(([name, use], i) => {
    const type = RELOCS[use];
    if (type !== undefined) object.reloc(use === "data" ? data : text, 8 * (i % 16), type, symbols.get(name)!, use === "data" ? 0 : -4);
  });
  module.own.forEach((i, n) => object.reloc(text, 128 + 8 * (n % 16), R_X86_64_PC32, locals[i % Math.max(1, locals.length)], -4));
  return object.bytes();
}

const NAMES = Array.from({ length: 9 }, (_, i) => `n${i}`);
/** Modules 0 to 3 are objects, the others members of an archive; a shared object has names of its own and some of these. */
const OBJECTS = 4;
const MODULES = 6;

function randomModule(random: Prng, index: number): Module {
  const defined = new Map<string, Bind>(index === 0 ? [["_start", "global"]] : [[`m${index}`, "global"]]);
  // Every name has somebody who defines it, at first.
  NAMES.forEach((name, i) => i % MODULES === index && defined.set(name, "global"));
  const uses: Module["uses"] = [[`m${(index + 1) % MODULES === 0 ? 1 : index + 1 < MODULES ? index + 1 : 1}`, "call"], [random.pick(NAMES), "call"], ["shared0", "call"]];
  return { size: 288, defined, inline: new Set(random.below(2) === 0 ? ["inline0"] : []), commons: new Map(), locals: [`l${index}`], uses: uses.filter(([name]) => !defined.has(name)), own: [], turned: false };
}

let fresh = 0;

/** One thing; `gentle`: only what need not begin anew. */
function edit(random: Prng, module: Module, gentle: boolean): void {
  const names = [...NAMES, "inline0", "inline1", "shared0", "shared1", ...Array.from({ length: MODULES }, (_, i) => `m${i}`)];
  const ways: (() => void)[] = [
    () => void module.defined.set(`fresh${fresh++}`, random.pick<Bind>(["global", "weak", "hidden"])),
    () => {
      const mine = [...module.defined.keys()].filter((name) => name.startsWith("fresh"));
      if (mine.length > 0) module.defined.delete(random.pick(mine));
    },
    () => void module.locals.splice(random.below(module.locals.length + 1), 0, `local${random.below(30)}`),
    () => void (module.locals.length > 0 && module.locals.splice(random.below(module.locals.length), 1)),
    () => void module.own.push(random.below(8)),
    () => void (module.turned = !module.turned),
    () => void (module.size = 288 + 16 * random.below(20)),
    () => void module.uses.push([random.pick(names), random.pick<Use>(["call", "call", "mention", "weak call"])]),
    () => void (module.uses.length > 0 && module.uses.splice(random.below(module.uses.length), 1)),
  ];
  const wild: (() => void)[] = [
    () => void module.uses.push([random.pick(names), random.pick<Use>(["address", "got", "data", "weak call"])]),
    () => void module.defined.set(random.pick(names), random.pick<Bind>(["global", "weak", "hidden"])),
    () => {
      const mine = [...module.defined.keys()].filter((name) => name !== "_start");
      if (mine.length > 0) module.defined.delete(random.pick(mine));
    },
    () => void module.inline.add(random.pick(["inline0", "inline1", "n8"])),
    () => void module.inline.clear(),
    () => void module.commons.set(random.pick(["common0", "common1", "n7"]), 8 * (1 + random.below(8))),
    () => module.commons.clear(),
  ];
  random.pick(gentle ? ways : [...ways, ...wild])();
  for (const name of module.inline) module.defined.delete(name);
  for (const name of module.commons.keys()) if (module.inline.has(name) || module.defined.has(name)) module.commons.delete(name);
  module.uses = module.uses.filter(([name]) => !module.defined.has(name) && !module.inline.has(name) && !module.commons.has(name));
}

const sharedObject = async (): Promise<Uint8Array> => {
  const object = new ObjectBuilder();
  const text = object.text(new Uint8Array(64).fill(0x90));
  for (const name of ["shared0", "shared1", "n6"]) object.symbol(name, { in: text, type: STT_FUNC, size: 4 });
  object.symbol("n5");
  return (await link({ args: ["-shared", "-soname", "libs.so", "s.o"], fs: memoryFS({ "s.o": object.bytes() }) })).output;
};

const ORDER = ["m0.o", "m1.o", "m2.o", "m3.o"];
const KINDS: { args: string[]; files?: string[]; options?: LinkOptions; fast: number }[] = [
  { args: ["--build-id=fast", "--threads=1"], fast: 6 },
  { args: ["-pie", "--gc-sections", "--build-id=sha1", "--threads=1"], fast: 3 },
  { args: ["-pie", "-z", "now", "--build-id", "--threads=2"], options: { map: true }, fast: 6 },
  { args: ["-shared", "--build-id", "--threads=1"], fast: 2 },
  { args: ["--unresolved-symbols=ignore-all", "--build-id", "--threads=3"], fast: 6 },
  { args: ["--build-id", "--threads=1"], files: ["libs.so", "lib.a", ...ORDER, "--start-group", "lib.a", "--end-group"], fast: 6 },
  { args: ["--build-id", "--threads=1"], files: ["m0.o", "--start-lib", "m3.o", "m2.o", "--end-lib", "m1.o", "libs.so", "lib.a"], fast: 6 },
];
const STEPS = 24;

for (const [kind, { args, files: order = [...ORDER, "lib.a", "libs.so"], options: more, fast }] of KINDS.entries()) {
  for (const gentle of [true, false]) {
    test(`${gentle ? "symbols come and go" : "so does everything else"}: ${[...args, ...order].join(" ")}`, async () => {
      const random = prng(100 * kind + Number(gentle) + 1);
      const modules = Array.from({ length: MODULES }, (_, i) => randomModule(random, i));
      const library = (): Uint8Array =>
        archive(modules.slice(OBJECTS).map((module, i) => ({ name: `m${OBJECTS + i}.o`, data: objectOf(module), symbols: [...module.defined.keys(), ...module.inline, ...module.commons.keys()] })));
      const files: Files = { "libs.so": await sharedObject(), "lib.a": library() };
      for (let i = 0; i < OBJECTS; i++) files[`m${i}.o`] = objectOf(modules[i]!);
      const options: LinkOptions = { args: [...args, ...order], ...more };
      const context = await contextOf({ ...options, fs: memoryFS({ ...files }) });
      const first = await context.relink({ throwOnError: false });
      assert.equal(first.diagnostics, []);
      await sameAsCold(first, options, files, "first link");
      const ways = { all: 0, sections: 0, sizes: 0, contents: 0 };
      for (let step = 0; step < STEPS; step++) {
        const changes: Files = {};
        for (let n = random.between(1, 2); n > 0; n--) {
          const i = gentle ? random.below(OBJECTS) : random.below(MODULES);
          const before = structuredClone(modules[i]!);
          edit(random, modules[i]!, gentle);
          const name = i < OBJECTS ? `m${i}.o` : "lib.a";
          changes[name] = files[name] = i < OBJECTS ? objectOf(modules[i]!) : library();
          // Links that fail say so, and the next is from the beginning.
          const { ok } = await link({ ...options, fs: memoryFS(files), throwOnError: false });
          if (ok || random.below(4) === 0) continue;
          modules[i] = before;
          changes[name] = files[name] = i < OBJECTS ? objectOf(before) : library();
        }
        context.update(changes);
        const result = await context.relink({ throwOnError: false });
        ways[wayOf(result)]++;
        await sameAsCold(result, options, files, `step ${step}: ${Object.keys(changes)}`);
      }
      if (gentle) assert.ok(ways.sizes >= fast, `links taken up: ${JSON.stringify(ways)}`);
      else assert.ok(ways.all > 0 && ways.sizes > 0, JSON.stringify(ways));
    });
  }
}

test.run();
