/**
 * Places for the strings that stream-strings has found: shard after shard, in each of them the first occurrence first.
 *
 * Groups are looked at three times, segment by segment: which of their pieces are the first with their string, where those go, and what
 * became of all the others. In between numberSegments adds up what the groups before have.
 */
import { tables } from "../shared/tables.ts";
import { BLOCK_SHIFT } from "../lib/pieces.ts";
import {
  CELL_BYTES, CELL_ENTRY, CELL_FLAG, CELL_SHIFT, ENTRY_AT, ENTRY_FIRST, ENTRY_OUT, ENTRY_SIZE, GROUP_BYTES, GROUP_HEAD, ITEM_BYTES, ITEM_OUT, ITEM_SIZE,
  SEGMENT_CELLS, SEGMENT_COUNT, SEGMENT_FROM, SEGMENT_ISEC, SEGMENT_ROW, SEGMENT_SHARDS, SEGMENT_SIZE, SHARDS,
  STATE_BLOCKS, STREAM_ITEMS_BEFORE, entryAt,
} from "../lib/streams.ts";
import { PIECE_LIVE, PIECE_WINNER } from "../shared/abi.ts";
import { STREAM_COUNT, STREAM_ITEMS } from "../shared/cells.ts";

// @ts-ignore: decorator
@inline
function alignMask(segment: u32): u32 {
  return (1 << <u32>tables().msec.align[tables().isec.msec[load<u32>(segment, SEGMENT_ISEC)]]) - 1;
}

// @ts-ignore: decorator
@inline
function streamOf(segment: u32): u32 {
  return tables().msec.stream[tables().isec.msec[load<u32>(segment, SEGMENT_ISEC)]];
}

/**
 * Keeps the flags of those pieces of group number `group`, whose row is at `row`, that are the first with their string, and counts them by shard.
 * Only one piece of a group has the flag for its string: the first, because they are looked up in order.
 */
export function markWinners(row: u32, group: u32, state: u32): void {
  const blocks = load<u32>(state, STATE_BLOCKS);
  for (let segment = load<u32>(row, GROUP_HEAD); segment != 0; segment = load<u32>(segment)) {
    const mask = alignMask(segment);
    const end = segment + SEGMENT_CELLS + load<u32>(segment, SEGMENT_COUNT) * CELL_BYTES;
    for (let cell = segment + SEGMENT_CELLS; cell < end; cell += CELL_BYTES) {
      const flagged = load<u32>(cell, CELL_ENTRY);
      if (!(flagged & CELL_FLAG)) continue;
      const entry = entryAt(blocks, flagged >> CELL_SHIFT);
      if (load<u32>(entry, ENTRY_FIRST) != group) {
        store<u32>(cell, flagged & ~CELL_FLAG, CELL_ENTRY);
        continue;
      }
      const shard = segment + SEGMENT_SHARDS + (load<u32>(entry, ENTRY_OUT) << 3);
      store<u32>(shard, load<u32>(shard) + 1);
      store<u32>(shard, ((load<u32>(shard, 4) + mask) & ~mask) + load<u32>(entry, ENTRY_SIZE), 4);
    }
  }
}

/**
 * Gives the pieces of all groups their rows, from `row` on, and each segment its first places in the shards; leaves at msec.stream the bytes
 * and items of every shard. Returns the next row.
 */
export function numberSegments(groups: u32, count: u32, row: u32): u32 {
  const isec = tables().isec;
  for (let group = groups, end = groups + count * GROUP_BYTES; group < end; group += GROUP_BYTES) {
    for (let segment = load<u32>(group, GROUP_HEAD); segment != 0; segment = load<u32>(segment)) {
      const i = load<u32>(segment, SEGMENT_ISEC);
      const from = load<u32>(segment, SEGMENT_FROM);
      if (from == 0) {
        isec.pieceBase[i] = row;
        isec.pieceCount[i] = 0;
      }
      const pieces = load<u32>(segment, SEGMENT_COUNT);
      store<u32>(segment, row, SEGMENT_ROW);
      isec.pieceCount[i] += pieces;
      row += pieces;
      if (from + load<u32>(segment, SEGMENT_SIZE) == <u32>isec.size[i]) row++;
      const mask = alignMask(segment);
      const stream = streamOf(segment);
      for (let shard: u32 = 0; shard < SHARDS; shard++) {
        const own = segment + SEGMENT_SHARDS + (shard << 3);
        const winners = load<u32>(own);
        if (winners == 0) continue;
        const sizes = stream + (shard << 2);
        const start = (load<u32>(sizes) + mask) & ~mask;
        store<u32>(sizes, start + load<u32>(own, 4));
        store<u32>(own, start, 4);
        const before = load<u32>(sizes, STREAM_ITEMS_BEFORE);
        store<u32>(sizes, before + winners, STREAM_ITEMS_BEFORE);
        store<u32>(own, before);
      }
    }
  }
  return row;
}

/** The numbers of items of the shards at `stream` become the number of the first; returns their sum. */
export function numberItems(stream: u32): u32 {
  let sum: u32 = 0;
  for (let at = stream + STREAM_ITEMS_BEFORE, end = at + (SHARDS << 2); at < end; at += 4) {
    const own = load<u32>(at);
    store<u32>(at, sum);
    sum += own;
  }
  return sum;
}

/** Gives the flagged pieces of a group their places in the output, and puts them down as items. */
export function placeWinners(row: u32, state: u32): void {
  const blocks = load<u32>(state, STATE_BLOCKS);
  for (let segment = load<u32>(row, GROUP_HEAD); segment != 0; segment = load<u32>(segment)) {
    const mask = alignMask(segment);
    const stream = streamOf(segment);
    const items = load<u32>(stream, STREAM_ITEMS);
    const end = segment + SEGMENT_CELLS + load<u32>(segment, SEGMENT_COUNT) * CELL_BYTES;
    for (let cell = segment + SEGMENT_CELLS; cell < end; cell += CELL_BYTES) {
      if (!(load<u32>(cell, CELL_ENTRY) & CELL_FLAG)) continue;
      const entry = entryAt(blocks, load<u32>(cell, CELL_ENTRY) >> CELL_SHIFT);
      const shard = load<u32>(entry, ENTRY_OUT);
      const own = segment + SEGMENT_SHARDS + (shard << 3);
      const place = (load<u32>(own, 4) + mask) & ~mask;
      const bytes = load<u32>(entry, ENTRY_SIZE);
      const out = load<u32>(stream + (shard << 2)) + place;
      const number = load<u32>(own);
      const item = items + (load<u32>(stream + (shard << 2), STREAM_ITEMS_BEFORE) + number) * ITEM_BYTES;
      store<u32>(item, load<u32>(entry, ENTRY_AT));
      store<u32>(item, bytes, ITEM_SIZE);
      store<u32>(item, out, ITEM_OUT);
      store<u32>(entry, out, ENTRY_OUT);
      store<u32>(own, number + 1);
      store<u32>(own, place + bytes, 4);
    }
  }
}

/** Fills the rows of the pieces of a group, and the block indexes of its sections. */
export function finishGroup(row: u32, state: u32): void {
  const blocks = load<u32>(state, STATE_BLOCKS);
  const inOffset = tables().piece.inOffset;
  const out = tables().piece.out;
  const live = tables().piece.live;
  for (let segment = load<u32>(row, GROUP_HEAD); segment != 0; segment = load<u32>(segment)) {
    const i = load<u32>(segment, SEGMENT_ISEC);
    const index = tables().isec.blockIndex[i];
    const from = load<u32>(segment, SEGMENT_FROM);
    const stop = from + load<u32>(segment, SEGMENT_SIZE);
    const end = segment + SEGMENT_CELLS + load<u32>(segment, SEGMENT_COUNT) * CELL_BYTES;
    const first = load<u32>(segment, SEGMENT_ROW);
    // entries lie anywhere: loads that have nothing beside them do not wait for each other
    let piece = first;
    for (let cell = segment + SEGMENT_CELLS; cell < end; cell += CELL_BYTES) out[piece++] = load<u32>(entryAt(blocks, load<u32>(cell, CELL_ENTRY) >> CELL_SHIFT), ENTRY_OUT);
    piece = first;
    // an entry names the piece that holds the first byte of its block; the one the segment begins in has it already
    let entry = index + (((from + (1 << BLOCK_SHIFT) - 1) >> BLOCK_SHIFT) << 2);
    const entries = index + (((stop + (1 << BLOCK_SHIFT) - 1) >> BLOCK_SHIFT) << 2);
    for (let cell = segment + SEGMENT_CELLS; cell < end; cell += CELL_BYTES) {
      const next = cell + CELL_BYTES < end ? load<u32>(cell + CELL_BYTES) : stop;
      inOffset[piece] = load<u32>(cell);
      live[piece] = <u8>(PIECE_LIVE | ((load<u32>(cell, CELL_ENTRY) & CELL_FLAG) * PIECE_WINNER));
      const last = index + (((next + (1 << BLOCK_SHIFT) - 1) >> BLOCK_SHIFT) << 2);
      // four at a time, the next pieces put right what is theirs
      for (; entry < last && entry + 16 <= entries; entry += 16) v128.store(entry, i32x4.splat(piece));
      for (; entry < last; entry += 4) store<u32>(entry, piece);
      entry = last;
      piece++;
    }
    if (stop != <u32>tables().isec.size[i]) continue;
    inOffset[piece] = stop;
    out[piece] = 0;
    live[piece] = 0;
  }
}

/** Copies bytes [from, to) of the output of msec `m`, whose strings are in memory, to `at`. What alignment leaves between them stays as it is. */
export function copyStrings(m: u32, from: u32, to: u32, at: u32): void {
  const stream = tables().msec.stream[m];
  const items = load<u32>(stream, STREAM_ITEMS);
  const count = load<u32>(stream, STREAM_COUNT);
  let low: u32 = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = items + middle * ITEM_BYTES;
    if (load<u32>(item, ITEM_OUT) + load<u32>(item, ITEM_SIZE) <= from) low = middle + 1;
    else high = middle;
  }
  for (let item = items + low * ITEM_BYTES, end = items + count * ITEM_BYTES; item < end; item += ITEM_BYTES) {
    const out = load<u32>(item, ITEM_OUT);
    if (out >= to) return;
    const bytes = load<u32>(item, ITEM_SIZE);
    const source = load<u32>(item);
    if (out >= from && out + bytes <= to && bytes >= 16) {
      const target = at + (out - from);
      const last = bytes - 16;
      for (let k: u32 = 0; k < last; k += 16) v128.store(target + k, v128.load(source + k));
      v128.store(target + last, v128.load(source + last));
      continue;
    }
    const start = max<u32>(out, from);
    const stop = min<u32>(out + bytes, to);
    for (let k = start; k < stop; k++) store<u8>(at + (k - from), load<u8>(source + (k - out)));
  }
}
