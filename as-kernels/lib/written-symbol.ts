/** What emit-symtab, -r and -z unique-symbol ask alike of symbols that may be written. */
import { tables } from "../shared/tables.ts";
import { ISEC_MERGE, SYM_DEFINED, SYM_FORCED_LOCAL, SYM_IN_OSEC, SYM_KIND_MASK } from "../shared/abi.ts";
import { STV_HIDDEN, STV_INTERNAL } from "../shared/elf.ts";

/** Is what symbol `id`, defined in section `row`, names in the output: its section, and of a merged one its piece? */
// @ts-ignore: decorator
@inline
export function isInOutput(id: u32, row: u32): bool {
  const t = tables();
  if (!t.isec.live[row] || t.isec.osec[row] == 0) return false;
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

/** Is global `id` a local symbol of the output, because a version script or its visibility hides it? */
// @ts-ignore: decorator
@inline
export function isLocalised(id: u32): bool {
  const t = tables();
  const flags = t.sym.flags[id];
  const kind = flags & SYM_KIND_MASK;
  if (kind != SYM_DEFINED && kind != SYM_IN_OSEC) return false;
  const vis = t.gsym.vis[id];
  return (flags & SYM_FORCED_LOCAL) != 0 || vis == STV_HIDDEN || vis == STV_INTERNAL;
}
