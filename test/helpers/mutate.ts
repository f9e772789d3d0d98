/**
 * Damages ELF objects, archives and texts in the ways that break readers: single header bytes, sizes and offsets near limits, truncation,
 * repeated and cleared stretches.
 *
 * Not coverage-guided. The surprising choice: most damage goes to the places that steer a reader (headers, section table, symbols,
 * relocations, the first bytes of sections), because random bytes in machine code teach nothing.
 */

import type { Prng } from "./prng.ts";

const INTERESTING = [0n, 1n, 2n, 7n, 8n, 0x7fn, 0x80n, 0xffn, 0x100n, 0xffffn, 0x10000n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n, 0x7fffffffffffffffn, 0x8000000000000000n, 0xffffffffffffffffn, 0xfffffffffffffff0n];

/** Places worth damaging: the ELF header, each section header, and the start of each section's contents. */
function targets(bytes: Uint8Array): { at: number; size: number }[] {
  const list = [{ at: 0, size: Math.min(64, bytes.length) }];
  if (bytes.length < 64 || bytes[0] !== 0x7f) return [...list, { at: 0, size: bytes.length }];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shoff = Number(view.getBigUint64(40, true));
  for (let i = 0; i < view.getUint16(60, true); i++) {
    const at = shoff + 64 * i;
    if (at + 64 > bytes.length) break;
    list.push({ at, size: 64 }, { at, size: 64 });
    const type = view.getUint32(at + 4, true);
    const offset = Number(view.getBigUint64(at + 24, true));
    const size = Number(view.getBigUint64(at + 32, true));
    if (type === 8 || size === 0 || offset + size > bytes.length) continue;
    const steering = [2, 4, 11, 17, 18, 0x6ffffffd, 0x6ffffffe, 0x6fffffff, 6, 7, 3].includes(type);
    list.push({ at: offset, size: Math.min(size, steering ? 4096 : 256) });
  }
  return list;
}

/** A damaged copy of `bytes`: one to eight changes. */
export function mutate(bytes: Uint8Array, rng: Prng): Uint8Array {
  let out: Uint8Array = bytes.slice();
  const places = targets(bytes);
  for (let n = rng.chance(0.5) ? 1 : rng.between(2, 8); n > 0; n--) out = change(out, places, rng);
  return out;
}

function change(out: Uint8Array, places: { at: number; size: number }[], rng: Prng): Uint8Array {
  if (out.length === 0) return out;
  const place = rng.pick(places)!;
  const at = Math.min(out.length - 1, place.at + rng.below(place.size));
  switch (rng.below(12)) {
    case 0: return out.slice(0, rng.below(out.length));
    case 1: out[at] = rng.below(256); break;
    case 2: out[at] = out[at]! ^ (1 << rng.below(8)); break;
    case 3: out.fill(0, at, Math.min(out.length, at + rng.between(1, 64))); break;
    case 4: out.copyWithin(at, rng.below(out.length), rng.below(out.length)); break;
    case 5: return rng.chance(0.2) ? Uint8Array.from([...out.slice(0, at), ...out.slice(at + rng.below(32))]) : out;
    case 6: out[at] = out[at]! + (rng.chance(0.5) ? 1 : 255); break;
    default: {
      const width = rng.pick([1, 2, 4, 8, 8])!;
      const aligned = at - (at % width);
      if (aligned + width > out.length) break;
      let value = rng.pick(INTERESTING)!;
      if (rng.chance(0.2)) value = BigInt(out.length) + BigInt(rng.between(-16, 16));
      if (rng.chance(0.1)) value = rng.u64();
      for (let i = 0; i < width; i++) out[aligned + i] = Number((BigInt.asUintN(64, value) >> BigInt(8 * i)) & 0xffn);
    }
  }
  return out;
}

/** Copies of `bytes` with byte `at` set to values that matter. */
export function byteValues(bytes: Uint8Array, at: number): Uint8Array[] {
  const old = bytes[at]!;
  return [...new Set([0, 0xff, old ^ 0x80, (old + 1) & 0xff, (old - 1) & 0xff])].filter((v) => v !== old).map((v) => {
    const copy = bytes.slice();
    copy[at] = v;
    return copy;
  });
}

const TOKENS = ["(", ")", "{", "}", ";", ":", ",", "*", "\"", "'", "\\", "@", "@file", "/*", "*/", "//", "=", "<<", "\0", "\xff", "-", "--", "global:", "local:", "extern \"C++\"", "INPUT", "GROUP(", "AS_NEEDED(", "SECTIONS {", "VERSION {", "OUTPUT_FORMAT(", "0x", "99999999999999999999", "[", "]", "\n", " "];

/** A damaged copy of a script, version script or response file. */
export function mutateText(text: string, rng: Prng): string {
  for (let n = rng.between(1, 6); n > 0; n--) {
    const at = rng.below(text.length + 1);
    const to = Math.min(text.length, at + rng.below(12));
    switch (rng.below(4)) {
      case 0: text = text.slice(0, at) + text.slice(to); break;
      case 1: text = text.slice(0, at) + rng.pick(TOKENS)! + text.slice(at); break;
      case 2: text = text.slice(0, at) + text.slice(at, to).repeat(rng.between(2, 5)) + text.slice(to); break;
      default: text = text.slice(0, at) + String.fromCharCode(rng.below(256)) + text.slice(at + 1);
    }
  }
  return text;
}

/** A copy of `text` with up to three places overwritten by one of `letters`. */
export function sprinkle(text: string, letters: string, rng: Prng): string {
  for (let n = rng.below(3); n >= 0; n--) {
    const at = rng.below(text.length + 1);
    text = text.slice(0, at) + letters[rng.below(letters.length)] + text.slice(at + rng.below(3));
  }
  return text;
}
