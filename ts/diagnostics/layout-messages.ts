/**
 * What is said about the layout of the output: one constructor per message, names and numbers in, one sentence out (lld's words where
 * it has them). Addresses are bigint, sizes and file offsets numbers, as everywhere.
 */
import type { ByteString } from "../args/link-options.ts";
import type { DiagnosticCode, Message, Place } from "./message.ts";

const CODE: DiagnosticCode = "LAYOUT";

const lower = (value: bigint | number): string => `0x${value.toString(16)}`;
const upper = (value: bigint | number): string => `0x${BigInt.asUintN(64, BigInt(value)).toString(16).toUpperCase()}`;
const range = (from: bigint | number, bytes: number): string => `[${upper(from)}, ${upper(BigInt(from) + BigInt(bytes) - 1n)}]`;

/** A section by its name, and the bytes it takes from `from` on, of memory or of the file. */
export interface Stretch {
  name: ByteString;
  from: bigint;
  bytes: number;
}

export function beyondAddressSpace({ name, from, bytes }: Stretch): Message {
  return { code: CODE, text: `section ${name} at ${upper(from)} of size ${upper(bytes)} exceeds available address space` };
}

/** `space`: of what the bytes are. */
export function overlap(space: "file" | "virtual address" | "load address", a: Stretch, b: Stretch): Message {
  const line = ({ name, from, bytes }: Stretch): ByteString => `\n>>> ${name} range is ${range(from, bytes)}`;
  return { code: CODE, text: `section ${a.name} ${space} range overlaps with ${b.name}${line(a)}${line(b)}` };
}

export function noPlaceInFile(section: ByteString, offset: number, bytes: number): Message {
  return { code: CODE, text: `unable to place section ${section} at file offset ${range(offset, bytes)}; check your linker script for overflows` };
}

export function overlapsHeaders(section: ByteString, address: bigint): Message {
  return { code: CODE, text: `--section-order: section ${section} overlaps the headers at ${lower(address)}` };
}

export function addressEndless(section: ByteString, address: bigint): Message {
  return { code: CODE, text: `address (${lower(address)}) of section '${section}' does not converge` };
}

export function assignmentEndless(symbol: ByteString): Message {
  return { code: CODE, text: `assignment to symbol ${symbol} does not converge`, symbol };
}

/** Without a place: -r, where lld does not say from where to where. */
export function movesBackward(section: ByteString, moved?: { place: Place; from: bigint; to: bigint }): Message {
  if (moved === undefined) return { code: CODE, text: `unable to move location counter backward for section '${section}'` };
  const { place, from, to } = moved;
  return { code: CODE, text: `${place.text}: unable to move location counter (${lower(from)}) backward to ${lower(to)} for section '${section}'`, at: place.ref };
}

export function misaligned(section: ByteString, address: bigint, align: number): Message {
  return { code: CODE, text: `address (${lower(address)}) of section ${section} is not a multiple of alignment (${align})` };
}

/** `flags`: sh_flags of the section at `place`; `outputFlags`: those of the output section `output`. */
export function flagsDiffer(place: Place, flags: number, output: ByteString, outputFlags: number): Message {
  const text = `incompatible section flags for ${output}\n>>> ${place.text}: ${lower(flags)}\n>>> output section ${output}: ${lower(outputFlags)}`;
  return { code: CODE, text, at: place.ref };
}

export function mergedTooLarge(): Message {
  return { code: CODE, text: "merged section is larger than 4 GiB" };
}

/** .eh_frame_hdr says distances in 32 bits. */
export function hdrDistance(at: Place, what: string, distance: bigint): Message {
  return { code: CODE, text: `${at.text}: ${what} is too large: ${upper(distance)}`, at: at.ref };
}
