/**
 * All reports, at their places in the link: which option asks for what, and where it goes.
 *
 * link.ts calls the four functions at the places their comments name; the texts are made in the files beside this one. -t is here
 * only for archive members: load-inputs names files as it opens them, so that the list is there when the link fails.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { crossReference } from "./cref.ts";
import { dependencyFileOf } from "./dependency-file.ts";
import { linkMap, unusedSections } from "./map.ts";
import { statistics, timeTable, timeTrace } from "./time.ts";
import { extractedMembers } from "./trace.ts";
import { tracedSymbols, whyExtract } from "./trace-symbol.ts";

/** After load-sections: --verbose (files), -t (archive members), -y, --why-extract. */
export function reportSymbols(ctx: Context): void {
  if (ctx.options.verbose) for (const path of ctx.loadedFiles) ctx.diag.note(`${ctx.options.programName}: ${path}`);
  if (ctx.options.trace) for (const line of extractedMembers(ctx)) ctx.diag.message(line);
  if (ctx.options.traceSymbols.length > 0) for (const line of tracedSymbols(ctx)) ctx.diag.message(line);
  if (ctx.options.whyExtract !== "") write(ctx, ctx.options.whyExtract, whyExtract(ctx), "--why-extract=");
}

/** After mark-live: --print-gc-sections. */
export function reportUnused(ctx: Context): void {
  if (!ctx.options.gcSections || !ctx.options.printGcSections) return;
  for (const line of unusedSections(ctx)) ctx.diag.message(line);
}

/** After resolve-addresses, before anything is written: -Map, --cref, --dependency-file. They do not touch the output. */
export function reportLayout(ctx: Context): void {
  const { options } = ctx;
  if (options.mapFile !== "") write(ctx, options.mapFile, linkMap(ctx), "-Map");
  if (options.cref) ctx.diag.text(crossReference(ctx));
  if (options.dependencyFile !== "") write(ctx, options.dependencyFile, dependencyFileOf(ctx), "--dependency-file");
}

/** The end of the link: --time, --stats, --time-trace. */
export function reportTimes(ctx: Context): void {
  const { options } = ctx;
  if (options.time) ctx.diag.text(timeTable(ctx));
  if (options.stats) ctx.diag.text(statistics(ctx));
  if (options.timeTrace !== "") write(ctx, options.timeTrace, timeTrace(ctx), "--time-trace");
}

function write(ctx: Context, path: ByteString, text: ByteString, option: string): void {
  try {
    ctx.host.writeText(path, text);
  } catch (error) {
    ctx.diag.error(`cannot open ${option} file ${path}: ${(error as Error).message}`);
  }
}
