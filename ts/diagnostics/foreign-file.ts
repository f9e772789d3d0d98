/**
 * What a file is that no linker of ELF files takes: said beside the message that refuses it.
 *
 * Only told by first bytes, and only to people: nothing is decided by it.
 */
import type { ByteString } from "../args/link-options.ts";
import { latin1 } from "../memory/text.ts";

/** e_machine (gABI ch. 4) of what compilers for other machines leave about. */
const MACHINES: Record<number, string> = {
  2: "SPARC", 3: "i386", 8: "MIPS", 20: "PowerPC", 21: "PowerPC64", 22: "S/390", 40: "Arm", 43: "SPARC V9", 50: "IA-64", 62: "x86-64", 83: "AVR",
  164: "Hexagon", 183: "AArch64", 190: "CUDA", 224: "AMD GPUs", 243: "RISC-V", 247: "BPF", 258: "LoongArch",
};
const WORDS = ["", "32-bit", "64-bit"];
const ORDERS = ["", "little-endian", "big-endian"];

/** First bytes, what begins with them. */
const BEGINNINGS: [ByteString, string][] = [
  ["\xcf\xfa\xed\xfe", "a Mach-O file (macOS)"], ["\xce\xfa\xed\xfe", "a Mach-O file (macOS)"], ["\xfe\xed\xfa", "a Mach-O file (macOS)"], ["\xca\xfe\xba\xbe", "a universal Mach-O file (macOS) or a Java class"],
  ["\x64\x86", "a COFF object (Windows)"], ["\x4c\x01", "a COFF object (Windows)"], ["\x64\xaa", "a COFF object (Windows)"], ["\0\0\xff\xff", "a COFF object (Windows)"], ["MZ", "a program for Windows"],
  ["\0asm", "WebAssembly"], ["\x1f\x8b", "compressed with gzip"], ["\xfd7zXZ", "compressed with xz"], ["\x28\xb5\x2f\xfd", "compressed with zstd"], ["BZh", "compressed with bzip2"],
  ["!<arch>\n", "an archive"], ["!<thin>\n", "a thin archive"], ["PK\x03\x04", "a zip archive"], ["7z\xbc\xaf", "a 7z archive"], ["\xed\xab\xee\xdb", "an RPM package"], ["\xff\xfe", "text in UTF-16"], ["\xfe\xff", "text in UTF-16"],
];

const TEXTS: [RegExp, string][] = [
  [/^version https:\/\/git-lfs/, "a pointer of Git LFS: its contents have not been fetched"],
  [/^\s*<(!DOCTYPE|html|\?xml|Error)/i, "a web page: the download has failed?"],
  [/^#!/, "a program's source"],
  [/^[ \t]*#[ \t]*(include|define|if|ifdef|ifndef|pragma)\b/m, "text for a preprocessor: a compiler makes an object of it (cc -c), or a script (cc -E -P)"],
  [/^[ \t]*(static|extern|int|void|char|unsigned|long|double|struct|class|typedef|namespace|using|template|const|inline|fn|use|package|import|func)\b[^\n]*[;{("]/m, "source code: a compiler makes an object of it"],
  [/^[ \t]*\.(globl|global|text|data|section|file|intel_syntax)\b/m, "assembly: an assembler makes an object of it"],
];

/** What the file with these first bytes is; "" = nobody knows. */
export function foreignFile(head: Uint8Array): string {
  const text = latin1(head, 0, head.length);
  if (text.startsWith("\x7fELF") && head.length >= 20) return elf(head);
  return BEGINNINGS.find(([beginning]) => text.startsWith(beginning))?.[1] ?? "";
}

function elf(head: Uint8Array): string {
  const order = ORDERS[head[5]!] ?? "";
  const machine = order === "big-endian" ? (head[18]! << 8) | head[19]! : head[18]! | (head[19]! << 8);
  return `${WORDS[head[4]!] ?? ""} ${order} ELF for ${MACHINES[machine] ?? `machine ${machine}`}`.trim();
}

/** An input that was read as a script for want of a better idea, and is none: `message` says where the parser stopped. */
export function notAScript(message: ByteString, head: Uint8Array): ByteString {
  if (!message.includes(": unknown directive: ")) return message;
  const text = latin1(head, 0, head.length);
  const what = TEXTS.find(([pattern]) => pattern.test(text))?.[1];
  return `${message}\n>>> ${what === undefined ? "neither an object nor an archive: read as a linker script" : `it is ${what}`}`;
}
