/**
 * Input sections in an order that was asked for: edges of call graph profiles, putting the ordered members of an output section first, and
 * bringing their contents into memory.
 *
 * Which order it is, TypeScript decides (ts/passes/section-order/section-order.ts); here are the loops over symbols and sections.
 */
import { tables } from "../shared/tables.ts";
import { joinsRun, putRun } from "../lib/runs.ts";
import { ISEC_REGULAR, SYM_DEFINED, SYM_KIND_MASK } from "../shared/abi.ts";
import { R_SYM, SHDR_BYTES, SHF_ALLOC, SHT_NOBITS, SHT_REL, SHT_RELA, SH_INFO, SH_TYPE } from "../shared/elf.ts";

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

/** Two sections are read together when the bytes between them are fewer than this. */
const GAP_BYTES: f64 = 16384;
const PLACE_ALIGN: u32 = 16;

/**
 * Sections with a rank whose contents are in a file as they are: isec row and place (u32 each), one behind the other, at `list`, in the order of
 * the files, until they have `limit` bytes. Returns how many.
 */
export function listOrdered(ranks: u32, limit: f64, list: u32): u32 {
  const t = tables();
  const isec = t.isec;
  const rows = isec.rows;
  let count: u32 = 0;
  let end: f64 = 0;
  for (let row: u32 = 1; row < rows; row++) {
    if (load<u32>(ranks + (row << 2)) == 0 || !isec.live[row] || isec.kind[row] != ISEC_REGULAR || isec.sh_type[row] == SHT_NOBITS) continue;
    if (!(isec.sh_flags[row] & SHF_ALLOC) || isec.compressed[row] != 0 || isec.size[row] == 0) continue;
    if (end + isec.size[row] > limit) break;
    store<u32>(list + (count << 3), row);
    store<u32>(list + (count << 3), <u32>end, 4);
    end += Math.ceil(isec.size[row] / PLACE_ALIGN) * PLACE_ALIGN;
    count++;
  }
  return count;
}

/** Finds the next of the entries [from, to) of that list that one read can bring, as nextPieceRun does (split-pieces). Returns 0 when there are none. */
export function nextOrderedRun(from: u32, to: u32, list: u32, limit: f64, run: u32): u32 {
  if (from >= to) return 0;
  const isec = tables().isec;
  const row = load<u32>(list + (from << 3));
  const start = isec.sh_offset[row];
  let end = start + isec.size[row];
  let next = from + 1;
  for (; next < to; next++) {
    const other = load<u32>(list + (next << 3));
    if (isec.obj[other] != isec.obj[row] || !joinsRun(other, start, end, GAP_BYTES, limit)) break;
    end = isec.sh_offset[other] + isec.size[other];
  }
  putRun(run, from, next, false, start, end);
  return 1;
}

/** The contents of the entries [from, to) stay at their places behind `base`; those of the file from byte `start` on are at `contents`. */
export function keepOrdered(from: u32, to: u32, list: u32, base: u32, contents: u32, start: f64): void {
  const isec = tables().isec;
  for (let i = from; i < to; i++) {
    const row = load<u32>(list + (i << 3));
    const address = base + load<u32>(list + (i << 3), 4);
    memory.copy(address, contents + <u32>(isec.sh_offset[row] - start), <u32>isec.size[row]);
    isec.kept[row] = address;
  }
}
