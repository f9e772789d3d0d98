/**
 * Input sections find their output section by name, as lld names them without a script.
 *
 * Policy is the table of prefixes; the loop over sections is the kernel. The order of output sections is decided later
 * (order-sections), when it is known which linker-made sections exist. .ctors and .dtors become .init_array and .fini_array
 * as in GNU ld, because no current C runtime runs the old tables.
 */
import { NAME_RULE_BYTES } from "../../as-kernels/shared/abi.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { inSteps, slotsFor } from "../memory/rows.ts";
import { allocTable, setRows } from "../memory/table.ts";
import { uniqueRows } from "./unique-sections.ts";

/** osec row of the ELF header and program headers; real sections follow. */
export const HEADERS_OSEC = 1;
/** osec rows kept for linker-made sections. */
export const SPARE_OSECS = 256;

/** Prefix → output section. A name fits when it is the prefix, or the prefix followed by a dot and more. */
const PREFIXES: readonly (readonly [ByteString, ByteString])[] = [
  [".text", ".text"],
  [".rodata", ".rodata"],
  [".data.rel.ro", ".data.rel.ro"],
  [".data", ".data"],
  [".bss.rel.ro", ".bss.rel.ro"],
  [".bss", ".bss"],
  [".gcc_except_table", ".gcc_except_table"],
  [".init_array", ".init_array"],
  [".fini_array", ".fini_array"],
  [".preinit_array", ".preinit_array"],
  [".tbss", ".tbss"],
  [".tdata", ".tdata"],
  [".ctors", ".init_array"],
  [".dtors", ".fini_array"],
  [".ldata", ".ldata"],
  [".lrodata", ".lrodata"],
  [".lbss", ".lbss"],
  [".gnu.linkonce.t", ".text"],
  [".gnu.linkonce.r", ".rodata"],
  [".gnu.linkonce.d", ".data"],
  [".gnu.linkonce.b", ".bss"],
  [".gnu.linkonce.td", ".tdata"],
  [".gnu.linkonce.tb", ".tbss"],
  ["COMMON", ".bss"],
  ["LARGE_COMMON", ".lbss"],
];

/** Kept apart from .text under -z keep-text-section-prefix. */
const TEXT_PREFIXES = [".text.hot", ".text.unknown", ".text.unlikely", ".text.startup", ".text.exit", ".text.split"];

/** The output section that the prefixes give a section of this name. */
export function outputName(ctx: Context, name: ByteString): ByteString {
  const rule = rulesOf(ctx).find(([prefix]) => name === prefix || (name.startsWith(prefix) && name[prefix.length] === "."));
  return rule === undefined ? name : rule[1];
}

function rulesOf({ options }: Context): readonly (readonly [ByteString, ByteString])[] {
  return options.z.keepTextSectionPrefix ? [...TEXT_PREFIXES.map((name) => [name, name] as const), ...PREFIXES] : PREFIXES;
}

/** Reads isec.live, isec.name, isec.rule; writes isec.osec, `osec`, `member` (link order per output section). */
export function bindSections(ctx: Context): void {
  const { tables, arena, kernels, options, params } = ctx;
  const rows = tables.isec.rows;
  const capacity = (options.emitRelocs ? 2 : 1) * Math.min(rows, 1 << 20) + SPARE_OSECS;
  allocTable(arena, tables, "osec", capacity);
  allocTable(arena, tables, "member", rows + 1);
  const mark = arena.mark();
  const unique = options.unique || options.uniqueGlobs.length > 0 ? uniqueRows(ctx) : 0;
  const slots = slotsFor(capacity);
  const table = arena.allocZeroed(slots * 4);
  const scratch = arena.allocZeroed(16);
  arena.u32[(scratch >>> 2) + 1] = HEADERS_OSEC + 1;
  let count = HEADERS_OSEC + 1;
  inSteps(rows, (from, to) => {
    if (count !== 0) count = kernels.bindSections(from, to, params.get("nameRules"), params.get("nameRuleCount"), table, slots, scratch, unique);
  });
  if (count === 0) ctx.diag.fatal({ code: "LAYOUT", text: "too many output sections" });
  let base = 1;
  for (let id = HEADERS_OSEC; id < count; id++) {
    tables.osec.memberBase[id] = base;
    base += tables.osec.memberCount[id]!;
  }
  const cursors = arena.alloc(count * 4);
  arena.u32.set(tables.osec.memberBase.subarray(0, count), cursors >>> 2);
  inSteps(rows, (from, to) => kernels.fillMembers(from, to, cursors));
  arena.release(mark);
  // Each has objects, a header, a window: all in JavaScript.
  ctx.host.optimise?.(count);
  setRows(tables, "osec", count);
  setRows(tables, "member", base);
  for (let id = HEADERS_OSEC + 1; id < count; id++) {
    const name = arena.string(tables.osec.name[id]!, tables.osec.nameBytes[id]!);
    if (name !== ".init_array" && name !== ".fini_array") continue;
    if (kernels.mirrorRelocs(tables.osec.memberBase[id]!, tables.osec.memberBase[id]! + tables.osec.memberCount[id]!) > 0) ctx.checkpoint.mirrored = true;
  }
}

/** Before parse-object or load-sections asks them of every section: its name is in the cache then. */
export function putNameRules(ctx: Context): void {
  const { arena, params } = ctx;
  const rules = rulesOf(ctx);
  const address = arena.alloc(rules.length * NAME_RULE_BYTES);
  rules.forEach(([prefix, name], i) => arena.u32.set([arena.put(prefix), prefix.length, arena.put(name), 0], (address + i * NAME_RULE_BYTES) >>> 2));
  params.set("nameRules", address);
  params.set("nameRuleCount", rules.length);
}
