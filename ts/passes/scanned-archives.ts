/**
 * Archives that were read once from end to end for what their members define and mention, so that only those members become objects that
 * can have a say in the link: 350 of the 2,000 of a libc.a.
 *
 * A member is needed when something that may be part of the link mentions a name that it defines. That is more than the link takes, so
 * that resolve-symbols decides as if all were there. The loops are in as-kernels/passes/scan-archives.ts.
 */
import {
  SCANNED_AT, SCANNED_BYTES, SCANNED_NAME, SCAN_ARCHIVE, SCAN_CURSOR, SCAN_LARGE, SCAN_LIMIT, SCAN_MACHINE, SCAN_MEMBER, SCAN_NAMES, SCAN_NAMES_BYTES,
  SCAN_NEXT, SCAN_ODD, SCAN_STATE_BYTES,
} from "../../as-kernels/shared/abi.ts";
import { OUT_BYTES, OUT_STRTAB_OFFSET, OUT_STRTAB_SIZE, OUT_SYMTAB_OFFSET, OUT_SYMTAB_SIZE } from "../../as-kernels/shared/cells.ts";
import { AR_HEADER_BYTES, AR_MAGIC_BYTES, EHDR_BYTES, SHDR_BYTES } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { HostError } from "../host/host.ts";
import { memberName } from "../input/archive.ts";
import { OpenFile } from "../input/input-file.ts";
import { SPAN_WINDOW } from "../memory/pool.ts";
import { slotsFor } from "../memory/rows.ts";

/** What is read at once. */
const SPAN_BYTES = 1 << 18;
/** Of members with more bytes than this only the tables are read. */
const LARGE_MEMBER_BYTES = 1 << 16;
/** Window of the main thread: tables of large members. */
const TABLES_WINDOW = 4;
/** Kernels look at words. */
const MARGIN = 16;

/** A member that may be wanted. Positions and sizes in bytes. */
export interface ScannedMember {
  name: ByteString;
  offset: number;
  bytes: number;
}

/** Members that are not loaded (rows from `from` to `to`) and stand before obj row `obj`. */
export interface PassedMembers {
  obj: number;
  from: number;
  to: number;
}

export class ScannedArchives {
  private readonly ctx: Context;
  /** By path: number, rows and table of long names. */
  private readonly archives = new Map<ByteString, { number: number; from: number; to: number; longNames: Uint8Array | null }>();
  /** Of this round of loading. */
  readonly passed: PassedMembers[] = [];
  private readonly state: number;
  private readonly out: number;
  /** Rows of members and names. */
  private readonly from: number;
  private to: number;
  /** What is in the arena from here on is not ours. */
  end = 0;
  private table = 0;
  private slots = 0;
  private stack = 0;

  /** Scans the archives `paths`, `bytes` bytes in all. The rows stay in the arena, up to arena.mark(). */
  constructor(ctx: Context, paths: Iterable<ByteString>, bytes: number) {
    const { arena } = ctx;
    this.ctx = ctx;
    this.state = arena.allocZeroed(SCAN_STATE_BYTES);
    this.out = arena.alloc(OUT_BYTES);
    arena.u32[(this.state + SCAN_MACHINE) >>> 2] = ctx.params.get("machine");
    // No row is larger than what it was made of.
    const top = arena.mark();
    this.from = this.to = arena.alloc(bytes);
    arena.u32[(this.state + SCAN_LIMIT) >>> 2] = this.from + bytes;
    for (const path of paths) this.add(path);
    if (this.from === top) arena.release(Math.ceil(this.to / 16) * 16);
    this.index();
  }

  get paths(): Iterable<ByteString> {
    return this.archives.keys();
  }

  /** Is it one of those that could be scanned? */
  has(path: ByteString): boolean {
    return this.archives.has(path);
  }

  /** Looks again at who is needed, by the flags `mask` in sym.flags; true = there are more than before. */
  need(mask: number): boolean {
    return this.ctx.kernels.needScanned(mask, this.table, this.slots, this.stack) > 0;
  }

  /** Calls `visit` for the needed members of an archive, in archive order. Throws BadArchive. */
  forNeeded(path: ByteString, visit: (member: ScannedMember) => void): void {
    const { arena: { u8, u32, f64 }, kernels } = this.ctx;
    const { number, longNames, from, to } = this.archives.get(path)!;
    const list = this.stack >>> 2;
    const count = kernels.listScanned(from, to, number, this.stack);
    let next = from;
    for (let i = 0; i < count; i++) {
      const row = u32[list + i]!;
      this.pass(next, row);
      next = kernels.memberBehind(row);
      const at = f64[(row + SCANNED_AT) >>> 3]!;
      visit({ name: memberName(u8, row + SCANNED_NAME, longNames, at), offset: at + AR_HEADER_BYTES, bytes: f64[(row + SCANNED_BYTES) >>> 3]! });
    }
    this.pass(next, to);
  }

  private pass(from: number, to: number): void {
    if (from < to) this.passed.push({ obj: this.ctx.inputs.length, from, to });
  }

  /** Rows for the members of the archive, or none if it is odd: then it is to be opened. */
  private add(path: ByteString): void {
    const { host, arena: { u32, f64 }, pool } = this.ctx;
    const state32 = this.state >>> 2;
    const state64 = this.state >>> 3;
    u32[state32 + (SCAN_CURSOR >>> 2)] = this.to;
    u32[state32 + (SCAN_ARCHIVE >>> 2)] = this.archives.size;
    f64[state64 + (SCAN_NAMES_BYTES >>> 3)] = 0;
    pool.self.span.path = "";
    let file: OpenFile | undefined;
    try {
      file = new OpenFile(host, path, u32[state32 + (SCAN_MACHINE >>> 2)]!);
      if (!this.scan(file)) return;
      const longNames = new Uint8Array(f64[state64 + (SCAN_NAMES_BYTES >>> 3)]!);
      if (longNames.length > 0 && file.read(longNames, f64[state64 + (SCAN_NAMES >>> 3)]!) < longNames.length) return;
      const to = u32[state32 + (SCAN_CURSOR >>> 2)]!;
      this.archives.set(path, { number: this.archives.size, from: this.to, to, longNames });
      this.to = to;
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
    } finally {
      file?.close();
    }
  }

  private scan(file: OpenFile): boolean {
    const { arena, kernels, pool } = this.ctx;
    const span = pool.self.window(SPAN_WINDOW, SPAN_BYTES);
    for (let at = AR_MAGIC_BYTES; at < file.size; ) {
      const filled = file.read(arena.bytes(span, Math.min(SPAN_BYTES, file.size - at)), at);
      const status = kernels.scanMembers(span, filled, at, file.size, LARGE_MEMBER_BYTES, this.state, this.out);
      const next = arena.f64[(this.state + SCAN_NEXT) >>> 3]!;
      if (status === SCAN_ODD || next <= at || (status === SCAN_LARGE && !this.scanLarge(file))) return false;
      at = next;
    }
    return true;
  }

  /** Names of the last member, which is read in parts. False = it is odd. */
  private scanLarge(file: OpenFile): boolean {
    const { arena, kernels, pool } = this.ctx;
    const { out, state } = this;
    const member = arena.u32[(state + SCAN_MEMBER) >>> 2]!;
    const start = arena.f64[(member + SCANNED_AT) >>> 3]! + AR_HEADER_BYTES;
    const bytes = arena.f64[(member + SCANNED_BYTES) >>> 3]!;
    const read = (address: number, from: number, count: number): boolean => file.read(arena.bytes(address, count), start + from) === count;
    const cell = (at: number): number => arena.f64[(out + at) >>> 3]!;
    const ehdr = pool.self.window(TABLES_WINDOW, EHDR_BYTES);
    if (!read(ehdr, 0, EHDR_BYTES) || kernels.scanHeader(ehdr, bytes, state, out) === 0) return false;
    const count = arena.u32[(out >>> 2) + 2]!;
    const shstrndx = arena.u32[(out >>> 2) + 3]!;
    const shdrs = pool.self.window(TABLES_WINDOW, count * SHDR_BYTES);
    if (!read(shdrs, cell(0), count * SHDR_BYTES) || kernels.scanHeaders(shdrs, count, shstrndx, bytes, out) !== 0) return false;
    const [symBytes, strBytes] = [cell(OUT_SYMTAB_SIZE), cell(OUT_STRTAB_SIZE)];
    const symtab = pool.self.window(TABLES_WINDOW, symBytes + strBytes + MARGIN);
    if (!read(symtab, cell(OUT_SYMTAB_OFFSET), symBytes) || !read(symtab + symBytes, cell(OUT_STRTAB_OFFSET), strBytes)) return false;
    return kernels.scanTables(symtab, symtab + symBytes, state, out) !== 0;
  }

  private index(): void {
    const { arena, kernels } = this.ctx;
    kernels.countScanned(this.from, this.to, this.out);
    const [members, names] = arena.words(this.out, 2);
    this.slots = slotsFor(names);
    this.table = arena.allocZeroed(this.slots * 4);
    this.stack = arena.alloc(members * 4 + MARGIN);
    this.end = arena.mark();
    kernels.indexScanned(this.from, this.to, this.table, this.slots);
  }
}
