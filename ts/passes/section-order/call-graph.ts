/**
 * The call graph that sections are ordered by: how often code of one section called code of another, from the objects'
 * .llvm.call-graph-profile sections and --call-graph-ordering-file.
 *
 * An edge stands where its pair of sections was first mentioned; the sorts break ties by that order (as lld).
 */
import { OBJF_CALL_GRAPH, SYM_DEFINED, SYM_KIND_MASK } from "../../../as-kernels/shared/abi.ts";
import { RELA_BYTES, SHDR_BYTES, SHT_LLVM_CALL_GRAPH_PROFILE, SHT_RELA } from "../../../as-kernels/shared/elf.ts";
import type { ByteString } from "../../args/link-options.ts";
import type { Context } from "../../context.ts";
import { badObject } from "../../diagnostics/messages.ts";
import { filePlace } from "../../diagnostics/place.ts";
import { readShdr, type Shdr } from "../../elf/shdr.ts";
import type { OrderedNames } from "./ordered-names.ts";

/** Elf64_Rel: without an addend. */
const REL_BYTES = 16;

/** Calls between sections; columns of equal length. */
export interface CallGraph {
  /** isec rows */
  from: number[];
  to: number[];
  weight: number[];
}

/** Adds up the weights of the edges of a pair. */
class Edges implements CallGraph {
  readonly from: number[] = [];
  readonly to: number[] = [];
  readonly weight: number[] = [];
  private readonly known = new Map<number, number>();
  private readonly rows: number;

  constructor(rows: number) {
    this.rows = rows;
  }

  add(from: number, to: number, weight: number): void {
    const key = from * this.rows + to;
    const at = this.known.get(key);
    if (at !== undefined) {
      this.weight[at]! += weight;
      return;
    }
    this.known.set(key, this.from.length);
    this.from.push(from);
    this.to.push(to);
    this.weight.push(weight);
  }
}

export function readCallGraph(ctx: Context, names: OrderedNames | null): CallGraph {
  const edges = new Edges(ctx.tables.isec.rows);
  if (names !== null) readFile(ctx, names, edges);
  if (ctx.params.get("callGraph") === 1) {
    for (const o of ctx.objects) if ((ctx.tables.obj.flags[o]! & OBJF_CALL_GRAPH) !== 0) readProfile(ctx, o, edges);
  }
  return edges;
}

/** Lines `caller callee count`. */
function readFile(ctx: Context, names: OrderedNames, edges: Edges): void {
  const lines = names.lines.map((line) => line.split(" "));
  if (lines.some((fields) => fields.length !== 3 || !/^(0[xX][0-9a-fA-F]+|[0-9]+)$/.test(fields[2]!))) {
    ctx.diag.error({ code: "BAD_SCRIPT", text: `${names.path}: parse error`, at: { input: names.path } });
    return;
  }
  const { sym, isec } = ctx.tables;
  const homes = names.find([...new Set(lines.flatMap(([from, to]) => [from!, to!]))], (name) => `${names.path}: no such symbol: ${name}`);
  const home = (name: ByteString): number => {
    const id = homes.get(name)?.at(-1) ?? 0;
    const row = id !== 0 && (sym.flags[id]! & SYM_KIND_MASK) === SYM_DEFINED ? sym.isec[id]! : 0;
    return row !== 0 && isec.live[row] !== 0 ? row : 0;
  };
  for (const [caller, callee, count] of lines) {
    const [from, to] = [home(caller!), home(callee!)];
    if (from !== 0 && to !== 0 && isec.osec[from] !== 0 && isec.osec[from] === isec.osec[to]) edges.add(from, to, Number(count));
  }
}

/** The section of u64 weights has two relocations for each of them: caller, callee. */
function readProfile(ctx: Context, o: number, edges: Edges): void {
  const { kernels, tables, arena } = ctx;
  const w = ctx.pool.self;
  const [shdrs, sections] = [tables.obj.shdrs[o]!, tables.obj.e_shnum[o]!];
  const section = (index: number): Shdr => readShdr(new DataView(w.memory.buffer), shdrs + index * SHDR_BYTES);
  const index = kernels.findSectionType(shdrs, sections, SHT_LLVM_CALL_GRAPH_PROFILE);
  const relocations = kernels.findRelocations(shdrs, sections, index);
  if (relocations === 0) {
    ctx.diag.warn("SHT_LLVM_CALL_GRAPH_PROFILE exists, but relocation section doesn't");
    return;
  }
  const [weights, relas] = [section(index), section(relocations)];
  const count = Math.floor(weights.sh_size / 8);
  const step = relas.sh_type === SHT_RELA ? RELA_BYTES : REL_BYTES;
  if (relas.sh_size !== 2 * count * step) {
    ctx.diag.error(badObject(filePlace(ctx, o), "number of relocations doesn't match Weights"));
    return;
  }
  const [weightsAt, relasAt, out] = [w.window(2, weights.sh_size), w.window(3, relas.sh_size), w.window(5, 16 * count)];
  w.read(tables.obj.source[o]!, tables.obj.offset[o]! + weights.sh_offset, weightsAt, weights.sh_size);
  w.read(tables.obj.source[o]!, tables.obj.offset[o]! + relas.sh_offset, relasAt, relas.sh_size);
  const found = kernels.callGraphEdges(o, weightsAt, count, relasAt, step, out);
  for (let i = 0; i < found; i++) edges.add(arena.u32[(out >>> 2) + 4 * i]!, arena.u32[(out >>> 2) + 4 * i + 1]!, arena.f64[(out >>> 3) + 2 * i + 1]!);
}
