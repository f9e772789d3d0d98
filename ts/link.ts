/**
 * THE pass list: what a link does, in order. Passes are functions of the context; this file only orders and times them.
 */
import type { LinkOptions } from "./args/link-options.ts";
import type { Context, LinkObserver } from "./context.ts";
import { LinkFailed, type Diagnostics } from "./diagnostics/print.ts";
import { HostError, LARGE_BYTES, type Host, type OutputFile } from "./host/host.ts";
import { OutOfMemory } from "./memory/arena.ts";
import { ReadFailed } from "./memory/failure.ts";
import type { Machine } from "./memory/machine.ts";
import { createContext, startsAll } from "./new-context.ts";
import { adjustSections, alignSections } from "./passes/adjust-sections.ts";
import { assignAddresses } from "./passes/assign-addresses.ts";
import { bindSections } from "./passes/bind-sections.ts";
import { checkProtection, warnOfTextRelocations } from "./passes/check-protection.ts";
import { checkOptions, checkPaths, settleFormat } from "./passes/check-options.ts";
import { compressSections } from "./passes/compress-sections.ts";
import { createSynthetic, resolveSynthetic } from "./passes/create-synthetic.ts";
import { fillOutput, outputBytes, writeHeaders, writePlain, writeSynthetic } from "./passes/finish-output.ts";
import { checkCrossReferences } from "./passes/cross-references.ts";
import { foldIdentical } from "./passes/fold-identical.ts";
import { digestedOutput } from "./passes/digest-output.ts";
import { writeHexOutput } from "./passes/hex-output.ts";
import { loadSections } from "./passes/load-sections.ts";
import { markLive } from "./passes/mark-live.ts";
import { mergePieces } from "./passes/merge-pieces.ts";
import { orderSections } from "./passes/order-sections.ts";
import { orderInputSections, wantsSectionOrder } from "./passes/section-order/section-order.ts";
import { evaluatePlain } from "./passes/plain-assignments.ts";
import { readScripts } from "./passes/read-scripts.ts";
import { RelocatableOutput } from "./passes/relocatable/relocatable.ts";
import { ignoreUnresolved, reportUndefined } from "./passes/report-undefined.ts";
import { resolveAddresses } from "./passes/resolve-addresses.ts";
import { onlyCalled, rewriteEndbr } from "./passes/rewrite-endbr.ts";
import { saveResolved } from "./passes/resolved-state.ts";
import { installTables, scanRelocs } from "./passes/scan-relocs.ts";
import { assignScriptAddresses } from "./passes/script/script-layout.ts";
import { orderScriptSections } from "./passes/script/script-order.ts";
import { writeScriptBytes } from "./passes/script/script-output.ts";
import { bindScriptSections, keepScriptSections, plannedNames } from "./passes/script/script-sections.ts";
import { readyScript, usesPlan } from "./passes/script/script-shape.ts";
import { claimScriptSymbols, classifyScriptSymbols } from "./passes/script/script-symbols.ts";
import { ScriptValues } from "./passes/script/script-values.ts";
import { refusesExecutableStack } from "./passes/segments.ts";
import { separateDebug, takeDebug, writeDebugFile } from "./passes/separate-debug.ts";
import { setVisibility } from "./passes/set-visibility.ts";
import { shortenJumps } from "./passes/shorten-jumps.ts";
import { claimOtherEnds } from "./passes/start-stop.ts";
import { uniqueNames } from "./passes/unique-names.ts";
import { splitPieces } from "./passes/split-pieces.ts";
import { timed } from "./passes/timed.ts";
import { warnOfReferences } from "./passes/warning-sections.ts";
import { writeFile } from "./passes/write-file.ts";
import { writeOutput } from "./passes/write-output.ts";
import { zeroSections } from "./passes/zero-sections.ts";
import { resolveInputs } from "./resolve-inputs.ts";
import { reproduce } from "./report/reproduce.ts";
import { reportLayout, reportMap, reportMemory, reportSymbols, reportTimes, reportUnused } from "./report/index.ts";
import { emitRelocs, prepareEmittedRelocs } from "./passes/emit-relocs.ts";
import { addIndexes, wantedIndexes } from "./synthetic/debug-indexes.ts";
import { readProperties } from "./synthetic/note-property.ts";
import { RelroPadding } from "./synthetic/relro-padding.ts";
import { addSframe } from "./synthetic/sframe.ts";
import { SectionNames } from "./synthetic/shstrtab.ts";

/** Does the link call late, whatever the inputs are, what only the complete program has (build/leave-out.ts)? Only a guess: either program does the whole of any link. */
function needsComplete({ relocatable, emitRelocs, icf, mapFile, cref, gcSections, printGcSections, gdbIndex, compressDebug, retainSymbols, dependencyFile }: LinkOptions): boolean {
  if (compressDebug.kind !== "none" || retainSymbols !== "" || dependencyFile !== "") return true;
  return relocatable || emitRelocs || icf !== "none" || mapFile !== "" || cref || (gcSections && printGcSections !== "") || gdbIndex;
}

/** From options to input sections and symbols that know who sees them. */
async function readInputs(ctx: Context): Promise<void> {
  const run = <T>(name: string, pass: () => T | Promise<T>) => timed(ctx, name, pass);
  checkOptions(ctx);
  if (needsComplete(ctx.options)) ctx.host.beComplete?.();
  await run("read-scripts", () => readScripts(ctx));
  await resolveInputs(ctx);
  readyScript(ctx);
  settleFormat(ctx);
  checkPaths(ctx);
  reportSymbols(ctx);
  await run("load-sections", () => loadSections(ctx));
  if (ctx.params.get("warningSections") === 1 && !ctx.options.relocatable) ctx.kernels.consumeWarnings();
  if (ctx.options.discardSections.length > 0 || ctx.options.relocatableMerge) adjustSections(ctx);
  if (ctx.options.zeroToBss && !ctx.options.relocatable) zeroSections(ctx);
  await run("set-visibility", () => {
    claimScriptSymbols(ctx);
    ctx.checkpoint.linkerDefined.claim(ctx);
    classifyScriptSymbols(ctx);
    readProperties(ctx);
    if (ctx.options.ignoredSymbols.length > 0 || ctx.options.weakUnresolved) ignoreUnresolved(ctx);
    setVisibility(ctx);
  });
  ctx.checkIssues();
}

/** From inputs to output sections with addresses; -r has its own way from resolved symbols on. */
async function buildImage(ctx: Context): Promise<RelocatableOutput | null> {
  const run = <T>(name: string, pass: () => T | Promise<T>) => timed(ctx, name, pass);
  await readInputs(ctx);
  if (ctx.options.relocatable) {
    const output = new RelocatableOutput();
    await output.build(ctx, run);
    reportUnused(ctx);
    reportLayout(ctx, output.bytes);
    ctx.observer?.laidOut?.(ctx);
    return output;
  }

  installTables(ctx);
  saveResolved(ctx);
  await shapeImage(ctx);
  await layOut(ctx);
  return null;
}

/** From resolved symbols to output sections: what is done again when an object has other sections. */
export async function shapeImage(ctx: Context): Promise<void> {
  const { linkerDefined } = ctx.checkpoint;
  const run = <T>(name: string, pass: () => T | Promise<T>) => timed(ctx, name, pass);
  await run("split-pieces", () => splitPieces(ctx));
  ctx.checkIssues();
  await run("mark-live", async () => {
    if (ctx.script !== null) keepScriptSections(ctx);
    await markLive(ctx);
    const { gdbIndex, debugNames } = wantedIndexes(ctx);
    if (gdbIndex || debugNames) ctx.kernels.dropIndexed(1, ctx.tables.isec.rows, Number(gdbIndex), Number(debugNames));
  });

  reportUnused(ctx);
  await run("bind-sections", () => {
    if (ctx.script !== null && usesPlan(ctx.script)) ctx.plan = bindScriptSections(ctx, ctx.script);
    else bindSections(ctx);
    linkerDefined.claimStartStop(ctx, ctx.plan === null ? osecNames(ctx) : plannedNames(ctx.plan));
    if (ctx.options.startStop || ctx.options.physicalBase !== undefined) claimOtherEnds(ctx);
  });
  await run("merge-pieces", () => mergePieces(ctx));
  if (ctx.options.icf !== "none") await run("fold-identical", () => foldIdentical(ctx));
  if (wantsSectionOrder(ctx)) await run("section-order", () => orderInputSections(ctx));
  await run("scan-relocs", () => scanRelocs(ctx));
  if (ctx.options.z.rewriteEndbr) ctx.onlyCalled = onlyCalled(ctx);
  reportUndefined(ctx);
  // What --emit-relocs copies must speak of the code as it is.
  if (ctx.options.optimizeBbJumps && !ctx.options.emitRelocs) await run("shorten-jumps", () => shortenJumps(ctx));
  warnOfReferences(ctx);
  ctx.checkIssues();
  await run("create-synthetic", async () => {
    createSynthetic(ctx);
    Object.assign(ctx.synthetics, ctx.symtab.sections, { relroPadding: new RelroPadding(), shstrtab: new SectionNames() });
    addIndexes(ctx);
    if (ctx.params.get("sframes") === 1) addSframe(ctx);
    if (ctx.options.emitRelocs) await prepareEmittedRelocs(ctx);
    if (ctx.script !== null && ctx.plan !== null) orderScriptSections(ctx, ctx.script, ctx.plan, new ScriptValues(ctx, ctx.script, ctx.plan.sections));
    else orderSections(ctx);
    if (ctx.options.sectionAligns.size > 0) alignSections(ctx);
    if (ctx.options.separateDebug !== "") separateDebug(ctx);
    if (ctx.options.z.uniqueSymbol) uniqueNames(ctx);
    await ctx.symtab.count(ctx);
  });
}

/** From sizes to addresses: what is done again when only sizes have changed. */
export async function layOut(ctx: Context): Promise<void> {
  const { checkpoint, checkpoint: { linkerDefined } } = ctx;
  const run = <T>(name: string, pass: () => T | Promise<T>) => timed(ctx, name, pass);
  checkpoint.created = ctx.arena.mark();
  await run("assign-addresses", () => {
    if (ctx.script !== null && ctx.plan !== null) assignScriptAddresses(ctx, ctx.script, ctx.plan, () => linkerDefined.place(ctx));
    else assignAddresses(ctx);
  });
  reportMemory(ctx);
  await run("resolve-addresses", async () => {
    linkerDefined.place(ctx);
    if (ctx.script !== null && ctx.script.noCrossRefs.length > 0) checkCrossReferences(ctx, ctx.script.noCrossRefs);
    await resolveAddresses(ctx);
    resolveSynthetic(ctx);
    if (ctx.plan === null && ctx.script !== null) evaluatePlain(ctx, ctx.script);
  });
  if (ctx.options.warnTextrel !== "") warnOfTextRelocations(ctx);
  const { rwxSegments, execstackNotice } = ctx.options;
  if (rwxSegments !== "none" || (execstackNotice === "refused" ? refusesExecutableStack(ctx) : execstackNotice !== "none")) checkProtection(ctx);
  if (ctx.diag.hasErrors) reportMap(ctx);
  ctx.diag.throwIfErrors();
  if (ctx.options.compressDebug.kind !== "none" || ctx.options.compressSections.length > 0) await run("compress-sections", () => compressSections(ctx));
  checkpoint.laidOut = ctx.arena.mark();
  reportLayout(ctx, outputBytes(ctx));
  ctx.observer?.laidOut?.(ctx);
}

function osecNames(ctx: Context): string[] {
  const { osec } = ctx.tables;
  return Array.from({ length: osec.rows }, (_, id) => ctx.arena.string(osec.name[id]!, osec.nameBytes[id]!));
}

export async function writeContents(ctx: Context, file: OutputFile): Promise<void> {
  ctx.params.set("writesNoted", Number(file.clearGaps !== undefined));
  if (ctx.options.filler >= 0) fillOutput(ctx, file);
  const output = digestedOutput(ctx, file);
  await timed(ctx, "relocate", () => writeOutput(ctx, output.fd, () => writePlain(ctx, output, false)));
  if (ctx.options.z.rewriteEndbr) await timed(ctx, "rewrite-endbr", () => rewriteEndbr(ctx, output, ctx.onlyCalled));
  await timed(ctx, "write-synthetic", () => writeSynthetic(ctx, output));
  if (ctx.options.emitRelocs) await timed(ctx, "emit-relocs", () => emitRelocs(ctx, output.fd));
  if (ctx.plan !== null) writeScriptBytes(ctx, ctx.plan, output);
  await timed(ctx, "finish-output", async () => {
    const debug = ctx.separatedEnd > 0 ? takeDebug(ctx) : [];
    writeHeaders(ctx, output);
    file.clearGaps?.(ctx.pool.self.written.splice(0));
    await finishBuildId(ctx, output);
    if (ctx.separatedEnd > 0) writeDebugFile(ctx, file, debug);
  });
}

/** The last bytes of an output. */
export async function finishBuildId(ctx: Context, output: OutputFile): Promise<void> {
  const { buildId } = ctx.synthetics;
  ctx.checkpoint.digest = ctx.params.get("digest");
  if (ctx.options.buildId !== "none" && buildId !== null && !buildId.discarded) await buildId.finish(ctx, output, outputBytes(ctx));
}

/** Writes the image; the file appears under its name only when all of it is there. `last`: no other link needs the threads. */
async function writeImage(ctx: Context, relocatable: RelocatableOutput | null, last: boolean): Promise<void> {
  const { options } = ctx;
  await writeFile(ctx, relocatable?.bytes ?? outputBytes(ctx), async (output) => {
    if (relocatable !== null) await timed(ctx, "relocatable", () => relocatable.write(ctx, output));
    else await writeContents(ctx, output);
    if (options.hexFormat !== "") await timed(ctx, "hex-output", () => writeHexOutput(ctx, output));
    // They end while this thread puts the file in place, and need not be waited for at the end.
    if (last) ctx.pool.stop();
  });
}

/** Runs one link; resolves to the exit status. Errors of inputs are printed, bugs are thrown. `lasts`: the machine, and what is on it, stays for the next link. */
export async function link(options: LinkOptions, host: Host, diag: Diagnostics, machine: Machine, observer: LinkObserver | null = null, lasts = false): Promise<number> {
  let ctx: Context | undefined;
  try {
    ctx = createContext({ options, host, diag, observer, machine, lasts: lasts && !options.relocatable });
    if ((host.inputBytes ?? 0) >= LARGE_BYTES || startsAll(ctx)) ctx.expectBytes(host.inputBytes ?? 0);
    const relocatable = await buildImage(ctx);
    await writeImage(ctx, relocatable, !lasts);
    reportTimes(ctx);
    observer?.linked?.(ctx);
  } catch (error) {
    if (error instanceof OutOfMemory) diag.error({ code: "OUT_OF_MEMORY", text: error.message });
    else if (error instanceof ReadFailed) diag.error({ code: "BAD_OBJECT", text: error.message });
    else if (error instanceof HostError) diag.error(error.message);
    else if (!(error instanceof LinkFailed)) throw error;
    return 1;
  } finally {
    if (!lasts) machine.stop();
    if (ctx !== undefined && options.reproduce !== "") reproduce(ctx);
  }
  return diag.hasErrors ? 1 : 0;
}

