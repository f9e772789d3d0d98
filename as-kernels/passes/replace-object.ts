/**
 * An object that was replaced by one with other sections, in a link that is taken up after set-visibility: what later passes have said
 * of sections and symbols is taken back, COMDAT groups are claimed as the replay of resolve-symbols would, and rows of sections move.
 *
 * As in patch-symbols.ts, the rule is to refuse: 0 = link from the beginning. What passes from split-pieces on write is listed once, in
 * `clearLate` and `copyGlobals`; test/passes/resolved-state.test.ts finds what is not.
 */
import { tables } from "../shared/tables.ts";
import { SYM_NEEDS } from "../lib/symbol-flags.ts";
import { equal } from "../lib/bytes.ts";
import { RULE_BYTES, RULE_OSEC } from "../lib/name-rules.ts";
import {
  GROUP_CELL_BYTES, SAVED_ALIGN, SAVED_BIND, SAVED_ESYM, SAVED_FLAGS, SAVED_ISEC, SAVED_OBJ, SAVED_SIZE, SAVED_TYPE, SAVED_VALUE, SAVED_VER, SAVED_VIS,
  SYM_ADDRESS_TAKEN, SYM_DEFINED, SYM_EXPORTED, SYM_KIND_MASK, SYM_REF_LIVE,
} from "../shared/abi.ts";
import { EHDR_BYTES, E_FLAGS, E_SHNUM, E_SHOFF, SHDR_BYTES, SHF_ALLOC, SHT_NOBITS, SHT_NOTE, SHT_PROGBITS, SHT_SYMTAB, SH_FLAGS, SH_OFFSET, SH_SIZE, SH_TYPE } from "../shared/elf.ts";

/** What scan-relocs says of symbols; EXPORTED only of globals before it. */
const LATE: u32 = SYM_REF_LIVE | SYM_NEEDS | SYM_ADDRESS_TAKEN | SYM_EXPORTED;

// ---- what was known after set-visibility ----

/** Copies what later passes may change of globals [from, to), of `n`, to `saved`. */
export function saveGlobals(from: u32, to: u32, saved: u32, n: u32): void {
  copyGlobals(from, to, saved, n, false);
}

/** The way back, of all `n` globals. */
export function restoreGlobals(saved: u32, n: u32): void {
  copyGlobals(0, n, saved, n, true);
}

function copyGlobals(from: u32, to: u32, saved: u32, n: u32, back: bool): void {
  const sym = tables().sym;
  const gsym = tables().gsym;
  copyColumn(changetype<u32>(sym.value), saved + SAVED_VALUE * n, from, to, 3, back);
  copyColumn(changetype<u32>(gsym.size), saved + SAVED_SIZE * n, from, to, 3, back);
  copyColumn(changetype<u32>(sym.flags), saved + SAVED_FLAGS * n, from, to, 2, back);
  copyColumn(changetype<u32>(sym.isec), saved + SAVED_ISEC * n, from, to, 2, back);
  copyColumn(changetype<u32>(gsym.obj), saved + SAVED_OBJ * n, from, to, 2, back);
  copyColumn(changetype<u32>(gsym.esym), saved + SAVED_ESYM * n, from, to, 2, back);
  copyColumn(changetype<u32>(gsym.ver), saved + SAVED_VER * n, from, to, 1, back);
  copyColumn(changetype<u32>(gsym.bind), saved + SAVED_BIND * n, from, to, 0, back);
  copyColumn(changetype<u32>(gsym.type), saved + SAVED_TYPE * n, from, to, 0, back);
  copyColumn(changetype<u32>(gsym.vis), saved + SAVED_VIS * n, from, to, 0, back);
  copyColumn(changetype<u32>(gsym.align), saved + SAVED_ALIGN * n, from, to, 0, back);
}

function copyColumn(column: u32, copy: u32, first: u32, end: u32, shift: u32, back: bool): void {
  const at = first << shift;
  memory.copy((back ? column : copy) + at, (back ? copy : column) + at, (end - first) << shift);
}

/** Object `o` has been patched where it was: saves again what it defines, and the `count` globals at `changed` that came or went. */
export function saveDefined(o: u32, changed: u32, count: u32, saved: u32, n: u32): void {
  const t = tables();
  const base = t.obj.esymBase[o];
  for (let e = base + t.obj.firstGlobal[o], end = base + t.obj.esymCount[o]; e < end; e++) {
    const id = t.esym.sym[e];
    if (t.gsym.esym[id] != e || (t.sym.flags[id] & SYM_KIND_MASK) != SYM_DEFINED) continue;
    store<u64>(saved + SAVED_VALUE * n + (id << 3), t.sym.value[id]);
    store<f64>(saved + SAVED_SIZE * n + (id << 3), t.gsym.size[id]);
    store<u32>(saved + SAVED_ISEC * n + (id << 2), t.sym.isec[id]);
    store<u32>(saved + SAVED_ESYM * n + (id << 2), e);
  }
  for (let i: u32 = 0; i < count; i++) {
    const id = load<u32>(changed + (i << 2));
    if (t.gsym.obj[id] == o || !t.gsym.obj[id]) saveGlobals(id, id + 1, saved, n);
  }
}

/**
 * Takes back what passes from split-pieces on have said of sections and symbols, but for what restoreGlobals brings, and for what split-pieces
 * itself has (clearPieces). `rules`: of osec names.
 */
export function clearLate(globals: u32, rules: u32, ruleCount: u32): void {
  const t = tables();
  const isec = t.isec;
  const rows = isec.rows;
  memory.fill(changetype<u32>(isec.live), 0, rows);
  memory.fill(changetype<u32>(isec.osec), 0, rows << 2);
  memory.fill(changetype<u32>(isec.outOffset), 0, rows << 3);
  memory.fill(changetype<u32>(isec.msec), 0, rows << 2);
  memory.fill(changetype<u32>(isec.dynRel), 0, rows << 2);
  memory.fill(changetype<u32>(isec.dynSym), 0, rows << 2);
  memory.fill(changetype<u32>(isec.relr), 0, rows << 2);
  memory.fill(changetype<u32>(t.gsym.dynsym), 0, globals << 2);
  memory.fill(changetype<u32>(t.gsym.startStop), 0, globals << 2);
  memory.fill(changetype<u32>(t.sym.addr), 0, globals << 3);
  memory.fill(changetype<u32>(t.sym.aux), 0, t.sym.rows << 2);
  const flags = t.sym.flags;
  for (let id = globals, end = t.sym.rows; id < end; id++) flags[id] = flags[id] & ~LATE;
  for (let i: u32 = 0; i < ruleCount; i++) store<u32>(rules + i * RULE_BYTES, 0, RULE_OSEC);
}

/** Takes back what split-pieces has said of sections and symbols. */
export function clearPieces(): void {
  const isec = tables().isec;
  const rows = isec.rows;
  memory.fill(changetype<u32>(isec.kept), 0, rows << 2);
  memory.fill(changetype<u32>(isec.pieceBase), 0, rows << 2);
  memory.fill(changetype<u32>(isec.pieceCount), 0, rows << 2);
  memory.fill(changetype<u32>(isec.blockIndex), 0, rows << 2);
  memory.fill(changetype<u32>(isec.fde), 0, rows << 2);
  memory.fill(changetype<u32>(tables().sym.piece), 0, tables().sym.rows << 2);
}

// ---- the object ----

/**
 * Are the headers of the objects at `before` and `after` the same, but for the number of sections, and so are their notes? What notes say has
 * been read. Both have been checked (read-headers.ts).
 */
export function sameNotes(before: u32, after: u32): bool {
  if (!equal(before, after, E_SHOFF) || !equal(before + E_FLAGS, after + E_FLAGS, E_SHNUM - E_FLAGS)) return false;
  const oldHeaders = before + <u32>load<u64>(before, E_SHOFF);
  const newHeaders = after + <u32>load<u64>(after, E_SHOFF);
  const oldCount = <u32>load<u16>(before, E_SHNUM);
  const newCount = <u32>load<u16>(after, E_SHNUM);
  if (oldCount == 0 || newCount == 0) return false; // too many to say there
  let i = nextNote(oldHeaders, 0, oldCount);
  let k = nextNote(newHeaders, 0, newCount);
  while (i < oldCount && k < newCount) {
    const a = oldHeaders + i * SHDR_BYTES;
    const b = newHeaders + k * SHDR_BYTES;
    const bytes = <u32>load<u64>(a, SH_SIZE);
    if (<u64>bytes != load<u64>(b, SH_SIZE) || !equal(before + <u32>load<u64>(a, SH_OFFSET), after + <u32>load<u64>(b, SH_OFFSET), bytes)) return false;
    i = nextNote(oldHeaders, i, oldCount);
    k = nextNote(newHeaders, k, newCount);
  }
  return i >= oldCount && k >= newCount;
}

/** Bytes of the tables of an object, `bytes` bytes at `at`, that stay in memory when it is read; nothing of it has been checked. */
export function tableBytes(at: u32, bytes: u32): f64 {
  if (bytes < <u32>EHDR_BYTES) return 0;
  const from = load<u64>(at, E_SHOFF);
  const count = <u64>load<u16>(at, E_SHNUM);
  if (from > <u64>bytes || count * <u64>SHDR_BYTES > <u64>bytes - from) return 0;
  let sum: f64 = 0;
  for (let header = at + <u32>from, end = header + <u32>count * SHDR_BYTES; header < end; header += SHDR_BYTES) {
    const type = load<u32>(header, SH_TYPE);
    sum += <f64>SHDR_BYTES;
    if (type != SHT_PROGBITS && type != SHT_NOBITS) sum += <f64>min<u64>(<u64>bytes, load<u64>(header, SH_SIZE)) * (type == SHT_SYMTAB ? 4.0 : 1.0);
  }
  return sum;
}

/** Index of the next loaded note behind index `i`. */
function nextNote(headers: u32, i: u32, count: u32): u32 {
  let at = i + 1;
  while (at < count && (load<u32>(headers + at * SHDR_BYTES, SH_TYPE) != SHT_NOTE || !(load<u64>(headers + at * SHDR_BYTES, SH_FLAGS) & SHF_ALLOC))) at++;
  return at;
}

/** Per group of an object: its signature (0 = no COMDAT group), and whether its copy is the one kept. */
const GROUP_CELL: u32 = GROUP_CELL_BYTES;

/** Writes those of the `count` groups from row `first` on to `out`. */
export function listGroups(first: u32, count: u32, out: u32): void {
  const group = tables().group;
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(out + i * GROUP_CELL, group.comdat[first + i] ? group.name[first + i] : 0);
    store<u32>(out + i * GROUP_CELL, group.won[first + i], 4);
  }
}

/**
 * Decides again which groups of object `o` are kept; the `count` that it had are at `old` (listGroups). 0 = other objects' copies would be
 * kept or lost by it.
 */
export function claimAgain(o: u32, old: u32, count: u32): u32 {
  const t = tables();
  const group = t.group;
  const owner = t.gsym.groupOwner;
  for (let i: u32 = 0; i < count; i++) {
    const id = load<u32>(old + i * GROUP_CELL);
    if (id && load<u32>(old + i * GROUP_CELL, 4)) owner[id] = 0;
  }
  for (let g = t.obj.groupBase[o], end = g + t.obj.groupCount[o]; g < end; g++) {
    group.won[g] = 0;
    group.name[g] = 0;
    if (!group.comdat[g]) {
      group.won[g] = 1;
      continue;
    }
    const id = t.record.sym[group.record[g]];
    group.name[g] = id;
    if (owner[id] == 0) {
      owner[id] = g + 1;
      group.won[g] = 1;
    } else if (t.obj.seq[group.obj[owner[id] - 1]] > t.obj.seq[o]) return 0;
  }
  // What it has no longer, and what it has now: does anybody else, who would get it or lose it?
  for (let g: u32 = 1, end = group.rows; g < end; g++) {
    const p = group.obj[g];
    if (!p || p == o || !t.obj.seq[p] || !group.comdat[g]) continue;
    const winner = owner[group.name[g]];
    if (winner == 0 || (group.won[g] && winner != g + 1)) return 0;
  }
  return 1;
}

/** Rows of sections from `from` on have moved by `delta`: what refers to them follows. */
export function moveReferences(from: u32, delta: u32): void {
  const t = tables();
  const isec = t.isec;
  for (let o: u32 = 1, rows = t.obj.rows; o < rows; o++) if (t.obj.isecBase[o] >= from) t.obj.isecBase[o] += delta;
  moveColumn(changetype<u32>(t.slot.isec), t.slot.rows, from, delta);
  moveColumn(changetype<u32>(isec.link), isec.rows, from, delta);
  moveColumn(changetype<u32>(isec.dependent), isec.rows, from, delta);
  moveColumn(changetype<u32>(isec.nextDependent), isec.rows, from, delta);
  moveColumn(changetype<u32>(isec.nextInGroup), isec.rows, from, delta);
  const flags = t.sym.flags;
  const home = t.sym.isec;
  for (let id: u32 = 1, rows = t.sym.rows; id < rows; id++) if (home[id] >= from && (flags[id] & SYM_KIND_MASK) == SYM_DEFINED) home[id] += delta;
}

/** The contents of sections [from, to) and their relocations are `delta` bytes further on in their file. */
export function moveContents(from: u32, to: u32, delta: f64): void {
  const isec = tables().isec;
  for (let i = from; i < to; i++) {
    isec.sh_offset[i] += delta;
    if (isec.relaOffset[i] != 0) isec.relaOffset[i] += delta;
  }
}

function moveColumn(column: u32, rows: u32, from: u32, delta: u32): void {
  for (let at = column, end = column + (rows << 2); at < end; at += 4) {
    const row = load<u32>(at);
    if (row >= from) store<u32>(at, row + delta);
  }
}
