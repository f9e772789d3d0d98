/**
 * What kind of script there is, once all are read: one that only defines symbols leaves the layout to the default passes, any other goes
 * the way of the script passes, with or without SECTIONS.
 */
import type { ByteString } from "../../args/link-options.ts";
import type { Context } from "../../context.ts";
import { newLayout, type LayoutScript, type OutputCommand, type OutputDescription, type ScriptCommand } from "../../script/layout.ts";

/** The script takes part in the layout. Assignments and assertions alone do not. */
export function usesPlan(script: LayoutScript): boolean {
  if (script.hasSections || script.phdrs.length > 0 || script.regions.size > 0 || script.insertions.length > 0 || script.noCrossRefs.length > 0) return true;
  return script.commands.some((command) => command.kind === "output");
}

/** All scripts have been read. */
export function readyScript(ctx: Context): void {
  if (ctx.script !== null) ctx.script.commands = placeOverwrites(ctx.script.commands);
  if (ctx.sectionOrder.length > 0) placeFirst(ctx, ctx.sectionOrder);
  if (ctx.options.outputOrder.length > 0 && ctx.script !== null && usesPlan(ctx.script)) ctx.diag.error({ code: "BAD_OPTION", text: "--section-order and a script with SECTIONS may not be used together" });
}

/** --section-ordering-file: inputs at the head of what the script describes, or without SECTIONS of what the default layout has. */
function placeFirst(ctx: Context, order: OutputDescription[]): void {
  if (ctx.script?.hasSections !== true) {
    if (ctx.options.relocatable) return ctx.diag.warn({ code: "BAD_OPTION", text: "--section-ordering-file is ignored: -r without SECTIONS joins no sections" });
    ctx.script ??= newLayout("", "--section-ordering-file");
  }
  const { commands, hasSections } = ctx.script!;
  const byName = new Map<ByteString, OutputDescription>();
  const describe = (output: OutputDescription): void => void (byName.has(output.name) || byName.set(output.name, output));
  for (const command of commands) if (command.kind === "output") describe(command);
  const heads = new Map<OutputDescription, OutputCommand[]>();
  for (const each of order) {
    let output = byName.get(each.name);
    if (output === undefined && hasSections) {
      ctx.diag.error({ code: "BAD_SCRIPT", text: `${each.place.text}: --section-ordering-file: the linker script has no output section '${each.name}'`, at: each.place.ref });
      continue;
    }
    if (output === undefined) {
      commands.push((output = { ...each, commands: [] }));
      describe(output);
    }
    const head = heads.get(output);
    if (head === undefined) heads.set(output, [...each.commands]);
    else for (const command of each.commands) head.push(command);
  }
  for (const [output, head] of heads) {
    output.commands = head.concat(output.commands);
    output.first = true;
  }
}

/** OVERWRITE_SECTIONS take the place of descriptions of the same name; those that find none are placed as orphans are. */
function placeOverwrites(commands: ScriptCommand[]): ScriptCommand[] {
  const overwrites = new Map<string, OutputDescription>();
  for (const command of commands) if (command.kind === "output" && command.overwrites && !overwrites.has(command.name)) overwrites.set(command.name, command);
  if (overwrites.size === 0) return commands;
  const placed = new Set<string>();
  const result: ScriptCommand[] = [];
  for (const command of commands) {
    const overwrite = command.kind === "output" ? overwrites.get(command.name) : undefined;
    if (overwrite === undefined) result.push(command);
    else if (!(command as OutputDescription).overwrites && !placed.has(overwrite.name)) {
      placed.add(overwrite.name);
      result.push(overwrite);
    }
  }
  for (const overwrite of overwrites.values()) {
    overwrite.orphan = !placed.has(overwrite.name);
    if (overwrite.orphan) result.push(overwrite);
  }
  return result;
}
