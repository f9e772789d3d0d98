/**
 * The links by which the build finds out what pages need for ordinary ones (called.ts): of the demo's objects, the playground's C
 * programs and what else is in a C library's or a C++ compiler's objects, to all kinds of output, once and again.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { R_X86_64_64, R_X86_64_GOTTPOFF, R_X86_64_PC32, R_X86_64_PLT32 } from "../as-kernels/shared/elf.ts";
import { SHF_ALLOC, SHF_TLS, SHF_WRITE, SHT_NOTE, STB_LOCAL, STB_WEAK, STT_FUNC, STT_GNU_IFUNC, STT_TLS } from "../as-kernels/shared/elf.ts";
import { ObjectBuilder } from "../test/helpers/object.ts";
import type { LocalEngine } from "../ts/api/context.ts";
import type * as EngineModule from "../ts/api/engine.ts";
import { parsedBefore } from "../ts/api/parse-line.ts";
import type { PackedOptions, remoteParser, unpackOptions } from "../ts/api/remote.ts";
import type { LinkOptions } from "../ts/api/types.ts";
import { warmLinks } from "./warm-links.ts";

/** What api/engine.ts exports, and: */
type Engine = typeof EngineModule & { unpackOptions: typeof unpackOptions; remoteParser: typeof remoteParser };

type Files = Map<string, Uint8Array>;

function filesOf(folder: string, prefix: string): [string, Uint8Array][] {
  return fs.readdirSync(folder).filter((name) => !name.endsWith(".br")).map((name) => [prefix + name, new Uint8Array(fs.readFileSync(path.join(folder, name)))]);
}

function muslFiles(): Files {
  const [objects, musl] = ["objects", "musl"].map((name) => path.join("playground/examples", name)) as [string, string];
  return new Map([...filesOf(objects, ""), ...filesOf(musl, ""), ["libc.a", new Uint8Array(brotliDecompressSync(fs.readFileSync(path.join(musl, "libc.a.br"))))]]);
}

/** GNU_PROPERTY_X86_ISA_1_NEEDED: baseline (gABI ch. 5 Note Section, x86-64 psABI). */
const ISA_NOTE = [4, 0, 0, 0, 16, 0, 0, 0, 5, 0, 0, 0, 0x47, 0x4e, 0x55, 0, 2, 0x80, 0, 0xc0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];

/** What an object of musl does not have: indirect functions, variables of threads, COMDAT groups, notes, warnings. */
function libraryObject(): Uint8Array {
  const object = new ObjectBuilder();
  // mov variable@gottpoff(%rip), %rax at 17
  const text = object.text(Uint8Array.from({ length: 64 }, (_, i) => [0x48, 0x8b, 0x05][i - 17] ?? 0));
  const data = object.data(new Uint8Array(32));
  const zeros = object.section(".tbss", { flags: SHF_ALLOC | SHF_WRITE | SHF_TLS, size: 16, align: 8 });
  const inline = object.text(new Uint8Array(16), ".text._ZN1aC2Ev");
  const indirect = object.symbol("indirect", { in: text, type: STT_GNU_IFUNC });
  const variable = object.symbol("variable", { in: zeros, type: STT_TLS, size: 8 });
  const constructor = object.symbol("_ZN1aC2Ev", { in: inline, type: STT_FUNC, bind: STB_WEAK });
  object.symbol("library", { in: text, value: 16, type: STT_FUNC });
  for (const [offset, type, symbol] of [[1, R_X86_64_PLT32, indirect], [8, R_X86_64_PC32, indirect], [20, R_X86_64_GOTTPOFF, variable], [40, R_X86_64_PLT32, constructor]] as const) object.reloc(text, offset, type, symbol, -4);
  ["indirect", "_end", "edata", "__bss_start"].forEach((name, i) => object.reloc(data, 8 * i, R_X86_64_64, i === 0 ? indirect : object.symbol(name)));
  object.group(constructor, [inline]);
  object.section(".note.gnu.property", { type: SHT_NOTE, flags: SHF_ALLOC, align: 8, data: ISA_NOTE });
  object.section(".gnu.warning.unused", { data: "unused is dangerous" });
  return object.bytes();
}

/** One of the objects that take each other's place: other contents, sizes, symbols, sections, strings. */
function changedObject(which: number): Uint8Array {
  const object = new ObjectBuilder();
  const text = object.text(new Uint8Array(which === 2 ? 96 : 48).fill(0x90 + which));
  const print = object.symbol("print");
  object.symbol("_start", { in: text, type: STT_FUNC });
  object.symbol("here", { in: text, value: 8, bind: STB_LOCAL });
  object.reloc(text, 4, R_X86_64_PLT32, print, -4);
  if (which === 3) object.symbol("added", { in: text, value: 16, type: STT_FUNC });
  if (which === 4) object.reloc(object.data(new Uint8Array(8), ".data.more"), 0, R_X86_64_64, print);
  const strings = object.section(".rodata.str1.1", { flags: 0x32, entsize: 1, data: which === 5 ? "one\0two\0" : "one\0" });
  object.reloc(text, 12, R_X86_64_64, object.sectionSymbol(strings));
  return object.bytes();
}

const CHANGES = [0, 1, 0, 1, 2, 3, 4, 5, 0, 1, 0];
const START = ["crt1.o", "crti.o"];
const END = ["libc.a", "crtn.o"];
const FIRST = 2;

/** With musl. The first FIRST of them: firstLinks. */
const LINKS: string[][] = [
  ["-static", ...START, "hello.o", ...END],
  ["-static", "--eh-frame-hdr", "-u", "library", ...START, "area.o", "shapes.o", "library.o", "--start-group", "libc.a", "--end-group", "crtn.o"],
  ["-static", "--gc-sections", "--eh-frame-hdr", "--build-id", ...START, "mandelbrot.o", "library.o", "--start-group", "libc.a", "--end-group", "crtn.o"],
  ["-static", "-u", "library", ...START, "area.o", "shapes.o", "library.o", ...END],
  ["-pie", "-dynamic-linker", "/lib/ld.so", "-e", "library", "-z", "now", "library.o"],
  ["-shared", "-Bsymbolic", "-O1", "-z", "noexecstack", "library.o"],
  ["-static", "-s", "-Ttext=0x500000", "-e", "main", "count.o", "counter.o"],
];

type Given = (args: string[], files: Files) => [LocalEngine, LinkOptions];

/** Options as a page sends them, as its worker gives them to the engine. */
async function givenTo({ compileKernels, createEngine, unpackOptions, remoteParser }: Engine, kernels: Uint8Array): Promise<Given> {
  const { parsing } = createEngine(await compileKernels(kernels), null);
  return (args, files) => {
    const packed: PackedOptions = { plain: { args }, inputs: undefined, script: undefined, fs: [{ memory: [...files] }], hooks: [], progress: false, parsed: parsedBefore({ args }) };
    return [parsing(remoteParser(packed, null)), unpackOptions(packed, null)];
  };
}

async function run(given: Given, args: string[], files: Files): Promise<Uint8Array> {
  const [engine, options] = given(args, files);
  const { ok, output, diagnostics } = await engine.link(options, []);
  if (!ok) throw new Error(`${args.join(" ")}: ${diagnostics.map(({ message }) => message).join("\n")}`);
  return output;
}

const musl = (): Files => muslFiles().set("library.o", libraryObject());

/** Static programs in C and C++: what they call is called by about every first link in a page. */
export async function firstLinks(engine: Engine, kernels: Uint8Array): Promise<void> {
  const given = await givenTo(engine, kernels);
  const files = musl();
  for (const args of LINKS.slice(0, FIRST)) await run(given, args, files);
}

export async function ordinaryLinks(engine: Engine, kernels: Uint8Array): Promise<void> {
  const given = await givenTo(engine, kernels);
  const folder = path.resolve("dist/build", `ordinary.${process.pid}`);
  fs.mkdirSync(folder, { recursive: true });
  try {
    // A page does not read response files.
    const links = warmLinks(folder).map((args) => args.flatMap((word) => (word.startsWith("@") ? fs.readFileSync(word.slice(1), "utf8").split("\n") : [word])));
    const files = new Map([...filesOf("build/demo", "build/demo/"), ...filesOf(folder, `${folder}/`)]);
    for (const args of links) files.set(args[args.indexOf("-o") + 1]!, await run(given, args, files));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  const files = musl();
  for (const args of LINKS) await run(given, args, files);
  const [local, options] = given(["-static", "--gc-sections", "changed.o", "print.o", "steps.o"], new Map(filesOf("build/demo", "")));
  const context = local.open(options, []);
  for (const which of CHANGES) {
    context.change([["changed.o", changedObject(which)]]);
    const { ok } = await context.link({});
    if (!ok) throw new Error(`changed.o ${which} does not link`);
  }
  await context.end();
}
