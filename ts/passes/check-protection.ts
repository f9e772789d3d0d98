/**
 * --warn-rwx-segments, --warn-execstack and their --error forms: memory of the output that is writable and executable; --warn-textrel: code that is written to. GNU ld's
 * words, which build logs are searched for; unlike there nothing is said unless an option asks (lld knows neither). Only reads.
 */
import { OBJF_EXEC_STACK } from "../../as-kernels/shared/abi.ts";
import { PF_W, PF_X, PT_GNU_STACK, PT_LOAD, PT_TLS } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { fileName } from "../diagnostics/place.ts";

export function checkProtection(ctx: Context): void {
  const { options, segments } = ctx;
  const say = (how: "none" | "warn" | "error", message: string): void => {
    if (how === "warn") ctx.diag.warn(message);
    else if (how === "error") ctx.diag.error(message);
  };
  const writableCode = segments.some(({ p_type, p_flags }) => p_type === PT_LOAD && (p_flags & (PF_W | PF_X)) === (PF_W | PF_X));
  if (writableCode) say(options.rwxSegments, `${options.output} has a LOAD segment with RWX permissions`);
  if (segments.some(({ p_type, p_flags }) => p_type === PT_TLS && (p_flags & PF_X) !== 0)) say(options.rwxSegments, `${options.output} has a TLS segment with execute permission`);
  if (!segments.some(({ p_type, p_flags }) => p_type === PT_GNU_STACK && (p_flags & PF_X) !== 0)) return;
  if (options.execstackNotice !== "objects") say(options.execstackNotice, reason(ctx));
  else if (options.z.execstack !== true) say("warn", reason(ctx));
}

function reason(ctx: Context): string {
  const obj = [...ctx.objects].find((o) => (ctx.tables.obj.flags[o]! & OBJF_EXEC_STACK) !== 0);
  if (ctx.options.z.execstack === true || obj === undefined) return "enabling an executable stack because of -z execstack command line option";
  return `${fileName(ctx, obj)}: requires executable stack (because the .note.GNU-stack section is executable)`;
}

/** --warn-textrel, --warn-shared-textrel: GNU ld's words. */
export function warnOfTextRelocations({ options, params, diag }: Context): void {
  if (params.get("hasTextRel") === 0 || (options.warnTextrel === "shared" && !options.shared)) return;
  diag.warn(`creating DT_TEXTREL in a ${options.shared ? "shared object" : options.pie ? "PIE" : "PDE"}`);
}
