/**
 * Walks .eh_frame as an unwinder would and compares it with the binary search table of .eh_frame_hdr (LSB core, Exception Frames).
 *
 * Not a DWARF interpreter: call frame instructions are not looked at. The surprising choice: only the pointer encodings that x86-64 compilers
 * use (absptr, sdata4 with or without pcrel, indirect bit ignored) are decoded; another one is reported as a problem.
 */

import type { ElfFile } from "./dump.ts";

type Report = (text: string) => void;
const hex = (n: number): string => "0x" + n.toString(16);

export interface Fde { at: number; pc: number; bytes: number; cie: number; lsda: number }

function uleb(elf: ElfFile, at: number): [number, number] {
  let value = 0;
  for (let shift = 0; ; shift += 7, at++) {
    value += (elf.bytes[at]! & 0x7f) * 2 ** shift;
    if (!(elf.bytes[at]! & 0x80)) return [value, at + 1];
  }
}

function encoded(elf: ElfFile, at: number, addr: number, encoding: number): [number, number] {
  if (encoding === 0xff) return [0, 0];
  const form = encoding & 0xf;
  const base = (encoding & 0x70) === 0x10 ? addr : 0;
  if (form === 0 || form === 4 || form === 12) return [base + elf.i64(at), 8];
  if (form === 0xb) return [base + elf.i32(at), 4];
  if (form === 3) return [base + elf.u32(at), 4];
  throw new Error(`pointer encoding ${hex(encoding)}`);
}

interface Cie { fdeEncoding: number; lsdaEncoding: number; personality: number }

function parseCie(elf: ElfFile, at: number, addr: number): Cie {
  const cie = { fdeEncoding: 0, lsdaEncoding: 0xff, personality: 0 };
  const start = at;
  const version = elf.bytes[at++];
  const augmentation = elf.string(at);
  at += augmentation.length + 1;
  [, at] = uleb(elf, at);
  [, at] = uleb(elf, at);
  if (version === 1) at++;
  else [, at] = uleb(elf, at);
  if (augmentation[0] !== "z") return cie;
  [, at] = uleb(elf, at);
  for (const c of augmentation.slice(1)) {
    if (c === "R") cie.fdeEncoding = elf.bytes[at++]!;
    else if (c === "L") cie.lsdaEncoding = elf.bytes[at++]!;
    else if (c === "P") {
      const encoding = elf.bytes[at++]!;
      const [value, bytes] = encoded(elf, at, addr + (at - start), encoding);
      cie.personality = value;
      at += bytes;
    } else if (c !== "S" && c !== "B") throw new Error(`augmentation ${augmentation}`);
  }
  return cie;
}

/** All FDEs of .eh_frame, and the number of CIEs. */
export function readEhFrame(elf: ElfFile): { fdes: Fde[]; cies: number; personalities: number[]; problems: string[] } {
  const section = elf.section(".eh_frame");
  const result = { fdes: [] as Fde[], cies: 0, personalities: [] as number[], problems: [] as string[] };
  if (!section) return result;
  const cies = new Map<number, Cie>();
  const end = section.offset + section.size;
  for (let at = section.offset; at < end; ) {
    const length = elf.u32(at);
    if (length === 0) {
      if (at + 4 !== end) result.problems.push(`.eh_frame has a terminator at ${hex(at - section.offset)}, before its end`);
      break;
    }
    if (at + 4 + length > end) {
      result.problems.push(`.eh_frame record at ${hex(at - section.offset)} reaches beyond the section`);
      break;
    }
    const id = elf.u32(at + 4);
    const addr = section.addr + (at - section.offset);
    if (id === 0) {
      const cie = parseCie(elf, at + 8, addr + 8);
      cies.set(at, cie);
      if (cie.personality) result.personalities.push(cie.personality);
    } else {
      const cie = cies.get(at + 4 - id);
      if (!cie) result.problems.push(`FDE at ${hex(at - section.offset)} points at no CIE`);
      else {
        const [pc, width] = encoded(elf, at + 8, addr + 8, cie.fdeEncoding);
        const [bytes] = encoded(elf, at + 8 + width, 0, cie.fdeEncoding & 0xf);
        let lsda = 0;
        const [length, next] = uleb(elf, at + 8 + 2 * width);
        if (length >= 4 && cie.lsdaEncoding !== 0xff) lsda = encoded(elf, next, addr + (next - at), cie.lsdaEncoding)[0];
        result.fdes.push({ at: addr, pc, bytes, cie: at + 4 - id, lsda });
      }
    }
    at += 4 + length;
  }
  result.cies = cies.size;
  return result;
}

export function ehFrameProblems(elf: ElfFile, report: Report): void {
  const { fdes, problems } = readEhFrame(elf);
  problems.forEach(report);
  const code = elf.segments(1).filter((p) => p.flags & 1);
  const lsdas = elf.section(".gcc_except_table");
  for (const fde of fdes) {
    if (!code.some((p) => fde.pc >= p.vaddr && fde.pc + fde.bytes <= p.vaddr + p.memsz)) report(`FDE at ${hex(fde.at)} covers ${hex(fde.pc)}+${fde.bytes}, not code`);
    if (lsdas && fde.lsda && fde.lsda !== 0 && (fde.lsda < lsdas.addr || fde.lsda >= lsdas.addr + lsdas.size)) {
      report(`FDE at ${hex(fde.at)}: LSDA ${hex(fde.lsda)} is outside .gcc_except_table`);
    }
  }
  const sorted = [...fdes].filter((f) => f.bytes > 0).sort((a, b) => a.pc - b.pc);
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i]!.pc < sorted[i - 1]!.pc + sorted[i - 1]!.bytes) report(`FDEs at ${hex(sorted[i - 1]!.at)} and ${hex(sorted[i]!.at)} cover ${hex(sorted[i]!.pc)}`);
  }
  checkHeader(elf, fdes, report);
}

function checkHeader(elf: ElfFile, fdes: Fde[], report: Report): void {
  const header = elf.section(".eh_frame_hdr");
  const frame = elf.section(".eh_frame");
  if (!header || header.size === 0) return;
  const at = header.offset;
  const layout = [...elf.bytes.subarray(at, at + 4)].join(",");
  if (layout !== "1,27,3,59") {
    if (!(layout === "1,27,255,255" && fdes.length === 0)) report(`.eh_frame_hdr begins ${layout}`);
    return;
  }
  const pointer = header.addr + 4 + elf.i32(at + 4);
  if (frame && pointer !== frame.addr) report(`.eh_frame_hdr points at ${hex(pointer)}, .eh_frame is at ${hex(frame.addr)}`);
  const count = elf.u32(at + 8);
  if (header.size !== 12 + 8 * count) report(`.eh_frame_hdr has ${count} entries in ${header.size} bytes`);
  const pcs = new Map(fdes.map((f) => [f.at, f.pc]));
  let last = -Infinity;
  const seen = new Set<number>();
  for (let i = 0; i < count; i++) {
    const pc = header.addr + elf.i32(at + 12 + 8 * i);
    const fde = header.addr + elf.i32(at + 16 + 8 * i);
    if (pc < last) report(`.eh_frame_hdr entry ${i} is out of order`);
    if (pcs.get(fde) !== pc) report(`.eh_frame_hdr entry ${i}: pc ${hex(pc)}, FDE at ${hex(fde)} has ${pcs.has(fde) ? hex(pcs.get(fde)!) : "no record"}`);
    seen.add(fde);
    last = pc;
  }
  for (const fde of fdes) if (!seen.has(fde.at) && fde.bytes > 0) report(`.eh_frame_hdr misses the FDE of ${hex(fde.pc)}`);
}
