/**
 * The rest of the output file: linker-made sections, symbol table, headers, build-id, and the commit under its name.
 *
 * Every linker-made section gets exactly the bytes it promised; a section that is asked twice or writes elsewhere is a bug.
 */
import {
  EHDR_BYTES, ELFCLASS64, ELFDATA2LSB, ET_DYN, ET_EXEC, EV_CURRENT, PF_X, PHDR_BYTES, PT_LOAD, SHDR_BYTES, SHF_EXECINSTR, SHF_INFO_LINK, SHN_LORESERVE, SHN_XINDEX, SHT_NOBITS,
} from "../../as-kernels/shared/elf.ts";
import { SYM_DEFINED, SYM_IN_OSEC, SYM_KIND_MASK } from "../../as-kernels/shared/abi.ts";
import type { Context, OutputSection, Segment } from "../context.ts";
import type { OutputFile } from "../host/host.ts";
import { sectionsByName } from "./order-sections.ts";
import type { SyntheticSection } from "../synthetic/section.ts";
import { pageSizes } from "./segments.ts";

/** Writes larger than this are cut: fresh large writes are slow on some file systems. */
const WRITE_BYTES = 1 << 18;
const TRAP = 0xcc;

function writeBytes(file: OutputFile, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; at += WRITE_BYTES) file.write(bytes.subarray(at, Math.min(at + WRITE_BYTES, bytes.length)), position + at);
}

const isSymbolTable = ({ symtab }: Context, section: SyntheticSection): boolean => Object.values(symtab.sections).includes(section);

/** Writes the linker-made sections that are made in one go: those that wait for `relocate` (SyntheticSection.late), or all others. */
export function writePlain(ctx: Context, file: OutputFile, late: boolean): void {
  const { arena } = ctx;
  for (const osec of ctx.osecs) {
    let at = osec.sh_offset;
    for (const part of late ? [] : (osec.ready ?? [])) {
      writeBytes(file, part, at);
      at += part.length;
    }
    if (osec.sh_type === SHT_NOBITS) continue;
    for (const { section, offset } of osec.synthetic) {
      const bytes = section.size(ctx);
      if (bytes === 0 || section.writesItself === true || section.writeWindows !== undefined || isSymbolTable(ctx, section) || (section.late === true) !== late) continue;
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
  if (/^(0[xX][0-9a-fA-F]+|[0-9]+)$/.test(options.entry)) return BigInt(options.entry);
  if (options.entry !== "" || !options.shared) ctx.diag.warn({ code: "NO_ENTRY", text: `cannot find entry symbol ${name}; not setting start address`, symbol: name });
  return 0n;
}

export function elfHeader(ctx: Context): Uint8Array {
  const out = new Uint8Array(EHDR_BYTES);
  const view = new DataView(out.buffer);
  const { options } = ctx;
  const sections = options.z.nosectionheader ? 0 : ctx.osecs.length + 1;
  const names = ctx.osecs.find((osec) => osec.name === ".shstrtab")?.index ?? 0;
  out.set([0x7f, 0x45, 0x4c, 0x46, ELFCLASS64, ELFDATA2LSB, EV_CURRENT, ctx.osabi]);
  view.setUint16(0x10, options.shared || options.pie ? ET_DYN : ET_EXEC, true);
  view.setUint16(0x12, ctx.arch.e_machine, true);
  view.setUint32(0x14, EV_CURRENT, true);
  view.setBigUint64(0x18, entryAddress(ctx), true);
  view.setBigUint64(0x20, BigInt(ctx.segments.length > 0 ? EHDR_BYTES : 0), true);
  view.setBigUint64(0x28, BigInt(sections > 0 ? ctx.sectionHeaders : 0), true);
  view.setUint16(0x34, EHDR_BYTES, true);
  view.setUint16(0x36, PHDR_BYTES, true);
  view.setUint16(0x38, writtenSegments(ctx).length, true);
  view.setUint16(0x3a, SHDR_BYTES, true);
  view.setUint16(0x3c, sections >= SHN_LORESERVE ? 0 : sections, true);
  view.setUint16(0x3e, names >= SHN_LORESERVE ? SHN_XINDEX : names, true);
  return out;
}

/** Segments without a single byte in memory are left out (lld); their place among the headers stays empty. */
function writtenSegments(ctx: Context): Segment[] {
  return ctx.segments.filter((segment) => segment.p_type !== PT_LOAD || segment.p_memsz > 0);
}

export function programHeaders(ctx: Context): Uint8Array {
  const out = new Uint8Array(PHDR_BYTES * ctx.segments.length);
  const view = new DataView(out.buffer);
  writtenSegments(ctx).forEach((segment, i) => {
    const at = i * PHDR_BYTES;
    view.setUint32(at, segment.p_type, true);
    view.setUint32(at + 4, segment.p_flags, true);
    view.setBigUint64(at + 8, BigInt(segment.p_offset), true);
    view.setBigUint64(at + 16, segment.p_vaddr, true);
    view.setBigUint64(at + 24, segment.p_paddr, true);
    view.setBigUint64(at + 32, BigInt(segment.p_filesz), true);
    view.setBigUint64(at + 40, BigInt(segment.p_memsz), true);
    view.setBigUint64(at + 48, BigInt(segment.p_align), true);
  });
  return out;
}

/** sh_link and sh_info that linker-made sections name by role. */
function resolveLinks(ctx: Context, osec: OutputSection, sections: ReadonlyMap<string, OutputSection>): void {
  const index = (name: string) => sections.get(name)?.index ?? 0;
  for (const { section } of osec.synthetic) {
    if (section.link !== undefined) osec.sh_link = index(section.link);
    if (typeof section.info === "number") osec.sh_info = section.info;
    else if (section.info !== undefined) {
      osec.sh_info = index(section.info);
      // 0: a script has discarded what it tells of.
      if (osec.sh_info !== 0) osec.sh_flags |= SHF_INFO_LINK;
    }
  }
  if (osec.name === ".symtab") osec.sh_info = ctx.symtab.locals;
}

export function sectionHeaders(ctx: Context): Uint8Array {
  const out = new Uint8Array(SHDR_BYTES * (ctx.osecs.length + 1));
  const view = new DataView(out.buffer);
  const byName = sectionsByName(ctx.osecs);
  const names = byName.get(".shstrtab")?.index ?? 0;
  // gABI ch. 4: counts that do not fit into the ELF header
  if (ctx.osecs.length + 1 >= SHN_LORESERVE) view.setBigUint64(0x20, BigInt(ctx.osecs.length + 1), true);
  if (names >= SHN_LORESERVE) view.setUint32(0x28, names, true);
  for (const osec of ctx.osecs) {
    resolveLinks(ctx, osec, byName);
    const at = osec.index * SHDR_BYTES;
    view.setUint32(at, osec.sh_name, true);
    view.setUint32(at + 4, osec.sh_type, true);
    view.setBigUint64(at + 8, BigInt(osec.sh_flags >>> 0), true);
    view.setBigUint64(at + 16, osec.sh_addr, true);
    view.setBigUint64(at + 24, BigInt(osec.sh_offset), true);
    view.setBigUint64(at + 32, BigInt(osec.size), true);
    view.setUint32(at + 40, osec.sh_link, true);
    view.setUint32(at + 44, osec.sh_info, true);
    view.setBigUint64(at + 48, 1n << BigInt(osec.align), true);
    view.setBigUint64(at + 56, BigInt(osec.sh_entsize), true);
  }
  return out;
}

/** What lies between sections of a code segment is filled with traps, up to the end of its last page in the file. */
function fillGaps(ctx: Context, file: OutputFile): void {
  const trap = ctx.options.filler < 0 ? TRAP : ctx.options.filler;
  for (const segment of ctx.segments) {
    if (segment.p_type !== PT_LOAD) continue;
    let end = 0;
    for (const osec of segment.sections) {
      const gap = osec.sh_offset - end;
      if (end > 0 && gap > 0 && gap < 1 << 20 && (osec.sh_flags & SHF_EXECINSTR) !== 0 && osec.sh_type !== SHT_NOBITS) {
        file.write(new Uint8Array(gap).fill(trap), end);
      }
      if (osec.sh_type !== SHT_NOBITS) end = osec.sh_offset + osec.size;
    }
    // -z separate-code: nothing else is in the last page of code, and offsets behind it begin at a page.
    const tail = (segment.p_flags & PF_X) === 0 || ctx.options.z.separateCode === "none" || end === 0 ? 0 : -end & (pageSizes(ctx).max - 1);
    if (tail > 0) file.write(new Uint8Array(tail).fill(trap), end);
  }
}

/** --filler: before anything is written; windows of data fill what is between their members themselves. */
export function fillOutput(ctx: Context, file: OutputFile): void {
  const bytes = new Uint8Array(WRITE_BYTES).fill(ctx.options.filler);
  const end = outputBytes(ctx);
  for (let at = 0; at < end; at += WRITE_BYTES) file.write(bytes.subarray(0, Math.min(WRITE_BYTES, end - at)), at);
}

/** -z separate-code: a last segment of code counts the traps in its last page, or other tools would cut them off (lld). */
function roundLastCode(ctx: Context): void {
  const last = ctx.segments.filter((segment) => segment.p_type === PT_LOAD).at(-1);
  if (last === undefined || (last.p_flags & PF_X) === 0 || ctx.options.z.separateCode === "none") return;
  const { max } = pageSizes(ctx);
  last.p_filesz = last.p_memsz = Math.ceil(last.p_filesz / max) * max;
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

