/**
 * --why-extract: which reference brought each archive member in. --print-archive-stats: how many members of each archive are in.
 *
 * resolve-symbols notes the reason when it extracts a member (obj.whyObj, obj.whySym); here it is only worded. Members are listed in
 * the order in which they were finished, what their own references extracted first (lld's order).
 */
import { OBJ_SHARED } from "../../as-kernels/shared/abi.ts";
import { SHN_UNDEF } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { displaySymbol, fileName, rawSymbol } from "../diagnostics/place.ts";

/** Extracted members by the time they were finished (obj rows). */
export function extractedObjects(ctx: Context): number[] {
  const { whySym, done } = ctx.tables.obj;
  return [...ctx.objects].filter((obj) => whySym[obj] !== 0).sort((a, b) => done[a]! - done[b]!);
}

/** The table of --why-extract: `reference extracted symbol`, tab separated. */
export function whyExtract(ctx: Context): ByteString {
  const lines = extractedObjects(ctx).map((obj) => {
    const sym = ctx.tables.obj.whySym[obj]!;
    return `${reference(ctx, obj, sym)}\t${fileName(ctx, obj)}\t${displaySymbol(ctx, sym)}`;
  });
  return ["reference\textracted\tsymbol", ...lines, ""].join("\n");
}

/** Who wanted `sym`: a file, `--entry` and the like, or `<internal>` for -u and scripts. */
function reference(ctx: Context, obj: number, sym: number): ByteString {
  const by = ctx.tables.obj.whyObj[obj]!;
  if (by !== 0) return fileName(ctx, by);
  return ctx.whyExtracted.get(sym) ?? fileName(ctx, sharedReference(ctx, sym));
}

/** The first shared object that refers to a symbol, 0 = none. */
function sharedReference(ctx: Context, sym: number): number {
  const { obj, esym } = ctx.tables;
  for (let id = 1; id < obj.rows; id++) {
    if (obj.kind[id] !== OBJ_SHARED) continue;
    for (let i = 1; i < obj.esymCount[id]!; i++) {
      if (esym.sym[obj.esymBase[id]! + i] === sym && rawSymbol(ctx, id, i)?.shndx === SHN_UNDEF) return id;
    }
  }
  return 0;
}

/** The table of --print-archive-stats. An archive that is named again has all its extracted members at the first place. */
export function archiveStats(ctx: Context): ByteString {
  const extracted = new Map<ByteString, number>();
  for (const obj of ctx.objects) {
    const input = ctx.inputs[ctx.tables.obj.fileId[obj]!]!;
    if (input.member !== "") extracted.set(input.path, (extracted.get(input.path) ?? 0) + 1);
  }
  const lines = ctx.archives.map(({ path, members }) => {
    const count = extracted.get(path) ?? 0;
    extracted.delete(path);
    return `${members}\t${count}\t${path}\n`;
  });
  return `members\textracted\tarchive\n${lines.join("")}`;
}
