/** What emit-symtab and -r ask alike before they write a symbol. */
import { tables } from "../shared/tables.ts";
import { ISEC_MERGE } from "../shared/abi.ts";

/** Is what symbol `id`, defined in section `row`, names in the output, as far as merging decides? */
// @ts-ignore: decorator
@inline
export function isPieceLive(id: u32, row: u32): bool {
  const t = tables();
  if (t.isec.kind[row] != ISEC_MERGE) return true;
  const piece = t.sym.piece[id];
  return piece != 0 && t.piece.live[piece - 1] != 0;
}

/** ".L" and longer: labels that assemblers make up. */
// @ts-ignore: decorator
@inline
export function isLocalLabel(name: u32): bool {
  return load<u16>(name) == 0x4c2e;
}
