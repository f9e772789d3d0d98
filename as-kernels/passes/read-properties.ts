/** Finds the .note.gnu.property sections, whose meaning is merged instead of their bytes being copied. */
import { tables } from "../shared/tables.ts";
import { ISEC_CONSUMED } from "../shared/abi.ts";
import { SHT_NOTE } from "../shared/elf.ts";

/** ".note.gnu.property\0" */
// @ts-ignore: decorator
@inline
function isPropertyNote(name: u32): bool {
  return load<u64>(name) == 0x6e672e65746f6e2e && load<u64>(name, 8) == 0x7265706f72702e75 && load<u16>(name, 16) == 0x7974 && load<u8>(name, 18) == 0;
}

/** Takes them out of the output (ISEC_CONSUMED) and lists their rows at `out`; `out` = 0 only counts. Loaded or not: rustc's are not (symbols.o). */
export function takePropertyNotes(from: u32, to: u32, out: u32): u32 {
  const isec = tables().isec;
  let count: u32 = 0;
  for (let i = from; i < to; i++) {
    if (isec.sh_type[i] != SHT_NOTE || !isPropertyNote(isec.name[i])) continue;
    if (out != 0) {
      store<u32>(out + (count << 2), i);
      isec.kind[i] = ISEC_CONSUMED;
    }
    count++;
  }
  return count;
}
