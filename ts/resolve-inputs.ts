/**
 * load-inputs to resolve-symbols, which are one loop: archives that turn out to be referred to, libraries that objects ask for and what a
 * compiler makes of LTO objects bring in more inputs, and all is loaded again.
 */
import { CTL_ISSUES, OBJ_RELOCATABLE } from "../as-kernels/shared/abi.ts";
import type { LinkOptions } from "./args/link-options.ts";
import type { Context } from "./context.ts";
import { LARGE_BYTES } from "./host/host.ts";
import { fillInternalObject } from "./input/internal-object.ts";
import { GccLto } from "./lto/gcc-lto.ts";
import { meetsSlimObjects, SLIM_MARK } from "./lto/slim-mark.ts";
import { startEngine } from "./new-context.ts";
import { putNameRules } from "./passes/bind-sections.ts";
import { ClosedArchives } from "./passes/closed-archives.ts";
import { findDependentLibraries } from "./passes/dependent-libraries.ts";
import { internNames } from "./passes/intern-names.ts";
import { linkerNames } from "./passes/linker-defined.ts";
import { loadInputs } from "./passes/load-inputs.ts";
import { parseObject } from "./passes/parse-object.ts";
import { dropUnmentioned, resolveSymbols } from "./passes/resolve-symbols.ts";
import { scriptNames } from "./passes/script/script-symbols.ts";
import { timed } from "./passes/timed.ts";

/** Links with more bytes of input than this open all archives at once. */
const FEW_BYTES = 4 << 20;
/** And those that name more inputs. */
const FEW_INPUTS = 64;

/** Options that must see every archive, or would say things twice. */
export function opensAllArchives({ inputs, scripts, requireDefined, undefinedGlobs, trace, verbose, traceSymbols, whyExtract, printArchiveStats, warnBackrefs, stats }: LinkOptions): boolean {
  const names = [...requireDefined, ...undefinedGlobs, ...traceSymbols];
  return inputs.length > FEW_INPUTS || scripts.length > 0 || trace || verbose || stats !== "" || whyExtract !== "" || printArchiveStats !== "" || warnBackrefs || names.length > 0;
}

/** Bytes of all relocatable objects, archive members included. Shared objects are read in part only. */
function objectBytes({ inputs, tables }: Context): number {
  return inputs.reduce((sum, input) => (tables.obj.kind[input.id] === OBJ_RELOCATABLE ? sum + input.bytes : sum), 0);
}

/** Names options mention that must be findable after interning. */
function mentionedNames(ctx: Context, assigned: string[]): string[] {
  const { options } = ctx;
  return [
    ...ctx.expressionNames, ...assigned, ...linkerNames(), ...ctx.versionNodes.map(({ name }) => name), SLIM_MARK, options.entry || "_start", options.init, options.fini, ...options.requireDefined,
    ...options.outputOrder.flatMap(({ kind, name }) => (kind === "symbol" ? [name] : [])), ...options.wrap.flatMap((name) => [name, "__wrap_" + name, "__real_" + name]), ...options.traceSymbols,
  ];
}

/** Slim LTO objects: true = load again, with stand-ins for them and then with what was compiled. */
async function needsLto(ctx: Context, closed: ClosedArchives | null): Promise<boolean> {
  if (ctx.diag.hasErrors || (ctx.lto === null && !meetsSlimObjects(ctx))) return false;
  if (ctx.lto === null) {
    ctx.lto = new GccLto();
    closed?.openAll();
    return true;
  }
  const { lto } = ctx;
  return lto.objects === null && timed(ctx, "lto", () => lto.compile(ctx));
}

/** load-inputs to resolve-symbols: once, or again with archives that turned out to be referred to. */
export async function resolveInputs(ctx: Context): Promise<void> {
  const run = <T>(name: string, pass: () => T | Promise<T>) => timed(ctx, name, pass);
  const { arena, options } = ctx;
  const closed = opensAllArchives(options) ? null : new ClosedArchives(ctx.spareRows(0) > 0);
  const start = { mark: arena.mark(), files: ctx.loadedFiles.length, versions: ctx.versionNodes.length };
  for (;;) {
    const walked = await timed(ctx, "load-inputs", () => loadInputs(ctx, closed));
    const bytes = objectBytes(ctx) + (walked?.bytes ?? 0);
    if (closed === null || closed.scanned !== null || bytes <= FEW_BYTES || !closed.openAll()) {
      await run("start-engine", () => startEngine(ctx, bytes));
      fillInternalObject(ctx, options.undefined, mentionedNames(ctx, scriptNames(ctx)));
      if (!options.relocatable) putNameRules(ctx);
      await run("parse-object", () => parseObject(ctx, bytes, closed?.scanned?.passed ?? [], walked));
      await run("intern-names", () => internNames(ctx));
      await run("resolve-symbols", () => resolveSymbols(ctx));
      const again = closed !== null && !ctx.diag.hasErrors && (await run("scan-archives", () => closed.openReferenced(ctx, FEW_BYTES - bytes)));
      if (!again && !(await needsLto(ctx, closed)) && !findDependentLibraries(ctx)) {
        const { room } = ctx.checkpoint;
        // A name that comes with a later link may be one of theirs.
        if (closed !== null && closed.closed.size > 0) room.namesEnd = room.names;
        return dropUnmentioned(ctx);
      }
      // What was found out about archives lies behind the tables of this round.
      if (closed !== null && closed.scanned !== null) {
        start.mark = Math.max(start.mark, closed.scanned.end);
        closed.scanned.passed.length = 0;
      }
    }
    arena.release(start.mark);
    arena.u32[CTL_ISSUES >>> 2] = 0;
    ctx.loadedFiles.length = start.files;
    ctx.versionNodes.length = start.versions;
    if (closed !== null && closed.openedBytes >= LARGE_BYTES) ctx.expectBytes(closed.openedBytes);
  }
}
