/**
 * Output sections, input sections and pieces as symbols see them, for tests of the kernels that write symbol tables.
 *
 * Builds no symbols: each kind of table has rules of its own for which are possible.
 */
import { ISEC_MERGE, ISEC_REGULAR } from "../../as-kernels/shared/abi.ts";
import { SHF_ALLOC, SHF_MERGE, SHF_TLS, SHN_ABS, SHN_LORESERVE, SYM_BYTES } from "../../as-kernels/shared/elf.ts";
import { allocTable } from "../../ts/memory/table.ts";
import type { KernelMemory } from "./kernel-memory.ts";
import type { Prng } from "./prng.ts";
import type { Entry, Link, Output, Piece, Section } from "./twin/emit-symtab.ts";

/** Row of `piece` + 1, as sym.piece has it. */
export const PIECES: Record<Piece, number> = { none: 0, dead: 1, live: 2 };

export interface SymbolWorld {
  link: Link;
  sections: Section[];
  /** Row of what a symbol is relative to. */
  row: (section: Section | null) => number;
  outputRow: (output: Output | null) => number;
}

/** Output sections that touch each other here and there, and input sections that are in them or thrown away. */
export function symbolWorld(memory: KernelMemory, random: Prng): SymbolWorld {
  const { arena, tables, params } = memory;
  let addr = 0x1000n;
  const outputs = Array.from({ length: random.between(1, 6) }, (_, k): Output => {
    const size = random.pick([0, 0x10, 0x20]);
    const output = { index: random.pick([0, k + 1, k + 1, SHN_LORESERVE - 1, SHN_LORESERVE, SHN_ABS, 70_000]), flags: random.pick([SHF_ALLOC, SHF_ALLOC, SHF_ALLOC | SHF_TLS, 0]), addr, size };
    addr += BigInt(size + random.pick([0, 0, 0x10]));
    return output;
  });
  const sections = Array.from({ length: random.between(1, 6) }, (): Section => {
    const merge = random.chance(0.3);
    return { live: random.chance(0.8), merge, flags: SHF_ALLOC | (merge || random.chance(0.1) ? SHF_MERGE : 0), output: random.chance(0.9) ? random.pick(outputs) : null };
  });
  const link: Link = { outputs, tlsAddr: random.u64(), gcSections: random.chance(0.5), gnuUnique: random.chance(0.5), copiesRelocations: random.chance(0.4) };
  const osec = allocTable(arena, tables, "osec", outputs.length + 1);
  const isec = allocTable(arena, tables, "isec", sections.length + 1);
  const piece = allocTable(arena, tables, "piece", 2);
  const outputRow = (output: Output | null) => (output === null ? 0 : outputs.indexOf(output) + 1);
  outputs.forEach(({ index, flags, addr: at, size }, o) => {
    osec.index[o + 1] = index;
    osec.sh_flags[o + 1] = flags;
    osec.addr[o + 1] = at;
    osec.size[o + 1] = size;
  });
  sections.forEach(({ live, flags, merge, output }, s) => {
    isec.live[s + 1] = live ? 1 : 0;
    isec.sh_flags[s + 1] = flags;
    isec.kind[s + 1] = merge ? ISEC_MERGE : ISEC_REGULAR;
    isec.osec[s + 1] = outputRow(output);
  });
  piece.live[PIECES.live - 1] = 1;
  params.set("tlsAddr", link.tlsAddr);
  params.set("gcSections", link.gcSections ? 1 : 0);
  params.set("gnuUnique", link.gnuUnique ? 1 : 0);
  return { link, sections, outputRow, row: (section) => (section === null ? 0 : sections.indexOf(section) + 1) };
}

/** A local symbol as both kinds of tables take it. */
export interface PlacedLocal {
  name: string;
  type: number;
  other: number;
  size: bigint;
  flags: number;
  section: Section | null;
  piece: Piece;
  addr: bigint;
}

/** sym row of the first local symbol that placeLocals places. */
export const FIRST_LOCAL = 6;

/** Object 1 with `locals` in its symbol table, st_shndx 0, and a sym row for each. */
export function placeLocals({ arena, tables }: KernelMemory, world: SymbolWorld, locals: readonly PlacedLocal[]): void {
  const strtab = "\0" + locals.map(({ name }) => name + "\0").join("");
  const obj = allocTable(arena, tables, "obj", 2);
  const sym = allocTable(arena, tables, "sym", FIRST_LOCAL + locals.length);
  obj.symtab[1] = arena.allocZeroed(SYM_BYTES * (locals.length + 1));
  obj.strtab[1] = arena.put(strtab);
  obj.strtabBytes[1] = strtab.length;
  obj.firstGlobal[1] = locals.length + 1;
  obj.localBase[1] = FIRST_LOCAL - 1; // symbol 0 has a row, too
  let nameAt = 1;
  locals.forEach(({ name, type, other, size, flags, section, piece, addr }, k) => {
    const at = obj.symtab[1]! + SYM_BYTES * (k + 1);
    arena.u32[at >>> 2] = nameAt;
    arena.u8[at + 4] = type;
    arena.u8[at + 5] = other;
    arena.u64[(at >>> 3) + 2] = size;
    nameAt += name.length + 1;
    sym.flags[FIRST_LOCAL + k] = flags;
    sym.isec[FIRST_LOCAL + k] = world.row(section);
    sym.piece[FIRST_LOCAL + k] = PIECES[piece];
    sym.addr[FIRST_LOCAL + k] = addr;
  });
}

/** An entry as it was written, with its name's place in the string table. */
export interface Written {
  name: number;
  entry: Entry;
}

export const readEntry = ({ arena }: KernelMemory, at: number, wide: number): Written => {
  const entry = { info: arena.u8[at + 4]!, other: arena.u8[at + 5]!, shndx: arena.u16[(at >>> 1) + 3]!, wide: arena.u32[wide >>> 2]!, value: arena.u64[(at >>> 3) + 1]!, size: arena.u64[(at >>> 3) + 2]! };
  return { name: arena.u32[at >>> 2]!, entry };
};
