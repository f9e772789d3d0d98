/**
 * What an architecture must tell the rest of the linker: relocation types, PLT code, pages, where images begin.
 *
 * Facts only. How instructions are recognised and rewritten is in as-kernels/arch, when a symbol gets an entry in
 * ts/passes/scan-policy.ts.
 */

import type { Target } from "./targets.ts";

/** A relocation type that may occur in object files. */
export interface RelocationType {
  r_type: number;
  /** VALUE_*: what is stored. */
  value: number;
  /** Width of the field in bytes; 0 = nothing is written. */
  bytes: number;
  /** RANGE_*: which values fit. */
  range: number;
  /** SCAN_*: row of the decision table. */
  scan: number;
}

/** Machine code of an entry with the places that are filled in. Offsets in bytes, 0 = no such field. */
export interface PltCode {
  bytes: Uint8Array;
  /** 4 bytes relative to their end: the word to jump through. */
  slot: number;
  /** 4 bytes: number of the entry. */
  index: number;
  /** Fields of 4 bytes relative to their end: places in .plt; the bytes hold the distance of each from its start. */
  header: number[];
}

/** - ibt: for processors that check indirect branches. - retpoline: no indirect jump that could be speculated; -now: no lazy binding. */
export type PltStyleName = "plain" | "ibt" | "retpoline" | "retpoline-now";

export interface PltStyle {
  /** First bytes of .plt; fields of 4 bytes relative to their end: .got.plt + 8 and + 16, 0 = no such field. */
  header: { bytes: Uint8Array; link: number; resolver: number };
  /** In .plt behind the header. */
  entry: PltCode;
  /** In .plt.sec, where calls go then; null = calls go to `entry`. */
  second: PltCode | null;
  /** Offset in `entry` of the code a word of .got.plt points to until it is bound; -1 = nothing is bound lazily. */
  lazy: number;
  got: PltCode;
  iplt: PltCode;
}

export interface Architecture {
  target: Target;
  name: string;
  e_machine: number;
  relocations: readonly RelocationType[];
  /** Types that only the dynamic linker sees, as far as TypeScript writes them; kernels have theirs in as-kernels/arch. */
  R_COPY: number;
  R_DTPMOD: number;
  R_RELATIVE: number;
  commonPageSize: number;
  maxPageSize: number;
  /** The byte between code sections: what strays there stops. */
  codeFill: number;
  /** Words at the start of .got.plt that belong to the dynamic linker. */
  gotPltHeaderWords: number;
  plt: (style: PltStyleName) => PltStyle;
}
