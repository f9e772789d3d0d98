/**
 * Archives that are walked and read in one go (ts/passes/walk-archives.ts): members get obj rows and their tables are loaded while the
 * bytes are at hand, so that a member's header costs no read of its own.
 *
 * Archives are not trusted: what is not an ordinary object at an ordinary place makes the whole archive odd, and then load-inputs walks
 * it as it walks small ones, and says what is wrong. An object that is broken inside only gets its row: parse-object reads it again.
 */
import { alloc } from "../lib/alloc.ts";
import { AR_BYTES, AR_END, AR_END_MARK, memberSize } from "../lib/ar.ts";
import { cell, NO_ROOM, part } from "../lib/header-cells.ts";
import { OUT_NAMES_OFFSET, OUT_NAMES_SIZE, OUT_PARTS, PART_ADDRESS, PART_MARGIN, PART_MISSING, PART_SIZE } from "../shared/cells.ts";
import { tables, params } from "../shared/tables.ts";
import { allocRegion, checkHeader, keepWhole, planParts } from "./read-headers.ts";
import {
  OBJ_RELOCATABLE, WALKED_END_ROW, WALKED_FIELDS, WALKED_FLAGS, WALKED_NEED, WALKED_NEXT, WALKED_PLACES, WALKED_PLACE_COUNT, WALKED_ROW, WALKED_SIZE, WALKED_SOURCE, WALK_DONE,
  PLACE_BROKEN, PLACE_NO_ROOM, WALK_LARGE, WALK_MORE, WALK_NO_ROOM, WALK_ODD,
} from "../shared/abi.ts";
import { EHDR_BYTES, EI_CLASS, ELF_CLASS64_LSB, ELF_MAGIC, ET_REL, E_MACHINE, E_TYPE, SHDR_BYTES } from "../shared/elf.ts";

const NAME_BYTES: u32 = 16;
const SLASH: u32 = 47;

/** Members up to this size are read whole, and with them those behind them, all together up to SPAN_BYTES. */
const WHOLE_BYTES: f64 = 65536;
const SPAN_BYTES: f64 = 262144;
/** What is read of a larger one at first: its ELF header, and as a rule the contents of its groups, which assemblers put in front. */
const HEAD_BYTES: f64 = 4096;
/** Of a larger one, section headers are read together with what is behind them, and the section names, which are in front of them as a rule. */
const HEADERS_BYTES_MAX: f64 = 1048576;
const NAME_BYTES_GUESS: f64 = 48;

/**
 * The positions in an archive's symbol index, `count` big-endian words at `words`, which become the ordered positions of its members,
 * each once, of those that define a name. Returns how many; 0 = they are in no order.
 */
export function listPlaces(words: u32, count: u32): u32 {
  let found: u32 = 0;
  let last: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const place = bswap<u32>(load<u32>(words + (i << 2)));
    if (place == last) continue;
    if (place < last) return 0;
    store<u32>(words + (found++ << 2), place);
    last = place;
  }
  return found;
}

/** The first member behind `at` that the index knows of: its number among WALKED_PLACES. */
function placeBehind(archive: u32, at: f64): u32 {
  const places = load<u32>(archive, WALKED_PLACES);
  let low: u32 = 0;
  let high = load<u32>(archive, WALKED_PLACE_COUNT);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (<f64>load<u32>(places + (middle << 2)) > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Position number `i`, or the end of the archive. */
// @ts-ignore: decorator
@inline
function placeAt(archive: u32, i: u32): f64 {
  const size = load<f64>(archive, WALKED_SIZE);
  if (i >= load<u32>(archive, WALKED_PLACE_COUNT)) return size;
  const place = <f64>load<u32>(load<u32>(archive, WALKED_PLACES) + (i << 2));
  return min(place, size);
}

/**
 * Up to where to read when the header at WALKED_NEXT is wanted, and what comes with it: small members as long as they are small, and
 * the head of the large one behind them. The index is believed here, because it costs a read more at most when it is wrong.
 */
export function walkEnd(archive: u32): f64 {
  const from = load<f64>(archive, WALKED_NEXT);
  const size = load<f64>(archive, WALKED_SIZE);
  let at = from;
  for (let i = placeBehind(archive, from); at < size; i++) {
    const next = placeAt(archive, i);
    if (next - at > WHOLE_BYTES + AR_BYTES) return min(size, at + AR_BYTES + HEAD_BYTES);
    if (next - from > SPAN_BYTES) break;
    at = next;
  }
  return at;
}

/** Is the header one of a member with an ordinary name, and not an index, a table of names or BSD's? */
// @ts-ignore: decorator
@inline
function isPlain(header: u32): bool {
  if (load<u16>(header + AR_END) != AR_END_MARK) return false;
  const first = <u32>load<u8>(header);
  if (first == SLASH) return <u32>load<u8>(header, 1) - 48 <= 9;
  return first != 35 && load<u64>(header) != 0x4544_4d59_532e_5f5f;
}

/**
 * Rows for the members from WALKED_NEXT on, and tables of those that are there as a whole: bytes [from, to) of the archive are at `span`.
 * `relas`, `drop` as for keepWhole. Returns WALK_*: after WALK_LARGE, the last row is that of a large member of which the head is there.
 */
export function walkMembers(archive: u32, span: u32, from: f64, to: f64, relas: u32, drop: u32, out: u32): u32 {
  const obj = tables().obj;
  const size = load<f64>(archive, WALKED_SIZE);
  const machine = <u32>params().machine;
  let at = load<f64>(archive, WALKED_NEXT);
  for (; at < size; at = load<f64>(archive, WALKED_NEXT)) {
    const start = at + AR_BYTES;
    if (start + EHDR_BYTES > size) return WALK_ODD;
    store<f64>(archive, AR_BYTES + HEAD_BYTES, WALKED_NEED);
    if (at < from || start + EHDR_BYTES > to) return WALK_MORE;
    const header = span + <u32>(at - from);
    const ehdr = header + AR_BYTES;
    const bytes = <f64>memberSize(header);
    if (!isPlain(header) || bytes < EHDR_BYTES || start + bytes > size) return WALK_ODD;
    if (load<u32>(ehdr) != ELF_MAGIC || <u32>load<u16>(ehdr, EI_CLASS) != ELF_CLASS64_LSB) return WALK_ODD;
    if (load<u16>(ehdr, E_TYPE) != ET_REL || <u32>load<u16>(ehdr, E_MACHINE) != machine) return WALK_ODD;
    const isLarge = bytes > WHOLE_BYTES;
    const wanted = isLarge ? HEAD_BYTES : bytes;
    if (start + wanted > to && to < size) {
      store<f64>(archive, AR_BYTES + wanted, WALKED_NEED);
      return WALK_MORE;
    }
    const o = load<u32>(archive, WALKED_ROW);
    if (o >= load<u32>(archive, WALKED_END_ROW)) return WALK_ODD;
    store<u32>(archive, o + 1, WALKED_ROW);
    obj.kind[o] = OBJ_RELOCATABLE;
    obj.flags[o] = <u8>load<u32>(archive, WALKED_FLAGS);
    obj.source[o] = load<u32>(archive, WALKED_SOURCE);
    obj.offset[o] = start;
    obj.bytes[o] = bytes;
    const field = load<u32>(archive, WALKED_FIELDS);
    memory.copy(field, header, NAME_BYTES);
    store<u32>(archive, field + NAME_BYTES, WALKED_FIELDS);
    const end = start + bytes;
    store<f64>(archive, end + <f64>(<u64>end & 1), WALKED_NEXT);
    if (isLarge) return WALK_LARGE;
    const error = keepWhole(o, ehdr, relas, drop, out);
    if (error == NO_ROOM) return WALK_NO_ROOM;
    if (error != 0) forgetHeader(o);
  }
  return WALK_DONE;
}

/** parse-object is to find out by itself. */
function forgetHeader(o: u32): void {
  const obj = tables().obj;
  obj.e_shnum[o] = 0;
  obj.shoff[o] = 0;
}

/**
 * Looks at the ELF header, at `ehdr`, of the large member that has got the last row: WALKED_NEED becomes the position in the archive from
 * which to read its section headers, up to the next member. False = parse-object is to read it.
 */
export function openLarge(archive: u32, ehdr: u32, out: u32): bool {
  const obj = tables().obj;
  const o = load<u32>(archive, WALKED_ROW) - 1;
  const error = checkHeader(o, ehdr, 0, out);
  const shoff = obj.shoff[o];
  const count = <f64>obj.e_shnum[o];
  const headers = count * SHDR_BYTES;
  if (error != 0 || count == 0 || headers > HEADERS_BYTES_MAX || obj.bytes[o] - (shoff + headers) > HEAD_BYTES) {
    forgetHeader(o);
    return false;
  }
  store<f64>(archive, obj.offset[o] + max<f64>(0, shoff - count * NAME_BYTES_GUESS), WALKED_NEED);
  return true;
}

/** Address of bytes [offset, offset + bytes) of an object of which [0, headBytes) is at `head`, and [tailFrom, …) with its end at `tail`; 0 = they are not there. */
// @ts-ignore: decorator
@inline
function placed(offset: f64, bytes: f64, head: u32, headBytes: f64, tail: u32, tailFrom: f64): u32 {
  if (offset >= tailFrom) return tail + <u32>(offset - tailFrom);
  return offset + bytes <= headBytes ? head + <u32>offset : 0;
}

/**
 * Memory for the tables of the large member that has got the last row: its bytes [0, headBytes) are at `head`, those from position `from`
 * of the archive on at `tail`. Copies what is there of them; the others have PART_MISSING. With `drop` 1 section names may not stay
 * (OUT_NAMES_DROP). Returns how many parts are missing; PLACE_BROKEN: parse-object will say so; PLACE_NO_ROOM.
 */
export function placeTables(archive: u32, head: u32, headBytes: u32, tail: u32, from: f64, drop: u32, out: u32): u32 {
  const obj = tables().obj;
  const o = load<u32>(archive, WALKED_ROW) - 1;
  const tailFrom = from - obj.offset[o];
  const headers = tail + <u32>(obj.shoff[o] - tailFrom);
  const headersBytes = obj.e_shnum[o] * SHDR_BYTES;
  if (planParts(o, headers, drop, out) != 0) {
    forgetHeader(o);
    return PLACE_BROKEN;
  }
  const shdrs = allocRegion(headersBytes);
  if (shdrs == 0) return PLACE_NO_ROOM;
  memory.copy(shdrs, headers, headersBytes);
  obj.shdrs[o] = shdrs;
  let missing: u32 = 0;
  for (let i: u32 = 0, parts = load<u32>(out + OUT_PARTS); i < parts; i++) {
    const at = part(out, i);
    const bytes = load<f64>(at, PART_SIZE);
    const to = alloc(<u32>bytes + PART_MARGIN);
    if (to == 0) return PLACE_NO_ROOM;
    store<u32>(at, to, PART_ADDRESS);
    const there = placed(load<f64>(at), bytes, head, <f64>headBytes, tail, tailFrom);
    store<u32>(at, u32(there == 0), PART_MISSING);
    missing += u32(there == 0);
    if (there != 0) memory.copy(to, there, <u32>bytes);
    memory.fill(to + <u32>bytes, 0, PART_MARGIN);
  }
  return missing;
}

/** Where the section names of that member are if they do not stay; 0 = they are to be read. */
export function placedNames(archive: u32, head: u32, headBytes: u32, tail: u32, from: f64, out: u32): u32 {
  const obj = tables().obj;
  const o = load<u32>(archive, WALKED_ROW) - 1;
  return placed(cell(out, OUT_NAMES_OFFSET), cell(out, OUT_NAMES_SIZE), head, <f64>headBytes, tail, from - obj.offset[o]);
}

/**
 * Copies obj rows to their places in a new table: `count` times u32 from, to, how many, at `ranges`. The header of the old one is at
 * `before`, the size of a cell of each of its `columns` columns, as u32, at `widths`.
 */
export function moveObjects(before: u32, widths: u32, columns: u32, ranges: u32, count: u32): void {
  const after = changetype<u32>(tables().obj);
  for (let c: u32 = 4; c <= columns << 2; c += 4) {
    const width = load<u32>(widths + c - 4);
    const from = load<u32>(before + c);
    const to = load<u32>(after + c);
    for (let at = ranges, end = ranges + count * 12; at < end; at += 12) memory.copy(to + load<u32>(at, 4) * width, from + load<u32>(at) * width, load<u32>(at, 8) * width);
  }
  const fileId = tables().obj.fileId;
  for (let o: u32 = 1, rows = tables().obj.rows; o < rows; o++) fileId[o] = o;
}
