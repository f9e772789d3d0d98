/**
 * Where the time goes: the pass table of --time, the counts of --stats, the Chrome trace of --time-trace.
 *
 * link.ts notes when each pass starts and ends, always; only printing depends on the options. Times are wall clock in
 * milliseconds. These reports are the only output that differs from run to run.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";

/** What the reports need: passes in the order they ran, times in milliseconds of the host's clock. */
type TimedContext = Pick<Context, "passes"> & { host: Pick<Context["host"], "now"> };

/** Milliseconds from the first pass to now. */
function elapsed(ctx: TimedContext): number {
  return ctx.passes.length === 0 ? 0 : ctx.host.now() - ctx.passes[0]!.start;
}

/** --time: one line per pass, then the total. */
export function timeTable(ctx: TimedContext): ByteString {
  const total = elapsed(ctx);
  const line = (name: string, milliseconds: number): string => {
    const share = total > 0 ? (100 * milliseconds) / total : 0;
    return `${milliseconds.toFixed(2).padStart(10)} ms ${share.toFixed(1).padStart(5)}%  ${name}\n`;
  };
  return ctx.passes.map(({ name, start, end }) => line(name, end - start)).join("") + line("total", total);
}

/** --stats: how much there was to link. */
export function statistics(ctx: Context): ByteString {
  const { tables, params } = ctx;
  const rows = (count: number): number => Math.max(0, count - 1);
  const total = (column: Uint8Array | Uint32Array): number => {
    let sum = 0;
    for (const value of column) sum += value;
    return sum;
  };
  const counts: [string, number][] = [
    ["files", ctx.loadedFiles.length],
    ["objects", ctx.objects.length],
    ["shared objects", ctx.sharedObjects.length],
    ["input sections", rows(tables.isec.rows)],
    ["live input sections", total(tables.isec.live)],
    ["relocations", total(tables.isec.relaCount)],
    ["global symbols", rows(params.get("globalSyms"))],
    ["local symbols", Math.max(0, params.get("symRows") - params.get("globalSyms"))],
    ["output sections", ctx.osecs.filter((osec) => osec !== undefined && osec.index !== 0).length],
    ["dynamic symbols", ctx.dynsyms.length],
    ["threads", ctx.pool.threads],
    ["chunks done by other threads", ctx.pool.helped],
    ["arena bytes", ctx.arena.mark()],
    ["peak memory bytes", ctx.host.peakMemory()],
    ["milliseconds", Math.round(elapsed(ctx))],
  ];
  return counts.map(([name, count]) => `${String(count).padStart(14)}  ${name}\n`).join("");
}

type TraceContext = TimedContext & { options: Pick<Context["options"], "programName" | "timeTraceGranularity"> };

/** --time-trace: Chrome trace events as LLVM's tools write them (complete events, microseconds; thread and process named at the end). */
export function timeTrace(ctx: TraceContext): string {
  const { programName, timeTraceGranularity } = ctx.options;
  const origin = ctx.passes[0]?.start ?? 0;
  const place = { pid: 1, tid: 1 };
  const complete = (name: string, start: number, end: number) => ({
    ...place, ph: "X", ts: Math.round((start - origin) * 1000), dur: Math.round((end - start) * 1000), name,
  });
  const named = (what: string, name: string) => ({ ...place, ph: "M", ts: 0, cat: "", name: what, args: { name } });
  const passes = ctx.passes.map(({ name, start, end }) => complete(name, start, end)).filter(({ dur }) => dur >= timeTraceGranularity);
  const traceEvents = [
    ...passes,
    complete("ExecuteLinker", origin, origin + elapsed(ctx)),
    named("process_name", programName),
    named("thread_name", programName),
  ];
  const beginningOfTime = Math.round((Date.now() - elapsed(ctx)) * 1000);
  return `${JSON.stringify({ traceEvents, beginningOfTime })}\n`;
}
