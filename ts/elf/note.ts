/**
 * Notes (gABI ch. 5, Note Section): walk the notes of a section or segment, write one.
 *
 * Knows no note type. Surprise: name and descriptor are padded to the section's alignment, which is 8 for
 * .note.gnu.property and 4 for every other note, also in 64-bit files (x86-64 psABI, Program Property).
 */
import { alignUp } from "./align.ts";

export interface Note {
  /** Without the terminating NUL. */
  name: string;
  type: number;
  /** Bytes from the start of the notes to the descriptor. */
  descAt: number;
  descBytes: number;
}

export const NOTE_HEADER_BYTES = 12;

/** All notes in `bytes`, or null when one reaches outside of it. `align` is 4 or 8. */
export function readNotes(bytes: Uint8Array, align: number): Note[] | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const notes: Note[] = [];
  let at = 0;
  while (at + NOTE_HEADER_BYTES <= bytes.length) {
    const nameBytes = view.getUint32(at, true);
    const descBytes = view.getUint32(at + 4, true);
    const descAt = alignUp(at + NOTE_HEADER_BYTES + nameBytes, align);
    if (at + NOTE_HEADER_BYTES + nameBytes > bytes.length || descAt + descBytes > bytes.length) return null;
    let name = "";
    for (let i = 0; i < nameBytes - 1; i++) name += String.fromCharCode(bytes[at + NOTE_HEADER_BYTES + i]!);
    notes.push({ name, type: view.getUint32(at + 8, true), descAt, descBytes });
    at = alignUp(descAt + descBytes, align);
  }
  return notes;
}

/** Bytes a note takes, padding included. */
export function noteBytes(name: string, descBytes: number, align: number): number {
  return alignUp(alignUp(NOTE_HEADER_BYTES + name.length + 1, align) + descBytes, align);
}

/** Writes header and name at `at`; the offset of the descriptor, which is the caller's to fill. */
export function writeNote(bytes: Uint8Array, at: number, name: string, type: number, descBytes: number, align: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint32(at, name.length + 1, true);
  view.setUint32(at + 4, descBytes, true);
  view.setUint32(at + 8, type, true);
  for (let i = 0; i < name.length; i++) bytes[at + NOTE_HEADER_BYTES + i] = name.charCodeAt(i);
  bytes[at + NOTE_HEADER_BYTES + name.length] = 0;
  return at + alignUp(NOTE_HEADER_BYTES + name.length + 1, align);
}
