/**
 * Input sections in an order that was asked for: symbols of an ordering file by name, edges of call graph profiles, and putting
 * the ordered members of an output section first.
 *
 * Which order it is, TypeScript decides (ts/passes/section-order/section-order.ts); here are the loops over symbols and sections.
 */
import { tables } from "../shared/tables.ts";
import { equal, strlenBounded } from "../lib/bytes.ts";
import { hashLane0 } from "../lib/hash.ts";
import { SYM_DEFINED, SYM_KIND_MASK } from "../shared/abi.ts";
import { R_SYM, SHDR_BYTES, SHT_REL, SHT_RELA, SH_INFO, SH_TYPE, STT_FILE, STT_SECTION, ST_INFO, SYM_BYTES } from "../shared/elf.ts";

/** Fills `table` (`slots` u32, a power of two above 2 × count, zeroed) with 1 + index of each of `count` names: address, bytes (u32) at `names`. */
export function indexOrder(names: u32, count: u32, table: u32, slots: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    let slot = <u32>hashLane0(load<u32>(names + (i << 3)), load<u32>(names + (i << 3), 4)) & (slots - 1);
    while (load<u32>(table + (slot << 2)) != 0) slot = (slot + 1) & (slots - 1);
    store<u32>(table + (slot << 2), i + 1);
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

/** First of the `count` section headers at `shdrs` that has `type`; 0 = none. */
export function findSectionType(shdrs: u32, count: u32, type: u32): u32 {
  for (let i: u32 = 1; i < count; i++) if (load<u32>(shdrs + i * SHDR_BYTES, SH_TYPE) == type) return i;
  return 0;
}

/** First SHT_RELA or SHT_REL section for section `target` (LLVM writes profiles with REL); 0 = none. */
export function findRelocations(shdrs: u32, count: u32, target: u32): u32 {
  for (let i: u32 = 1; i < count; i++) {
    const header = shdrs + i * SHDR_BYTES;
    const type = load<u32>(header, SH_TYPE);
    if ((type == SHT_RELA || type == SHT_REL) && load<u32>(header, SH_INFO) == target) return i;
  }
  return 0;
}

/** isec row that symbol `index` of object `o` is defined in, if it is part of the output; 0 otherwise. */
// @ts-ignore: decorator
@inline
function homeOf(o: u32, index: u32): u32 {
  const t = tables();
  if (index >= t.obj.esymCount[o]) return 0;
  const sym = t.esym.sym[t.obj.esymBase[o] + index];
  if ((t.sym.flags[sym] & SYM_KIND_MASK) != SYM_DEFINED) return 0;
  const row = t.sym.isec[sym];
  return row != 0 && t.isec.live[row] && t.isec.osec[row] != 0 ? row : 0;
}

/**
 * Edges of object `o`'s call graph profile: `count` u64 weights at `weights`, caller and callee in two relocations each, of
 * `step` bytes, at `relas`. At `out`, 16 bytes per edge: isec rows (u32) and the weight (f64). Edges between output sections are left out,
 * because their ends cannot be brought together. Returns the number of edges.
 */
export function callGraphEdges(o: u32, weights: u32, count: u32, relas: u32, step: u32, out: u32): u32 {
  const osec = tables().isec.osec;
  let edges: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const from = homeOf(o, load<u32>(relas + 2 * i * step, R_SYM));
    const to = homeOf(o, load<u32>(relas + (2 * i + 1) * step, R_SYM));
    if (from == 0 || to == 0 || osec[from] != osec[to]) continue;
    store<u32>(out + (edges << 4), from);
    store<u32>(out + (edges << 4), to, 4);
    store<f64>(out + (edges << 4), <f64>load<u64>(weights + (i << 3)), 8);
    edges++;
  }
  return edges;
}

// @ts-ignore: decorator
@inline
function before(a: u32, b: u32, ranks: u32): bool {
  const x = load<u32>(ranks + (a << 2));
  const y = load<u32>(ranks + (b << 2));
  return x < y || (x == y && a < b);
}

function sink(list: u32, root: u32, count: u32, ranks: u32): void {
  const row = load<u32>(list + (root << 2));
  for (;;) {
    let child: u32 = 2 * root + 1;
    if (child >= count) break;
    if (child + 1 < count && before(load<u32>(list + (child << 2)), load<u32>(list + ((child + 1) << 2)), ranks)) child++;
    const other = load<u32>(list + (child << 2));
    if (!before(row, other, ranks)) break;
    store<u32>(list + (root << 2), other);
    root = child;
  }
  store<u32>(list + (root << 2), row);
}

/**
 * Members [from, to) that have a rank (u32 per isec row at `ranks`, 0 = none) come first, by rank, the others follow in their
 * order. `scratch`: u32 per member. Returns how many have one.
 */
export function orderMembers(from: u32, to: u32, ranks: u32, scratch: u32): u32 {
  const member = tables().member.isec;
  let count: u32 = 0;
  for (let i = from; i < to; i++) {
    const row = member[i];
    if (load<u32>(ranks + (row << 2)) == 0) continue;
    store<u32>(scratch + (count << 2), row);
    count++;
  }
  if (count == 0) return 0;
  for (let k = count >> 1; k > 0; k--) sink(scratch, k - 1, count, ranks);
  for (let end = count - 1; end > 0; end--) {
    const last = load<u32>(scratch + (end << 2));
    store<u32>(scratch + (end << 2), load<u32>(scratch));
    store<u32>(scratch, last);
    sink(scratch, 0, end, ranks);
  }
  let at = to;
  for (let i = to; i > from; i--) {
    const row = member[i - 1];
    if (load<u32>(ranks + (row << 2)) == 0) member[--at] = row;
  }
  for (let k: u32 = 0; k < count; k++) member[from + k] = load<u32>(scratch + (k << 2));
  return count;
}
