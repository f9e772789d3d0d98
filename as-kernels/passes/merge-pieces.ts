/**
 * Equal pieces become one: grouping merge sections, deduplicating their pieces by hash in shards, giving every piece its
 * place, and writing the bytes of those that are kept (winners).
 *
 * Pieces are scattered into shards by hash, in order, and every shard is deduplicated by itself with a private table: the
 * result is shard-major, first occurrence first, whatever the number of threads. Bytes are never compared (--verify-hashes
 * does that afterwards, see verifyMerged); so strings need not be in memory here.
 */
import { tables } from "../shared/tables.ts";
import { copyBytes, equal } from "../lib/bytes.ts";
import { joinsRun, putRun } from "../lib/runs.ts";
import { mergeShardOf } from "../lib/shards.ts";
import { ISEC_MERGE, MERGE_SHARDS, PIECE_LIVE, PIECE_RECORD_BYTES, PIECE_TAIL, PIECE_WINNER } from "../shared/abi.ts";
import { SHF_COMPRESSED, SHF_GNU_RETAIN, SHF_GROUP, SHF_INFO_LINK, SHF_LINK_ORDER, SHF_STRINGS } from "../shared/elf.ts";

/** A scattered piece: h0 u64, h1 u64, piece row u32, bytes u32. */
const RECORD_BYTES: u32 = PIECE_RECORD_BYTES;

/** Flags that do not keep pieces apart. */
const NEUTRAL_FLAGS: u32 = SHF_GROUP | SHF_COMPRESSED | SHF_INFO_LINK | SHF_GNU_RETAIN | SHF_LINK_ORDER;

/** Most msecs groupMergeSections can need: live merge sections, plus row 0. */
export function countMergeSections(): u32 {
  const isec = tables().isec;
  let n: u32 = 1;
  for (let i: u32 = 1, rows = isec.rows; i < rows; i++) {
    if (isec.kind[i] == ISEC_MERGE && isec.live[i] != 0 && isec.osec[i] != 0) n++;
  }
  return n;
}

/** msec row of merge section `i`, made if it is new; `next` = first unused row. */
function msecOf(i: u32, next: u32): u32 {
  const isec = tables().isec;
  const msec = tables().msec;
  const osec = tables().osec;
  const o = isec.osec[i];
  const flags = isec.sh_flags[i] & ~NEUTRAL_FLAGS;
  const strings: u32 = flags & SHF_STRINGS ? 1 : 0;
  let m = osec.msec[o];
  let last: u32 = 0;
  while (m != 0) {
    // as lld: constants of different alignment may meet, strings may not
    if (msec.sh_flags[m] == flags && msec.sh_entsize[m] == isec.sh_entsize[i] && (!strings || msec.align[m] == isec.align[i])) return m;
    last = m;
    m = msec.next[m];
  }
  msec.osec[next] = o;
  msec.sh_flags[next] = flags;
  msec.sh_entsize[next] = isec.sh_entsize[i];
  msec.strings[next] = <u8>strings;
  msec.align[next] = isec.align[i];
  if (last == 0) osec.msec[o] = next;
  else msec.next[last] = next;
  return next;
}

/** Groups the live merge sections, in row order, and lists them in `mmember`. Returns the rows of `msec` in use. */
export function groupMergeSections(): u32 {
  const isec = tables().isec;
  const msec = tables().msec;
  const member = tables().mmember;
  let next: u32 = 1;
  const rows = isec.rows;
  for (let i: u32 = 1; i < rows; i++) {
    if (isec.kind[i] != ISEC_MERGE || isec.live[i] == 0 || isec.osec[i] == 0) continue;
    const m = msecOf(i, next);
    if (m == next) next++;
    isec.msec[i] = m;
    if (isec.align[i] > msec.align[m]) msec.align[m] = isec.align[i];
    msec.memberCount[m]++;
  }
  let at: u32 = 1;
  for (let m: u32 = 1; m < next; m++) {
    msec.memberBase[m] = at;
    at += msec.memberCount[m];
    msec.memberCount[m] = 0;
  }
  for (let i: u32 = 1; i < rows; i++) {
    const m = isec.kind[i] == ISEC_MERGE ? isec.msec[i] : 0;
    if (m == 0) continue;
    const k = msec.memberBase[m] + msec.memberCount[m]++;
    member.isec[k] = i;
    member.before[k] = msec.pieces[m];
    msec.pieces[m] += isec.pieceCount[i];
  }
  return next;
}

/** Member of `m` that holds the piece number `from` of the msec. */
function memberAt(m: u32, from: u32): u32 {
  const before = tables().mmember.before;
  let low = tables().msec.memberBase[m];
  let high = low + tables().msec.memberCount[m];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (before[middle] <= from) low = middle;
    else high = middle;
  }
  return low;
}

/** Counts the live pieces with numbers [from, to) of msec `m` by shard into the zeroed u32 at `counts`. */
export function countShards(m: u32, from: u32, to: u32, counts: u32): void {
  const member = tables().mmember;
  const isec = tables().isec;
  const piece = tables().piece;
  const pieceHash = tables().pieceHash;
  const end = tables().msec.memberBase[m] + tables().msec.memberCount[m];
  for (let k = memberAt(m, from); k < end && member.before[k] < to; k++) {
    const i = member.isec[k];
    const base = isec.pieceBase[i] - member.before[k];
    const last = min<u32>(to, member.before[k] + isec.pieceCount[i]);
    for (let n = max<u32>(from, member.before[k]); n < last; n++) {
      if (!piece.live[base + n]) continue;
      const slot = counts + (mergeShardOf(pieceHash.h0[base + n]) << 2);
      store<u32>(slot, load<u32>(slot) + 1);
    }
  }
}

/** Writes the records of the live pieces with numbers [from, to); `cursors`: this chunk's row of prefixShards. */
export function scatterPieces(m: u32, from: u32, to: u32, cursors: u32, records: u32): void {
  const member = tables().mmember;
  const isec = tables().isec;
  const piece = tables().piece;
  const pieceHash = tables().pieceHash;
  const end = tables().msec.memberBase[m] + tables().msec.memberCount[m];
  for (let k = memberAt(m, from); k < end && member.before[k] < to; k++) {
    const i = member.isec[k];
    const base = isec.pieceBase[i] - member.before[k];
    const last = min<u32>(to, member.before[k] + isec.pieceCount[i]);
    for (let n = max<u32>(from, member.before[k]); n < last; n++) {
      const row = base + n;
      if (!piece.live[row]) continue;
      const h0 = pieceHash.h0[row];
      const slot = cursors + (mergeShardOf(h0) << 2);
      const position = load<u32>(slot);
      store<u32>(slot, position + 1);
      const record = records + position * RECORD_BYTES;
      store<u64>(record, h0);
      store<u64>(record + 8, pieceHash.h1[row]);
      store<u32>(record + 16, row);
      store<u32>(record + 20, piece.inOffset[row + 1] - piece.inOffset[row]);
    }
  }
}

/**
 * Deduplicates the records [from, to) of one shard of msec `m`. `table`: `slots` (power of two, at least twice the records)
 * u32, cleared here. Gives winners their offset from the start of the shard; the others the winner's, or with `byRow` the
 * winner's piece row. Returns the shard's size in bytes; 0xffffffff = more than 32 bits can say.
 */
export function dedupeShard(m: u32, records: u32, from: u32, to: u32, table: u32, slots: u32, byRow: u32): u32 {
  const piece = tables().piece;
  const mask = slots - 1;
  const align = (<u64>1 << <u64>tables().msec.align[m]) - 1;
  let at: u64 = 0;
  memory.fill(table, 0, slots << 2);
  for (let r = from; r < to; r++) {
    const record = records + r * RECORD_BYTES;
    const h0 = load<u64>(record);
    const h1 = load<u64>(record + 8);
    const row = load<u32>(record + 16);
    let slot = <u32>h0 & mask;
    let other = load<u32>(table + (slot << 2));
    while (other != 0) {
      const known = records + (other - 1) * RECORD_BYTES;
      if (load<u64>(known) == h0 && load<u64>(known + 8) == h1) break;
      slot = (slot + 1) & mask;
      other = load<u32>(table + (slot << 2));
    }
    if (other == 0) {
      store<u32>(table + (slot << 2), r + 1);
      at = (at + align) & ~align;
      piece.out[row] = <u32>at;
      piece.live[row] = <u8>(PIECE_LIVE | PIECE_WINNER);
      at += load<u32>(record + 20);
      if (at >= 0xffffffff) return 0xffffffff;
    } else {
      const winner = load<u32>(records + (other - 1) * RECORD_BYTES + 16);
      piece.out[row] = byRow ? winner : piece.out[winner];
      piece.live[row] = <u8>PIECE_LIVE;
    }
  }
  return <u32>at;
}

/** Turns the shard sizes at `sizes` (u32) into starts and sets msec.size. Returns 0, or 1 when the result is too large. */
export function placeShards(m: u32, sizes: u32): u32 {
  const msec = tables().msec;
  const align = (<u64>1 << <u64>msec.align[m]) - 1;
  let at: u64 = 0;
  for (let s: u32 = 0; s < <u32>MERGE_SHARDS; s++) {
    const here = load<u32>(sizes + (s << 2));
    if (here == 0xffffffff) return 1;
    // An empty shard asks for no alignment (lld).
    if (here != 0) at = (at + align) & ~align;
    if (at + here >= 0xffffffff) return 1;
    store<u32>(sizes + (s << 2), <u32>at);
    at += here;
  }
  msec.size[m] = <f64>at;
  return 0;
}

/**
 * Last step for the pieces with numbers [from, to): adds the start of the piece's shard (`starts`; 0 = already absolute), or
 * with `byRow` takes the winner's place. `winnersOnly`: leaves the others for later.
 */
export function finishPieces(m: u32, from: u32, to: u32, starts: u32, byRow: u32, winnersOnly: u32): void {
  const member = tables().mmember;
  const isec = tables().isec;
  const piece = tables().piece;
  const pieceHash = tables().pieceHash;
  const end = tables().msec.memberBase[m] + tables().msec.memberCount[m];
  for (let k = memberAt(m, from); k < end && member.before[k] < to; k++) {
    const i = member.isec[k];
    const base = isec.pieceBase[i] - member.before[k];
    const last = min<u32>(to, member.before[k] + isec.pieceCount[i]);
    for (let n = max<u32>(from, member.before[k]); n < last; n++) {
      const row = base + n;
      const live = piece.live[row];
      if (!live) continue;
      if (live & PIECE_WINNER) {
        if (starts) piece.out[row] += load<u32>(starts + (mergeShardOf(pieceHash.h0[row]) << 2));
      } else if (!winnersOnly && !(live & PIECE_TAIL)) {
        if (byRow) piece.out[row] = piece.out[piece.out[row]];
        else if (starts) piece.out[row] += load<u32>(starts + (mergeShardOf(pieceHash.h0[row]) << 2));
      }
    }
  }
}

/** Counts the winners of the members [from, to); none for those whose bytes stream-strings has kept. Returns their sum. */
export function countWinners(from: u32, to: u32): u32 {
  const member = tables().mmember;
  const isec = tables().isec;
  const live = tables().piece.live;
  let sum: u32 = 0;
  for (let k = from; k < to; k++) {
    const i = member.isec[k];
    let n: u32 = 0;
    const m = isec.msec[i];
    const end = tables().msec.stream[m] == 0 ? isec.pieceBase[i] + isec.pieceCount[i] : 0;
    for (let row = isec.pieceBase[i]; row < end; row++) n += (live[row] & PIECE_WINNER) != 0 ? 1 : 0;
    member.winners[k] = n;
    sum += n;
  }
  return sum;
}

/** Two sections are read together when the bytes between them are fewer than this. */
const GAP_BYTES: f64 = 8192;

/**
 * Finds the next members in [from, to) that have winners and that one read can bring, as nextPieceRun does for sections: a run of member
 * rows at `run`. Returns 0 when there are none.
 */
export function nextWinnerRun(from: u32, to: u32, limit: f64, run: u32): u32 {
  const isec = tables().isec;
  const member = tables().mmember;
  let k = from;
  while (k < to && member.winners[k] == 0) k++;
  if (k >= to) return 0;
  const first = member.isec[k];
  const start = isec.sh_offset[first];
  let end = start + isec.size[first];
  let last = k + 1;
  const compressed = isec.compressed[first] != 0;
  for (let n = last; !compressed && n < to; n++) {
    const i = member.isec[n];
    if (isec.obj[i] != isec.obj[first]) break;
    if (member.winners[n] == 0) continue;
    if (!joinsRun(i, start, end, GAP_BYTES, limit)) break;
    end = isec.sh_offset[i] + isec.size[i];
    last = n + 1;
  }
  putRun(run, k, last, compressed, start, end);
  return 1;
}

/**
 * Copies the winners of members [from, to) that lie in bytes [low, high) of their msec's output to `at`, the address of byte
 * `low`; `at` 0 = the finished contents of each one's msec (msec.bytes). File offset `start` is at address `contents`.
 */
export function copyRun(from: u32, to: u32, contents: u32, start: f64, low: f64, high: f64, at: u32): void {
  const isec = tables().isec;
  const msec = tables().msec;
  const member = tables().mmember;
  for (let k = from; k < to; k++) {
    if (member.winners[k] == 0) continue;
    const i = member.isec[k];
    const m = isec.msec[i];
    const bytes = contents + (isec.compressed[i] != 0 ? 0 : <u32>(isec.sh_offset[i] - start));
    if (at) copyWinners(i, bytes, low, high, at);
    else if (msec.bytes[m]) copyWinners(i, bytes, 0, msec.size[m], msec.bytes[m]);
  }
}

/**
 * Copies the winners of merge section `i`, whose contents are at `contents`, as far as they lie in bytes [from, to) of the
 * msec's output, which start at address `at`.
 */
function copyWinners(i: u32, contents: u32, from: f64, to: f64, at: u32): void {
  const isec = tables().isec;
  const piece = tables().piece;
  const low = <u32>from;
  const high = <u32>to;
  for (let row = isec.pieceBase[i], end = row + isec.pieceCount[i]; row < end; row++) {
    if (!(piece.live[row] & PIECE_WINNER)) continue;
    const out = piece.out[row];
    const bytes = piece.inOffset[row + 1] - piece.inOffset[row];
    if (out >= high || out + bytes <= low) continue;
    const skip = out < low ? low - out : 0;
    const count = min<u32>(out + bytes, high) - (out + skip);
    copyBytes(at + (out + skip - low), contents + piece.inOffset[row] + skip, count);
  }
}

/** --verify-hashes: compares the live pieces of section `i` with the finished bytes. Returns 1 + the first wrong row, or 0. */
export function verifyMerged(i: u32, contents: u32, bytes: u32): u32 {
  const isec = tables().isec;
  const piece = tables().piece;
  for (let row = isec.pieceBase[i], end = row + isec.pieceCount[i]; row < end; row++) {
    if (!piece.live[row]) continue;
    if (!equal(contents + piece.inOffset[row], bytes + piece.out[row], piece.inOffset[row + 1] - piece.inOffset[row])) return row + 1;
  }
  return 0;
}
