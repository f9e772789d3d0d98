/**
 * -z rewrite-endbr: functions whose address nobody takes cannot be the target of an indirect branch, so their ENDBR64, which compilers
 * put into every function that others could take the address of, becomes a NOP (mold).
 *
 * What is found before the output is written is applied to it afterwards. Careful: only a PLT32 relocation is no taking of an
 * address; a function of the dynamic symbol table, the entry point, and what DT_INIT and DT_FINI name are called from
 * outside. Local functions are left alone, because the assembler may have taken their addresses without leaving a relocation.
 */
import type { Context } from "../context.ts";
import type { OutputFile } from "../host/host.ts";

const ENDBR64 = 0xfa1e0ff3;
/** nopl 0x0(%rax) */
const NOP4 = 0x00401f0f;
const WINDOW_BYTES = 1 << 18;

/** A place in an input section, as one number. */
const placeOf = (isec: number, offset: number): number => isec * 2 ** 32 + offset;

/** After scan-relocs: global functions (sym rows) that are only called. */
export function onlyCalled(ctx: Context): number[] {
  const { arena, kernels, params, tables: { sym, isec } } = ctx;
  const globals = params.get("globalSyms");
  const mark = arena.mark();
  const taken = arena.allocZeroed(sym.rows);
  const names = [ctx.options.entry || "_start", ctx.options.init, ctx.options.fini, ...ctx.expressionNames];
  for (const id of names.map((name) => ctx.lookup(name))) arena.u8[taken + id] = 1;
  const list = (out: number, limit: number): number => kernels.listTaken(1, sym.rows, taken, out, kernels.markTaken(1, isec.rows, taken, out, 0, limit), limit);
  const count = list(0, 0);
  const places = arena.alloc(8 * count);
  list(places, count);
  const taking = new Set<number>();
  for (let at = places >>> 2; at < (places >>> 2) + 2 * count; at += 2) taking.add(placeOf(arena.u32[at]!, arena.u32[at + 1]!));
  const candidates = kernels.listCalled(1, globals, taken, 0);
  const ids = arena.alloc(4 * candidates);
  kernels.listCalled(1, globals, taken, ids);
  const found = [...arena.u32.subarray(ids >>> 2, (ids >>> 2) + candidates)].filter((id) => !taking.has(placeOf(sym.isec[id]!, Number(sym.value[id]!))));
  arena.release(mark);
  return found;
}

/** When contents are written: the ENDBR64 at the start of these functions becomes a NOP. */
export function rewriteEndbr(ctx: Context, output: OutputFile, functions: readonly number[]): void {
  const { sym, isec } = ctx.tables;
  const sections = new Map(ctx.osecs.map((osec) => [osec.id, osec]));
  const position = (id: number): number => {
    const { sh_addr, sh_offset } = sections.get(isec.osec[sym.isec[id]!]!)!;
    return sh_offset + Number(sym.addr[id]! - sh_addr);
  };
  const positions = Float64Array.from(functions, position).sort();
  const buffer = new Uint8Array(WINDOW_BYTES);
  const view = new DataView(buffer.buffer);
  for (let i = 0; i < positions.length; ) {
    const start = positions[i]!;
    const got = output.read(buffer, start);
    let changed = 0;
    let end = i;
    for (; end < positions.length && positions[end]! + 4 <= start + got; end++) {
      const at = positions[end]! - start;
      if (view.getUint32(at, true) !== ENDBR64) continue;
      view.setUint32(at, NOP4, true);
      changed = at + 4;
    }
    if (changed > 0) output.write(buffer.subarray(0, changed), start);
    // A function at the very end of the file is too short to begin with one.
    i = Math.max(end, i + 1);
  }
}
