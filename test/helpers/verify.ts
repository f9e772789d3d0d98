/**
 * What must hold for every executable and shared object, whoever linked it: `verifyElf(bytes)` returns the list of broken promises.
 *
 * Not a golden-file comparison and not about a linker's choices. The surprising choice: it looks symbols up through .gnu.hash and .hash and walks
 * .eh_frame itself, as the dynamic loader and the unwinder would, instead of trusting section headers.
 */

import { ElfFile, type Phdr, type Shdr } from "./dump.ts";
import { ehFrameProblems } from "./verify-eh-frame.ts";

type Report = (text: string) => void;
const hex = (n: number): string => "0x" + n.toString(16);
const inside = (from: number, bytes: number, start: number, size: number): boolean => from >= start && from + bytes <= start + size;

export function verifyElf(bytes: Uint8Array): string[] {
  const problems: string[] = [];
  const report: Report = (text) => problems.push(text);
  let elf: ElfFile;
  try {
    elf = new ElfFile(bytes);
    if (elf.type === 1) return problems; // ET_REL has no segments
    for (const check of [segments, sections, special, tls, symbols, dynamicTags, relocations, hashes, versions, relro]) check(elf, report);
    ehFrameProblems(elf, report);
  } catch (error) {
    report(`unreadable: ${(error as Error).stack}`);
  }
  return problems;
}

/** gABI ch. 5 Program Header: PT_LOAD ascending, congruent, disjoint in memory, pages of different access not shared. */
function segments(elf: ElfFile, report: Report): void {
  let last: Phdr | undefined;
  for (const p of elf.phdrs) {
    if (p.type !== 0x6474e551 && p.filesz > 0 && p.offset + p.filesz > elf.bytes.length) report(`segment ${hex(p.type)} ends after the file`);
    if (p.filesz > p.memsz && p.type !== 0x6474e551) report(`segment ${hex(p.type)} p_filesz > p_memsz`);
    if (p.align > 1 && (p.align & (p.align - 1)) !== 0) report(`segment ${hex(p.type)} p_align ${p.align}`);
    if (p.type !== 1) continue;
    if (p.align > 1 && p.offset % p.align !== p.vaddr % p.align) report(`PT_LOAD ${hex(p.vaddr)}: p_offset ${hex(p.offset)} not congruent modulo ${hex(p.align)}`);
    if (last && p.vaddr < last.vaddr + last.memsz) report(`PT_LOAD ${hex(p.vaddr)} overlaps or precedes ${hex(last.vaddr)}`);
    if (last && Math.floor((last.vaddr + last.memsz - 1) / 4096) >= Math.floor(p.vaddr / 4096) && last.flags !== p.flags) {
      report(`PT_LOAD ${hex(p.vaddr)} shares a page with ${hex(last.vaddr)}`);
    }
    if ((p.flags & 3) === 3 && p.memsz > 0) report(`PT_LOAD ${hex(p.vaddr)} is writable and executable`);
    last = p;
  }
  const phdr = elf.segment(6);
  if (phdr && (phdr.offset !== 64 || phdr.filesz < elf.phdrs.length * 56)) report("PT_PHDR does not cover the program headers");
  if (elf.type === 2 && !elf.phdrs.some((p) => p.type === 1 && p.flags & 1 && elf.entry >= p.vaddr && elf.entry < p.vaddr + p.memsz)) {
    report(`entry ${hex(elf.entry)} is not in an executable segment`);
  }
  if (elf.type === 3 && elf.entry !== 0 && !elf.phdrs.some((p) => p.type === 1 && p.flags & 1 && inside(elf.entry, 1, p.vaddr, p.memsz))) {
    report(`entry ${hex(elf.entry)} is not in an executable segment`);
  }
}

/** Sections: inside the file, aligned, disjoint, in a PT_LOAD that allows what their flags say. */
function sections(elf: ElfFile, report: Report): void {
  const inFile: { from: number; to: number; name: string }[] = [
    { from: 0, to: 64, name: "ELF header" },
    { from: elf.u64(32), to: elf.u64(32) + 56 * elf.phdrs.length, name: "program headers" },
  ];
  if (elf.shdrs.length) inFile.push({ from: elf.u64(40), to: elf.u64(40) + 64 * elf.shdrs.length, name: "section headers" });
  const inMemory: { from: number; to: number; name: string }[] = [];
  for (const s of elf.shdrs.slice(1)) {
    if (s.link >= elf.shdrs.length) report(`${s.name} sh_link ${s.link}`);
    if (s.align > 1 && s.addr % s.align !== 0) report(`${s.name} address ${hex(s.addr)} not aligned to ${s.align}`);
    if (s.type !== 8 && s.size > 0) inFile.push({ from: s.offset, to: s.offset + s.size, name: s.name });
    if (!(s.flags & 2)) {
      if (s.addr !== 0) report(`${s.name} is not allocated but has address ${hex(s.addr)}`);
      continue;
    }
    if (s.size === 0 || (s.type === 8 && s.flags & 0x400)) continue; // .tbss takes no memory
    inMemory.push({ from: s.addr, to: s.addr + s.size, name: s.name });
    const load = elf.phdrs.find((p) => p.type === 1 && inside(s.addr, s.size, p.vaddr, p.memsz));
    if (!load) {
      report(`${s.name} ${hex(s.addr)} is in no PT_LOAD`);
      continue;
    }
    if (s.type !== 8 && s.addr - load.vaddr !== s.offset - load.offset) report(`${s.name} offset ${hex(s.offset)} does not match address ${hex(s.addr)}`);
    if (s.type !== 8 && !inside(s.addr, s.size, load.vaddr, load.filesz)) report(`${s.name} reaches beyond p_filesz`);
    if (s.flags & 1 && !(load.flags & 2)) report(`${s.name} is writable, its segment is not`);
    if (s.flags & 4 && !(load.flags & 1)) report(`${s.name} is executable, its segment is not`);
  }
  for (const [what, list] of [["file", inFile], ["memory", inMemory]] as const) {
    list.sort((a, b) => a.from - b.from || a.to - b.to);
    for (let i = 1; i < list.length; i++) {
      if (list[i]!.from < list[i - 1]!.to) report(`${list[i]!.name} overlaps ${list[i - 1]!.name} in the ${what} at ${hex(list[i]!.from)}`);
    }
  }
  const end = Math.max(...inFile.map((r) => r.to));
  if (end > elf.bytes.length) report(`file ends at ${hex(elf.bytes.length)}, contents at ${hex(end)}`);
}

/** Segments that describe a section lie inside a PT_LOAD and match the section. */
function special(elf: ElfFile, report: Report): void {
  const pairs: [number, string][] = [[2, ".dynamic"], [3, ".interp"], [0x6474e550, ".eh_frame_hdr"], [0x6474e553, ".note.gnu.property"]];
  for (const [type, name] of pairs) {
    const list = elf.segments(type);
    const section = elf.section(name);
    if (list.length > 1) report(`${list.length} segments of type ${hex(type)}`);
    if (elf.shdrs.length === 0 || list.length === 0) continue;
    if (!section || section.addr !== list[0]!.vaddr || section.size !== list[0]!.memsz) report(`segment ${hex(type)} does not match ${name}`);
  }
  const loads = elf.segments(1);
  for (const p of elf.phdrs) {
    if (p.type === 1 || p.type === 0x6474e551 || p.memsz === 0) continue;
    const bytes = p.type === 7 || p.type === 0x6474e552 ? p.filesz : p.memsz;
    // A PT_TLS of .tbss alone may lie between segments (lld's layout): nothing of it is read.
    if (bytes === 0) continue;
    const load = loads.find((l) => inside(p.vaddr, bytes, l.vaddr, l.memsz));
    if (!load) report(`segment ${hex(p.type)} at ${hex(p.vaddr)} is in no PT_LOAD`);
    else if (p.filesz && p.vaddr - load.vaddr !== p.offset - load.offset) report(`segment ${hex(p.type)} offset does not match its address`);
  }
  for (const s of elf.shdrs) {
    if (s.type === 7 && s.flags & 2 && !elf.segments(4).some((p) => inside(s.addr, s.size, p.vaddr, p.memsz))) report(`${s.name} is in no PT_NOTE`);
  }
}

/** ELF Handling For TLS: one PT_TLS holds .tdata and .tbss and has their largest alignment. */
function tls(elf: ElfFile, report: Report): void {
  const list = elf.shdrs.filter((s) => s.flags & 0x400);
  const segment = elf.segment(7);
  if (elf.shdrs.length === 0) return;
  if (!segment !== (list.length === 0)) report("PT_TLS and the TLS sections do not match");
  if (!segment || list.length === 0) return;
  for (const s of list) {
    if (!inside(s.addr, s.size, segment.vaddr, segment.memsz)) report(`${s.name} is not in PT_TLS`);
    if (s.type !== 8 && !inside(s.addr, s.size, segment.vaddr, segment.filesz)) report(`${s.name} is not in the file part of PT_TLS`);
    if (s.align > segment.align) report(`${s.name} alignment ${s.align} above PT_TLS's ${segment.align}`);
  }
}

function symbols(elf: ElfFile, report: Report): void {
  const tlsSegment = elf.segment(7);
  for (const [name, list] of [[".symtab", elf.symtab()], [".dynsym", elf.dynsym()]] as const) {
    const table = elf.section(name);
    if (!table) continue;
    const firstGlobal = list.findIndex((s) => s.bind !== 0);
    const locals = firstGlobal < 0 ? list.length : firstGlobal;
    if (list.slice(locals).some((s) => s.bind === 0)) report(`${name} has a local after a global`);
    if (table.info !== locals) report(`${name} sh_info ${table.info}, first global is ${locals}`);
    for (const s of list.slice(1)) {
      if (s.shndx === 0 || s.shndx >= 0xff00) continue;
      const section = elf.shdrs[s.shndx];
      if (!section) report(`${name} ${s.name} st_shndx ${s.shndx}`);
      else if (s.type === 6) {
        if (s.name !== "_TLS_MODULE_BASE_" && (!tlsSegment || s.value + s.size > tlsSegment.memsz)) report(`${name} TLS symbol ${s.name} ${hex(s.value)} is outside PT_TLS`);
      } else if (s.type !== 3 && section.flags & 2 && s.size > 0 && !inside(s.value, s.size, section.addr, section.size)) {
        report(`${name} ${s.name} ${hex(s.value)}+${s.size} is outside ${section.name}`);
      }
    }
  }
}

/** gABI ch. 5 Dynamic Section: addresses point at what they name, sizes agree. */
function dynamicTags(elf: ElfFile, report: Report): void {
  const tags = elf.dynamic();
  if (tags.length === 0) return;
  if (tags[tags.length - 1]!.tag !== 0) report(".dynamic has no DT_NULL");
  const seen = new Set<number>();
  for (const d of tags) {
    if (![1, 0x7ffffffd, 0x7fffffff, 0].includes(d.tag) && seen.has(d.tag)) report(`DT_${d.name} twice`);
    seen.add(d.tag);
  }
  const match: [string, string, string?][] = [
    ["HASH", ".hash"], ["GNU_HASH", ".gnu.hash"], ["STRTAB", ".dynstr", "STRSZ"], ["SYMTAB", ".dynsym"],
    ["INIT_ARRAY", ".init_array", "INIT_ARRAYSZ"], ["FINI_ARRAY", ".fini_array", "FINI_ARRAYSZ"], ["PREINIT_ARRAY", ".preinit_array", "PREINIT_ARRAYSZ"],
    ["VERSYM", ".gnu.version"], ["VERDEF", ".gnu.version_d"], ["VERNEED", ".gnu.version_r"], ["RELR", ".relr.dyn", "RELRSZ"],
  ];
  for (const [tag, name, size] of match) {
    const value = elf.tag(tag);
    const section = elf.section(name);
    const expected = section && (section.size > 0 || tag === "STRTAB");
    if ((value !== undefined) !== Boolean(expected)) report(`DT_${tag} ${value === undefined ? "missing" : "without"} ${name}`);
    if (value === undefined || !section) continue;
    if (value !== section.addr) report(`DT_${tag} ${hex(value)}, ${name} is at ${hex(section.addr)}`);
    if (size && elf.tag(size) !== section.size) report(`DT_${size} ${elf.tag(size)}, ${name} has ${section.size}`);
  }
  for (const [at, size] of [["RELA", "RELASZ"], ["JMPREL", "PLTRELSZ"]] as const) {
    const value = elf.tag(at);
    if (value === undefined) continue;
    const bytes = elf.tag(size) ?? -1;
    // bfd lets DT_RELASZ span .rela.dyn alone or with .rela.plt
    if (bytes < 0 || bytes % 24 !== 0 || elf.fileOffset(value) < 0 || elf.fileOffset(value + Math.max(0, bytes - 1)) < 0) report(`DT_${at} ${hex(value)} DT_${size} ${bytes}`);
    if (!elf.shdrs.some((s) => s.type === 4 && s.flags & 2 && s.addr === value)) report(`DT_${at} ${hex(value)} is no relocation section`);
  }
  for (const tag of ["INIT", "FINI"]) {
    const value = elf.tag(tag);
    if (value !== undefined && !elf.phdrs.some((p) => p.type === 1 && p.flags & 1 && inside(value, 1, p.vaddr, p.memsz))) report(`DT_${tag} is not code`);
  }
  const strtab = elf.section(".dynstr");
  for (const d of tags) if ([1, 14, 15, 29].includes(d.tag) && strtab && d.value >= strtab.size) report(`DT_${d.name} string out of range`);
  if (elf.tag("RELENT") !== undefined) report("DT_RELENT in a RELA file");
  if (elf.tag("VERDEFNUM") !== undefined && elf.tag("VERDEFNUM") !== elf.verdefs().length) report("DT_VERDEFNUM");
}

function relocations(elf: ElfFile, report: Report): void {
  if (elf.dynamic().length === 0) return;
  const textrel = elf.tag("TEXTREL") !== undefined || ((elf.tag("FLAGS") ?? 0) & 4) !== 0;
  const writable = elf.segments(1).filter((p) => p.flags & 2 || textrel);
  const places = new Map<number, string>();
  const widths: Record<number, number> = { 10: 4, 11: 4, 2: 4, 12: 2, 14: 1 };
  const place = (at: number, bytes: number, what: string): void => {
    if (!writable.some((p) => inside(at, bytes, p.vaddr, p.memsz))) report(`${what} at ${hex(at)} is in no writable segment`);
    if (places.has(at)) report(`${what} at ${hex(at)}: ${places.get(at)} is there already`);
    places.set(at, what);
  };
  const dynsyms = elf.dynsym().length;
  let relative = 0;
  let counting = true;
  for (const r of elf.relocs()) {
    const what = `${r.section} type ${r.type} ${r.name}`;
    if (r.type === 0) continue;
    if (r.type === 5) {
      if (!writable.some((p) => inside(r.offset, 1, p.vaddr, p.memsz))) report(`${what} is not writable`);
    } else place(r.offset, widths[r.type] ?? 8, what);
    if (r.sym >= Math.max(1, dynsyms)) report(`${what}: symbol ${r.sym} of ${dynsyms}`);
    if ([1, 5, 6, 7].includes(r.type) && r.sym === 0 && r.type !== 1) report(`${what} without a symbol`);
    if (r.type === 7 && r.section !== ".rela.plt") report(`${what}: a JUMP_SLOT outside .rela.plt`);
    if (r.section === ".rela.dyn") {
      if (r.type === 8 && counting) relative++;
      else counting = false;
    }
    if ((r.type === 8 || r.type === 37) && !elf.phdrs.some((p) => p.type === 1 && r.addend >= p.vaddr && r.addend <= p.vaddr + p.memsz)) {
      report(`${what} at ${hex(r.offset)} points outside the image: ${hex(r.addend)}`);
    }
    if (r.type === 37 && !elf.phdrs.some((p) => p.type === 1 && p.flags & 1 && inside(r.addend, 1, p.vaddr, p.memsz))) report(`${what} resolver ${hex(r.addend)} is not code`);
  }
  const count = elf.tag("RELACOUNT");
  if (count !== undefined && count !== relative) report(`DT_RELACOUNT ${count}, there are ${relative} leading R_X86_64_RELATIVE`);
  for (const at of elf.relr()) {
    place(at, 8, ".relr.dyn");
    const offset = elf.fileOffset(at);
    if (offset < 0) report(`.relr.dyn ${hex(at)} is not in the file`);
    else {
      const value = elf.u64(offset);
      if (!elf.phdrs.some((p) => p.type === 1 && value >= p.vaddr && value <= p.vaddr + p.memsz)) report(`.relr.dyn ${hex(at)} holds ${hex(value)}, outside the image`);
    }
  }
  for (const p of elf.shdrs) {
    if (p.type !== 14 && p.type !== 15 && p.type !== 16) continue;
    for (let at = 0; at + 8 <= p.size; at += 8) {
      const value = elf.u64(p.offset + at);
      const code = elf.phdrs.some((s) => s.type === 1 && s.flags & 1 && inside(value, 1, s.vaddr, s.memsz));
      if (elf.type === 3 && !places.has(p.addr + at)) report(`${p.name}+${hex(at)} has no dynamic relocation`);
      if (elf.type === 2 && !places.has(p.addr + at) && !code) report(`${p.name}+${hex(at)} ${hex(value)} is not code`);
    }
  }
}

export function gnuHash(name: string): number {
  let h = 5381;
  for (let i = 0; i < name.length; i++) h = (Math.imul(h, 33) + name.charCodeAt(i)) >>> 0;
  return h;
}

export function sysvHash(name: string): number {
  let h = 0;
  for (let i = 0; i < name.length; i++) {
    h = ((h << 4) + name.charCodeAt(i)) >>> 0;
    const g = h & 0xf0000000;
    if (g) h ^= g >>> 24;
    h = (h & ~g) >>> 0;
  }
  return h;
}

/** Every exported symbol is found by the loader's own walk of .gnu.hash and .hash. */
function hashes(elf: ElfFile, report: Report): void {
  const list = elf.dynsym();
  const gnu = elf.section(".gnu.hash");
  const sysv = elf.section(".hash");
  if (elf.dynamic().length > 0 && !gnu && !sysv && list.length > 0) report("no hash table");
  for (const s of list.slice(1)) {
    if (s.bind === 0) continue;
    if (gnu && s.shndx !== 0 && !lookupGnu(elf, gnu, s.name).includes(s.index)) report(`.gnu.hash does not find ${s.name}`);
    if (sysv && !lookupSysv(elf, sysv, s.name).includes(s.index)) report(`.hash does not find ${s.name}`);
  }
  if (gnu) gnuChains(elf, gnu, report);
}

/** Bit 0 ends a chain, and only the last symbol of a bucket has it: what is not there is looked for up to it. */
function gnuChains(elf: ElfFile, table: Shdr, report: Report): void {
  const [buckets, first, words] = [elf.u32(table.offset), elf.u32(table.offset + 4), elf.u32(table.offset + 8)];
  const chains = table.offset + 16 + 8 * words + 4 * buckets;
  const list = elf.dynsym();
  for (let i = first; i < list.length; i++) {
    const hash = gnuHash(list[i]!.name);
    const isLast = i + 1 === list.length || gnuHash(list[i + 1]!.name) % buckets !== hash % buckets;
    const expected = ((hash & ~1) | Number(isLast)) >>> 0;
    const value = elf.u32(chains + 4 * (i - first));
    if (value !== expected) report(`.gnu.hash has ${hex(value)} for ${list[i]!.name}, not ${hex(expected)}`);
  }
}

function lookupGnu(elf: ElfFile, table: Shdr, name: string): number[] {
  const at = table.offset;
  const [buckets, offset, words, shift] = [elf.u32(at), elf.u32(at + 4), elf.u32(at + 8), elf.u32(at + 12)];
  const h = gnuHash(name);
  const bloom = elf.view.getBigUint64(at + 16 + 8 * (Math.floor(h / 64) % words), true);
  if (!((bloom >> BigInt(h % 64)) & (bloom >> BigInt((h >>> shift) % 64)) & 1n)) return [];
  const bucketsAt = at + 16 + 8 * words;
  const found: number[] = [];
  let i = elf.u32(bucketsAt + 4 * (h % buckets));
  if (i === 0) return [];
  for (; ; i++) {
    const value = elf.u32(bucketsAt + 4 * buckets + 4 * (i - offset));
    if (((value ^ h) >>> 1) === 0 && elf.dynsym()[i]?.name === name) found.push(i);
    if (value & 1) return found;
  }
}

function lookupSysv(elf: ElfFile, table: Shdr, name: string): number[] {
  const buckets = elf.u32(table.offset);
  const chains = elf.u32(table.offset + 4);
  const found: number[] = [];
  let steps = 0;
  for (let i = elf.u32(table.offset + 8 + 4 * (sysvHash(name) % buckets)); i !== 0; i = elf.u32(table.offset + 8 + 4 * (buckets + i))) {
    if (i >= chains || ++steps > chains) throw new Error(".hash chain does not end");
    if (elf.dynsym()[i]!.name === name) found.push(i);
  }
  return found;
}

/** LSB core, Symbol Versioning: one half word per dynamic symbol, every index defined, hashes right. */
function versions(elf: ElfFile, report: Report): void {
  const versym = elf.section(".gnu.version");
  if (!versym) {
    if (elf.section(".gnu.version_r") || elf.section(".gnu.version_d")) report("version definitions without .gnu.version");
    return;
  }
  if (versym.size !== 2 * elf.dynsym().length) report(`.gnu.version has ${versym.size} bytes for ${elf.dynsym().length} symbols`);
  for (const s of elf.dynsym()) if (s.version.startsWith("?")) report(`${s.name} has undefined version index ${s.version.slice(1)}`);
  for (const v of [...elf.verdefs(), ...elf.verneeds()]) if (v.hash !== sysvHash(v.name)) report(`version ${v.name} has hash ${hex(v.hash)}`);
  const needed = elf.needed();
  for (const v of elf.verneeds()) if (!needed.includes(v.file)) report(`.gnu.version_r names ${v.file}, which is not needed`);
}

/** glibc protects whole pages of PT_GNU_RELRO: what must stay writable is outside, what must not is inside. */
function relro(elf: ElfFile, report: Report): void {
  const segment = elf.segment(0x6474e552);
  if (!segment) return;
  const from = Math.floor(segment.vaddr / 4096) * 4096;
  const to = Math.floor((segment.vaddr + segment.memsz) / 4096) * 4096;
  if (to !== segment.vaddr + segment.memsz) report(`PT_GNU_RELRO ends at ${hex(segment.vaddr + segment.memsz)}, inside a page`);
  const hardened = [".dynamic", ".init_array", ".fini_array", ".preinit_array", ".data.rel.ro"];
  for (const s of elf.shdrs) {
    if (!(s.flags & 2) || !(s.flags & 1) || s.size === 0 || (s.type === 8 && s.flags & 0x400)) continue;
    const within = inside(s.addr, s.size, segment.vaddr, segment.memsz);
    // GNU ld ends the segment behind the three reserved words of .got.plt
    const start = s.name === ".got.plt" ? s.addr + 24 : s.addr;
    if (!within && start < to && s.addr + s.size > from) report(`${s.name} is outside PT_GNU_RELRO but in its pages`);
    if (within && [".data", ".bss", ".tm_clone_table"].includes(s.name)) report(`${s.name} is inside PT_GNU_RELRO`);
    if (!within && hardened.includes(s.name)) report(`${s.name} is outside PT_GNU_RELRO`);
  }
}
