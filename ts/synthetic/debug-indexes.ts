/** --gdb-index and --debug-names: which of the two sections there are. */
import type { Context } from "../context.ts";
import { DebugNamesSection } from "./debug-names.ts";
import { GdbIndexSection } from "./gdb-index.ts";

/** Stripped debug information needs no index. */
export function wantedIndexes({ options }: Context): { gdbIndex: boolean; debugNames: boolean } {
  const kept = options.strip === "none";
  return { gdbIndex: options.gdbIndex && kept, debugNames: options.debugNames && kept };
}

/** Makes them of the objects' debug information. */
export function addIndexes(ctx: Context): void {
  const wanted = wantedIndexes(ctx);
  const made = [...(wanted.gdbIndex ? [new GdbIndexSection()] : []), ...(wanted.debugNames ? [new DebugNamesSection()] : [])];
  for (const section of made) {
    section.collect(ctx);
    Object.assign(ctx.synthetics, { [section.name]: section });
  }
  ctx.diag.throwIfErrors();
}
