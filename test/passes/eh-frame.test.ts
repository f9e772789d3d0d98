import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  ERR_CIE_ALIGNED, ERR_CIE_CUT, ERR_CIE_ENCODING, ERR_CIE_END, ERR_CIE_LEB, ERR_CIE_LETTER, ERR_CIE_STRING, ERR_CIE_VERSION, ERR_EH_LARGE, ERR_EH_SMALL,
  ERR_FDE_ENCODING, ERR_TRUNCATED, ISSUE_BAD_EH_FRAME, SYM_DISCARDED, SYM_SECTION,
} from "../../as-kernels/shared/abi.ts";
import { splitPieces } from "../../ts/passes/split-pieces.ts";
import { EhFrameHdrSection } from "../../ts/synthetic/eh-frame-hdr.ts";
import { EhFrameSection } from "../../ts/synthetic/eh-frame.ts";
import { EhBytes } from "../helpers/eh-bytes.ts";
import { code, ehFrame, pieceWorld, type PieceWorld, type PieceWorldSpec, type SectionSpec } from "../helpers/piece-world.ts";
import { prng } from "../helpers/prng.ts";
import { readHdr, walkEhFrame, type OutputFrames } from "../helpers/twin/eh-frame.ts";

const test = suite("eh-frame");

const FRAMES = 0x3000;
const HDR = 0x2000;

interface Output extends OutputFrames {
  world: PieceWorld;
  hdr: [number, number][];
  hdrSize: number;
  size: number;
}

/** Splits, lays out and writes; .eh_frame at FRAMES, .eh_frame_hdr at HDR. */
async function frames(spec: PieceWorldSpec): Promise<Output> {
  const world = pieceWorld({ ...spec, options: { ehFrameHdr: true } });
  const { ctx } = world;
  await splitPieces(ctx);
  assert.equal(world.issues(), []);
  const ehFrameSection = new EhFrameSection();
  const hdrSection = new EhFrameHdrSection(ehFrameSection);
  ehFrameSection.address = BigInt(FRAMES);
  hdrSection.address = BigInt(HDR);
  ctx.params.set("ehFrameAddr", BigInt(FRAMES));
  ctx.params.set("ehFrameHdrAddr", BigInt(HDR));
  const size = ehFrameSection.size(ctx);
  await ehFrameSection.writeWindows(ctx, 0, 0);
  const bytes = world.output.slice(0, size);
  const hdrSize = hdrSection.size();
  const hdrAt = ctx.arena.allocZeroed(hdrSize);
  hdrSection.write(ctx, ctx.arena.bytes(hdrAt, hdrSize), hdrAt);
  assert.equal(world.issues(), []);
  return { world, size, hdrSize, hdr: readHdr(ctx.arena.bytes(hdrAt, hdrSize).slice(), HDR, FRAMES), ...walkEhFrame(bytes, FRAMES) };
}

function section(build: (eh: EhBytes) => void, more: Partial<SectionSpec> = {}): SectionSpec {
  const eh = new EhBytes();
  build(eh);
  return ehFrame(eh.data(), eh.relocs, more);
}

/** Symbols 0… are the section symbols of the code sections of object 0. */
const codeSymbols = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ in: [0, i] as [number, number], value: 0, flags: SYM_SECTION, addr: BigInt(0x10000 + 0x100 * i) }));

test("FDEs of live code are written and listed by address, dead ones are not; a CIE without FDEs stays, as with lld", async () => {
  const out = await frames({
    objects: [[
      code(16), code(16, { live: false }), code(16),
      section((eh) => {
        const first = eh.cie();
        const second = eh.cie({ codeAlign: 2 });
        eh.fde(first, 2, 4, 8);
        eh.fde(second, 1, 0, 16);
        eh.fde(first, 0, 0, 16);
      }),
    ]],
    symbols: codeSymbols(3),
  });
  assert.is(out.cies.length, 2);
  assert.equal(out.fdes.map(({ pc, bytes }) => [pc, bytes]), [[0x10204, 8], [0x10000, 16]]);
  assert.equal(out.hdr, [[0x10000, FRAMES + out.fdes[1]!.offset], [0x10204, FRAMES + out.fdes[0]!.offset]]);
});

test("equal CIEs are one, unless their personality differs", async () => {
  const object = (personality: number | undefined, sym: number, addend = 0): SectionSpec => section((eh) => eh.fde(eh.cie({ personality, addend }), sym, 0, 4));
  const out = await frames({
    objects: [
      [
        code(4), code(4), code(4), code(4), code(4), code(4),
        object(undefined, 0), object(undefined, 1), object(6, 2), object(7, 3), object(6, 4), object(6, 5, 8),
      ],
    ],
    symbols: [...codeSymbols(6), { value: 1, addr: 0x500n }, { value: 2, addr: 0x600n }],
  });
  assert.is(out.cies.length, 4);
  assert.equal(out.fdes.map((fde) => out.cies.indexOf(fde.cie)), [0, 0, 1, 2, 1, 3]);
});

test("an FDE whose code was in a lost COMDAT copy, in another object or nowhere is dropped", async () => {
  const out = await frames({
    objects: [
      [code(4), section((eh) => {
        const cie = eh.cie();
        eh.fde(cie, 1, 0, 4);
        eh.fde(cie, 2, 0, 4);
        eh.fde(cie, 3, 0, 4);
        eh.fde(cie, null, 0, 4);
        eh.fde(cie, 0, 0, 4);
      })],
      [code(4)],
    ],
    symbols: [...codeSymbols(1), { in: [0, 0], value: 0, kind: SYM_DISCARDED }, { in: [1, 0], value: 0 }, { value: 7 }],
  });
  assert.equal(out.fdes.map((fde) => fde.pc), [0x10000]);
});

test("an FDE without code is written but not listed, and of two for one address the first is", async () => {
  const out = await frames({
    objects: [[code(64), section((eh) => {
      const cie = eh.cie();
      eh.fde(cie, 0, 8, 0);
      eh.fde(cie, 0, 16, 4);
      eh.fde(cie, 0, 16, 8);
    })]],
    symbols: codeSymbols(1),
  });
  assert.is(out.fdes.length, 3);
  assert.equal(out.hdr, [[0x10010, FRAMES + out.fdes[1]!.offset]]);
  assert.is(out.hdrSize, 12 + 8 * 2, "room for those with code, found to be one only when there are addresses");
});

test("what follows a terminator is not looked at, and an output without FDEs is a terminator", async () => {
  const out = await frames({
    objects: [[code(4), section((eh) => {
      eh.terminator().fde(eh.cie(), 0, 0, 4);
    })]],
    symbols: codeSymbols(1),
  });
  assert.is(out.size, 4);
  assert.equal(out.hdr, []);
});

test("relocations in any order are found", async () => {
  const spec = section((eh) => {
    const cie = eh.cie();
    for (let i = 0; i < 40; i++) eh.fde(cie, 0, 4 * i, 4);
  });
  prng(9).shuffle(spec.relocs!);
  const out = await frames({ objects: [[code(160), spec]], symbols: codeSymbols(1) });
  assert.equal(out.fdes.map((fde) => fde.pc), Array.from({ length: 40 }, (_, i) => 0x10000 + 4 * i));
});

test("chains FDEs to their section in order", async () => {
  const { world } = await frames({
    objects: [[code(8), code(8), section((eh) => {
      const cie = eh.cie();
      eh.fde(cie, 0, 0, 4);
      eh.fde(cie, 1, 0, 4);
      eh.fde(cie, 0, 4, 4);
    })]],
    symbols: codeSymbols(2),
  });
  const { isec, ehrec } = world.ctx.tables;
  assert.equal([...isec.fde].slice(1, 3), [2, 3]);
  assert.equal([...ehrec.nextFde].slice(1), [0, 4, 0, 0]);
});

for (const debug of [false, true]) {
  test(`random objects: every live FDE keeps code, length and the right CIE (${debug ? "debug" : "release"})`, async () => {
    const random = prng(debug ? 21 : 22);
    const FUNCTIONS = 12;
    const OBJECTS = 40;
    const symbols: PieceWorldSpec["symbols"] = [];
    const wanted: { pc: number; bytes: number; kind: string }[] = [];
    const objects = Array.from({ length: OBJECTS }, (_, o) => {
      const codes = Array.from({ length: FUNCTIONS }, () => code(64, { live: random.chance(0.7) }));
      const base = symbols.length;
      codes.forEach((_, f) => symbols.push({ in: [o, f], value: 0, flags: SYM_SECTION, addr: BigInt(0x100000 + random.below(1 << 20) * 64) }));
      const spec = section((eh) => {
        let cie = 0;
        let kind = "";
        codes.forEach((target, f) => {
          if (f === 0 || random.chance(0.3)) {
            const codeAlign = random.between(1, 3);
            cie = eh.cie({ codeAlign });
            kind = String(codeAlign);
          }
          const bytes = random.pick([0, 4, 8]);
          const addend = random.below(60);
          eh.fde(cie, base + f, addend, bytes, false, random.below(9));
          if (target.live !== false) wanted.push({ pc: Number(symbols[base + f]!.addr) + addend, bytes, kind });
        });
      }, { gap: random.pick([0, 3, 6000]) });
      return [...codes, spec];
    });
    const out = await frames({ objects, symbols, debug });
    assert.equal(out.fdes.map(({ pc, bytes }) => [pc, bytes]), wanted.map(({ pc, bytes }) => [pc, bytes]));
    assert.is(out.cies.length, 3);
    const kinds = new Map<number, Set<string>>();
    out.fdes.forEach((fde, i) => kinds.set(fde.cie, (kinds.get(fde.cie) ?? new Set()).add(wanted[i]!.kind)));
    for (const set of kinds.values()) assert.is(set.size, 1);
    const first = new Map<number, number>();
    for (const fde of out.fdes) if (fde.bytes !== 0 && !first.has(fde.pc)) first.set(fde.pc, FRAMES + fde.offset);
    assert.equal(out.hdr, [...first].sort((a, b) => a[0] - b[0]));
  });
}

test("absolute pointers and the 64-bit length form are understood", async () => {
  const wide = section((eh) => {
    eh.fde(eh.cie({ enc: 0 }), 0, 0, 4, true);
  });
  const world = pieceWorld({ objects: [[code(4), wide]], symbols: codeSymbols(1) });
  await splitPieces(world.ctx);
  assert.equal(world.issues(), []);
  assert.equal([...world.ctx.tables.ehrec.func], [0, 0, 1]);
  const cie = new EhBytes();
  cie.cie();
  const long = pieceWorld({ objects: [[ehFrame(cie.long().data(), [])]] });
  await splitPieces(long.ctx);
  assert.equal(long.issues(), []);
  assert.is(long.ctx.tables.ehrec.size[1], cie.bytes.length);
});

/** Details of what is reported for a section, with --eh-frame-hdr. */
async function complaints(data: Uint8Array, ehFrameHdr = true): Promise<number[]> {
  const world = pieceWorld({ objects: [[ehFrame(data, [])]], options: { ehFrameHdr } });
  await splitPieces(world.ctx);
  new EhFrameSection().size(world.ctx);
  const found = world.issues();
  assert.ok(found.every((issue) => issue.code === ISSUE_BAD_EH_FRAME));
  return found.map((issue) => Number(issue.a));
}

test("corrupt records are reported", async () => {
  const good = new EhBytes();
  good.fde(good.cie(), null, 0, 4);
  assert.equal(await complaints(good.data()), []);
  assert.equal(await complaints(good.data().subarray(0, 10)), [ERR_TRUNCATED]);
  assert.equal(await complaints(Uint8Array.from([1, 0])), [ERR_EH_SMALL]);
  assert.equal(await complaints(Uint8Array.from([2, 0, 0, 0, 0, 0])), [ERR_EH_SMALL]);
  assert.equal(await complaints(Uint8Array.from([255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0])), [ERR_EH_LARGE]);
  const orphan = good.data();
  orphan[orphan.length - 20] = 99;
  assert.ok((await complaints(orphan)).length > 0);
});

test("corrupt CIEs are reported, but only when somebody looks into them", async () => {
  /** A CIE of these bytes behind the id. */
  const cie = (...bytes: number[]): Uint8Array => Uint8Array.from([4 + bytes.length, 0, 0, 0, 0, 0, 0, 0, ...bytes]);
  const text = (letters: string): number[] => [...letters].map((letter) => letter.charCodeAt(0));
  const cases: [number, Uint8Array][] = [
    [ERR_CIE_END, cie()], [ERR_CIE_VERSION, cie(9, 0, 1, 1, 1)], [ERR_CIE_STRING, cie(1, 1, 1, 1)], [ERR_CIE_LEB, cie(1, 0, 1)], [ERR_CIE_LEB, cie(1, 0, 0x80, 0x80)],
    [ERR_CIE_END, cie(1, 0, 1, 1)], [ERR_CIE_LETTER, cie(1, ...text("zQ"), 0, 1, 1, 1, 0)], [ERR_CIE_ENCODING, cie(1, ...text("P"), 0, 1, 1, 1, 1, 1, 1, 1)],
    [ERR_CIE_ALIGNED, cie(1, ...text("P"), 0, 1, 1, 1, 0x51, 1, 1, 1)], [ERR_CIE_CUT, cie(1, ...text("P"), 0, 1, 1, 1, 3, 1, 1, 1)], [ERR_CIE_LEB, cie(3, 0, 1, 1)],
    [ERR_CIE_END, cie(1, ...text("R"), 0, 1, 1, 1)], [ERR_CIE_END, cie(1, ...text("L"), 0, 1, 1, 1)],
  ];
  for (const [detail, bytes] of cases) {
    assert.equal(await complaints(bytes), [detail], `${[...bytes]}`);
    assert.equal(await complaints(bytes, false), []);
  }
});

test("an unknown encoding of code addresses is reported when there is code", async () => {
  const encoding = new EhBytes();
  encoding.fde(encoding.cie({ enc: 0x0f }), 0, 0, 4);
  const world = pieceWorld({ objects: [[code(4), ehFrame(encoding.data(), encoding.relocs)]], symbols: codeSymbols(1), options: { ehFrameHdr: true } });
  await splitPieces(world.ctx);
  assert.equal(world.issues().map(({ a }) => Number(a)), [ERR_FDE_ENCODING]);
});

test("no mutation of a section makes it crash or hang", async () => {
  const random = prng(77);
  const good = new EhBytes();
  const cie = good.cie({ personality: 0 });
  for (let i = 0; i < 4; i++) good.fde(cie, null, 0, 4);
  for (let round = 0; round < 300; round++) {
    const data = good.data();
    for (let k = random.between(1, 3); k > 0; k--) data[random.below(data.length)] = random.pick([0, 1, 127, 128, 255, random.below(256)]);
    await complaints(data.subarray(0, random.chance(0.3) ? random.below(data.length) : data.length));
  }
});

test.run();
