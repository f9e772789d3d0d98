/**
 * Blocks of memory that kernels and TypeScript hand each other and that are no tables: what is where in them, in bytes, and kinds that a call names.
 *
 * Ids, flags and fixed addresses are in abi.ts, ELF's numbers in elf.ts. What only kernels look at stands with them. Only `export const NAME = integer`.
 */

// ---- what read-headers leaves at `out`: u32, and from OUT_SYMTAB_OFFSET to OUT_LOCAL_SIGNATURES f64. Offsets are bytes from the start of the object ----
export const OUT_ERROR_SECTION = 0;
/** Section index, 0 = none. */
export const OUT_SYMTAB = 4;
/** How many SHT_GROUP sections. */
export const OUT_GROUPS = 8;
export const OUT_FIRST_GLOBAL = 12;
export const OUT_SYMTAB_OFFSET = 16;
export const OUT_SYMTAB_SIZE = 24;
export const OUT_STRTAB_OFFSET = 32;
export const OUT_STRTAB_SIZE = 40;
export const OUT_SHNDX_OFFSET = 48;
export const OUT_SHNDX_SIZE = 56;
export const OUT_GROUP_FROM = 64;
export const OUT_GROUP_TO = 72;
export const OUT_NAMES_OFFSET = 80;
export const OUT_NAMES_SIZE = 88;
/** Groups whose signature is a local symbol. */
export const OUT_LOCAL_SIGNATURES = 96;
export const OUT_ERROR_VALUE = 104;
/** 1 = the section name table is not one of the planned parts: its names are only looked at. From planTables to bindTables. */
export const OUT_NAMES_DROP = 108;
/** e_shstrndx, from checkHeader to planTables. */
export const OUT_SHSTRNDX = 112;
/** How many parts planTables has planned, and where the first is. */
export const OUT_PARTS = 116;
export const OUT_PLAN = 120;
/** A part: f64 offset, f64 bytes, u32 address, which the reader fills in, u32 1 = it is to be read (only placeTables says so). */
export const PART_BYTES = 24;
export const PART_SIZE = 8;
export const PART_ADDRESS = 16;
export const PART_MISSING = 20;
/** Room for all that. */
export const OUT_BYTES = 512;
/** Zero bytes behind every part, for kernels that look at words. */
export const PART_MARGIN = 16;

// ---- nextRun: f64 place in the file, f64 end; u32 source; u32 compressed section that the run ends with, 0 = none; u32 1 = some members are in memory ----
export const NEXT_END = 8;
export const NEXT_SOURCE = 16;
export const NEXT_COMPRESSED = 20;
export const NEXT_KEPT = 24;
export const NEXT_BYTES = 32;

// ---- relocate-objects: a batch is u32 1 = too large, u32 members in all; then for each output section u32 first member, end ----
export const BATCH_MEMBERS = 4;
export const BATCH_RANGES = 8;
/** A plan: u32 reads, u32 extents, f64 bytes of input, f64 bytes of output; regions (one for each output section), extents and reads follow. */
export const PLAN_EXTENTS = 4;
export const PLAN_INPUT = 8;
export const PLAN_OUTPUT = 16;
export const PLAN_REGIONS = 24;
/** A region of an output section: f64 from, f64 bytes, u32 offset in the output. */
export const REGION_SIZE = 8;
export const REGION_AT = 16;
export const REGION_BYTES = 24;
/** An extent: f64 place in the file, f64 bytes, u32 isec, u32 number of the output section, u32 offset in the input. At most two of a member. */
export const EXTENT_BYTES = 32;
/** A read: f64 place in the file, f64 bytes, u32 source, u32 offset in the input, u32 where the bytes are in memory (0 = they are not). As many as extents at most. */
export const READ_SIZE = 8;
export const READ_SOURCE = 16;
export const READ_BYTES = 32;

// ---- relocateSlice: no more relocations in memory; one for bytes behind the slice; one for bytes before it ----
export const SLICE_DONE = 0;
export const SLICE_CUT = 1;
export const SLICE_UNSORTED = 2;

// ---- stream-strings: its state, with shards of a cache line each; what it keeps of an msec; a thread's batch (as-kernels/lib/streams.ts) ----
export const STREAM_STATE_FULL = 12;
export const STREAM_STATE_SHARDS = 64;
export const STREAM_SHARD_BYTES = 64;
export const STREAM_ITEMS = 256;
export const STREAM_COUNT = 260;
export const STREAM_BYTES = 264;
export const STREAM_BLOCK_ENTRIES = 512;
export const STREAM_BATCH_RECORDS = 256;
/** Of a batch: a record of each string, and of each a row for sorting. */
export const STREAM_RECORD_BYTES = 32;
export const STREAM_SORTED_BYTES = 24;

// ---- writePlt: entries of .plt, .plt.got, .iplt, .plt.sec ----
export const PLT_LAZY = 0;
export const PLT_GOT = 1;
export const PLT_IFUNC = 2;
export const PLT_SECOND = 3;

// ---- mergeRela: records by r_offset; by symbol, then r_offset; by r_info, addend, r_offset ----
export const BY_OFFSET = 0;
export const BY_SYMBOL = 1;
export const BY_INFO = 2;

/** listRelative: u32 isec row, u32 number of its relocation, u64 address, u64 addend. */
export const RELATIVE_BYTES = 24;
