/**
 * -r: the passes that make one object file out of many, from bound sections to section header table.
 *
 * Takes over from link.ts once symbols are resolved; nothing is folded or given an address, so of the later passes of a normal link only
 * merge-pieces runs. Under a script with SECTIONS, relocatable-script.ts binds what it names. As lld: sections of one name, type, flags and
 * entry size are joined, equal strings and constants merged, members of a group stay alone. Unlike lld, commons stay commons,
 * .note.gnu.property is merged by meaning, and .eh_frame survives --gc-sections.
 */
import { SYM_ROOT } from "../../../as-kernels/shared/abi.ts";
import {
  EHDR_BYTES, ELFOSABI_GNU, ET_REL, SHDR_BYTES, SHF_ALLOC, SHF_EXECINSTR, SHN_LORESERVE, SHN_XINDEX, SHT_NOTE, SHT_PROGBITS, SHT_STRTAB, SHT_SYMTAB, SHT_SYMTAB_SHNDX,
  SYM_BYTES,
} from "../../../as-kernels/shared/elf.ts";
import type { Context, OutputSection } from "../../context.ts";
import { alignUp } from "../../elf/align.ts";
import { writeEhdr } from "../../elf/ehdr.ts";
import { writeShdr } from "../../elf/shdr.ts";
import type { OutputFile } from "../../host/host.ts";
import { slotsFor } from "../../memory/rows.ts";
import { allocTable, setRows } from "../../memory/table.ts";
import type { Plan } from "../../script/plan.ts";
import { BuildIdSection } from "../../synthetic/build-id.ts";
import { NotePropertySection } from "../../synthetic/note-property.ts";
import { HEADERS_OSEC } from "../bind-sections.ts";
import { digestedOutput } from "../digest-output.ts";
import { entryAddress } from "../finish-output.ts";
import { markLive } from "../mark-live.ts";
import { mergePieces } from "../merge-pieces.ts";
import { bindRelocatableScript, layoutRelocatableScript } from "./relocatable-script.ts";
import { compressRelocatable, wantsCompression, writeStored } from "./relocatable-compressed.ts";
import { RelocatableSymbols } from "./relocatable-symbols.ts";
import { evaluateByAddress } from "../plain-assignments.ts";
import { resolveAddresses } from "../resolve-addresses.ts";
import { writeScriptBytes } from "../script/script-output.ts";
import { wantsExecutableStack } from "../segments.ts";
import { keepScriptSections } from "../script/script-sections.ts";
import { splitPieces } from "../split-pieces.ts";
import { uniqueRows } from "../unique-sections.ts";
import { writeContents, writeRelocations } from "./write-relocatable.ts";

/** A section that the linker makes, behind those of the inputs. */
interface Extra {
  name: string;
  type: number;
  flags: number;
  /** log2 */
  align: number;
  entsize: number;
  size: number;
  /** Name of the section sh_link means, "" = none. */
  link: string;
  info: number;
  /** Given in layout. */
  index: number;
  offset: number;
  sh_name: number;
}

const GROUP_NAME = ".group";

/** GNU ld refuses as well: nothing would be left. */
function checkRoots(ctx: Context): void {
  const { options, tables } = ctx;
  if (!options.gcSections) return;
  const names = [options.entry, ...options.undefined, ...options.requireDefined];
  if (names.some((name) => (tables.sym.flags[ctx.lookup(name)]! & SYM_ROOT) !== 0)) return;
  ctx.diag.error({ code: "BAD_OPTION", text: "-r and --gc-sections need a symbol to start from: give one with -e or -u" });
  ctx.diag.throwIfErrors();
}

export class RelocatableOutput {
  private readonly symbols = new RelocatableSymbols();
  private readonly extras: Extra[] = [];
  private readonly property = new NotePropertySection();
  private readonly buildId = new BuildIdSection();
  private plan: Plan | null = null;
  /** Compressed sections, by row. */
  private stored: OutputSection[] = [];
  /** First osec row that is not of a script. */
  private firstOrphan = HEADERS_OSEC + 1;
  private sections = 0;
  private groups = 0;
  private groupBytes = 0;
  private groupsFrom = 0;
  private relasFrom = 0;
  private headersAt = 0;
  private nameBytes = 0;

  /** Size of the file. */
  get bytes(): number {
    return this.headersAt + this.sections * SHDR_BYTES;
  }

  /** Everything up to the layout. `run` times a pass. */
  async build(ctx: Context, run: (name: string, pass: () => void | Promise<void>) => Promise<void>): Promise<void> {
    checkRoots(ctx);
    await run("split-pieces", () => splitPieces(ctx));
    ctx.checkIssues();
    await run("mark-live", () => {
      keepScriptSections(ctx);
      return markLive(ctx);
    });
    await run("bind-sections", () => this.bind(ctx));
    await run("merge-pieces", () => mergePieces(ctx));
    await run("count-symbols", () => this.symbols.count(ctx));
    await run("assign-offsets", () => this.layout(ctx));
    await run("resolve-addresses", async () => {
      await resolveAddresses(ctx);
      if (ctx.script !== null && this.plan === null) evaluateByAddress(ctx, ctx.script);
    });
    if (wantsCompression(ctx)) await run("compress-sections", () => this.compress(ctx));
    ctx.osecs = describeOutputs(ctx);
    ctx.diag.throwIfErrors();
  }

  private bind(ctx: Context): void {
    const { tables, arena, kernels } = ctx;
    const rows = tables.isec.rows;
    kernels.forgetUnwind(1, rows);
    if (ctx.script?.hasSections === true) this.plan = bindRelocatableScript(ctx, ctx.script);
    const capacity = this.plan === null ? rows + HEADERS_OSEC + 1 : tables.rout.rows;
    if (this.plan === null) {
      for (const name of ["osec", "rout"] as const) allocTable(arena, tables, name, capacity);
      allocTable(arena, tables, "member", rows + 1);
    } else this.firstOrphan = tables.osec.rows;
    const firstMember = this.plan === null ? 1 : tables.member.rows;
    setRows(tables, "osec", capacity);
    setRows(tables, "member", rows + 1);
    const mark = arena.mark();
    const unique = uniqueRows(ctx);
    const slots = slotsFor(capacity);
    const table = arena.allocZeroed(slots * 4);
    let count = this.firstOrphan;
    for (const linked of [0, 1]) count = kernels.bindRelocatable(1, rows, linked, unique, ctx.options.dissolveGroups ? 1 : 0, table, slots, count);
    const cursors = arena.allocZeroed(count * 4);
    const members = kernels.baseMembers(this.firstOrphan, count, firstMember, cursors);
    kernels.fillMembers(1, rows, cursors);
    arena.release(mark);
    setRows(tables, "osec", count);
    setRows(tables, "rout", count);
    setRows(tables, "member", members);
    if (!ctx.options.dissolveGroups) this.placeGroups(ctx);
  }

  /** Which groups there will be, before symbols are counted: assemblers define local signatures in the group itself. */
  private placeGroups(ctx: Context): void {
    for (const o of ctx.objects) {
      if (ctx.tables.obj.groupCount[o] === 0) continue;
      this.groups += ctx.kernels.placeGroups(o, this.groupBytes);
      this.groupBytes += ctx.kernels.groupBytes(o);
    }
  }

  /** File: header, contents, groups, relocations, linker-made sections, section headers. Header table: a group before its members. */
  private layout(ctx: Context): void {
    const { kernels } = ctx;
    if (ctx.script !== null && this.plan !== null) layoutRelocatableScript(ctx, ctx.script, this.plan);
    const end = kernels.layoutOutputs(this.firstOrphan, EHDR_BYTES);
    const index = kernels.numberOutputs(this.firstOrphan, 1);
    this.addExtras(ctx, index);
    this.sections = index + this.extras.length;
    this.extras.forEach((extra, i) => (extra.index = index + i));
    this.placeRest(ctx, end);
  }

  /** What lies behind the contents, which end at `end`. */
  private placeRest(ctx: Context, end: number): void {
    this.groupsFrom = alignUp(end, 4);
    this.relasFrom = alignUp(this.groupsFrom + this.groupBytes, 8);
    let at = ctx.kernels.layoutRelas(this.relasFrom);
    for (const extra of this.extras) {
      extra.offset = at = alignUp(at, 2 ** extra.align);
      at += extra.size;
    }
    this.headersAt = alignUp(at, 8);
  }

  private async compress(ctx: Context): Promise<void> {
    this.stored = await compressRelocatable(ctx, this.plan);
    this.placeRest(ctx, ctx.kernels.layoutOutputs(ctx.tables.osec.rows, EHDR_BYTES));
  }

  private addExtras(ctx: Context, index: number): void {
    const { property, buildId, symbols } = this;
    const add = (name: string, type: number, size: number, more: Partial<Extra> = {}) =>
      this.extras.push({ name, type, flags: 0, align: 0, entsize: 0, size, link: "", info: 0, index: 0, offset: 0, sh_name: 0, ...more });
    if (property.isNeeded(ctx)) add(property.name, SHT_NOTE, property.size(ctx), { flags: SHF_ALLOC, align: property.align });
    if (buildId.isNeeded(ctx)) add(buildId.name, SHT_NOTE, buildId.size(ctx), { flags: SHF_ALLOC, align: buildId.align });
    add(".note.GNU-stack", SHT_PROGBITS, 0, { flags: ctx.options.z.execstack ?? wantsExecutableStack(ctx) ? SHF_EXECINSTR : 0 });
    add(".symtab", SHT_SYMTAB, symbols.entries * SYM_BYTES, { align: 3, entsize: SYM_BYTES, link: ".strtab", info: symbols.locals });
    if (index + 8 >= SHN_LORESERVE) add(".symtab_shndx", SHT_SYMTAB_SHNDX, symbols.entries * 4, { align: 2, entsize: 4, link: ".symtab" });
    add(".shstrtab", SHT_STRTAB, 0);
    add(".strtab", SHT_STRTAB, symbols.nameBytes);
    let at = 1 + this.groupName.length;
    for (const extra of this.extras) {
      extra.sh_name = at;
      at += extra.name.length + 1;
    }
    this.nameBytes = at + ctx.kernels.nameOutputs(at, 0);
    this.extra(".shstrtab")!.size = this.nameBytes;
  }

  /** In the name table; "" when there is no group. */
  private get groupName(): string {
    return this.groups > 0 ? GROUP_NAME + "\0" : "";
  }

  private extra(name: string): Extra | undefined {
    return this.extras.find((extra) => extra.name === name);
  }

  /** Writes the whole file; symbols first, because relocations and groups need their indexes. */
  async write(ctx: Context, plain: OutputFile): Promise<void> {
    const { arena } = ctx;
    const file = digestedOutput(ctx, plain);
    const put = (name: string, address: number) => {
      const extra = this.extra(name)!;
      file.write(arena.bytes(address, extra.size), extra.offset);
    };
    const wide = this.extra(".symtab_shndx") !== undefined;
    const symbols = await this.symbols.emit(ctx, wide);
    put(".symtab", symbols.symtab);
    put(".strtab", symbols.strtab);
    if (wide) put(".symtab_shndx", symbols.shndx);
    put(".shstrtab", this.names(ctx));
    for (const note of [this.property, this.buildId]) {
      const extra = this.extra(note.name);
      if (extra === undefined) continue;
      const at = arena.allocZeroed(extra.size);
      note.write(ctx, arena.bytes(at, extra.size));
      put(note.name, at);
    }
    await writeContents(ctx, file.fd, this.stored.map(({ id }) => id));
    if (this.stored.length > 0) writeStored(ctx, this.stored, file);
    if (this.plan !== null) this.writeScriptData(ctx, this.plan, file);
    await writeRelocations(ctx, file.fd, this.relasFrom);
    const gnuAbi = this.writeHeaders(ctx, file) || symbols.gnuAbi;
    file.write(this.elfHeader(ctx, gnuAbi), 0);
    const id = this.extra(this.buildId.name);
    if (id !== undefined) await this.buildId.finishAt(ctx, file, this.bytes, id.offset);
  }

  private writeScriptData(ctx: Context, plan: Plan, file: OutputFile): void {
    for (const { osec } of plan.sections) osec.sh_offset = ctx.tables.osec.offset[osec.id]!;
    writeScriptBytes(ctx, plan, file);
  }

  private names(ctx: Context): number {
    const { arena } = ctx;
    const text = "\0" + this.groupName + this.extras.map((extra) => extra.name + "\0").join("");
    const at = arena.alloc(this.nameBytes + 16);
    arena.setString(at, text);
    ctx.kernels.nameOutputs(text.length, at + text.length);
    return at;
  }

  /** Section headers and group contents. True: a section needs the GNU OS/ABI. */
  private writeHeaders(ctx: Context, file: OutputFile): boolean {
    const { arena, kernels } = ctx;
    const bytes = this.sections * SHDR_BYTES;
    const shdrs = arena.allocZeroed(bytes + 16, 16);
    const groups = arena.alloc(this.groupBytes + 16);
    const symtab = this.extra(".symtab")!.index;
    const gnuAbi = kernels.outputHeaders(shdrs, symtab) !== 0;
    for (const o of ctx.objects) {
      if (ctx.tables.obj.groupCount[o] !== 0) kernels.writeGroups(o, shdrs, 1, symtab, groups, this.groupsFrom);
    }
    const view = new DataView(arena.memory.buffer, shdrs, bytes);
    for (const extra of this.extras) {
      writeShdr(view, extra.index * SHDR_BYTES, {
        sh_name: extra.sh_name, sh_type: extra.type, sh_flags: extra.flags, sh_addr: 0n, sh_offset: extra.offset, sh_size: extra.size,
        sh_link: this.extra(extra.link)?.index ?? 0, sh_info: extra.info, sh_addralign: 2 ** extra.align, sh_entsize: extra.entsize,
      });
    }
    // gABI ch. 4: counts that do not fit into the ELF header
    const names = this.extra(".shstrtab")!.index;
    if (this.sections >= SHN_LORESERVE) view.setBigUint64(0x20, BigInt(this.sections), true);
    if (names >= SHN_LORESERVE) view.setUint32(0x28, names, true);
    file.write(arena.bytes(shdrs, bytes), this.headersAt);
    if (this.groupBytes > 0) file.write(arena.bytes(groups, this.groupBytes), this.groupsFrom);
    return gnuAbi;
  }

  private elfHeader(ctx: Context, gnuAbi: boolean): Uint8Array {
    const out = new Uint8Array(EHDR_BYTES);
    const names = this.extra(".shstrtab")!.index;
    writeEhdr(new DataView(out.buffer), {
      osabi: ctx.osabi || (gnuAbi ? ELFOSABI_GNU : 0), abiVersion: 0, e_type: ET_REL, e_machine: ctx.arch.e_machine, e_entry: ctx.options.entry === "" ? 0n : entryAddress(ctx), e_phoff: 0,
      e_shoff: this.headersAt, e_flags: 0, e_phentsize: 0, e_phnum: 0, e_shentsize: SHDR_BYTES,
      e_shnum: this.sections >= SHN_LORESERVE ? 0 : this.sections, e_shstrndx: names >= SHN_LORESERVE ? SHN_XINDEX : names,
    });
    return out;
  }
}

/** Output sections as reports want them; only made when there is one. */
function describeOutputs(ctx: Context): OutputSection[] {
  const { osec } = ctx.tables;
  const { mapFile, reportFile, metafile } = ctx.options;
  if (mapFile === "" && reportFile === "" && metafile === "" && ctx.observer === null) return [];
  const found: OutputSection[] = [];
  for (let id = HEADERS_OSEC + 1; id < osec.rows; id++) {
    found.push({
      id, name: ctx.arena.string(osec.name[id]!, osec.nameBytes[id]!), sh_type: osec.sh_type[id]!, sh_flags: osec.sh_flags[id]!, sh_addr: 0n,
      sh_offset: osec.offset[id]!, size: osec.size[id]!, align: osec.align[id]!, sh_entsize: osec.sh_entsize[id]!, sh_link: 0, sh_info: 0,
      index: osec.index[id]!, sh_name: 0, synthetic: [], rank: 0, relro: false, ready: null,
    });
  }
  return found;
}
