/**
 * NOCROSSREFS and NOCROSSREFS_TO: references between output sections that the script forbids, as those of overlays to each other.
 *
 * Runs only for scripts that ask, so relocations are looked at one by one.
 */
import { ISEC_REGULAR, SYM_DEFINED, SYM_IN_OSEC, SYM_KIND_MASK, SYM_SECTION } from "../../as-kernels/shared/abi.ts";
import type { Context, OutputSection } from "../context.ts";
import { displaySymbol, location, rawRelocation, relocationSym } from "../diagnostics/place.ts";
import type { NoCrossRefs } from "../script/layout.ts";
import { HEADERS_OSEC } from "./bind-sections.ts";

/** By osec row. */
type Sections = ReadonlyMap<number, OutputSection>;

/** After output sections are known; symbols of the linker have their sections. */
export function checkCrossReferences(ctx: Context, commands: NoCrossRefs[]): void {
  const checked = commands.filter(({ names, place }) => {
    if (names.length < 2) ctx.diag.warn({ code: "BAD_SCRIPT", text: `${place.text}: ignored with fewer than 2 output sections`, at: place.ref });
    return names.length >= 2;
  });
  const sections = new Map(ctx.osecs.map((osec) => [osec.id, osec]));
  for (const osec of ctx.osecs) {
    for (const { names, toFirst } of checked) {
      if (!names.includes(osec.name) || (toFirst && names[0] === osec.name)) continue;
      const forbidden = new Set(toFirst ? names.slice(0, 1) : names.filter((name) => name !== osec.name));
      checkSection(ctx, sections, osec, forbidden);
    }
  }
}

function checkSection(ctx: Context, sections: Sections, osec: OutputSection, forbidden: Set<string>): void {
  const { member, isec } = ctx.tables;
  const base = ctx.tables.osec.memberBase[osec.id]!;
  for (const row of member.isec.subarray(base, base + ctx.tables.osec.memberCount[osec.id]!)) {
    if (isec.relaCount[row] !== 0 && isec.kind[row] === ISEC_REGULAR) checkMember(ctx, sections, osec, row, forbidden);
  }
}

function checkMember(ctx: Context, sections: Sections, osec: OutputSection, row: number, forbidden: Set<string>): void {
  const { isec, sym: { flags } } = ctx.tables;
  const obj = isec.obj[row]!;
  for (let i = 0; i < isec.relaCount[row]!; i++) {
    const relocation = rawRelocation(ctx, row, i);
    const sym = relocation === null ? 0 : relocationSym(ctx, obj, relocation.r_sym);
    const target = sectionOf(ctx, sections, sym);
    if (target === undefined || !forbidden.has(target.name)) continue;
    const name = (flags[sym]! & SYM_SECTION) !== 0 ? target.name : displaySymbol(ctx, sym);
    const { text, ref } = location(ctx, row, relocation!.r_offset);
    ctx.diag.error({ code: "LAYOUT", text: `${text}: prohibited cross reference from '${osec.name}' to '${name}' in '${target.name}'`, at: ref });
  }
}

/** Output section that a symbol lies in. */
function sectionOf(ctx: Context, sections: Sections, sym: number): OutputSection | undefined {
  const { flags, isec } = ctx.tables.sym;
  const kind = flags[sym]! & SYM_KIND_MASK;
  const id = kind === SYM_DEFINED ? ctx.tables.isec.osec[isec[sym]!]! : kind === SYM_IN_OSEC ? isec[sym]! : 0;
  return id <= HEADERS_OSEC ? undefined : sections.get(id);
}
