/**
 * What contexts keep of objects that stay when another gets other sections: pieces, unwind records, what symbols need; and members of
 * archives that are replaced. Every link gives what a link from nothing gives, byte for byte.
 */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  R_X86_64_64, R_X86_64_GOTPCREL, R_X86_64_PC32, R_X86_64_PLT32, SHF_ALLOC, SHF_EXECINSTR, SHF_MERGE, SHF_STRINGS, SHF_WRITE, SHT_X86_64_UNWIND, STT_FUNC,
} from "../../as-kernels/shared/elf.ts";
import type { LinkOptions } from "../../ts/api/types.ts";
import { link, memoryFS } from "../../ts/index.ts";
import { archive, ObjectBuilder, type Section, type Sym } from "../helpers/object.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { contextOf, disposeContexts, sameAsCold, wayOf, type Files } from "../helpers/relinks.ts";

const test = suite("api/relink-kept");
test.after(disposeContexts);

interface Shape {
  /** Functions in sections of their own, with what they refer to: `name:call,@got,&address`. */
  functions: string[];
  strings: string[];
  /** Functions without an unwind record. */
  bare?: boolean;
  /** Strings in sections of their own. */
  more?: string[];
  /** Debug strings. */
  debug?: string[];
  /** Functions that a .ctors section names: they run last to first. */
  constructors?: string[];
}

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
const CIE = [16, 0, 0, 0, 0, 0, 0, 0, 1, 0x7a, 0x52, 0, 1, 0x78, 0x10, 1, 0x1b, 0, 0, 0];
const SIZE = 48;

/** An FDE of the CIE at the start: 20 bytes, the code's address at byte 8. */
function addRecord(unwind: Section, object: ObjectBuilder, code: Sym): void {
  const at = unwind.data.length;
  const view = new DataView(new ArrayBuffer(20));
  [16, at + 4, 0, SIZE].forEach((value, i) => view.setUint32(4 * i, value, true));
  unwind.data = new Uint8Array([...unwind.data, ...new Uint8Array(view.buffer)]);
  unwind.size = unwind.data.length;
  object.reloc(unwind, at + 8, R_X86_64_PC32, code, 0);
}

function objectOf({ functions, strings, bare = false, more = [], debug = [], constructors = [] }: Shape): Uint8Array {
  const object = new ObjectBuilder();
  const symbols = new Map<string, Sym>();
  const symbolOf = (name: string): Sym => {
    if (!symbols.has(name)) symbols.set(name, object.symbol(name));
    return symbols.get(name)!;
  };
  const sections = functions.map((text) => {
    const name = text.split(":")[0]!;
    const section = object.section(`.text.${name}`, { flags: SHF_ALLOC | SHF_EXECINSTR, data: new Uint8Array(SIZE).fill(0x90), align: 16 });
    symbols.set(name, object.symbol(name, { in: section, type: STT_FUNC, size: SIZE }));
    return section;
  });
  const literals = strings.length === 0 ? null : object.section(".rodata.str1.1", { flags: SHF_ALLOC | SHF_MERGE | SHF_STRINGS, entsize: 1, data: bytesOf(strings.map((text) => `${text}\0`).join("")) });
  const unwind = bare ? null : object.section(".eh_frame", { type: SHT_X86_64_UNWIND, flags: SHF_ALLOC, data: new Uint8Array(CIE), align: 8 });
  const data = object.section(".data", { flags: SHF_ALLOC | SHF_WRITE, data: new Uint8Array(16 * functions.length), align: 8 });
  functions.forEach((text, i) => {
    const [, uses = ""] = text.split(":");
    const section = sections[i]!;
    if (unwind !== null) addRecord(unwind, object, object.sectionSymbol(section));
    uses.split(",").filter((use) => use !== "").forEach((use, k) => {
      const [how, target] = "@&".includes(use[0]!) ? [use[0], use.slice(1)] : ["", use];
      if (how === "&") object.reloc(data, 16 * i, R_X86_64_64, symbolOf(target), 0);
      else object.reloc(section, 8 * k + 2, how === "@" ? R_X86_64_GOTPCREL : R_X86_64_PLT32, symbolOf(target), -4);
    });
    if (literals !== null) object.reloc(data, 16 * i + 8, R_X86_64_64, object.sectionSymbol(literals), i % strings.length);
  });
  more.forEach((text, i) => object.section(`.rodata.${i}.str1.1`, { flags: SHF_ALLOC | SHF_MERGE | SHF_STRINGS, entsize: 1, data: bytesOf(`${text}\0`) }));
  if (debug.length > 0) object.section(".debug_str", { flags: SHF_MERGE | SHF_STRINGS, entsize: 1, data: bytesOf(debug.map((text) => `${text}\0`).join("")) });
  if (constructors.length > 0) {
    const section = object.section(".ctors", { flags: SHF_ALLOC | SHF_WRITE, data: new Uint8Array(8 * constructors.length), align: 8 });
    constructors.forEach((name, i) => object.reloc(section, 8 * i, R_X86_64_64, symbolOf(name), 0));
  }
  return object.bytes();
}

async function sharedObject(): Promise<Uint8Array> {
  const names = ["ext0", "ext1", "ext2"];
  const bytes = objectOf({ functions: names, strings: [], bare: true });
  return (await link({ args: ["-shared", "-soname", "libs.so", "s.o"], fs: memoryFS({ "s.o": bytes }) })).output;
}

const SHAPES: Record<string, Shape> = {
  "a.o": { functions: ["_start:f,g,ext0"], strings: ["one", "two"] },
  "b.o": { functions: ["f:h,@ext1", "f2:&ext2"], strings: ["two", "three"] },
  "c.o": { functions: ["g:ext0,@f", "h:m", "unused:ext2"], strings: ["four"] },
};
const MEMBERS: Record<string, Shape> = {
  "m.o": { functions: ["m:n"], strings: ["member"] },
  "n.o": { functions: ["n:ext1"], strings: ["one", "member"] },
  "away.o": { functions: ["away"], strings: [] },
};

/** Functions of its own come and go, with all they refer to; others' are its subject, too. */
function edit(random: Prng, shape: Shape, id: string, fixed: number): Shape {
  const names = ["ext0", "ext1", "ext2", "f", "g", "h", "m", "n"];
  const use = (): string => random.pick(["", "@", "&"]) + random.pick(names);
  const own = Array.from({ length: random.below(4) }, (_, i) => `own${id}${i}:${use()},${use()}`);
  const functions = shape.functions.slice(0, fixed).map((text) => (random.chance(0.4) ? `${text}${text.includes(":") ? "," : ":"}${own.length > 0 && random.chance(0.7) ? `own${id}0` : use()}` : text));
  const strings = [...shape.strings, ...Array.from({ length: random.below(3) }, () => `text ${random.below(6)}`)];
  return { functions: [...functions, ...own].map((text) => text.split(",").slice(0, 5).join(",")), strings: random.chance(0.1) ? [] : strings, bare: random.chance(0.15) };
}

const KINDS = [["-pie", "--gc-sections", "--eh-frame-hdr"], ["--eh-frame-hdr", "-O2"], ["-shared", "--gc-sections"], ["-pie", "--gc-sections", "-z", "pack-relative-relocs", "--as-needed"]];

for (const [seed, kind] of KINDS.entries()) {
  test(`needs, strings and unwind records of objects and members come and go: ${kind.join(" ")}`, async () => {
    const random = prng(seed + 7);
    const shapes = { ...SHAPES, ...MEMBERS };
    const files: Files = { "libs.so": await sharedObject() };
    const library = (): Uint8Array => archive(Object.keys(MEMBERS).map((name) => ({ name, data: objectOf(shapes[name]!), symbols: [shapes[name]!.functions[0]!.split(":")[0]!] })));
    for (const name of Object.keys(SHAPES)) files[name] = objectOf(shapes[name]!);
    files["lib.a"] = library();
    const options: LinkOptions = { args: [...kind, "--build-id", `--threads=${1 + (seed % 2)}`, ...Object.keys(SHAPES), "lib.a", "libs.so"] };
    const context = await contextOf({ ...options, fs: memoryFS({ ...files }) });
    await context.relink();
    const ways = { all: 0, sections: 0, sizes: 0, contents: 0 };
    for (let step = 0; step < 60; step++) {
      const changes: Files = {};
      for (let n = random.between(1, 2); n > 0; n--) {
        const name = random.pick([...Object.keys(SHAPES), "m.o", "n.o"]);
        const first = { ...SHAPES, ...MEMBERS }[name]!;
        shapes[name] = random.chance(0.2) ? first : edit(random, first, name[0]!, first.functions.length);
        const file = name in MEMBERS ? "lib.a" : name;
        changes[file] = files[file] = file === name ? objectOf(shapes[name]!) : library();
      }
      context.update(changes);
      const result = await context.relink({ throwOnError: false });
      ways[wayOf(result)]++;
      await sameAsCold(result, options, files, `step ${step}: ${Object.keys(changes)}`);
    }
    assert.ok(ways.sections > 15, JSON.stringify(ways));
  });
}

/** Links after each replacement of one object; how each was done. */
async function waysOf(first: Record<string, Shape>, edits: [file: string, shape: Shape][]): Promise<string[]> {
  const files: Files = Object.fromEntries(Object.entries(first).map(([name, shape]) => [name, objectOf(shape)]));
  const options: LinkOptions = { args: ["--unresolved-symbols=ignore-all", "--threads=1", ...Object.keys(files)] };
  const context = await contextOf({ ...options, fs: memoryFS({ ...files }) });
  await context.relink();
  const ways: string[] = [];
  for (const [name, shape] of edits) {
    files[name] = objectOf(shape);
    context.update({ [name]: files[name]! });
    const result = await context.relink();
    await sameAsCold(result, options, files, `${name}: ${JSON.stringify(shape)}`);
    ways.push(wayOf(result));
  }
  return ways;
}

test("strings that got other lengths stay so when another object gets other sections, beside debug strings", async () => {
  const debug = ["int", "unsigned"];
  const [b, c] = [{ ...SHAPES["b.o"]!, debug }, { ...SHAPES["c.o"]!, debug }];
  const edits: [string, Shape][] = [["b.o", { ...b, strings: ["two of these", "x"] }], ["c.o", { ...c, functions: [...c.functions, "more"] }], ["b.o", { ...b, strings: ["t", "three"] }], ["c.o", c]];
  assert.equal(await waysOf({ ...SHAPES, "b.o": b, "c.o": c }, edits), ["sizes", "sections", "sizes", "sections"]);
});

test("one of many sections with strings is another", async () => {
  const c = { ...SHAPES["c.o"]!, more: ["first", "middle", "last"] };
  const edits: [string, Shape][] = [["c.o", { ...c, more: ["first", "elddim", "last"] }], ["c.o", c], ["c.o", { ...c, more: ["first", "middle but longer", "last"] }]];
  assert.equal(await waysOf({ ...SHAPES, "c.o": c }, edits), ["contents", "contents", "sizes"]);
});

test("constructors in .ctors run in the same order after every link", async () => {
  const constructors = ["f", "g", "h"];
  const b = { ...SHAPES["b.o"]!, constructors };
  const more = (functions: string[]): Shape => ({ ...SHAPES["c.o"]!, functions: [...SHAPES["c.o"]!.functions, ...functions] });
  const edits: [string, Shape][] = [["c.o", more(["more"])], ["c.o", more(["more:f"])], ["b.o", { ...b, constructors: ["g", "f", "h"] }], ["b.o", SHAPES["b.o"]!], ["b.o", b], ["c.o", more([])], ["b.o", b]];
  assert.equal(await waysOf({ ...SHAPES, "b.o": b }, edits), ["all", "all", "all", "all", "sections", "all", "all"]);
});

test("more strings and records than there is room for", async () => {
  const files: Files = Object.fromEntries(Object.entries(SHAPES).map(([name, shape]) => [name, objectOf(shape)]));
  const rest = { "m.o": objectOf({ functions: ["m", "n", "ext0", "ext1", "ext2"], strings: [] }) };
  Object.assign(files, rest);
  const options: LinkOptions = { args: ["-pie", "--gc-sections", "--eh-frame-hdr", "--threads=1", ...Object.keys(files)] };
  const context = await contextOf({ ...options, fs: memoryFS({ ...files }) });
  await context.relink();
  let fromNothing = 0;
  for (let i = 0; i < 60; i++) {
    const functions = Array.from({ length: (i * 7) % 40 }, (_, k) => `many${k}:h`);
    files["b.o"] = objectOf({ functions: [...SHAPES["b.o"]!.functions, ...functions], strings: Array.from({ length: 30 + ((i * 5) % 60) }, (_, k) => `text ${i % 7} ${k}`) });
    context.update({ "b.o": files["b.o"]! });
    const result = await context.relink();
    fromNothing += Number(wayOf(result) === "all");
    await sameAsCold(result, options, files, `round ${i}`);
  }
  assert.ok(fromNothing < 12, `${fromNothing} links from the beginning`);
});

// ---- members of archives ----

test("members that are replaced are taken up, whatever stands behind them; others are not", async () => {
  const shapes: Record<string, Shape> = { ...MEMBERS };
  const start = objectOf({ functions: ["_start:m"], strings: [] });
  const files: Files = { "a.o": start, "libs.so": await sharedObject() };
  const library = (names = Object.keys(MEMBERS)): Uint8Array => archive(names.map((name) => ({ name, data: objectOf(shapes[name]!), symbols: [shapes[name]!.functions[0]!.split(":")[0]!] })));
  files["lib.a"] = library();
  const options: LinkOptions = { args: ["--gc-sections", "--threads=1", "a.o", "lib.a", "libs.so"] };
  const context = await contextOf({ ...options, fs: memoryFS({ ...files }) });
  const relink = async (bytes: Uint8Array, what: string): Promise<string> => {
    files["lib.a"] = bytes;
    context.update({ "lib.a": bytes });
    const result = await context.relink({ throwOnError: false });
    await sameAsCold(result, options, files, what);
    return wayOf(result);
  };
  assert.is(await relink(files["lib.a"]!, "first link"), "all");
  const replaced = (name: string, shape: Shape): Uint8Array => {
    shapes[name] = shape;
    return library();
  };
  assert.is(await relink(replaced("m.o", { functions: ["m:n", "more"], strings: ["member", "other"] }), "more functions"), "sections");
  assert.is(await relink(replaced("m.o", { functions: ["m:n,n", "more"], strings: ["member", "other"] }), "another call"), "sizes");
  assert.is(await relink(replaced("m.o", MEMBERS["m.o"]!), "as before"), "sections");
  assert.is(await relink(replaced("n.o", { functions: ["n:ext1", "own"], strings: ["member"] }), "the second one"), "sections");
  assert.is(await relink(replaced("away.o", { functions: ["away", "further"], strings: [] }), "one that nobody wants"), "all");
  assert.is(await relink(library(["n.o", "m.o", "away.o"]), "another order"), "all");
  assert.is(await relink(library(["n.o", "m.o"]), "one member less"), "all");
  const truncated = library(["n.o", "m.o"]).slice(0, -40);
  assert.is(await relink(truncated, "truncated"), "all");
});

test.run();
