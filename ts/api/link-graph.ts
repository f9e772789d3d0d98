/**
 * Who refers to whom in a link, as data: objects, their sections, symbols, relocations, and why each section is kept.
 *
 * Reads the tables when addresses are final (LinkObserver.laidOut). Loops in TypeScript, because it runs only when the graph is
 * asked for. The surprise: relocations are columns, not objects, so that a page gets many of them quickly.
 */
import { ISEC_CONSUMED, ISEC_EH_FRAME, ISEC_MERGE, OBJ_INTERNAL, SYM_DEFINED, SYM_KIND_MASK, SYM_SHARED, SYM_UNDEF } from "../../as-kernels/shared/abi.ts";
import { RELA_BYTES, SHT_NOBITS, STT_FILE, STT_SECTION } from "../../as-kernels/shared/elf.ts";
import type { Context, OutputSection } from "../context.ts";
import { displayName, rawSymbol, sectionName } from "../diagnostics/place.ts";
import { relocationName } from "../arch/x86-64-words.ts";
import { decoded } from "../memory/text.ts";
import { LiveGraph } from "../report/live-graph.ts";
import type { GraphObject, GraphRelocations, GraphSection, GraphSymbol, LinkGraph, LiveReason } from "./types.ts";

const NONE = -1;

export function graphOf(ctx: Context): LinkGraph {
  return new Collector(ctx).graph();
}

class Collector {
  private readonly ctx: Context;
  private readonly objects: GraphObject[] = [];
  private readonly sections: GraphSection[] = [];
  private readonly symbols: GraphSymbol[] = [];
  /** Table rows → places in the lists. */
  private readonly objectAt = new Map<number, number>();
  private readonly sectionAt = new Map<number, number>();
  private readonly symbolAt = new Map<number, number>();
  private readonly live: LiveGraph | null;
  /** By osec row; what is in the file only. */
  private readonly outputs: Map<number, OutputSection>;

  constructor(ctx: Context) {
    this.ctx = ctx;
    this.live = ctx.options.gcSections && !ctx.options.relocatable ? new LiveGraph(ctx, []) : null;
    this.outputs = new Map(ctx.osecs.filter((osec) => osec !== undefined && osec.index !== 0).map((osec) => [osec.id, osec]));
  }

  graph(): LinkGraph {
    const { isec } = this.ctx.tables;
    for (const obj of this.ctx.objects) this.objectAt.set(obj, this.objectAt.size);
    for (let row = 1; row < isec.rows; row++) {
      if (isec.kind[row] !== ISEC_CONSUMED && this.objectAt.has(isec.obj[row]!)) this.sectionAt.set(row, this.sectionAt.size);
    }
    for (const obj of this.ctx.objects) this.addSymbols(obj);
    const relocations = this.relocations();
    for (const row of this.sectionAt.keys()) this.sections.push(this.section(row));
    for (const obj of this.ctx.objects) this.objects.push(this.object(obj));
    return { objects: this.objects, sections: this.sections, symbols: this.symbols, relocations };
  }

  private object(obj: number): GraphObject {
    const { fileId, whyObj, whySym } = this.ctx.tables.obj;
    const input = this.ctx.inputs[fileId[obj]!];
    const name = input === undefined || input.id <= 1 ? { input: "<internal>" } : { input: decoded(input.path), ...(input.member === "" ? {} : { member: decoded(input.member) }) };
    const sym = whySym[obj]!;
    return sym === 0 ? name : { ...name, extracted: { by: this.objectAt.get(whyObj[obj]!) ?? NONE, symbol: decoded(displayName(this.ctx, this.ctx.symbolName(sym))) } };
  }

  private section(row: number): GraphSection {
    const { isec } = this.ctx.tables;
    const output = isec.live[row] === 0 ? undefined : this.outputs.get(isec.osec[row]!);
    const placed = output !== undefined && isec.kind[row] !== ISEC_MERGE && isec.kind[row] !== ISEC_EH_FRAME;
    const stored = isec.sh_type[row] !== SHT_NOBITS;
    const why = this.live === null || isec.live[row] === 0 ? undefined : this.reason(row);
    return {
      object: this.objectAt.get(isec.obj[row]!)!,
      name: decoded(sectionName(this.ctx, row)),
      type: isec.sh_type[row]!, flags: isec.sh_flags[row]!, size: isec.size[row]!,
      live: isec.live[row] !== 0,
      inputOffset: stored && isec.compressed[row] === 0 ? isec.sh_offset[row]! : NONE,
      ...(output === undefined ? {} : { output: decoded(output.name) }),
      ...(placed ? { address: output.sh_addr + BigInt(isec.outOffset[row]!) } : {}),
      outputOffset: placed && stored ? output.sh_offset + isec.outOffset[row]! : NONE,
      ...(why === undefined ? {} : { why }),
    };
  }

  private reason(row: number): LiveReason | undefined {
    const live = this.live!;
    const note = live.sectionNote(row);
    if (note !== "") return { kind: "root", note };
    const reason = live.reason(row);
    if (reason === null) return undefined;
    if ("symbol" in reason) return { kind: "root", note: live.symbolNote(reason.symbol), symbol: this.symbolAt.get(reason.symbol) ?? NONE };
    return { kind: reason.link, from: this.sectionAt.get(reason.from) ?? NONE, symbol: this.symbolAt.get(reason.sym) ?? NONE };
  }

  /** The object's own definitions and what it refers to. */
  private addSymbols(obj: number): void {
    const { esymCount } = this.ctx.tables.obj;
    for (let index = 1; index < esymCount[obj]!; index++) this.symbol(obj, index);
  }

  private symbol(obj: number, index: number): void {
    const { obj: objects, esym, gsym, sym, isec } = this.ctx.tables;
    const isLocal = index < objects.firstGlobal[obj]!;
    const id = isLocal ? objects.localBase[obj]! + index : esym.sym[objects.esymBase[obj]! + index]!;
    if (id === 0 || this.symbolAt.has(id)) return;
    const raw = rawSymbol(this.ctx, obj, index);
    if (raw === null || raw.type === STT_FILE) return;
    const kind = sym.flags[id]! & SYM_KIND_MASK;
    // The linker's own object mentions every name that it could define.
    if (kind === SYM_UNDEF && objects.kind[obj] === OBJ_INTERNAL) return;
    const row = kind === SYM_DEFINED ? sym.isec[id]! : 0;
    const rawName = raw.type === STT_SECTION ? sectionName(this.ctx, row) : isLocal ? raw.name : this.ctx.symbolName(id);
    if (rawName === "") return;
    const dead = row !== 0 && isec.live[row] === 0;
    const isDefined = kind !== SYM_UNDEF && kind !== SYM_SHARED;
    this.symbolAt.set(id, this.symbols.length);
    this.symbols.push({
      name: decoded(displayName(this.ctx, rawName)), rawName: decoded(rawName),
      ...(isDefined && !dead ? { address: sym.addr[id]! } : {}),
      size: isLocal ? raw.size : gsym.size[id]!,
      bind: isLocal ? raw.bind : gsym.bind[id]!,
      type: isLocal ? raw.type : gsym.type[id]!,
      section: this.sectionAt.get(row) ?? NONE,
      object: isLocal ? this.objectAt.get(obj)! : isDefined ? (this.objectAt.get(gsym.obj[id]!) ?? NONE) : NONE,
      defined: isDefined,
    });
  }

  /** Of all sections whose relocations are in memory: those that are loaded. */
  private relocations(): GraphRelocations {
    const { isec, obj, esym } = this.ctx.tables;
    const rows = [...this.sectionAt.keys()].filter((row) => isec.rela[row] !== 0);
    const count = rows.reduce((sum, row) => sum + isec.relaCount[row]!, 0);
    const view = new DataView(this.ctx.arena.memory.buffer);
    const table = { section: new Uint32Array(count), offset: new Float64Array(count), type: new Uint32Array(count), symbol: new Int32Array(count), addend: new BigInt64Array(count) };
    const names = new Map<number, string>();
    let at = 0;
    for (const row of rows) {
      const o = isec.obj[row]!;
      for (let i = 0; i < isec.relaCount[row]!; i++, at++) {
        const rela = isec.rela[row]! + i * RELA_BYTES;
        const type = view.getUint32(rela + 8, true);
        const index = view.getUint32(rela + 12, true);
        const id = index >= obj.esymCount[o]! ? 0 : index < obj.firstGlobal[o]! ? obj.localBase[o]! + index : esym.sym[obj.esymBase[o]! + index]!;
        table.section[at] = this.sectionAt.get(row)!;
        table.offset[at] = Number(view.getBigUint64(rela, true));
        table.type[at] = type;
        table.symbol[at] = this.symbolAt.get(id) ?? NONE;
        table.addend[at] = view.getBigInt64(rela + 16, true);
        if (!names.has(type)) names.set(type, relocationName(this.ctx.params.get("machine"), type));
      }
    }
    return { ...table, names };
  }
}
