/**
 * --gdb-index: the names of .debug_gnu_pubnames and .debug_gnu_pubtypes, each once with the units that have it (gdb manual,
 * "Index Section Format", version 7).
 *
 * Names are told apart by a 128-bit hash. Their order is that of lld: by the top bits of gdb's own hash, first occurrence first.
 */
import { tables } from "../shared/tables.ts";
import { copyBytes } from "../lib/bytes.ts";
import { hashBytes } from "../lib/hash.ts";

/** Names of the sections that are looked for, as u64 words behind ".debug_": see findDebugSections. */
const SECTIONS: u32 = 9;

// A name: h0 u64, h1 u64, address u32, bytes u32, gdb hash u32, first unit cell u32, last unit cell u32, units u32, place of its unit
// list u32, place of the name u32 (both from the start of the constant pool)
const NAME: u32 = 48;
const N_ADDRESS: u32 = 16;
const N_BYTES: u32 = 20;
const N_HASH: u32 = 24;
const N_FIRST: u32 = 28;
const N_LAST: u32 = 32;
const N_UNITS: u32 = 36;
const N_LIST: u32 = 40;
const N_PLACE: u32 = 44;

/** A unit of a name: attributes << 24 | unit u32, address of the next cell u32. */
const CELL: u32 = 8;

/** Is the name at `name`, without ".debug_", one of ours? Number of its cell + 1. */
function debugSection(name: u32): u32 {
  if (load<u32>(name) != 0x6265642e || (load<u32>(name, 4) & 0xffffff) != 0x5f6775) return 0; // ".deb" "ug_"
  const word = load<u64>(name, 7);
  const five = word & 0xffffffffff;
  if (five == 0x006f666e69) return 1; // "info"
  if ((word & 0xffffffffffffff) == 0x00766572626261) return 2; // "abbrev"
  if ((word & 0xffffffffffffff) == 0x007365676e6172) return 3; // "ranges"
  if (word == 0x737473696c676e72 && load<u8>(name, 15) == 0) return 4; // "rnglists"
  if (five == 0x0072646461) return 5; // "addr"
  if (word == 0x7366666f5f727473 && load<u32>(name, 15) == 0x00737465) return 6; // "str_offsets"
  if (word == 0x6e6275705f756e67 && load<u32>(name, 15) == 0x73656d61 && load<u8>(name, 19) == 0) return 7; // "gnu_pubnames"
  if (word == 0x746275705f756e67 && load<u32>(name, 15) == 0x73657079 && load<u8>(name, 19) == 0) return 8; // "gnu_pubtypes"
  if ((word & 0xffffffffffff) == 0x0073656d616e) return 9; // "names"
  return 0;
}

/**
 * isec rows of the sections of object `o` that say where its code is and what it is called, as u32 cells at `out`: info, abbrev,
 * ranges, rnglists, addr, str_offsets, gnu_pubnames, gnu_pubtypes, names; 0 = has none. Sections in groups (type units) do not count.
 */
export function findDebugSections(o: u32, out: u32): void {
  const isec = tables().isec;
  for (let k: u32 = 0; k < SECTIONS; k++) store<u32>(out + (k << 2), 0);
  const base = tables().obj.isecBase[o];
  for (let row = base, end = base + tables().obj.isecCount[o]; row < end; row++) {
    if (isec.name[row] == 0 || isec.nextInGroup[row] != 0 || isec.size[row] == 0) continue;
    const found = debugSection(isec.name[row]);
    if (found) store<u32>(out + ((found - 1) << 2), row);
  }
}

/**
 * Sections [from, to) that an index replaces are not part of the output (lld): those of public names when `gdb`, .debug_names when
 * `names`.
 */
export function dropIndexed(from: u32, to: u32, gdb: u32, names: u32): void {
  const isec = tables().isec;
  for (let row = from; row < to; row++) {
    if (isec.name[row] == 0) continue;
    const found = debugSection(isec.name[row]);
    if (((found == 7 || found == 8) && gdb != 0) || (found == 9 && names != 0)) isec.live[row] = 0;
  }
}

/** Behind the name at `at`; 0 = the end, or cut off. */
// @ts-ignore: decorator
@inline
function afterName(at: u32, end: u32, width: u32): u32 {
  if (at + width > end || load<u32>(at) == 0 && (width == 4 || load<u32>(at, 4) == 0)) return 0;
  let k = at + width + 1;
  while (k < end && load<u8>(k)) k++;
  return k < end ? k + 1 : 0;
}

/** gdb's hash of a name, without regard to case. */
function gdbHash(from: u32, bytes: u32): u32 {
  let h: u32 = 0;
  for (let k: u32 = 0; k < bytes; k++) {
    let c = <u32>load<u8>(from + k);
    if (c - 65 < 26) c += 32;
    h = h * 67 + c - 113;
  }
  return h;
}

/**
 * Adds the names from `from` on as those of unit `unit`. State at `state`, u32: table of `slots` u32 cells, slots, names, number of
 * names, cells, number of cells, next free byte for text. Returns where it stopped: at the offset of 0, or where data ends.
 */
export function addPublicNames(from: u32, end: u32, width: u32, unit: u32, state: u32): u32 {
  const table = load<u32>(state);
  const mask = load<u32>(state, 4) - 1;
  const names = load<u32>(state, 8);
  let at = from;
  for (let next = afterName(at, end, width); next != 0; next = afterName(at, end, width)) {
    const text = at + width + 1;
    const bytes = next - 1 - text;
    const value = (<u32>load<u8>(at + width) << 24) | unit;
    const free = names + load<u32>(state, 12) * NAME;
    hashBytes(text, bytes, free, free + 8);
    let slot = <u32>load<u64>(free) & mask;
    let name = load<u32>(table + (slot << 2));
    while (name != 0 && (load<u64>(name) != load<u64>(free) || load<u64>(name, 8) != load<u64>(free, 8))) {
      slot = (slot + 1) & mask;
      name = load<u32>(table + (slot << 2));
    }
    if (name == 0) {
      name = free;
      store<u32>(table + (slot << 2), name);
      store<u32>(state, load<u32>(state, 12) + 1, 12);
      const kept = load<u32>(state, 24);
      copyBytes(kept, text, bytes);
      store<u32>(state, kept + bytes, 24);
      store<u32>(name, kept, N_ADDRESS);
      store<u32>(name, bytes, N_BYTES);
      store<u32>(name, gdbHash(text, bytes), N_HASH);
      store<u32>(name, 0, N_FIRST);
      store<u32>(name, 0, N_UNITS);
    }
    addUnit(name, value, state);
    at = next;
  }
  return at;
}

/** lld looks at the last unit only, too. */
function addUnit(name: u32, value: u32, state: u32): void {
  if (load<u32>(name, N_FIRST) != 0 && load<u32>(load<u32>(name, N_LAST)) == value) return;
  const cell = load<u32>(state, 16) + load<u32>(state, 20) * CELL;
  store<u32>(state, load<u32>(state, 20) + 1, 20);
  store<u32>(cell, value);
  store<u32>(cell, 0, 4);
  if (load<u32>(name, N_FIRST) == 0) store<u32>(name, cell, N_FIRST);
  else store<u32>(load<u32>(name, N_LAST), cell, 4);
  store<u32>(name, cell, N_LAST);
  store<u32>(name, load<u32>(name, N_UNITS) + 1, N_UNITS);
}

/** Orders the `count` names (u32 addresses at `order`) by the top bits of their hash and places their unit lists, then their texts. Returns the bytes of the constant pool. */
export function placeGdbNames(names: u32, count: u32, order: u32, shift: u32): f64 {
  let n: u32 = 0;
  for (let shard: u32 = 0, shards: u32 = 1 << (32 - shift); shard < shards; shard++) {
    for (let i: u32 = 0; i < count; i++) {
      const name = names + i * NAME;
      if (load<u32>(name, N_HASH) >> shift == shard) store<u32>(order + (n++ << 2), name);
    }
  }
  let at: f64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const name = load<u32>(order + (i << 2));
    store<u32>(name, <u32>at, N_LIST);
    at += <f64>((load<u32>(name, N_UNITS) + 1) * 4);
  }
  for (let i: u32 = 0; i < count; i++) {
    const name = load<u32>(order + (i << 2));
    store<u32>(name, <u32>at, N_PLACE);
    at += <f64>(load<u32>(name, N_BYTES) + 1);
  }
  return at;
}

/** Writes the hash table of `slots` entries at `table` and the constant pool at `pool`, both zeroed. */
export function writeGdbNames(order: u32, count: u32, table: u32, slots: u32, pool: u32): void {
  const mask = slots - 1;
  for (let i: u32 = 0; i < count; i++) {
    const name = load<u32>(order + (i << 2));
    const h = load<u32>(name, N_HASH);
    const step = ((h * 17) & mask) | 1;
    let slot = h & mask;
    while (load<u32>(table + (slot << 3)) != 0) slot = (slot + step) & mask;
    store<u32>(table + (slot << 3), load<u32>(name, N_PLACE));
    store<u32>(table + (slot << 3), load<u32>(name, N_LIST), 4);
    let to = pool + load<u32>(name, N_LIST);
    store<u32>(to, load<u32>(name, N_UNITS));
    for (let cell = load<u32>(name, N_FIRST); cell != 0; cell = load<u32>(cell, 4)) store<u32>((to += 4), load<u32>(cell));
    copyBytes(pool + load<u32>(name, N_PLACE), load<u32>(name, N_ADDRESS), load<u32>(name, N_BYTES));
  }
}

/** Moves the `count` names from `from` to `to` and puts them into the empty table of `slots` u32 cells at `table`. */
export function moveNames(from: u32, count: u32, to: u32, table: u32, slots: u32): void {
  const mask = slots - 1;
  if (count) memory.copy(to, from, count * NAME);
  for (let i: u32 = 0; i < count; i++) {
    const name = to + i * NAME;
    let slot = <u32>load<u64>(name) & mask;
    while (load<u32>(table + (slot << 2)) != 0) slot = (slot + 1) & mask;
    store<u32>(table + (slot << 2), name);
  }
}
