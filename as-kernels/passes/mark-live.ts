/**
 * Garbage collection: what roots reach through relocations is live (lld's MarkLive rules).
 *
 * Sweeps over all sections visit those that wait, in their order: relocations and rows are read as they lie in memory, which makes up
 * for the sections that a later sweep has to come back for. The live set is a fixpoint, so the order of work does not show in the output.
 */
import { tables, params } from "../shared/tables.ts";
import { isIdentifier, isReservedName } from "../lib/names.ts";
import { pieceAt } from "../lib/pieces.ts";
import { START_STOP_RETAINS, START_STOP_WAITS, START_STOP_WANTED, CTL_COUNTERS, ISEC_CONSUMED, ISEC_EH_FRAME, ISEC_MERGE, SYM_DEFINED, SYM_EXPORTED, SYM_KIND_MASK, SYM_ROOT, SYM_SECTION } from "../shared/abi.ts";
import {
  RELA_BYTES, R_ADDEND, R_SYM, SHF_ALLOC, SHF_EXECINSTR, SHF_GNU_RETAIN, SHF_LINK_ORDER, SHT_FINI_ARRAY, SHT_INIT_ARRAY, SHT_NOTE,
  SHT_PREINIT_ARRAY,
} from "../shared/elf.ts";

/** u32: 1 = some section waits. */
const WAITING: u32 = CTL_COUNTERS;
/** u32: address of a u32 per esym row, what following it means (fillTargets). */
const TARGETS_ADDR: u32 = CTL_COUNTERS + 4;
/**
 * u32: address of a u32 per isec row, who reached it first: another row, or PARENT_ROOT (kept-marks.ts); 0 = nobody wants to know. The cell of row 0
 * has the address of a u8 per obj: 1 = something of it reached a piece of another object's section.
 */
const PARENTS_ADDR: u32 = CTL_COUNTERS + 12;
/** u32: address of a stack (u32 rows after their number) for what is reached; 0 = a sweep will come to it. */
const STACK_ADDR: u32 = CTL_COUNTERS + 16;
export const PARENT_ROOT: u32 = 0xffffffff;
/** In isec.live: live, and what it holds on to has not been looked at. */
export const LIVE_WAITING: u8 = 2;
/** Target of a symbol that is more than a section: in a merge section, or __start_X. */
const TARGET_OTHER: u32 = 0xffffffff;

/**
 * What a relocation against each symbol of object `o` leads to, as u32 per esym row at `targets`: an isec row, 0 = nothing, TARGET_OTHER.
 * A few relocations mean each symbol, and an object's symbols lie close together, so that marking hardly ever misses the cache.
 */
export function fillTargets(o: u32, targets: u32): void {
  const t = tables();
  const flags = t.sym.flags;
  const symIsec = t.sym.isec;
  const kind = t.isec.kind;
  const startStop = t.gsym.startStop;
  const globals = params().globalSyms;
  const esymSym = t.esym.sym;
  const end = t.obj.esymBase[o] + t.obj.esymCount[o];
  for (let e = t.obj.esymBase[o]; e < end; e++) {
    const id = esymSym[e];
    let target: u32 = 0;
    if ((flags[id] & SYM_KIND_MASK) == SYM_DEFINED) {
      target = symIsec[id];
      if (kind[target] == ISEC_MERGE) target = TARGET_OTHER;
    } else if (id < globals && startStop[id] != 0) {
      target = TARGET_OTHER;
    }
    store<u32>(targets + (e << 2), target);
  }
}

/** A section that is reached from row `by`: a sweep will come to it. Threads may say so twice, and then it is visited twice. */
// @ts-ignore: decorator
@inline
function reach(row: u32, by: u32): void {
  const live = tables().isec.live;
  if (live[row]) return;
  noteParent(row, by);
  live[row] = LIVE_WAITING;
  const stack = load<u32>(STACK_ADDR);
  if (stack == 0) return store<u32>(WAITING, 1);
  const count = load<u32>(stack) + 1;
  store<u32>(stack, count);
  store<u32>(stack + (count << 2), row);
}

// @ts-ignore: decorator
@inline
function noteParent(row: u32, by: u32): void {
  const parents = load<u32>(PARENTS_ADDR);
  if (parents) store<u32>(parents + (row << 2), by);
}

/** What relocation `at` of section `by`, of object `o`, refers to becomes live. */
// @ts-ignore: decorator
@inline
function follow(o: u32, at: u32, by: u32): void {
  const t = tables();
  const id = t.esym.sym[t.obj.esymBase[o] + load<u32>(at, R_SYM)];
  const flags = t.sym.flags[id];
  if ((flags & SYM_KIND_MASK) == SYM_DEFINED) {
    const row = t.sym.isec[id];
    if (row == 0) return;
    if (t.isec.kind[row] == ISEC_MERGE) markPiece(o, id, flags, row, load<i64>(at, R_ADDEND));
    reach(row, by);
  } else if (id < params().globalSyms && t.gsym.startStop[id] != 0) {
    const list = t.gsym.startStop[id];
    if (load<u32>(list) == START_STOP_RETAINS) retain(list);
    else if (load<u32>(list) == START_STOP_WAITS) store<u32>(list, START_STOP_WANTED);
  }
}

/** Reaches the sections of a __start_/__stop_ list. */
export function retain(list: u32): void {
  const count = load<u32>(list, 4);
  for (let i: u32 = 0; i < count; i++) reach(load<u32>(list + 8 + (i << 2)), PARENT_ROOT);
}

/** Is any section of a __start_/__stop_ list live? */
export function anyLive(list: u32): u32 {
  const live = tables().isec.live;
  const count = load<u32>(list, 4);
  for (let i: u32 = 0; i < count; i++) if (live[load<u32>(list + 8 + (i << 2))]) return 1;
  return 0;
}

/** Marks the piece a symbol (and for section symbols the addend) falls in; object `o` refers to it. */
function markPiece(o: u32, id: u32, flags: u32, row: u32, addend: i64): void {
  const t = tables();
  if (t.isec.obj[row] != o && load<u32>(PARENTS_ADDR)) store<u8>(load<u32>(load<u32>(PARENTS_ADDR)) + o, 1);
  let piece: u32;
  if (flags & SYM_SECTION) {
    const offset = <i64>t.sym.value[id] + addend;
    if (offset < 0 || offset > <i64>t.isec.size[row]) return;
    piece = pieceAt(row, <u64>offset);
  } else {
    piece = t.sym.piece[id];
    if (piece == 0) return;
    piece--;
  }
  const live = t.piece.live;
  if (!live[piece]) live[piece] = 1;
}

/** Follows everything a live section holds on to. */
export function visit(row: u32): void {
  const t = tables();
  const isec = t.isec;
  const o = isec.obj[row];
  const count = isec.relaCount[row];
  const rela = isec.rela[row];
  const esyms = t.obj.esymCount[o];
  if (rela != 0 && isec.kind[row] != ISEC_EH_FRAME) {
    const live = isec.live;
    const targets = load<u32>(TARGETS_ADDR) + (t.obj.esymBase[o] << 2);
    const end = rela + count * RELA_BYTES;
    for (let at = rela; at < end; at += RELA_BYTES) {
      const index = load<u32>(at, R_SYM);
      if (index >= esyms) continue;
      const target = load<u32>(targets + (index << 2));
      if (target == TARGET_OTHER) follow(o, at, row);
      else if (target != 0 && !live[target]) reach(target, row);
    }
  }
  for (let d = isec.dependent[row]; d != 0; d = isec.nextDependent[d]) reach(d, row);
  const next = isec.nextInGroup[row];
  if (next != 0 && next != row) reach(next, row);
  for (let f = isec.fde[row]; f != 0; f = t.ehrec.nextFde[f]) visitFde(f, row);
}

/**
 * A live function's FDE keeps its LSDA: relocations after the first. Functions, LINK_ORDER sections and group members
 * stay on their own terms, as in lld.
 */
function visitFde(f: u32, by: u32): void {
  const t = tables();
  const count = t.ehrec.relaCount[f];
  if (count < 2) return;
  const o = t.isec.obj[t.ehrec.isec[f]];
  const esyms = t.obj.esymCount[o];
  const rela = t.ehrec.rela[f];
  const end = rela + count * RELA_BYTES;
  for (let at = rela + RELA_BYTES; at < end; at += RELA_BYTES) {
    if (load<u32>(at, R_SYM) >= esyms) continue;
    const id = t.esym.sym[t.obj.esymBase[o] + load<u32>(at, R_SYM)];
    if ((t.sym.flags[id] & SYM_KIND_MASK) != SYM_DEFINED) continue;
    const row = t.sym.isec[id];
    if (row == 0 || t.isec.sh_flags[row] & (SHF_EXECINSTR | SHF_LINK_ORDER) || t.isec.nextInGroup[row] != 0) continue;
    if (t.isec.kind[row] == ISEC_MERGE) markPiece(o, id, t.sym.flags[id], row, load<i64>(at, R_ADDEND));
    reach(row, by);
  }
}

function visitStack(live: u32, stack: u32): void {
  for (let count = load<u32>(stack); count > 0; count = load<u32>(stack)) {
    const row = load<u32>(stack + (count << 2));
    store<u32>(stack, count - 1);
    store<u8>(live + row, 1);
    visit(row);
  }
}

/**
 * Follows the sections of [from, to) that wait, those included that it finds on the way further on. Returns how many. With a `stack` that has room
 * for all sections it follows all that is reached: each sweep over a chain of calls that leads backwards comes no further than one call.
 */
export function markSweep(from: u32, to: u32, stack: u32): u32 {
  const live = <u32>changetype<usize>(tables().isec.live);
  let visited: u32 = 0;
  store<u32>(STACK_ADDR, stack);
  for (let block = from; block < to; block += 16) {
    if (!v128.any_true(i8x16.eq(v128.load(live + block), i8x16.splat(LIVE_WAITING)))) continue;
    const end = min(block + 16, to);
    for (let row = block; row < end; row++) {
      if (load<u8>(live + row) != LIVE_WAITING) continue;
      store<u8>(live + row, 1);
      visit(row);
      visited++;
      if (stack != 0) visitStack(live, stack);
    }
  }
  store<u32>(STACK_ADDR, 0);
  return visited;
}

/** Reaches the roots among sections [from, to). `targets`: filled by fillTargets for every included object. */
export function markRootSections(from: u32, to: u32, targets: u32): void {
  const t = tables();
  const isec = t.isec;
  const live = isec.live;
  store<u32>(TARGETS_ADDR, targets);
  for (let row = from; row < to; row++) {
    const kind = isec.kind[row];
    if (kind == ISEC_CONSUMED) continue;
    const flags = isec.sh_flags[row];
    const type = isec.sh_type[row];
    if (kind == ISEC_EH_FRAME) {
      live[row] = 1;
      noteParent(row, PARENT_ROOT);
    } else if (flags & SHF_GNU_RETAIN) {
      reach(row, PARENT_ROOT);
    } else if (flags & SHF_LINK_ORDER) {
      continue;
    } else if (!(flags & SHF_ALLOC)) {
      if (isec.nextInGroup[row] != 0 || live[row]) continue;
      live[row] = 1;
      noteParent(row, PARENT_ROOT);
      for (let d = isec.dependent[row]; d != 0; d = isec.nextDependent[d]) reach(d, row);
    } else if (type == SHT_INIT_ARRAY || type == SHT_FINI_ARRAY || type == SHT_PREINIT_ARRAY) {
      reach(row, PARENT_ROOT);
    } else if (type == SHT_NOTE) {
      if (isec.nextInGroup[row] == 0) reach(row, PARENT_ROOT);
    } else if (isec.rule[row] == 0 && isReservedName(isec.name[row])) {
      reach(row, PARENT_ROOT);
    }
  }
}

/** Reaches what exported and required globals [from, to) are defined in. */
export function markRootSymbols(from: u32, to: u32): void {
  const t = tables();
  for (let id = from; id < to; id++) {
    const flags = t.sym.flags[id];
    if (!(flags & (SYM_ROOT | SYM_EXPORTED)) || (flags & SYM_KIND_MASK) != SYM_DEFINED) continue;
    const row = t.sym.isec[id];
    if (row == 0) continue;
    if (t.isec.kind[row] == ISEC_MERGE) markPiece(0, id, flags, row, 0);
    reach(row, PARENT_ROOT);
  }
}

/** Personality routines: relocations of CIEs are roots (lld). Records [from, to) of ehrec. */
export function markCies(from: u32, to: u32): void {
  const t = tables();
  for (let r = from; r < to; r++) {
    if (t.ehrec.cie[r] != 0) continue;
    const o = t.isec.obj[t.ehrec.isec[r]];
    const end = t.ehrec.rela[r] + t.ehrec.relaCount[r] * RELA_BYTES;
    for (let at = t.ehrec.rela[r]; at < end; at += RELA_BYTES) {
      if (load<u32>(at, R_SYM) < t.obj.esymCount[o]) follow(o, at, t.ehrec.isec[r]);
    }
  }
}

/** Without --gc-sections everything in [from, to) is live. */
export function markAll(from: u32, to: u32): void {
  const isec = tables().isec;
  for (let row = from; row < to; row++) if (isec.kind[row] != ISEC_CONSUMED) isec.live[row] = 1;
}

/** All pieces [from, to) live; with `nonAllocOnly`, only those of sections that are not loaded. */
export function markPieces(from: u32, to: u32, nonAllocOnly: u32): void {
  const t = tables();
  const isec = t.isec;
  for (let row = from; row < to; row++) {
    if (isec.kind[row] != ISEC_MERGE || (nonAllocOnly && isec.sh_flags[row] & SHF_ALLOC)) continue;
    if (nonAllocOnly && !isec.live[row]) continue;
    memory.fill(changetype<usize>(t.piece.live) + isec.pieceBase[row], 1, isec.pieceCount[row]);
  }
}

/** Sections [from, to) whose name is a C identifier, but for those that live with another: their rows at `out`; returns how many. */
export function collectIdentifiers(from: u32, to: u32, out: u32): u32 {
  const t = tables();
  let found: u32 = 0;
  for (let row = from; row < to; row++) {
    if (t.isec.rule[row] != 0) continue;
    const name = t.isec.name[row];
    if (name == 0 || t.isec.sh_flags[row] & SHF_LINK_ORDER || !isIdentifier(name)) continue;
    store<u32>(out + (found << 2), row);
    found++;
  }
  return found;
}
