/**
 * All reports, at their places in the link: which option asks for what, and where it goes.
 *
 * link.ts calls these functions at the places their comments name; the texts are made in the files beside this one. -t is here
 * only for archive members: load-inputs names files as it opens them, so that the list is there when the link fails.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { displayedOnce } from "../diagnostics/place.ts";
import type { Write } from "../memory/text.ts";
import { warnBackrefs } from "./backrefs.ts";
import { crossReference } from "./cref.ts";
import { fileDependencies, symbolCounts } from "./file-symbols.ts";
import { dependencyFileOf } from "./dependency-file.ts";
import { importLibrary } from "./import-library.ts";
import { reportPage } from "./layout-page.ts";
import { discardedSections, linkMap, unusedSections } from "./map.ts";
import { memoryUsage } from "./memory-usage.ts";
import { metafile } from "./metafile.ts";
import { relativeRelocs } from "./relative-relocs.ts";
import { statistics, timeTable, timeTrace } from "./time.ts";
import { extractedMembers } from "./trace.ts";
import { joinLines, writeListing, writeReport, type ReportText } from "./write.ts";
import { tracedSymbols } from "./trace-symbol.ts";
import { archiveStats, whyExtract } from "./why-extract.ts";
import { whyLive } from "./why-live.ts";

/** After resolve-symbols: --verbose (files), -t (archive members), -y, --why-extract, --print-dependencies, --print-archive-stats. */
export function reportSymbols(ctx: Context): void {
  if (ctx.options.verbose) for (const path of ctx.loadedFiles) ctx.diag.note(`${ctx.options.programName}: ${path}`);
  if (ctx.options.trace) for (const line of extractedMembers(ctx)) ctx.diag.message(line);
  if (ctx.options.traceSymbols.length > 0) for (const line of tracedSymbols(ctx)) ctx.diag.message(line);
  if (ctx.options.whyExtract !== "") write(ctx, ctx.options.whyExtract, whyExtract(ctx), "--why-extract=");
  if (ctx.options.warnBackrefs) warnBackrefs(ctx);
  if (ctx.options.printDependencies) for (const line of fileDependencies(ctx)) ctx.diag.message(line);
  if (ctx.options.printArchiveStats !== "") write(ctx, ctx.options.printArchiveStats, archiveStats(ctx), "--print-archive-stats=");
}

/** After mark-live: --print-gc-sections, --why-live. Without --gc-sections there is nothing to say. */
export function reportUnused(ctx: Context): void {
  const { gcSections, printGcSections, whyLive: patterns } = ctx.options;
  if (!gcSections) return;
  if (printGcSections !== "") writeListing(ctx, printGcSections, joinLines(unusedSections(ctx)), "--print-gc-sections");
  if (patterns.length > 0) for (const line of whyLive(ctx)) ctx.diag.message(line);
}

/** After assign-addresses, also when something did not fit: --print-memory-usage. */
export function reportMemory(ctx: Context): void {
  if (ctx.options.printMemoryUsage) ctx.diag.text(memoryUsage(ctx.plan?.regions ?? []));
}

/** As part of reportLayout; also when something did not fit, as then it tells what is large. */
export function reportMap(ctx: Context): void {
  if (ctx.options.mapFile !== "") write(ctx, mapPath(ctx), (part) => writeMap(ctx, part), "-Map");
  else if (ctx.options.cref) crossReference(ctx, (part) => ctx.diag.text(part));
}

/** After resolve-addresses, before anything is written: -Map, --print-symbol-counts, --cref, --dependency-file, --report, --metafile. They do not touch the output, which is `bytes` long. */
export function reportLayout(ctx: Context, bytes: number): void {
  const { options } = ctx;
  if (options.mapFile !== "" || options.cref || options.metafile !== "") ctx.host.optimise?.(ctx.tables.isec.rows + ctx.tables.gsym.rows);
  if (options.printSymbolCounts !== "") write(ctx, options.printSymbolCounts, symbolCounts(ctx), "--print-symbol-counts=");
  reportMap(ctx);
  if (options.z.reportRelative) for (const line of relativeRelocs(ctx)) ctx.diag.note(line);
  if (options.outImplib !== "") write(ctx, options.outImplib, importLibrary(ctx), "--out-implib");
  if (options.dependencyFile !== "") write(ctx, options.dependencyFile, dependencyFileOf(ctx), "--dependency-file");
  if (options.reportFile !== "") write(ctx, options.reportFile, reportPage(ctx), "--report");
  if (options.metafile !== "") write(ctx, options.metafile, metafile(ctx, bytes), "--metafile");
}

function writeMap(ctx: Context, write: Write): void {
  const { mapDiscarded, cref } = ctx.options;
  const nameOf = cref ? displayedOnce(ctx) : undefined;
  if (mapDiscarded) discardedSections(ctx, write);
  linkMap(ctx, write, nameOf);
  if (cref) crossReference(ctx, write, nameOf);
}

/** GNU ld: a folder is for a file that is named after the output. */
function mapPath({ options, host }: Context): ByteString {
  const { mapFile, output } = options;
  return mapFile !== "-" && host.stat(mapFile)?.kind === "directory" ? `${mapFile}/${output.replace(/.*\//s, "")}.map` : mapFile;
}

/** The end of the link: --time, --stats, --time-trace. */
export function reportTimes(ctx: Context): void {
  const { options } = ctx;
  if (options.time) ctx.diag.text(timeTable(ctx));
  if (options.stats !== "") writeListing(ctx, options.stats, statistics(ctx), "--stats");
  if (options.timeTrace !== "") write(ctx, options.timeTrace, timeTrace(ctx), "--time-trace");
}

/** `what`: the option that names the file. */
function write(ctx: Context, path: ByteString, text: ReportText, what: string): void {
  writeReport(ctx, path, text, `${what} file ${path}`);
}
