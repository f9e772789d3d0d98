import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as abi from "../../as-kernels/shared/abi.ts";
import * as elf from "../../as-kernels/shared/elf.ts";
import { GotPltSection } from "../../ts/synthetic/got-plt.ts";
import { GotSection } from "../../ts/synthetic/got.ts";
import { PltEntries, PltSection } from "../../ts/synthetic/plt.ts";
import { RelaDynSection } from "../../ts/synthetic/rela-dyn.ts";
import { RelaPltSection } from "../../ts/synthetic/rela-plt.ts";
import type { SyntheticSection } from "../../ts/synthetic/section.ts";
import { prng } from "../helpers/prng.ts";
import { DATA, PLACES, relocWorld, TEXT, type RelocWorld, type SymSpec } from "../helpers/reloc-world.ts";

const test = suite("create-synthetic");

const FUNC: SymSpec = { flags: abi.SYM_SHARED | abi.SYM_FUNC | abi.SYM_PREEMPTIBLE };
const LOCAL: SymSpec = { flags: abi.SYM_DEFINED, section: 1, value: 8n };
const IFUNC: SymSpec = { flags: abi.SYM_DEFINED | abi.SYM_FUNC | abi.SYM_IFUNC, section: 0, value: 2n };
const TLV: SymSpec = { flags: abi.SYM_DEFINED | abi.SYM_TLS, addr: 0x350010n };

/** One relocation of each [type, symbol] in a data section, linked. */
function linked(output: "exec" | "pie" | "shared", symbols: SymSpec[], relocs: [number, number][], params = {}): RelocWorld {
  const world = relocWorld({
    output, symbols, params,
    sections: [
      { bytes: new Uint8Array(16), flags: TEXT, relocs: [] },
      { bytes: new Uint8Array(8 * relocs.length + 16), flags: DATA, relocs: relocs.map(([type, sym], k) => ({ offset: 8 * k, type, sym, addend: 0n })) },
    ],
  });
  world.link();
  assert.equal(world.issues(), []);
  return world;
}

function write(world: RelocWorld, section: SyntheticSection, address = 0n): DataView {
  const size = section.size(world.ctx);
  section.address = address;
  const at = world.ctx.arena.allocZeroed(size + 64);
  section.write(world.ctx, world.ctx.arena.bytes(at, size), at);
  return new DataView(world.ctx.arena.memory.buffer, at, size);
}

const words = (view: DataView): bigint[] => Array.from({ length: view.byteLength / 8 }, (_, i) => view.getBigUint64(8 * i, true));
const relas = (view: DataView): string[] =>
  Array.from({ length: view.byteLength / 24 }, (_, i) => {
    const info = view.getBigUint64(24 * i + 8, true);
    return `${view.getBigUint64(24 * i, true).toString(16)} ${info & 0xffffffffn} ${info >> 32n} ${view.getBigUint64(24 * i + 16, true).toString(16)}`;
  });

test("GOT words: constants in a fixed image, RELATIVE in one that moves, GLOB_DAT for others", () => {
  const relocs: [number, number][] = [[elf.R_X86_64_GOTPCREL64, 0], [elf.R_X86_64_GOTPCREL64, 1], [elf.R_X86_64_GOTPCREL64, 0]];
  const exec = linked("exec", [LOCAL, FUNC], relocs);
  assert.equal(words(write(exec, new GotSection())), [0x210008n, 0n]);
  assert.equal(relas(write(exec, new RelaDynSection(exec.ownSymbolic()))), ["300008 6 101 0"]);
  const pie = linked("pie", [LOCAL, FUNC], relocs);
  assert.equal(words(write(pie, new GotSection())), [0n, 0n]);
  assert.equal(relas(write(pie, new RelaDynSection(pie.ownSymbolic()))), ["300000 8 0 210008", "300008 6 101 0"]);
  const addends = linked("pie", [LOCAL, FUNC], relocs, { writeAddends: 1 });
  assert.equal(words(write(addends, new GotSection())), [0x210008n, 0n]);
});

test("thread-local slots by model and output", () => {
  const relocs: [number, number][] = [[elf.R_X86_64_TLSGD, 0], [elf.R_X86_64_GOTTPOFF, 0], [elf.R_X86_64_GOTPC32_TLSDESC, 0], [elf.R_X86_64_TLSLD, 0]];
  const shared = linked("shared", [TLV], relocs);
  assert.equal(words(write(shared, new GotSection())), [0n, 0n, 0n, 0n, 0n, 0x10n, 0n]);
  assert.equal(relas(write(shared, new RelaDynSection(shared.ownSymbolic()))), [
    `300000 ${elf.R_X86_64_DTPMOD64} 0 0`, `300010 ${elf.R_X86_64_TLSDESC} 0 10`, `300020 ${elf.R_X86_64_DTPMOD64} 0 0`, `300030 ${elf.R_X86_64_TPOFF64} 0 10`,
  ]);
  const theirs = linked("shared", [{ flags: TLV.flags | abi.SYM_PREEMPTIBLE, addr: TLV.addr! }], relocs);
  assert.equal(relas(write(theirs, new RelaDynSection(theirs.ownSymbolic()))), [
    `300000 ${elf.R_X86_64_DTPMOD64} 0 0`, `300010 ${elf.R_X86_64_TLSDESC} 100 0`, `300020 ${elf.R_X86_64_DTPMOD64} 100 0`,
    `300028 ${elf.R_X86_64_DTPOFF64} 100 0`, `300030 ${elf.R_X86_64_TPOFF64} 100 0`,
  ]);
});

test("the offset of a weak variable that is nowhere is 0", () => {
  const nowhere = linked("shared", [{ flags: abi.SYM_UNDEF | abi.SYM_WEAK | abi.SYM_TLS, vis: elf.STV_HIDDEN }], [[elf.R_X86_64_TLSGD, 0]]);
  assert.equal(words(write(nowhere, new GotSection())), [0n, 0n]);
  const hidden: SymSpec = { flags: abi.SYM_UNDEF | abi.SYM_WEAK | abi.SYM_TLS, vis: elf.STV_HIDDEN };
  const model = linked("shared", [hidden], [[elf.R_X86_64_GOTTPOFF, 0], [elf.R_X86_64_GOTPC32_TLSDESC, 0]]);
  assert.equal(relas(write(model, new RelaDynSection(model.ownSymbolic()))), [`300000 ${elf.R_X86_64_TLSDESC} 0 0`, `300010 ${elf.R_X86_64_TPOFF64} 0 0`]);
});

test("PLT entries jump through their words, lazily at first", () => {
  const world = linked("pie", [FUNC, IFUNC, FUNC], [[elf.R_X86_64_PLT32, 2], [elf.R_X86_64_PLT32, 1], [elf.R_X86_64_PLT32, 0]]);
  const gotPlt = new GotPltSection();
  gotPlt.address = PLACES.gotPltAddr;
  world.ctx.synthetics.gotPlt = gotPlt;
  const plt = write(world, new PltSection(), PLACES.pltAddr);
  assert.is(plt.byteLength, 48);
  const target = (view: DataView, base: bigint, field: number) => base + BigInt(field + 4) + BigInt(view.getInt32(field, true));
  assert.is(target(plt, PLACES.pltAddr, 2), PLACES.gotPltAddr + 8n);
  assert.is(target(plt, PLACES.pltAddr, 8), PLACES.gotPltAddr + 16n);
  for (const entry of [0, 1]) {
    const base = 16 * (entry + 1);
    assert.is(target(plt, PLACES.pltAddr, base + 2), PLACES.gotPltAddr + 24n + BigInt(8 * entry));
    assert.is(plt.getUint32(base + 7, true), entry);
    assert.is(target(plt, PLACES.pltAddr, base + 12), PLACES.pltAddr);
  }
  const iplt = write(world, new PltEntries(".iplt"), PLACES.ipltAddr);
  assert.is(target(iplt, PLACES.ipltAddr, 2), PLACES.gotPltAddr + 40n);
  assert.equal(words(write(world, gotPlt, PLACES.gotPltAddr)), [0n, 0n, 0n, PLACES.pltAddr + 22n, PLACES.pltAddr + 38n, 0n]);
  assert.equal(relas(write(world, new RelaPltSection())), ["310018 7 100 0", "310020 7 102 0", `310028 ${elf.R_X86_64_IRELATIVE} 0 200002`]);
  assert.equal(relas(write(world, new RelaDynSection(world.ownSymbolic()))), [], "resolvers may call through .plt");
});

test("an IFUNC alone needs no header in .got.plt, and its resolver stays known when its address moves", () => {
  const world = linked("exec", [IFUNC], [[elf.R_X86_64_64, 0], [elf.R_X86_64_GOTPCREL64, 0]]);
  assert.is(new GotPltSection().size(world.ctx), 8);
  assert.equal(words(write(world, new GotSection())), [PLACES.ipltAddr], "the GOT agrees with the address");
  assert.is(world.ctx.tables.sym.addr[world.sym(0)], PLACES.ipltAddr);
  assert.equal(relas(write(world, new RelaDynSection(world.ownSymbolic()))), [`310000 ${elf.R_X86_64_IRELATIVE} 0 200002`]);
});

test(".plt.got is used for functions with a GOT entry when asked for, but not for canonical entries", () => {
  const relocs: [number, number][] = [[elf.R_X86_64_PLT32, 0], [elf.R_X86_64_GOTPCREL64, 0], [elf.R_X86_64_PLT32, 1], [elf.R_X86_64_PC32, 1], [elf.R_X86_64_GOTPCREL64, 1]];
  const world = linked("pie", [FUNC, FUNC], relocs, { usePltGot: 1 });
  assert.is(world.ctx.params.get("pltGotCount"), 1);
  assert.is(world.ctx.params.get("pltCount"), 1);
  const pltGot = write(world, new PltEntries(".plt.got"), PLACES.pltGotAddr);
  assert.is(PLACES.pltGotAddr + 6n + BigInt(pltGot.getInt32(2, true)), PLACES.gotAddr);
});

test(".rela.dyn: RELATIVE by address, the rest by symbol and address", () => {
  const random = prng(5);
  const symbols = Array.from({ length: 5 }, () => FUNC).concat(Array.from({ length: 5 }, () => LOCAL));
  const relocs = Array.from({ length: 300 }, (): [number, number] => [random.pick([elf.R_X86_64_64, elf.R_X86_64_GOTPCREL64]), random.below(10)]);
  const world = linked("pie", symbols, relocs);
  const texts = relas(write(world, new RelaDynSection(world.ownSymbolic())));
  const keys = texts.map((text) => {
    const [offset, type, sym] = text.split(" ");
    return [type === "8" ? 0 : 1, type === "8" ? 0 : Number(sym), parseInt(offset!, 16)];
  });
  const sorted = [...keys].sort((a, b) => a[0]! - b[0]! || a[1]! - b[1]! || a[2]! - b[2]!);
  assert.equal(keys, sorted);
  assert.is(new Set(texts.map((text) => text.split(" ")[0])).size, texts.length, "no place twice");
});

test("RELR words decode to the addresses they were made of", () => {
  const { ctx } = relocWorld({ output: "pie", symbols: [], sections: [] });
  const { arena, kernels } = ctx;
  const random = prng(11);
  for (let round = 0; round < 50; round++) {
    const addresses = new Set<bigint>();
    let at = 0x1000n;
    for (let i = random.below(300); i >= 0; i--) {
      at += random.pick([2n, 8n, 8n, 8n, 16n, 62n * 8n, 63n * 8n, 64n * 8n, 0x10000n, 6n]);
      addresses.add(at);
    }
    const shuffled = random.shuffle([...addresses]);
    let from = arena.alloc(8 * shuffled.length);
    let to = arena.alloc(8 * shuffled.length);
    shuffled.forEach((address, i) => (arena.u64[(from >>> 3) + i] = address));
    for (let runs = 2; runs > 1; [from, to] = [to, from]) runs = kernels.mergeAddresses(from, to, shuffled.length);
    const count = kernels.encodeRelr(from, shuffled.length, 0);
    const out = arena.alloc(8 * count);
    assert.is(kernels.encodeRelr(from, shuffled.length, out), count);
    assert.equal(decodeRelr(Array.from(arena.u64.subarray(out >>> 3, (out >>> 3) + count))), [...addresses]);
  }
});

/** gABI draft, SHT_RELR. */
function decodeRelr(list: bigint[]): bigint[] {
  const found: bigint[] = [];
  let next = 0n;
  for (const word of list) {
    if ((word & 1n) === 0n) {
      found.push(word);
      next = word + 8n;
      continue;
    }
    for (let bit = 0n; bit < 63n; bit++) if (((word >> (bit + 1n)) & 1n) === 1n) found.push(next + 8n * bit);
    next += 63n * 8n;
  }
  return found;
}

test.run();
