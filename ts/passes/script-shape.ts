/**
 * What kind of script there is, once all are read: one that only defines symbols leaves the layout to the default passes, any other goes
 * the way of the script passes, with or without SECTIONS.
 */
import type { Context } from "../context.ts";
import type { LayoutScript, OutputDescription, ScriptCommand } from "../script/layout.ts";

/** The script takes part in the layout. Assignments and assertions alone do not. */
export function usesPlan(script: LayoutScript): boolean {
  if (script.hasSections || script.phdrs.length > 0 || script.regions.size > 0 || script.insertions.length > 0 || script.noCrossRefs.length > 0) return true;
  return script.commands.some((command) => command.kind === "output");
}

/** All scripts have been read. */
export function readyScript({ script }: Context): void {
  if (script !== null) script.commands = placeOverwrites(script.commands);
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
