import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as abi from "../../as-kernels/shared/abi.ts";
import * as elf from "../../as-kernels/shared/elf.ts";
import { UNDEFINED_IGNORE, UNDEFINED_WARN } from "../../as-kernels/shared/reloc.ts";
import { DATA, relocWorld, TEXT, type RelocWorld, type RelocWorldSpec, type SymSpec } from "../helpers/reloc-world.ts";

const test = suite("scan-relocs");

const NEEDS = abi.SYM_NEEDS_GOT | abi.SYM_NEEDS_PLT | abi.SYM_NEEDS_COPY | abi.SYM_NEEDS_CPLT | abi.SYM_NEEDS_TLSGD | abi.SYM_NEEDS_GOTTP | abi.SYM_NEEDS_TLSDESC;
const LOCAL: SymSpec = { flags: abi.SYM_DEFINED, section: 1, value: 8n };
const IMPORTED: SymSpec = { flags: abi.SYM_SHARED | abi.SYM_FUNC | abi.SYM_PREEMPTIBLE };
const IMPORTED_DATA: SymSpec = { flags: abi.SYM_SHARED | abi.SYM_OBJECT | abi.SYM_PREEMPTIBLE, size: 8 };

/** Scans one relocation in a code section. */
function one(sym: SymSpec, type: number, more: Partial<RelocWorldSpec> & { bytes?: Uint8Array; flags?: number; offset?: number; addend?: bigint } = {}): RelocWorld {
  const world = relocWorld({
    output: more.output ?? "pie",
    params: more.params ?? {},
    symbols: [sym],
    sections: [
      { bytes: more.bytes ?? new Uint8Array(16), flags: more.flags ?? TEXT, relocs: [{ offset: more.offset ?? 4, type, sym: 0, addend: more.addend ?? -4n }] },
      { bytes: new Uint8Array(16), flags: DATA, relocs: [] },
    ],
  });
  world.scan();
  return world;
}

const needsOf = (world: RelocWorld): number => world.ctx.tables.sym.flags[world.sym(0)]! & NEEDS;
const codes = (world: RelocWorld): number[] => world.issues().map((issue) => issue.code);

test("a call or an address of something in the output needs nothing", () => {
  for (const output of ["exec", "pie", "shared"] as const) {
    for (const type of [elf.R_X86_64_PC32, elf.R_X86_64_PLT32]) {
      const world = one(LOCAL, type, { output });
      assert.is(needsOf(world), 0);
      assert.equal(codes(world), []);
    }
  }
});

test("a function of a shared object gets a PLT entry, and a canonical one where its address is taken", () => {
  assert.is(needsOf(one(IMPORTED, elf.R_X86_64_PLT32)), abi.SYM_NEEDS_PLT);
  assert.is(needsOf(one(IMPORTED, elf.R_X86_64_PC32)), abi.SYM_NEEDS_PLT | abi.SYM_NEEDS_CPLT);
  assert.is(needsOf(one(IMPORTED, elf.R_X86_64_32, { output: "exec" })), abi.SYM_NEEDS_PLT | abi.SYM_NEEDS_CPLT);
  assert.equal(codes(one(IMPORTED, elf.R_X86_64_PC32, { output: "shared" })), [abi.ISSUE_RELOC_NEEDS_PIC]);
});

test("a variable of a shared object is copied, unless it is protected or copies are forbidden", () => {
  assert.is(needsOf(one(IMPORTED_DATA, elf.R_X86_64_PC32)), abi.SYM_NEEDS_COPY);
  assert.equal(codes(one(IMPORTED_DATA, elf.R_X86_64_PC32, { params: { zCopyreloc: 0 } })), [abi.ISSUE_NO_COPYRELOC]);
  assert.equal(codes(one(IMPORTED_DATA, elf.R_X86_64_32, { output: "pie" })), [abi.ISSUE_RELOC_NEEDS_PIC], "an absolute field in a PIE would be wrong");
  const world = relocWorld({
    output: "exec",
    symbols: [IMPORTED_DATA],
    sections: [{ bytes: new Uint8Array(8), flags: TEXT, relocs: [{ offset: 0, type: elf.R_X86_64_32, sym: 0, addend: 0n }] }],
  });
  const { arena, tables } = world.ctx;
  arena.u8[tables.obj.symtab[2]! + 24 * 1 + 5] = elf.STV_PROTECTED;
  world.scan();
  assert.equal(codes(world), [abi.ISSUE_COPY_PROTECTED]);
  const ignored = one({ ...IMPORTED_DATA, other: elf.STV_PROTECTED }, elf.R_X86_64_PC32, { params: { ignoreEquality: abi.IGNORE_DATA_EQUALITY } });
  assert.equal(codes(ignored), []);
  assert.is(needsOf(ignored), abi.SYM_NEEDS_COPY);
  const functions = { params: { ignoreEquality: abi.IGNORE_FUNCTION_EQUALITY } };
  assert.equal(codes(one({ ...IMPORTED_DATA, other: elf.STV_PROTECTED }, elf.R_X86_64_PC32, functions)), [abi.ISSUE_COPY_PROTECTED]);
});

test("dynamic relocations are counted where the section can be written, and refused where it cannot", () => {
  const data = one(LOCAL, elf.R_X86_64_64, { flags: DATA });
  assert.is(data.ctx.params.get("relativeCount"), 1);
  assert.is(one(IMPORTED, elf.R_X86_64_64, { flags: DATA }).ctx.params.get("symbolicCount"), 1);
  assert.equal(codes(one(LOCAL, elf.R_X86_64_64)), [abi.ISSUE_RELOC_TEXTREL]);
  const lax = one(LOCAL, elf.R_X86_64_64, { params: { zText: 0 } });
  assert.is(lax.ctx.params.get("hasTextRel"), 1);
  assert.is(lax.ctx.params.get("relativeCount"), 1);
  assert.equal(codes(one(LOCAL, elf.R_X86_64_32S)), [abi.ISSUE_RELOC_NEEDS_PIC]);
});

test("weak undefined symbols: 0 in static output, left to the dynamic linker otherwise", () => {
  const zero: SymSpec = { flags: abi.SYM_UNDEF | abi.SYM_WEAK | abi.SYM_ABSOLUTE };
  const dynamic: SymSpec = { flags: abi.SYM_UNDEF | abi.SYM_WEAK | abi.SYM_PREEMPTIBLE };
  for (const type of [elf.R_X86_64_PC32, elf.R_X86_64_PLT32, elf.R_X86_64_64, elf.R_X86_64_32S]) {
    for (const output of ["exec", "pie"] as const) {
      const world = one(zero, type, { output, flags: DATA });
      assert.is(needsOf(world), 0);
      assert.equal(codes(world), []);
      assert.is(world.ctx.params.get("relativeCount") + world.ctx.params.get("symbolicCount"), 0);
    }
  }
  assert.is(needsOf(one(dynamic, elf.R_X86_64_PLT32)), abi.SYM_NEEDS_PLT);
  assert.is(one(dynamic, elf.R_X86_64_64, { flags: DATA }).ctx.params.get("symbolicCount"), 1);
  assert.is(one(dynamic, elf.R_X86_64_64, { output: "exec", flags: DATA }).ctx.params.get("symbolicCount"), 0);
  assert.equal(codes(one(dynamic, elf.R_X86_64_PC32)), [abi.ISSUE_RELOC_NEEDS_PIC]);
});

test("strong undefined symbols are reported, let through with a warning, or ignored", () => {
  const strong: SymSpec = { flags: abi.SYM_UNDEF | abi.SYM_PREEMPTIBLE };
  const error = one(strong, elf.R_X86_64_PLT32);
  assert.equal(error.issues().map(({ code, isec, index, a }) => [code, isec, index, a]), [[abi.ISSUE_UNDEFINED, 1, 0, BigInt(error.sym(0))]]);
  assert.is(needsOf(error), 0);
  const warn = one(strong, elf.R_X86_64_PLT32, { params: { undefinedPolicy: UNDEFINED_WARN } });
  assert.equal(codes(warn), [abi.ISSUE_UNDEFINED]);
  assert.is(needsOf(warn), abi.SYM_NEEDS_PLT);
  const ignore = one(strong, elf.R_X86_64_PLT32, { params: { undefinedPolicy: UNDEFINED_IGNORE } });
  assert.equal(codes(ignore), []);
  assert.is(needsOf(ignore), abi.SYM_NEEDS_PLT);
  const hidden = one({ flags: abi.SYM_UNDEF, vis: elf.STV_HIDDEN }, elf.R_X86_64_PLT32, { params: { undefinedPolicy: UNDEFINED_IGNORE } });
  assert.equal(codes(hidden), [abi.ISSUE_UNDEFINED], "nobody else can define a hidden symbol");
});

test("a GOT entry is avoided only when every instruction that loads it can be changed", () => {
  const mov = Uint8Array.of(0, 0x48, 0x8b, 0x05, 0, 0, 0, 0); // mov x(%rip), %rax
  const and = Uint8Array.of(0, 0x48, 0x23, 0x05, 0, 0, 0, 0); // and x(%rip), %rax
  const push = Uint8Array.of(0, 0x40, 0xff, 0x35, 0, 0, 0, 0); // push x(%rip)
  const type = elf.R_X86_64_REX_GOTPCRELX;
  assert.is(needsOf(one(LOCAL, type, { bytes: mov })), 0);
  assert.is(needsOf(one(LOCAL, type, { bytes: and })), abi.SYM_NEEDS_GOT, "an immediate would not move with the image");
  assert.is(needsOf(one(LOCAL, type, { bytes: and, output: "exec" })), 0);
  assert.is(needsOf(one(LOCAL, type, { bytes: and, output: "exec", params: { relaxAbs32: 0 } })), abi.SYM_NEEDS_GOT);
  assert.is(needsOf(one(LOCAL, type, { bytes: push })), abi.SYM_NEEDS_GOT);
  assert.is(needsOf(one(LOCAL, type, { bytes: mov, params: { relax: 0 } })), abi.SYM_NEEDS_GOT);
  assert.is(needsOf(one(LOCAL, type, { bytes: mov, addend: 0n })), abi.SYM_NEEDS_GOT, "only a part of the entry is loaded");
  assert.is(needsOf(one(IMPORTED, type, { bytes: mov })), abi.SYM_NEEDS_GOT);
  assert.is(needsOf(one({ flags: abi.SYM_DEFINED | abi.SYM_ABSOLUTE, value: 5n }, type, { bytes: mov })), abi.SYM_NEEDS_GOT);
  assert.is(needsOf(one({ ...LOCAL, flags: LOCAL.flags | abi.SYM_IFUNC }, type, { bytes: mov })), abi.SYM_NEEDS_GOT);
});

test("sections whose contents decide are listed once, and read together where they are close", () => {
  const world = relocWorld({
    output: "pie",
    symbols: [LOCAL],
    sections: [0, 1, 2].map((s) => ({
      bytes: Uint8Array.of(0x48, 0x8b, 0x05, 0, 0, 0, 0, 0), flags: TEXT,
      relocs: [
        { offset: 3, type: s === 1 ? elf.R_X86_64_PC32 : elf.R_X86_64_REX_GOTPCRELX, sym: 0, addend: -4n },
        { offset: 99, type: elf.R_X86_64_PC32, sym: 0, addend: -4n },
      ],
    })),
  });
  const { kernels, arena, tables } = world.ctx;
  const waiting = arena.alloc(16);
  const out = arena.alloc(16);
  assert.is(kernels.scanRelocs(1, 4, waiting), 2);
  assert.equal([...arena.u32.subarray(waiting >>> 2, (waiting >>> 2) + 2)], [1, 3]);
  const from = tables.isec.sh_offset[1]!;
  const extent = () => [arena.f64[out >>> 3]! - from, arena.f64[(out >>> 3) + 1]! - from];
  assert.is(kernels.waitingRun(waiting, 0, 2, 7, 1000, out), 1, "the gap is too wide");
  assert.equal(extent(), [0, 8]);
  assert.is(kernels.waitingRun(waiting, 0, 2, 8, 23, out), 1, "the limit is too low");
  assert.is(kernels.waitingRun(waiting, 0, 2, 8, 24, out), 2);
  assert.equal(extent(), [0, 24]);
  assert.equal(world.issues().map((issue) => issue.isec), [1, 2, 3], "no problem is reported twice");
});

test("thread-local models become the cheapest one the output allows", () => {
  const tls: SymSpec = { flags: abi.SYM_DEFINED | abi.SYM_TLS, section: 1 };
  const other: SymSpec = { flags: abi.SYM_SHARED | abi.SYM_TLS | abi.SYM_PREEMPTIBLE };
  const { SYM_NEEDS_GOTTP: ie, SYM_NEEDS_TLSGD: gd, SYM_NEEDS_TLSDESC: desc } = abi;
  const rows: [number, SymSpec, number, number][] = [
    [elf.R_X86_64_GOTTPOFF, tls, 0, ie],
    [elf.R_X86_64_GOTTPOFF, other, ie, ie],
    [elf.R_X86_64_GOTPC32_TLSDESC, tls, 0, desc],
    [elf.R_X86_64_GOTPC32_TLSDESC, other, ie, desc],
    [elf.R_X86_64_TLSDESC_CALL, other, 0, 0],
    [elf.R_X86_64_TLSGD, tls, -1, gd],
  ];
  for (const [type, sym, executable, shared] of rows) {
    if (executable >= 0) assert.is(needsOf(one(sym, type)), executable);
    assert.is(needsOf(one(sym, type, { output: "shared" })), shared);
  }
  assert.equal(codes(one(tls, elf.R_X86_64_TLSGD)), [abi.ISSUE_RELOC_BAD_RELAX], "the call is missing");
  assert.equal(codes(one(tls, elf.R_X86_64_TPOFF32, { output: "shared" })), [abi.ISSUE_RELOC_SHARED_TLS]);
  assert.equal(codes(one(other, elf.R_X86_64_TPOFF32)), [abi.ISSUE_RELOC_NEEDS_PIC]);
  assert.equal(codes(one(LOCAL, elf.R_X86_64_TPOFF32)), [abi.ISSUE_RELOC_TLS_MISMATCH]);
  const section: SymSpec = { flags: abi.SYM_DEFINED | abi.SYM_SECTION, section: 1 };
  assert.equal(codes(one(section, elf.R_X86_64_TPOFF32)), [], "symbols of thread-local sections have no type that says so");
  assert.is(one(tls, elf.R_X86_64_GOTTPOFF, { output: "shared" }).ctx.params.get("hasStaticTls"), 1);
});

test("the call that belongs to a relaxed general dynamic sequence needs no PLT entry for __tls_get_addr", () => {
  const world = relocWorld({
    output: "pie",
    symbols: [{ flags: abi.SYM_DEFINED | abi.SYM_TLS, section: 1 }, IMPORTED],
    sections: [{
      bytes: new Uint8Array(16), flags: TEXT,
      relocs: [{ offset: 4, type: elf.R_X86_64_TLSGD, sym: 0, addend: -4n }, { offset: 12, type: elf.R_X86_64_PLT32, sym: 1, addend: -4n }],
    }],
  });
  world.scan();
  assert.equal(codes(world), []);
  assert.is(world.ctx.params.get("auxRows"), 0);
  assert.ok(world.ctx.tables.sym.flags[world.sym(1)]! & abi.SYM_REF_LIVE, "lld keeps it in .dynsym");
});

test("so it is when the variable is another module's, whose offset is loaded", () => {
  const world = relocWorld({
    output: "pie",
    symbols: [{ flags: abi.SYM_SHARED | abi.SYM_TLS | abi.SYM_PREEMPTIBLE }, IMPORTED],
    sections: [{
      bytes: new Uint8Array(16), flags: TEXT,
      relocs: [{ offset: 4, type: elf.R_X86_64_TLSGD, sym: 0, addend: -4n }, { offset: 12, type: elf.R_X86_64_PLT32, sym: 1, addend: -4n }],
    }],
  });
  world.scanSections();
  assert.equal(codes(world), []);
  const flags = (symbol: number): number => world.ctx.tables.sym.flags[world.sym(symbol)]!;
  assert.ok(flags(0) & abi.SYM_NEEDS_GOTTP);
  assert.is(flags(1) & abi.SYM_NEEDS_PLT, 0);
});

test("a call that is too far from its general dynamic sequence does not belong to it", () => {
  for (const [where, expected] of [[8, [abi.ISSUE_RELOC_BAD_RELAX]], [9, []], [12, []], [13, [abi.ISSUE_RELOC_BAD_RELAX]]] as const) {
    const world = relocWorld({
      output: "pie",
      symbols: [{ flags: abi.SYM_DEFINED | abi.SYM_TLS, section: 0 }, IMPORTED],
      sections: [{
        bytes: new Uint8Array(24), flags: TEXT,
        relocs: [{ offset: 4, type: elf.R_X86_64_TLSGD, sym: 0, addend: -4n }, { offset: where, type: elf.R_X86_64_PLT32, sym: 1, addend: -4n }],
      }],
    });
    world.scan();
    assert.equal(codes(world), expected, `${where}`);
  }
});

test("an IFUNC in the output: an entry for calls, and its address once something takes it", () => {
  const ifunc: SymSpec = { flags: abi.SYM_DEFINED | abi.SYM_FUNC | abi.SYM_IFUNC, section: 0, value: 1n };
  const call = one(ifunc, elf.R_X86_64_PLT32);
  assert.is(call.ctx.params.get("ipltCount"), 1);
  assert.is(needsOf(call) & abi.SYM_NEEDS_CPLT, 0);
  const taken = one(ifunc, elf.R_X86_64_PC32);
  assert.ok(needsOf(taken) & abi.SYM_NEEDS_CPLT);
  const both = relocWorld({
    output: "pie",
    symbols: [ifunc],
    sections: [{
      bytes: new Uint8Array(16), flags: TEXT,
      relocs: [{ offset: 0, type: elf.R_X86_64_PC32, sym: 0, addend: 0n }, { offset: 4, type: elf.R_X86_64_GOTPCREL, sym: 0, addend: 0n }],
    }],
  });
  both.scan();
  const { params, tables } = both.ctx;
  assert.is(params.get("gotWords"), 1, "a GOT entry must agree with the address");
  assert.is(params.get("relativeCount"), 1);
  assert.is(tables.aux.iplt[tables.sym.aux[both.sym(0)]!], 1);
});

test("broken relocations are told apart", () => {
  assert.equal(codes(one(LOCAL, 60)), [abi.ISSUE_RELOC_UNKNOWN]);
  assert.equal(codes(one(LOCAL, 0x12345)), [abi.ISSUE_RELOC_UNKNOWN]);
  assert.equal(codes(one(LOCAL, elf.R_X86_64_GLOB_DAT)), [abi.ISSUE_RELOC_UNKNOWN], "only the dynamic linker knows it");
  assert.equal(codes(one(LOCAL, elf.R_X86_64_PC32, { offset: 13 })), [abi.ISSUE_RELOC_BAD_OFFSET]);
  assert.equal(codes(one(LOCAL, elf.R_X86_64_PC32, { offset: 2 ** 52 })), [abi.ISSUE_RELOC_BAD_OFFSET]);
  assert.equal(codes(one(LOCAL, elf.R_X86_64_NONE, { offset: 999 })), []);
  assert.equal(codes(one({ flags: abi.SYM_DISCARDED }, elf.R_X86_64_PC32)), [abi.ISSUE_DISCARDED_REF]);
});

test("shared objects are needed for what live sections refer to, and others' symbols become undefined", () => {
  const weak = { ...IMPORTED };
  const strong = { ...IMPORTED, flags: IMPORTED.flags | abi.SYM_REF_STRONG | abi.SYM_USED_REGULAR };
  for (const [sym, live, needed] of [[strong, true, 1], [strong, false, 0], [weak, true, 0]] as const) {
    const world = relocWorld({
      output: "pie",
      symbols: [sym],
      sections: [{ bytes: new Uint8Array(8), flags: TEXT, live, relocs: [{ offset: 0, type: elf.R_X86_64_PLT32, sym: 0, addend: 0n }] }],
    });
    const { kernels, tables } = world.ctx;
    const wanted = kernels.findCandidates(1, 3);
    assert.is(wanted, (sym.flags & abi.SYM_REF_STRONG) !== 0 ? 1 : 0);
    if (wanted > 0) kernels.markNeeded(1, 2, wanted);
    kernels.dropCandidates(1, 3);
    assert.is(tables.obj.needed[2], needed);
    assert.is(kernels.demoteShared(1, 3, 0), 1 - needed);
    assert.is(tables.sym.flags[world.sym(0)]! & abi.SYM_KIND_MASK, needed ? abi.SYM_SHARED : abi.SYM_UNDEF);
  }
  // Dead code refers to one of its symbols, live code to another that need not be there.
  const both = relocWorld({
    output: "pie",
    symbols: [strong, weak],
    sections: [false, true].map((live, i) => ({ bytes: new Uint8Array(8), flags: TEXT, live, relocs: [{ offset: 0, type: elf.R_X86_64_PLT32, sym: i, addend: 0n }] })),
  });
  assert.is(both.ctx.kernels.markNeeded(1, 3, both.ctx.kernels.findCandidates(1, 4)), 0);
});

test.run();
