/** Rows of the issue table become messages: order, places, what stays for report-undefined. Tables are built by hand. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as abi from "../../as-kernels/shared/abi.ts";
import { EM_X86_64, R_X86_64_32, R_X86_64_PC32, STB_GLOBAL, STT_FUNC, STT_SECTION } from "../../as-kernels/shared/elf.ts";
import { RANGE_SIGNED } from "../../as-kernels/shared/reloc.ts";
import { defaultOptions } from "../../ts/args/default-options.ts";
import type { InputFile } from "../../ts/context.ts";
import { takeIssues, wordIssues, type Issue, type IssueContext } from "../../ts/diagnostics/issues.ts";
import { Diagnostics } from "../../ts/diagnostics/print.ts";
import { spellingHint } from "../../ts/diagnostics/spelling.ts";
import { createMemory } from "../../ts/host/memory.ts";
import { Arena } from "../../ts/memory/arena.ts";
import { allocTable, initTables, Params } from "../../ts/memory/table.ts";

const TEXT = 1;
const MAIN = 1;
const FOO = 2;

interface World {
  ctx: IssueContext & { lookup(name: string): number };
  text(): string;
  report(issue: Partial<Issue>): void;
}

/** One object lib.a(dir/m.o): .text with main (0 to 16) that calls foo, defined in b.o, at 4 and something at 32. */
function world(): World {
  const arena = new Arena(createMemory());
  const tables = initTables(arena);
  const params = new Params(arena);
  for (const name of ["obj", "isec", "esym", "sym", "gsym", "slot", "group", "issue"] as const) allocTable(arena, tables, name, 8);
  params.set("machine", EM_X86_64);
  params.set("globalSyms", 4);
  const { obj, isec, esym, sym, gsym } = tables;

  const names = "\0main\0foo\0_Z4cfuni\0";
  const strtab = arena.alloc(names.length);
  arena.setString(strtab, names);
  const symtab = arena.allocZeroed(24 * 4);
  const view = new DataView(arena.memory.buffer);
  const symbol = (index: number, name: number, info: number, shndx: number, value: number, size: number): void => {
    view.setUint32(symtab + 24 * index, name, true);
    view.setUint8(symtab + 24 * index + 4, info);
    view.setUint16(symtab + 24 * index + 6, shndx, true);
    view.setBigUint64(symtab + 24 * index + 8, BigInt(value), true);
    view.setBigUint64(symtab + 24 * index + 16, BigInt(size), true);
  };
  symbol(1, 0, STT_SECTION, 1, 0, 0);
  symbol(2, 1, (STB_GLOBAL << 4) | STT_FUNC, 1, 0, 16);
  symbol(3, 6, STB_GLOBAL << 4, 0, 0, 0);

  for (const [id, kind, file] of [[1, abi.OBJ_RELOCATABLE, 1], [2, abi.OBJ_RELOCATABLE, 2]] as const) {
    obj.kind[id] = kind;
    obj.fileId[id] = file;
  }
  Object.assign(obj.symtab, { 1: symtab });
  Object.assign(obj.esymCount, { 1: 4 });
  Object.assign(obj.firstGlobal, { 1: 2 });
  Object.assign(obj.strtab, { 1: strtab });
  Object.assign(obj.strtabBytes, { 1: names.length });
  isec.sh_flags[1] = 2; // SHF_ALLOC
  obj.localBase[1] = 4;
  esym.sym[1] = 5;
  esym.sym[2] = MAIN;
  esym.sym[3] = FOO;

  isec.obj[TEXT] = 1;
  isec.shndx[TEXT] = 1;
  isec.name[TEXT] = arena.put(".text");
  const rela = arena.alloc(48, 8);
  isec.rela[TEXT] = rela;
  isec.relaCount[TEXT] = 2;
  for (const [i, offset, type, r_sym] of [[0, 4, R_X86_64_PC32, 3], [1, 32, R_X86_64_32, 1]] as const) {
    view.setBigUint64(rela + 24 * i, BigInt(offset), true);
    view.setUint32(rela + 24 * i + 8, type, true);
    view.setUint32(rela + 24 * i + 12, r_sym, true);
  }
  for (const [row, at, bytes, owner] of [[MAIN, 1, 4, 1], [FOO, 6, 3, 2], [3, 10, 8, 2]] as const) {
    gsym.name[row] = strtab + at;
    gsym.nameBytes[row] = bytes;
    gsym.obj[row] = owner;
    sym.flags[row] = abi.SYM_DEFINED;
  }
  sym.flags[5] = abi.SYM_DEFINED;
  sym.isec[5] = TEXT;

  const types = arena.allocZeroed(4 * 64);
  arena.u8[types + 4 * R_X86_64_PC32 + 1] = 4;
  arena.u8[types + 4 * R_X86_64_PC32 + 2] = RANGE_SIGNED;
  params.set("relocTypes", types);

  let printed = "";
  const diag = new Diagnostics((_stream, text) => (printed += text));
  const input = (path: string, member: string): InputFile => ({ id: 0, obj: 0, group: 0, source: 0, offset: 0, bytes: 0, path, member, soname: "", needed: [], versions: [], warnings: [] }) as InputFile;
  const rows: Record<string, number> = { main: MAIN, foo: FOO, _Z4cfuni: 3 };
  const ctx = {
    arena, tables, assigned: new Map(), params, diag,
    options: defaultOptions(),
    objects: Uint32Array.of(1, 2),
    inputs: [input("", ""), input("lib.a", "dir/m.o"), input("b.o", "")],
    sources: [""],
    host: { readAt: () => 0, inflate: () => new Uint8Array() },
    lookup: (name: string) => rows[name] ?? 0,
  };
  const report = (given: Partial<Issue>): void => {
    const row = ++arena.u32[abi.CTL_ISSUES >>> 2]!;
    if (row >= tables.issue.rows) return;
    const issue: Issue = { code: 0, obj: 1, isec: TEXT, index: 0, a: 0n, b: 0n, ...given };
    const { code, obj, isec, index, a, b } = tables.issue;
    [code[row], obj[row], isec[row], index[row]] = [issue.code, issue.obj, issue.isec, issue.index];
    [a[row], b[row]] = [issue.a, issue.b];
  };
  return { ctx: ctx as unknown as World["ctx"], text: () => printed.replaceAll("wield: error: ", ""), report };
}

test("a value out of range: function, offset, bounds, symbol, where it is defined", () => {
  const w = world();
  w.report({ code: abi.ISSUE_RELOC_RANGE, index: 0, a: BigInt.asUintN(64, -3000000000n), b: BigInt(R_X86_64_PC32) });
  wordIssues(w.ctx);
  assert.is(w.text(), "lib.a(m.o):(function main: .text+0x4): relocation R_X86_64_PC32 out of range: -3000000000 is not in [-2147483648, 2147483647]; references 'foo'\n>>> defined in b.o\n" +
    ">>> 2.8 GiB apart, and 2 is the limit: compile with -mcmodel=medium (much data) or -mcmodel=large (much code), or link with less\n");
});

test("advice about values out of range is given once", () => {
  const w = world();
  for (const index of [0, 1]) w.report({ code: abi.ISSUE_RELOC_RANGE, index, a: 1n << 40n, b: BigInt(R_X86_64_32) });
  wordIssues(w.ctx);
  assert.is(w.text().split("out of range").length, 3);
  assert.is(w.text().split(">>> 32 bits cannot hold this address: compile with -fPIE or -mcmodel=large").length, 2);
});

test("a section symbol is shown as its section", () => {
  const w = world();
  w.report({ code: abi.ISSUE_RELOC_RANGE, index: 1, a: 1n << 40n, b: BigInt(R_X86_64_32) });
  wordIssues(w.ctx);
  assert.match(w.text(), "lib.a(m.o):(.text+0x20): relocation R_X86_64_32 out of range");
  assert.match(w.text(), "; references section '.text'\n");
});

test("relocations that need -fPIC, in symbols and in archives", () => {
  const w = world();
  w.report({ code: abi.ISSUE_RELOC_NEEDS_PIC, index: 0, a: 2n, b: BigInt(FOO) });
  wordIssues(w.ctx);
  assert.is(w.text(), "relocation R_X86_64_PC32 cannot be used against symbol 'foo'; recompile with -fPIC\n>>> defined in b.o\n>>> referenced by dir/m.o:(main) in archive lib.a\n");
});

test("rows are worded in one order, whatever order they came in", () => {
  const texts = [[0, 1, 2], [2, 0, 1], [1, 2, 0]].map((order) => {
    const w = world();
    const issues: Partial<Issue>[] = [
      { code: abi.ISSUE_RELOC_UNKNOWN, index: 0, a: 99n, b: BigInt(FOO) },
      { code: abi.ISSUE_RELOC_BAD_OFFSET, index: 1 },
      { code: abi.ISSUE_BAD_OBJECT, obj: 2, isec: 0, index: 7, a: BigInt(abi.ERR_GROUP) },
    ];
    for (const i of order) w.report(issues[i]!);
    wordIssues(w.ctx);
    return w.text();
  });
  assert.is(texts[0], "lib.a(m.o):(function main: .text+0x4): unknown relocation (99) against symbol foo\nlib.a(m.o):(.text+0x20): relocation R_X86_64_32 is outside its section\nb.o: section [index 7]: invalid section group\n");
  assert.is(texts[1], texts[0]);
  assert.is(texts[2], texts[0]);
});

test("undefined symbols stay in the table for report-undefined", () => {
  const w = world();
  w.report({ code: abi.ISSUE_UNDEFINED, index: 1, a: BigInt(FOO) });
  w.report({ code: abi.ISSUE_RELOC_BAD_OFFSET, index: 1 });
  w.report({ code: abi.ISSUE_UNDEFINED, index: 0, a: BigInt(FOO) });
  wordIssues(w.ctx);
  assert.is(w.ctx.diag.errorCount, 1);
  const { found, lost } = takeIssues(w.ctx, (code) => code === abi.ISSUE_UNDEFINED);
  assert.equal(found.map(({ index }) => index), [0, 1]);
  assert.is(lost, 0);
  wordIssues(w.ctx);
  assert.is(w.ctx.diag.errorCount, 1);
});

test("reports beyond the table's room are counted", () => {
  const w = world();
  for (let i = 0; i < 20; i++) w.report({ code: abi.ISSUE_RELOC_BAD_OFFSET, index: 0 });
  wordIssues(w.ctx);
  assert.match(w.text(), "13 more problems");
});

test("every code of the ABI has words", () => {
  for (const [name, code] of Object.entries(abi)) {
    if (!name.startsWith("ISSUE_") || [abi.ISSUE_UNDEFINED, abi.ISSUE_DISCARDED_REF, abi.ISSUE_UNDEFINED_SHLIB].includes(code as never)) continue;
    for (const a of [0n, 1n, 2n, 20n]) {
      const w = world();
      w.report({ code, a, b: BigInt(FOO) });
      wordIssues(w.ctx);
      assert.ok(w.text().length > 10, name);
    }
  }
  for (const [name, detail] of Object.entries(abi)) {
    if (!name.startsWith("ERR_")) continue;
    const w = world();
    const ofRecord = detail === abi.ERR_FDE || (detail >= abi.ERR_EH_SMALL && detail <= abi.ERR_FDE_ENCODING);
    const code = ofRecord ? abi.ISSUE_BAD_EH_FRAME : name.startsWith("ERR_MERGE_") ? abi.ISSUE_BAD_MERGE : abi.ISSUE_BAD_OBJECT;
    w.report(ofRecord ? { code, index: 3, a: BigInt(detail), b: 9n } : { code, isec: 0, index: 3, a: BigInt(detail) });
    wordIssues(w.ctx);
    assert.not.match(w.text(), /detail \d|bad record|corrupt mergeable/, name);
  }
});

test("near names: one edit, another case, C against C++", () => {
  const { ctx } = world();
  const lines = (name: string): string | undefined => spellingHint(ctx, name, 1)?.lines;
  assert.is(lines("foa"), "\n>>> did you mean: foo\n>>> defined in: b.o");
  assert.is(lines("fo"), "\n>>> did you mean: foo\n>>> defined in: b.o");
  assert.is(lines("ofo"), "\n>>> did you mean: foo\n>>> defined in: b.o");
  assert.is(lines("fooo"), "\n>>> did you mean: foo\n>>> defined in: b.o");
  assert.is(lines("MAIN"), "\n>>> did you mean: main\n>>> defined in: lib.a(m.o)");
  assert.is(lines("cfun"), '\n>>> did you mean to declare cfun(int) as extern "C"?\n>>> defined in: b.o');
  assert.is(lines("_Z3fooi"), '\n>>> did you mean: extern "C" foo\n>>> defined in: b.o');
  assert.is(lines("unrelated"), undefined);
  assert.is(spellingHint(ctx, "cfun", 1)!.hint, 'did you mean to declare cfun(int) as extern "C"?');
});

test.run();
