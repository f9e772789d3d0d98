/** Relocations that an output keeps (-r, --emit-relocs): the oracle of copy-relocs, from the gABI's "Relocation" and what lld's copies look like. */
import { ISSUE_COPIED_DISCARDED, ISSUE_RELOC_BAD_OFFSET, ISSUE_RELOC_BAD_SYMBOL } from "../../../as-kernels/shared/abi.ts";
import { R_X86_64_NONE, SHF_ALLOC } from "../../../as-kernels/shared/elf.ts";

export interface CopiedReloc {
  offset: bigint;
  type: number;
  /** In the input: of the object's symbol table; afterwards: of the output's. */
  symbol: number;
  addend: bigint;
}

/** What a symbol of the object is in the output. */
export type CopiedSymbol =
  | { is: "nothing" }
  /** `index` 0: it is not in the output's symbol table. */
  | { is: "named"; index: number }
  /** The symbol of a section: null = the section is not there. `place`: of its byte `offset`, from the start of the output section whose symbol has `index`. */
  | { is: "section"; home: { index: number; value: bigint; place: (offset: bigint) => bigint } | null }
  /** The symbol of a section in a COMDAT copy that lost. */
  | { is: "lost section" };

export interface CopiedSection {
  name: string;
  flags: number;
  size: number;
  /** How far its bytes have moved: its address in the output. */
  shift: bigint;
}

export interface CopyResult {
  relocs: CopiedReloc[];
  /** Code and relocation. */
  issues: [code: number, index: number][];
}

/** Unwind and debug information of functions that were there twice refers to the lost copy. */
const refersToLost = ({ name, flags }: CopiedSection): boolean =>
  [".eh_frame", ".gcc_except_table"].includes(name) || (name.startsWith(".debug") && (flags & SHF_ALLOC) === 0);

/** `partial`: -r, where nobody else has looked at the relocations. */
export function copyTwin(section: CopiedSection, relocs: CopiedReloc[], symbols: CopiedSymbol[], partial: boolean): CopyResult {
  const issues: CopyResult["issues"] = [];
  const copied = relocs.map((reloc, i): CopiedReloc => {
    const moved = { ...reloc, offset: BigInt.asUintN(64, reloc.offset + section.shift) };
    const symbol = symbols[reloc.symbol];
    if (symbol === undefined || reloc.offset > BigInt(section.size)) {
      if (partial) issues.push([symbol === undefined ? ISSUE_RELOC_BAD_SYMBOL : ISSUE_RELOC_BAD_OFFSET, i]);
      return { ...moved, symbol: 0 };
    }
    if (symbol.is === "nothing") return moved;
    if (symbol.is === "named" && symbol.index !== 0) return { ...moved, symbol: symbol.index };
    if (symbol.is === "section" && symbol.home !== null) {
      const { index, value, place } = symbol.home;
      return { ...moved, symbol: index, addend: BigInt.asIntN(64, place(value + reloc.addend)) };
    }
    if (symbol.is === "lost section" && !refersToLost(section)) issues.push([ISSUE_COPIED_DISCARDED, i]);
    return { ...moved, type: R_X86_64_NONE, symbol: 0, addend: 0n };
  });
  return { relocs: copied, issues };
}
