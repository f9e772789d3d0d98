/**
 * Strings of sections that are not loaded (.debug_str above all): cut, identified and looked up while their bytes are in the cache, and
 * new ones kept, so that nobody reads them again.
 *
 * What split-pieces and merge-pieces do for strings that may die is done here for those that always live. A run is what one read brings,
 * or one large section; a slice is a part of a section of it; a segment says what became of some kilobytes of a slice: a cell for each
 * piece, which names its entry. A group is what one thread does in one go, runs of a megabyte or two: a batch is cut first and looked up
 * then, sorted by shard, because entries that lie anywhere cost more than anything else. All threads share them, in shards with a lock
 * each; who was first is the least group that has the string, whatever thread comes first (place-strings.ts goes on from there).
 */
import { tables, params } from "../shared/tables.ts";
import { alloc } from "../lib/alloc.ts";
import { cutString } from "../lib/cut-string.ts";
import { hashBytes } from "../lib/hash.ts";
import { report } from "../lib/issue.ts";
import { BLOCK_SHIFT, isStreamed } from "../lib/pieces.ts";
import { isNul, stringBytes } from "../lib/strings.ts";
import {
  BLOCK_ENTRIES, CELL_BYTES, CELL_ENTRY, CELL_FLAG, CELL_NEW, CELL_SHIFT, ENTRY_AT, ENTRY_BLOCK_BYTES, ENTRY_FIRST, ENTRY_OUT, ENTRY_SIZE, GROUP_BYTES, GROUP_END,
  GROUP_HEAD, GROUP_TAIL, RUN_BYTES, RUN_COMPRESSED, RUN_END, RUN_SLICE, RUN_SOURCE, SEGMENT_CELLS, SEGMENT_COUNT, SEGMENT_FROM, SEGMENT_ISEC,
  SEGMENT_SIZE, SHARDS, SHARD_SHIFT, SLICE_AT, SLICE_BYTES, SLICE_FROM, SLICE_SIZE, STATE_BLOCKS, STATE_BLOCK_COUNT,
  STATE_BLOCK_LIMIT, STATE_END, STATE_FULL, STATE_KEPT, STATE_NEXT, STATE_SHARDS, STATE_SLOTS, entryAt,
} from "../lib/streams.ts";
import { xxh3 } from "../lib/xxh3.ts";
import { ERR_MERGE_UNTERMINATED, ISSUE_BAD_MERGE } from "../shared/abi.ts";
import { STREAM_BATCH_RECORDS, STREAM_RECORD_BYTES, STREAM_SHARD_BYTES, STREAM_SORTED_BYTES } from "../shared/cells.ts";

/** A shard, one cache line: u32 lock, slots, their mask, entries, next entry, end of the block; u32 of no interest. */
const SHARD_BYTES: u32 = STREAM_SHARD_BYTES;
const SHARD_TABLE: u32 = 4;
const SHARD_MASK: u32 = 8;
const SHARD_COUNT: u32 = 12;
const SHARD_NEXT: u32 = 16;
const SHARD_END: u32 = 20;
const SHARD_SINK: u32 = 24;

/**
 * A slot: u64 h1, by which it is found, u64 the top of h0 and the number of the entry, 0 = free. With the shard that are 105 bits of the identity:
 * one look at one cache line.
 */
const SLOT_BYTES: u32 = 16;
const SLOT_SHIFT: u32 = 4;
const NUMBER_MASK: u64 = 0x0fff_ffff;

/**
 * A batch: u32 where the records of each shard start; room for XXH3; u32 records, then the records: u64 h0, u64 h1, u32 bytes, u32 address of the
 * cell, u32 address of the string, u32 bytes of its NUL. Behind them, sorted by shard: u64 h1, u64 top of h0, u32 cell, u32 address of
 * the record.
 */
const BATCH_HASH: u32 = 160;
const BATCH_COUNT: u32 = 240;
const BATCH_RECORDS: u32 = STREAM_BATCH_RECORDS;
const RECORD_BYTES: u32 = STREAM_RECORD_BYTES;
const RECORD_SIZE: u32 = 16;
const RECORD_CELL: u32 = 20;
const RECORD_AT: u32 = 24;
const RECORD_WIDTH: u32 = 28;
const SORTED_BYTES: u32 = STREAM_SORTED_BYTES;
const SORTED_CELL: u32 = 16;
const SORTED_RECORD: u32 = 20;

/** Longest run of several sections, longest section that is one run. */
const MOST_BYTES: u32 = 1 << 17;
const LARGE_BYTES: u32 = 1 << 23;
/** Sections with fewer bytes between them are read together. */
const GAP_BYTES: f64 = 4096;
/** More bytes of strings than this do not stay in memory: their sections are read again. */
const KEPT_BYTES: u64 = 1 << 30;

const SALT: u64 = 0x9e3779b185ebca87;

/** Tries before a thread that waits for another sleeps for a moment. */
const SPINS: u32 = 2000;
const SLEEP_NANOSECONDS: i64 = 50_000;

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

/** Writes a slice of `bytes` bytes of section `i`, from `from` on, that is `at` bytes behind the start of its run. */
export function putSlice(slice: u32, i: u32, from: u32, bytes: u32, at: u32): void {
  store<u32>(slice, i);
  store<u32>(slice, from, SLICE_FROM);
  store<u32>(slice, bytes, SLICE_SIZE);
  store<u32>(slice, at, SLICE_AT);
}

/**
 * Lists the streamed sections from the row at `state` on as runs and slices, until one is too large to be one run. At `state`, before and
 * after: u32 next row, runs, slices, next address of a block index; after: that large section's row (0 = none).
 */
export function listRuns(runs: u32, slices: u32, state: u32): void {
  const isec = tables().isec;
  const rows = isec.rows;
  let run = runs + load<u32>(state, 4) * RUN_BYTES - RUN_BYTES;
  let n = load<u32>(state, 8);
  let index = load<u32>(state, 12);
  let obj: u32 = 0;
  let start: f64 = 0;
  let end: f64 = 0;
  let large: u32 = 0;
  let i = load<u32>(state);
  for (; i < rows; i++) {
    if (isec.msec[i] == 0 || isec.size[i] == 0 || !isStreamed(i)) continue;
    const bytes = <u32>isec.size[i];
    isec.blockIndex[i] = index;
    index += ((bytes + (1 << BLOCK_SHIFT) - 1) >> BLOCK_SHIFT) << 2;
    const compressed = isec.compressed[i] != 0;
    if (bytes > LARGE_BYTES && !compressed) {
      large = i++;
      break;
    }
    const at = isec.sh_offset[i];
    if (obj != isec.obj[i] || compressed || at < end || at - end > GAP_BYTES || at + <f64>bytes - start > <f64>MOST_BYTES) {
      run += RUN_BYTES;
      memory.fill(run, 0, RUN_BYTES);
      obj = compressed ? 0 : isec.obj[i];
      start = at;
      store<f64>(run, start);
      store<u32>(run, tables().obj.source[isec.obj[i]], RUN_SOURCE);
      store<u32>(run, n, RUN_SLICE);
      store<u32>(run, compressed ? i : 0, RUN_COMPRESSED);
    }
    end = at + <f64>bytes;
    store<f64>(run, end - start, 8);
    putSlice(slices + n * SLICE_BYTES, i, 0, bytes, <u32>(at - start));
    n++;
    store<u32>(run, n, RUN_END);
  }
  store<u32>(state, i);
  store<u32>(state, (run + RUN_BYTES - runs) / RUN_BYTES, 4);
  store<u32>(state, n, 8);
  store<u32>(state, index, 12);
  store<u32>(state, large, 16);
}

/** Bytes of the `bytes` bytes at `ptr` up to and with the last NUL character of `width` bytes; 0 = there is none. */
export function lastNul(ptr: u32, bytes: u32, width: u32): u32 {
  for (let at = bytes; at >= width; at -= width) if (isNul(ptr + at - width, width)) return at;
  return 0;
}

/** Most pieces that the `bytes` bytes at `ptr` can have. */
export function mostPieces(ptr: u32, bytes: u32, width: u32): u32 {
  let count: u32 = 1;
  for (let at: u32 = 0; at < bytes; at += width) count += isNul(ptr + at, width) ? 1 : 0;
  return count;
}

/** Room in the region of what goes away again, or outside; 0 = none. */
function temporary(state: u32, bytes: u32): u32 {
  const size = (bytes + 31) & ~31;
  const end = <u64>load<u32>(state, STATE_END);
  if (<u64>load<u32>(state, STATE_NEXT) + size <= end) {
    const at = atomic.add<u32>(state, size, STATE_NEXT);
    if (<u64>at + size <= end) return at;
  }
  const at = alloc(size + 16);
  return (at + 31) & ~31;
}

/** Puts runs together to groups of about `bytes` bytes, at most `most` of them; returns how many groups. */
export function groupRuns(runs: u32, count: u32, bytes: f64, most: u32, groups: u32): u32 {
  let group = groups;
  for (let n: u32 = 0; n < count; group += GROUP_BYTES) {
    memory.fill(group, 0, GROUP_BYTES);
    store<u32>(group, n);
    let sum: f64 = 0;
    do sum += load<f64>(runs + n++ * RUN_BYTES, 8);
    while (n < count && n - load<u32>(group) < most && sum + load<f64>(runs + n * RUN_BYTES, 8) <= bytes);
    store<u32>(group, n, GROUP_END);
  }
  return (group - groups) / GROUP_BYTES;
}

/** Makes a batch of nothing. */
export function openBatch(batch: u32): void {
  memory.fill(batch, 0, BATCH_RECORDS);
}

/**
 * Cuts the `bytes` bytes at `contents` of section `i`, `from` bytes behind its start, into pieces: a new segment of the group whose row is at
 * `row`. They end where a string does, or with the section. Returns the records of the batch; 0 = there is no room.
 */
export function cutSlice(state: u32, row: u32, i: u32, contents: u32, bytes: u32, from: u32, batch: u32): u32 {
  const before = load<u32>(batch, BATCH_COUNT);
  const width = tables().isec.sh_entsize[i];
  const salt = <u64>tables().isec.msec[i] * SALT;
  const end = contents + bytes;
  const first = batch + BATCH_RECORDS + before * RECORD_BYTES;
  let record = first;
  let at = contents;
  while (at < end) {
    const start = at;
    if (width == 1) {
      at = min<u32>(cutString(start, salt, record) + 1, end);
    } else {
      at += stringBytes(start, end - start, width);
      hashBytes(start, at - start - width, record, record + 8);
      store<u64>(record, load<u64>(record) ^ salt);
    }
    store<u32>(record, at - start, RECORD_SIZE);
    store<u32>(record, start, RECORD_AT);
    store<u32>(record, width, RECORD_WIDTH);
    const cell = batch + ((<u32>load<u64>(record) & (SHARDS - 1)) << 2);
    store<u32>(cell, load<u32>(cell, 4) + 1, 4);
    record += RECORD_BYTES;
  }
  if (bytes != 0 && !isNul(end - width, width)) report(ISSUE_BAD_MERGE, tables().isec.obj[i], i, 0, ERR_MERGE_UNTERMINATED, 0);
  const count = (record - first) / RECORD_BYTES;
  const segment = temporary(state, SEGMENT_CELLS + count * CELL_BYTES);
  if (segment == 0) return 0;
  memory.fill(segment, 0, SEGMENT_CELLS);
  store<u32>(segment, i, SEGMENT_ISEC);
  store<u32>(segment, from, SEGMENT_FROM);
  store<u32>(segment, bytes, SEGMENT_SIZE);
  store<u32>(segment, count, SEGMENT_COUNT);
  const tail = load<u32>(row, GROUP_TAIL);
  store<u32>(tail == 0 ? row + GROUP_HEAD : tail, segment);
  store<u32>(row, segment, GROUP_TAIL);
  let cell = segment + SEGMENT_CELLS;
  for (let own = first; own < record; own += RECORD_BYTES) {
    store<u32>(own, cell, RECORD_CELL);
    store<u32>(cell, from + (load<u32>(own, RECORD_AT) - contents));
    cell += CELL_BYTES;
  }
  store<u32>(batch, before + count, BATCH_COUNT);
  return before + count;
}

/** Looks up all records of a batch of group number `group`, and makes it a batch of nothing. Returns 0 when there is no room. */
export function enterBatch(state: u32, group: u32, batch: u32): u32 {
  const count = load<u32>(batch, BATCH_COUNT);
  order(batch, count);
  const list = batch + BATCH_RECORDS + count * RECORD_BYTES;
  for (let n: u32 = 0; n < SHARDS; n++) {
    const shard = (n + group) & (SHARDS - 1);
    const first = list + load<u32>(batch + (shard << 2)) * SORTED_BYTES;
    const end = list + load<u32>(batch + (shard << 2), 4) * SORTED_BYTES;
    if (first == end) continue;
    const at = state + STATE_SHARDS + shard * SHARD_BYTES;
    lock(at);
    const done = enter(state, at, group, first, end);
    atomic.store<u32>(at, 0);
    if (!done) return 0;
  }
  if (!keep(state, batch, count)) return 0;
  openBatch(batch);
  return 1;
}

/** Sorts the records by shard, at the list behind them; the words at `batch` become where each shard starts. */
function order(batch: u32, count: u32): void {
  for (let cell = batch, end = batch + (SHARDS << 2); cell < end; cell += 4) store<u32>(cell, load<u32>(cell, 4) + load<u32>(cell), 4);
  const list = batch + BATCH_RECORDS + count * RECORD_BYTES;
  for (let record = batch + BATCH_RECORDS; record < list; record += RECORD_BYTES) {
    const cell = batch + ((<u32>load<u64>(record) & (SHARDS - 1)) << 2);
    const place = load<u32>(cell);
    store<u32>(cell, place + 1);
    const to = list + place * SORTED_BYTES;
    store<u64>(to, load<u64>(record, 8));
    store<u64>(to, load<u64>(record) & ~NUMBER_MASK, 8);
    store<u32>(to, load<u32>(record, RECORD_CELL), SORTED_CELL);
    store<u32>(to, record, SORTED_RECORD);
  }
  // every word has moved on to where the next shard starts
  memory.copy(batch + 4, batch, SHARDS << 2);
  store<u32>(batch, 0);
}

function lock(at: u32): void {
  let tries: u32 = 0;
  while (atomic.cmpxchg<u32>(at, 0, 1) != 0) {
    if (++tries > SPINS) atomic.wait<i32>(at, 1, SLEEP_NANOSECONDS);
  }
}

/** Twice the slots, or the first ones. */
function grow(state: u32, shard: u32): bool {
  const old = load<u32>(shard, SHARD_TABLE);
  const mask = old == 0 ? load<u32>(state, STATE_SLOTS) - 1 : 2 * load<u32>(shard, SHARD_MASK) + 1;
  const slots = temporary(state, (mask + 1) << SLOT_SHIFT);
  if (slots == 0) return false;
  memory.fill(slots, 0, (mask + 1) << SLOT_SHIFT);
  if (old != 0) {
    for (let at = old, end = old + ((load<u32>(shard, SHARD_MASK) + 1) << SLOT_SHIFT); at < end; at += SLOT_BYTES) {
      if (load<u64>(at, 8) == 0) continue;
      let slot = <u32>load<u64>(at) & mask;
      while (load<u64>(slots + (slot << SLOT_SHIFT), 8) != 0) slot = (slot + 1) & mask;
      v128.store(slots + (slot << SLOT_SHIFT), v128.load(at));
    }
  }
  store<u32>(shard, slots, SHARD_TABLE);
  store<u32>(shard, mask, SHARD_MASK);
  return true;
}

/** Number of another entry; 0 = there is no room. */
function newEntry(state: u32, shard: u32): u32 {
  let entry = load<u32>(shard, SHARD_NEXT);
  if (entry == load<u32>(shard, SHARD_END)) {
    const block = atomic.add<u32>(state, 1, STATE_BLOCK_COUNT);
    const at = block < load<u32>(state, STATE_BLOCK_LIMIT) ? temporary(state, ENTRY_BLOCK_BYTES) : 0;
    if (at == 0) return 0;
    store<u32>(load<u32>(state, STATE_BLOCKS) + (block << 2), at);
    entry = block * BLOCK_ENTRIES;
    store<u32>(shard, entry + BLOCK_ENTRIES, SHARD_END);
  }
  store<u32>(shard, entry + 1, SHARD_NEXT);
  return entry;
}

/**
 * Brings the slots that enter will look at into the cache: many loads that do not wait for each other, where a lookup waits for each of its
 * own. Returns nothing of interest, so that the loads are made.
 */
function touch(shard: u32, first: u32, end: u32): u32 {
  const slots = load<u32>(shard, SHARD_TABLE);
  const mask = load<u32>(shard, SHARD_MASK);
  let sum: u32 = 0;
  for (let at = first; at < end; at += SORTED_BYTES) sum += load<u32>(slots + ((load<u32>(at) & mask) << SLOT_SHIFT));
  return sum;
}

/**
 * Looks up the sorted records from `first` to `end`, all of `shard`, and says in their cells which entry they are. CELL_NEW: a new one. CELL_FLAG:
 * none of an earlier group is known so far.
 */
function enter(state: u32, shard: u32, group: u32, first: u32, end: u32): bool {
  if (load<u32>(shard, SHARD_TABLE) == 0 && !grow(state, shard)) return false;
  store<u32>(shard, touch(shard, first, end), SHARD_SINK);
  const blocks = load<u32>(state, STATE_BLOCKS);
  let slots = load<u32>(shard, SHARD_TABLE);
  let mask = load<u32>(shard, SHARD_MASK);
  for (let at = first; at < end; at += SORTED_BYTES) {
    const h1 = load<u64>(at);
    const top = load<u64>(at, 8);
    const cell = load<u32>(at, SORTED_CELL);
    let slot = slots + ((<u32>h1 & mask) << SLOT_SHIFT);
    let known = load<u64>(slot, 8);
    while (known != 0 && (load<u64>(slot) != h1 || (known & ~NUMBER_MASK) != top)) {
      slot = slots + ((slot + SLOT_BYTES - slots) & ((mask << SLOT_SHIFT) | (SLOT_BYTES - 1)));
      known = load<u64>(slot, 8);
    }
    if (known != 0) {
      const number = <u32>(known & NUMBER_MASK);
      const entry = entryAt(blocks, number);
      const isEarlier = load<u32>(entry, ENTRY_FIRST) > group;
      if (isEarlier) store<u32>(entry, group, ENTRY_FIRST);
      store<u32>(cell, (number << CELL_SHIFT) | (isEarlier ? CELL_FLAG : 0), CELL_ENTRY);
      continue;
    }
    const number = newEntry(state, shard);
    if (number == 0) return false;
    const entry = entryAt(blocks, number);
    store<u32>(entry, group, ENTRY_FIRST);
    store<u32>(entry, 0, ENTRY_AT);
    store<u32>(entry, load<u32>(load<u32>(at, SORTED_RECORD), RECORD_SIZE), ENTRY_SIZE);
    store<u64>(slot, h1);
    store<u64>(slot, top | <u64>number, 8);
    store<u32>(cell, (number << CELL_SHIFT) | CELL_FLAG | CELL_NEW, CELL_ENTRY);
    const entries = load<u32>(shard, SHARD_COUNT) + 1;
    store<u32>(shard, entries, SHARD_COUNT);
    if (4 * <u64>entries < 3 * (<u64>mask + 1)) continue;
    if (!grow(state, shard)) return false;
    slots = load<u32>(shard, SHARD_TABLE);
    mask = load<u32>(shard, SHARD_MASK);
  }
  return true;
}

/**
 * Keeps the bytes of the new strings of a batch, side by side with those of the same shard of the output: ENTRY_OUT names it. The shard is
 * where lld looks for a string: at the top of the lower half of its XXH3.
 */
function keep(state: u32, batch: u32, count: u32): bool {
  const secret = params().xxh3Secret;
  const blocks = load<u32>(state, STATE_BLOCKS);
  const sums = batch;
  memory.fill(sums, 0, SHARDS << 2);
  const records = batch + BATCH_RECORDS;
  // the list of the new ones takes the place of the sorted one
  const list = records + count * RECORD_BYTES;
  let next = list;
  let total: u32 = 0;
  for (let record = records; record < list; record += RECORD_BYTES) {
    const cell = load<u32>(record, RECORD_CELL);
    const flagged = load<u32>(cell, CELL_ENTRY);
    if (!(flagged & CELL_NEW)) continue;
    const entry = entryAt(blocks, flagged >> CELL_SHIFT);
    const size = load<u32>(record, RECORD_SIZE);
    const shard = <u32>xxh3(load<u32>(record, RECORD_AT), size - load<u32>(record, RECORD_WIDTH), secret, batch + BATCH_HASH) >> SHARD_SHIFT;
    store<u32>(cell, flagged & ~CELL_NEW, CELL_ENTRY);
    store<u32>(entry, shard, ENTRY_OUT);
    store<u32>(sums + (shard << 2), load<u32>(sums + (shard << 2)) + size);
    total += size;
    store<u32>(next, record);
    next += 4;
  }
  if (total == 0) return true;
  const keeps = load<u32>(state, STATE_FULL) == 0 && <u64>atomic.add<u32>(state, total, STATE_KEPT) + total <= KEPT_BYTES;
  if (!keeps) {
    store<u32>(state, 1, STATE_FULL);
    return true;
  }
  let place = alloc(total + 16);
  if (place == 0) return false;
  for (let cell = sums; cell < sums + (SHARDS << 2); cell += 4) {
    const sum = load<u32>(cell);
    store<u32>(cell, place);
    place += sum;
  }
  for (let at = list; at < next; at += 4) {
    const record = load<u32>(at);
    const entry = entryAt(blocks, load<u32>(load<u32>(record, RECORD_CELL), CELL_ENTRY) >> CELL_SHIFT);
    const sum = sums + (load<u32>(entry, ENTRY_OUT) << 2);
    const to = load<u32>(sum);
    const size = load<u32>(record, RECORD_SIZE);
    copyString(to, load<u32>(record, RECORD_AT), size);
    store<u32>(entry, to, ENTRY_AT);
    store<u32>(sum, to + size);
  }
  return true;
}

/** Most strings are shorter than what memory.copy needs to begin. */
// @ts-ignore: decorator
@inline
function copyString(to: u32, from: u32, bytes: u32): void {
  if (bytes >= 16) {
    const last = bytes - 16;
    for (let k: u32 = 0; k < last; k += 16) v128.store(to + k, v128.load(from + k));
    v128.store(to + last, v128.load(from + last));
    return;
  }
  for (let k: u32 = 0; k < bytes; k++) store<u8>(to + k, load<u8>(from + k));
}
