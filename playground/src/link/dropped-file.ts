/** What a file is that somebody brings, by its first bytes, and what there is to say about it before the linker has its turn. */
import { foreignFile } from "../../../ts/diagnostics/foreign-file.ts";

const BEGINNINGS = [["object", "\x7fELF"], ["archive", "!<arch>\n"], ["thin archive", "!<thin>\n"], ["bitcode", "BC\xc0\xde"], ["bitcode", "\xde\xc0\x17\x0b"]] as const;

export type Kind = "object" | "archive" | "thin archive" | "bitcode" | "assembly" | "other";

/** `what`: of files that are none for this linker, "" where nothing is known. */
export interface Known {
  kind: Kind;
  what: string;
}

/** As many as tell a file by its beginning. */
const HEAD_BYTES = 20;
/** What a Blob gives in one piece. */
const MOST_BYTES = 2 ** 31 - 1;
/** More than this is assembled for seconds with every change, and the page waits. */
const MOST_ASSEMBLY_BYTES = 1_000_000;

export async function lookAt(file: File): Promise<Known> {
  if (/\.(?:s|S|asm)$/.test(file.name)) return { kind: "assembly", what: "" };
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const text = String.fromCharCode(...head);
  const kind = BEGINNINGS.find(([, magic]) => text.startsWith(magic))?.[0] ?? "other";
  return { kind, what: kind === "other" ? foreignFile(head) : "" };
}

/** Is it to be named on the command line? What is called an object is, whatever it is: the linker says what is wrong. */
export const isInput = (kind: Kind, name: string): boolean => kind !== "other" || /\.(?:o|a|so|lo)(?:\.\d+)*$/.test(name);

/** Why it cannot be taken; "" = it can. */
export function refusal({ kind }: Known, { name, size }: File): string {
  if (size > MOST_BYTES) return `${name} has ${(size / 1e9).toFixed(1)} GB: files of more than 2 GB cannot be read in a page.`;
  if (kind === "assembly" && size > MOST_ASSEMBLY_BYTES) return `${name} has ${(size / 1e6).toFixed(1)} MB, too much to be assembled in this page: assemble it elsewhere (gcc -c ${name}) and drop the object.`;
  return "";
}

/** "" = nothing. */
export function remark({ kind, what }: Known, { name, size }: File): string {
  if (kind === "bitcode") return `${name} is LLVM bitcode, and there is no compiler in this page: compile it without -flto.`;
  if (kind === "thin archive") return `${name} is a thin archive, which only names its members: drop those, too.`;
  if (kind !== "other") return "";
  if (size === 0) return `${name} is empty.`;
  if (/\.(?:c|cc|cpp|cxx|C|rs|go|f90|m)$/.test(name)) return `${name} is source code, and there is no compiler in this page: compile it elsewhere (gcc -O1 -c ${name}) and drop the object.`;
  if (/\.(?:zip|gz|xz|bz2|zst|deb|rpm|tgz)$/.test(name)) return `${name} is packed: unpack it and drop the objects and archives in it.`;
  if (what !== "") return `${name} is ${what}: this linker takes objects and archives for Linux on x86-64.`;
  if (isInput(kind, name)) return `${name} is neither an object nor an archive, whatever its name says.`;
  return `${name} is neither an object nor an archive, so the command line does not name it. If it is a linker script, add -T ${name}.`;
}
