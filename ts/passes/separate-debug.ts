/**
 * --separate-debug-file: debug information goes to a file of its own, which the output names in .gnu_debuglink (GDB's manual, Debugging
 * Information in Separate Files).
 *
 * Both come from one layout: what belongs to the debug file has the last section numbers and lies behind everything else, so that
 * the numbers that symbols speak of hold in both files. It is written where it would be without the option, copied from there, and cut off. The
 * debug file has the headers of all other sections, too, as objcopy --only-keep-debug leaves them: without contents, but for notes.
 */
import { EHDR_BYTES, PHDR_BYTES, PT_LOAD, PT_NOTE, SHDR_BYTES, SHF_ALLOC, SHT_NOBITS, SHT_NOTE, SHT_PROGBITS } from "../../as-kernels/shared/elf.ts";
import type { ByteString, LinkOptions } from "../args/link-options.ts";
import type { Context, OutputSection, Segment } from "../context.ts";
import { alignUp } from "../elf/align.ts";
import type { OutputFile } from "../host/host.ts";
import { setRows } from "../memory/table.ts";
import { SectionBase, type SyntheticSection } from "../synthetic/section.ts";
import { Crc32Writer } from "./crc32.ts";
import { elfHeader, programHeaders, sectionHeaders } from "./finish-output.ts";
import { newOutputSection } from "./order-sections.ts";
import { isAlloc } from "./segments.ts";

/** Bytes copied at once. */
const COPY_BYTES = 1 << 20;
const CRC_BYTES = 4;

/** The path of the debug file; "\0" stands for the one beside the output. */
export function debugPath({ separateDebug, output }: LinkOptions): ByteString {
  return separateDebug === "\0" ? `${output}.dbg` : separateDebug;
}

function isDebug(ctx: Context, { name, sh_flags }: OutputSection): boolean {
  if ((sh_flags & SHF_ALLOC) !== 0) return false;
  if (/^(\.rela)?\.z?debug_|^\.gdb_index$|^\.stab/.test(name)) return true;
  // --strip-all is about the output.
  return ctx.options.stripsOutput && /^\.(symtab(_shndx)?|strtab)$/.test(name);
}

/** Name of the debug file and the CRC-32 of its contents, which is written last. */
class DebugLink extends SectionBase implements SyntheticSection {
  readonly name = ".gnu_debuglink";
  readonly sh_type = SHT_PROGBITS;
  readonly sh_flags = 0;
  readonly align = 2;

  isNeeded(): boolean {
    return true;
  }

  size(ctx: Context): number {
    return alignUp(this.text(ctx).length + 1, 4) + CRC_BYTES;
  }

  write(ctx: Context, out: Uint8Array): void {
    const text = this.text(ctx);
    for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  }

  private text(ctx: Context): ByteString {
    return debugPath(ctx.options).replace(/.*\//s, "");
  }
}

/** A new one, which under a script is an orphan. */
function outputSectionOf(ctx: Context, section: SyntheticSection): OutputSection {
  const entry = { section, offset: 0 };
  const place = ctx.plan?.add(section.name);
  let osec = place?.section.osec;
  if (place !== undefined) {
    place.section.hasInputs = true;
    place.part.synthetic.push(entry);
  }
  if (osec === undefined) {
    const id = ctx.tables.osec.rows;
    setRows(ctx.tables, "osec", id + 1);
    osec = newOutputSection(id, section.name, section.sh_type, section.sh_flags);
  }
  osec.synthetic.push(entry);
  osec.sh_type = section.sh_type;
  osec.align = section.align;
  osec.size = section.size(ctx);
  section.osec = osec.id;
  return osec;
}

/** End of create-synthetic: the debug file's sections get the last numbers, but for .gnu_debuglink. */
export function separateDebug(ctx: Context): void {
  const { tables } = ctx;
  const section = new DebugLink();
  const link = outputSectionOf(ctx, section);
  const debug = ctx.osecs.filter((osec) => isDebug(ctx, osec));
  ctx.osecs = [...ctx.osecs.filter((osec) => !isDebug(ctx, osec)), ...debug, link];
  ctx.osecs.forEach((osec, i) => {
    osec.index = i + 1;
    tables.osec.index[osec.id] = i + 1;
  });
}

/** In place of placeNotLoaded: the output's own sections, its section headers, and then what will be cut off. */
export function placeSeparated(ctx: Context, from: number): void {
  let offset = from;
  const place = (osec: OutputSection): void => {
    osec.sh_offset = alignUp(offset, 2 ** osec.align);
    if (osec.sh_type !== SHT_NOBITS) offset = osec.sh_offset + osec.size;
  };
  const sections = ctx.osecs.filter((osec) => !isAlloc(osec));
  const own = sections.filter((osec) => !isDebug(ctx, osec));
  own.forEach(place);
  ctx.sectionHeaders = alignUp(offset, 8);
  offset = ctx.sectionHeaders + SHDR_BYTES * (ctx.osecs.length + 1);
  for (const osec of sections) if (!own.includes(osec)) place(osec);
  ctx.separatedEnd = offset;
}

/** Before the output's headers are written: returns what is not the output's. */
export function takeDebug(ctx: Context): OutputSection[] {
  const debug = ctx.osecs.filter((osec) => isDebug(ctx, osec));
  ctx.osecs = ctx.osecs.filter((osec) => !debug.includes(osec));
  ctx.osecs.at(-1)!.index = ctx.osecs.length;
  return debug;
}

/** When the output is complete: writes the debug file from it, and the debug file's check sum into it, which is cut there. */
export function writeDebugFile(ctx: Context, output: OutputFile, debug: readonly OutputSection[]): void {
  const link = ctx.osecs.at(-1)!;
  const length = ctx.sectionHeaders + SHDR_BYTES * (ctx.osecs.length + 1);
  const [osecs, segments, headers] = [ctx.osecs, ctx.segments, ctx.sectionHeaders];
  const originals = [...osecs.slice(0, -1), ...debug];
  const headerBytes = EHDR_BYTES + PHDR_BYTES * segments.length;
  let offset = headerBytes;
  const kept = originals.map((osec): OutputSection => {
    const copy = { ...osec };
    if (osec.sh_type !== SHT_NOTE && isAlloc(osec)) copy.sh_type = SHT_NOBITS;
    copy.sh_offset = alignUp(offset, 2 ** osec.align);
    if (copy.sh_type !== SHT_NOBITS) offset = copy.sh_offset + copy.size;
    return copy;
  });
  const names = kept.map((osec, i) => ({ ...osec, index: i + 1 }));
  try {
    ctx.osecs = names;
    ctx.segments = segments.map((segment) => emptied(segment, headerBytes, originals, names));
    ctx.sectionHeaders = alignUp(offset, 8);
    const bytes = ctx.sectionHeaders + SHDR_BYTES * (names.length + 1);
    const file = ctx.host.createSideFile(debugPath(ctx.options), bytes);
    try {
      const check = new Crc32Writer(file, bytes);
      check.write(elfHeader(ctx), 0);
      if (segments.length > 0) check.write(programHeaders(ctx), EHDR_BYTES);
      const buffer = new Uint8Array(COPY_BYTES);
      names.forEach((osec, i) => {
        if (osec.sh_type === SHT_NOBITS) return;
        for (let at = 0; at < osec.size; ) {
          const part = buffer.subarray(0, Math.min(COPY_BYTES, osec.size - at));
          const got = output.read(part, originals[i]!.sh_offset + at);
          if (got <= 0) throw new Error("the output is shorter than its sections");
          check.write(part.subarray(0, got), osec.sh_offset + at);
          at += got;
        }
      });
      check.write(sectionHeaders(ctx), ctx.sectionHeaders);
      output.write(check.digest(), link.sh_offset + link.size - CRC_BYTES);
      file.commit();
    } catch (error) {
      file.abort();
      throw error;
    }
  } finally {
    [ctx.osecs, ctx.segments, ctx.sectionHeaders] = [osecs, segments, headers];
  }
  output.truncate(length);
}

/** A program header of the debug file: nothing of the memory image is in it, but for headers and notes. */
function emptied(segment: Segment, headers: number, originals: readonly OutputSection[], copies: readonly OutputSection[]): Segment {
  if (segment.heads !== 0) return { ...segment, p_filesz: Math.min(segment.p_filesz, headers - segment.p_offset) };
  const first = segment.sections[0];
  const note = segment.p_type === PT_NOTE && first !== undefined ? copies[originals.indexOf(first)] : undefined;
  if (note !== undefined) return { ...segment, p_offset: note.sh_offset };
  const p_offset = segment.p_type === PT_LOAD && segment.p_align > 1 ? Number(segment.p_vaddr % BigInt(segment.p_align)) : 0;
  return { ...segment, p_offset, p_filesz: 0 };
}
