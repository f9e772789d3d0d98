/**
 * --warn-backrefs: members that are found only because archives are searched in any order (GNU ld goes from left to right).
 *
 * As lld: a strong reference to a member of an earlier group, unless a file behind the reference offers the name as well. A group is
 * one input, all files of a --start-group or --start-lib, all members of an archive.
 */
import { OBJ_SHARED, OBJF_LAZY, OBJ_RELOCATABLE, SYM_WEAK } from "../../as-kernels/shared/abi.ts";
import { SHN_UNDEF } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { fileName, fileRef, rawSymbol } from "../diagnostics/place.ts";
import { Glob } from "../script/glob.ts";
import { extractedObjects } from "./why-extract.ts";

export function warnBackrefs(ctx: Context): void {
  const excluded = ctx.options.warnBackrefsExclude.map((pattern) => new Glob(pattern));
  const { whyObj, whySym, fileId, kind } = ctx.tables.obj;
  const groupOf = (obj: number): number => ctx.inputs[fileId[obj]!]!.group;
  for (const obj of extractedObjects(ctx)) {
    const by = whyObj[obj]!;
    if (by <= 1 || kind[by] === OBJ_SHARED || groupOf(obj) >= groupOf(by)) continue;
    if ((ctx.tables.sym.flags[whySym[obj]!]! & SYM_WEAK) !== 0) continue; // a definition that can be overridden later
    const file = fileName(ctx, obj);
    if (isOfferedLater(ctx, obj, whySym[obj]!, by) || excluded.some((glob) => glob.matches(file))) continue;
    const symbol = ctx.symbolName(whySym[obj]!);
    ctx.diag.warn({ code: "OTHER", text: `backward reference detected: ${symbol} in ${fileName(ctx, by)} refers to ${file}`, symbol, at: fileRef(ctx, by) });
  }
}

/** Does a lazy object behind the one that was being read define the name, or is the archive named again there? */
function isOfferedLater(ctx: Context, member: number, sym: number, by: number): boolean {
  const { obj, esym } = ctx.tables;
  let place = by;
  while (obj.whySym[place] !== 0 && obj.whyObj[place]! > 1 && obj.done[place]! < obj.done[obj.whyObj[place]!]!) place = obj.whyObj[place]!;
  const input = ctx.inputs[obj.fileId[member]!]!;
  if (ctx.archives.some(({ path, group }) => path === input.path && group > ctx.inputs[obj.fileId[place]!]!.group)) return true;
  for (let id = place + 1; id < obj.rows; id++) {
    if (obj.kind[id] !== OBJ_RELOCATABLE || (obj.flags[id]! & OBJF_LAZY) === 0) continue;
    for (let i = obj.firstGlobal[id]!; i < obj.esymCount[id]!; i++) {
      if (esym.sym[obj.esymBase[id]! + i] === sym && rawSymbol(ctx, id, i)?.shndx !== SHN_UNDEF) return true;
    }
  }
  return false;
}
