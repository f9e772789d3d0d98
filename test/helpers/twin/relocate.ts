/**
 * The plain-TypeScript oracle of scan-relocs, create-synthetic and relocate for relocations that change no instruction.
 *
 * Written as one decision after the other, in the order of the psABI and of lld's description of its scanner, and not as a
 * table: so it checks the tables in ts/passes/scan-policy.ts and ts/arch/x86-64.ts, too.
 */
import * as abi from "../../../as-kernels/shared/abi.ts";
import * as elf from "../../../as-kernels/shared/elf.ts";
import { BASE, PLACES, STEP, type RelSpec, type RelocWorldSpec, type SecSpec, type SymSpec } from "../reloc-world.ts";

export interface TwinResult {
  bytes: Uint8Array[];
  /** Sections' dynamic relocations, in section order: RELATIVE, then the rest. */
  records: { offset: bigint; type: number; sym: number; addend: bigint }[];
  /** `code section index` */
  issues: string[];
}

const WIDTHS: Record<number, number> = {
  [elf.R_X86_64_8]: 1, [elf.R_X86_64_PC8]: 1, [elf.R_X86_64_16]: 2, [elf.R_X86_64_PC16]: 2, [elf.R_X86_64_64]: 8, [elf.R_X86_64_PC64]: 8,
  [elf.R_X86_64_GOT64]: 8, [elf.R_X86_64_GOTPCREL64]: 8, [elf.R_X86_64_GOTPLT64]: 8, [elf.R_X86_64_GOTOFF64]: 8, [elf.R_X86_64_GOTPC64]: 8,
  [elf.R_X86_64_PLTOFF64]: 8, [elf.R_X86_64_SIZE64]: 8, [elf.R_X86_64_DTPOFF64]: 8, [elf.R_X86_64_TPOFF64]: 8,
};
const widthOf = (type: number): number => WIDTHS[type] ?? 4;
const PC = new Set<number>([elf.R_X86_64_PC8, elf.R_X86_64_PC16, elf.R_X86_64_PC32, elf.R_X86_64_PC64]);
const ABSOLUTE = new Set<number>([elf.R_X86_64_8, elf.R_X86_64_16, elf.R_X86_64_32, elf.R_X86_64_32S, elf.R_X86_64_64]);
const GOT_PC = new Set<number>([elf.R_X86_64_GOTPCREL, elf.R_X86_64_GOTPCREL64]);
const GOT = new Set<number>([elf.R_X86_64_GOT32, elf.R_X86_64_GOT64, elf.R_X86_64_GOTPLT64]);
const PLT = new Set<number>([elf.R_X86_64_PLT32, elf.R_X86_64_PLTOFF64]);
const GOT_BASE = new Set<number>([...GOT, elf.R_X86_64_GOTOFF64, elf.R_X86_64_GOTPC32, elf.R_X86_64_GOTPC64, elf.R_X86_64_PLTOFF64]);
/** Types the dynamic linker knows, too. */
const DYNAMIC = new Set<number>([elf.R_X86_64_64, elf.R_X86_64_SIZE32, elf.R_X86_64_SIZE64]);

const has = (sym: SymSpec, bit: number): boolean => (sym.flags & bit) !== 0;
const kind = (sym: SymSpec): number => sym.flags & abi.SYM_KIND_MASK;
const isUndefined = (sym: SymSpec): boolean => kind(sym) === abi.SYM_UNDEF;
const preemptible = (sym: SymSpec): boolean => has(sym, abi.SYM_PREEMPTIBLE);
const isAbsolute = (sym: SymSpec): boolean => !preemptible(sym) && (isUndefined(sym) || has(sym, abi.SYM_ABSOLUTE));

type Need = "got" | "plt" | "copy" | "cplt" | "direct";
type Outcome = { code: number } | { relative: true } | { dynamic: true } | { need: Need } | { need: undefined };
const NONE: Outcome = { need: undefined };

/** What one relocation asks for. */
function decide(spec: RelocWorldSpec, section: SecSpec, rel: RelSpec, sym: SymSpec | undefined): Outcome {
  const { type } = rel;
  const shared = spec.output === "shared";
  const pic = spec.output !== "exec";
  const writable = (section.flags & elf.SHF_WRITE) !== 0;
  if (type === elf.R_X86_64_NONE || sym === undefined) return NONE;
  if (isUndefined(sym) && !has(sym, abi.SYM_WEAK)) return { code: abi.ISSUE_UNDEFINED };
  if (type === elf.R_X86_64_GOTPC32 || type === elf.R_X86_64_GOTPC64) return NONE;
  if (type === elf.R_X86_64_TPOFF32 && shared) return { code: abi.ISSUE_RELOC_SHARED_TLS };
  if (type === elf.R_X86_64_TPOFF64 && shared) return writable ? { dynamic: true } : { code: abi.ISSUE_RELOC_SHARED_TLS };
  if (type === elf.R_X86_64_TPOFF32 || type === elf.R_X86_64_TPOFF64) {
    if (!preemptible(sym) || (!pic && isUndefined(sym))) return NONE;
    return type === elf.R_X86_64_TPOFF64 && writable ? { dynamic: true } : { code: abi.ISSUE_RELOC_NEEDS_PIC };
  }
  if (type === elf.R_X86_64_DTPOFF32 || type === elf.R_X86_64_DTPOFF64) return shared || !preemptible(sym) || isUndefined(sym) ? NONE : { code: abi.ISSUE_RELOC_NEEDS_PIC };
  if (GOT.has(type) || GOT_PC.has(type)) return { need: "got" };
  const ifunc = has(sym, abi.SYM_IFUNC) && !preemptible(sym);
  if (PLT.has(type) && (ifunc || preemptible(sym))) return { need: "plt" };
  const size = type === elf.R_X86_64_SIZE32 || type === elf.R_X86_64_SIZE64;
  const relative = PC.has(type) || PLT.has(type) || type === elf.R_X86_64_GOTOFF64;
  const needsNothing: Outcome = ifunc && !size ? { need: "direct" } : NONE;
  if (!preemptible(sym)) {
    if (!pic || size) return needsNothing;
    if (isAbsolute(sym) && relative) return isUndefined(sym) || kind(sym) === abi.SYM_IN_OSEC ? NONE : { code: abi.ISSUE_RELOC_ABSOLUTE };
    if (isAbsolute(sym) || relative) return needsNothing;
    if (type !== elf.R_X86_64_64) return { code: abi.ISSUE_RELOC_NEEDS_PIC };
    return writable ? { relative: true } : { code: abi.ISSUE_RELOC_TEXTREL };
  }
  if (!pic && isUndefined(sym)) return NONE;
  if (writable && DYNAMIC.has(type)) return { dynamic: true };
  if (size) return shared ? { code: abi.ISSUE_RELOC_NEEDS_PIC } : NONE;
  if (pic && ABSOLUTE.has(type)) return { code: type === elf.R_X86_64_64 ? abi.ISSUE_RELOC_TEXTREL : abi.ISSUE_RELOC_NEEDS_PIC };
  if (!shared && kind(sym) === abi.SYM_SHARED && !has(sym, abi.SYM_TLS)) {
    if (has(sym, abi.SYM_OBJECT)) return { need: "copy" };
    if (has(sym, abi.SYM_FUNC)) return { need: "cplt" };
  }
  return { code: abi.ISSUE_RELOC_NEEDS_PIC };
}

interface Slots {
  got?: number;
  plt?: number;
  iplt?: number;
  direct?: boolean;
}

export function relocateTwin(spec: RelocWorldSpec): TwinResult {
  const issues: string[] = [];
  const needs = spec.symbols.map(() => new Set<Need>());
  let base = false;
  const outcomes = spec.sections.map((section, s) =>
    section.relocs.map((rel, index) => {
      if (section.live === false) return NONE;
      const sym = rel.sym < 0 ? undefined : spec.symbols[rel.sym]!;
      if (rel.offset + (rel.type === elf.R_X86_64_NONE ? 0 : widthOf(rel.type)) > section.bytes.length) {
        issues.push(`${abi.ISSUE_RELOC_BAD_OFFSET} ${s} ${index}`);
        return NONE;
      }
      const outcome = decide(spec, section, rel, sym);
      if ("code" in outcome) issues.push(`${outcome.code} ${s} ${index}`);
      else if (GOT_BASE.has(rel.type)) base = true;
      if ("need" in outcome && outcome.need !== undefined) needs[rel.sym]!.add(outcome.need);
      if ("relative" in outcome && has(sym!, abi.SYM_IFUNC)) needs[rel.sym]!.add("direct");
      return outcome;
    }),
  );
  if (issues.length > 0) return { bytes: [], records: [], issues: issues.sort() };

  const slots = numberSlots(spec, needs);
  const plts = slots.filter((slot) => slot.plt !== undefined).length;
  const header = plts > 0 || base ? 3 : 0;
  const relatives: TwinResult["records"] = [];
  const symbolics: TwinResult["records"] = [];

  const address = (index: number): bigint => {
    const symbol = spec.symbols[index]!;
    const slot = slots[index]!;
    if (slot.iplt !== undefined && slot.direct) return PLACES.ipltAddr + 16n * BigInt(slot.iplt);
    if (slot.plt !== undefined && needs[index]!.has("cplt")) return PLACES.pltAddr + 16n * BigInt(slot.plt + 1);
    if (symbol.addr !== undefined) return symbol.addr;
    return (symbol.section ?? -1) >= 0 ? BASE + STEP * BigInt(symbol.section!) + (symbol.value ?? 0n) : (symbol.value ?? 0n);
  };
  const gotOf = (index: number): bigint => {
    const slot = slots[index]!;
    if (slot.got !== undefined) return PLACES.gotAddr + 8n * BigInt(slot.got);
    return PLACES.gotPltAddr + 8n * BigInt(header + plts + slot.iplt!);
  };
  const pltOf = (index: number): bigint => {
    const slot = slots[index]!;
    if (slot.plt !== undefined) return PLACES.pltAddr + 16n * BigInt(slot.plt + 1);
    return slot.iplt !== undefined ? PLACES.ipltAddr + 16n * BigInt(slot.iplt) : address(index);
  };

  const bytes = spec.sections.map((section, s) => {
    const out = section.bytes.slice();
    if (section.live === false) return out;
    section.relocs.forEach((rel, index) => {
      const { type, addend: A } = rel;
      if (type === elf.R_X86_64_NONE) return;
      const P = BASE + STEP * BigInt(s) + BigInt(rel.offset);
      const outcome = outcomes[s]![index]!;
      const symbol = rel.sym < 0 ? undefined : spec.symbols[rel.sym]!;
      const S = rel.sym < 0 ? 0n : address(rel.sym);
      if ("relative" in outcome) {
        relatives.push({ offset: P, type: elf.R_X86_64_RELATIVE, sym: 0, addend: BigInt.asUintN(64, S + A) });
        return;
      }
      if ("dynamic" in outcome) {
        const local = type === elf.R_X86_64_TPOFF64 && !preemptible(symbol!);
        symbolics.push({ offset: P, type, sym: local ? 0 : 100 + rel.sym, addend: BigInt.asUintN(64, local ? S + A - PLACES.tlsAddr : A) });
        return;
      }
      let V: bigint;
      const undefinedTls = symbol === undefined || isUndefined(symbol);
      if (GOT_PC.has(type)) V = gotOf(rel.sym) + A - P;
      else if (GOT.has(type)) V = gotOf(rel.sym) + A - PLACES.gotPltAddr;
      else if (type === elf.R_X86_64_PLT32) V = (rel.sym < 0 ? 0n : pltOf(rel.sym)) + A - P;
      else if (type === elf.R_X86_64_PLTOFF64) V = (rel.sym < 0 ? 0n : pltOf(rel.sym)) + A - PLACES.gotPltAddr;
      else if (type === elf.R_X86_64_GOTOFF64) V = S + A - PLACES.gotPltAddr;
      else if (type === elf.R_X86_64_GOTPC32 || type === elf.R_X86_64_GOTPC64) V = PLACES.gotPltAddr + A - P;
      else if (type === elf.R_X86_64_SIZE32 || type === elf.R_X86_64_SIZE64) V = BigInt(symbol?.size ?? 0) + A;
      else if (type === elf.R_X86_64_TPOFF32 || type === elf.R_X86_64_TPOFF64) V = undefinedTls ? A : S + A - PLACES.tlsEnd;
      else if (type === elf.R_X86_64_DTPOFF32 || type === elf.R_X86_64_DTPOFF64) {
        V = spec.output === "shared" ? S + A - PLACES.tlsAddr : undefinedTls ? A : S + A - PLACES.tlsEnd;
      } else V = PC.has(type) ? S + A - P : S + A;
      const bits = widthOf(type) * 8;
      if (bits < 64 && !fits(type, BigInt.asIntN(64, V), bits)) issues.push(`${abi.ISSUE_RELOC_RANGE} ${s} ${index}`);
      for (let k = 0; k < bits / 8; k++) out[rel.offset + k] = Number((V >> BigInt(8 * k)) & 0xffn);
    });
    return out;
  });
  return { bytes, records: [...relatives, ...symbolics], issues: issues.sort() };
}

function fits(type: number, V: bigint, bits: number): boolean {
  const signed = BigInt.asIntN(bits, V) === V;
  const unsigned = BigInt.asUintN(bits, V) === V;
  if (type === elf.R_X86_64_32 || type === elf.R_X86_64_SIZE32) return unsigned;
  if (type === elf.R_X86_64_8 || type === elf.R_X86_64_16) return signed || unsigned;
  return signed;
}

/** Slots in symbol order. */
function numberSlots(spec: RelocWorldSpec, needs: Set<Need>[]): Slots[] {
  let got = 0;
  let plt = 0;
  let iplt = 0;
  return spec.symbols.map((symbol, index) => {
    const wanted = needs[index]!;
    if (wanted.size === 0) return {};
    if (has(symbol, abi.SYM_IFUNC) && !preemptible(symbol)) {
      const direct = wanted.has("direct");
      return { iplt: iplt++, direct, ...(direct && wanted.has("got") ? { got: got++ } : {}) };
    }
    return {
      ...(wanted.has("got") ? { got: got++ } : {}),
      ...(wanted.has("plt") || wanted.has("cplt") ? { plt: plt++ } : {}),
    };
  });
}
