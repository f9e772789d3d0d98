/** What a file is that somebody brings, by its first bytes, and what there is to say about it before the linker has its turn. */

const BEGINNINGS = [["object", "\x7fELF"], ["archive", "!<arch>\n"], ["archive", "!<thin>\n"], ["object", "BC\xc0\xde"]] as const;

export type Kind = "object" | "archive" | "assembly" | "other";

/** Latin-1. */
const beginning = async (file: Blob): Promise<string> => String.fromCharCode(...new Uint8Array(await file.slice(0, 8).arrayBuffer()));

export async function kindOf(file: File): Promise<Kind> {
  if (/\.(?:s|S|asm)$/.test(file.name)) return "assembly";
  const text = await beginning(file);
  return BEGINNINGS.find(([, magic]) => text.startsWith(magic))?.[0] ?? "other";
}

/** Is it to be named on the command line? What is called an object is, whatever it is: the linker says what is wrong. */
export const isInput = (kind: Kind, name: string): boolean => kind !== "other" || /\.(?:o|a|so|lo)(?:\.\d+)*$/.test(name);

/** "" = nothing. */
export function remark(kind: Kind, { name, size }: File): string {
  if (kind !== "other") return "";
  if (size === 0) return isInput(kind, name) ? "" : `${name} is empty.`;
  if (/\.(?:c|cc|cpp|cxx|C|rs|go|f90|m)$/.test(name)) return `${name} is source code, and there is no compiler in this page: compile it elsewhere (gcc -O1 -c ${name}) and drop the object.`;
  if (/\.(?:zip|gz|xz|bz2|zst|deb|rpm|tgz)$/.test(name)) return `${name} is packed: unpack it and drop the objects and archives in it.`;
  if (isInput(kind, name)) return `${name} is neither an object nor an archive, whatever its name says.`;
  return `${name} is neither an object nor an archive, so the command line does not name it. If it is a linker script, add -T ${name}.`;
}
