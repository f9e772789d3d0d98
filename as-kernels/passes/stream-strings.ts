/**
 * Strings of sections that are not loaded (.debug_str above all): from file to deduplicated pieces with one look at the contents, some
 * megabytes at a time.
 *
 * What split-pieces and merge-pieces do for strings that may die is done here for those that always live, so nothing has to wait for
 * mark-live; the result is the same: shard-major, first occurrence first. A run is what one read brings; a slice is a part of a section
 * of it, whole strings. Pieces leave a record each, sorted by shard in every slice: so the shards read and write them in order, and only
 * finishSlices goes to the rows of `piece`, slice by slice.
 */
import { params, tables } from "../shared/tables.ts";
import { copyBytes } from "../lib/bytes.ts";
import { hashLane1 } from "../lib/hash.ts";
import { report } from "../lib/issue.ts";
import { BLOCK_SHIFT, isStreamed } from "../lib/pieces.ts";
import { stringHash } from "../lib/string-hash.ts";
import { countNuls, isNul, stringBytes } from "../lib/strings.ts";
import { ERR_MERGE_UNTERMINATED, ISSUE_BAD_MERGE, PIECE_LIVE, PIECE_WINNER } from "../shared/abi.ts";

/** As many as merge-pieces has; the shard of a piece is where lld looks for it: at the top of the lower half of its XXH3. */
const SHARDS: u32 = 32;
const SHARD_SHIFT: u32 = 27;

/** A run: f64 place in the file, f64 bytes, u32 source, u32 address, u32 first and end slice, u32 compressed isec. */
const RUN_BYTES: u32 = 40;
const RUN_SOURCE: u32 = 16;
const RUN_AT: u32 = 20;
const RUN_SLICE: u32 = 24;
const RUN_END: u32 = 28;
const RUN_COMPRESSED: u32 = 32;

/**
 * A slice: u32 isec, u32 offset in it, u32 bytes, u32 address, u32 pieces, u32 piece row, u32 address of the records, u32 winners; u32
 * where the pieces of each shard start.
 */
const SLICE_BYTES: u32 = 164;
const SLICE_FROM: u32 = 4;
const SLICE_SIZE: u32 = 8;
const SLICE_AT: u32 = 12;
const SLICE_COUNT: u32 = 16;
const SLICE_ROW: u32 = 20;
const SLICE_RECORDS: u32 = 24;
const SLICE_WINNERS: u32 = 28;
const SLICE_STARTS: u32 = 32;

/** A record: u64 h0, u64 h1, u32 number of the piece in its slice, u32 bytes; from dedupeSlices on u32 offset in the shard, u32 1 = winner. */
const RECORD_BYTES: u32 = 24;
const RECORD_NUMBER: u32 = 16;
const RECORD_SIZE: u32 = 20;
/** A unique piece: u64 h0, u64 h1, u32 offset in the shard. */
const ENTRY_BYTES: u32 = 24;

/** Longest run, longest section that is not cut into slices. */
const MOST_BYTES: u32 = 1 << 18;
/** Sections with fewer bytes between them are read together. */
const GAP_BYTES: f64 = 4096;

/**
 * Marks the msecs that are streamed (msec.stream = 1). At `out`: f64 bytes of their sections, f64 bytes of their block indexes. Returns
 * how many there are.
 */
export function findStreams(out: u32): u32 {
  const msec = tables().msec;
  const isec = tables().isec;
  const members = tables().mmember;
  let found: u32 = 0;
  let bytes: f64 = 0;
  let index: f64 = 0;
  for (let m: u32 = 1, rows = msec.rows; m < rows; m++) {
    const base = msec.memberBase[m];
    const end = base + msec.memberCount[m];
    if (base == end || !isStreamed(members.isec[base])) continue;
    msec.stream[m] = 1;
    found++;
    for (let k = base; k < end; k++) {
      const size = isec.size[members.isec[k]];
      bytes += size;
      index += <f64>(((<u32>size + (1 << BLOCK_SHIFT) - 1) >> BLOCK_SHIFT) << 2);
    }
  }
  store<f64>(out, bytes);
  store<f64>(out, index, 8);
  return found;
}

/** Writes a slice of `bytes` bytes of section `i`, from `from` on, to be at address `at`. */
export function putSlice(slice: u32, i: u32, from: u32, bytes: u32, at: u32): void {
  memory.fill(slice, 0, SLICE_BYTES);
  store<u32>(slice, i);
  store<u32>(slice, from, SLICE_FROM);
  store<u32>(slice, bytes, SLICE_SIZE);
  store<u32>(slice, at, SLICE_AT);
}

/**
 * Cuts streamed sections into runs and slices until `room` bytes at `address` are full, `most` slices are made, or a section is too large
 * or compressed. At `state`, before and after: u32 next row, runs, slices, bytes of room used; after: that large section's row (0 = none).
 */
export function cutStrings(address: u32, room: u32, runs: u32, slices: u32, most: u32, state: u32): void {
  const isec = tables().isec;
  const rows = isec.rows;
  let run = runs + load<u32>(state, 4) * RUN_BYTES - RUN_BYTES;
  let n = load<u32>(state, 8);
  let used = load<u32>(state, 12);
  let obj: u32 = 0;
  let start: f64 = 0;
  let end: f64 = 0;
  let large: u32 = 0;
  let i = load<u32>(state);
  for (; i < rows; i++) {
    if (isec.msec[i] == 0 || isec.size[i] == 0 || !isStreamed(i)) continue;
    const bytes = <u32>isec.size[i];
    if (bytes > MOST_BYTES || isec.compressed[i] != 0) {
      large = i;
      break;
    }
    if (n == most) break;
    const at = isec.sh_offset[i];
    if (obj == isec.obj[i] && at >= end && at - end <= GAP_BYTES && at + <f64>bytes - start <= <f64>MOST_BYTES) {
      const more = <u32>(at - end) + bytes;
      if (used + more > room) break;
      used += more;
    } else {
      const first = (used + 15) & ~15;
      if (first + bytes > room) break;
      run += RUN_BYTES;
      obj = isec.obj[i];
      start = at;
      store<f64>(run, start);
      store<u32>(run, tables().obj.source[obj], RUN_SOURCE);
      store<u32>(run, address + first, RUN_AT);
      store<u32>(run, n, RUN_SLICE);
      store<u32>(run, 0, RUN_COMPRESSED);
      used = first + bytes;
    }
    end = at + <f64>bytes;
    store<f64>(run, end - start, 8);
    putSlice(slices + n * SLICE_BYTES, i, 0, bytes, load<u32>(run, RUN_AT) + <u32>(at - start));
    n++;
    store<u32>(run, n, RUN_END);
  }
  store<u32>(state, i);
  store<u32>(state, (run + RUN_BYTES - runs) / RUN_BYTES, 4);
  store<u32>(state, n, 8);
  store<u32>(state, used, 12);
  store<u32>(state, large, 16);
}

/** Bytes of the `bytes` bytes at `ptr` up to and with the last NUL character of `width` bytes; 0 = there is none. */
export function lastNul(ptr: u32, bytes: u32, width: u32): u32 {
  for (let at = bytes; at >= width; at -= width) if (isNul(ptr + at - width, width)) return at;
  return 0;
}

/** Counts the pieces of the slices of a run, numbered from `slices` on. A section that does not end in a NUL is reported; its rest is a piece. */
export function countSlices(run: u32, slices: u32): void {
  const isec = tables().isec;
  const end = slices + load<u32>(run, RUN_END) * SLICE_BYTES;
  for (let slice = slices + load<u32>(run, RUN_SLICE) * SLICE_BYTES; slice < end; slice += SLICE_BYTES) {
    const i = load<u32>(slice);
    const bytes = load<u32>(slice, SLICE_SIZE);
    const at = load<u32>(slice, SLICE_AT);
    const width = isec.sh_entsize[i];
    let count = countNuls(at, bytes, width);
    if (!isNul(at + bytes - width, width)) {
      report(ISSUE_BAD_MERGE, isec.obj[i], i, 0, ERR_MERGE_UNTERMINATED, 0);
      count++;
    }
    store<u32>(slice, count, SLICE_COUNT);
  }
}

/** Pieces of `count` slices. */
export function countPieces(slices: u32, count: u32): u32 {
  let pieces: u32 = 0;
  for (let n: u32 = 0; n < count; n++) pieces += load<u32>(slices + n * SLICE_BYTES, SLICE_COUNT);
  return pieces;
}

/**
 * Gives the pieces of `count` slices their rows, from `row` on, sections that begin their block index, from address `index` on, and
 * slices the place of their records, from address `records` on. At `out`: u32 the next row, u32 the next address for an index.
 */
export function numberSlices(slices: u32, count: u32, row: u32, index: u32, records: u32, out: u32): void {
  const isec = tables().isec;
  const end = slices + count * SLICE_BYTES;
  for (let slice = slices; slice < end; slice += SLICE_BYTES) {
    const i = load<u32>(slice);
    const from = load<u32>(slice, SLICE_FROM);
    const size = <u32>isec.size[i];
    if (from == 0) {
      isec.pieceBase[i] = row;
      isec.pieceCount[i] = 0;
      isec.blockIndex[i] = index;
      index += ((size + (1 << BLOCK_SHIFT) - 1) >> BLOCK_SHIFT) << 2;
    }
    const pieces = load<u32>(slice, SLICE_COUNT);
    store<u32>(slice, row, SLICE_ROW);
    store<u32>(slice, records, SLICE_RECORDS);
    records += pieces * RECORD_BYTES;
    isec.pieceCount[i] += pieces;
    row += pieces;
    if (from + load<u32>(slice, SLICE_SIZE) == size) row++;
  }
  store<u32>(out, row);
  store<u32>(out, index, 4);
}

/** The most pieces that a slice of the run has. */
export function mostPieces(run: u32, slices: u32): u32 {
  let most: u32 = 0;
  for (let n = load<u32>(run, RUN_SLICE), end = load<u32>(run, RUN_END); n < end; n++) most = max<u32>(most, load<u32>(slices + n * SLICE_BYTES, SLICE_COUNT));
  return most;
}

/** Cuts the slices of a run into pieces. `scratch`: 64 bytes, and behind them room for the records of a slice. */
export function splitSlices(run: u32, slices: u32, scratch: u32): void {
  const end = slices + load<u32>(run, RUN_END) * SLICE_BYTES;
  for (let slice = slices + load<u32>(run, RUN_SLICE) * SLICE_BYTES; slice < end; slice += SLICE_BYTES) {
    splitSlice(slice, scratch);
    orderSlice(slice, scratch + 64);
  }
}

function splitSlice(slice: u32, scratch: u32): void {
  const i = load<u32>(slice);
  const from = load<u32>(slice, SLICE_FROM);
  const size = load<u32>(slice, SLICE_SIZE);
  const contents = load<u32>(slice, SLICE_AT);
  const width = tables().isec.sh_entsize[i];
  const index = tables().isec.blockIndex[i];
  const secret = params().xxh3Secret;
  const inOffset = tables().piece.inOffset;
  let row = load<u32>(slice, SLICE_ROW);
  let record = scratch + 64;
  let number: u32 = 0;
  // an entry names the piece that holds the first byte of its block; the one the slice begins in has it already
  let block = (from + (1 << BLOCK_SHIFT) - 1) & ~((1 << BLOCK_SHIFT) - 1);
  let start: u32 = 0;
  while (start < size) {
    const bytes = stringBytes(contents + start, size - start, width);
    const ptr = contents + start;
    inOffset[row] = from + start;
    stringHash(ptr, bytes - width, secret, scratch, record);
    // only the last string of a section can be without an end: then its last character counts too
    if (start + bytes == size && !isNul(ptr + bytes - width, width)) store<u64>(record, hashLane1(ptr, bytes), 8);
    store<u32>(record, number++, RECORD_NUMBER);
    store<u32>(record, bytes, RECORD_SIZE);
    const cell = slice + ((load<u32>(record) >> SHARD_SHIFT) << 2);
    record += RECORD_BYTES;
    store<u32>(cell, load<u32>(cell, SLICE_STARTS + 4) + 1, SLICE_STARTS + 4);
    start += bytes;
    for (; block < from + start; block += 1 << BLOCK_SHIFT) store<u32>(index + ((block >> BLOCK_SHIFT) << 2), row);
    row++;
  }
  inOffset[row] = from + size; // where the last piece ends: the closing row's, or what the next slice will find there
}

/** Sorts the records of a slice by shard: SLICE_STARTS are counts of the shard before, and become first places. */
function orderSlice(slice: u32, records: u32): void {
  const starts = slice + SLICE_STARTS;
  const sorted = load<u32>(slice, SLICE_RECORDS);
  for (let shard: u32 = 1; shard <= SHARDS; shard++) {
    const cell = starts + (shard << 2);
    store<u32>(cell, load<u32>(cell) + load<u32>(cell - 4));
  }
  for (let record = records, end = records + load<u32>(slice, SLICE_COUNT) * RECORD_BYTES; record < end; record += RECORD_BYTES) {
    const h0 = load<u64>(record);
    const cell = starts + ((<u32>h0 >> SHARD_SHIFT) << 2);
    const place = load<u32>(cell);
    const to = sorted + place * RECORD_BYTES;
    store<u32>(cell, place + 1);
    store<u64>(to, h0);
    store<u64>(to, load<u64>(record, 8), 8);
    store<u64>(to, load<u64>(record, RECORD_NUMBER), RECORD_NUMBER);
  }
  // every cell has moved on to where the next shard starts
  memory.copy(starts + 4, starts, SHARDS << 2);
  store<u32>(starts, 0);
}

/** Pieces of shard `shard` of msec `m` in `count` slices. */
export function countShard(m: u32, shard: u32, slices: u32, count: u32): u32 {
  const msec = tables().isec.msec;
  let pieces: u32 = 0;
  for (let slice = slices, end = slices + count * SLICE_BYTES; slice < end; slice += SLICE_BYTES) {
    if (msec[load<u32>(slice)] != m) continue;
    const cell = slice + (shard << 2);
    pieces += load<u32>(cell, SLICE_STARTS + 4) - load<u32>(cell, SLICE_STARTS);
  }
  return pieces;
}

/**
 * Deduplicates the pieces of shard `shard` of msec `m` in `count` slices, in order. At `state`, before and after: u32 address of the slots
 * (u32, zeroed at first, twice as many as pieces or more), u32 their mask, u32 address of the unique pieces, u32 how many, u32 bytes of
 * the shard. Returns 1 when that is more than 32 bits can say.
 */
export function dedupeSlices(m: u32, shard: u32, slices: u32, count: u32, state: u32): u32 {
  const slots = load<u32>(state);
  const mask = load<u32>(state, 4);
  const entries = load<u32>(state, 8);
  const msec = tables().isec.msec;
  const align = (<u64>1 << <u64>tables().msec.align[m]) - 1;
  let unique = load<u32>(state, 12);
  let size = <u64>load<u32>(state, 16);
  for (let slice = slices, end = slices + count * SLICE_BYTES; slice < end; slice += SLICE_BYTES) {
    if (msec[load<u32>(slice)] != m) continue;
    const records = load<u32>(slice, SLICE_RECORDS);
    const last = records + load<u32>(slice + (shard << 2), SLICE_STARTS + 4) * RECORD_BYTES;
    for (let record = records + load<u32>(slice + (shard << 2), SLICE_STARTS) * RECORD_BYTES; record < last; record += RECORD_BYTES) {
      const h0 = load<u64>(record);
      const h1 = load<u64>(record, 8);
      let slot = <u32>h0 & mask;
      let known = load<u32>(slots + (slot << 2));
      let entry: u32 = 0;
      while (known != 0) {
        entry = entries + (known - 1) * ENTRY_BYTES;
        if (load<u64>(entry) == h0 && load<u64>(entry, 8) == h1) break;
        slot = (slot + 1) & mask;
        known = load<u32>(slots + (slot << 2));
      }
      if (known != 0) {
        store<u32>(record, load<u32>(entry, 16));
        store<u32>(record, 0, 4);
        continue;
      }
      size = (size + align) & ~align;
      entry = entries + unique * ENTRY_BYTES;
      store<u64>(entry, h0);
      store<u64>(entry, h1, 8);
      store<u32>(entry, <u32>size, 16);
      store<u32>(slots + (slot << 2), ++unique);
      store<u32>(record, <u32>size);
      store<u32>(record, 1, 4);
      size += <u64>load<u32>(record, RECORD_SIZE);
      if (size >= 0xffffffff) return 1;
    }
  }
  store<u32>(state, unique, 12);
  store<u32>(state, <u32>size, 16);
  return 0;
}

/** Gives the pieces of `count` slices their offsets in the output, from what dedupeSlices left in their records, and counts winners. */
export function finishSlices(slices: u32, count: u32): void {
  const out = tables().piece.out;
  const live = tables().piece.live;
  for (let slice = slices, end = slices + count * SLICE_BYTES; slice < end; slice += SLICE_BYTES) {
    const shards = tables().msec.stream[tables().isec.msec[load<u32>(slice)]];
    const base = load<u32>(slice, SLICE_ROW);
    let record = load<u32>(slice, SLICE_RECORDS);
    let winners: u32 = 0;
    for (let shard: u32 = 0; shard < SHARDS; shard++) {
      const start = load<u32>(shards + (shard << 2));
      for (const last = load<u32>(slice, SLICE_RECORDS) + load<u32>(slice + (shard << 2), SLICE_STARTS + 4) * RECORD_BYTES; record < last; record += RECORD_BYTES) {
        const row = base + load<u32>(record, RECORD_NUMBER);
        const won = load<u32>(record, 4);
        out[row] = start + load<u32>(record);
        live[row] = <u8>(PIECE_LIVE | (won ? PIECE_WINNER : 0));
        winners += won;
      }
    }
    store<u32>(slice, winners, SLICE_WINNERS);
  }
}

/** Are there winners in the run whose msec keeps its bytes in memory? */
export function hasWinners(run: u32, slices: u32): u32 {
  for (let n = load<u32>(run, RUN_SLICE), end = load<u32>(run, RUN_END); n < end; n++) {
    const slice = slices + n * SLICE_BYTES;
    if (load<u32>(slice, SLICE_WINNERS) != 0 && tables().msec.bytes[tables().isec.msec[load<u32>(slice)]] != 0) return 1;
  }
  return 0;
}

/** Copies the winners of a run, whose contents are at `contents`, to their places. */
export function copySlices(run: u32, slices: u32, contents: u32): void {
  const live = tables().piece.live;
  const inOffset = tables().piece.inOffset;
  const out = tables().piece.out;
  const end = slices + load<u32>(run, RUN_END) * SLICE_BYTES;
  for (let slice = slices + load<u32>(run, RUN_SLICE) * SLICE_BYTES; slice < end; slice += SLICE_BYTES) {
    const to = tables().msec.bytes[tables().isec.msec[load<u32>(slice)]];
    if (load<u32>(slice, SLICE_WINNERS) == 0 || to == 0) continue;
    const from = contents + (load<u32>(slice, SLICE_AT) - load<u32>(run, RUN_AT)) - load<u32>(slice, SLICE_FROM);
    for (let row = load<u32>(slice, SLICE_ROW), stop = row + load<u32>(slice, SLICE_COUNT); row < stop; row++) {
      if (live[row] & PIECE_WINNER) copyBytes(to + out[row], from + inOffset[row], inOffset[row + 1] - inOffset[row]);
    }
  }
}
