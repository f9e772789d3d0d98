/**
 * --optimize-bb-jumps: the jump at the end of a section goes when it leads to the section behind it, and a conditional
 * jump over it is turned round when that one leads there.
 *
 * A turned jump keeps its place: its relocation gets the type RELOC_TURNED, which tells relocate to negate the condition.
 */
import { tables } from "../shared/tables.ts";
import { EHREC_EMPTY, ISEC_REGULAR, RELOC_TURNED, SYM_DEFINED, SYM_IFUNC, SYM_KIND_MASK, SYM_PREEMPTIBLE } from "../shared/abi.ts";
import { isJccBefore, isJmpBefore, JCC_BYTES, JMP_BYTES } from "../arch/x86-64.ts";
import { isBranch, R_NONE } from "../arch/x86-64-relocations.ts";
import { RELA_BYTES, SYM_BYTES, R_ADDEND, R_SYM, R_TYPE, ST_SIZE } from "../shared/elf.ts";

/** Bytes of a section's end that shortenJump wants to see. */
const TAIL_BYTES: u32 = JMP_BYTES + JCC_BYTES;

/** Address of the relocation of section `row` at `offset` that a branch can have; 0 = none. */
function branchAt(row: u32, offset: u64): u32 {
  const isec = tables().isec;
  const rela = isec.rela[row];
  if (rela == 0) return 0;
  for (let r = rela + isec.relaCount[row] * RELA_BYTES; r > rela; ) {
    r -= RELA_BYTES;
    const type = load<u32>(r, R_TYPE);
    if (load<u64>(r) == offset && isBranch(type)) return r;
  }
  return 0;
}

/** First of members [from, to) that may end in a jump and has another right behind it, without room for padding; `to` = none. */
export function nextJump(from: u32, to: u32): u32 {
  const isec = tables().isec;
  const member = tables().member.isec;
  for (let i = from; i + 1 < to; i++) {
    const row = member[i];
    const next = member[i + 1];
    if (isec.kind[row] != ISEC_REGULAR || isec.kind[next] != ISEC_REGULAR || isec.align[next] != 0 || isec.size[row] < <f64>JMP_BYTES) continue;
    if (branchAt(row, <u64>isec.size[row] - 4) != 0) return i;
  }
  return to;
}

/** Does the branch whose relocation is at `r` lead to the start of section `next`? */
function leadsTo(row: u32, r: u32, next: u32): bool {
  const t = tables();
  const o = t.isec.obj[row];
  const index = load<u32>(r, R_SYM);
  if (index == 0 || index >= t.obj.esymCount[o]) return false;
  const sym = t.esym.sym[t.obj.esymBase[o] + index];
  const flags = t.sym.flags[sym];
  if ((flags & SYM_KIND_MASK) != SYM_DEFINED || flags & (SYM_PREEMPTIBLE | SYM_IFUNC) || t.sym.isec[sym] != next) return false;
  return t.sym.value[sym] + load<u64>(r, R_ADDEND) + 4 == 0;
}

/** Shortens member `i`, of which the last `bytes` bytes (at most TAIL_BYTES) are at `tail`. Returns the bytes saved. */
export function shortenJump(i: u32, tail: u32, bytes: u32): u32 {
  const isec = tables().isec;
  const member = tables().member.isec;
  const row = member[i];
  const next = member[i + 1];
  const size = <u64>isec.size[row];
  const end = tail + bytes;
  const jump = branchAt(row, size - 4);
  if (jump == 0 || !isJmpBefore(end)) return 0;
  if (!leadsTo(row, jump, next)) {
    if (bytes < TAIL_BYTES || !isJccBefore(end - JMP_BYTES)) return 0;
    const branch = branchAt(row, size - 4 - JMP_BYTES);
    if (branch == 0 || !leadsTo(row, branch, next)) return 0;
    store<u32>(branch, RELOC_TURNED, R_TYPE);
    store<u32>(branch, load<u32>(jump, R_SYM), R_SYM);
    store<u64>(branch, load<u64>(jump, R_ADDEND), R_ADDEND);
  }
  store<u64>(jump, 0);
  store<u32>(jump, R_NONE, R_TYPE);
  isec.size[row] -= <f64>JMP_BYTES;
  // Records of no code are not looked up.
  if (isec.size[row] == 0) for (let f = isec.fde[row]; f != 0; f = tables().ehrec.nextFde[f]) tables().ehrec.flags[f] |= <u8>EHREC_EMPTY;
  return JMP_BYTES;
}

/**
 * Symbols of object `o` at or over the end of a section that lost bytes (u8 per isec row at `saved`) move or shrink with it. Sizes
 * of locals are in the symbol table of the object.
 */
export function trimSymbols(o: u32, saved: u32): void {
  const t = tables();
  const count = t.obj.esymCount[o];
  for (let i: u32 = 1; i < count; i++) {
    const e = t.obj.esymBase[o] + i;
    const sym = t.esym.sym[e];
    const local = i < t.obj.firstGlobal[o];
    if ((t.sym.flags[sym] & SYM_KIND_MASK) != SYM_DEFINED || (!local && t.gsym.esym[sym] != e)) continue;
    const row = t.sym.isec[sym];
    const lost = <u64>load<u8>(saved + row);
    if (row == 0 || lost == 0) continue;
    const size = <u64>t.isec.size[row];
    const value = t.sym.value[sym];
    const entry = t.obj.symtab[o] + i * SYM_BYTES;
    const bytes = load<u64>(entry, ST_SIZE);
    if (value > size) {
      if (value <= size + lost) t.sym.value[sym] = value - lost;
    } else if (value + bytes > size && value + bytes <= size + lost) {
      store<u64>(entry, bytes - lost, ST_SIZE);
      if (!local) t.gsym.size[sym] = <f64>(bytes - lost);
    }
  }
}
