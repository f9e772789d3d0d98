/**
 * Contexts whose objects get other mergeable pieces of the same lengths: when only what refers to pieces is written again, when more is, and
 * that every link gives what a link from nothing gives, byte for byte.
 */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { R_X86_64_32, R_X86_64_64, R_X86_64_GOTPCREL, R_X86_64_PC32, R_X86_64_PLT32, SHF_ALLOC, SHF_MERGE, SHF_STRINGS, SHF_WRITE, SHT_X86_64_UNWIND, STB_LOCAL, STT_FUNC, STT_OBJECT } from "../../as-kernels/shared/elf.ts";
import type { LinkOptions } from "../../ts/api/types.ts";
import { memoryFS } from "../../ts/index.ts";
import { ObjectBuilder } from "../helpers/object.ts";
import { prng } from "../helpers/prng.ts";
import { contextOf, disposeContexts, sameAsCold, wayOf, type Files } from "../helpers/relinks.ts";

const test = suite("api/relink-pieces");
test.after(disposeContexts);

interface Shape {
  strings: string[];
  /** Of `width` bytes each. */
  wide?: { texts: string[]; width: number };
  constants?: { bytes: number[]; entsize: number };
  /** A symbol for the second string. */
  name?: string;
  bind?: number;
  /** The symbol is at this offset, and only the first string is referred to besides. */
  at?: number;
  /** How else the first string is referred to. */
  use?: "data" | "got" | "unwind" | "text";
  code?: number;
}

const encoded = (texts: string[], width: number): Uint8Array => {
  const text = texts.map((each) => `${each}\0`).join("");
  const bytes = new Uint8Array(text.length * width);
  [...text].forEach((character, i) => (bytes[i * width] = character.charCodeAt(0)));
  return bytes;
};

/** Every piece is referred to from code; those of strings through the symbol of their section and the offset. */
function objectOf(start: string, { strings, wide, constants, name, bind = STB_LOCAL, at: fixed, use, code = 0x90 }: Shape): Uint8Array {
  const object = new ObjectBuilder();
  const text = object.text(new Uint8Array(256).fill(code));
  object.symbol(start, { in: text, type: STT_FUNC, size: 256 });
  let at = 0;
  const refer = (type: number, symbol: Parameters<typeof object.reloc>[3], addend: number): void => object.reloc(text, (at += 8) - 4, type, symbol, addend);
  if (start === "_start") for (const other of ["second", "third"]) refer(R_X86_64_PLT32, object.symbol(other), -4);
  const flags = SHF_ALLOC | SHF_MERGE | SHF_STRINGS;
  const literals = object.section(".rodata.str1.1", { flags, entsize: 1, data: encoded(strings, 1) });
  const offsets = strings.map((_, i) => strings.slice(0, i).reduce((sum, each) => sum + each.length + 1, 0));
  for (const offset of fixed === undefined ? offsets : [0]) refer(R_X86_64_PC32, object.sectionSymbol(literals), offset);
  if (name !== undefined) refer(R_X86_64_PC32, object.symbol(name, { in: literals, value: fixed ?? offsets[1]!, type: STT_OBJECT, bind }), -4);
  if (wide !== undefined) {
    const section = object.section(`.rodata.str${wide.width}.${wide.width}`, { flags, entsize: wide.width, align: wide.width, data: encoded(wide.texts, wide.width) });
    refer(R_X86_64_PC32, object.sectionSymbol(section), 0);
  }
  if (constants !== undefined) {
    const section = object.section(`.rodata.cst${constants.entsize}`, { flags: SHF_ALLOC | SHF_MERGE, entsize: constants.entsize, align: constants.entsize, data: new Uint8Array(constants.bytes) });
    for (let offset = 0; offset < constants.bytes.length; offset += constants.entsize) refer(R_X86_64_PC32, object.sectionSymbol(section), offset);
  }
  if (use === "got") refer(R_X86_64_GOTPCREL, object.sectionSymbol(literals), -4);
  if (use === "data" || use === "unwind") {
    // A CIE whose augmentation data (zP) is the address of a string, as nobody but a test would write it.
    const cie = [24, 0, 0, 0, 0, 0, 0, 0, 1, 0x7a, 0x50, 0, 1, 0x78, 0x10, 5, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const section = use === "data" ? object.data(new Uint8Array(16)) : object.section(".eh_frame", { type: SHT_X86_64_UNWIND, flags: SHF_ALLOC, data: new Uint8Array(cie), align: 8 });
    object.reloc(section, use === "data" ? 8 : 17, use === "data" ? R_X86_64_64 : R_X86_64_32, object.sectionSymbol(literals), 0);
  }
  if (use === "data") object.section(".data.more", { flags: SHF_ALLOC | SHF_WRITE, data: [1] });
  return object.bytes();
}

const SHAPES: Record<string, Shape> = {
  "a.o": { strings: ["one", "two", "three"], constants: { bytes: [1, 2, 3, 4, 5, 6, 7, 8], entsize: 4 } },
  "b.o": { strings: ["two", "four", "longer than one"], wide: { texts: ["wide", "mine"], width: 4 } },
  "c.o": { strings: ["three", "six"], wide: { texts: ["wide"], width: 4 }, constants: { bytes: [5, 6, 7, 8, 9, 9, 9, 9], entsize: 4 } },
};

const START: Record<string, string> = { "a.o": "_start", "b.o": "second", "c.o": "third" };

/** A context over SHAPES with some of them others; `relink` links after `changes`, compares, and says how it was done. */
async function linked(args: string[], shapes: Record<string, Shape> = {}): Promise<{ relink(changes: Record<string, Shape>, what?: string): Promise<string>; memory(): number }> {
  const files: Files = Object.fromEntries(Object.entries({ ...SHAPES, ...shapes }).map(([name, shape]) => [name, objectOf(START[name]!, shape)]));
  const options: LinkOptions = { args: [...args, ...Object.keys(files)] };
  const context = await contextOf({ ...options, fs: memoryFS({ ...files }) });
  await context.relink();
  let memory = 0;
  return {
    memory: () => memory,
    async relink(changes, what = "relink") {
      const objects = Object.fromEntries(Object.entries(changes).map(([name, shape]) => [name, objectOf(START[name]!, shape)]));
      Object.assign(files, objects);
      context.update(objects);
      const result = await context.relink();
      memory = result.stats.memory;
      await sameAsCold(result, options, files, what);
      return wayOf(result);
    },
  };
}

const A = SHAPES["a.o"]!;
const B = SHAPES["b.o"]!;

const LONG = "longer than one";

/** What becomes of b.o, and how the link is done; "sizes": not with --gc-sections, which keeps pieces that something refers to. */
const EDITS: [what: string, shape: Shape, way: string][] = [
  ["another string", { ...B, strings: ["two", "five", LONG] }, "contents"],
  ["one that is in another shard", { ...B, strings: ["two", "four", "longer than 1,2"] }, "contents"],
  ["a string that another object has, as it had the one before", { ...B, strings: ["one", "four", LONG] }, "contents"],
  ["a string and code", { ...B, strings: ["two", "five", LONG], code: 0xcc }, "contents"],
  ["wide characters", { ...B, wide: { texts: ["wide", "moan"], width: 4 } }, "contents"],
  ["a string that no other object has", { ...B, strings: ["too", "four", LONG] }, "sizes"],
  ["wide characters that were merged with others", { ...B, wide: { texts: ["wild", "mine"], width: 4 } }, "sizes"],
  ["two strings that change places", { ...B, strings: ["two", "four", LONG].reverse() }, "sizes"],
  ["a string that ends earlier", { ...B, strings: ["tw", "ofour", LONG] }, "sizes"],
  ["an empty string", { ...B, strings: ["two", "", `our,${LONG}`] }, "sizes"],
  ["a longer string", { ...B, strings: ["two", "fourth", LONG] }, "sizes"],
  ["a shorter string", { ...B, strings: ["two", "four", "long"] }, "sizes"],
  ["longer wide characters and code", { ...B, wide: { texts: ["wide", "mineral"], width: 4 }, code: 0xcc }, "sizes"],
  ["much more text", { ...B, strings: ["two", "four", LONG.repeat(9)] }, "sections"],
  ["one string less", { ...B, strings: ["two", `four, ${LONG.slice(1)}`] }, "sections"],
  ["one string more", { ...B, strings: ["tw", "", "four", LONG] }, "sections"],
];

for (const args of [["--threads=1"], ["--gc-sections", "--eh-frame-hdr", "--threads=2"], ["-O2", "--build-id=sha1", "--threads=1"], ["-O0", "--threads=1"]]) {
  test(`other pieces: ${args.join(" ")}`, async () => {
    const { relink } = await linked(args);
    for (const [what, shape, way] of EDITS) {
      const taken = await relink({ "b.o": shape }, what);
      // -O2: a string may be the end of another, and -O0 leaves all as they are.
      if (args[0] !== "-O2" && args[0] !== "-O0") assert.is(taken, way === "sizes" && args[0] === "--gc-sections" ? "sections" : way, what);
      await relink({ "b.o": B }, `${what}: taken back`);
    }
  });
}

test("constants", async () => {
  const { relink } = await linked([]);
  assert.is(await relink({ "a.o": { ...A, constants: { bytes: [1, 2, 3, 9, 5, 6, 7, 8], entsize: 4 } } }), "contents");
  assert.is(await relink({ "a.o": { ...A, constants: { bytes: [1, 2, 3, 9, 5, 6, 7, 9], entsize: 4 } } }, "one that another object has"), "sizes");
  assert.is(await relink({ "a.o": { ...A, constants: { bytes: [9, 9, 9, 9, 5, 6, 7, 8], entsize: 4 } } }, "others, which others have"), "sizes");
});

test("several objects, one after the other and at once", async () => {
  const { relink } = await linked([]);
  assert.is(await relink({ "a.o": { ...A, strings: ["0ne", "two", "three"] }, "b.o": { ...B, code: 0xcc } }), "contents");
  assert.is(await relink({ "a.o": A, "b.o": { ...B, strings: ["two", "4our", "longer than one"] } }), "contents");
  assert.is(await relink({ "a.o": { ...A, strings: ["0ne", "two", "three"] }, "b.o": { ...B, strings: ["two", "four", "five", "longer than one"] } }, "one with more pieces"), "sections");
  assert.is(await relink({ "b.o": { ...B, strings: ["two", "f0ur", "five", "longer than one"] } }), "contents");
});

const REFUSED: [what: string, args: string[], shape: Shape][] = [
  ["a symbol that is written", [], { ...B, name: "named" }],
  ["a global symbol", [], { ...B, name: "global", bind: 1 }],
  ["a local label that is written", ["--discard-none"], { ...B, name: ".Llabel" }],
  ["a pointer with a dynamic relocation", ["-pie"], { ...B, use: "data" }],
  ["a packed relocation", ["-pie", "-z", "pack-relative-relocs"], { ...B, use: "data" }],
  ["an entry of the global offset table", [], { ...B, use: "got" }],
  ["an unwind record", [], { ...B, use: "unwind" }],
  ["a build-id that is summed up while the output is written", ["--build-id"], B],
  ["hashes are verified", ["--verify-hashes"], B],
];

for (const [what, args, shape] of REFUSED) {
  test(`more is written again: ${what}`, async () => {
    const { relink } = await linked(args, { "b.o": shape });
    assert.is.not(await relink({ "b.o": { ...shape, strings: ["two", "five", "longer than one"] } }, what), "contents");
  });
}

test("not for local labels and pointers without dynamic relocations", async () => {
  for (const shape of [{ ...B, name: ".Llabel" }, { ...B, use: "data" } satisfies Shape]) {
    const { relink } = await linked([], { "b.o": shape });
    assert.is(await relink({ "b.o": { ...shape, strings: ["two", "five", "longer than one"] } }), "contents");
  }
});

test("pieces that end elsewhere, where nothing else tells", async () => {
  // The same bytes in all, and references to the same offsets.
  const plain: Shape = { ...B, at: 4 };
  const ends = [["two", "fourx", LONG], ["tw", "ofour", LONG], ["two", "four, and five", "six"], ["two", "", "our", LONG], [`two, four, ${LONG}`], ["two", "", "", "", "", LONG]];
  for (const args of [[], ["--gc-sections"]]) {
    const { relink } = await linked(args, { "b.o": plain });
    for (const name of [undefined, ".Llabel"]) {
      for (const strings of ends) {
        const shape = { ...plain, ...(name === undefined ? {} : { name }) };
        const bytes = strings.join("0").length;
        const before = ["two", "four", LONG.padEnd(bytes - 9, "!").slice(0, bytes - 9)];
        await relink({ "b.o": { ...shape, strings: before } }, `${name}: before ${strings}`);
        assert.is.not(await relink({ "b.o": { ...shape, strings } }, `${name}: ${strings}`), "contents");
      }
    }
    // The label is in another piece afterwards.
    await relink({ "b.o": { ...plain, name: ".Llabel", strings: ["two", "four", LONG] } });
    await relink({ "b.o": { ...plain, name: ".Llabel", strings: ["two, f", "r", LONG] } }, "a label in another piece");
  }
});

test("typing", async () => {
  const { relink } = await linked([]);
  const ways = [];
  for (let n = 0; n < 200; n++) ways.push(await relink({ "b.o": { ...B, strings: ["two", "x".repeat(n), LONG] } }, `${n} characters`));
  // Every 64 bytes the index of pieces grows.
  assert.is(ways.filter((way) => way !== "sizes" && way !== "contents").length, 3, ways.join());
});

for (const { args, longer, name } of [{ args: ["--gc-sections", "--threads=2"], longer: 0 }, { args: [], longer: 3 }, { args: [], longer: 2, name: ".Llabel" }, { args: ["-O2"], longer: 2, name: "named" }, { args: ["-pie"], longer: 1, name: ".Llabel" }]) {
  test(`random texts, many times, in the same memory: ${args}, ${longer} more bytes, ${name}`, async () => {
    const random = prng(7 + longer);
    const word = (bytes: number): string => Array.from({ length: bytes }, () => random.pick(["a", "b"])).join("");
    const shapes = Object.fromEntries(Object.entries(SHAPES).map(([file, shape]): [string, Shape] => [file, { ...shape, ...(name === undefined ? {} : { name }), use: "data" }]));
    const { relink, memory } = await linked(args, shapes);
    let soon = 0;
    let before = 0;
    for (let i = 0; i < 60; i++) {
      const changes = Object.fromEntries(Object.entries(shapes).filter(() => random.below(2) === 0).map(([file, shape]): [string, Shape] => [file, { ...shape, strings: shape.strings.map((text) => word(text.length + random.below(longer + 1))) }]));
      const taken = await relink(changes, `round ${i}`);
      soon += Number(taken === (longer === 0 ? "contents" : "sizes"));
      if (i === 30) before = memory();
    }
    assert.ok(soon > (name === undefined ? 10 : 0), `${soon} of 60`);
    assert.ok(memory() < before + (1 << 20), `${before}, then ${memory()}`);
  });
}

test.run();
