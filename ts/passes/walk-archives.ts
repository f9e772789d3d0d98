/**
 * Archives of a large link, which threads walk and read at once in parse-object: load-inputs looks at their index only, and a member's header
 * costs no read of its own. Members get their ids when all of them are known.
 *
 * What the index says of the places of members only decides how much is read at a time: which members there are is found out from header to
 * header (as-kernels/passes/walk-archives.ts), so that a stale index changes nothing. An archive that is odd in any way is left to
 * input-archives.ts, which says why.
 */
import {
  PLACE_BROKEN, PLACE_NO_ROOM, WALKED_BYTES, WALKED_DONE, WALKED_END_ROW, WALKED_FIELDS, WALKED_FLAGS, WALKED_NEED, WALKED_NEXT, WALKED_PLACES, WALKED_PLACE_COUNT, WALKED_ROW,
  WALKED_SIZE, WALKED_SOURCE, WALK_LARGE, WALK_MORE, WALK_NO_ROOM,
} from "../../as-kernels/shared/abi.ts";
import { OUT_BYTES } from "../../as-kernels/shared/cells.ts";
import { AR_HEADER_BYTES, EHDR_BYTES } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { BadArchive, decimal, memberName, symbolIndex } from "../input/archive.ts";
import { fileKind } from "../input/file-kind.ts";
import type { OpenFile } from "../input/input-file.ts";
import { outOfMemory } from "../memory/arena.ts";
import { ReadFailed } from "../memory/failure.ts";
import { SPAN_WINDOW, type Phases, type WorkerContext } from "../memory/pool.ts";
import { allocTable, columnWidths } from "../memory/table.ts";
import { bindParts } from "./read-headers.ts";
import { FIRST_FILE, type InputRows } from "./input-rows.ts";

const SLASH = 47;
/** ar_name. */
const FIELD_BYTES = 16;
/** What is read behind the index, in the hope that the table of long names is all there. */
const NAMES_BYTES = 4096;
/** Rows for members that the index does not know: a few, and a sixteenth. Archives with more are odd. */
const SPARE_ROWS = 4;
/** Windows that take turns: one has the head of a large member when its end comes to the other. */
const WINDOWS = [SPAN_WINDOW, 0] as const;
const WINDOW_BYTES = 1 << 21; // nearly always enough

/** An archive that has been met. Positions in bytes from its start, addresses in the arena. */
export interface WalkedArchive {
  path: ByteString;
  /** OBJF_* and InputFile.group of its members. */
  flags: number;
  group: number;
  /** Length of ctx.inputs when it was met. */
  place: number;
  bytes: number;
  source: number;
  first: number;
  places: number;
  placeCount: number;
  longNames: Uint8Array | null;
  /** Set when the rows are reserved: WALKED_*, and where the names of members go. */
  state: number;
  firstRow: number;
  fields: number;
}

/** All of a round of loading. */
export class WalkedArchives {
  readonly list: WalkedArchive[] = [];
  private readonly ctx: Context;
  private readonly rows: InputRows;
  /** Loads the members of one that is odd. */
  private readonly open: (archive: WalkedArchive) => void;

  constructor(ctx: Context, rows: InputRows, open: (archive: WalkedArchive) => void) {
    this.ctx = ctx;
    this.rows = rows;
    this.open = open;
  }

  /** Bytes of all archives. */
  get bytes(): number {
    return this.list.reduce((sum, archive) => sum + archive.bytes, 0);
  }

  /** May the archive be walked later? `certain`: only if its first member is an object for this machine. */
  take(file: OpenFile, flags: number, machine: number, certain: boolean): boolean {
    const index = symbolIndex(file, Infinity);
    if (index === null || index.wordBytes !== 4 || index.bytes < 8) return false;
    const { arena, inputs } = this.ctx;
    const mark = arena.mark();
    const taken = this.readFront(file, index.at, index.bytes, certain ? machine : 0);
    if (taken === null) {
      arena.release(mark);
      return false;
    }
    // One by one: V8 takes 15 µs to spread an object that it has not seen often.
    const { first, places, placeCount, longNames } = taken;
    this.list.push({
      path: file.path, flags, group: this.rows.group, place: inputs.length, bytes: file.size, source: this.rows.sourceRow(file.path),
      first, places, placeCount, longNames, state: 0, firstRow: 0, fields: 0,
    });
    return true;
  }

  /** The index is at `at`; `machine`: what the first member is to be for, 0 = that is not asked. null = the archive is odd. */
  private readFront(file: OpenFile, at: number, bytes: number, machine: number): Pick<WalkedArchive, "first" | "places" | "placeCount" | "longNames"> | null {
    const { arena, kernels } = this.ctx;
    const count = new DataView(file.head.buffer).getUint32(at, false);
    if (count === 0 || 4 + 4 * count > bytes) return null;
    const places = arena.alloc(4 * count);
    const words = arena.bytes(places, 4 * count);
    if (file.read(words, at + 4) < words.length) return null;
    const placeCount = kernels.listPlaces(places, count);
    if (placeCount === 0) return null;
    arena.release(places + 4 * placeCount);
    const behind = at + bytes + (bytes & 1);
    const front = new Uint8Array(Math.min(NAMES_BYTES, file.size - behind));
    if (file.read(front, behind) < front.length || front.length < AR_HEADER_BYTES) return null;
    let first = behind;
    let longNames: Uint8Array | null = null;
    if (front[0] === SLASH && front[1] === SLASH) {
      const size = decimal(front, 48, 58);
      if (size < 0 || size > file.size - behind - AR_HEADER_BYTES) return null;
      first = behind + AR_HEADER_BYTES + size + (size & 1);
      longNames = size <= front.length - AR_HEADER_BYTES ? front.slice(AR_HEADER_BYTES, AR_HEADER_BYTES + size) : new Uint8Array(size);
      if (size > front.length - AR_HEADER_BYTES && file.read(longNames, behind + AR_HEADER_BYTES) < size) return null;
    }
    if (machine !== 0) {
      const ehdr = new Uint8Array(EHDR_BYTES);
      if (fileKind(ehdr, 0, file.read(ehdr, first + AR_HEADER_BYTES), machine) !== "relocatable") return null;
    }
    return { first, places, placeCount, longNames };
  }

  /** Reserves rows behind `row` for the members; the row behind them. */
  reserve(row: number): number {
    for (const archive of this.list) {
      archive.firstRow = row;
      row += archive.placeCount + (archive.placeCount >> 4) + SPARE_ROWS;
    }
    return row;
  }

  /** Walks all, then gives inputs their places in command-line order; `relas`, `drop`: arguments of parse-object. */
  async load(relas: number, drop: number): Promise<void> {
    const { arena, pool, tables } = this.ctx;
    const states = arena.allocZeroed(this.list.length * WALKED_BYTES);
    const fields = arena.alloc(tables.obj.rows * FIELD_BYTES);
    // The largest first, so that threads are done at the same time.
    const bySize = [...this.list].sort((a, b) => b.bytes - a.bytes || a.place - b.place);
    bySize.forEach((archive, i) => {
      archive.state = states + i * WALKED_BYTES;
      archive.fields = fields + archive.firstRow * FIELD_BYTES;
      const set = (cell: number, value: number): void => void (arena.u32[(archive.state + cell) >>> 2] = value);
      arena.f64[(archive.state + WALKED_NEXT) >>> 3] = archive.first;
      arena.f64[(archive.state + WALKED_SIZE) >>> 3] = archive.bytes;
      set(WALKED_ROW, archive.firstRow);
      set(WALKED_END_ROW, archive.firstRow + archive.placeCount + (archive.placeCount >> 4) + SPARE_ROWS);
      set(WALKED_SOURCE, archive.source);
      set(WALKED_FLAGS, archive.flags);
      set(WALKED_PLACES, archive.places);
      set(WALKED_PLACE_COUNT, archive.placeCount);
      set(WALKED_FIELDS, archive.fields);
    });
    await pool.run("walk-archives", this.list.length, states, relas, drop);
    this.settle();
  }

  private settle(): void {
    const { arena, inputs, kernels, tables } = this.ctx;
    const widths = columnWidths("obj");
    const before = arena.alloc(4 + 4 * widths.length);
    kernels.copyMemory(before, tables.obj.address, 4 + 4 * widths.length);
    const plain = this.rows.takeBack();
    /** from, to, how many */
    const ranges = [1, 1, 1];
    /** from, to */
    const opened: number[] = [];
    let at = FIRST_FILE;
    const addPlain = (end: number): void => {
      if (end > at) ranges.push(at, inputs.length, end - at);
      for (; at < end; at++) this.rows.addAgain(plain[at - FIRST_FILE]!);
    };
    this.list.forEach((archive) => {
      addPlain(archive.place);
      const to = inputs.length;
      const count = this.addMembers(archive);
      if (count >= 0) return void ranges.push(archive.firstRow, to, count);
      this.open(archive);
      opened.push(to, inputs.length);
    });
    addPlain(FIRST_FILE + plain.length);
    const words = arena.alloc(4 * (widths.length + ranges.length));
    arena.u32.set([...widths, ...ranges], words >>> 2);
    allocTable(arena, tables, "obj", inputs.length);
    kernels.moveObjects(before, words, widths.length, words + 4 * widths.length, ranges.length / 3);
    for (let i = 0; i < opened.length; i += 2) this.rows.fillRows(opened[i]!, opened[i + 1]!);
  }

  /** Rows of ctx.inputs for the members of an archive; how many, -1 = the archive is odd. */
  private addMembers(archive: WalkedArchive): number {
    const { arena: { u8, u32 }, tables: { obj } } = this.ctx;
    if (u32[(archive.state + WALKED_DONE) >>> 2] !== 1) return -1;
    const count = u32[(archive.state + WALKED_ROW) >>> 2]! - archive.firstRow;
    const names: ByteString[] = [];
    try {
      for (let i = 0; i < count; i++) names.push(memberName(u8, archive.fields + i * FIELD_BYTES, archive.longNames, obj.offset[archive.firstRow + i]! - AR_HEADER_BYTES));
    } catch (error) {
      if (!(error instanceof BadArchive)) throw error;
      return -1;
    }
    this.rows.group = archive.group;
    for (let i = 0; i < count; i++) {
      const row = archive.firstRow + i;
      this.rows.add({ source: archive.path, offset: obj.offset[row]!, bytes: obj.bytes[row]!, path: archive.path, member: names[i]! }, archive.flags);
    }
    return count;
  }
}

/** Phase: loads an archive. Arguments: address of the archives' states, as parse-object. */
function walkArchivePhase(w: WorkerContext, chunk: number): void {
  const archive = w.args[0]! + chunk * WALKED_BYTES;
  try {
    if (walk(w, archive, w.args[1]!, w.args[2]!)) w.u32[(archive + WALKED_DONE) >>> 2] = 1;
  } catch (error) {
    if (!(error instanceof ReadFailed)) throw error;
  }
}

/** False = it is odd. */
function walk(w: WorkerContext, archive: number, relas: number, drop: number): boolean {
  const { kernels, f64, u32 } = w;
  const { obj } = w.tables;
  const source = u32[(archive + WALKED_SOURCE) >>> 2]!;
  const out = w.window(2, OUT_BYTES);
  const size = f64[(archive + WALKED_SIZE) >>> 3]!;
  let turn = 0;
  /** Bytes [from, to) of the archive are at `span`. */
  let [span, from, to] = [0, 0, 0];
  const read = (start: number, end: number): void => {
    span = w.window(WINDOWS[turn]!, Math.max(WINDOW_BYTES, end - start));
    from = start;
    to = Math.min(end, size);
    w.read(source, from, span, to - from);
  };
  w.span.path = "";
  for (;;) {
    const status = kernels.walkMembers(archive, span, from, to, relas, drop, out);
    const next = f64[(archive + WALKED_NEXT) >>> 3]!;
    if (status === WALK_MORE) {
      read(next, Math.max(kernels.walkEnd(archive), next + f64[(archive + WALKED_NEED) >>> 3]!));
      continue;
    }
    if (status === WALK_NO_ROOM) throw outOfMemory(w.memory);
    if (status !== WALK_LARGE) return status === 0;
    const o = u32[(archive + WALKED_ROW) >>> 2]! - 1;
    const offset = obj.offset[o]!;
    const head = span + (offset - from);
    const headBytes = to - offset;
    if (kernels.openLarge(archive, head, out) === 0) continue;
    turn = 1 - turn;
    read(f64[(archive + WALKED_NEED) >>> 3]!, Math.max(kernels.walkEnd(archive), next));
    const missing = kernels.placeTables(archive, head, headBytes, span, from, drop, out);
    if (missing === PLACE_NO_ROOM) throw outOfMemory(w.memory);
    if (missing === PLACE_BROKEN) continue;
    bindParts(w, o, missing, kernels.placedNames(archive, head, headBytes, span, from, out), out);
  }
}

export const WALK_PHASES: Phases = { "walk-archives": walkArchivePhase };
