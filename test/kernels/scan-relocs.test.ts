import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as abi from "../../as-kernels/shared/abi.ts";
import * as elf from "../../as-kernels/shared/elf.ts";
import { UNDEFINED_ERROR, UNDEFINED_IGNORE, UNDEFINED_WARN } from "../../as-kernels/shared/reloc.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { DATA, relocWorld, TEXT, type RelocWorldSpec, type RelSpec, type SecSpec, type SymSpec } from "../helpers/reloc-world.ts";
import { scanTwin } from "../helpers/twin/scan-relocs.ts";

const NEEDS =
  abi.SYM_NEEDS_GOT | abi.SYM_NEEDS_PLT | abi.SYM_NEEDS_COPY | abi.SYM_NEEDS_CPLT | abi.SYM_NEEDS_TLSGD | abi.SYM_NEEDS_GOTTP | abi.SYM_NEEDS_TLSDESC | abi.SYM_ADDRESS_TAKEN | abi.SYM_EXPORTED;

const { R_X86_64_TLSGD: GD, R_X86_64_TLSLD: LD } = elf;
const PLAIN = [
  elf.R_X86_64_NONE, elf.R_X86_64_64, elf.R_X86_64_32, elf.R_X86_64_32S, elf.R_X86_64_16, elf.R_X86_64_8, elf.R_X86_64_PC64, elf.R_X86_64_PC32, elf.R_X86_64_PC16, elf.R_X86_64_PC8,
  elf.R_X86_64_PLT32, elf.R_X86_64_PLTOFF64, elf.R_X86_64_GOTPCREL, elf.R_X86_64_GOTPCREL64, elf.R_X86_64_GOT32, elf.R_X86_64_GOT64, elf.R_X86_64_GOTPLT64, elf.R_X86_64_GOTOFF64,
  elf.R_X86_64_GOTPC32, elf.R_X86_64_GOTPC64, elf.R_X86_64_SIZE32, elf.R_X86_64_SIZE64, elf.R_X86_64_CODE_5_GOTPCRELX, elf.R_X86_64_CODE_6_GOTPCRELX,
];
const RELAXABLE = [elf.R_X86_64_GOTPCRELX, elf.R_X86_64_REX_GOTPCRELX, elf.R_X86_64_CODE_4_GOTPCRELX];
const THREAD_LOCAL = [
  GD, LD, elf.R_X86_64_DTPOFF32, elf.R_X86_64_DTPOFF64, elf.R_X86_64_GOTTPOFF, elf.R_X86_64_CODE_4_GOTTPOFF, elf.R_X86_64_CODE_5_GOTTPOFF, elf.R_X86_64_CODE_6_GOTTPOFF, elf.R_X86_64_TPOFF32,
  elf.R_X86_64_TPOFF64, elf.R_X86_64_GOTPC32_TLSDESC, elf.R_X86_64_CODE_4_GOTPC32_TLSDESC, elf.R_X86_64_CODE_5_GOTPC32_TLSDESC, elf.R_X86_64_CODE_6_GOTPC32_TLSDESC, elf.R_X86_64_TLSDESC_CALL,
];
/** What objects must not have: relocations of the dynamic linker, gaps, numbers beyond the table. */
const WRONG = [elf.R_X86_64_COPY, elf.R_X86_64_RELATIVE, elf.R_X86_64_DTPMOD64, elf.R_X86_64_TLSDESC, 39, 40, 52, 63, 64, 0xffff_ffff];

/** Sections of every world: code, data, constants, large data, thread-local data. */
const [CODE, , , LARGE, TLS] = [0, 1, 2, 3, 4];
const FLAGS = [TEXT, DATA, elf.SHF_ALLOC, DATA | elf.SHF_X86_64_LARGE, DATA | elf.SHF_TLS];

function symbols(random: Prng, output: RelocWorldSpec["output"]): SymSpec[] {
  const P = abi.SYM_PREEMPTIBLE;
  const other = () => random.pick([elf.STV_DEFAULT, elf.STV_DEFAULT, elf.STV_PROTECTED]);
  const weakly = output === "shared" || random.chance(0.5) ? P : abi.SYM_ABSOLUTE;
  const list: SymSpec[] = [
    { flags: abi.SYM_DEFINED, section: 1 },
    { flags: abi.SYM_DEFINED | abi.SYM_FUNC, section: CODE },
    { flags: abi.SYM_DEFINED | abi.SYM_OBJECT, section: LARGE },
    { flags: abi.SYM_DEFINED | abi.SYM_LOCAL | abi.SYM_SECTION, section: 1 },
    { flags: abi.SYM_DEFINED | abi.SYM_ABSOLUTE, value: 0x1234n },
    { flags: abi.SYM_IN_OSEC, section: 1 },
    { flags: abi.SYM_IN_OSEC | abi.SYM_ABSOLUTE },
    { flags: abi.SYM_UNDEF | abi.SYM_WEAK | weakly },
    { flags: abi.SYM_LAZY | abi.SYM_WEAK | weakly },
    { flags: abi.SYM_UNDEF | P },
    { flags: abi.SYM_UNDEF | abi.SYM_ABSOLUTE, vis: elf.STV_HIDDEN },
    { flags: abi.SYM_UNDEF | abi.SYM_WEAK | P, name: "f@V1" },
    { flags: abi.SYM_DISCARDED },
    { flags: abi.SYM_SHARED | abi.SYM_OBJECT | P, size: 24, other: other() },
    { flags: abi.SYM_SHARED | abi.SYM_FUNC | P, other: other() },
    { flags: abi.SYM_SHARED | P, other: other() },
    { flags: abi.SYM_DEFINED | abi.SYM_FUNC | abi.SYM_IFUNC, section: CODE },
    { flags: abi.SYM_DEFINED | abi.SYM_TLS, section: TLS },
    { flags: abi.SYM_DEFINED | abi.SYM_LOCAL | abi.SYM_SECTION, section: TLS },
    { flags: abi.SYM_SHARED | abi.SYM_TLS | P },
    { flags: abi.SYM_UNDEF | abi.SYM_TLS | abi.SYM_WEAK | weakly },
  ];
  if (output === "shared") {
    list.push({ flags: abi.SYM_DEFINED | P, section: 1 }, { flags: abi.SYM_DEFINED | abi.SYM_FUNC | P, section: CODE }, { flags: abi.SYM_DEFINED | abi.SYM_TLS | P, section: TLS });
  }
  return list;
}

/** Opcode and ModRM of instructions that load from the GOT, and some that cannot be changed. */
const INSTRUCTIONS = [[0x8b, 0x05], [0x8b, 0x3d], [0xff, 0x15], [0xff, 0x25], [0xff, 0x35], [0x85, 0x05], [0x03, 0x0d], [0x3b, 0x05], [0x23, 0x1d], [0x89, 0x05], [0x8b, 0x04], [0x83, 0x3d]];

function relocations(random: Prng, bytes: Uint8Array, syms: SymSpec[], wild: number): RelSpec[] {
  const list: RelSpec[] = [];
  const threadLocal = (sym: number) => (syms[sym]?.flags ?? 0) & abi.SYM_TLS || syms[sym]?.section === TLS;
  for (let offset = random.below(4); offset + 8 <= bytes.length; offset += random.between(8, 12)) {
    const odd = random.chance(wild);
    const sym = odd && random.chance(0.2) ? syms.length + random.below(3) : random.between(-1, syms.length - 1);
    const fitting = odd ? random.chance(0.5) : threadLocal(sym);
    let type = fitting ? random.pick(THREAD_LOCAL) : random.chance(0.3) ? random.pick(RELAXABLE) : random.pick(PLAIN);
    if (odd && random.chance(0.1)) type = random.pick(WRONG);
    const addend = random.chance(0.8) ? -4n : BigInt(random.between(-9, 9));
    if (RELAXABLE.includes(type) && offset >= 2) {
      bytes.set(random.pick(INSTRUCTIONS), offset - 2);
      if (offset >= 4 && random.chance(0.8)) bytes[offset - 4] = 0xd5;
    }
    list.push({ offset: odd && random.chance(0.1) ? random.pick([bytes.length - 1, bytes.length, 2 ** 40]) : offset, type, sym, addend });
    if ((type !== GD && type !== LD) || !threadLocal(sym) || random.chance(wild)) continue;
    const call = random.pick([elf.R_X86_64_PLT32, elf.R_X86_64_GOTPCRELX, elf.R_X86_64_GOTPCREL, elf.R_X86_64_PLTOFF64, elf.R_X86_64_PC32]);
    const distance = odd ? random.pick([4, 9]) : random.pick([5, 6, 8]);
    const callee = syms.findIndex(({ flags }) => flags === (abi.SYM_SHARED | abi.SYM_FUNC | abi.SYM_PREEMPTIBLE));
    list.push({ offset: offset + distance, type: call, sym: random.chance(0.8) ? callee : 1, addend: -4n });
    offset += distance;
  }
  return list;
}

function randomSpec(random: Prng, output: RelocWorldSpec["output"], debug: boolean, wild: number): RelocWorldSpec {
  const syms = symbols(random, output);
  const sections = FLAGS.map((flags, s): SecSpec => {
    const bytes = Uint8Array.from({ length: random.below(300) + 16 * Number(s === CODE) }, () => random.below(256));
    return { bytes, flags, align: random.below(4), live: s < LARGE || random.chance(0.8), relocs: relocations(random, bytes, syms, wild) };
  });
  const params = {
    zText: random.pick([0, 1, 1]), zCopyreloc: random.pick([0, 1, 1]), ignoreEquality: random.below(4), packRelr: random.below(2), relax: random.pick([0, 1, 1, 1]),
    undefinedPolicy: random.pick([UNDEFINED_ERROR, UNDEFINED_WARN, UNDEFINED_IGNORE]), ...(output === "exec" && random.chance(0.3) ? { relaxAbs32: 0 } : {}),
  };
  return { output, debug, symbols: syms, sections, params, ifuncNoplt: random.chance(0.2) };
}

for (const debug of [false, true]) {
  const test = suite(`kernel scan-relocs ${debug ? "debug" : "release"}`);

  for (const output of ["exec", "pie", "shared"] as const) {
    test(`needs, dynamic relocations and what is wrong are those of the twin: ${output}`, () => {
      for (let seed = 1; seed <= 60; seed++) {
        const spec = randomSpec(prng(seed * 8 + output.length), output, debug, seed % 2 === 0 ? 0 : 0.1);
        const wanted = scanTwin(spec);
        const world = relocWorld(spec);
        world.scanSections();
        const { tables, params } = world.ctx;
        const where = `seed ${seed}`;
        assert.equal(world.issues().map(({ code, isec, index, a, b }) => ({ code, section: isec - 1, index, a, b })), wanted.issues, where);
        spec.symbols.forEach((symbol, s) => {
          // A plain reference to a definition leaves no trace: nobody asks.
          const mask = (symbol.flags & abi.SYM_KIND_MASK) === abi.SYM_DEFINED ? NEEDS : NEEDS | abi.SYM_REF_LIVE;
          assert.is(tables.sym.flags[world.sym(s)]! & mask, wanted.bits[s]! & mask, `symbol ${s}, flags ${symbol.flags.toString(16)}, ${where}`);
        });
        const { dynRel, dynSym, relr } = tables.isec;
        const counts = spec.sections.map((_, s) => ({ relative: dynRel[world.row(s)]!, relr: relr[world.row(s)]!, symbolic: dynSym[world.row(s)]! }));
        assert.equal(counts, wanted.sections, where);
        const facts = { gotBase: params.get("needsGotBase"), tlsModule: params.get("needsTlsModule"), staticTls: params.get("hasStaticTls"), textRel: params.get("hasTextRel") };
        const { gotBase, tlsModule, staticTls, textRel } = wanted;
        assert.equal(facts, { gotBase: Number(gotBase), tlsModule: Number(tlsModule), staticTls: Number(staticTls), textRel: Number(textRel) }, where);
      }
    });
  }

  test("of unwind records only those of live code count, and of identical CIEs one", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = prng(seed);
      const where = `seed ${seed}`;
      // Every record refers to a function of its own in a shared object, by a relocation that needs a GOT entry.
      const records = Array.from({ length: random.below(12) }, (_, k) => ({ cie: k === 0 || random.chance(0.3), leader: k, func: random.below(4), described: random.chance(0.9), relocs: random.below(3) }));
      records.forEach((record, k) => {
        const cies = records.flatMap(({ cie, leader }, j) => (cie && leader === j && j < k ? [j] : []));
        if (record.cie && cies.length > 0 && random.chance(0.5)) record.leader = random.pick(cies);
      });
      const symbols = records.map((): SymSpec => ({ flags: abi.SYM_SHARED | abi.SYM_FUNC | abi.SYM_PREEMPTIBLE }));
      const relocs = records.flatMap(({ relocs: count }, sym) => Array.from({ length: count }, (_, i): RelSpec => ({ offset: 16 * sym + 4 * i, type: elf.R_X86_64_GOTPCREL, sym, addend: 0n })));
      const code = [true, false, true].map((live): SecSpec => ({ bytes: new Uint8Array(8), flags: TEXT, live, relocs: [] }));
      const world = relocWorld({ output: "pie", debug, symbols, sections: [...code, { bytes: new Uint8Array(16 * records.length + 8), flags: elf.SHF_ALLOC, relocs }] });
      const { arena, tables } = world.ctx;
      const eh = world.row(3);
      tables.isec.kind[eh] = abi.ISEC_EH_FRAME;
      tables.isec.pieceBase[eh] = 1;
      tables.isec.pieceCount[eh] = records.length;
      // The third piece of code is live, but not in the output.
      tables.isec.osec[world.row(2)] = 0;
      const ehrec = allocTable(arena, tables, "ehrec", 1 + records.length);
      let at = tables.isec.rela[eh]!;
      records.forEach(({ cie, leader, func, described, relocs: count }, k) => {
        const row = 1 + k;
        ehrec.flags[row] = cie ? abi.EHREC_CIE : 0;
        ehrec.leader[row] = 1 + leader;
        ehrec.cie[row] = cie || !described ? 0 : 1;
        ehrec.func[row] = cie ? 0 : func;
        ehrec.rela[row] = count === 0 ? 0 : at;
        ehrec.relaCount[row] = count;
        at += elf.RELA_BYTES * count;
      });
      world.scanSections();
      records.forEach(({ cie, leader, func, described, relocs: count }, k) => {
        const counts = count > 0 && (cie ? leader === k : described && func === world.row(0));
        assert.is((tables.sym.flags[world.sym(k)]! & abi.SYM_NEEDS_GOT) !== 0, counts, `record ${k}, ${where}`);
      });
      assert.equal(world.issues(), [], where);
    }
  });

  test.run();
}
