/**
 * -r and --emit-relocs: relocations of the inputs as the output keeps them, and which symbols they need.
 *
 * Not for applying them (relocate.ts). Symbols are named by their index in the output's symbol table, which has been written
 * before: params.symIndex points at a u32 per `sym` row.
 */
import { params, tables } from "../shared/tables.ts";
import { report } from "../lib/issue.ts";
import { mergedPlace } from "../lib/pieces.ts";
import { R_NONE } from "../arch/x86-64-relocations.ts";
import {
  ISEC_EH_FRAME, ISEC_MERGE, ISSUE_COPIED_DISCARDED, ISSUE_RELOC_BAD_OFFSET, ISSUE_RELOC_BAD_SYMBOL, OUT_RELOCATABLE, SYM_DEFINED, SYM_KIND_MASK, SYM_REF_LIVE,
  SYM_SECTION,
} from "../shared/abi.ts";
import { RELA_BYTES, SHF_ALLOC, R_ADDEND, R_SYM, R_TYPE } from "../shared/elf.ts";

/** Marks the symbols from row `first` on that `count` relocations at `rela` of section `row` refer to. */
export function markUsed(row: u32, rela: u32, count: u32, first: u32): void {
  const t = tables();
  const o = t.isec.obj[row];
  const base = t.obj.esymBase[o];
  const symbols = t.obj.esymCount[o];
  const flags = t.sym.flags;
  const end = rela + count * RELA_BYTES;
  for (let at = rela; at < end; at += RELA_BYTES) {
    const index = load<u32>(at, R_SYM);
    if (index >= symbols) continue;
    const id = t.esym.sym[base + index];
    if (id < first || flags[id] & SYM_REF_LIVE) continue;
    atomic.or<u32>(changetype<usize>(flags) + (id << 2), SYM_REF_LIVE);
  }
}

/** The same for sections [from, to) whose relocations are resident; returns the first that has others, or `to`. */
export function markUsedResident(from: u32, to: u32, first: u32): u32 {
  const isec = tables().isec;
  for (let row = from; row < to; row++) {
    if (isec.osec[row] == 0 || isec.relaCount[row] == 0) continue;
    if (isec.rela[row] == 0) return row;
    markUsed(row, isec.rela[row], isec.relaCount[row], first);
  }
  return to;
}

/** Cuts members from `from` on into a stretch of about `bytes` bytes of relocations; leaves their number (u32) at `out`. */
export function cutRelas(from: u32, to: u32, bytes: u32, out: u32): u32 {
  const isec = tables().isec;
  const member = tables().member.isec;
  let count: u32 = 0;
  let i = from;
  for (; i < to; i++) {
    const more = isec.kind[member[i]] == ISEC_EH_FRAME ? 0 : isec.relaCount[member[i]];
    if (count != 0 && (count + more) * RELA_BYTES > bytes) break;
    count += more;
  }
  store<u32>(out, count);
  return i;
}

/**
 * Writes the relocations of members from `from` on at `to`, as long as they are resident (isec.rela). Leaves the bytes
 * written (u32) at `out` and returns the first member that is not, or `end`. In place when isec.rela is where they go.
 */
export function writeRelas(from: u32, end: u32, to: u32, out: u32): u32 {
  const t = tables();
  const isec = t.isec;
  const member = t.member.isec;
  let at = to;
  let i = from;
  for (; i < end; i++) {
    const row = member[i];
    const count = isec.relaCount[row];
    if (count == 0 || isec.kind[row] == ISEC_EH_FRAME) continue;
    if (isec.rela[row] == 0) break;
    rewrite(row, isec.rela[row], count, at, t.osec.addr[isec.osec[row]] + <u64>isec.outOffset[row]);
    at += count * RELA_BYTES;
  }
  store<u32>(out, at - to);
  return i;
}

/** ".debug", ".eh_frame" and ".gcc_except_table" refer to discarded code as a matter of course. */
function mayReferToDiscarded(row: u32): bool {
  const isec = tables().isec;
  const name = isec.name[row];
  const head = load<u64>(name);
  if ((head & 0xffffffffffff) == 0x67756265642e) return (isec.sh_flags[row] & SHF_ALLOC) == 0; // ".debug"
  if (head == 0x6d6172665f68652e) return load<u16>(name, 8) == 0x65; // ".eh_frame"
  return head == 0x6378655f6363672e && load<u64>(name, 8) == 0x6c6261745f747065 && load<u16>(name, 16) == 0x65; // ".gcc_except_table"
}

/**
 * Writes `count` relocations of section `row` at `to` as the output has them: r_offset grows by `shift` (64-bit sum), symbols
 * by their index in the output, section symbols with the place in the output section as addend. A reference to what is not in
 * the output (a lost COMDAT copy, a dead section) becomes R_NONE, which also makes readers of .eh_frame drop the FDE.
 */
function rewrite(row: u32, rela: u32, count: u32, to: u32, shift: u64): void {
  const t = tables();
  const isec = t.isec;
  const o = isec.obj[row];
  const base = t.obj.esymBase[o];
  const symbols = t.obj.esymCount[o];
  const indexes = params().symIndex;
  const partial = params().outputKind == OUT_RELOCATABLE;
  const size = <u64>isec.size[row];
  for (let i: u32 = 0; i < count; i++) {
    const from = rela + i * RELA_BYTES;
    const at = to + i * RELA_BYTES;
    const offset = load<u64>(from);
    let type = load<u32>(from, R_TYPE);
    const index = load<u32>(from, R_SYM);
    let addend = load<i64>(from, R_ADDEND);
    let symbol: u32 = 0;
    if (index >= symbols && index != 0) {
      if (partial) report(ISSUE_RELOC_BAD_SYMBOL, o, row, i, 0, 0);
    } else if (offset > size) {
      if (partial) report(ISSUE_RELOC_BAD_OFFSET, o, row, i, 0, 0);
    } else if (index != 0) {
      const id = t.esym.sym[base + index];
      const flags = t.sym.flags[id];
      if (!(flags & SYM_SECTION)) {
        symbol = load<u32>(indexes + (id << 2));
      } else if ((flags & SYM_KIND_MASK) == SYM_DEFINED) {
        const target = t.sym.isec[id];
        const out = isec.osec[target];
        if (isec.live[target] && out != 0) {
          symbol = t.rout.sym[out];
          if (isec.kind[target] == ISEC_MERGE) addend = <i64>(mergedPlace(o, target, t.sym.value[id] + <u64>addend) - t.osec.addr[out]);
          else addend += <i64>isec.outOffset[target] + <i64>t.sym.value[id];
        }
      } else if (!mayReferToDiscarded(row)) {
        report(ISSUE_COPIED_DISCARDED, o, row, i, <u64>index, 0);
      }
      if (symbol == 0) {
        type = R_NONE;
        addend = 0;
      }
    }
    store<u64>(at, offset + shift);
    store<u32>(at, type, R_TYPE);
    store<u32>(at, symbol, R_SYM);
    store<i64>(at, addend, R_ADDEND);
  }
}

// ---- --emit-relocs ----

/** Relocations that output section `id` keeps: those of its members, and of its live unwind records. */
export function countCopiedRelas(id: u32): u32 {
  const t = tables();
  const base = t.osec.memberBase[id];
  let count: u32 = 0;
  for (let i = base, end = base + t.osec.memberCount[id]; i < end; i++) {
    const row = t.member.isec[i];
    if (t.isec.kind[row] != ISEC_EH_FRAME) count += t.isec.relaCount[row];
  }
  t.rout.relaCount[id] = count;
  return count;
}

/** Relocations of the live records of `ehsec` rows [from, to). */
export function countUnwindRelas(from: u32, to: u32): u32 {
  const t = tables();
  let count: u32 = 0;
  for (let k = from; k < to; k++) {
    const i = t.ehsec.isec[k];
    for (let row = t.isec.pieceBase[i], end = row + t.isec.pieceCount[i]; row < end; row++) if (t.ehrec.live[row]) count += t.ehrec.relaCount[row];
  }
  return count;
}

/** Writes them at `to`; the output's unwind records are at params.ehFrameAddr. Returns the bytes written. */
export function writeUnwindRelas(from: u32, end: u32, to: u32): u32 {
  const t = tables();
  const address = params().ehFrameAddr;
  const rec = t.ehrec;
  let at = to;
  for (let k = from; k < end; k++) {
    const i = t.ehsec.isec[k];
    for (let row = t.isec.pieceBase[i], last = row + t.isec.pieceCount[i]; row < last; row++) {
      if (!rec.live[row] || rec.relaCount[row] == 0) continue;
      rewrite(i, rec.rela[row], rec.relaCount[row], at, address + <u64>rec.out[row] - <u64>rec.inOffset[row]);
      at += rec.relaCount[row] * RELA_BYTES;
    }
  }
  return at - to;
}
