/**
 * --warn-rwx-segments, --warn-execstack and their --error forms: memory of the output that is writable and executable; --warn-textrel: code that is written to. GNU ld's
 * words, which build logs are searched for; unlike there nothing is said unless an option asks (lld knows neither), but that an object's wish
 * for an executable stack is not granted. Only reads.
 */
import { OBJF_EXEC_STACK } from "../../as-kernels/shared/abi.ts";
import { PF_W, PF_X, PT_GNU_STACK, PT_LOAD, PT_TLS } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { fileName } from "../diagnostics/place.ts";
import { refusesExecutableStack } from "./segments.ts";

export function checkProtection(ctx: Context): void {
  const { options, segments } = ctx;
  const say = (how: "none" | "warn" | "error", message: string): void => {
    if (how === "warn") ctx.diag.warn(message);
    else if (how === "error") ctx.diag.error(message);
  };
  const writableCode = segments.some(({ p_type, p_flags }) => p_type === PT_LOAD && (p_flags & (PF_W | PF_X)) === (PF_W | PF_X));
  if (writableCode) say(options.rwxSegments, `${options.output} has a LOAD segment with RWX permissions`);
  if (segments.some(({ p_type, p_flags }) => p_type === PT_TLS && (p_flags & PF_X) !== 0)) say(options.rwxSegments, `${options.output} has a TLS segment with execute permission`);
  const stack = segments.find(({ p_type }) => p_type === PT_GNU_STACK);
  if (stack === undefined) return;
  const { execstackNotice } = options;
  if ((stack.p_flags & PF_X) === 0) {
    const heard = execstackNotice !== "none" && execstackNotice !== "error";
    if (heard && refusesExecutableStack(ctx)) ctx.diag.warn(refusal(ctx));
  } else if (execstackNotice === "warn" || execstackNotice === "error") say(execstackNotice, reason(ctx));
  else if (execstackNotice === "objects" && options.z.execstack !== true) say("warn", reason(ctx));
}

const askingObject = (ctx: Context): number | undefined => [...ctx.objects].find((o) => (ctx.tables.obj.flags[o]! & OBJF_EXEC_STACK) !== 0);

/** GNU ld would give it one, lld 22 refuses the link: a program with nested functions that is linked in silence would crash. */
function refusal(ctx: Context): string {
  return `${fileName(ctx, askingObject(ctx)!)}: requires an executable stack, but -z execstack is not given: code that it puts on the stack will crash`;
}

function reason(ctx: Context): string {
  const obj = askingObject(ctx);
  if (ctx.options.z.execstack === true || obj === undefined) return "enabling an executable stack because of -z execstack command line option";
  return `${fileName(ctx, obj)}: requires executable stack (because the .note.GNU-stack section is executable)`;
}

/** --warn-textrel, --warn-shared-textrel: GNU ld's words. */
export function warnOfTextRelocations({ options, params, diag }: Context): void {
  if (params.get("hasTextRel") === 0 || (options.warnTextrel === "shared" && !options.shared)) return;
  diag.warn(`creating DT_TEXTREL in a ${options.shared ? "shared object" : options.pie ? "PIE" : "PDE"}`);
}
