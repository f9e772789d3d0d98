/**
 * Which machine LLVM bitcode is for: clang compiles any for the machine that it is told, so a linker must look.
 *
 * Reads no more of the format than it takes to get there (LLVM Bitcode File Format; llvm/Object/IRSymtab.h, storage::Header): blocks of
 * the outermost level, and the one abbreviation that LLVM writes their blobs with. What is different is not known to be wrong.
 */
import type { ByteString } from "../args/link-options.ts";
import { latin1 } from "../memory/text.ts";

const WRAPPER_MAGIC = 0x0b17c0de;
const SYMTAB_BLOCK = 25;
const STRTAB_BLOCK = 23;
/** The definition of an abbreviation (code 1, then a blob) and the number of that abbreviation: 24 bits. */
const BLOB_RECORD = 0x940312;
/** storage::Header::TargetTriple: offset in the string table and size, as words. */
const TRIPLE_WORD = 11;

/** The target triple, "" = there is none to be found. */
export function bitcodeTarget(bytes: Uint8Array): ByteString {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength & ~3);
  const word = (at: number): number => (at + 4 <= view.byteLength ? view.getUint32(at, true) : 0);
  const start = word(0) === WRAPPER_MAGIC ? word(8) : 0;
  const isSet = (at: number, bit: number): boolean => ((bytes[at + (bit >>> 3)]! >>> (bit & 7)) & 1) === 1;
  let header = 0;
  let strings = 0;
  for (let at = start + 4; at + 8 <= view.byteLength; at += 8 + 4 * word(at + 4)) {
    // ENTER_SUBBLOCK in two bits, the block's number in eight.
    if ((word(at) & 3) !== 1) break;
    const block = (word(at) >>> 2) & 0xff;
    if (block !== SYMTAB_BLOCK && block !== STRTAB_BLOCK) continue;
    const record = at + 8;
    if ((word(record) & 0xffffff) !== BLOB_RECORD) break;
    // The blob's size takes six bits for five of its own, then come its bytes, from a multiple of 32 bits on.
    let bits = 24;
    while (bits < 56 && isSet(record, bits + 5)) bits += 6;
    const blob = record + 4 * Math.ceil((bits + 6) / 32);
    if (block === SYMTAB_BLOCK) header = blob;
    else strings = blob;
  }
  if (header === 0 || strings === 0) return "";
  const from = strings + word(header + 4 * TRIPLE_WORD);
  const triple = latin1(bytes, Math.min(from, bytes.length), Math.min(from + word(header + 4 * TRIPLE_WORD + 4), bytes.length));
  return /^[\w.+-]+$/.test(triple) ? triple : "";
}
