/** CRC-32 (IEEE 802.3), as .gnu_debuglink has it, of a file while it is written. */
import type { OutputFile } from "../host/host.ts";

/** Remainders of all bytes. */
let known: Uint32Array | null = null;

function crcTable(): Uint32Array {
  known ??= Uint32Array.from({ length: 256 }, (_, n) => {
    let value = n;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
  });
  return known;
}

/** Hands on what is written, in ascending order; what lies between is zero. */
export class Crc32Writer {
  private crc = 0xffffffff;
  private at = 0;
  private readonly file: Pick<OutputFile, "write">;
  private readonly bytes: number;

  constructor(file: Pick<OutputFile, "write">, bytes: number) {
    this.file = file;
    this.bytes = bytes;
  }

  write(bytes: Uint8Array, position: number): void {
    this.zeros(position);
    this.file.write(bytes, position);
    const table = crcTable();
    let crc = this.crc;
    for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
    this.crc = crc;
    this.at = position + bytes.length;
  }

  private zeros(to: number): void {
    const table = crcTable();
    for (; this.at < to; this.at++) this.crc = table[this.crc & 0xff]! ^ (this.crc >>> 8);
  }

  digest(): Uint8Array {
    this.zeros(this.bytes);
    const out = new Uint8Array(4);
    new DataView(out.buffer).setUint32(0, ~this.crc >>> 0, true);
    return out;
  }
}
