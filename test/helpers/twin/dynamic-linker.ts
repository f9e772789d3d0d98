/**
 * A dynamic linker as far as .got and .got.plt go: it applies the relocations of the psABI's table to words of memory.
 *
 * The oracle of create-synthetic: whatever words and records it writes, afterwards each word must mean what its symbol needs.
 */
import * as elf from "../../../as-kernels/shared/elf.ts";

/** A word that holds a number, or what calls this resolver returns. */
export type Word = bigint | { resolver: bigint };

export interface DynamicRecord {
  offset: bigint;
  type: number;
  sym: number;
  /** Without it, what the word holds. */
  addend: bigint | null;
}

/** A module in memory: how far it has moved, its number, and where its thread-local block is from the thread pointer. */
export interface Module {
  bias: bigint;
  id: bigint;
  tlsOffset: bigint;
}

/** What the dynamic symbols are, found elsewhere. */
export interface Found {
  address: bigint;
  module: Module;
  /** In the thread-local block of its module. */
  offset: bigint;
}

const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);

/** Words by their address in the file; a descriptor is two. A place that is relocated twice is an error. */
export function applyRelocations(words: Map<bigint, Word>, records: DynamicRecord[], relr: bigint[], me: Module, found: (sym: number) => Found): void {
  const seen = new Set<bigint>();
  const at = (place: bigint): bigint => {
    const word = words.get(place);
    if (typeof word !== "bigint") throw new Error(`no word at ${place.toString(16)}`);
    return word;
  };
  const put = (place: bigint, word: Word): void => {
    if (seen.has(place)) throw new Error(`${place.toString(16)} is relocated twice`);
    at(place);
    seen.add(place);
    words.set(place, typeof word === "bigint" ? wrap(word) : word);
  };
  for (const place of relr) put(place, at(place) + me.bias);
  for (const { offset, type, sym, addend } of records) {
    const pair = type === elf.R_X86_64_TLSDESC;
    const A = addend ?? at(pair ? offset + 8n : offset);
    const module = sym === 0 ? me : found(sym).module;
    const variable = (sym === 0 ? 0n : found(sym).offset) + A;
    if (type === elf.R_X86_64_RELATIVE) put(offset, me.bias + A);
    else if (type === elf.R_X86_64_GLOB_DAT || type === elf.R_X86_64_JUMP_SLOT) put(offset, found(sym).address);
    else if (type === elf.R_X86_64_IRELATIVE) put(offset, { resolver: wrap(me.bias + A) });
    else if (type === elf.R_X86_64_DTPMOD64) put(offset, module.id);
    else if (type === elf.R_X86_64_DTPOFF64) put(offset, variable);
    else if (type === elf.R_X86_64_TPOFF64) put(offset, module.tlsOffset + variable);
    else if (pair) {
      put(offset, module.id);
      put(offset + 8n, variable);
    } else throw new Error(`type ${type} is not for .got`);
  }
}
