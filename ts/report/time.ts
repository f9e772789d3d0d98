/**
 * Where the time goes: the pass table of --time, the counts of --stats, the Chrome trace of --time-trace.
 *
 * The timer costs two clock reads per pass and always runs; only printing depends on the options. Times are wall clock in
 * milliseconds. These reports are the only output that differs from run to run.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";

export interface Span {
  name: string;
  /** Milliseconds since the timer was made. */
  start: number;
  milliseconds: number;
  depth: number;
}

export class Timer {
  readonly spans: Span[] = [];
  private readonly now: () => number;
  private readonly origin: number;
  private depth = 0;

  constructor(now: () => number) {
    this.now = now;
    this.origin = now();
  }

  /** Milliseconds since the timer was made. */
  elapsed(): number {
    return this.now() - this.origin;
  }

  /** Runs a pass and notes its time, also when it throws. Asynchronous passes are timed until they settle. */
  run<T>(name: string, pass: () => T): T {
    const span: Span = { name, start: this.elapsed(), milliseconds: 0, depth: this.depth++ };
    this.spans.push(span);
    const end = (): void => {
      span.milliseconds = this.elapsed() - span.start;
      this.depth--;
    };
    let result: T;
    try {
      result = pass();
    } catch (error) {
      end();
      throw error;
    }
    if (result instanceof Promise) return result.finally(end) as T;
    end();
    return result;
  }
}

/** --time: one line per pass, then the total. */
export function timeTable(timer: Timer): ByteString {
  const total = timer.elapsed();
  const lines = timer.spans.map(({ name, milliseconds, depth }) => {
    const share = total > 0 ? (100 * milliseconds) / total : 0;
    return `${milliseconds.toFixed(2).padStart(10)} ms ${share.toFixed(1).padStart(5)}%  ${"  ".repeat(depth)}${name}`;
  });
  lines.push(`${total.toFixed(2).padStart(10)} ms 100.0%  total`);
  return `${lines.join("\n")}\n`;
}

/** --stats: how much there was to link. */
export function statistics(ctx: Context, timer: Timer): ByteString {
  const { tables, params } = ctx;
  const rows = (count: number): number => Math.max(0, count - 1);
  const total = (values: ArrayLike<number>): number => Array.prototype.reduce.call(values, (sum: unknown, value: unknown) => (sum as number) + (value as number), 0) as number;
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
    ["arena bytes", ctx.arena.mark()],
    ["peak memory bytes", ctx.host.peakMemory()],
    ["milliseconds", Math.round(timer.elapsed())],
  ];
  return counts.map(([name, count]) => `${String(count).padStart(14)}  ${name}\n`).join("");
}

/** --time-trace: Chrome trace events (complete events, microseconds). */
export function timeTrace(timer: Timer): string {
  const traceEvents = timer.spans.map(({ name, start, milliseconds }) => ({
    name,
    cat: "pass",
    ph: "X",
    ts: Math.round(start * 1000),
    dur: Math.round(milliseconds * 1000),
    pid: 1,
    tid: 1,
  }));
  return `${JSON.stringify({ traceEvents, displayTimeUnit: "ms" })}\n`;
}
