/**
 * Contexts whose objects get other sections: what is taken up after set-visibility, what is linked from the beginning, and that both give
 * what a link from nothing gives, byte for byte. Random edits are in relink.test.ts and relink-symbols.test.ts.
 */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { R_X86_64_PLT32, SHF_ALLOC, SHF_EXECINSTR, SHF_MERGE, SHF_STRINGS, SHF_WRITE, SHT_NOBITS, SHT_NOTE, STB_WEAK, STT_FUNC, STT_OBJECT, STV_HIDDEN } from "../../as-kernels/shared/elf.ts";
import type { LinkOptions } from "../../ts/api/types.ts";
import { memoryFS } from "../../ts/index.ts";
import { ObjectBuilder, type Sym } from "../helpers/object.ts";
import { contextOf, disposeContexts, sameAsCold, wayOf, type Files } from "../helpers/relinks.ts";

const test = suite("api/relink-sections");
test.after(disposeContexts);

interface Shape {
  /** Functions in sections of their own, by name; those they call come after the colon. */
  functions: string[];
  /** In COMDAT groups of their own. */
  inline?: string[];
  hidden?: boolean;
  strings?: string[];
  zeros?: string[];
  note?: string;
}

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));

function objectOf({ functions, inline = [], hidden = false, strings = [], zeros = [], note = "" }: Shape): Uint8Array {
  const object = new ObjectBuilder();
  const symbols = new Map<string, Sym>();
  const calls: (() => void)[] = [];
  const visibility = hidden ? STV_HIDDEN : 0;
  for (const text of functions) {
    const [name, callees = ""] = text.split(":");
    const section = object.section(`.text.${name}`, { flags: SHF_ALLOC | SHF_EXECINSTR, data: new Uint8Array(32).fill(0x90), align: 16 });
    symbols.set(name!, object.symbol(name!, { in: section, type: STT_FUNC, size: 32 }));
    calls.push(() =>
      callees.split(",").filter((callee) => callee !== "").forEach((callee, i) => {
        if (!symbols.has(callee)) symbols.set(callee, object.symbol(callee));
        object.reloc(section, 5 * i + 1, R_X86_64_PLT32, symbols.get(callee)!, -4);
      }),
    );
  }
  for (const name of inline) {
    const section = object.section(`.text.${name}`, { flags: SHF_ALLOC | SHF_EXECINSTR, data: new Uint8Array(16).fill(0xc3), align: 16 });
    const symbol = object.symbol(name, { in: section, type: STT_FUNC, size: 16, bind: STB_WEAK, visibility });
    symbols.set(name, symbol);
    object.group(symbol, [section]);
  }
  if (strings.length > 0) object.section(".rodata.str1.1", { flags: SHF_ALLOC | SHF_MERGE | SHF_STRINGS, entsize: 1, data: bytesOf(strings.map((text) => `${text}\0`).join("")) });
  for (const name of zeros) {
    const section = object.section(`.bss.${name}`, { type: SHT_NOBITS, flags: SHF_ALLOC | SHF_WRITE, size: 64, align: 32 });
    object.symbol(name, { in: section, type: STT_OBJECT, size: 64, bind: 0 });
  }
  if (note !== "") object.section(".note.some", { type: SHT_NOTE, flags: SHF_ALLOC, data: bytesOf(note), align: 4 });
  for (const call of calls) call();
  return object.bytes();
}

const SHAPES: Record<string, Shape> = {
  "a.o": { functions: ["_start:f,g", "spare:g"], inline: ["early"], strings: ["one", "two"] },
  "b.o": { functions: ["f:h"], inline: ["early", "late"], strings: ["two", "three"], zeros: ["z0"] },
  "c.o": { functions: ["g", "h"], inline: ["late", "only"], note: "noted   " },
};

/** What becomes of an object, and how the link is done. */
const EDITS: [what: string, file: string, shape: Shape, way: string][] = [
  ["a function", "b.o", { ...SHAPES["b.o"]!, functions: ["f:h", "added"] }, "sections"],
  ["a function before the others", "b.o", { ...SHAPES["b.o"]!, functions: ["added:h", "f:h,added"] }, "sections"],
  ["no function that nobody calls", "a.o", { ...SHAPES["a.o"]!, functions: ["_start:f,g"] }, "sections"],
  ["a string", "b.o", { ...SHAPES["b.o"]!, strings: ["two", "three", "four"] }, "sections"],
  ["no strings", "b.o", { ...SHAPES["b.o"]!, strings: [] }, "sections"],
  ["strings for the first time", "c.o", { ...SHAPES["c.o"]!, strings: ["one", "five"] }, "sections"],
  ["variables", "b.o", { ...SHAPES["b.o"]!, zeros: ["z0", "z1", "z2"] }, "sections"],
  ["an inline function that nobody has", "b.o", { ...SHAPES["b.o"]!, inline: ["early", "late", "fresh"] }, "sections"],
  ["an inline function that an object before it has", "c.o", { ...SHAPES["c.o"]!, inline: ["late", "only", "early"] }, "sections"],
  ["one less that it had alone", "c.o", { ...SHAPES["c.o"]!, inline: ["late"] }, "sections"],
  ["one less of which another copy is kept", "c.o", { ...SHAPES["c.o"]!, inline: ["only"] }, "sections"],
  ["one less that another object has", "b.o", { ...SHAPES["b.o"]!, inline: ["early"] }, "all"],
  ["an inline function that an object behind it has", "a.o", { ...SHAPES["a.o"]!, inline: ["early", "late"] }, "all"],
  ["hidden inline functions", "c.o", { ...SHAPES["c.o"]!, inline: ["late", "only", "unseen"], hidden: true }, "all"],
  ["another note", "c.o", { ...SHAPES["c.o"]!, note: "another " }, "all"],
  ["a call of what nobody defines", "c.o", { ...SHAPES["c.o"]!, functions: ["g:nobody", "h"] }, "all"],
  ["a function that is there", "c.o", { ...SHAPES["c.o"]!, functions: ["g", "h", "f"] }, "all"],
];

for (const args of [["--build-id", "--threads=1"], ["-pie", "--gc-sections", "--build-id=fast", "--threads=2"], ["-shared", "--threads=1"]]) {
  test(`sections come and go: ${args.join(" ")}`, async () => {
    const files: Files = Object.fromEntries(Object.entries(SHAPES).map(([name, shape]) => [name, objectOf(shape)]));
    const options: LinkOptions = { args: [...args, ...Object.keys(SHAPES)] };
    const context = await contextOf({ ...options, fs: memoryFS({ ...files }) });
    const relink = async (name: string, shape: Shape, what: string): Promise<string> => {
      files[name] = objectOf(shape);
      context.update({ [name]: files[name]! });
      const result = await context.relink({ throwOnError: false });
      await sameAsCold(result, options, files, what);
      return wayOf(result);
    };
    await relink("a.o", SHAPES["a.o"]!, "first link");
    for (const [what, name, shape, way] of EDITS) {
      const taken = await relink(name, shape, what);
      if (!args.includes("-shared") && taken !== way) throw new Error(`${what}: ${taken}, not ${way}`);
      const back = await relink(name, SHAPES[name]!, `${what}: taken back`);
      if (way === "sections" && !args.includes("-shared")) assert.is(back, "sections", `${what}: taken back`);
    }
  });
}

for (const args of [["-pie", "--threads=1"], ["--gc-sections", "--build-id", "--threads=2"]]) {
  test(`names of the linker are referred to and no longer, which others refer to or nobody: ${args.join(" ")}`, async () => {
    const names = ["_GLOBAL_OFFSET_TABLE_", "_end", "__ehdr_start"];
    const files: Files = Object.fromEntries(Object.entries(SHAPES).map(([name, shape]) => [name, objectOf(shape)]));
    files["b.o"] = objectOf({ ...SHAPES["b.o"]!, functions: [`f:h,${names[0]},${names[1]}`] });
    const options: LinkOptions = { args: [...args, ...Object.keys(SHAPES)] };
    const context = await contextOf({ ...options, fs: memoryFS({ ...files }) });
    await context.relink();
    const ways: string[] = [];
    for (const wanted of [[names[0]!], [], [names[1]!, names[0]!], [names[2]!], [names[0]!, names[2]!], []]) {
      for (const name of ["a.o", "c.o"]) {
        const [first, ...rest] = SHAPES[name]!.functions;
        files[name] = objectOf({ ...SHAPES[name]!, functions: [[first, ...wanted].join(first!.includes(":") ? "," : ":").replace(/:([^:]*):/, ":$1,"), ...rest, ...wanted.map((_, i) => `fresh${i}of${name[0]}`)] });
        context.update({ [name]: files[name]! });
        const result = await context.relink();
        ways.push(wayOf(result));
        await sameAsCold(result, options, files, `${name}: ${wanted}`);
      }
    }
    assert.ok(ways.filter((way) => way !== "all").length >= 6, ways.join());
  });
}

test("several objects get other sections at once, many times", async () => {
  const files: Files = Object.fromEntries(Object.entries(SHAPES).map(([name, shape]) => [name, objectOf(shape)]));
  const options: LinkOptions = { args: ["-pie", "--gc-sections", "--threads=1", ...Object.keys(SHAPES)] };
  const context = await contextOf({ ...options, fs: memoryFS({ ...files }) });
  await context.relink();
  let fromNothing = 0;
  for (let i = 0; i < 60; i++) {
    const changes: Files = {};
    for (const [k, [name, shape]] of Object.entries(SHAPES).entries()) {
      const functions = [...shape.functions, ...Array.from({ length: (i * (k + 2)) % 5 }, (_, n) => `more${k}x${n}:h`)];
      changes[name] = files[name] = objectOf({ ...shape, functions, zeros: i % 3 === k ? ["z0", "z9"] : [], strings: [`text ${i % 4}`] });
    }
    context.update(changes);
    const result = await context.relink();
    await sameAsCold(result, options, files, `round ${i}`);
    fromNothing += Number(wayOf(result) === "all");
  }
  assert.ok(fromNothing < 10, `${fromNothing} links from the beginning`);
});

test.run();
