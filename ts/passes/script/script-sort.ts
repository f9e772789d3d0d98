/**
 * The order of input sections under a layout script: link order, the sorts of input descriptions, --sort-section.
 */
import { ISEC_SYNTHETIC } from "../../../as-kernels/shared/abi.ts";
import type { Context } from "../../context.ts";
import type { FileSort, InputDescription, SectionPattern, SortKind } from "../../script/layout.ts";
import { priorityOf } from "../order-sections.ts";
import { scriptFileNames } from "./script-match.ts";

/** Rows of an input section description, by pattern. */
export type Found = Map<SectionPattern, number[]>;

/** Link order of isec rows. Commons come before the sections of all files (lld). */
export function byPosition(ctx: Context): (a: number, b: number) => number {
  const { kind } = ctx.tables.isec;
  return (a, b) => (kind[a] === kind[b] ? a - b : Number(kind[b] === ISEC_SYNTHETIC) - Number(kind[a] === ISEC_SYNTHETIC) || a - b);
}

/** Rows of an input description: patterns that are sorted each for themselves, runs of others in link order. */
export function sortedRows(ctx: Context, input: InputDescription, found: Found): number[] {
  const { sortSection } = ctx.options;
  const byOption = sortSection === "name" || sortSection === "alignment" ? sortSection : null;
  const result: number[] = [];
  const run: number[] = [];
  const move = (from: number[], to: number[]): void => {
    for (const row of from) to.push(row);
  };
  const endRun = (): void => {
    run.sort(byPosition(ctx));
    if (byOption !== null) sort(ctx, run, byOption);
    move(run, result);
    run.length = 0;
  };
  for (const pattern of input.patterns) {
    const rows = found.get(pattern) ?? [];
    if (pattern.outer === "default") {
      move(rows, run);
      continue;
    }
    endRun();
    if (pattern.outer !== "none") {
      if (pattern.inner !== "default") sort(ctx, rows, pattern.inner);
      else if (byOption !== null) sort(ctx, rows, byOption);
      sort(ctx, rows, pattern.outer);
    }
    if (pattern.reversed) rows.reverse();
    move(rows, result);
  }
  endRun();
  if (input.fileSort !== "none") sortByFile(ctx, result, input.fileSort);
  return result;
}

function sortByFile(ctx: Context, rows: number[], by: FileSort): void {
  const file = scriptFileNames(ctx);
  const { obj } = ctx.tables.isec;
  const key = new Map(rows.map((row) => [row, file(obj[row]!).text]));
  const sign = by === "reverse" ? -1 : 1;
  rows.sort((a, b) => (key.get(a)! < key.get(b)! ? -sign : key.get(a)! > key.get(b)! ? sign : 0));
}

function sort(ctx: Context, rows: number[], by: SortKind): void {
  const { isec } = ctx.tables;
  if (by === "alignment") rows.sort((a, b) => isec.align[b]! - isec.align[a]!);
  if (by !== "name" && by !== "priority") return;
  const keyed = rows.map((row) => {
    const name = ctx.arena.cstring(isec.name[row]!);
    return { row, key: by === "name" ? name : priorityOf(name) };
  });
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  for (let i = 0; i < rows.length; i++) rows[i] = keyed[i]!.row;
}
