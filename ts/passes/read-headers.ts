/**
 * Section headers of an object, in a window of the worker that asks: parse-object reads them twice and load-sections once
 * more, because a hot window costs less than touching memory to keep them.
 *
 * Small objects come whole, and with one read all the small ones that follow in their archive (a "span"): most archives
 * are thousands of members of a few kilobytes, each of which would be several system calls. Of large objects only what is
 * asked for is read.
 */
import { ERR_HEADERS_END, ERR_HEADERS_START, ERR_NO_SECTIONS, ERR_SHENTSIZE, ERR_TRUNCATED, ISSUE_BAD_OBJECT } from "../../as-kernels/shared/abi.ts";
import { EHDR_BYTES, SHDR_BYTES } from "../../as-kernels/shared/elf.ts";
import type { WorkerContext } from "../memory/pool.ts";

/** Objects up to this size are read whole. */
const WHOLE_BYTES = 1 << 16;
/** Neighbours in a file are read along as long as all of them together have no more bytes than this. */
const SPAN_BYTES = 1 << 18;
/** The window that spans stay in between objects and passes; nobody else uses it. */
const SPAN_WINDOW = 8;

/** Where an object's headers are while a worker looks at it. */
export interface Headers {
  /** Address of section header 0. */
  shdrs: number;
  count: number;
  shstrndx: number;
  /** Address of the object's first byte when all of it is in the window, else 0. */
  whole: number;
}

/** Section headers of object `o` in a window of this worker; null when reported as broken. `limit`: end of the objects that are looked at next. */
export function readHeaders(w: WorkerContext, o: number, limit: number): Headers | null {
  const { offset, bytes, shoff, e_shnum } = w.tables.obj;
  if (bytes[o]! < EHDR_BYTES) return broken(w, o, 0, ERR_TRUNCATED);
  const whole = bytes[o]! <= WHOLE_BYTES ? readSpan(w, o, limit) : 0;
  // Seen before: shoff and e_shnum have been checked.
  if (e_shnum[o] !== 0) return { shdrs: headersAt(w, o, whole, shoff[o]!, e_shnum[o]!), count: e_shnum[o]!, shstrndx: 0, whole };
  let ehdr = whole;
  if (whole === 0) {
    ehdr = w.window(0, EHDR_BYTES);
    w.read(w.tables.obj.source[o]!, offset[o]!, ehdr, EHDR_BYTES);
  }
  return checkHeaders(w, o, ehdr, whole);
}

/** ELF header at `ehdr` → section headers; gABI ch. 4 ELF Header. */
function checkHeaders(w: WorkerContext, o: number, ehdr: number, whole: number): Headers | null {
  const { source, offset, bytes, shoff } = w.tables.obj;
  const size = bytes[o]!;
  const view = new DataView(w.memory.buffer, ehdr, EHDR_BYTES);
  const start = Number(view.getBigUint64(0x28, true));
  let count = view.getUint16(0x3c, true);
  let shstrndx = view.getUint16(0x3e, true);
  if (start === 0) {
    // No sections at all is an empty object, as for lld; otherwise e_shnum and e_shstrndx speak of a table that is not there.
    if (count !== 0 || shstrndx !== 0) return broken(w, o, shstrndx, ERR_NO_SECTIONS);
    return { shdrs: ehdr, count: 0, shstrndx: 0, whole };
  }
  if (view.getUint16(0x3a, true) !== SHDR_BYTES) return broken(w, o, 0, ERR_SHENTSIZE);
  if (start + SHDR_BYTES > size) return broken(w, o, 0, ERR_HEADERS_START);
  if (count === 0 || shstrndx === 0xffff) {
    // gABI ch. 4: e_shnum and e_shstrndx too large for the header are in section header 0
    const first = w.window(3, SHDR_BYTES);
    w.read(source[o]!, offset[o]! + start, first, SHDR_BYTES);
    const header = new DataView(w.memory.buffer, first, SHDR_BYTES);
    if (count === 0) count = Number(header.getBigUint64(0x20, true));
    if (shstrndx === 0xffff) shstrndx = header.getUint32(0x28, true);
  }
  if (start + count * SHDR_BYTES > size) return broken(w, o, 0, ERR_HEADERS_END);
  shoff[o] = start;
  return { shdrs: headersAt(w, o, whole, start, count), count, shstrndx, whole };
}

function headersAt(w: WorkerContext, o: number, whole: number, shoff: number, count: number): number {
  if (whole !== 0) return whole + shoff;
  const shdrs = w.window(1, count * SHDR_BYTES);
  w.read(w.tables.obj.source[o]!, w.tables.obj.offset[o]! + shoff, shdrs, count * SHDR_BYTES);
  return shdrs;
}

/** Address of the whole object `o`, read together with the small objects behind it (ids below `limit`). */
function readSpan(w: WorkerContext, o: number, limit: number): number {
  const { source, offset, bytes } = w.tables.obj;
  const { span } = w;
  const path = w.sources[source[o]!]!;
  const from = offset[o]!;
  let to = from + bytes[o]!;
  if (span.path !== path || from < span.from || to > span.to) {
    for (let next = o + 1; next < limit && source[next] === source[o] && bytes[next]! <= WHOLE_BYTES; next++) {
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
  return span.address + (from - span.from);
}

export function broken(w: WorkerContext, o: number, index: number, error: number): null {
  w.kernels.reportIssue!(ISSUE_BAD_OBJECT, o, 0, index, error);
  return null;
}
