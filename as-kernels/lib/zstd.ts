/**
 * Compresses a piece of a section into one zstd frame (RFC 8878), where the runtime has no zstd of its own.
 *
 * Not libzstd's ratio: matches are taken greedily, literals are stored as they are, and codes are FSE's predefined ones. The surprising
 * choice: kernels have no static data, so the three code tables are made anew for each frame, which a megabyte does not notice.
 */
import { ZSTD_SCRATCH_BYTES } from "../shared/abi";

const MAGIC: u32 = 0xfd2fb528;
/** Frame_Header_Descriptor: one segment, its size in four bytes. */
const DESCRIPTOR: u8 = 0xa0;
const BLOCK_BYTES: u32 = 1 << 17;
const RAW_BLOCK: u32 = 0;
const COMPRESSED_BLOCK: u32 = 2;

const HASH_BITS: u32 = 15;
const MIN_MATCH: u32 = 4;
/** After so many bytes without a match (a power of two), steps grow. */
const IMPATIENCE: u32 = 6;

// Scratch: three code tables, positions by hash, a block's sequences and literals.
const TABLE_BYTES: u32 = 1024;
const HASHES: u32 = 4096;
const SEQUENCES: u32 = HASHES + (4 << HASH_BITS);
const SEQUENCE_BYTES: u32 = 12;
const LITERALS: u32 = SEQUENCES + (BLOCK_BYTES / MIN_MATCH + 4) * SEQUENCE_BYTES;

const LENGTHS: u32 = 0;
const MATCHES: u32 = 1;
const OFFSETS: u32 = 2;

// A code table: state transitions (u16), at SYMBOLS the pair deltaNbBits, deltaFindState of each symbol, what only building it needs, its state.
const SYMBOLS: u32 = 128;
const SPREAD: u32 = 600;
const STARTS: u32 = 672;
const STATE: u32 = 1020;
/** Behind the three. */
const STREAM: u32 = 3072;

// @ts-ignore: decorator
@inline
function log2(value: u32): u32 {
  return 31 - clz<u32>(value);
}

/** RFC 8878, 3.1.1.3.2.2: Default Distributions. */
function share(table: u32, symbol: u32): i32 {
  if (table == LENGTHS) {
    if (symbol >= 32) return -1;
    if (symbol == 0) return 4;
    if (symbol == 1 || symbol == 25) return 3;
    return (symbol >= 13 && symbol <= 15) || symbol >= 27 ? 1 : 2;
  }
  if (table == MATCHES) {
    if (symbol >= 46) return -1;
    if (symbol == 1) return 4;
    if (symbol == 2) return 3;
    return symbol >= 3 && symbol <= 8 ? 2 : 1;
  }
  if (symbol >= 24) return -1;
  return symbol >= 6 && symbol <= 8 ? 2 : 1;
}

function symbolsOf(table: u32): u32 {
  return table == LENGTHS ? 36 : table == MATCHES ? 53 : 29;
}

/** 3.1.1.3.2.1.1: the decoder's table, turned round. */
function buildTable(at: u32, table: u32): void {
  const count = symbolsOf(table);
  const bits: u32 = table == OFFSETS ? 5 : 6;
  const size: u32 = 1 << bits;
  let high = size - 1;
  let start: u32 = 0;
  for (let symbol: u32 = 0; symbol < count; symbol++) {
    const part = share(table, symbol);
    store<u16>(at + STARTS + symbol * 2, <u16>start);
    start += part < 0 ? 1 : <u32>part;
    if (part < 0) store<u8>(at + SPREAD + high--, <u8>symbol);
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let place: u32 = 0;
  let total: i32 = 0;
  for (let symbol: u32 = 0; symbol < count; symbol++) {
    const part = share(table, symbol);
    for (let i = 0; i < part; i++) {
      store<u8>(at + SPREAD + place, <u8>symbol);
      do place = (place + step) & (size - 1);
      while (place > high);
    }
    const pair = at + SYMBOLS + symbol * 8;
    if (part <= 1) {
      store<u32>(pair, (bits << 16) - size);
      store<i32>(pair, total - 1, 4);
      total++;
    } else {
      const most = bits - log2(<u32>(part - 1));
      store<u32>(pair, (most << 16) - (<u32>part << most));
      store<i32>(pair, total - part, 4);
      total += part;
    }
  }
  for (let i: u32 = 0; i < size; i++) {
    const next = at + STARTS + <u32>load<u8>(at + SPREAD + i) * 2;
    const row = load<u16>(next);
    store<u16>(next, row + 1);
    store<u16>(at + <u32>row * 2, <u16>(size + i));
  }
}

/** Adds bits to the stream at STREAM of the scratch: where it goes on, how many bits wait, those. */
function put(scratch: u32, value: u32, bits: u32): void {
  const stream = scratch + STREAM;
  const word = load<u64>(stream, 8) | (<u64>(value & ((1 << bits) - 1)) << load<u32>(stream, 4));
  const filled = load<u32>(stream, 4) + bits;
  const out = load<u32>(stream);
  store<u64>(out, word);
  store<u32>(stream, out + (filled >> 3));
  store<u32>(stream, filled & 7, 4);
  store<u64>(stream, word >> (filled & ~7), 8);
}

/** Code of a literal length, of a match's length beyond three, or of an offset; its extra bits are the low ones of the value. */
function codeOf(table: u32, value: u32): u32 {
  if (table == OFFSETS) return log2(value);
  if (table == LENGTHS) {
    if (value < 16) return value;
    if (value >= 64) return log2(value) + 19;
    if (value < 24) return 16 + ((value - 16) >> 1);
    if (value < 32) return 20 + ((value - 24) >> 2);
    return value < 48 ? 22 + ((value - 32) >> 3) : 24;
  }
  if (value < 32) return value;
  if (value >= 128) return log2(value) + 36;
  if (value < 40) return 32 + ((value - 32) >> 1);
  if (value < 48) return 36 + ((value - 40) >> 2);
  if (value < 64) return 38 + ((value - 48) >> 3);
  return value < 96 ? 40 + ((value - 64) >> 4) : 42;
}

function bitsOf(table: u32, code: u32): u32 {
  if (table == OFFSETS) return code;
  if (table == LENGTHS) {
    if (code >= 25) return code - 19;
    return code < 16 ? 0 : code < 20 ? 1 : code < 22 ? 2 : code < 24 ? 3 : 4;
  }
  if (code >= 43) return code - 36;
  return code < 32 ? 0 : code < 36 ? 1 : code < 38 ? 2 : code < 40 ? 3 : code < 42 ? 4 : 5;
}

/** Bytes that are the same from `a` and `b` on; `b` goes to `end`. */
function sameBytes(a: u32, b: u32, end: u32): u32 {
  const from = b;
  while (b + 8 <= end) {
    const other = load<u64>(a) ^ load<u64>(b);
    if (other != 0) return b - from + <u32>(ctz<u64>(other) >> 3);
    a += 8;
    b += 8;
  }
  while (b < end && load<u8>(a) == load<u8>(b)) {
    a++;
    b++;
  }
  return b - from;
}

/** 3.1.1.3.2: sequences from the last to the first, as a stream that is read backwards. */
function writeSequences(scratch: u32, count: u32, target: u32): u32 {
  let out = target;
  if (count < 128) {
    store<u8>(out++, <u8>count);
  } else if (count < 0x7f00) {
    store<u8>(out, <u8>((count >> 8) + 128));
    store<u8>(out + 1, <u8>count);
    out += 2;
  } else {
    store<u8>(out, 255);
    store<u16>(out + 1, <u16>(count - 0x7f00));
    out += 3;
  }
  store<u8>(out++, 0);
  store<u32>(scratch + STREAM, out);
  store<u32>(scratch + STREAM, 0, 4);
  store<u64>(scratch + STREAM, 0, 8);
  for (let i = count; i-- > 0; ) {
    const sequence = scratch + SEQUENCES + i * SEQUENCE_BYTES;
    for (let table = OFFSETS; table <= OFFSETS; table--) {
      const at = scratch + table * TABLE_BYTES;
      const pair = at + SYMBOLS + codeOf(table, load<u32>(sequence + table * 4)) * 8;
      const delta = load<u32>(pair);
      let value = load<u32>(at + STATE);
      let bits = (value + delta) >> 16;
      if (i == count - 1) {
        bits = (delta + (1 << 15)) >> 16;
        value = (bits << 16) - delta;
      } else {
        put(scratch, value, bits);
      }
      store<u32>(at + STATE, <u32>load<u16>(at + ((value >> bits) + load<i32>(pair, 4)) * 2));
    }
    for (let table = LENGTHS; table <= OFFSETS; table++) {
      const value = load<u32>(sequence + table * 4);
      put(scratch, value, bitsOf(table, codeOf(table, value)));
    }
  }
  put(scratch, load<u32>(scratch + MATCHES * TABLE_BYTES + STATE), 6);
  put(scratch, load<u32>(scratch + OFFSETS * TABLE_BYTES + STATE), 5);
  put(scratch, load<u32>(scratch + LENGTHS * TABLE_BYTES + STATE), 6);
  // The bit above the last one tells the reader where to begin.
  put(scratch, 1, 1);
  return load<u32>(scratch + STREAM) + (load<u32>(scratch + STREAM, 4) != 0 ? 1 : 0) - target;
}

/** Room at `target`: bytes and half as many, and 64; at `scratch`: ZSTD_SCRATCH_BYTES. Up to 2 GiB. How long the frame is. */
export function packZstd(source: u32, bytes: u32, target: u32, scratch: u32): u32 {
  assert(LITERALS + BLOCK_BYTES + 16 <= <u32>ZSTD_SCRATCH_BYTES);
  memory.fill(scratch, 0, SEQUENCES);
  for (let table: u32 = 0; table < 3; table++) buildTable(scratch + table * TABLE_BYTES, table);
  store<u32>(target, MAGIC);
  store<u8>(target + 4, DESCRIPTOR);
  store<u32>(target + 5, bytes);
  let out = target + 9;
  /** Offset of the match before this one, 0 = the reader has another. */
  let repeated: u32 = 0;
  let from: u32 = 0;
  do {
    const end: u32 = min(from + BLOCK_BYTES, bytes);
    let count: u32 = 0;
    let literals = scratch + LITERALS;
    let anchor = from;
    let at = from;
    while (at + 8 <= end) {
      const here = load<u32>(source + at);
      const slot = scratch + HASHES + ((here * 2654435761) >> (32 - HASH_BITS)) * 4;
      const seen = load<u32>(slot);
      store<u32>(slot, at + 1);
      let offset: u32 = 0;
      const again = repeated != 0 && at > anchor && repeated <= at && load<u32>(source + at - repeated) == here;
      if (again) offset = repeated;
      else if (seen != 0 && load<u32>(source + seen - 1) == here) offset = at + 1 - seen;
      if (offset == 0) {
        at += 1 + ((at - anchor) >> IMPATIENCE);
        continue;
      }
      let length = MIN_MATCH + sameBytes(source + at + MIN_MATCH - offset, source + at + MIN_MATCH, source + end);
      if (!again) {
        while (at > anchor && offset < at && load<u8>(source + at - 1) == load<u8>(source + at - 1 - offset)) {
          at--;
          length++;
        }
      }
      memory.copy(literals, source + anchor, at - anchor);
      literals += at - anchor;
      const sequence = scratch + SEQUENCES + count++ * SEQUENCE_BYTES;
      store<u32>(sequence, at - anchor);
      store<u32>(sequence, length - 3, 4);
      store<u32>(sequence, again ? 1 : offset + 3, 8);
      repeated = offset;
      at += length;
      anchor = at;
      if (at + 8 <= end) store<u32>(scratch + HASHES + ((load<u32>(source + at - 2) * 2654435761) >> (32 - HASH_BITS)) * 4, at - 1);
    }
    memory.copy(literals, source + anchor, end - anchor);
    literals += end - anchor;
    const plain: u32 = literals - (scratch + LITERALS);
    store<u32>(out + 3, (plain << 4) | 12);
    memory.copy(out + 6, scratch + LITERALS, plain);
    let size: u32 = end - from;
    let kind = RAW_BLOCK;
    if (count > 0) {
      const packed: u32 = 3 + plain + writeSequences(scratch, count, out + 6 + plain);
      if (packed < size) {
        size = packed;
        kind = COMPRESSED_BLOCK;
      }
    }
    if (kind == RAW_BLOCK) {
      memory.copy(out + 3, source + from, size);
      repeated = 0;
    }
    const header = (size << 3) | (kind << 1) | (end == bytes ? 1 : 0);
    store<u16>(out, <u16>header);
    store<u8>(out + 2, <u8>(header >> 16));
    out += 3 + size;
    from = end;
  } while (from < bytes);
  return out - target;
}
