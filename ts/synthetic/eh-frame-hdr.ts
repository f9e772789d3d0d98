/**
 * .eh_frame_hdr: a sorted table from code address to FDE, so that unwinders need not walk .eh_frame (LSB core, ch. 10.6.2).
 *
 * Has room for every FDE that covers code; of several at the same address only the first is listed, so zeros may follow the
 * table. Addresses come from relocations, not from the written FDEs, so both sections can be written in any order.
 */
import { SHF_ALLOC, SHT_PROGBITS } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import type { EhFrameSection } from "./eh-frame.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";

const VERSION = 1;
const DW_EH_PE_udata4 = 0x03;
const DW_EH_PE_sdata4 = 0x0b;
const DW_EH_PE_pcrel = 0x10;
const DW_EH_PE_datarel = 0x30;

/** version, three encodings, distance to .eh_frame, number of entries */
const HEADER_BYTES = 12;
const ENTRY_BYTES = 8;
const COUNTER_BYTES = 8192;

export class EhFrameHdrSection extends SectionBase implements SyntheticSection {
  readonly name = ".eh_frame_hdr";
  readonly sh_type = SHT_PROGBITS;
  readonly sh_flags = SHF_ALLOC;
  readonly align = 2;
  private readonly ehFrame: EhFrameSection;

  constructor(ehFrame: EhFrameSection) {
    super();
    this.ehFrame = ehFrame;
  }

  isNeeded(ctx: Context): boolean {
    return ctx.options.ehFrameHdr && !ctx.options.relocatable && this.ehFrame.isNeeded(ctx);
  }

  size(): number {
    return HEADER_BYTES + ENTRY_BYTES * this.ehFrame.entries;
  }

  write(ctx: Context, _out: Uint8Array, outAddr: number): void {
    const { arena, kernels } = ctx;
    const distance = this.ehFrame.address - (this.address + 4n);
    const mark = arena.mark();
    const room = ENTRY_BYTES * this.ehFrame.entries + 16;
    const keys = arena.alloc(room);
    const found = kernels.collectHdr(keys);
    if (distance !== BigInt.asIntN(32, distance)) ctx.diag.error({ code: "LAYOUT", text: ".eh_frame_hdr: the distance to .eh_frame needs more than 32 bits" });
    const sorted = kernels.sortHdr(keys, arena.alloc(room), arena.alloc(COUNTER_BYTES), found);
    const entries = kernels.writeHdrTable(sorted, found, outAddr + HEADER_BYTES);
    arena.release(mark);
    const header = new DataView(arena.memory.buffer, outAddr, HEADER_BYTES);
    header.setUint8(0, VERSION);
    header.setUint8(1, DW_EH_PE_pcrel | DW_EH_PE_sdata4);
    header.setUint8(2, DW_EH_PE_udata4);
    header.setUint8(3, DW_EH_PE_datarel | DW_EH_PE_sdata4);
    header.setInt32(4, Number(BigInt.asIntN(32, distance)), true);
    header.setUint32(8, entries, true);
  }
}
