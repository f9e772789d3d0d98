/**
 * What every linker-made section is to the rest of the linker.
 *
 * A synthetic section knows its size once scan-relocs has counted the needs, and writes exactly that many bytes after
 * resolve-addresses. It does not know where it is placed, except through `address`.
 */
import type { Context } from "../context.ts";

export interface SyntheticSection {
  /** Output section it goes to. */
  readonly name: string;
  readonly sh_type: number;
  readonly sh_flags: number;
  /** log2 */
  readonly align: number;
  readonly sh_entsize: number;
  /** After create-synthetic: does it exist in this link? */
  isNeeded(ctx: Context): boolean;
  /** Bytes it takes in the output (NOBITS: in memory). May change between layout rounds only when `settle` says so. */
  size(ctx: Context): number;
  /**
   * Optional: called in every layout round once addresses are known; true = the size changed, lay out again (.relr.dyn).
   */
  settle?(ctx: Context): boolean;
  /**
   * Writes the section into `out`: exactly size() zeroed bytes, a view on linear memory, where they are at `outAddr` for kernels that fill
   * them.
   */
  write(ctx: Context, out: Uint8Array, outAddr: number): void;
  /** Needs what the relocate pass leaves in memory; the others are written while it runs. */
  late?: boolean;
  /** Is not written with the others: a pass of its own does it. */
  writesItself?: boolean;
  /** Optional, in place of `write` for what is large: writes the section to `position` of the output, window by window. */
  writeWindows?(ctx: Context, fd: number, position: number): Promise<void>;
  /** Virtual address, set by assign-addresses. */
  address: bigint;
  /** osec row of the output section it is in, set when output sections are ordered. */
  osec: number;
  /** A script's /DISCARD/ names it. */
  discarded?: boolean;
  /** sh_link / sh_info by role, resolved to section header indexes in finish-output. */
  link?: string;
  info?: string | number;
}

/** What is the same in all of them before they are placed; those with entries of one size say so. */
export class SectionBase {
  readonly sh_entsize: number = 0;
  address = 0n;
  osec = 0;
}
