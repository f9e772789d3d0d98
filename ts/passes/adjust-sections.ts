/**
 * Options that leave out input sections by name (--discard-sframe, --strip-debug-gdb, --strip-debug-non-line), or under -r give them the
 * names they would have in a program (--relocatable-merge-sections); and --section-align, for output sections.
 *
 * After load-sections and order-sections, and only when asked for. Constructors keep their names: their numbers are their order.
 */
import { ISEC_CONSUMED } from "../../as-kernels/shared/abi.ts";
import type { Context } from "../context.ts";
import { outputName } from "./bind-sections.ts";

const CONSTRUCTORS = /^\.((pre)?init_array|fini_array|ctors|dtors)/;

export function adjustSections(ctx: Context): void {
  const { arena, options, tables: { isec } } = ctx;
  const { discardSections, relocatable, relocatableMerge } = options;
  /** By name: 0 = stays as it is, -1 = is left out, else the address of the new name. */
  const known = new Map<string, number>();
  const decide = (name: string): number => {
    if (discardSections.some((pattern) => pattern.test(name))) return -1;
    const joined = relocatable && relocatableMerge && !CONSTRUCTORS.test(name) ? outputName(ctx, name) : name;
    return joined === name ? 0 : arena.put(joined);
  };
  const { rows } = isec;
  for (let row = 1; row < rows; row++) {
    if (isec.name[row] === 0 || isec.kind[row] === ISEC_CONSUMED) continue;
    const name = arena.cstring(isec.name[row]!);
    let what = known.get(name);
    if (what === undefined) known.set(name, (what = decide(name)));
    if (what < 0) isec.kind[row] = ISEC_CONSUMED;
    else if (what > 0) {
      isec.name[row] = what;
      isec.rule[row] = 0;
    }
  }
}

export function alignSections({ options, osecs }: Context): void {
  for (const osec of osecs) osec.align = Math.max(osec.align, options.sectionAligns.get(osec.name) ?? 0);
}
