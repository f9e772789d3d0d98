/** -z report-relative-reloc: which fields of the output become R_*_RELATIVE or .relr.dyn entries. */
import { tables } from "../shared/tables.ts";
import { decisionFor, isGotRelative, isRelativeAction, relocEntry } from "../lib/needs.ts";
import { mayBeDynamic, valueOf } from "../lib/dynamic-records.ts";
import { ISEC_REGULAR, SYM_ABSOLUTE } from "../shared/abi.ts";
import { RELATIVE_BYTES } from "../shared/cells.ts";
import { VALUE_PC } from "../shared/reloc.ts";
import { RELA_BYTES, R_ADDEND, R_SYM, R_TYPE, SHF_ALLOC, SHT_NOBITS } from "../shared/elf.ts";

/** Entries (RELATIVE_BYTES) of sections [from, to) at `out`, as many as `limit`; returns how many there are. */
export function listRelative(from: u32, to: u32, out: u32, limit: u32): u32 {
  const isec = tables().isec;
  let count: u32 = 0;
  for (let i = from; i < to; i++) {
    if (!isec.live[i] || isec.kind[i] != ISEC_REGULAR || isec.sh_type[i] == SHT_NOBITS || !(isec.sh_flags[i] & SHF_ALLOC) || !isec.rela[i]) continue;
    const base = tables().obj.esymBase[isec.obj[i]];
    const place = tables().osec.addr[isec.osec[i]] + <u64>isec.outOffset[i];
    for (let k: u32 = 0; k < isec.relaCount[i]; k++) {
      const r = isec.rela[i] + k * RELA_BYTES;
      const index = load<u32>(r, R_SYM);
      const sym = tables().esym.sym[base + index];
      const flags = index ? tables().sym.flags[sym] : SYM_ABSOLUTE;
      const entry = relocEntry(load<u32>(r, R_TYPE));
      if (!mayBeDynamic(entry & 0xff, (entry >> 8) & 0xff, flags) || !isRelativeAction(decisionFor(i, entry, sym, index ? flags : 0, index))) continue;
      if (count < limit) {
        const at = out + count * RELATIVE_BYTES;
        const P = place + load<u64>(r);
        store<u32>(at, i);
        store<u32>(at, k, 4);
        store<u64>(at, P, 8);
        store<u64>(at, valueOf(sym, flags, load<u64>(r, R_ADDEND)) - ((entry & 0xff) == VALUE_PC ? P : 0), 16);
      }
      count++;
    }
  }
  return count;
}

/** The same for .got: sym row, number of the word + 1 (u32), of aux rows [from, to). */
export function listGotRelative(from: u32, to: u32, out: u32, limit: u32): u32 {
  const aux = tables().aux;
  let count: u32 = 0;
  for (let row = from; row < to; row++) {
    if (!isGotRelative(row)) continue;
    if (count < limit) {
      store<u32>(out + (count << 3), aux.sym[row]);
      store<u32>(out + (count << 3), aux.got[row], 4);
    }
    count++;
  }
  return count;
}
