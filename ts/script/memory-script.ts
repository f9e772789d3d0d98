/**
 * MEMORY and REGION_ALIAS of layout scripts, text → memory regions.
 */
import { SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE } from "../../as-kernels/shared/elf.ts";
import type { Expr } from "./expression.ts";
import type { LayoutScript, MemoryRegion } from "./layout.ts";
import type { ScriptText } from "./script-text.ts";

/** Stands for the `r` attribute of a memory region among sh_flags. */
export const READ_ONLY = 1 << 30;

export function readRegionAlias(t: ScriptText, layout: LayoutScript): void {
  t.takeWord("REGION_ALIAS");
  t.expect("(");
  const alias = t.word();
  t.expect(",");
  const start = t.at;
  const name = t.word();
  t.expect(")");
  const region = layout.regions.get(name) ?? layout.earlierRegions?.get(name);
  if (region === undefined) throw t.error(`memory region '${name}' is not defined`, start);
  if (layout.regions.has(alias)) throw t.error(`redefinition of memory region '${alias}'`, start);
  layout.regions.set(alias, region);
}

/** MEMORY { name (attributes) : ORIGIN = expr, LENGTH = expr }, with commas between regions or without. */
export function readMemory(t: ScriptText, layout: LayoutScript): void {
  t.takeWord("MEMORY");
  t.expect("{");
  while (!t.take("}")) readMemoryItem(t, layout);
}

function readMemoryItem(t: ScriptText, layout: LayoutScript): void {
  if (layout.regions.size > 0 && t.take(",")) return;
  if (t.takeWord("INCLUDE")) t.readInclude((inner) => readMemoryItem(inner, layout));
  else readRegion(t, layout);
}

function readRegion(t: ScriptText, layout: LayoutScript): void {
  t.skip();
  const start = t.at;
  const region: MemoryRegion = { name: t.plainName(), origin: null!, length: null!, flags: 0, inverted: 0, noFlags: true };
  if (t.take("(")) readAttributes(t, region);
  t.expect(":");
  region.origin = readAssigned(t, "ORIGIN", "org", "o");
  t.expect(",");
  region.length = readAssigned(t, "LENGTH", "len", "l");
  if (layout.regions.has(region.name)) throw t.error(`region '${region.name}' already defined`, start);
  layout.regions.set(region.name, region);
}

function readAssigned(t: ScriptText, ...names: string[]): Expr {
  const found = names.find((name) => t.takeWord(name));
  if (found === undefined) throw t.error(`expected one of: ${names.join(", ")}`);
  t.expect("=");
  return t.expression();
}

/** GNU ld: r w x a, i and l (initialized) mean nothing here, ! inverts what follows. */
function readAttributes(t: ScriptText, region: MemoryRegion): void {
  let inverted = false;
  region.noFlags = false;
  t.skip();
  const start = t.at;
  for (const c of t.word("attributes").toLowerCase()) {
    if (!"rwxail!".includes(c)) throw t.error("invalid memory region attribute", start);
    const bit = c === "w" ? SHF_WRITE : c === "x" ? SHF_EXECINSTR : c === "a" ? SHF_ALLOC : 0;
    if (c === "!") inverted = !inverted;
    else if (c === "r") (inverted ? (region.inverted |= READ_ONLY) : (region.flags |= READ_ONLY));
    else if (inverted) region.inverted |= bit;
    else region.flags |= bit;
  }
  t.expect(")");
}
