/**
 * The rest of the output file: linker-made sections, symbol table, headers. link.ts adds the build-id and gives the file its name.
 *
 * Every linker-made section gets exactly the bytes it promised; a section that is asked twice or writes elsewhere is a bug.
 */
import {
  EHDR_BYTES, ET_DYN, ET_EXEC, PF_X, PHDR_BYTES, PN_XNUM, PT_LOAD, SH_INFO, SH_LINK, SH_SIZE, SHDR_BYTES, SHF_EXECINSTR, SHF_INFO_LINK, SHN_LORESERVE, SHN_XINDEX, SHT_NOBITS,
} from "../../as-kernels/shared/elf.ts";
import { SYM_DEFINED, SYM_IN_OSEC, SYM_KIND_MASK } from "../../as-kernels/shared/abi.ts";
import { parseNumber } from "../args/option-row.ts";
import type { Context, OutputSection, Segment } from "../context.ts";
import { writeEhdr } from "../elf/ehdr.ts";
import { writePhdr } from "../elf/phdr.ts";
import { writeShdr } from "../elf/shdr.ts";
import type { OutputFile } from "../host/host.ts";
import { sectionsByName } from "./order-sections.ts";
import type { SyntheticSection } from "../synthetic/section.ts";
import { pageSizes } from "./segments.ts";

/** Writes larger than this are cut: fresh large writes are slow on some file systems. */
const WRITE_BYTES = 1 << 18;

function writeBytes(file: OutputFile, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; at += WRITE_BYTES) file.write(bytes.subarray(at, Math.min(at + WRITE_BYTES, bytes.length)), position + at);
}

const isSymbolTable = ({ symtab }: Context, section: SyntheticSection): boolean => Object.values(symtab.sections).includes(section);

/**
 * Writes the linker-made sections that are made in one go: those that wait for `relocate` (SyntheticSection.late, or because windows of other
 * members go over their place), or all others.
 */
export function writePlain(ctx: Context, file: OutputFile, late: boolean): void {
  const { arena, tables } = ctx;
  for (const osec of ctx.osecs) {
    const isShared = osec.ready === null && tables.osec.memberCount[osec.id]! > 0;
    let at = osec.sh_offset;
    for (const part of late ? [] : (osec.ready ?? [])) {
      writeBytes(file, part, at);
      at += part.length;
    }
    if (osec.sh_type === SHT_NOBITS) continue;
    for (const { section, offset } of osec.synthetic) {
      const bytes = section.size(ctx);
      if (bytes === 0 || section.writesItself === true || section.writeWindows !== undefined || isSymbolTable(ctx, section) || (section.late === true || isShared) !== late) continue;
      const mark = arena.mark();
      const at = arena.allocZeroed(bytes + 16);
      section.write(ctx, arena.bytes(at, bytes), at);
      writeBytes(file, arena.bytes(at, bytes), osec.sh_offset + offset);
      arena.release(mark);
    }
  }
}

/** Writes what is linker-made and was not written while `relocate` ran. */
export async function writeSynthetic(ctx: Context, file: OutputFile): Promise<void> {
  for (const osec of ctx.osecs) {
    if (osec.sh_type === SHT_NOBITS) continue;
    for (const { section, offset } of osec.synthetic) {
      if (section.writesItself !== true && section.size(ctx) > 0) await section.writeWindows?.(ctx, file.fd, osec.sh_offset + offset);
    }
  }
  const positionOf = (section: SyntheticSection): number => {
    // An input section or a script may share the output section, so the place is the entry's, not the section's.
    const osec = ctx.osecs.find((candidate) => candidate.id === section.osec)!;
    return osec.sh_offset + osec.synthetic.find((candidate) => candidate.section === section)!.offset;
  };
  await ctx.symtab.emit(ctx, file.fd, positionOf, () => writePlain(ctx, file, true));
}

/** Address where execution starts: --entry as symbol or number, else _start; 0 with a warning when there is none. */
export function entryAddress(ctx: Context): bigint {
  const { options, tables } = ctx;
  const name = options.entry || "_start";
  const id = ctx.lookup(name);
  if (id !== 0) {
    const kind = tables.sym.flags[id]! & SYM_KIND_MASK;
    if (kind === SYM_DEFINED || kind === SYM_IN_OSEC) return tables.sym.addr[id]!;
  }
  const number = parseNumber(options.entry);
  if (number !== undefined) return number;
  // Scripts made of --verbose say ENTRY(_start) of shared objects, too (glibc's).
  if (name !== "_start" || !options.shared) ctx.diag.warn({ code: "NO_ENTRY", text: `cannot find entry symbol ${name}; not setting start address`, symbol: name });
  return 0n;
}

export function elfHeader(ctx: Context): Uint8Array {
  const out = new Uint8Array(EHDR_BYTES);
  const { options } = ctx;
  const sections = options.z.nosectionheader ? 0 : ctx.osecs.length + 1;
  const names = sectionsByName(ctx.osecs).get(".shstrtab")?.index ?? 0;
  writeEhdr(new DataView(out.buffer), {
    osabi: ctx.osabi, abiVersion: 0, e_type: options.shared || options.pie ? ET_DYN : ET_EXEC, e_machine: ctx.arch.e_machine, e_entry: entryAddress(ctx),
    e_phoff: ctx.segments.length > 0 ? EHDR_BYTES : 0, e_shoff: sections > 0 ? ctx.sectionHeaders : 0, e_flags: 0,
    e_phentsize: PHDR_BYTES, e_phnum: Math.min(writtenSegments(ctx).length, PN_XNUM), e_shentsize: SHDR_BYTES,
    e_shnum: sections >= SHN_LORESERVE ? 0 : sections, e_shstrndx: names >= SHN_LORESERVE ? SHN_XINDEX : names,
  });
  return out;
}

/** Segments without a single byte in memory are left out (lld); their place among the headers stays empty. */
function writtenSegments(ctx: Context): Segment[] {
  return ctx.segments.filter((segment) => segment.p_type !== PT_LOAD || segment.p_memsz > 0);
}

export function programHeaders(ctx: Context): Uint8Array {
  const out = new Uint8Array(PHDR_BYTES * ctx.segments.length);
  const view = new DataView(out.buffer);
  writtenSegments(ctx).forEach((segment, i) => writePhdr(view, i * PHDR_BYTES, segment));
  return out;
}

/** sh_link and sh_info that linker-made sections name by role. */
function resolveLinks(ctx: Context, osec: OutputSection, sections: ReadonlyMap<string, OutputSection>): void {
  const index = (name: string) => sections.get(name)?.index ?? 0;
  for (const { section } of osec.synthetic) {
    if (section.link !== undefined) osec.sh_link = index(section.link);
    if (section.info === undefined) continue;
    osec.sh_info = typeof section.info === "number" ? section.info : index(section.info);
    const names = typeof section.info === "string" || (section.sh_flags & SHF_INFO_LINK) !== 0;
    // 0: a script has discarded what it tells of.
    if (names && osec.sh_info !== 0) osec.sh_flags |= SHF_INFO_LINK;
  }
  if (osec.name === ".symtab") osec.sh_info = ctx.symtab.locals;
}

export function sectionHeaders(ctx: Context): Uint8Array {
  const out = new Uint8Array(SHDR_BYTES * (ctx.osecs.length + 1));
  const view = new DataView(out.buffer);
  const byName = sectionsByName(ctx.osecs);
  const names = byName.get(".shstrtab")?.index ?? 0;
  const segments = writtenSegments(ctx).length;
  // gABI ch. 4 and 5: header 0 has counts that do not fit into the ELF header
  if (ctx.osecs.length + 1 >= SHN_LORESERVE) view.setBigUint64(SH_SIZE, BigInt(ctx.osecs.length + 1), true);
  if (names >= SHN_LORESERVE) view.setUint32(SH_LINK, names, true);
  if (segments >= PN_XNUM) view.setUint32(SH_INFO, segments, true);
  for (const osec of ctx.osecs) {
    resolveLinks(ctx, osec, byName);
    const { sh_name, sh_type, sh_flags, sh_addr, sh_offset, size, sh_link, sh_info, align, sh_entsize } = osec;
    writeShdr(view, osec.index * SHDR_BYTES, { sh_name, sh_type, sh_flags, sh_addr, sh_offset, sh_size: size, sh_link, sh_info, sh_addralign: 2 ** align, sh_entsize });
  }
  return out;
}

/** Larger gaps come from addresses somebody wrote, and stay holes of the file. */
const MAX_GAP = 1 << 20;

/** What lies between sections of a code segment is filled with traps, up to the end of its last page in the file. */
function fillGaps(ctx: Context, file: OutputFile): void {
  const trap = ctx.options.filler < 0 ? ctx.arch.codeFill : ctx.options.filler;
  for (const segment of ctx.segments) {
    if (segment.p_type !== PT_LOAD) continue;
    let end = 0;
    for (const osec of segment.sections) {
      const gap = osec.sh_offset - end;
      if (end > 0 && gap > 0 && gap < MAX_GAP && (osec.sh_flags & SHF_EXECINSTR) !== 0 && osec.sh_type !== SHT_NOBITS) {
        file.write(new Uint8Array(gap).fill(trap), end);
      }
      if (osec.sh_type !== SHT_NOBITS) end = osec.sh_offset + osec.size;
    }
    // -z separate-code: the rest of the last page of code, or what other segments of code, and those of scripts, leave of it.
    const tail = (segment.p_flags & PF_X) === 0 || ctx.options.z.separateCode === "none" || end === 0 ? 0 : -end & (pageSizes(ctx).max - 1);
    const free = tail === 0 ? 0 : Math.min(tail, nextContents(ctx, end) - end);
    if (free > 0) file.write(new Uint8Array(free).fill(trap), end);
  }
}

/** Offset of the first contents at or behind `offset`. */
function nextContents({ osecs, sectionHeaders }: Context, offset: number): number {
  let next = sectionHeaders >= offset ? sectionHeaders : Infinity;
  for (const { sh_offset, sh_type, size } of osecs) if (sh_type !== SHT_NOBITS && size > 0 && sh_offset >= offset) next = Math.min(next, sh_offset);
  return next;
}

/** --filler: what lies between sections, which themselves begin as zeros; windows of data fill what is between their members. */
export function fillOutput(ctx: Context, file: OutputFile): void {
  const bytes = new Uint8Array(WRITE_BYTES).fill(ctx.options.filler);
  let at = 0;
  const fillTo = (end: number): void => {
    for (; at < end; at = Math.min(end, at + WRITE_BYTES)) file.write(bytes.subarray(0, end - at), at);
  };
  for (const { sh_offset, size } of ctx.osecs.filter(({ sh_type }) => sh_type !== SHT_NOBITS).toSorted((a, b) => a.sh_offset - b.sh_offset)) {
    fillTo(sh_offset);
    at = Math.max(at, sh_offset + size);
  }
  fillTo(outputBytes(ctx));
}

/** -z separate-code: a last segment of code counts the traps in its last page, or other tools would cut them off (lld). */
function roundLastCode(ctx: Context): void {
  const last = ctx.segments.filter((segment) => segment.p_type === PT_LOAD).at(-1);
  if (last === undefined || (last.p_flags & PF_X) === 0 || ctx.options.z.separateCode === "none") return;
  // -N, scripts: zeros that follow the code stay zeros.
  if (last.p_memsz > last.p_filesz) return;
  const { max } = pageSizes(ctx);
  last.p_memsz = last.p_filesz = Math.ceil(last.p_filesz / max) * max;
}

/** Writes headers; the file is complete then, except for its build-id. */
export function writeHeaders(ctx: Context, file: OutputFile): void {
  if (ctx.options.binary) return;
  roundLastCode(ctx);
  file.write(elfHeader(ctx), 0);
  if (ctx.segments.length > 0) file.write(programHeaders(ctx), EHDR_BYTES);
  if (!ctx.options.z.nosectionheader) file.write(sectionHeaders(ctx), ctx.sectionHeaders);
  fillGaps(ctx, file);
}

/** Size of the finished file. */
export function outputBytes(ctx: Context): number {
  if (ctx.separatedEnd > 0) return ctx.separatedEnd;
  return ctx.options.z.nosectionheader || ctx.options.binary ? ctx.sectionHeaders : ctx.sectionHeaders + SHDR_BYTES * (ctx.osecs.length + 1);
}

