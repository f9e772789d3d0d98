/**
 * What a copy relocation has to know of the shared object's variable: alignment, whether it was read-only, other names.
 *
 * Read from the file again when the first copy of an object is wanted, because few links have any. The surprise: an ELF
 * symbol does not say how its variable is aligned; its address and its section's alignment are the only hints.
 */
import { EHDR_BYTES, PF_W, PT_GNU_RELRO, PT_LOAD, SHN_ABS, SHN_LORESERVE, SHN_UNDEF, STB_LOCAL, STT_TLS, SYM_BYTES, VERSYM_HIDDEN } from "../../as-kernels/shared/elf.ts";
import type { Context, InputFile } from "../context.ts";
import { badShared } from "../diagnostics/input-messages.ts";
import { readEhdr } from "../elf/ehdr.ts";
import type { Phdr } from "../elf/phdr.ts";
import type { Shdr } from "../elf/shdr.ts";
import { stBind, stType } from "../elf/sym.ts";
import { OpenFile } from "./input-file.ts";
import { pushTo } from "../memory/lists.ts";
import { BadSharedObject, readProgramHeaders, readSectionHeaders } from "./shared-object.ts";

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

/** What is known of a shared object. */
interface Known {
  shdrs: Shdr[];
  phdrs: Phdr[];
  /** Copies that were asked for. */
  asked: number;
  /** Symbol indexes by st_value, once there are many copies; else null. */
  byValue: Map<number, number[]> | null;
}

/** From this copy of an object on, looking at all of its symbols each time would take longer than an index. */
const INDEXED_FROM = 8;

const knownOf = new WeakMap<InputFile, Known>();

/** For symbol `index` of the shared object in obj row `obj`. */
export function copyInfo(ctx: Context, obj: number, index: number): CopyInfo {
  const { arena, tables } = ctx;
  const symtab = tables.obj.symtab[obj]!;
  const at = symtab + index * SYM_BYTES;
  const value = arena.u64[(at + 8) >>> 3]!;
  const known = knownObject(ctx, ctx.inputs[tables.obj.fileId[obj]!]!);
  const { shdrs, phdrs } = known;
  return {
    align: alignment(value, shdrs[arena.u16[(at + 6) >>> 1]!]),
    size: Number(arena.u64[(at + 16) >>> 3]!),
    readOnly: phdrs.some((phdr) => isReadOnly(phdr) && value >= phdr.p_vaddr && value < phdr.p_vaddr + BigInt(phdr.p_memsz)),
    aliases: aliasesOf(ctx, obj, index, known),
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

function aliasesOf(ctx: Context, obj: number, index: number, known: Known): Alias[] {
  const { u32, u16, u8 } = ctx.arena;
  const { symtab, esymCount, firstGlobal, versym } = ctx.tables.obj;
  const own = symtab[obj]! + index * SYM_BYTES;
  const [low, high] = [u32[(own + 8) >>> 2]!, u32[(own + 12) >>> 2]!];
  const aliases: Alias[] = [];
  const visit = (other: number): void => {
    const at = symtab[obj]! + other * SYM_BYTES;
    if (u32[(at + 8) >>> 2] !== low || u32[(at + 12) >>> 2] !== high) return;
    const st_shndx = u16[(at + 6) >>> 1]!;
    const st_info = u8[at + 4]!;
    if (st_shndx === SHN_UNDEF || st_shndx === SHN_ABS || stType(st_info) === STT_TLS || stBind(st_info) === STB_LOCAL) return;
    aliases.push({ index: other, hidden: versym[obj] !== 0 && (u16[(versym[obj]! >>> 1) + other]! & VERSYM_HIDDEN) !== 0 });
  };
  if (++known.asked < INDEXED_FROM) {
    // Thousands, of which hardly any is called for.
    const [values, words] = [(symtab[obj]! + 8) >>> 2, SYM_BYTES >>> 2];
    const count = esymCount[obj]!;
    for (let other = firstGlobal[obj]!; other < count; other++) if (u32[values + other * words] === low) visit(other);
  } else {
    known.byValue ??= indexByValue(ctx, obj);
    known.byValue.get(valueKey(low, high))?.forEach(visit);
  }
  return aliases;
}

/** Equal for equal values; above 2^53 others may have the same. */
function valueKey(low: number, high: number): number {
  return high * 2 ** 32 + low;
}

function indexByValue({ arena: { u32 }, tables }: Context, obj: number): Map<number, number[]> {
  const { symtab, esymCount, firstGlobal } = tables.obj;
  const found = new Map<number, number[]>();
  for (let index = firstGlobal[obj]!; index < esymCount[obj]!; index++) {
    const at = symtab[obj]! + index * SYM_BYTES;
    const key = valueKey(u32[(at + 8) >>> 2]!, u32[(at + 12) >>> 2]!);
    pushTo(found, key, index);
  }
  return found;
}

function knownObject(ctx: Context, input: InputFile): Known {
  let made = knownOf.get(input);
  if (made === undefined) {
    const file = new OpenFile(ctx.host, ctx.sources[input.source]!, ctx.params.get("machine"));
    try {
      const ehdr = readEhdr(new DataView(file.head.buffer, 0, EHDR_BYTES));
      made = { shdrs: readSectionHeaders(file, ehdr).slice(0, SHN_LORESERVE), phdrs: readProgramHeaders(file, ehdr), asked: 0, byValue: null };
    } catch (error) {
      // Nobody has looked at the program headers of a shared object that has section headers.
      if (!(error instanceof BadSharedObject)) throw error;
      ctx.diag.error(badShared(input.path, error.message));
      made = { shdrs: [], phdrs: [], asked: 0, byValue: null };
    } finally {
      file.close();
    }
    knownOf.set(input, made);
  }
  return made;
}
