/**
 * What tests of layout scripts share: tiny freestanding programs, and looking at what became of them.
 */
import { ElfFile } from "./dump.ts";
import type { Workspace } from "./link.ts";

/** Exits with the value of `expression`. */
export const EXITS = (expression: string, declarations = ""): string =>
  `${declarations}\nvoid _start(void) { long r = (${expression}); __asm__ volatile("syscall" : : "a"(60L), "D"(r)); __builtin_unreachable(); }`;
export const FLAGS = "-O1 -fno-pie -ffreestanding -fno-asynchronous-unwind-tables -ffunction-sections";

export const symbol = (elf: ElfFile, name: string): number => {
  const found = elf.symtab().find((entry) => entry.name === name);
  if (!found) throw new Error(`no symbol ${name}`);
  return found.value;
};
export const has = (elf: ElfFile, name: string): boolean => elf.symtab().some((entry) => entry.name === name);
/** Unlike w.elf: a script may put segments of different permissions on one page. */
export const image = (w: Workspace, name: string): ElfFile => new ElfFile(w.bytes(name));
export const names = (elf: ElfFile): string[] => elf.shdrs.map((shdr) => shdr.name);
export const bytes = (elf: ElfFile, name: string): number[] => [...elf.content(name)];
