/**
 * What a copy relocation has to know of the shared object's variable: alignment, whether it was read-only, other names.
 *
 * Read from the file again when the first copy of an object is wanted, because few links have any. The surprise: an ELF
 * symbol does not say how its variable is aligned; its address and its section's alignment are the only hints.
 */
import { EHDR_BYTES, PF_W, PT_GNU_RELRO, PT_LOAD, SHN_ABS, SHN_LORESERVE, SHN_UNDEF, STB_LOCAL, STT_TLS, SYM_BYTES, VERSYM_HIDDEN } from "../../as-kernels/shared/elf.ts";
import type { Context, InputFile } from "../context.ts";
import { readEhdr } from "../elf/ehdr.ts";
import type { Phdr } from "../elf/phdr.ts";
import type { Shdr } from "../elf/shdr.ts";
import { stBind, stType } from "../elf/sym.ts";
import { OpenFile } from "./input-file.ts";
import { readProgramHeaders, readSectionHeaders } from "./shared-object.ts";

export interface CopyInfo {
  /** log2 of the alignment the copy needs; -1 = nothing tells, a copy is impossible. */
  align: number;
  /** st_size; 0 makes a copy impossible. */
  size: number;
  /** The variable was in a read-only or RELRO segment: its copy belongs into .bss.rel.ro. */
  readOnly: boolean;
  /** All definitions at the same address in this object, itself included, by ascending symbol index. */
  aliases: Alias[];
}

export interface Alias {
  index: number;
  /** Found only by those who ask for its version. */
  hidden: boolean;
}

interface Headers {
  shdrs: Shdr[];
  phdrs: Phdr[];
}

const headersOf = new WeakMap<InputFile, Headers>();

/** For symbol `index` of the shared object in obj row `obj`. */
export function copyInfo(ctx: Context, obj: number, index: number): CopyInfo {
  const { arena, tables } = ctx;
  const symtab = tables.obj.symtab[obj]!;
  const at = symtab + index * SYM_BYTES;
  const value = arena.u64[(at + 8) >>> 3]!;
  const { shdrs, phdrs } = headers(ctx, ctx.inputs[tables.obj.fileId[obj]!]!);
  return {
    align: alignment(value, shdrs[arena.u16[(at + 6) >>> 1]!]),
    size: Number(arena.u64[(at + 16) >>> 3]!),
    readOnly: phdrs.some((phdr) => isReadOnly(phdr) && value >= phdr.p_vaddr && value < phdr.p_vaddr + BigInt(phdr.p_memsz)),
    aliases: aliasesAt(ctx, obj, at),
  };
}

/** The largest power of two that divides the address, at most the section's alignment. */
function alignment(value: bigint, section: Shdr | undefined): number {
  let log2 = -1;
  if (value !== 0n) for (log2 = 0; log2 < 31 && (value >> BigInt(log2)) % 2n === 0n; ) log2++;
  if (section === undefined || section.sh_type === 0) return log2;
  const ofSection = Math.floor(Math.log2(Math.max(1, section.sh_addralign)));
  return log2 < 0 ? ofSection : Math.min(log2, ofSection);
}

function isReadOnly(phdr: Phdr): boolean {
  return phdr.p_type === PT_GNU_RELRO || (phdr.p_type === PT_LOAD && (phdr.p_flags & PF_W) === 0);
}

function aliasesAt(ctx: Context, obj: number, at: number): Alias[] {
  const { u32, u16, u8 } = ctx.arena;
  const { symtab, esymCount, firstGlobal, versym } = ctx.tables.obj;
  const low = u32[(at + 8) >>> 2]!;
  const high = u32[(at + 12) >>> 2]!;
  const aliases: Alias[] = [];
  const end = symtab[obj]! + esymCount[obj]! * SYM_BYTES;
  // Copies are few, and this looks at one word of each dynamic symbol.
  for (let other = symtab[obj]! + firstGlobal[obj]! * SYM_BYTES; other < end; other += SYM_BYTES) {
    if (u32[(other + 8) >>> 2] !== low || u32[(other + 12) >>> 2] !== high) continue;
    const st_shndx = u16[(other + 6) >>> 1]!;
    const st_info = u8[other + 4]!;
    if (st_shndx === SHN_UNDEF || st_shndx === SHN_ABS || stType(st_info) === STT_TLS || stBind(st_info) === STB_LOCAL) continue;
    const index = (other - symtab[obj]!) / SYM_BYTES;
    aliases.push({ index, hidden: versym[obj] !== 0 && (u16[(versym[obj]! >>> 1) + index]! & VERSYM_HIDDEN) !== 0 });
  }
  return aliases;
}

function headers(ctx: Context, input: InputFile): Headers {
  let made = headersOf.get(input);
  if (made === undefined) {
    const file = new OpenFile(ctx.host, ctx.sources[input.source]!, ctx.params.get("machine"));
    try {
      const ehdr = readEhdr(new DataView(file.head.buffer, 0, EHDR_BYTES));
      made = { shdrs: readSectionHeaders(file, ehdr).slice(0, SHN_LORESERVE), phdrs: readProgramHeaders(file, ehdr) };
    } finally {
      file.close();
    }
    headersOf.set(input, made);
  }
  return made;
}
