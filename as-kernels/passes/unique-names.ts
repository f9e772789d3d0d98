/**
 * -z unique-symbol: every local symbol's name gets ".COUNT", how many of the name there were before, in hexadecimal, as GNU ld does.
 *
 * New names are written one behind the other; a symbol-table entry refers to its own as a distance from the object's string table, which may
 * be a negative one: addresses are 32 bits wide, and so are sums of them. Names are counted in an open table, whose slots are u32 pairs: name, count.
 */
import { tables } from "../shared/tables.ts";
import { hashLane0 } from "../lib/hash.ts";
import { copyBytes, equal, strlen, strlenBounded } from "../lib/bytes.ts";
import { isLocalLabel, isLocalised } from "../lib/written-symbol.ts";
import { STT_FILE, STT_SECTION, ST_INFO, SYM_BYTES } from "../shared/elf.ts";

const SLOT_BYTES: u32 = 8;

/** Writes NAME.COUNT at `to`; returns the byte behind its NUL. */
function number(name: u32, bytes: u32, table: u32, slots: u32, to: u32): u32 {
  let slot = <u32>hashLane0(name, bytes) & (slots - 1);
  for (;;) {
    const known = load<u32>(table + slot * SLOT_BYTES);
    // What is known is NUL-terminated.
    if (known == 0 || (strlen(known) == bytes && equal(known, name, bytes))) break;
    slot = (slot + 1) & (slots - 1);
  }
  const at = table + slot * SLOT_BYTES;
  store<u32>(at, name);
  const count = load<u32>(at, 4);
  store<u32>(at, count + 1, 4);
  copyBytes(to, name, bytes);
  to += bytes;
  store<u8>(to++, 0x2e);
  let digits = 1;
  while (digits < 8 && count >> (digits << 2)) digits++;
  while (digits--) {
    const digit = (count >> (digits << 2)) & 15;
    store<u8>(to++, <u8>(digit < 10 ? 0x30 + digit : 0x57 + digit));
  }
  store<u8>(to++, 0);
  return to;
}

/** Bytes that new names of the local symbols of object `o` take at most. */
export function uniqueLocalBytes(o: u32): u32 {
  const obj = tables().obj;
  let bytes: u32 = 0;
  for (let i: u32 = 1; i < obj.firstGlobal[o]; i++) {
    const st_name = load<u32>(obj.symtab[o] + i * SYM_BYTES);
    bytes += strlenBounded(obj.strtab[o] + st_name, obj.strtabBytes[o] - st_name) + 10;
  }
  return bytes;
}

/** Names of object `o`'s local symbols, at `to`; returns the end. `table`: `slots` slots, a power of 2. */
export function uniqueLocals(o: u32, table: u32, slots: u32, to: u32): u32 {
  const obj = tables().obj;
  const strtab = obj.strtab[o];
  for (let i: u32 = 1; i < obj.firstGlobal[o]; i++) {
    const entry = obj.symtab[o] + i * SYM_BYTES;
    const type = load<u8>(entry, ST_INFO) & 15;
    const st_name = load<u32>(entry);
    const bytes = strlenBounded(strtab + st_name, obj.strtabBytes[o] - st_name);
    // Temporary names (.L) are mostly left out of the output.
    if (type == STT_FILE || type == STT_SECTION || bytes == 0 || isLocalLabel(strtab + st_name)) continue;
    store<u32>(entry, to - strtab);
    to = number(strtab + st_name, bytes, table, slots, to);
  }
  return to;
}

/** Bytes that new names of the globals [from, to) that became local take at most. */
export function uniqueGlobalBytes(from: u32, to: u32): u32 {
  let bytes: u32 = 0;
  for (let id = from; id < to; id++) if (isLocalised(id)) bytes += strlen(tables().gsym.name[id]) + 10;
  return bytes;
}

/** Their names, as uniqueLocals does it. */
export function uniqueGlobals(from: u32, end: u32, table: u32, slots: u32, to: u32): u32 {
  const name = tables().gsym.name;
  for (let id = from; id < end; id++) {
    if (!isLocalised(id)) continue;
    const old = name[id];
    name[id] = to;
    to = number(old, strlen(old), table, slots, to);
  }
  return to;
}
