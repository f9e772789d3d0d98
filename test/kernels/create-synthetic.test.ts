import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as abi from "../../as-kernels/shared/abi.ts";
import { RELA_BYTES } from "../../as-kernels/shared/elf.ts";
import { GotPltSection } from "../../ts/synthetic/got-plt.ts";
import { GotSection } from "../../ts/synthetic/got.ts";
import { RelaDynSection } from "../../ts/synthetic/rela-dyn.ts";
import { RelaPltSection } from "../../ts/synthetic/rela-plt.ts";
import { RelrSection } from "../../ts/synthetic/relr.ts";
import type { SyntheticSection } from "../../ts/synthetic/section.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { BASE, DATA, PLACES, relocWorld, STEP, TEXT, type RelocWorld, type RelocWorldSpec, type SymSpec } from "../helpers/reloc-world.ts";
import { applyRelocations, type DynamicRecord, type Found, type Module, type Word } from "../helpers/twin/dynamic-linker.ts";

const { SYM_NEEDS_GOT: GOT, SYM_NEEDS_PLT: PLT, SYM_NEEDS_CPLT: CPLT, SYM_NEEDS_TLSGD: GD, SYM_NEEDS_GOTTP: IE, SYM_NEEDS_TLSDESC: DESC, SYM_ADDRESS_TAKEN: TAKEN, SYM_PREEMPTIBLE: P } = abi;

/** Symbols with the needs that scan-relocs finds for them; bound thread-local ones need words in shared objects only. */
function randomSymbol(random: Prng, output: RelocWorldSpec["output"]): SymSpec {
  const section = random.below(2);
  const value = BigInt(random.below(400));
  const threadLocal = abi.SYM_TLS | random.pick([GD, IE, DESC, GD | IE, GD | DESC, GD | IE | DESC]);
  const choices: SymSpec[] = [
    { flags: abi.SYM_DEFINED | GOT, section, value },
    { flags: abi.SYM_DEFINED | abi.SYM_ABSOLUTE | GOT, value },
    { flags: abi.SYM_UNDEF | abi.SYM_WEAK | abi.SYM_ABSOLUTE | GOT },
    { flags: abi.SYM_UNDEF | abi.SYM_WEAK | P | random.pick([GOT, PLT, GOT | PLT]) },
    { flags: abi.SYM_SHARED | abi.SYM_FUNC | P | random.pick([GOT, PLT, PLT | CPLT, GOT | PLT, GOT | PLT | CPLT]) },
    { flags: abi.SYM_SHARED | abi.SYM_OBJECT | P | GOT },
    { flags: abi.SYM_DEFINED | abi.SYM_FUNC | abi.SYM_IFUNC | random.pick([GOT, PLT, TAKEN, GOT | TAKEN, PLT | TAKEN, GOT | PLT | TAKEN]), section: 0, value },
    { flags: abi.SYM_SHARED | P | threadLocal },
  ];
  if (output === "shared") choices.push({ flags: abi.SYM_DEFINED | P | random.pick([GOT, PLT, GOT | PLT]), section, value }, { flags: abi.SYM_DEFINED | threadLocal, addr: PLACES.tlsAddr + value });
  return random.pick(choices);
}

/** Finished bytes of a section at its place, and where that is in memory. */
function write(world: RelocWorld, section: SyntheticSection, address: bigint): DataView {
  const { ctx } = world;
  section.address = address;
  const size = section.size(ctx);
  const at = ctx.arena.allocZeroed(size + 64);
  section.write(ctx, ctx.arena.bytes(at, size), at);
  return new DataView(ctx.arena.memory.buffer, at, size);
}

const wordsOf = (view: DataView): bigint[] => Array.from({ length: view.byteLength / 8 }, (_, i) => view.getBigUint64(8 * i, true));

function recordsOf(view: DataView, rel: boolean): DynamicRecord[] {
  const bytes = rel ? 16 : RELA_BYTES;
  return Array.from({ length: view.byteLength / bytes }, (_, i) => {
    const info = view.getBigUint64(bytes * i + 8, true);
    return { offset: view.getBigUint64(bytes * i, true), type: Number(info & 0xffff_ffffn), sym: Number(info >> 32n), addend: rel ? null : BigInt.asIntN(64, view.getBigUint64(bytes * i + 16, true)) };
  });
}

/** gABI draft, SHT_RELR. */
function addressesOf(relr: bigint[]): bigint[] {
  const found: bigint[] = [];
  let next = 0n;
  for (const word of relr) {
    if ((word & 1n) === 0n) {
      found.push(word);
      next = word + 8n;
      continue;
    }
    for (let bit = 1n; bit < 64n; bit++) if ((word >> bit) & 1n) found.push(next + 8n * (bit - 1n));
    next += 63n * 8n;
  }
  return found;
}

for (const debug of [false, true]) {
  const test = suite(`kernel create-synthetic ${debug ? "debug" : "release"}`);

  for (const output of ["exec", "pie", "shared"] as const) {
    test(`after relocation every word of .got and .got.plt is what its symbol needs: ${output}`, () => {
      for (let seed = 1; seed <= 60; seed++) {
        const random = prng(seed * 8 + output.length);
        const where = `seed ${seed}`;
        const pic = output !== "exec";
        const form = random.pick(["rela", "rela with addends in place", "rel"] as const);
        const rel = form === "rel";
        const symbols = Array.from({ length: random.below(30) }, () => randomSymbol(random, output));
        const packRelr = pic && random.chance(0.4) ? 1 : 0;
        const world = relocWorld({
          output, debug, symbols,
          sections: [TEXT, DATA].map((flags) => ({ bytes: new Uint8Array(512), flags, relocs: [] })),
          params: { packRelr, writeAddends: form === "rela" ? 0 : 1, rel: rel ? 1 : 0, usePltGot: random.below(2), needsTlsModule: random.below(2) },
        });
        world.link();
        const { ctx } = world;
        const { params, tables } = ctx;
        const gotPlt = write(world, new GotPltSection(), PLACES.gotPltAddr);
        const got = write(world, new GotSection(), PLACES.gotAddr);
        const words = new Map<bigint, Word>();
        wordsOf(got).forEach((word, i) => words.set(PLACES.gotAddr + 8n * BigInt(i), word));
        wordsOf(gotPlt).forEach((word, i) => words.set(PLACES.gotPltAddr + 8n * BigInt(i), word));
        const relr = new RelrSection();
        if (relr.isNeeded(ctx)) relr.settle(ctx);
        const records = [
          ...recordsOf(write(world, new RelaDynSection(world.ownSymbolic(), rel ? "rel" : "rela"), 0n), rel), ...recordsOf(write(world, new RelaPltSection(rel ? "rel" : "rela"), 0n), rel),
        ];
        const me: Module = { bias: pic ? 0x7f00_0000_0000n : 0n, id: output === "shared" ? 5n : 1n, tlsOffset: output === "shared" ? -0x8000n : PLACES.tlsAddr - PLACES.tlsEnd };
        const found = (sym: number): Found => {
          assert.ok(sym >= 100 && sym < 100 + symbols.length, `dynamic symbol ${sym}, ${where}`);
          const k = BigInt(sym - 100);
          return { address: 0x6000_0000_0000n + 0x100n * k, module: { bias: 0n, id: 20n + k, tlsOffset: -0x10000n * k }, offset: 8n * k };
        };
        applyRelocations(words, records, relr.isNeeded(ctx) ? addressesOf(wordsOf(write(world, relr, 0n))) : [], me, found);

        // Every word of .got belongs to one need.
        const taken: number[] = [];
        const word = (index: number): Word => {
          taken.push(index);
          return words.get(PLACES.gotAddr + 8n * BigInt(index - 1))!;
        };
        const pair = params.get("tlsModuleGot");
        if (pair !== 0) assert.equal([word(pair), word(pair + 1)], [me.id, 0n], `this module, ${where}`);
        symbols.forEach((symbol, k) => {
          const what = `symbol ${k}, flags ${symbol.flags.toString(16)}, ${form}, RELR ${packRelr}, ${where}`;
          const has = (bits: number) => (symbol.flags & bits) !== 0;
          const row = tables.sym.aux[world.sym(k)]!;
          const { aux } = tables;
          const elsewhere = has(P) ? found(100 + k) : null;
          const address = symbol.addr ?? (symbol.section === undefined ? (symbol.value ?? 0n) : BASE + STEP * BigInt(symbol.section) + symbol.value!);
          const moves = symbol.section !== undefined;
          const ifunc = has(abi.SYM_IFUNC);
          const here = BigInt.asUintN(64, address + (moves ? me.bias : 0n));
          if (ifunc) {
            const iplt = aux.iplt[row]!;
            assert.ok(iplt > 0 && aux.plt[row] === 0 && aux.pltGot[row] === 0, what);
            const slot = PLACES.gotPltAddr + 8n * BigInt(params.get("gotPltHeader") + params.get("pltCount") + iplt - 1);
            assert.equal(words.get(slot), { resolver: here }, what);
            assert.is(aux.got[row] !== 0, has(GOT) && has(TAKEN), what);
            const entry = PLACES.ipltAddr + 16n * BigInt(iplt - 1);
            if (has(TAKEN)) assert.is(tables.sym.addr[world.sym(k)], entry, what);
            if (aux.got[row] !== 0) assert.is(word(aux.got[row]!), entry + me.bias, what);
            return;
          }
          assert.is(aux.got[row] !== 0, has(GOT), what);
          if (has(GOT)) assert.is(word(aux.got[row]!), elsewhere?.address ?? here, what);
          const throughGot = has(PLT) && has(GOT) && !has(CPLT) && params.get("usePltGot") === 1;
          assert.is(aux.pltGot[row] !== 0, throughGot, what);
          assert.is(aux.plt[row] !== 0, has(PLT) && !throughGot, what);
          if (aux.plt[row] !== 0) assert.is(words.get(PLACES.gotPltAddr + 8n * BigInt(2 + aux.plt[row]!)), elsewhere!.address, what);
          if (has(CPLT)) assert.is(tables.sym.addr[world.sym(k)], PLACES.pltFirst + 16n * BigInt(aux.plt[row]! - 1), what);
          const { module, offset } = elsewhere ?? { module: me, offset: address - PLACES.tlsAddr };
          if (has(GD)) assert.equal([word(aux.tlsGd[row]!), word(aux.tlsGd[row]! + 1)], [module.id, offset], what);
          if (has(DESC)) assert.equal([word(aux.tlsDesc[row]!), word(aux.tlsDesc[row]! + 1)], [module.id, offset], what);
          if (has(IE)) assert.is(word(aux.gotTp[row]!), BigInt.asUintN(64, module.tlsOffset + offset), what);
        });
        assert.equal(taken.sort((a, b) => a - b), Array.from({ length: params.get("gotWords") }, (_, i) => i + 1), `words of .got, ${where}`);
      }
    });
  }

  test.run();
}
