/**
 * --randomize-section-padding: padding between input sections and before segments, to tell what a change costs from where it put everything
 * else (lld). The same seed gives the same output.
 *
 * Only where nothing counts on its neighbours: no arrays, no tables, no unwind records.
 */
import type { Context, OutputSection } from "../context.ts";

const PADDED = /^\.(text|rodata|data|data\.rel\.ro|bss|ltext|lrodata|ldata|lbss)$|^\.text\./;
/** Bytes that the start of a segment is moved by at most, and in which steps. */
const START_BYTES = 4096;
const START_STEP = 64;

/** Weyl's sequence and a multiplication, in 32 bits. */
function scramble(seed: number, value: number): number {
  const mixed = Math.imul(seed ^ Math.imul(value + 1, 0x9e3779b1), 0x85ebca6b);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

/** What layoutMembers mixes with the number of a member; 0 = no padding. */
export function paddingSeedOf({ options }: Context, { id, name }: OutputSection): number {
  return PADDED.test(name) ? (scramble(options.paddingSeed, id) | 1) >>> 0 : 0;
}

export function startPadding({ options }: Context, { id, name }: OutputSection): bigint {
  return options.paddingSeed > 0 && PADDED.test(name) ? BigInt((scramble(options.paddingSeed, -id) % (START_BYTES / START_STEP)) * START_STEP) : 0n;
}
