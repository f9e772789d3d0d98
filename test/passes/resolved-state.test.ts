/**
 * A link that is taken up after set-visibility: every column of the tables that were there is as it was, whatever later passes have written.
 *
 * A column that a later pass begins to write has to be taken back as well (clearLate and copyGlobals of the replace-object kernel):
 * the links here are made of what makes passes write.
 */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  R_X86_64_64, R_X86_64_GOTPCREL, R_X86_64_GOTTPOFF, R_X86_64_PC32, R_X86_64_PLT32, R_X86_64_TLSGD, SHF_ALLOC, SHF_MERGE, SHF_STRINGS, SHF_TLS, SHF_WRITE, STB_WEAK, STT_FUNC,
  STT_GNU_IFUNC, STT_OBJECT, STT_TLS, STV_HIDDEN,
} from "../../as-kernels/shared/elf.ts";
import { Session, type Kept, type Runtime } from "../../ts/api/link.ts";
import { parseHere } from "../../ts/api/parse-line.ts";
import { createNodePlatform } from "../../ts/host/node.ts";
import { link, memoryFS } from "../../ts/index.ts";
import { Machine } from "../../ts/memory/machine.ts";
import { TABLES, type TableName } from "../../ts/memory/schema.ts";
import { attachTables } from "../../ts/memory/table.ts";
import { restoreResolved } from "../../ts/passes/resolved-state.ts";
import { fixtures } from "../api/fixtures.ts";
import { ObjectBuilder } from "../helpers/object.ts";

const test = suite("passes/resolved-state");

/** Those that set-visibility leaves with rows. */
const EARLY = ["obj", "slot", "group", "esym", "sym", "gsym", "isec"] as const satisfies TableName[];

/** Refers to symbols of all kinds in all ways. */
function objectWithNeeds(): Uint8Array {
  const object = new ObjectBuilder();
  const code = new Uint8Array(256).fill(0x90);
  // mov variable@gottpoff(%rip), %rax; data16 lea variable@tlsgd(%rip), %rdi; data16 data16 rex.W call __tls_get_addr
  code.set([0x48, 0x8b, 0x05], 97);
  code.set([0x66, 0x48, 0x8d, 0x3d, 0, 0, 0, 0, 0x66, 0x66, 0x48, 0xe8], 112);
  const text = object.text(code, ".text.needs");
  const inline = object.text(new Uint8Array(16).fill(0x90), ".text.inline");
  const data = object.data(new Uint8Array(64));
  const strings = object.section(".rodata.str1.1", { flags: SHF_ALLOC | SHF_MERGE | SHF_STRINGS, entsize: 1, data: "one\0two\0one\0" });
  const set = object.section("set_of_things", { flags: SHF_ALLOC | SHF_WRITE, data: new Uint8Array(8), align: 8 });
  const local = object.section(".tbss", { flags: SHF_ALLOC | SHF_WRITE | SHF_TLS, size: 16, align: 8 });
  const needs = object.symbol("needs", { in: text, type: STT_FUNC, size: 256 });
  const signature = object.symbol("inline", { in: inline, type: STT_FUNC, bind: STB_WEAK, size: 16 });
  object.group(signature, [inline]);
  const thing = object.symbol("thing", { in: data, type: STT_OBJECT, size: 8 });
  const variable = object.symbol("variable", { in: local, type: STT_TLS, size: 8 });
  const indirect = object.symbol("indirect", { in: text, value: 200, type: STT_GNU_IFUNC });
  const string = object.symbol("string", { in: strings, value: 4, type: STT_OBJECT, size: 4, visibility: STV_HIDDEN });
  const from = (at: number, type: number, symbol: typeof needs, addend = -4): void => void object.reloc(text, at, type, symbol, addend);
  [signature, indirect, object.symbol("absent", { bind: STB_WEAK }), object.symbol("elsewhere")].forEach((symbol, i) => from(8 * i + 1, R_X86_64_PLT32, symbol));
  [needs, thing, indirect, object.common("other", 16, 8)].forEach((symbol, i) => from(64 + 8 * i + 3, R_X86_64_GOTPCREL, symbol));
  from(100, R_X86_64_GOTTPOFF, variable);
  from(116, R_X86_64_TLSGD, variable);
  from(124, R_X86_64_PLT32, object.symbol("__tls_get_addr", { bind: STB_WEAK }));
  from(132, R_X86_64_PC32, object.sectionSymbol(strings), 4);
  from(140, R_X86_64_PC32, string);
  [needs, thing, string, indirect].forEach((symbol, i) => object.reloc(data, 8 * i, R_X86_64_64, symbol, 0));
  object.reloc(data, 40, R_X86_64_64, object.symbol("__start_set_of_things"), 0);
  object.reloc(set, 0, R_X86_64_64, thing, 0);
  return object.bytes();
}

/** What a program takes from a shared object: copies of its variables, functions by their addresses. */
async function sharedFiles(): Promise<Record<string, Uint8Array>> {
  const library = new ObjectBuilder();
  library.symbol("copied", { in: library.data(new Uint8Array(16)), type: STT_OBJECT, size: 16 });
  library.symbol("called", { in: library.text(new Uint8Array(16)), type: STT_FUNC, size: 16 });
  const { output } = await link({ inputs: [{ name: "library.o", data: library.bytes() }], kind: "shared" });
  const user = new ObjectBuilder();
  const text = user.text(new Uint8Array(32));
  user.symbol("user", { in: text, type: STT_FUNC, size: 32 });
  user.reloc(text, 4, R_X86_64_PC32, user.symbol("copied"), -4);
  user.reloc(text, 12, R_X86_64_PC32, user.symbol("called"), -4);
  user.reloc(text, 20, R_X86_64_PC32, user.symbol("_end"), -4);
  return { "libshared.so": output, "user.o": user.bytes() };
}

async function files(): Promise<Record<string, Uint8Array>> {
  const elsewhere = new ObjectBuilder();
  for (const name of ["elsewhere", "does_not_exist"]) elsewhere.symbol(name, { in: elsewhere.text(new Uint8Array(16), `.text.${name}`), type: STT_FUNC, size: 16 });
  return { ...fixtures(), ...(await sharedFiles()), "needs.o": objectWithNeeds(), "elsewhere.o": elsewhere.bytes() };
}

/** What split-pieces writes, and is kept with its tables. */
const OF_PIECES = ["sym.piece", "isec.kept", "isec.pieceBase", "isec.pieceCount", "isec.blockIndex", "isec.fde"];
/** What scan-relocs counts, and is kept as long as it holds (kept-needs.ts). */
const OF_NEEDS = ["isec.dynRel", "isec.dynSym", "isec.relr"];
/** These must have been written for the test to say anything. */
const WRITTEN = ["sym.flags", "sym.isec", "sym.value", "sym.aux", "gsym.obj", "gsym.vis", "gsym.startStop", "gsym.dynsym", "isec.live", "isec.osec", "isec.outOffset", "isec.msec", ...OF_PIECES, ...OF_NEEDS];

type Columns = Map<string, string>;

/** The bytes of all columns. Addresses of local symbols are not looked at: they are made anew before anybody reads them. */
function columnsOf({ arena }: Machine): Columns {
  const tables = attachTables(arena);
  const globals = tables.gsym.rows;
  return new Map(
    EARLY.flatMap((name) =>
      Object.keys(TABLES[name]).map((column): [string, string] => {
        const view = (tables[name] as unknown as Record<string, Uint8Array>)[column]!;
        const bytes = name === "sym" && column === "addr" ? 8 * globals : view.byteLength;
        return [`${name}.${column}`, Buffer.from(view.buffer, view.byteOffset, bytes).toString("latin1")];
      }),
    ),
  );
}

const LINKS: string[][] = [
  ["-static", "-e", "needs"],
  ["-static", "--gc-sections", "-e", "needs", "--eh-frame-hdr", "--build-id"],
  ["-shared", "--hash-style=both"],
  ["-shared", "-Bsymbolic", "--gc-sections", "-z", "now"],
  ["-e", "user", "--gc-sections", "-u", "needs", "user.o", "libshared.so"],
  ["-pie", "--export-dynamic", "-e", "needs", "-z", "pack-relative-relocs"],
];

const written = new Set<string>();

for (const words of LINKS) {
  test(words.join(" "), async () => {
    const machine = new Machine();
    const kept: Kept = { updates: new Map(), last: null };
    const platform = { ...createNodePlatform(), memoryPages: () => 0, spare: machine };
    const runtime: Runtime = { platform: () => platform, realFiles: () => null, parse: parseHere };
    const options = { args: [...words, "--threads=1", "needs.o", "elsewhere.o", ...(words.includes("-shared") ? [] : ["start.o", "print.o", "steps.o"])], fs: memoryFS(await files()) };
    let before: Columns = new Map();
    await new Session(runtime, options, [], kept).link({ onProgress: ({ pass }) => void (pass === "split-pieces" && (before = columnsOf(machine))) });
    const ctx = kept.last!;
    const state = ctx.checkpoint.resolved!;
    const others = (): string[] => [...columnsOf(machine)].flatMap(([name, bytes]) => (bytes === before.get(name) ? [] : [name]));
    for (const name of others()) written.add(name);
    restoreResolved(ctx, state, []);
    assert.equal(others().filter((name) => ![...OF_PIECES, ...OF_NEEDS].includes(name)), []);
    state.pieces = null;
    state.needs.valid = false;
    restoreResolved(ctx, state, []);
    assert.equal(others(), []);
    machine.stop();
  });
}

test("later passes have written all that they ever write", () => {
  assert.equal(WRITTEN.filter((name) => !written.has(name)), []);
});

test.run();
