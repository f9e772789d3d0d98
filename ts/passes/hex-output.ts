/**
 * --oformat srec and ihex: the raw image as text, Motorola S-records or Intel HEX, as programmers of flash memory take them.
 *
 * The image is laid out and written as for --oformat binary and rewritten here, section by section, so that gaps cost nothing. Records
 * are cut as GNU ld cuts them: 16 bytes each, none across sections, lines ended by CR LF.
 */
import { SHT_NOBITS } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import type { OutputFile } from "../host/host.ts";
import { loadAddresses } from "./file-layout.ts";
import { entryAddress } from "./finish-output.ts";

const RECORD_BYTES = 16;
/** S0 names the output, up to this many bytes (GNU ld). */
const NAME_BYTES = 40;

interface Stretch {
  /** Load address. */
  address: number;
  bytes: Uint8Array;
}

/** Turns the finished raw image into text. */
export function writeHexOutput(ctx: Context, file: OutputFile): void {
  const stretches = readStretches(ctx, file);
  const entry = Number(entryAddress(ctx));
  const last = stretches.at(-1);
  const end = last === undefined ? 0 : last.address + last.bytes.length - 1;
  if (Math.max(end, entry) > 0xffffffff) ctx.diag.fatal({ code: "LAYOUT", text: `--oformat ${ctx.options.hexFormat}: address 0x${Math.max(end, entry).toString(16)} does not fit in 32 bits` });
  const lines = ctx.options.hexFormat === "srec" ? srec(stretches, entry, end, ctx.options.output) : ihex(stretches, entry);
  const text = new TextEncoder().encode(lines.map((line) => `${line}\r\n`).join(""));
  file.truncate(text.length);
  file.write(text, 0);
}

function readStretches(ctx: Context, file: OutputFile): Stretch[] {
  const lma = loadAddresses(ctx);
  const found = ctx.osecs.filter(({ sh_type, size }) => sh_type !== SHT_NOBITS && size > 0).map((osec) => {
    const bytes = new Uint8Array(osec.size);
    file.read(bytes, osec.sh_offset);
    return { address: Number(lma(osec)), bytes };
  });
  return found.sort((a, b) => a.address - b.address);
}

const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, "0");
const bytesOf = (value: number, count: number): number[] => Array.from({ length: count }, (_, i) => Math.floor(value / 2 ** (8 * (count - 1 - i))) & 0xff);

// ---- Motorola S-records: type, length, address, data, complement of the sum ----

function srec(stretches: readonly Stretch[], entry: number, end: number, output: ByteString): ByteString[] {
  const width = end <= 0xffff ? 2 : end <= 0xffffff ? 3 : 4;
  const record = (type: number, address: number, addressBytes: number, data: readonly number[]): ByteString => {
    const all = [addressBytes + data.length + 1, ...bytesOf(address, addressBytes), ...data];
    const sum = all.reduce((total, byte) => total + byte, 0);
    return `S${type}${[...all, ~sum & 0xff].map((byte) => hex(byte, 2)).join("")}`;
  };
  const name = Array.from(output.slice(0, NAME_BYTES), (char) => char.charCodeAt(0));
  const lines = [record(0, 0, 2, name)];
  for (const { address, bytes } of stretches) {
    for (let at = 0; at < bytes.length; at += RECORD_BYTES) lines.push(record(width - 1, address + at, width, [...bytes.subarray(at, at + RECORD_BYTES)]));
  }
  return [...lines, record(11 - width, entry, width, [])];
}

// ---- Intel HEX: length, address, type, data, two's complement of the sum; addresses beyond 16 bits need a base ----

const IHEX_DATA = 0;
const IHEX_END = 1;
const IHEX_SEGMENT = 2;
const IHEX_START_SEGMENT = 3;
const IHEX_LINEAR = 4;
const IHEX_START_LINEAR = 5;

function ihexRecord(type: number, address: number, data: readonly number[]): ByteString {
  const all = [data.length, ...bytesOf(address, 2), type, ...data];
  const sum = all.reduce((total, byte) => total + byte, 0);
  return `:${[...all, -sum & 0xff].map((byte) => hex(byte, 2)).join("")}`;
}

function ihex(stretches: readonly Stretch[], entry: number): ByteString[] {
  const lines: ByteString[] = [];
  let segment = 0;
  let linear = 0;
  for (const { address, bytes } of stretches) {
    for (let at = 0; at < bytes.length; ) {
      const where = address + at;
      if (where > segment + linear + 0xffff) {
        if (where <= 0xfffff) {
          segment = Math.floor(where / 0x10000) * 0x10000;
          lines.push(ihexRecord(IHEX_SEGMENT, 0, bytesOf(segment / 16, 2)));
        } else {
          if (segment !== 0) lines.push(ihexRecord(IHEX_SEGMENT, 0, [0, 0]));
          segment = 0;
          linear = Math.floor(where / 0x10000) * 0x10000;
          lines.push(ihexRecord(IHEX_LINEAR, 0, bytesOf(linear / 0x10000, 2)));
        }
      }
      const offset = where - segment - linear;
      const count = Math.min(RECORD_BYTES, bytes.length - at, 0x10000 - offset);
      lines.push(ihexRecord(IHEX_DATA, offset, [...bytes.subarray(at, at + count)]));
      at += count;
    }
  }
  if (entry !== 0) {
    if (entry <= 0xfffff) lines.push(ihexRecord(IHEX_START_SEGMENT, 0, [(entry & 0xf0000) >> 12, 0, (entry >> 8) & 0xff, entry & 0xff]));
    else lines.push(ihexRecord(IHEX_START_LINEAR, 0, bytesOf(entry, 4)));
  }
  return [...lines, ihexRecord(IHEX_END, 0, [])];
}
