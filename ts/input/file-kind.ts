/**
 * What a file is, told by its first bytes.
 *
 * Does not open files and does not judge: load-inputs decides what to do with each kind. The surprise: a "text" file is
 * taken for a linker script, because that is what libc.so is on most systems.
 */
import { EHDR_BYTES, ELFCLASS32, ELFCLASS64, ELFDATA2LSB, ELFDATA2MSB, ET_DYN, ET_REL } from "../../as-kernels/shared/elf.ts";

export type FileKind =
  | "relocatable"
  | "shared"
  /** ELF, of the right class and machine, but an executable or a core file. */
  | "elf"
  /** ELF, but of a class or byte order that does not exist. */
  | "no-class"
  | "no-byte-order"
  /** ELF, and too short for its header. */
  | "truncated"
  /** ELF of another class, byte order or machine. */
  | "incompatible"
  | "archive"
  | "thin"
  /** LLVM bitcode, plain or in its wrapper: an object compiled with clang -flto. */
  | "bitcode"
  /** Looks like text: a linker script. */
  | "text"
  | "empty"
  | "other";

/** First bytes of a file that fileKind likes to see. */
export const HEAD_BYTES = 512;

const AR_MAGIC = "!<arch>\n";
const THIN_MAGIC = "!<thin>\n";

function startsWith(bytes: Uint8Array, at: number, end: number, text: string): boolean {
  if (end - at < text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

/**
 * The kind of the file whose first bytes are `bytes[at … end)`; more than EHDR_BYTES of them where the file has as many.
 * `machine` is the e_machine of the link.
 */
export function fileKind(bytes: Uint8Array, at: number, end: number, machine: number): FileKind {
  if (end <= at) return "empty";
  const first = bytes[at]!;
  if (first === 0x7f && startsWith(bytes, at + 1, end, "ELF")) return elfKind(bytes, at, end, machine);
  if (first === 0x21) {
    if (startsWith(bytes, at, end, AR_MAGIC)) return "archive";
    if (startsWith(bytes, at, end, THIN_MAGIC)) return "thin";
  }
  if (startsWith(bytes, at, end, "BC\xc0\xde") || startsWith(bytes, at, end, "\xde\xc0\x17\x0b")) return "bitcode";
  return isText(bytes, at, end) ? "text" : "other";
}

function elfKind(bytes: Uint8Array, at: number, end: number, machine: number): FileKind {
  if (end - at > 5) {
    if (bytes[at + 5] !== ELFDATA2LSB && bytes[at + 5] !== ELFDATA2MSB) return "no-byte-order";
    if (bytes[at + 4] !== ELFCLASS64 && bytes[at + 4] !== ELFCLASS32) return "no-class";
  }
  if (end - at < EHDR_BYTES) {
    return end - at > 5 && (bytes[at + 4] !== ELFCLASS64 || bytes[at + 5] !== ELFDATA2LSB) ? "incompatible" : "truncated";
  }
  const e_machine = bytes[at + 18]! | (bytes[at + 19]! << 8);
  if (bytes[at + 4] !== ELFCLASS64 || bytes[at + 5] !== ELFDATA2LSB || e_machine !== machine) return "incompatible";
  const e_type = bytes[at + 16]! | (bytes[at + 17]! << 8);
  return e_type === ET_REL ? "relocatable" : e_type === ET_DYN ? "shared" : "elf";
}

/** No control characters but white space among the first bytes. */
function isText(bytes: Uint8Array, at: number, end: number): boolean {
  const stop = Math.min(end, at + HEAD_BYTES);
  for (let i = at; i < stop; i++) {
    const byte = bytes[i]!;
    if (byte < 32 ? byte < 9 || byte > 13 : byte === 127) return false;
  }
  return true;
}
