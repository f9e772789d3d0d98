/**
 * Reading .sframe (SFrame specification, versions 1 to 3): functions with their rows of frame descriptions, which are copied as they are.
 *
 * A section may hold several tables one behind the other: `ld -r` of linkers that do not know the format makes such. Only what linking x86-64
 * needs is looked at.
 */

export const MAGIC = 0xdee2;
export const ABI_AMD64 = 3;
export const HEADER_BYTES = 28;
/** Bytes of an entry of the index, by version. */
export const INDEX_BYTES = [0, 17, 20, 16];
/** Where `info` is behind a function's size, in versions 1 and 2. */
export const INFO_AT = 12;
/** Version 3 has number of rows and information before the rows. */
export const ATTRIBUTE_BYTES = 5;

/** sfp_flags */
export const F_SORTED = 1;
export const F_FRAME_POINTER = 2;
/** Starts of functions count from their own field, else from the table. */
export const F_PCREL = 4;

/** Tables in a section begin at its alignment. */
const ALIGN = 8;

/** A section that cannot be read; `message` says why. */
export class BadFrames extends Error {}

export interface FunctionFrames {
  /** Where its start is stored: bytes from the start of the table. */
  field: number;
  /** Bytes of code. */
  size: number;
  rows: number;
  info: number;
  info2: number;
  repeats: number;
  /** Its rows. */
  bytes: Uint8Array;
}

export interface FrameTable {
  /** Bytes from the start of the section. */
  at: number;
  version: number;
  flags: number;
  /** From the frame's address, in bytes. */
  returnAddress: number;
  functions: FunctionFrames[];
}

/** The tables of a section. Throws BadFrames. */
export function* readFrames(bytes: Uint8Array): Generator<FrameTable> {
  for (let at = 0; at < bytes.length; ) {
    if (bytes.subarray(at).every((byte) => byte === 0)) return;
    const { table, end } = readTable(bytes.subarray(at), at);
    yield table;
    at += Math.ceil(end / ALIGN) * ALIGN;
  }
}

function readTable(bytes: Uint8Array, at: number): { table: FrameTable; end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES || view.getUint16(0, true) !== MAGIC) throw new BadFrames("is not in the SFrame format");
  const version = view.getUint8(2);
  if (version < 1 || version > 3) throw new BadFrames(`has SFrame version ${version}, which is not known`);
  if (view.getUint8(4) !== ABI_AMD64) throw new BadFrames("is of another processor");
  const [count, , rowBytes, indexAt, rowsAt] = Array.from({ length: 5 }, (_, i) => view.getUint32(8 + 4 * i, true)) as [number, number, number, number, number];
  const head = HEADER_BYTES + view.getUint8(7);
  const index = head + indexAt;
  const rows = head + rowsAt;
  const end = Math.max(index + count * INDEX_BYTES[version]!, rows + rowBytes);
  if (end > bytes.length) throw new BadFrames("SFrame table goes past the end of the section");
  const read = version === 3 ? readEntry3 : readEntry;
  const starts: number[] = [];
  const functions: FunctionFrames[] = [];
  for (let i = 0; i < count; i++) {
    const entry = index + i * INDEX_BYTES[version]!;
    const start = view.getUint32(entry + (version === 3 ? 12 : 8), true);
    if (start + (version === 3 ? ATTRIBUTE_BYTES : 0) > rowBytes) throw new BadFrames("SFrame rows are outside the table");
    starts.push(start);
    functions.push(read(view, version, entry, rows + start));
  }
  cutRows(bytes.subarray(rows, rows + rowBytes), version, starts, functions);
  return { table: { at, version, flags: view.getUint8(3), returnAddress: view.getInt8(6), functions }, end };
}

function readEntry(view: DataView, version: number, at: number): FunctionFrames {
  const info = at + 4 + INFO_AT;
  return {
    field: at, size: view.getUint32(at + 4, true), rows: view.getUint32(at + 12, true), info: view.getUint8(info), info2: 0,
    repeats: version === 1 ? 0 : view.getUint8(info + 1), bytes: new Uint8Array(0),
  };
}

function readEntry3(view: DataView, _version: number, at: number, attributes: number): FunctionFrames {
  return {
    field: at, size: view.getUint32(at + 8, true), rows: view.getUint16(attributes, true), info: view.getUint8(attributes + 2), info2: view.getUint8(attributes + 3),
    repeats: view.getUint8(attributes + 4), bytes: new Uint8Array(0),
  };
}

/** A function's rows end where another's begin: their own sizes need not be known. */
function cutRows(rows: Uint8Array, version: number, starts: readonly number[], functions: readonly FunctionFrames[]): void {
  const ascending = [...new Set(starts)].sort((a, b) => a - b);
  const endOf = new Map(ascending.map((start, i) => [start, ascending[i + 1] ?? rows.length]));
  functions.forEach((frames, i) => {
    const from = starts[i]! + (version === 3 ? ATTRIBUTE_BYTES : 0);
    if (frames.rows > 0) frames.bytes = rows.subarray(from, Math.max(from, endOf.get(starts[i]!)!));
  });
}
