import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  ISEC_MERGE, ISEC_REGULAR, SYM_COMMON, SYM_DEFINED, SYM_DISCARDED, SYM_FUNC, SYM_IN_OSEC, SYM_LAZY, SYM_SECTION, SYM_SHARED, SYM_UNDEF, SYM_WEAK,
} from "../../as-kernels/shared/abi.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { kernelMemory, type KernelMemory } from "../helpers/kernel-memory.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { addressTwin, type TwinDefinition, type TwinPiece, type TwinPlace } from "../helpers/twin/resolve-addresses.ts";

const OUTPUTS = [0x1000n, 0xffff_ffff_8000_0000n, 0n];
const ENTSIZE = 8;
/** log2 of the bytes an entry of isec.blockIndex covers. */
const BLOCK_SHIFT = 6;

interface World {
  places: TwinPlace[];
  /** Mergeable sections: constants of one size, else strings of any. */
  constants: boolean[];
}

function randomWorld(random: Prng): World {
  const constants: boolean[] = [];
  const places = Array.from({ length: random.between(1, 12) }, (_, s): TwinPlace => {
    constants[s] = random.chance(0.4);
    const bytes = () => (constants[s] ? ENTSIZE : random.pick([1, 2, 9, 63, 64, 65, 300]));
    const pieces = Array.from({ length: random.below(20) }, (): TwinPiece => ({ bytes: bytes(), out: random.below(5000) }));
    return {
      live: random.chance(0.85), output: random.chance(0.9) ? random.pick(OUTPUTS) : null, offset: random.pick([0, 16, 2 ** 40]), pieces: random.chance(0.7) ? pieces : null,
    };
  });
  return { places, constants };
}

const sizeOf = ({ pieces }: TwinPlace): number => (pieces ?? []).reduce((sum, { bytes }) => sum + bytes, 0);

/** Rows as split-pieces, mark-live and merge-pieces leave them; returns the first piece row of every section. */
function fillWorld({ arena, tables }: KernelMemory, { places, constants }: World): number[] {
  const osec = allocTable(arena, tables, "osec", OUTPUTS.length + 1);
  osec.addr.set(OUTPUTS, 1);
  const isec = allocTable(arena, tables, "isec", places.length + 1);
  const msec = allocTable(arena, tables, "msec", places.length + 1);
  const piece = allocTable(arena, tables, "piece", 1 + places.reduce((sum, { pieces }) => sum + (pieces?.length ?? 0) + 1, 0));
  let row = 1;
  return places.map((place, s) => {
    const i = s + 1;
    const { live, output, offset, pieces } = place;
    isec.live[i] = live ? 1 : 0;
    isec.osec[i] = live && output !== null ? OUTPUTS.indexOf(output) + 1 : 0;
    if (pieces === null) {
      isec.kind[i] = ISEC_REGULAR;
      isec.outOffset[i] = offset;
      return 0;
    }
    isec.kind[i] = ISEC_MERGE;
    isec.size[i] = sizeOf(place);
    isec.sh_entsize[i] = constants[s] ? ENTSIZE : 1;
    isec.pieceBase[i] = row;
    isec.pieceCount[i] = pieces.length;
    if (isec.osec[i] !== 0) {
      isec.msec[i] = i;
      msec.osec[i] = isec.osec[i]!;
      msec.outOffset[i] = offset;
    }
    const base = row;
    const ends: number[] = [];
    let at = 0;
    for (const { bytes, out } of pieces) {
      piece.inOffset[row] = at;
      piece.out[row++] = out;
      ends.push((at += bytes));
    }
    piece.inOffset[row++] = at;
    const blocks = Math.ceil(at / (1 << BLOCK_SHIFT));
    if (!constants[s] && blocks > 0) {
      isec.blockIndex[i] = arena.alloc(4 * blocks);
      for (let b = 0; b < blocks; b++) arena.u32[(isec.blockIndex[i]! >>> 2) + b] = base + ends.findIndex((end) => end > b << BLOCK_SHIFT);
    }
    return base;
  });
}

/** Row of the piece that a named symbol's st_value falls in. */
function pieceRow(place: TwinPlace, base: number, value: bigint): number {
  let end = 0n;
  const k = place.pieces!.findIndex(({ bytes }) => value < (end += BigInt(bytes)));
  return base + (k < 0 ? place.pieces!.length - 1 : k);
}

for (const debug of [false, true]) {
  const test = suite(`kernel resolve-addresses ${debug ? "debug" : "release"}`);
  const memory = kernelMemory(debug);
  const { arena, tables, kernels } = memory;

  test("symbols move with their sections, and with the pieces of merged ones, as the twin says", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const mark = arena.mark();
      const random = prng(seed);
      const world = randomWorld(random);
      const bases = fillWorld(memory, world);
      const rows = 60;
      const sym = allocTable(arena, tables, "sym", rows);
      const wanted: TwinDefinition[] = [{ is: "elsewhere" }];
      for (let id = 1; id < rows; id++) {
        const value = random.pick([0n, 8n, BigInt(random.below(2000)), random.u64()]);
        const s = random.below(world.places.length);
        const section = world.places[s]!;
        const is = random.pick(["absolute", "in an output section", "in an input section", "in an input section", "elsewhere"] as const);
        sym.value[id] = value;
        if (is === "elsewhere") {
          sym.flags[id] = random.pick([SYM_UNDEF, SYM_SHARED, SYM_LAZY, SYM_COMMON, SYM_DISCARDED]) | random.pick([0, SYM_WEAK]);
          wanted.push({ is });
        } else if (is === "absolute") {
          sym.flags[id] = SYM_DEFINED | random.pick([0, SYM_FUNC]);
          wanted.push({ is, value });
        } else if (is === "in an output section") {
          const output = random.below(OUTPUTS.length);
          sym.flags[id] = SYM_IN_OSEC;
          sym.isec[id] = output + 1;
          wanted.push({ is, output: OUTPUTS[output]!, value });
        } else {
          sym.flags[id] = SYM_DEFINED | (random.chance(0.3) ? SYM_SECTION : SYM_FUNC);
          sym.isec[id] = s + 1;
          if (section.pieces !== null && section.pieces.length > 0 && (sym.flags[id]! & SYM_SECTION) === 0) {
            sym.value[id] = BigInt(random.below(sizeOf(section) + 1));
            sym.piece[id] = 1 + pieceRow(section, bases[s]!, sym.value[id]!);
          }
          wanted.push({ is, section, value: sym.value[id]! });
        }
      }
      const cut = random.between(1, rows);
      kernels.resolveAddresses(1, cut);
      kernels.resolveAddresses(cut, rows);
      wanted.forEach((definition, id) => assert.is(sym.addr[id], addressTwin(definition), `symbol ${id} ${definition.is}, seed ${seed}`));
      arena.release(mark);
    }
  });

  test.run();
}
