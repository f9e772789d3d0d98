/**
 * Walks the members of ar archives: GNU, BSD and thin.
 *
 * Only headers are looked at, and the first bytes of each member, which come with the same read. The symbol index of the
 * archive is skipped: every member's own symbol table is read later, so that archives without an index, or with a stale
 * one, link all the same, and so that archive order never matters. Nested archives are not opened here. What members define is
 * found out by ts/passes/scanned-archives.ts.
 */
import { AR_HEADER_BYTES, AR_MAGIC_BYTES, EHDR_BYTES } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import { latin1 } from "../memory/text.ts";

/** Positional reads of one file. */
export interface ByteSource {
  /** Size of the file in bytes. */
  readonly size: number;
  /** Its first bytes, where they have been read already. */
  readonly head?: Uint8Array;
  readonly headBytes?: number;
  /** Fills `target` from `position`; bytes read, fewer only at the end of the file. */
  read(target: Uint8Array, position: number): number;
}

/** One member while it is visited; the same object every time, so copy what is to stay. */
export interface Member {
  name: ByteString;
  /** Bytes from the start of the archive to the member's contents; thin archives: 0. */
  offset: number;
  bytes: number;
  /** Thin archives: `name` is a path relative to the archive; offset of the member's header in that nested archive, -1 = the whole file. */
  nested: number;
  /** First bytes of the contents are head[headAt … headEnd). Empty in thin archives. */
  head: Uint8Array;
  headAt: number;
  headEnd: number;
}

/** What is wrong with an archive, without its name. */
export class BadArchive extends Error {}

/** Window for archives of small members, and for archives of large ones: a first read is dearer than the bytes it copies. */
const WIDE_WINDOW = 1 << 16;
const NARROW_WINDOW = 1 << 9;

/** The buffer of the last walk, for the next one: hundreds of archives would each touch new memory. */
let spare: Uint8Array | null = null;

/** A sliding view of the archive. */
class Window {
  readonly source: ByteSource;
  buffer: Uint8Array;
  base = 0;
  filled = 0;

  constructor(source: ByteSource) {
    this.source = source;
    this.buffer = spare ?? new Uint8Array(WIDE_WINDOW);
    spare = null;
    // The symbol index comes first, of which only the header is wanted.
    if (source.head !== undefined && source.headBytes !== undefined && source.size > WIDE_WINDOW) {
      this.buffer.set(source.head);
      this.filled = source.headBytes;
    }
  }

  /** No member is looked at any more. */
  close(): void {
    spare = this.buffer;
  }

  /** Index in `buffer` of file position `at`, with `bytes` bytes behind it unless the file ends; -1 = the file ends before `at + needed`. */
  seek(at: number, needed: number, wanted: number, span: number): number {
    const inside = at >= this.base && at + Math.min(wanted, this.source.size - at) <= this.base + this.filled;
    if (!inside) {
      const bytes = Math.max(wanted, span);
      if (bytes > this.buffer.length) this.buffer = new Uint8Array(bytes);
      this.base = at;
      this.filled = this.source.read(this.buffer.subarray(0, Math.min(bytes, this.buffer.length)), at);
    }
    return at + needed <= this.base + this.filled ? at - this.base : -1;
  }
}

/** The decimal number in a header field, blanks behind it; -1 when it is none. */
export function decimal(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let i = at; i < end; i++) {
    const digit = bytes[i]! - 48;
    if (digit === BLANK && i > at) return onlyBlanks(bytes, i, end) ? value : -1;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return end > at ? value : -1;
}

const BLANK = 32 - 48;

function onlyBlanks(bytes: Uint8Array, at: number, end: number): boolean {
  for (let i = at; i < end; i++) if (bytes[i] !== 32) return false;
  return true;
}

/** End of the name that starts at `at`: at the line's end (a NUL in tables of Windows tools), without a `/` before it; -1 = none. */
function longNameEnd(names: Uint8Array, at: number): number {
  let end = names.indexOf(10, at);
  if (end < 0) end = names.indexOf(0, at);
  return end > at && names[end - 1] === 47 ? end - 1 : end;
}

/** Contents of the member whose header is at `at`, without its name. Throws BadArchive. */
export function memberAt(source: ByteSource, at: number): Member {
  const head = new Uint8Array(AR_HEADER_BYTES + EHDR_BYTES);
  const filled = source.read(head, at);
  const size = filled < AR_HEADER_BYTES || head[58] !== 0x60 || head[59] !== 0x0a ? -1 : decimal(head, 48, 58);
  const offset = at + AR_HEADER_BYTES;
  if (size < 0 || offset + size > source.size) throw new BadArchive(`no member header at offset ${at}`);
  return { name: "", offset, bytes: size, nested: -1, head, headAt: AR_HEADER_BYTES, headEnd: Math.min(filled, AR_HEADER_BYTES + size) };
}

/** Calls `visit` for every member that is not an index or a name table, in archive order. Throws BadArchive. */
export function walkArchive(source: ByteSource, thin: boolean, visit: (member: Member) => void): void {
  const walk = new Walk(source, thin);
  try {
    while (walk.next()) visit(walk.member);
  } finally {
    walk.close();
  }
}

class Walk {
  readonly member: Member;
  private readonly source: ByteSource;
  private readonly thin: boolean;
  private readonly window: Window;
  private longNames: Uint8Array | null = null;
  /** Offset of the header that is looked at, of the one behind it, and headers so far. */
  private at = 0;
  private nextAt = AR_MAGIC_BYTES;
  private count = 0;

  constructor(source: ByteSource, thin: boolean) {
    this.source = source;
    this.thin = thin;
    this.window = new Window(source);
    this.member = { name: "", offset: 0, bytes: 0, nested: -1, head: this.window.buffer, headAt: 0, headEnd: 0 };
  }

  close(): void {
    this.window.close();
  }

  /** Goes to the next member; false at the end. */
  next(): boolean {
    while (this.nextAt < this.source.size) {
      this.at = this.nextAt;
      const i = this.seek(0);
      if (i < 0) {
        if (onlyPadding(this.source, this.at)) return false;
        throw new BadArchive(`truncated or malformed archive (remaining size of archive too small for next archive member header at offset ${this.at})`);
      }
      if (this.readHeader(i)) return true;
    }
    return false;
  }

  /** False = an index or a name table, which is no member. */
  private readHeader(i: number): boolean {
    const header = this.window.buffer;
    if (header[i + 58] !== 0x60 || header[i + 59] !== 0x0a) throw this.bad("header does not end in \"`\\n\"");
    const size = decimal(header, i + 48, i + 58);
    if (size < 0) throw this.bad("size is not a number");
    const start = this.at + AR_HEADER_BYTES;
    const special = specialMember(header, i);
    const stored = !this.thin || special !== NOT_SPECIAL;
    const end = stored ? start + size : start;
    if (end > this.source.size) throw this.bad(`its ${size} bytes reach behind the end of the archive`);
    this.nextAt = end + (end & 1);
    this.count++;
    if (special === LONG_NAMES) this.readLongNames(start, size);
    if (special !== NOT_SPECIAL) return false;
    this.fillMember(i, start, size, stored);
    return !this.member.name.startsWith("__.SYMDEF");
  }

  private fillMember(i: number, start: number, size: number, stored: boolean): void {
    const { member, window } = this;
    const header = window.buffer;
    let headAt = i + AR_HEADER_BYTES;
    let nameBytes = 0;
    member.nested = -1;
    if (header[i] === 47) {
      member.name = this.longName(header, i);
    } else if (header[i] === 35 && header[i + 1] === 49 && header[i + 2] === 47) {
      nameBytes = decimal(header, i + 3, i + 16);
      headAt = this.bsdName(nameBytes, size) + nameBytes;
    } else {
      member.name = latin1(header, i, shortNameEnd(header, i));
    }
    member.offset = stored ? start + nameBytes : 0;
    member.bytes = size - nameBytes;
    member.head = window.buffer;
    member.headAt = headAt;
    member.headEnd = stored ? Math.min(headAt + member.bytes, window.filled) : headAt;
  }

  /** Place of the header in the window, with room for its name and the start of its contents; -1 = truncated. */
  private seek(nameBytes: number): number {
    const average = this.at / (this.count + 1);
    const span = average < WIDE_WINDOW / 4 ? WIDE_WINDOW : NARROW_WINDOW;
    return this.window.seek(this.at, AR_HEADER_BYTES + nameBytes, AR_HEADER_BYTES + nameBytes + EHDR_BYTES, span);
  }

  private readLongNames(start: number, size: number): void {
    this.longNames = new Uint8Array(size);
    if (this.source.read(this.longNames, start) < size) throw this.bad("name table is truncated");
  }

  /** `#1/20`: a name of 20 bytes, NULs behind it, comes before the contents. Returns its place in the window. */
  private bsdName(nameBytes: number, size: number): number {
    if (nameBytes < 0 || nameBytes > size) throw this.bad("length of its name is wrong");
    const i = this.seek(nameBytes);
    if (i < 0) throw this.bad("name is truncated");
    const header = this.window.buffer;
    const nameAt = i + AR_HEADER_BYTES;
    let nameEnd = nameAt + nameBytes;
    while (nameEnd > nameAt && header[nameEnd - 1] === 0) nameEnd--;
    this.member.name = latin1(header, nameAt, nameEnd);
    return nameAt;
  }

  /**
   * `/123`, or `/123:456` for a member of a nested archive in a thin one, whose header is at 456. The first blank ends it: GNU ar leaves
   * the `/` of a short name in the field's last byte when the file is one of 15 letters in a thin archive.
   */
  private longName(header: Uint8Array, i: number): ByteString {
    let end = i + 1;
    while (end < i + 16 && header[end] !== 32) end++;
    let colon = i + 1;
    while (colon < end && header[colon] !== 58) colon++;
    if (colon < end) {
      const origin = decimal(header, colon + 1, end);
      if (origin < AR_MAGIC_BYTES) throw this.bad("offset in the nested archive is wrong");
      this.member.nested = origin;
      end = colon;
    }
    return longNameAt(this.longNames, decimal(header, i + 1, end), this.at);
  }

  private bad(what: string): BadArchive {
    return badMember(this.at, what);
  }
}

function badMember(at: number, what: string): BadArchive {
  return new BadArchive(`could not get the member at offset ${at}: ${what}`);
}

/** The name at `place` of the table of long names; `at`: offset of the member's header. */
function longNameAt(names: Uint8Array | null, place: number, at: number): ByteString {
  if (names === null || place < 0 || place >= names.length) throw badMember(at, "long name is outside of the name table");
  const stop = longNameEnd(names, place);
  if (stop < 0) throw badMember(at, "long name has no end");
  return latin1(names, place, stop);
}

/**
 * Name of a member of a GNU archive that is not thin: the header's name field is field[i … i + 16), the header itself at `at` in the file.
 * Throws BadArchive.
 */
export function memberName(field: Uint8Array, i: number, names: Uint8Array | null, at: number): ByteString {
  if (field[i] !== 47) return latin1(field, i, shortNameEnd(field, i));
  let end = i + 1;
  while (end < i + 16 && field[end] !== 32) end++;
  return longNameAt(names, decimal(field, i + 1, end), at);
}

const NOT_SPECIAL = 0;
const INDEX = 1;
const LONG_NAMES = 2;

/** `/` and `/SYM64/` are symbol indexes, `//` is the table of long names. */
function specialMember(header: Uint8Array, i: number): number {
  if (header[i] !== 47) return NOT_SPECIAL;
  const next = header[i + 1];
  if (next === 32 || next === 0) return INDEX;
  if (next === 47) return LONG_NAMES;
  return next === 83 && header[i + 2] === 89 && header[i + 3] === 77 && header[i + 6] === 47 ? INDEX : NOT_SPECIAL;
}

/** GNU short names end in `/`, BSD ones in spaces. */
function shortNameEnd(header: Uint8Array, i: number): number {
  for (let end = i; end < i + 16; end++) if (header[end] === 47) return end;
  let end = i + 16;
  while (end > i && header[end - 1] === 32) end--;
  return end;
}

/** Some tools pad an archive's end with NULs or line ends. */
function onlyPadding(source: ByteSource, at: number): boolean {
  const rest = new Uint8Array(source.size - at);
  return rest.length < AR_HEADER_BYTES && source.read(rest, at) === rest.length && rest.every((byte) => byte === 0 || byte === 10);
}

/** Largest symbol index that is looked at as a whole. */
const MAX_INDEX_BYTES = 1 << 22;

/** An archive's symbol index: a big-endian count, that many member offsets, NUL-terminated names. All in bytes. */
export interface SymbolIndex {
  at: number;
  bytes: number;
  /** Size of the count and of each offset. */
  wordBytes: number;
}

/** Where the archive has its GNU symbol index: "/", or "/SYM64/" in large ones; null when it has none, or one of more than `most` bytes. */
export function symbolIndex(source: ByteSource, most = MAX_INDEX_BYTES): SymbolIndex | null {
  const start = source.headBytes !== undefined && source.headBytes >= AR_MAGIC_BYTES + AR_HEADER_BYTES ? source.head : undefined;
  const header = start?.subarray(AR_MAGIC_BYTES, AR_MAGIC_BYTES + AR_HEADER_BYTES) ?? new Uint8Array(AR_HEADER_BYTES);
  if (start === undefined && source.read(header, AR_MAGIC_BYTES) < AR_HEADER_BYTES) return null;
  const name = latin1(header, 0, 16).trimEnd();
  const bytes = decimal(header, 48, 58);
  if ((name !== "/" && name !== "/SYM64/") || bytes > most || AR_MAGIC_BYTES + AR_HEADER_BYTES + bytes > source.size) return null;
  const wordBytes = name === "/" ? 4 : 8;
  return bytes < wordBytes ? null : { at: AR_MAGIC_BYTES + AR_HEADER_BYTES, bytes, wordBytes };
}
