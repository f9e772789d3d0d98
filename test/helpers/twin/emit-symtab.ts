/** What .symtab gets of local symbols: the oracle of emit-symtab's locals, from lld's includeInSymtab and discard rules. */
import { SYM_DEFINED, SYM_DISCARDED, SYM_KIND_MASK, SYM_UNDEF } from "../../../as-kernels/shared/abi.ts";
import { SHF_MERGE, STT_SECTION } from "../../../as-kernels/shared/elf.ts";

export interface Local {
  name: string;
  type: number;
  flags: number;
  /** null = absolute */
  section: { live: boolean; flags: number } | null;
}

export type Discard = "default" | "locals" | "all" | "none";

export function isWritten({ name, type, flags, section }: Local, discard: Discard): boolean {
  const kind = flags & SYM_KIND_MASK;
  if (type === STT_SECTION || discard === "all" || kind === SYM_UNDEF || kind === SYM_DISCARDED) return false;
  if (kind === SYM_DEFINED && section !== null && !section.live) return false;
  if (discard === "none" || !name.startsWith(".L")) return true;
  return discard === "default" && (section === null || (section.flags & SHF_MERGE) === 0);
}
