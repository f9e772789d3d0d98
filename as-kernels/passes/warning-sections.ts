/** Finding `.gnu.warning.SYMBOL` sections and the relocations that refer to a symbol. Rows of `isec`. */
import { ISEC_CONSUMED } from "../shared/abi.ts";
import { tables } from "../shared/tables.ts";
import { isWarning } from "../lib/names.ts";
import { RELA_BYTES, R_SYM, SHF_ALLOC } from "../shared/elf.ts";

/** First row of [from, to) that is such a section; `to` = none. */
export function nextWarning(from: u32, to: u32): u32 {
  const name = tables().isec.name;
  let row = from;
  while (row < to && !(name[row] && isWarning(name[row]))) row++;
  return row;
}

/** Takes such sections out of the output. */
export function consumeWarnings(): void {
  const isec = tables().isec;
  for (let row: u32 = nextWarning(1, isec.rows); row < isec.rows; row = nextWarning(row + 1, isec.rows)) isec.kind[row] = <u8>ISEC_CONSUMED;
}

/**
 * Adds to `count` the relocations of live loaded sections of rows [from, to), but for those of object `own`, that refer to `sym`;
 * the first `limit` as u32 pairs (isec, relocation) at `out`.
 */
export function findReferences(sym: u32, own: u32, from: u32, to: u32, out: u32, count: u32, limit: u32): u32 {
  const isec = tables().isec;
  const obj = tables().obj;
  const esymSym = tables().esym.sym;
  for (let i = from; i < to; i++) {
    const rela = isec.rela[i];
    const o = isec.obj[i];
    if (!rela || !isec.live[i] || o == own || !(isec.sh_flags[i] & SHF_ALLOC)) continue;
    for (let k: u32 = 0; k < isec.relaCount[i]; k++) {
      const index = load<u32>(rela + k * RELA_BYTES, R_SYM);
      if (index >= obj.esymCount[o] || esymSym[obj.esymBase[o] + index] != sym) continue;
      if (count < limit) {
        store<u32>(out + (count << 3), i);
        store<u32>(out + (count << 3), k, 4);
      }
      count++;
    }
  }
  return count;
}
