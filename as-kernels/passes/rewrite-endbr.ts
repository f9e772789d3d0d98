/**
 * Which functions are only called: nothing but calls refers to the place they begin at.
 *
 * A place is an isec row and an offset in it, as a u32 pair. Every relocation of loaded sections is looked at, but for R_CALL, which only
 * calls and jumps have.
 */
import { tables } from "../shared/tables.ts";
import { SYM_DEFINED, SYM_EXPORTED, SYM_KIND_MASK, SYM_SECTION } from "../shared/abi.ts";
import { R_CALL, R_WORD } from "../arch/x86-64-relocations.ts";
import { R_ADDEND, R_SYM, R_TYPE, RELA_BYTES, SHF_ALLOC, SHF_EXECINSTR, STT_FUNC } from "../shared/elf.ts";

/** Is `id` defined in code? */
// @ts-ignore: decorator
@inline
function isCode(id: u32): bool {
  const t = tables();
  return (t.sym.flags[id] & SYM_KIND_MASK) == SYM_DEFINED && t.sym.isec[id] != 0 && (t.isec.sh_flags[t.sym.isec[id]] & SHF_EXECINSTR) != 0;
}

// @ts-ignore: decorator
@inline
function putPlace(out: u32, count: u32, isec: u32, offset: u32): void {
  store<u32>(out + (count << 3), isec);
  store<u32>(out + (count << 3), offset, 4);
}

/**
 * Sets the byte at `taken` + id of every symbol in code whose address relocations of isecs [from, to) take; what is taken through a section's
 * symbol is a place, added at `out` behind `count` others as long as there are fewer than `limit`. Returns the number of places.
 */
export function markTaken(from: u32, to: u32, taken: u32, out: u32, count: u32, limit: u32): u32 {
  const t = tables();
  const isec = t.isec;
  for (let row = from; row < to; row++) {
    if (!isec.rela[row] || !isec.live[row] || !(isec.sh_flags[row] & SHF_ALLOC)) continue;
    const base = t.obj.esymBase[isec.obj[row]];
    const end = isec.rela[row] + isec.relaCount[row] * RELA_BYTES;
    for (let at = isec.rela[row]; at < end; at += RELA_BYTES) {
      const type = load<u32>(at, R_TYPE);
      if (type == R_CALL) continue;
      const id = t.esym.sym[base + load<u32>(at, R_SYM)];
      if (!isCode(id)) continue;
      store<u8>(taken + id, 1);
      if (!(t.sym.flags[id] & SYM_SECTION)) continue;
      // A field in an instruction is 4 bytes before what it is relative to.
      const bias: u32 = type == R_WORD ? 0 : 4;
      if (count < limit) putPlace(out, count, t.sym.isec[id], <u32>t.sym.value[id] + load<u32>(at, R_ADDEND) + bias);
      count++;
    }
  }
  return count;
}

/** The places of symbols [from, to) in code that are exported or whose byte at `taken` is set; as `markTaken` adds them. */
export function listTaken(from: u32, to: u32, taken: u32, out: u32, count: u32, limit: u32): u32 {
  const sym = tables().sym;
  for (let id = from; id < to; id++) {
    if (!(load<u8>(taken + id) || sym.flags[id] & SYM_EXPORTED) || sym.flags[id] & SYM_SECTION || !isCode(id)) continue;
    if (count < limit) putPlace(out, count, sym.isec[id], <u32>sym.value[id]);
    count++;
  }
  return count;
}

/** The functions among globals [from, to) that are live, neither exported nor taken: ids at `out` (0 = only count). Returns their number. */
export function listCalled(from: u32, to: u32, taken: u32, out: u32): u32 {
  const t = tables();
  let count: u32 = 0;
  for (let id = from; id < to; id++) {
    if (t.gsym.type[id] != STT_FUNC || load<u8>(taken + id) || t.sym.flags[id] & SYM_EXPORTED || !isCode(id) || !t.isec.live[t.sym.isec[id]]) continue;
    if (out) store<u32>(out + (count << 2), id);
    count++;
  }
  return count;
}
