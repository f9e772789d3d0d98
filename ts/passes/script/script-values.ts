/**
 * What expressions of a layout script see while sections are being laid out: symbols, sections, memory regions, `.`.
 *
 * Symbols of inputs are places in output sections that may not have their final address yet; rounds of layout settle that.
 */
import { ISEC_MERGE, SYM_ABSOLUTE, SYM_DEFINED, SYM_IN_OSEC, SYM_KIND_MASK, SYM_NEEDS_CPLT, SYM_SHARED } from "../../../as-kernels/shared/abi.ts";
import type { ByteString } from "../../args/link-options.ts";
import type { Context, OutputSection } from "../../context.ts";
import type { Said } from "../../diagnostics/message.ts";
import type { Expr, NameFunction } from "../../script/expression.ts";
import type { LayoutScript } from "../../script/layout.ts";
import type { PlannedSection } from "../../script/plan.ts";
import { addressOf, evaluateIn, isAbsolute, number, offsetOf, relative, type Base, type Environment, type Value } from "../../script/script-value.ts";
import type { SyntheticSection } from "../../synthetic/section.ts";
import { HEADERS_OSEC } from "../bind-sections.ts";

/** As in the kernel resolveAux: a header, then entries of the same size. */
const PLT_ENTRY_BYTES = 16;

/** Rounds in which assignments may still learn from those further down. */
const MAX_ROUNDS = 30;

/** Outside output sections values are relative to the image, which begins at 0 for this purpose. */
export const NOWHERE: Base = { id: HEADERS_OSEC, sh_addr: 0n };

export type PlacedSection = Pick<PlannedSection, "osec" | "removed" | "lmaOffset">;

export class ScriptValues implements Environment {
  private readonly ctx: Context;
  private readonly layout: LayoutScript;
  private readonly byName = new Map<ByteString, PlacedSection>();
  private readonly byId = new Map<number, OutputSection>();
  /** Symbols that the script has given a value in this round or the last, and those of this round. */
  private readonly assigned = new Map<number, Value>();
  private readonly done = new Set<number>();
  /** The location counter, as an address, and what it is relative to. */
  location = 0n;
  base: Base = NOWHERE;
  changing = 0;
  /** Somebody asked for a symbol of the linker's that may get its value further down. */
  provisional = false;
  /** Expressions of memory regions that are being evaluated. */
  private readonly inside = new Set<Expr>();
  /** What is wrong; only the last round's counts. */
  errors: Said[] = [];

  /** `sections`: all that have a name, those left out too. */
  constructor(ctx: Context, layout: LayoutScript, sections: readonly PlacedSection[]) {
    this.ctx = ctx;
    this.layout = layout;
    for (const section of sections) {
      this.byId.set(section.osec.id, section.osec);
      const known = this.byName.get(section.osec.name);
      if (known === undefined || known.removed) this.byName.set(section.osec.name, section);
    }
  }

  /** The commands are executed once more. */
  beginRound(): void {
    this.errors = [];
    this.changing = 0;
    this.done.clear();
  }

  dot(): Value {
    return relative(this.base, this.location - this.base.sh_addr);
  }

  /** What the script's own symbols are before there are addresses: enough for alignments, which must be known so early (lld). */
  foresee(): void {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      this.beginRound();
      for (const command of this.layout.commands) if (command.kind === "assign" && command.sym !== 0) this.assign(command.sym, evaluateIn(command.expr, this));
      if (this.changing === 0) break;
    }
    this.errors = [];
  }

  /** `changing` becomes the first symbol whose value is not the last round's. */
  assign(sym: number, value: Value): void {
    const old = this.assigned.get(sym);
    if (isAbsolute(value)) value = number(addressOf(value));
    if (this.changing === 0 && (old === undefined || addressOf(old) !== addressOf(value))) this.changing = sym;
    this.assigned.set(sym, value);
    this.done.add(sym);
  }

  symbol(name: ByteString): Value | undefined {
    const id = this.ctx.lookup(name);
    if (id === 0) return undefined;
    const input = this.done.has(id) ? undefined : this.ctx.replaced.get(id);
    if (input !== undefined) return this.replacedSymbol(input.isec, input.value);
    const known = this.assigned.get(id);
    if (known !== undefined) return known;
    const { sym, isec } = this.ctx.tables;
    const kind = sym.flags[id]! & SYM_KIND_MASK;
    if (kind === SYM_IN_OSEC) return this.linkerDefined(id);
    if (kind === SYM_SHARED) return this.sharedSymbol(id);
    if (kind !== SYM_DEFINED) return undefined;
    const row = sym.isec[id]!;
    if (row === 0) return number(sym.value[id]!);
    const osec = this.byId.get(isec.osec[row]!);
    if (osec === undefined) return number(0n);
    return relative(osec, isec.kind[row] === ISEC_MERGE ? this.mergedOffset(id, osec) : BigInt(isec.outOffset[row]!) + sym.value[id]!);
  }

  isDefined(name: ByteString): boolean {
    const id = this.ctx.lookup(name);
    return this.ctx.assigned.has(id) ? this.done.has(id) || this.ctx.replaced.has(id) : this.symbol(name) !== undefined;
  }

  /** Until the script assigns it, a symbol is what an input defined: `size = DEFINED(size) ? size : 4096;` (GNU ld). Strings have moved, so nobody knows then. */
  private replacedSymbol(row: number, value: bigint): Value | undefined {
    const { isec } = this.ctx.tables;
    const osec = this.byId.get(isec.osec[row]!);
    if (row === 0 || osec === undefined) return number(row === 0 ? value : 0n);
    return isec.kind[row] === ISEC_MERGE ? undefined : relative(osec, BigInt(isec.outOffset[row]!) + value);
  }

  /** Not placed yet in this pass: the linker's own names, and what the script assigns further down. */
  private linkerDefined(id: number): Value {
    const { sym } = this.ctx.tables;
    this.provisional = true;
    if ((sym.flags[id]! & SYM_ABSOLUTE) !== 0) return number(sym.value[id]!);
    const osec = this.byId.get(sym.isec[id]!);
    return relative(osec ?? NOWHERE, sym.value[id]!);
  }

  /** A copy of another module's variable has a place here, and so has a function that stands for its PLT entry. */
  private sharedSymbol(id: number): Value | undefined {
    const { sym, aux } = this.ctx.tables;
    const { copyRel, copyRelRo, plt } = this.ctx.synthetics;
    for (const section of [copyRel, copyRelRo]) {
      const copy = section?.copies.find((candidate) => candidate.sym === id || candidate.aliases.includes(id));
      if (copy !== undefined) return this.inSynthetic(section!, section!.address + BigInt(copy.offset));
    }
    if ((sym.flags[id]! & SYM_NEEDS_CPLT) === 0 || plt === null) return undefined;
    return this.inSynthetic(plt, plt.address + BigInt(aux.plt[sym.aux[id]!]! * PLT_ENTRY_BYTES));
  }

  private inSynthetic(section: SyntheticSection, address: bigint): Value {
    const osec = this.byId.get(section.osec);
    return osec === undefined ? number(address) : relative(osec, address - osec.sh_addr);
  }

  private mergedOffset(id: number, osec: OutputSection): bigint {
    const { kernels, tables } = this.ctx;
    kernels.resolveAddresses(id, id + 1);
    return tables.sym.addr[id]! - tables.osec.addr[osec.id]!;
  }

  named(fn: NameFunction, name: ByteString): Value | undefined {
    if (fn === "CONSTANT") return this.constant(name);
    if (fn === "SEGMENT_IS_GIVEN" || fn === "SEGMENT_START") {
      const start = this.ctx.options.segmentStarts.get(name);
      return number(fn === "SEGMENT_START" ? start! : start === undefined ? 0n : 1n);
    }
    if (fn === "ORIGIN" || fn === "LENGTH") {
      const region = this.layout.regions.get(name);
      if (region === undefined) return undefined;
      const expr = fn === "ORIGIN" ? region.origin : region.length;
      if (this.inside.has(expr)) {
        this.error({ code: "BAD_SCRIPT", text: `${fn} of memory region '${region.name}' depends on itself` });
        return number(0n);
      }
      this.inside.add(expr);
      const value = addressOf(evaluateIn(expr, this));
      this.inside.delete(expr);
      return number(value);
    }
    const section = this.byName.get(name);
    if (section === undefined) return fn === "SIZEOF" ? number(0n) : undefined;
    const { osec } = section;
    if (fn === "SIZEOF") return number(BigInt(section.removed ? 0 : osec.size));
    if (fn === "ALIGNOF") return number(1n << BigInt(osec.align));
    return fn === "ADDR" ? relative(osec, 0n) : number(osec.sh_addr + section.lmaOffset);
  }

  private constant(name: ByteString): Value | undefined {
    if (name === "MAXPAGESIZE") return number(this.maxPageSize());
    const { z } = this.ctx.options;
    if (name === "COMMONPAGESIZE") return number(BigInt(z.commonPageSize || this.ctx.arch.commonPageSize));
    return undefined;
  }

  headers(): bigint {
    return BigInt(this.ctx.headers.bytes);
  }

  maxPageSize(): bigint {
    return BigInt(this.ctx.options.z.maxPageSize || this.ctx.arch.maxPageSize);
  }

  failed(message: ByteString): void {
    this.error({ code: "LAYOUT", text: message });
  }

  error(message: Said): void {
    this.errors.push(message);
  }

  /** A fingerprint of all values: equal in two rounds = nothing moved. */
  state(): string {
    return [...this.assigned].map(([sym, value]) => `${sym}:${addressOf(value)}:${value.sec?.id ?? 0}`).join();
  }

  /** Rows of the symbols that the script has given a value. */
  symbols(): Iterable<number> {
    return this.assigned.keys();
  }

  /** Writes the assigned values where the rest of the linker finds symbols. osec.addr must be final. */
  publish(): void {
    const { sym, osec } = this.ctx.tables;
    for (const [id, value] of this.assigned) {
      if (isAbsolute(value)) {
        sym.isec[id] = 0;
        sym.value[id] = addressOf(value);
        sym.flags[id]! |= SYM_ABSOLUTE;
        continue;
      }
      const base = value.sec!.id;
      sym.isec[id] = base;
      sym.value[id] = base === HEADERS_OSEC ? BigInt.asUintN(64, addressOf(value) - osec.addr[HEADERS_OSEC]!) : offsetOf(value);
    }
  }
}
