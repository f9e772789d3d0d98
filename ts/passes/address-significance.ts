/**
 * Before --icf: which sections must keep an address of their own (fold.state), from the tables of the objects, the dynamic
 * symbol table, the unwind records and --keep-unique.
 *
 * The rules are lld's: under --icf=all only data is asked whether its address matters; objects without a table, or with one that
 * another tool has cut loose from the symbol table, count as comparing everything they mention.
 */
import { FOLD_UNIQUE, OBJ_INTERNAL, SYM_DEFINED, SYM_EXPORTED, SYM_KIND_MASK, SYM_ROOT } from "../../as-kernels/shared/abi.ts";
import { SHDR_BYTES, SHT_LLVM_ADDRSIG } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { badObject } from "../diagnostics/messages.ts";
import { displayName, filePlace } from "../diagnostics/place.ts";
import { readShdr } from "../elf/shdr.ts";
import type { WorkerContext } from "../memory/pool.ts";

/** Included objects a chunk takes. */
const OBJECTS_PER_CHUNK = 32;
/** Phase arguments: addresses of obj rows and of a result word for each, how many, 1 = data only. */
const A_OBJECTS = 0;
const A_RESULTS = 1;
const A_COUNT = 2;
const A_DATA_ONLY = 3;
/** Result words: fine, malformed, or 2 + the header index of a table without its symbol table. */
const FINE = 0;
const MALFORMED = 1;
const CUT_LOOSE = 2;

/** Phase: the tables of the objects of a chunk. */
export function addressSignificancePhase(w: WorkerContext, chunk: number): void {
  const end = Math.min((chunk + 1) * OBJECTS_PER_CHUNK, w.args[A_COUNT]!);
  for (let i = chunk * OBJECTS_PER_CHUNK; i < end; i++) {
    w.u32[(w.args[A_RESULTS]! >>> 2) + i] = readTable(w, w.u32[(w.args[A_OBJECTS]! >>> 2) + i]!, w.args[A_DATA_ONLY]!);
  }
}

function readTable(w: WorkerContext, o: number, dataOnly: number): number {
  const { obj } = w.tables;
  // What options mention is not compared.
  if (obj.kind[o] === OBJ_INTERNAL) return FINE;
  const index = w.kernels.findSectionType(obj.shdrs[o]!, obj.e_shnum[o]!, SHT_LLVM_ADDRSIG);
  const { sh_link, sh_offset, sh_size } = readShdr(new DataView(w.memory.buffer), obj.shdrs[o]! + index * SHDR_BYTES);
  if (index === 0 || sh_link === 0) {
    w.kernels.keepMentioned(o, dataOnly);
    return index === 0 ? FINE : CUT_LOOSE + index;
  }
  const at = w.window(2, sh_size + 16);
  w.read(obj.source[o]!, obj.offset[o]! + sh_offset, at, sh_size);
  return w.kernels.keepListed(o, at, sh_size, dataOnly) === 1 ? FINE : MALFORMED;
}

/** Writes fold.state; `fold` has been allocated. */
export async function findSignificant(ctx: Context): Promise<void> {
  const { options, kernels, tables, arena, params, pool } = ctx;
  for (const name of options.keepUnique) keepNamed(ctx, name);
  kernels.keepUnwound(1, tables.ehrec.rows);
  if (options.icf === "all" && options.ignoreDataAddressEquality) return;
  const dataOnly = options.icf === "all" ? 1 : 0;
  kernels.keepMarked(1, params.get("globalSyms"), exportedMask(ctx), dataOnly);
  const count = ctx.objects.length;
  const results = arena.allocZeroed(4 * count);
  await pool.run("address-significance", Math.ceil(count / OBJECTS_PER_CHUNK), ctx.objects.byteOffset, results, count, dataOnly);
  ctx.objects.forEach((o, i) => report(ctx, o, arena.u32[(results >>> 2) + i]!));
}

/** Exported symbols; in a static executable, those that would be (set-visibility makes them roots). */
function exportedMask({ options, params, dynamicList }: Context): number {
  return params.get("dynamic") === 0 && (options.exportDynamic || dynamicList.length > 0) ? SYM_EXPORTED | SYM_ROOT : SYM_EXPORTED;
}

function keepNamed(ctx: Context, name: string): void {
  const { sym, fold } = ctx.tables;
  const id = ctx.lookup(name);
  if (id === 0 || (sym.flags[id]! & SYM_KIND_MASK) !== SYM_DEFINED) ctx.diag.warn({ code: "OTHER", text: `could not find symbol ${displayName(ctx, name)} to keep unique`, symbol: displayName(ctx, name) });
  else if (sym.isec[id] !== 0) fold.state[sym.isec[id]!] = FOLD_UNIQUE;
}

function report(ctx: Context, o: number, result: number): void {
  if (result === MALFORMED) ctx.diag.error(badObject(filePlace(ctx, o), "could not decode addrsig section"));
  if (result < CUT_LOOSE || ctx.options.icf !== "safe") return;
  ctx.diag.warn(badObject(filePlace(ctx, o), `--icf=safe conservatively ignores SHT_LLVM_ADDRSIG [index ${result - CUT_LOOSE}] with sh_link=0 (likely created using objcopy or ld -r)`));
}
