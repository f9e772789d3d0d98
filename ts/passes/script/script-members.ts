/**
 * What an output section of a layout script gets from its members: type, flags, alignment, and its row in the tables.
 *
 * Which sections are its members script-sections has decided.
 */
import {
  SHF_ALLOC, SHF_TLS, SHF_WRITE, SHT_FINI_ARRAY, SHT_INIT_ARRAY, SHT_NOBITS, SHT_NOTE, SHT_PREINIT_ARRAY, SHT_PROGBITS,
} from "../../../as-kernels/shared/elf.ts";
import type { Context } from "../../context.ts";
import { flagsDiffer } from "../../diagnostics/layout-messages.ts";
import { sectionPlace } from "../../diagnostics/place.ts";
import type { Expr } from "../../script/expression.ts";
import { scriptError } from "../../script/lexer.ts";
import type { PlannedSection } from "../../script/plan.ts";
import { addressOf, evaluateIn } from "../../script/script-value.ts";
import { arrayType } from "../order-sections.ts";
import { ScriptValues } from "./script-values.ts";

const CAN_BE_PROGBITS = new Set<number>([SHT_NOBITS, SHT_PROGBITS, SHT_INIT_ARRAY, SHT_FINI_ARRAY, SHT_PREINIT_ARRAY, SHT_NOTE]);

/** log2 of SUBALIGN: forced upon all members. */
export function subalign(ctx: Context, expr: Expr): number {
  const values = new ScriptValues(ctx, ctx.script!, []);
  values.foresee();
  const align = addressOf(evaluateIn(expr, values));
  for (const message of values.errors) ctx.diag.error(message);
  if ((align & (align - 1n)) === 0n) return Math.round(Math.log2(Number(align > 0n ? align : 1n)));
  const { text, name, offset } = expr;
  ctx.diag.error(scriptError(text, name, offset, "alignment must be power of 2").said);
  return 0;
}

/** What a member gives to its output section. */
export function addMember(ctx: Context, section: PlannedSection, row: number): void {
  const { isec } = ctx.tables;
  const { osec, command } = section;
  const type = isec.sh_type[row]!;
  if (!section.hasInputs) {
    if (command?.sh_type == null) osec.sh_type = type;
    osec.sh_entsize = isec.sh_entsize[row]!;
  } else {
    if (((osec.sh_flags ^ isec.sh_flags[row]!) & SHF_TLS) !== 0) reportFlags(ctx, osec, row);
    if (osec.sh_entsize !== isec.sh_entsize[row]!) osec.sh_entsize = 0;
  }
  if (osec.sh_type !== type) {
    const mergeable = CAN_BE_PROGBITS.has(osec.sh_type) && CAN_BE_PROGBITS.has(type);
    if (command?.sh_type == null && mergeable) osec.sh_type = SHT_PROGBITS;
    else if (osec.sh_type !== SHT_NOBITS && command?.sh_type == null) ctx.diag.error({ code: "LAYOUT", text: `section type mismatch for ${osec.name}` });
  }
  osec.sh_flags = (osec.sh_flags | isec.sh_flags[row]!) >>> 0;
  osec.align = Math.max(osec.align, isec.align[row]!);
  section.hasInputs = true;
}

function reportFlags(ctx: Context, osec: PlannedSection["osec"], row: number): void {
  const { isec } = ctx.tables;
  ctx.diag.error(flagsDiffer(sectionPlace(ctx, row), isec.sh_flags[row]!, osec.name, osec.sh_flags));
}

/** After its members: the row of a section in `osec`. */
export function publishSection(ctx: Context, { osec, command }: PlannedSection): void {
  const { tables, arena, kernels } = ctx;
  if (command?.sh_type == null && !ctx.options.relocatable) osec.sh_type = arrayType(ctx, osec.id, osec.name, osec.sh_type);
  if (command?.nonAlloc === true) osec.sh_flags &= ~SHF_ALLOC;
  if (command?.readOnly === true) osec.sh_flags &= ~SHF_WRITE;
  const base = tables.osec.memberBase[osec.id]!;
  tables.osec.name[osec.id] = arena.put(osec.name);
  tables.osec.nameBytes[osec.id] = osec.name.length;
  tables.osec.sh_type[osec.id] = osec.sh_type;
  tables.osec.sh_flags[osec.id] = osec.sh_flags;
  tables.osec.sh_entsize[osec.id] = osec.sh_entsize;
  tables.osec.align[osec.id] = osec.align;
  if (osec.sh_type === SHT_INIT_ARRAY || osec.sh_type === SHT_FINI_ARRAY) kernels.mirrorRelocs(base, base + tables.osec.memberCount[osec.id]!);
}
