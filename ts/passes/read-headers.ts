/**
 * Loads the tables of objects for parse-object: symbol table, string tables, group contents, section headers.
 *
 * Small objects come whole, and with one read all the small ones that follow in their archive (a "span"): most archives
 * are thousands of members of a few kilobytes, each of which would be several system calls. Of large objects only what is
 * asked for is read. What is looked for and checked is the kernel's business.
 */
import { KEEP_ALL, NEEDS_FIRST, ERR_TRUNCATED, ISSUE_BAD_OBJECT } from "../../as-kernels/shared/abi.ts";
import { OUT_BYTES, OUT_NAMES_DROP, OUT_NAMES_OFFSET, OUT_PARTS, OUT_PLAN, PART_ADDRESS, PART_BYTES, PART_MARGIN, PART_MISSING } from "../../as-kernels/shared/cells.ts";
import { SHDR_BYTES } from "../../as-kernels/shared/elf.ts";
import { outOfMemory } from "../memory/arena.ts";
import { ReadFailed } from "../memory/failure.ts";
import { SPAN_WINDOW, type WorkerContext } from "../memory/pool.ts";

/** What is read of a larger object at first: its ELF header, and as a rule the contents of its groups, which assemblers put in front. */
const HEAD_BYTES = 1 << 12;
/** Objects up to this size are read whole. */
const WHOLE_BYTES = 1 << 16;
/** And up to this size where all that is in them stays. */
const KEPT_WHOLE_BYTES = 1 << 17;
/** Neighbours in a file are read along as long as all of them together have no more bytes than this. */
const SPAN_BYTES = 1 << 18;
/**
 * Loads the tables of object `o`, and of those behind it (ids below `limit`) that come with it. `relas` 1: the relocations of those
 * that come whole are loaded too, KEEP_ALL: all of them stays; `drop` 1: section names need not stay. Returns the next object.
 */
export function keepTables(w: WorkerContext, o: number, limit: number, relas: number, drop: number): number {
  const out = w.window(2, OUT_BYTES);
  try {
    const largest = relas === KEEP_ALL ? KEPT_WHOLE_BYTES : WHOLE_BYTES;
    if (w.tables.obj.bytes[o]! > largest) {
      keepLarge(w, o, drop, out);
      return o + 1;
    }
    readSpan(w, o, limit, largest);
  } catch (error) {
    if (!(error instanceof ReadFailed)) throw error;
    broken(w, o, 0, ERR_TRUNCATED);
    return o + 1;
  }
  const { span } = w;
  const next = w.kernels.keepSpan(o, limit, span.address, span.from, span.to, relas, drop, out);
  if (next === 0) throw outOfMemory(w.memory);
  return next;
}

function broken(w: WorkerContext, o: number, index: number, error: number): void {
  w.kernels.reportIssue(ISSUE_BAD_OBJECT, o, 0, index, error);
}

function keepLarge(w: WorkerContext, o: number, drop: number, out: number): void {
  const { kernels } = w;
  const { source, offset, shoff, e_shnum } = w.tables.obj;
  const read = (from: number, address: number, bytes: number) => w.read(source[o]!, offset[o]! + from, address, bytes);
  const ehdr = w.window(0, HEAD_BYTES);
  const keep = (from: number, bytes: number): number => {
    const address = w.alloc(bytes + PART_MARGIN);
    if (from + bytes <= HEAD_BYTES) kernels.copyMemory(address, ehdr + from, bytes);
    else read(from, address, bytes);
    kernels.fillBytes(address + bytes, 0, PART_MARGIN);
    return address;
  };
  read(0, ehdr, HEAD_BYTES);
  let error = kernels.checkHeader(o, ehdr, 0, out);
  if (error === NEEDS_FIRST) {
    const first = w.window(3, SHDR_BYTES);
    read(shoff[o]!, first, SHDR_BYTES);
    error = kernels.checkHeader(o, ehdr, first, out);
  }
  if (error !== 0) return broken(w, o, w.u32[out >>> 2]!, error);
  const headersBytes = e_shnum[o]! * SHDR_BYTES;
  const shdrs = w.allocRegion(headersBytes);
  read(shoff[o]!, shdrs, headersBytes);
  w.tables.obj.shdrs[o] = shdrs;
  if (kernels.planTables(o, shdrs, drop, out) === 0) return;
  const parts = w.u32[(out + OUT_PARTS) >>> 2]!;
  for (let i = 0; i < parts; i++) {
    const part = out + OUT_PLAN + i * PART_BYTES;
    w.u32[(part + PART_ADDRESS) >>> 2] = keep(w.f64[part >>> 3]!, w.f64[(part >>> 3) + 1]!);
  }
  bindPlanned(w, o, 0, out);
}

/** Reads those parts of object `o` that placeTables left out, `missing` in all, and notes where its tables are. `names`: its section names, if they are in memory. */
export function bindParts(w: WorkerContext, o: number, missing: number, names: number, out: number): void {
  const { source, offset } = w.tables.obj;
  for (let part = out + OUT_PLAN, left = missing; left > 0; part += PART_BYTES) {
    if (w.u32[(part + PART_MISSING) >>> 2] === 0) continue;
    w.read(source[o]!, offset[o]! + w.f64[part >>> 3]!, w.u32[(part + PART_ADDRESS) >>> 2]!, w.f64[(part >>> 3) + 1]!);
    left--;
  }
  bindPlanned(w, o, names, out);
}

/** The planned parts of object `o` and its section headers are in memory; its section names are at `names`, 0 = they are read if they are to be seen. */
function bindPlanned(w: WorkerContext, o: number, names: number, out: number): void {
  const { kernels, tables: { obj } } = w;
  if (names === 0 && w.u32[(out + OUT_NAMES_DROP) >>> 2] === 1) {
    const [from, bytes] = [w.f64[(out + OUT_NAMES_OFFSET) >>> 3]!, w.f64[((out + OUT_NAMES_OFFSET) >>> 3) + 1]!];
    names = w.window(3, bytes + PART_MARGIN);
    w.read(obj.source[o]!, obj.offset[o]! + from, names, bytes);
    kernels.fillBytes(names + bytes, 0, PART_MARGIN);
  }
  if (kernels.bindTables(o, obj.shdrs[o]!, names, out) === 0) throw outOfMemory(w.memory);
}

/** Address of object `o` when it comes whole, read together with the small objects behind it (ids below `limit`); 0 = it is large. */
export function wholeObject(w: WorkerContext, o: number, limit: number): number {
  if (w.tables.obj.bytes[o]! > WHOLE_BYTES) return 0;
  readSpan(w, o, limit, WHOLE_BYTES);
  return w.span.address + (w.tables.obj.offset[o]! - w.span.from);
}

/** Makes w.span one that holds object `o`, which is small, and small ones behind it, of `largest` bytes at most. */
function readSpan(w: WorkerContext, o: number, limit: number, largest: number): void {
  const { source, offset, bytes } = w.tables.obj;
  const { span } = w;
  const path = w.sources[source[o]!]!;
  const from = offset[o]!;
  let to = from + bytes[o]!;
  if (span.path === path && from >= span.from && to <= span.to) return;
  for (let next = o + 1; next < limit && source[next] === source[o] && bytes[next]! <= largest; next++) {
    const end = offset[next]! + bytes[next]!;
    if (offset[next]! < to || end - from > SPAN_BYTES) break;
    to = end;
  }
  span.path = "";
  span.address = w.window(SPAN_WINDOW, SPAN_BYTES);
  w.read(source[o]!, from, span.address, to - from);
  span.path = path;
  span.from = from;
  span.to = to;
}
