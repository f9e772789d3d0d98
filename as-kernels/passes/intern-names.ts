/**
 * From hashed mentions to dense name ids: radix partition into shards, one private table per shard, ids by first mention.
 *
 * The 128-bit hash is the identity; nothing here compares bytes except `verifyNames`. Ids follow the order in which names
 * are first mentioned on the command line, so nothing downstream depends on hash values.
 */
import { tables } from "../shared/tables.ts";
import { equal } from "../lib/bytes.ts";
import { shardOf } from "../lib/shards.ts";
import { REC_ALIAS, REC_CALLED, REC_MENTION, REC_PASSED, REC_SIGNATURE, REC_UNUSED } from "../shared/abi.ts";

/** Adds to counts[shard] (u32 × SHARDS at `counts`) the records of rows [from, to). */
export function histogramNames(from: u32, to: u32, counts: u32): void {
  const h0 = tables().record.h0;
  const flags = tables().record.flags;
  for (let i = from; i < to; i++) {
    if (flags[i] & REC_UNUSED) continue;
    const at = counts + (shardOf(h0[i]) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
}

/** Writes the rows of [from, to) to `order`, each at its shard's cursor (u32 × SHARDS at `cursors`, advanced). */
export function scatterNames(from: u32, to: u32, cursors: u32, order: u32): void {
  const h0 = tables().record.h0;
  const flags = tables().record.flags;
  for (let i = from; i < to; i++) {
    if (flags[i] & REC_UNUSED) continue;
    const at = cursors + (shardOf(h0[i]) << 2);
    const cursor = load<u32>(at);
    store<u32>(at, cursor + 1);
    store<u32>(order + (cursor << 2), i);
  }
}

/**
 * Finds the first record of each name among order[from, to), which is one shard in mention order.
 * `slots` (a power of two, at least twice the records) u32 cells at `table` are cleared and used.
 */
export function internShard(order: u32, from: u32, to: u32, table: u32, slots: u32): void {
  const record = tables().record;
  const h0 = record.h0;
  const h1 = record.h1;
  const leader = record.leader;
  const flags = record.flags;
  const mask = slots - 1;
  memory.fill(table, 0, slots << 2);
  for (let i = from; i < to; i++) {
    const row = load<u32>(order + (i << 2));
    const a = h0[row];
    const b = h1[row];
    let at = <u32>a & mask;
    let found = load<u32>(table + (at << 2));
    while (found != 0 && (h0[found] != a || h1[found] != b)) {
      at = (at + 1) & mask;
      found = load<u32>(table + (at << 2));
    }
    if (found == 0 || (flags[found] & REC_MENTION && !(flags[row] & REC_MENTION))) {
      // What only the linker itself mentioned so far is called by whoever comes next: a mention gives no place in the order.
      if (found != 0) leader[found] = row;
      found = row;
      store<u32>(table + (at << 2), row);
    }
    leader[row] = found;
    if ((flags[found] & (REC_PASSED | REC_CALLED)) == REC_PASSED && !(flags[row] & REC_PASSED)) {
      flags[found] |= REC_CALLED;
      record.name[found] = record.name[row];
      record.nameBytes[found] = record.nameBytes[row];
      record.esym[found] = record.esym[row];
    }
  }
}

/** The first of its name, among mentions by the linker itself (`wanted` is REC_MENTION) or the others. */
// @ts-ignore: decorator
@inline
function leads(i: u32, flags: u32, wanted: u32): bool {
  return tables().record.leader[i] == i && (flags & REC_MENTION) == wanted && (flags & (REC_PASSED | REC_CALLED)) != REC_PASSED;
}

/** How many records of [from, to) are the first of their name; mentions by the linker itself when `mentions`, else the others. */
export function countLeaders(from: u32, to: u32, mentions: u32): u32 {
  const flags = tables().record.flags;
  const wanted: u32 = mentions ? REC_MENTION : 0;
  let count: u32 = 0;
  for (let i = from; i < to; i++) count += u32(leads(i, flags[i], wanted));
  return count;
}

/** Gives ids base, base + 1, … to the records countLeaders counts. */
export function numberLeaders(from: u32, to: u32, base: u32, mentions: u32): void {
  const flags = tables().record.flags;
  const sym = tables().record.sym;
  const wanted: u32 = mentions ? REC_MENTION : 0;
  let id = base;
  for (let i = from; i < to; i++) if (leads(i, flags[i], wanted)) sym[i] = id++;
}

/** Zeros in columns that are zero and that resolve-symbols looks at before it writes them: see clearRows (load-sections). */
// @ts-ignore: decorator
@inline
function clearName(id: u32): void {
  const gsym = tables().gsym;
  gsym.obj[id] = 0;
  gsym.esym[id] = 0;
  gsym.size[id] = 0;
  gsym.groupOwner[id] = 0;
  gsym.lazy[id] = 0;
  gsym.refObj[id] = 0;
}

/** Copies ids from the leaders, binds symbol-table entries to them and fills the names of new globals. */
export function bindNames(from: u32, to: u32): void {
  const record = tables().record;
  const gsym = tables().gsym;
  const esymSym = tables().esym.sym;
  const leader = record.leader;
  const sym = record.sym;
  const flags = record.flags;
  for (let i = from; i < to; i++) {
    let first = leader[i];
    if (first == 0 || (flags[i] & REC_PASSED && (first != i || !(flags[i] & REC_CALLED)))) continue;
    if (flags[i] & REC_MENTION) first = leader[first];
    const id = sym[first];
    if (first == i) {
      gsym.h0[id] = record.h0[i];
      gsym.h1[id] = record.h1[i];
      gsym.name[id] = record.name[i];
      gsym.nameBytes[id] = record.nameBytes[i];
      gsym.firstEsym[id] = record.esym[i];
      clearName(id);
    } else {
      sym[i] = id;
    }
    if (!(flags[i] & (REC_SIGNATURE | REC_ALIAS | REC_PASSED))) esymSym[record.esym[i]] = id;
  }
}

/** --verify-hashes: rows of [from, to) whose stem differs from their leader's; first such row, 0 = none. */
export function verifyNames(from: u32, to: u32): u32 {
  const record = tables().record;
  for (let i = from; i < to; i++) {
    const first = record.leader[i];
    if (first == 0 || record.flags[i] & REC_PASSED) continue;
    if (record.nameBytes[i] != record.nameBytes[first]) return i;
    if (!equal(record.name[i], record.name[first], record.nameBytes[i])) return i;
  }
  return 0;
}

/** Fills an open-addressing index from name hash to id: u32 cells at `table`, `slots` a power of two, zeroed. */
export function indexNames(from: u32, to: u32, table: u32, slots: u32): void {
  const h0 = tables().gsym.h0;
  const mask = slots - 1;
  for (let id = from; id < to; id++) {
    let at = <u32>h0[id] & mask;
    while (load<u32>(table + (at << 2)) != 0) at = (at + 1) & mask;
    store<u32>(table + (at << 2), id);
  }
}

/** Id of the name whose hash stands at record row 0 (see hashName), 0 = nobody mentions it. */
export function findName(table: u32, slots: u32): u32 {
  const gsym = tables().gsym;
  const a = tables().record.h0[0];
  const b = tables().record.h1[0];
  const mask = slots - 1;
  let at = <u32>a & mask;
  let id = load<u32>(table + (at << 2));
  while (id != 0 && (gsym.h0[id] != a || gsym.h1[id] != b)) {
    at = (at + 1) & mask;
    id = load<u32>(table + (at << 2));
  }
  return id;
}
