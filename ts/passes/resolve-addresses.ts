/** Every symbol gets its address: a kernel over all symbols, in parallel stretches. Reads the layout, writes sym.addr. */
import type { Context } from "../context.ts";
import type { WorkerContext } from "../memory/pool.ts";

const SYMBOLS_PER_CHUNK = 1 << 15;

/** Phase: a stretch of symbols. */
export function resolveAddressesPhase(w: WorkerContext, chunk: number): void {
  const from = Math.max(1, chunk * SYMBOLS_PER_CHUNK);
  w.kernels.resolveAddresses(from, Math.min((chunk + 1) * SYMBOLS_PER_CHUNK, w.args[0]!));
}

export async function resolveAddresses(ctx: Context): Promise<void> {
  const rows = ctx.tables.sym.rows;
  await ctx.pool.run("resolve-addresses", Math.ceil(rows / SYMBOLS_PER_CHUNK), rows);
}
