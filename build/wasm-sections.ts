/** The sections of a WebAssembly module (core specification, 5.5.2): ids, and where they lie. Their contents are for others. */
export const SECTION_IMPORT = 2;
export const SECTION_TABLE = 4;
export const SECTION_EXPORT = 7;
export const SECTION_START = 8;
export const SECTION_ELEMENT = 9;
export const SECTION_CODE = 10;
export const SECTION_DATA = 11;

export interface WasmSection {
  id: number;
  /** Offset of its id; bytes of the module. */
  start: number;
  /** Range of its contents. */
  from: number;
  to: number;
}

export function wasmSections(bytes: Uint8Array): WasmSection[] {
  const sections = [];
  for (let at = 8; at < bytes.length; ) {
    const start = at;
    const id = bytes[at++]!;
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    sections.push({ id, start, from: at, to: at + size });
    at += size;
  }
  return sections;
}
