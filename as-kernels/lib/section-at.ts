/** Which output section an address lies in: for the few symbols that moved into a linker-made section (copies, PLT entries). */
import { tables } from "../shared/tables.ts";
import { SHF_ALLOC, SHF_TLS, SHN_ABS } from "../shared/elf.ts";

/** Section header index of the allocated output section that holds `address`; SHN_ABS when none does. */
export function sectionAt(address: u64): u32 {
  const osec = tables().osec;
  let edge: u32 = SHN_ABS;
  for (let i: u32 = 1; i < osec.rows; i++) {
    // .tbss has the addresses of what follows it; nothing that moves is thread-local.
    if (osec.index[i] == 0 || (osec.sh_flags[i] & (SHF_ALLOC | SHF_TLS)) != SHF_ALLOC || address < osec.addr[i]) continue;
    const offset = <f64>(address - osec.addr[i]);
    if (offset < osec.size[i]) return osec.index[i];
    if (offset == osec.size[i]) edge = osec.index[i];
  }
  return edge;
}
