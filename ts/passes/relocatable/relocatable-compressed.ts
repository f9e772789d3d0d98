/**
 * -r with --compress-debug-sections or --compress-sections: sections are made and compressed in memory, and their rows in the
 * tables say what is in the file. Symbols and relocations go on to speak of the bytes as they were (gABI ch. 4, SHF_COMPRESSED).
 */
import type { Context, OutputSection } from "../../context.ts";
import type { OutputFile } from "../../host/host.ts";
import type { Plan } from "../../script/plan.ts";
import { HEADERS_OSEC } from "../bind-sections.ts";
import { compressInMemory } from "../compress-sections.ts";
import { newOutputSection } from "../order-sections.ts";
import { wantedSections } from "../wanted-compression.ts";
import { makeContents } from "./write-relocatable.ts";

export function wantsCompression({ options }: Context): boolean {
  return options.compressDebug.kind !== "none" || options.compressSections.length > 0;
}

/** The sections that got smaller, by row; sizes, flags and alignment in the tables are those of the file then. */
export async function compressRelocatable(ctx: Context, plan: Plan | null): Promise<OutputSection[]> {
  const { tables } = ctx;
  const wanted = wantedSections(ctx, describe(ctx, plan));
  await compressInMemory(ctx, wanted, () => makeContents(ctx, wanted.map(({ osec }) => osec.id)));
  const stored = wanted.map(({ osec }) => osec).filter((osec) => osec.ready !== null);
  for (const { id, size, align, sh_flags } of stored) {
    tables.osec.size[id] = size;
    tables.osec.align[id] = align;
    tables.osec.sh_flags[id] = sh_flags;
  }
  return stored;
}

/** Output sections by row, but for those that a script puts data into. */
function describe({ tables, arena }: Context, plan: Plan | null): OutputSection[] {
  const { osec } = tables;
  const filled = new Set(plan?.sections.filter(({ parts }) => parts.some((part) => part.kind !== "members")).map((section) => section.osec.id));
  const found: OutputSection[] = [];
  for (let id = HEADERS_OSEC + 1; id < osec.rows; id++) {
    if (filled.has(id) || osec.size[id] === 0) continue;
    const section = newOutputSection(id, arena.string(osec.name[id]!, osec.nameBytes[id]!), osec.sh_type[id]!, osec.sh_flags[id]!);
    found.push(Object.assign(section, { size: osec.size[id]!, align: osec.align[id]! }));
  }
  return found;
}

export function writeStored({ tables }: Context, stored: OutputSection[], file: OutputFile): void {
  for (const { id, ready } of stored) {
    let at = tables.osec.offset[id]!;
    for (const part of ready!) {
      file.write(part, at);
      at += part.length;
    }
  }
}
