/**
 * --icf: classes of identical sections. Two sections are identical when their contents, flags and output section are, and
 * their relocations agree one by one and refer to the same places of identical sections.
 *
 * Works from the optimistic end, as lld: first everything that looks alike is one class (foldConstants), then classes are split
 * by the classes of what their members refer to until nothing changes. A class is named by its first isec row, so names, and
 * with them the output, depend on link order alone. Sections that are alone in their class leave the work list.
 */
import { tables } from "../shared/tables.ts";
import { equal } from "../lib/bytes.ts";
import { pieceAt } from "../lib/pieces.ts";
import { isIdentifier } from "../lib/names.ts";
import { hashBytes, K1, K2, mix } from "../lib/hash.ts";
import { joinsRun, putRun } from "../lib/runs.ts";
import { shardOf } from "../lib/shards.ts";
import { isSize } from "../arch/x86-64-relocations.ts";
import {
  CTL_COUNTERS, FOLD_CANDIDATE, FOLD_UNIQUE, ISEC_MERGE, ISEC_REGULAR, SHARDS, SYM_DEFINED, SYM_FOLDED, SYM_IFUNC, SYM_KIND_MASK, SYM_PREEMPTIBLE, SYM_SECTION, SYM_TLS,
} from "../shared/abi.ts";
import {
  RELA_BYTES, SHF_ALLOC, SHF_GROUP, SHF_LINK_ORDER, SHF_WRITE, SHT_NOBITS, R_ADDEND, R_SYM, R_TYPE,
} from "../shared/elf.ts";

/** Contents that are read together may have this much between them. */
const GAP_BYTES: f64 = 4096;

// what a relocation refers to
const TO_SYMBOL: u64 = 1; // this symbol and no other
const TO_ABSOLUTE: u64 = 2; // a number
const TO_SECTION: u64 = 3; // a place in a section: its class is looked at later
const TO_PIECE: u64 = 4; // a place in merged strings or constants

/** ".data.rel.ro" or longer: read-only once it is relocated. */
// @ts-ignore: decorator
@inline
function isDataRelRo(name: u32): bool {
  if (load<u64>(name) != 0x65722e617461642e || load<u32>(name, 8) != 0x6f722e6c) return false;
  const next = load<u8>(name, 12);
  return next == 0 || next == 46;
}

/** ".init" or ".fini": pieces of one function. */
// @ts-ignore: decorator
@inline
function isFragment(name: u32): bool {
  const six = load<u64>(name) & 0xffffffffffff;
  return six == 0x74696e692e || six == 0x696e69662e;
}

/** Names every section of rows [from, to) a class of its own; returns how many may be folded. */
export function foldCandidates(from: u32, to: u32): u32 {
  const t = tables();
  const isec = t.isec;
  const fold = t.fold;
  let count: u32 = 0;
  for (let row = from; row < to; row++) {
    fold.cls[row] = row;
    const flags = isec.sh_flags[row];
    if (fold.state[row] & FOLD_UNIQUE || !isec.live[row] || isec.osec[row] == 0 || isec.kind[row] != ISEC_REGULAR) continue;
    if ((flags & (SHF_ALLOC | SHF_LINK_ORDER)) != SHF_ALLOC || isec.sh_type[row] == SHT_NOBITS || isec.compressed[row] != 0) continue;
    const name = isec.name[row];
    if (isec.size[row] >= 4294967296.0 || (flags & SHF_WRITE && !isDataRelRo(name)) || isFragment(name) || isIdentifier(name)) continue;
    fold.state[row] |= <u8>FOLD_CANDIDATE;
    count++;
  }
  return count;
}

/** Finds the next candidates in rows [from, to) that one read can bring, as nextPieceRun does (split-pieces). Returns 0 when there are none. */
export function nextFoldRun(from: u32, to: u32, limit: f64, run: u32): u32 {
  const isec = tables().isec;
  const state = tables().fold.state;
  let i = from;
  while (i < to && !(state[i] & FOLD_CANDIDATE && isec.size[i] > 0)) i++;
  if (i >= to) return 0;
  const obj = isec.obj[i];
  const start = isec.sh_offset[i];
  let end = start + isec.size[i];
  let last = i + 1;
  for (let k = last; k < to && isec.obj[k] == obj; k++) {
    if (!(state[k] & FOLD_CANDIDATE) || isec.size[k] == 0) continue;
    if (!joinsRun(k, start, end, GAP_BYTES, limit)) break;
    end = isec.sh_offset[k] + isec.size[k];
    last = k + 1;
  }
  putRun(run, i, last, false, start, end);
  return 1;
}

/** Hashes the contents of the candidates of rows [from, to), which lie at `contents`; they begin at `start` in the file. */
export function foldContents(from: u32, to: u32, contents: u32, start: f64): void {
  const isec = tables().isec;
  const fold = tables().fold;
  for (let row = from; row < to; row++) {
    if (!(fold.state[row] & FOLD_CANDIDATE) || isec.size[row] == 0) continue;
    const at = contents + <u32>(isec.sh_offset[row] - start);
    hashBytes(at, <u32>isec.size[row], <u32>changetype<usize>(fold.h0) + (row << 3), <u32>changetype<usize>(fold.h1) + (row << 3));
  }
}

/** Adds to the hashes of the candidates of rows [from, to) what their headers say and what their relocations refer to. */
export function foldConstants(from: u32, to: u32): void {
  const isec = tables().isec;
  const fold = tables().fold;
  for (let row = from; row < to; row++) {
    if (!(fold.state[row] & FOLD_CANDIDATE)) continue;
    let a = fold.h0[row];
    let b = fold.h1[row];
    a = (a ^ <u64>isec.size[row]) * K1;
    b = (b + (<u64>(isec.sh_flags[row] & ~SHF_GROUP) << 32 | <u64>isec.osec[row])) * K2;
    const rela = isec.rela[row];
    const end = rela + isec.relaCount[row] * RELA_BYTES;
    a ^= <u64>isec.relaCount[row];
    if (rela != 0) {
      for (let r = rela; r < end; r += RELA_BYTES) {
        let kind = TO_ABSOLUTE;
        let value = load<u64>(r, R_ADDEND);
        const sym = targetOf(row, r);
        if (sym != 0) {
          kind = targetKind(sym, load<u32>(r, R_TYPE));
          if (kind == TO_SYMBOL) value += <u64>sym << 32 | sym;
          else if (kind == TO_PIECE) value = piecePlace(sym, value);
          else value += tables().sym.value[sym];
          kind |= <u64>(tables().sym.flags[sym] & (SYM_IFUNC | SYM_TLS)) << 8;
        }
        const type = <u64>load<u32>(r, R_TYPE);
        a = rotl<u64>(a ^ load<u64>(r), 29) * K1;
        b = (rotl<u64>(b, 23) + (type << 56 ^ kind)) * K2;
        a = rotl<u64>(a ^ value, 29) * K1;
        b = (rotl<u64>(b, 23) + value) * K2;
      }
    }
    fold.h0[row] = mix(a);
    fold.h1[row] = mix(b ^ rotl<u64>(a, 17));
  }
}

/** sym row of the relocation at `r` of section `row`; 0 = none, or an index that is out of range. */
// @ts-ignore: decorator
@inline
function targetOf(row: u32, r: u32): u32 {
  const obj = tables().obj;
  const o = tables().isec.obj[row];
  const index = load<u32>(r, R_SYM);
  return index == 0 || index >= obj.esymCount[o] ? 0 : tables().esym.sym[obj.esymBase[o] + index];
}

/**
 * How a reference to `sym` is compared. A symbol that may be another one at run time, or whose value is not known yet (script,
 * linker-defined, shared), is only like itself; so is one whose size is asked for.
 */
// @ts-ignore: decorator
@inline
function targetKind(sym: u32, type: u32): u64 {
  const t = tables();
  const flags = t.sym.flags[sym];
  if ((flags & SYM_KIND_MASK) != SYM_DEFINED || flags & SYM_PREEMPTIBLE || isSize(type)) return TO_SYMBOL;
  const row = t.sym.isec[sym];
  if (row == 0) return TO_ABSOLUTE;
  const kind = t.isec.kind[row];
  if (kind == ISEC_REGULAR) return TO_SECTION;
  return kind == ISEC_MERGE && t.isec.msec[row] != 0 ? TO_PIECE : TO_SYMBOL;
}

/** Where in the merged output a reference to `sym` with `addend` goes: msec and offset in one number. */
function piecePlace(sym: u32, addend: u64): u64 {
  const t = tables();
  const row = t.sym.isec[sym];
  const value = t.sym.value[sym];
  let place = value;
  let piece: u32;
  if (t.sym.flags[sym] & SYM_SECTION) {
    place += addend;
    piece = pieceAt(row, place);
  } else {
    piece = t.sym.piece[sym];
    if (piece != 0) piece--;
  }
  let out = place;
  if (piece != 0) out = <u64>t.piece.out[piece] + (place - <u64>t.piece.inOffset[piece]);
  if (!(t.sym.flags[sym] & SYM_SECTION)) out += addend;
  return (<u64>t.isec.msec[row] << 40) + out;
}

/** Writes the candidates of rows [from, to) to `active`; returns how many. */
export function listCandidates(from: u32, to: u32, active: u32): u32 {
  const state = tables().fold.state;
  let count: u32 = 0;
  for (let row = from; row < to; row++) {
    if (!(state[row] & FOLD_CANDIDATE)) continue;
    store<u32>(active + (count << 2), row);
    count++;
  }
  return count;
}

/** Keys (16 bytes each) of work list entries [from, to): in the first round the constant hashes, then own class and theirs. */
export function foldKeys(from: u32, to: u32, active: u32, keys: u32, round: u32): void {
  const t = tables();
  const fold = t.fold;
  const isec = t.isec;
  for (let i = from; i < to; i++) {
    const row = load<u32>(active + (i << 2));
    const key = keys + (i << 4);
    if (round == 0) {
      store<u64>(key, fold.h0[row]);
      store<u64>(key, fold.h1[row], 8);
      continue;
    }
    let a = <u64>fold.cls[row] * K2 + K1;
    let b = <u64>fold.cls[row];
    const rela = isec.rela[row];
    const end = rela + isec.relaCount[row] * RELA_BYTES;
    if (rela != 0) {
      for (let r = rela; r < end; r += RELA_BYTES) {
        const sym = targetOf(row, r);
        if (sym == 0 || targetKind(sym, load<u32>(r, R_TYPE)) != TO_SECTION) continue;
        const cls = <u64>fold.cls[t.sym.isec[sym]];
        a = rotl<u64>(a ^ cls, 29) * K1;
        b = (rotl<u64>(b, 23) + cls) * K2;
      }
    }
    store<u64>(key, mix(a));
    store<u64>(key, mix(b ^ rotl<u64>(a, 17)), 8);
  }
}

/** Sorts the indexes of `count` keys by shard, otherwise in order. `starts`: where each shard begins and the last ends, u32 × (SHARDS + 2). */
export function foldScatter(count: u32, keys: u32, order: u32, starts: u32): void {
  memory.fill(starts, 0, (SHARDS + 2) << 2);
  for (let i: u32 = 0; i < count; i++) {
    const cell = starts + (shardOf(load<u64>(keys + (i << 4))) << 2) + 8;
    store<u32>(cell, load<u32>(cell) + 1);
  }
  for (let s: u32 = 2; s < <u32>SHARDS + 2; s++) store<u32>(starts + (s << 2), load<u32>(starts + (s << 2)) + load<u32>(starts + ((s - 1) << 2)));
  for (let i: u32 = 0; i < count; i++) {
    const cell = starts + (shardOf(load<u64>(keys + (i << 4))) << 2) + 4;
    const at = load<u32>(cell);
    store<u32>(cell, at + 1);
    store<u32>(order + (at << 2), i);
  }
}

/**
 * Classes of the keys whose indexes are at order[from, to): the new class of each goes to `next`. `table`: `slots` u32, a
 * power of two above 2 × (to - from). Adds the number of classes to the first counter.
 */
export function foldGroup(from: u32, to: u32, order: u32, keys: u32, active: u32, next: u32, table: u32, slots: u32): void {
  const members = tables().fold.members;
  memory.fill(table, 0, slots << 2);
  let distinct: u32 = 0;
  for (let k = from; k < to; k++) {
    const i = load<u32>(order + (k << 2));
    const key = keys + (i << 4);
    let slot = <u32>load<u64>(key) & (slots - 1);
    let other = load<u32>(table + (slot << 2));
    while (other != 0) {
      const theirs = keys + ((other - 1) << 4);
      if (load<u64>(theirs) == load<u64>(key) && load<u64>(theirs, 8) == load<u64>(key, 8)) break;
      slot = (slot + 1) & (slots - 1);
      other = load<u32>(table + (slot << 2));
    }
    if (other == 0) {
      store<u32>(table + (slot << 2), i + 1);
      other = i + 1;
      distinct++;
      members[load<u32>(active + (i << 2))] = 0;
    }
    const leader = load<u32>(active + ((other - 1) << 2));
    store<u32>(next + (i << 2), leader);
    members[leader] += 1;
  }
  atomic.add<u32>(CTL_COUNTERS, distinct);
}

/** Takes the new classes over; who is alone leaves the work list. Returns its new length, and the number of classes in the second counter. */
export function foldCompact(count: u32, active: u32, next: u32): u32 {
  const fold = tables().fold;
  let kept: u32 = 0;
  let classes: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const row = load<u32>(active + (i << 2));
    const cls = load<u32>(next + (i << 2));
    fold.cls[row] = cls;
    if (fold.members[cls] < 2) continue;
    if (cls == row) classes++;
    store<u32>(active + (kept << 2), row);
    kept++;
  }
  store<u32>(CTL_COUNTERS, classes, 4);
  return kept;
}

/** Ends the sections of the work list that are not the first of their class, with what is linked to them. Returns how many. */
export function foldSections(count: u32, active: u32): u32 {
  const isec = tables().isec;
  const cls = tables().fold.cls;
  let folded: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const row = load<u32>(active + (i << 2));
    const leader = cls[row];
    if (leader == row) continue;
    isec.live[row] = 0;
    if (isec.align[row] > isec.align[leader]) isec.align[leader] = isec.align[row];
    for (let d = isec.dependent[row]; d != 0; d = isec.nextDependent[d]) isec.live[d] = 0;
    folded++;
  }
  return folded;
}

/** Symbols [from, to) of folded sections become symbols of the section that stays. */
export function foldSymbols(from: u32, to: u32): void {
  const sym = tables().sym;
  const cls = tables().fold.cls;
  for (let id = from; id < to; id++) {
    const row = sym.isec[id];
    if (row == 0 || (sym.flags[id] & SYM_KIND_MASK) != SYM_DEFINED || cls[row] == row) continue;
    sym.isec[id] = cls[row];
    sym.flags[id] |= SYM_FOLDED;
  }
}

/** Moves the live ones of members [from, to) together, to `at` ≤ from; returns the place behind them. */
export function compactMembers(from: u32, to: u32, at: u32): u32 {
  const live = tables().isec.live;
  const member = tables().member.isec;
  for (let i = from; i < to; i++) if (live[member[i]]) member[at++] = member[i];
  return at;
}

/** 1 = the bytes are the same. */
export function equalBytes(a: u32, b: u32, bytes: u32): u32 {
  return equal(a, b, bytes) ? 1 : 0;
}
