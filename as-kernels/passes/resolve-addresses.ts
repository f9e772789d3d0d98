/** Virtual addresses of all symbols, once sections have theirs. Reads sym, isec, osec, msec, piece; writes sym.addr. */
import { tables } from "../shared/tables.ts";
import { mergedAddress, mergedSymbolAddress } from "../lib/pieces.ts";
import { ISEC_MERGE, SYM_DEFINED, SYM_IN_OSEC, SYM_KIND_MASK } from "../shared/abi.ts";

/** Symbols [from, to). Undefined, shared and discarded symbols have address 0 (plt and copies are set elsewhere). */
export function resolveAddresses(from: u32, to: u32): void {
  const t = tables();
  const sym = t.sym;
  const isec = t.isec;
  const osecAddr = t.osec.addr;
  for (let id = from; id < to; id++) {
    const kind = sym.flags[id] & SYM_KIND_MASK;
    const row = sym.isec[id];
    if (kind == SYM_DEFINED) {
      if (row == 0) {
        sym.addr[id] = sym.value[id];
      } else if (isec.kind[row] == ISEC_MERGE) {
        sym.addr[id] = sym.piece[id] != 0 ? mergedSymbolAddress(id) : mergedAddress(row, sym.value[id]);
      } else {
        const o = isec.osec[row];
        sym.addr[id] = o == 0 || !isec.live[row] ? 0 : osecAddr[o] + <u64>isec.outOffset[row] + sym.value[id];
      }
    } else if (kind == SYM_IN_OSEC) {
      sym.addr[id] = osecAddr[row] + sym.value[id];
    }
  }
}
