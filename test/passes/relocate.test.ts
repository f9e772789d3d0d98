import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as abi from "../../as-kernels/shared/abi.ts";
import * as elf from "../../as-kernels/shared/elf.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { DATA, relocWorld, TEXT, type RelocWorldSpec, type RelSpec, type SymSpec } from "../helpers/reloc-world.ts";
import { relocateTwin } from "../helpers/twin/relocate.ts";

const test = suite("relocate");

const PLAIN_TYPES = [
  elf.R_X86_64_NONE, elf.R_X86_64_64, elf.R_X86_64_32, elf.R_X86_64_32S, elf.R_X86_64_16, elf.R_X86_64_8, elf.R_X86_64_PC64, elf.R_X86_64_PC32,
  elf.R_X86_64_PC16, elf.R_X86_64_PC8, elf.R_X86_64_PLT32, elf.R_X86_64_PLTOFF64, elf.R_X86_64_GOTPCREL, elf.R_X86_64_GOTPCREL64,
  elf.R_X86_64_GOT32, elf.R_X86_64_GOT64, elf.R_X86_64_GOTPLT64, elf.R_X86_64_GOTOFF64, elf.R_X86_64_GOTPC32, elf.R_X86_64_GOTPC64,
  elf.R_X86_64_SIZE32, elf.R_X86_64_SIZE64,
];
const TLS_TYPES = [elf.R_X86_64_TPOFF32, elf.R_X86_64_TPOFF64, elf.R_X86_64_DTPOFF32, elf.R_X86_64_DTPOFF64];
const EDGES = [0n, -4n, 1n, 127n, 128n, -128n, -129n, 0x7fffn, 0x8000n, 0xffffn, 0x7fff_ffffn, 0x8000_0000n, -0x8000_0000n, 0xffff_ffffn, -1n, 1n << 62n];

/** One symbol of every column of the decision table that the output can have, and two thread-local ones. */
function symbols(output: RelocWorldSpec["output"]): SymSpec[] {
  const P = abi.SYM_PREEMPTIBLE;
  const list: SymSpec[] = [
    { flags: abi.SYM_DEFINED, section: 1, value: 16n, size: 8 },
    { flags: abi.SYM_DEFINED | abi.SYM_FUNC, section: 0, value: 0x20n, size: 40 },
    { flags: abi.SYM_DEFINED | abi.SYM_LOCAL | abi.SYM_SECTION, section: 1 },
    { flags: abi.SYM_DEFINED | abi.SYM_ABSOLUTE, value: 0x1234n },
    { flags: abi.SYM_UNDEF | abi.SYM_WEAK | abi.SYM_ABSOLUTE },
    { flags: abi.SYM_UNDEF | abi.SYM_WEAK | P },
    { flags: abi.SYM_SHARED | abi.SYM_OBJECT | P, size: 24, addr: 0x360000n },
    { flags: abi.SYM_SHARED | abi.SYM_FUNC | P, size: 5 },
    { flags: abi.SYM_SHARED | P },
    { flags: abi.SYM_DEFINED | abi.SYM_FUNC | abi.SYM_IFUNC, section: 0, value: 0x30n, size: 12 },
    { flags: abi.SYM_DEFINED | abi.SYM_TLS, section: -1, addr: 0x350010n, size: 4 },
    { flags: abi.SYM_SHARED | abi.SYM_TLS | P, size: 4 },
  ];
  if (output === "shared") list.push({ flags: abi.SYM_DEFINED | P, section: 1, value: 4n }, { flags: abi.SYM_DEFINED | abi.SYM_IFUNC | abi.SYM_FUNC | P, section: 0 });
  return list;
}

function randomSpec(random: Prng, output: RelocWorldSpec["output"], debug: boolean, wild: boolean): RelocWorldSpec {
  const syms = symbols(output);
  const relocs = (size: number): RelSpec[] => {
    const list: RelSpec[] = [];
    for (let offset = 0; offset + 8 <= size; offset += 8) {
      const sym = random.between(-1, syms.length - 1);
      const tls = sym >= 0 && (syms[sym]!.flags & abi.SYM_TLS) !== 0;
      const types = tls ? TLS_TYPES : PLAIN_TYPES;
      const type = sym < 0 ? random.pick([elf.R_X86_64_64, elf.R_X86_64_PC32, elf.R_X86_64_32S]) : random.pick(types);
      const addend = random.chance(0.2) ? random.pick(EDGES) : BigInt(random.between(-100, 100));
      list.push({ offset: wild && random.chance(0.01) ? size - 1 : offset, type, sym, addend });
    }
    return list;
  };
  const section = (flags: number, size: number, live = true) => ({
    bytes: Uint8Array.from({ length: size }, () => random.below(256)), flags, live, relocs: relocs(size),
  });
  return { output, debug, symbols: syms, sections: [section(TEXT, 512), section(DATA, 1024), section(elf.SHF_ALLOC, 256), section(DATA, 64, false)] };
}

/** Leaves only the relocations the twin finds nothing wrong with, so that the next run gets to the bytes. */
function withoutErrors(spec: RelocWorldSpec, issues: string[]): RelocWorldSpec {
  const bad = new Set(issues.map((issue) => issue.slice(issue.indexOf(" ") + 1)));
  return { ...spec, sections: spec.sections.map((section, s) => ({ ...section, relocs: section.relocs.filter((_, index) => !bad.has(`${s} ${index}`)) })) };
}

const issueTexts = (world: ReturnType<typeof relocWorld>): string[] => world.issues().map(({ code, isec, index }) => `${code} ${isec - 1} ${index}`).sort();

for (const debug of [false, true]) {
  for (const output of ["exec", "pie", "shared"] as const) {
    test(`agrees with the twin on random relocations: ${output} (${debug ? "debug" : "release"})`, () => {
      const random = prng(output.length * 2 + Number(debug));
      for (let round = 0; round < 12; round++) {
        const spec = randomSpec(random, output, debug, true);
        const expected = relocateTwin(spec);
        const first = relocWorld(spec);
        first.scan();
        assert.equal(issueTexts(first), expected.issues.filter((issue) => !issue.startsWith(`${abi.ISSUE_RELOC_RANGE} `)), "what the scan refuses");

        let clean = withoutErrors(spec, expected.issues);
        for (const relaxed of [false, true]) {
          const twin = relocateTwin(clean);
          const world = relocWorld(clean);
          const bytes = world.link();
          assert.equal(issueTexts(world), twin.issues, "what does not fit");
          if (relaxed) assert.equal(twin.issues, []);
          bytes.forEach((section, s) => assert.equal(section, twin.bytes[s], `bytes of section ${s}`));
          assert.equal(recordsOfSections(world), twin.records, "dynamic relocations");
          clean = withoutErrors(clean, twin.issues);
        }
      }
    });
  }
}

/** Records without those that belong to .got (which come first in their part and are written later). */
function recordsOfSections(world: ReturnType<typeof relocWorld>): ReturnType<typeof world.records> {
  const own = world.records().filter(({ offset }) => offset >= 0x200000n && offset < 0x300000n);
  return own;
}

test("with RELR the addend is in place and no record is written, but for odd addresses", () => {
  const world = relocWorld({
    output: "pie",
    params: { packRelr: 1 },
    symbols: [{ flags: abi.SYM_DEFINED, section: 0, value: 8n }],
    sections: [{
      bytes: new Uint8Array(32), flags: DATA,
      relocs: [0, 8, 17].map((offset) => ({ offset, type: elf.R_X86_64_64, sym: 0, addend: 3n })),
    }],
  });
  const bytes = new DataView(world.link()[0]!.buffer);
  assert.is(bytes.getBigUint64(0, true), 0x20000bn);
  assert.is(bytes.getBigUint64(8, true), 0x20000bn);
  assert.is(bytes.getBigUint64(17, true), 0n);
  assert.is(world.ctx.params.get("relrCount"), 2);
  assert.equal(world.records(), [{ offset: 0x200011n, type: elf.R_X86_64_RELATIVE, sym: 0, addend: 0x20000bn }]);
});

test("with RELR a section that may be at an odd address has records", () => {
  const world = relocWorld({
    output: "pie",
    params: { packRelr: 1 },
    symbols: [{ flags: abi.SYM_DEFINED, section: 0, value: 8n }],
    sections: [{ bytes: new Uint8Array(32), flags: DATA, align: 0, relocs: [0, 8].map((offset) => ({ offset, type: elf.R_X86_64_64, sym: 0, addend: 3n })) }],
  });
  world.link();
  assert.is(world.ctx.params.get("relrCount"), 0);
  assert.equal(world.records().map(({ offset, addend }) => [offset, addend]), [[0x200000n, 0x20000bn], [0x200008n, 0x20000bn]]);
});

test("dead references in sections that are not loaded become the tombstone", () => {
  const specs: [number, bigint, bigint][] = [
    [abi.TOMB_ZERO, 0n, 0n],
    [abi.TOMB_ONE, 1n, 1n],
    [abi.TOMB_MAX, 0xffff_ffff_ffff_ffffn, 0xffff_ffffn],
    [abi.TOMB_ADDEND, 5n, 5n],
  ];
  for (const [tombstone, wide, narrow] of specs) {
    const world = relocWorld({
      output: "exec",
      symbols: [
        { flags: abi.SYM_DEFINED, section: 1, value: 8n },
        { flags: abi.SYM_DEFINED, section: 2, value: 8n },
        { flags: abi.SYM_DISCARDED, section: -1 },
        { flags: abi.SYM_DEFINED | abi.SYM_TLS, addr: 0x350020n },
      ],
      sections: [
        {
          bytes: new Uint8Array(64), flags: 0,
          relocs: [
            { offset: 0, type: elf.R_X86_64_64, sym: 0, addend: 5n },
            { offset: 8, type: elf.R_X86_64_64, sym: 1, addend: 5n },
            { offset: 16, type: elf.R_X86_64_32, sym: 2, addend: 5n },
            { offset: 24, type: elf.R_X86_64_DTPOFF64, sym: 3, addend: 1n },
            { offset: 32, type: elf.R_X86_64_PC32, sym: 0, addend: 0n },
            { offset: 40, type: elf.R_X86_64_64, sym: -1, addend: 5n },
            { offset: 48, type: elf.R_X86_64_DTPOFF32, sym: 1, addend: 5n },
            { offset: 52, type: elf.R_X86_64_DTPOFF32, sym: 3, addend: 1n },
          ],
        },
        { bytes: new Uint8Array(16), flags: DATA, relocs: [] },
        { bytes: new Uint8Array(16), flags: DATA, relocs: [], live: false },
      ],
    });
    world.ctx.tables.osec.tombstone[1] = tombstone;
    const view = new DataView(world.link()[0]!.buffer);
    assert.equal(world.issues(), []);
    assert.is(view.getBigUint64(0, true), 0x21000dn);
    assert.is(view.getBigUint64(8, true), wide);
    assert.is(BigInt(view.getUint32(16, true)), narrow);
    assert.is(view.getBigUint64(24, true), 0x21n);
    assert.is(view.getUint32(32, true), 0x210008 - 32);
    assert.is(view.getBigUint64(40, true), wide);
    assert.is(BigInt(view.getUint32(48, true)), narrow);
    assert.is(view.getUint32(52, true), 0x21);
  }
});

test("in sections that are not loaded, relative values count from the start of the output section", () => {
  const world = relocWorld({
    output: "exec",
    symbols: [{ flags: abi.SYM_DEFINED, section: 1, value: 8n }],
    sections: [
      { bytes: new Uint8Array(32), flags: 0, relocs: [{ offset: 4, type: elf.R_X86_64_PC32, sym: 0, addend: 0n }] },
      { bytes: new Uint8Array(16), flags: DATA, relocs: [] },
    ],
  });
  // The window begins where the output section does.
  world.ctx.tables.isec.outOffset[1] = 16;
  assert.is(new DataView(world.link()[0]!.buffer).getUint32(16 + 4, true), 0x210008 - 16 - 4);
});

test("a section that is not loaded reports bad symbols, offsets, values and types", () => {
  const world = relocWorld({
    output: "exec",
    symbols: [{ flags: abi.SYM_DEFINED | abi.SYM_ABSOLUTE, value: 1n << 40n }],
    sections: [{
      bytes: new Uint8Array(16), flags: 0,
      relocs: [
        { offset: 0, type: elf.R_X86_64_32, sym: 0, addend: 0n },
        { offset: 13, type: elf.R_X86_64_32, sym: 0, addend: 0n },
        { offset: 0, type: elf.R_X86_64_64, sym: 7, addend: 0n },
        { offset: 0, type: 60, sym: 0, addend: 0n },
        { offset: 0, type: elf.R_X86_64_GOTPCREL, sym: 0, addend: 0n },
        { offset: 16, type: elf.R_X86_64_PC8, sym: 0, addend: 0n },
      ],
    }],
  });
  world.link();
  assert.equal(world.issues().map((issue) => issue.code), [
    abi.ISSUE_RELOC_RANGE, abi.ISSUE_RELOC_BAD_OFFSET, abi.ISSUE_RELOC_BAD_SYMBOL, abi.ISSUE_RELOC_UNKNOWN, abi.ISSUE_RELOC_NON_ABS, abi.ISSUE_RELOC_BAD_OFFSET,
  ]);
});

test.run();
