/**
 * CIEs and FDEs as bytes, for tests of .eh_frame.
 *
 * Call frame instructions are DW_CFA_nop. The surprising choice: sections are built by chaining calls, and the builder notes
 * where relocations belong, because their offsets depend on everything before.
 */
import type { RelocSpec } from "./piece-world.ts";

const R_PC32 = 2;
const R_64 = 1;

export interface CieOptions {
  /** Relocation of the personality pointer: index of its symbol. */
  personality?: number;
  /** Its addend. */
  addend?: number;
  /** DW_EH_PE_* of FDE pointers; default pcrel sdata4. */
  enc?: number;
  /** Makes it differ from others. */
  codeAlign?: number;
  version?: number;
  augmentation?: string;
}

export class EhBytes {
  readonly bytes: number[] = [];
  readonly relocs: RelocSpec[] = [];

  private u32(value: number): void {
    for (let k = 0; k < 4; k++) this.bytes.push((value >>> (8 * k)) & 255);
  }

  private patch(at: number, value: number): void {
    for (let k = 0; k < 4; k++) this.bytes[at + k] = (value >>> (8 * k)) & 255;
  }

  /** Pads the record that began at `start` so that its size is a multiple of `unit`, and sets its length. */
  private close(start: number, head: number, unit: number): void {
    while ((this.bytes.length - start) % unit !== 0) this.bytes.push(0);
    this.patch(start + head - 4 - (head === 12 ? 4 : 0), this.bytes.length - start - head);
  }

  /** Returns the record's offset. */
  cie({ personality, addend, enc = 0x1b, codeAlign = 1, version = 1, augmentation }: CieOptions = {}): number {
    const start = this.bytes.length;
    this.u32(0);
    this.u32(0);
    const letters = augmentation ?? (personality === undefined ? "zR" : "zPLR");
    this.bytes.push(version, ...[...letters].map((c) => c.charCodeAt(0)), 0, codeAlign, 0x78, 16);
    if (letters.startsWith("z")) {
      this.bytes.push(personality === undefined ? 1 : 7);
      if (personality !== undefined) {
        this.bytes.push(0x9b);
        this.relocs.push({ offset: this.bytes.length, type: R_PC32, sym: personality, ...(addend === undefined ? {} : { addend }) });
        this.u32(0);
        this.bytes.push(0x1b);
      }
      this.bytes.push(enc);
    }
    this.close(start, 4, 4);
    return start;
  }

  /** An FDE of `cie` for `bytes` bytes of code at symbol `sym` + `addend`. Returns its offset. */
  fde(cie: number, sym: number | null, addend: number, bytes: number, wide = false, nops = 0): number {
    const start = this.bytes.length;
    this.u32(0);
    this.u32(this.bytes.length - cie);
    if (sym !== null) this.relocs.push({ offset: this.bytes.length, type: wide ? R_64 : R_PC32, sym, addend });
    for (let k = wide ? 2 : 1; k > 0; k--) this.u32(0);
    this.u32(bytes);
    if (wide) this.u32(0);
    this.bytes.push(0);
    for (let k = nops; k > 0; k--) this.bytes.push(0);
    this.close(start, 4, 4);
    return start;
  }

  /** Turns the records so far into the 64-bit length form: only for a section of one record. */
  long(): this {
    const length = this.bytes.length - 4;
    this.bytes.splice(0, 4, 255, 255, 255, 255, ...[0, 1, 2, 3].map((k) => (length >>> (8 * k)) & 255), 0, 0, 0, 0);
    for (const reloc of this.relocs) reloc.offset += 8;
    return this;
  }

  terminator(): this {
    this.u32(0);
    return this;
  }

  data(): Uint8Array {
    return Uint8Array.from(this.bytes);
  }
}
