/** What stream-strings and place-strings share: the layout of runs, slices, segments and entries (stream-strings.ts says what they are). */
import { STREAM_BLOCK_ENTRIES, STREAM_STATE_FULL, STREAM_STATE_SHARDS } from "../shared/cells.ts";
import { MERGE_SHARDS, STREAM_GROUP_BYTES, STREAM_ITEM_BYTES, STREAM_RUN_BYTES, STREAM_SLICE_BYTES } from "../shared/abi.ts";

export const SHARDS: u32 = MERGE_SHARDS;
/** The shard of a string is the top bits of the lower half of its hash (lld). */
export const SHARD_SHIFT: u32 = 27;

/** A run: f64 place in the file, f64 bytes, u32 source, u32 first and end slice, u32 compressed isec. */
export const RUN_BYTES: u32 = STREAM_RUN_BYTES;
export const RUN_SOURCE: u32 = 16;
export const RUN_SLICE: u32 = 20;
export const RUN_END: u32 = 24;
export const RUN_COMPRESSED: u32 = 28;

/** A group: u32 first and end run, u32 first and last segment. */
export const GROUP_BYTES: u32 = STREAM_GROUP_BYTES;
export const GROUP_END: u32 = 4;
export const GROUP_HEAD: u32 = 8;
export const GROUP_TAIL: u32 = 12;

/** A slice: u32 isec, u32 offset in it, u32 bytes, u32 offset in the run. */
export const SLICE_BYTES: u32 = STREAM_SLICE_BYTES;
export const SLICE_FROM: u32 = 4;
export const SLICE_SIZE: u32 = 8;
export const SLICE_AT: u32 = 12;

/**
 * A segment: u32 next one of the group, u32 isec, u32 offset in it, u32 bytes, u32 pieces, u32 row of the first piece; for each shard u32
 * winners, u32 their bytes, from numberSegments on those of the segments before it; then the cells.
 */
export const SEGMENT_ISEC: u32 = 4;
export const SEGMENT_FROM: u32 = 8;
export const SEGMENT_SIZE: u32 = 12;
export const SEGMENT_COUNT: u32 = 16;
export const SEGMENT_ROW: u32 = 20;
export const SEGMENT_SHARDS: u32 = 32;
export const SEGMENT_CELLS: u32 = 288;

/**
 * A cell: u32 offset of the piece in its section, u32 number of its entry, shifted, with flags: CELL_FLAG, it may be the first with its string,
 * and after markWinners it is; CELL_NEW, its bytes are still to be kept.
 */
export const CELL_BYTES: u32 = 8;
export const CELL_ENTRY: u32 = 4;
export const CELL_FLAG: u32 = 1;
export const CELL_NEW: u32 = 2;
export const CELL_SHIFT: u32 = 2;

/**
 * What is known of an entry, a unique string, stands in blocks of 512 entries, whose addresses are at STATE_BLOCKS (u32), the same of all
 * side by side, because each phase asks for one thing: u32 first group that has the string; u32 shard of the output, later offset in it; u32
 * address of the bytes (0 = they are not kept); u32 how many.
 */
export const BLOCK_ENTRIES: u32 = STREAM_BLOCK_ENTRIES;
export const ENTRY_BLOCK_BYTES: u32 = BLOCK_ENTRIES * 16;
export const ENTRY_FIRST: u32 = 0;
export const ENTRY_OUT: u32 = BLOCK_ENTRIES * 4;
export const ENTRY_AT: u32 = BLOCK_ENTRIES * 8;
export const ENTRY_SIZE: u32 = BLOCK_ENTRIES * 12;
const BLOCK_ENTRIES_SHIFT: u32 = 9;

/** Where the ENTRY_FIRST of entry `number` is. */
// @ts-ignore: decorator
@inline
export function entryAt(blocks: u32, number: u32): u32 {
  return load<u32>(blocks + ((number >> BLOCK_ENTRIES_SHIFT) << 2)) + ((number & (BLOCK_ENTRIES - 1)) << 2);
}

/**
 * All there is: u32 next byte and end of the region for what goes away, u32 bytes kept, u32 1 = too many, u32 first slots of a shard, u32 address of
 * the addresses of blocks, u32 blocks, most blocks; the shards.
 */
export const STATE_NEXT: u32 = 0;
export const STATE_END: u32 = 4;
export const STATE_KEPT: u32 = 8;
export const STATE_FULL: u32 = STREAM_STATE_FULL;
export const STATE_SLOTS: u32 = 16;
export const STATE_BLOCKS: u32 = 20;
export const STATE_BLOCK_COUNT: u32 = 24;
export const STATE_BLOCK_LIMIT: u32 = 28;
export const STATE_SHARDS: u32 = STREAM_STATE_SHARDS;

/** Of a streamed msec (msec.stream): u32 start of each shard in the output, u32 its first item; u32 address of the items (STREAM_ITEMS), how many (STREAM_COUNT). */
export const STREAM_ITEMS_BEFORE: u32 = 128;
/** An item, in the order of the output: u32 address, u32 bytes, u32 offset in the output. */
export const ITEM_BYTES: u32 = STREAM_ITEM_BYTES;
export const ITEM_SIZE: u32 = 4;
export const ITEM_OUT: u32 = 8;
