/**
 * The names in an ordering file: its lines, and the sections of the symbols that they name, globals and local symbols of any object.
 *
 * Such a file names a hundred thousand symbols. What is wrong with one of them, TypeScript says (ts/passes/section-order/ordered-names.ts).
 */
import { tables } from "../shared/tables.ts";
import { equal, strlenBounded } from "../lib/bytes.ts";
import { hashLane0 } from "../lib/hash.ts";
import { findName } from "./intern-names.ts";
import { hashName } from "./parse-object.ts";
import { NAME_AGAIN, NAME_FOUND, NAME_OBSTACLE, SYM_DEFINED, SYM_KIND_MASK, SYM_LAZY, SYM_USED_REGULAR } from "../shared/abi.ts";
import { STT_FILE, STT_SECTION, ST_INFO, SYM_BYTES } from "../shared/elf.ts";

const NEWLINE: u8 = 10;
const HASH: u8 = 35;

/** Space, \t, \v, \f, \r. */
// @ts-ignore: decorator
@inline
function isSpace(byte: u8): bool {
  return byte == 32 || (byte >= 9 && byte <= 13 && byte != NEWLINE);
}

/** Lines of [text, end) but for empty ones and comments (#), without white space around them: address, bytes (u32 each) at `list`. Returns how many. */
export function orderLines(text: u32, end: u32, list: u32): u32 {
  let count: u32 = 0;
  for (let at = text; at < end; at++) {
    while (at < end && isSpace(load<u8>(at))) at++;
    const start = at;
    while (at < end && load<u8>(at) != NEWLINE) at++;
    let stop = at;
    while (stop > start && isSpace(load<u8>(stop - 1))) stop--;
    if (stop == start || load<u8>(start) == HASH) continue;
    store<u32>(list + (count << 3), start);
    store<u32>(list + (count << 3), stop - start, 4);
    count++;
  }
  return count;
}

/**
 * Fills `table` (`slots` u32, a power of two above 2 × count, zeroed) with 1 + index of each of `count` names: address, bytes (u32) at `names`.
 * Those that were there already are left out, and NAME_AGAIN in their state (u8 each at `states`).
 */
export function indexOrder(names: u32, count: u32, table: u32, slots: u32, states: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const name = load<u32>(names + (i << 3));
    const bytes = load<u32>(names + (i << 3), 4);
    let slot = <u32>hashLane0(name, bytes) & (slots - 1);
    let other = load<u32>(table + (slot << 2));
    for (; other != 0; other = load<u32>(table + (slot << 2))) {
      const entry = names + ((other - 1) << 3);
      if (load<u32>(entry, 4) == bytes && equal(load<u32>(entry), name, bytes)) break;
      slot = (slot + 1) & (slots - 1);
    }
    if (other == 0) store<u32>(table + (slot << 2), i + 1);
    store<u8>(states + i, other == 0 ? 0 : <u8>NAME_AGAIN);
  }
}

// @ts-ignore: decorator
@inline
function findOrdered(name: u32, bytes: u32, names: u32, table: u32, slots: u32): u32 {
  let slot = <u32>hashLane0(name, bytes) & (slots - 1);
  let i = load<u32>(table + (slot << 2));
  while (i != 0) {
    const entry = names + ((i - 1) << 3);
    if (load<u32>(entry, 4) == bytes && equal(load<u32>(entry), name, bytes)) break;
    slot = (slot + 1) & (slots - 1);
    i = load<u32>(table + (slot << 2));
  }
  return i;
}

/** Local symbols of object `o` that are named: 1 + index of the name and sym row (u32 each) at `out`. Returns how many. */
export function orderedLocals(o: u32, names: u32, table: u32, slots: u32, out: u32): u32 {
  const obj = tables().obj;
  const strtab = obj.strtab[o];
  const end = obj.firstGlobal[o] < obj.esymCount[o] ? obj.firstGlobal[o] : obj.esymCount[o];
  let found: u32 = 0;
  for (let i: u32 = 1; i < end; i++) {
    const entry = obj.symtab[o] + i * SYM_BYTES;
    const type = load<u8>(entry, ST_INFO) & 15;
    const name = load<u32>(entry);
    if (name == 0 || type == STT_SECTION || type == STT_FILE) continue;
    const which = findOrdered(strtab + name, strlenBounded(strtab + name, obj.strtabBytes[o] - name), names, table, slots);
    if (which == 0) continue;
    store<u32>(out + (found << 3), which);
    store<u32>(out + (found << 3), obj.localBase[o] + i, 4);
    found++;
  }
  return found;
}

/** Symbol `sym` is one of name `i`: the first name that a section has ranks it (u32 per isec row at `ranks`: 1 + index of the name). */
function rank(i: u32, sym: u32, states: u32, ranks: u32): void {
  const t = tables();
  const row = t.sym.isec[sym];
  const isDefined = (t.sym.flags[sym] & SYM_KIND_MASK) == SYM_DEFINED && row != 0;
  store<u8>(states + i, load<u8>(states + i) | <u8>(isDefined && t.isec.live[row] ? NAME_FOUND : NAME_OBSTACLE));
  if (!isDefined) return;
  const known = load<u32>(ranks + (row << 2));
  if (known == 0 || known > i + 1) store<u32>(ranks + (row << 2), i + 1);
}

/** Ranks the sections of the globals that are named; `globals`, `slots`: the index of their names (indexNames). */
export function rankGlobals(names: u32, count: u32, globals: u32, slots: u32, states: u32, ranks: u32): void {
  const flags = tables().sym.flags;
  for (let i: u32 = 0; i < count; i++) {
    if (load<u8>(states + i) == NAME_AGAIN) continue;
    hashName(load<u32>(names + (i << 3)), load<u32>(names + (i << 3), 4));
    const sym = findName(globals, slots);
    if (sym != 0 && (flags[sym] & SYM_KIND_MASK) != SYM_LAZY && flags[sym] & (SYM_USED_REGULAR | SYM_KIND_MASK)) rank(i, sym, states, ranks);
  }
}

/** The same for `count` local symbols, as orderedLocals lists them. */
export function rankLocals(list: u32, count: u32, states: u32, ranks: u32): void {
  for (let i: u32 = 0; i < count; i++) rank(load<u32>(list + (i << 3)) - 1, load<u32>(list + (i << 3), 4), states, ranks);
}

/** Indices (u32) of the names in a state other than NAME_FOUND, at `list`. Returns how many. */
export function oddNames(count: u32, states: u32, list: u32): u32 {
  let odd: u32 = 0;
  for (let i: u32 = 0; i < count; i++) if (load<u8>(states + i) != NAME_FOUND) store<u32>(list + (odd++ << 2), i);
  return odd;
}
