/**
 * PHDRS of layout scripts, text → program headers.
 */
import type { LayoutScript, PhdrCommand } from "./layout.ts";
import type { ScriptText } from "./script-text.ts";
import { constantValue } from "./script-value.ts";

/** gABI ch. 5, Segment Types, with GNU's. */
const PHDR_TYPES: Record<string, number> = {
  PT_NULL: 0, PT_LOAD: 1, PT_DYNAMIC: 2, PT_INTERP: 3, PT_NOTE: 4, PT_SHLIB: 5, PT_PHDR: 6, PT_TLS: 7,
  PT_GNU_EH_FRAME: 0x6474e550, PT_GNU_STACK: 0x6474e551, PT_GNU_RELRO: 0x6474e552, PT_GNU_PROPERTY: 0x6474e553, PT_GNU_SFRAME: 0x6474e554, PT_OPENBSD_MUTABLE: 0x65a3dbe5, PT_OPENBSD_RANDOMIZE: 0x65a3dbe6, PT_OPENBSD_WXNEEDED: 0x65a3dbe7, PT_OPENBSD_NOBTCFI: 0x65a3dbe8,
  PT_OPENBSD_SYSCALLS: 0x65a3dbe9, PT_OPENBSD_BOOTDATA: 0x65a41be6,
};

/** PHDRS { name type FILEHDR PHDRS AT(address) FLAGS(flags) ; } */
export function readPhdrs(t: ScriptText, layout: LayoutScript): void {
  t.takeWord("PHDRS");
  t.expect("{");
  while (!t.take("}")) {
    const phdr: PhdrCommand = { name: t.plainName(), p_type: 0, p_flags: null, filehdr: false, phdrs: false, lma: null };
    t.skip();
    const start = t.at;
    phdr.p_type = t.readNumber(PHDR_TYPES, "program header type");
    if (phdr.p_type > 0xffffffff) throw t.error(`invalid program header type: ${phdr.p_type}`, start);
    while (!t.take(";")) {
      if (t.takeWord("FILEHDR")) phdr.filehdr = true;
      else if (t.takeWord("PHDRS")) phdr.phdrs = true;
      else if (t.takeWord("AT")) phdr.lma = t.parenthesized();
      else if (t.takeWord("FLAGS")) phdr.p_flags = Number(BigInt.asUintN(32, constantValue(t.parenthesized())));
      else throw t.error(`unexpected header attribute: ${t.shown()}`);
    }
    layout.phdrs.push(phdr);
  }
}
