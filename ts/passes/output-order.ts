/**
 * --section-order: output sections, headers, addresses and symbols in the order the user wrote.
 *
 * An address begins a new PT_LOAD, and so does a change of permissions, at the next page. There is no RELRO then: what it would protect need
 * not stand together (mold). The thread-local .tbss counts as data, because PT_TLS must be one stretch.
 */
import { PT_LOAD, PT_PHDR, SHF_EXECINSTR, SHF_TLS, SHF_WRITE, SHT_NOBITS } from "../../as-kernels/shared/elf.ts";
import type { ByteString, OutputOrderItem } from "../args/link-options.ts";
import type { Context, OutputSection } from "../context.ts";
import { overlapsHeaders } from "../diagnostics/layout-messages.ts";
import { alignAddress } from "../elf/align.ts";
import { imageBase } from "./assign-addresses.ts";
import { isAlloc, isTbss, pageSizes, type Loading } from "./segments.ts";

/** More than any rank of the default layout. */
const RANKS = 2 ** 28;

function groupOf({ sh_flags, sh_type }: OutputSection): string {
  if ((sh_flags & SHF_EXECINSTR) !== 0) return "TEXT";
  if ((sh_flags & SHF_WRITE) === 0) return "RODATA";
  return sh_type === SHT_NOBITS && (sh_flags & SHF_TLS) === 0 ? "BSS" : "DATA";
}

/** The item that speaks of a section: its name, else its kind; -1 = none. */
function itemOf(items: readonly OutputOrderItem[], osec: OutputSection): number {
  const named = items.findIndex(({ kind, name }) => kind === "section" && name === osec.name);
  return named >= 0 ? named : items.findIndex(({ kind, name }) => kind === "group" && name === groupOf(osec));
}

/** Assemblers make a .bss that nobody put anything into. */
function isEmpty({ tables: { isec, member, osec } }: Context, { id, synthetic }: OutputSection): boolean {
  const base = osec.memberBase[id]!;
  return synthetic.length === 0 && member.isec.subarray(base, base + osec.memberCount[id]!).every((row) => isec.size[row] === 0);
}

/** Ranks of the default layout count only among the sections of one item. */
export function rankByOrder(ctx: Context, osecs: OutputSection[]): void {
  const items = ctx.options.outputOrder;
  const last = items.findLastIndex(({ kind }) => kind === "section" || kind === "group");
  for (const osec of osecs) {
    let item = isAlloc(osec) ? itemOf(items, osec) : items.length;
    if (item < 0 && isEmpty(ctx, osec)) item = last;
    if (item < 0) ctx.diag.error({ code: "LAYOUT", text: `--section-order: no place for section ${osec.name}` });
    osec.rank += item * RANKS;
  }
  ctx.diag.throwIfErrors();
}

const itemOfRank = ({ rank }: OutputSection): number => Math.floor(rank / RANKS);

/** Which stretch between two addresses a section stands in; null = the one that begins with the file's headers, when they are the first thing. */
export function orderLoading({ options, osecs }: Context): Loading {
  const items = options.outputOrder;
  const headers = items.findIndex(({ kind }) => kind === "headers");
  const behind = headers >= 0 && osecs.every((osec) => itemOfRank(osec) > headers);
  const begins = items.map(({ kind }) => kind === "address" || kind === "headers");
  const stretch = (osec: OutputSection): number | null => {
    const last = begins.lastIndexOf(true, itemOfRank(osec));
    return behind && last === headers ? null : last;
  };
  return { region: stretch, loadRegion: () => null, hasLma: () => false, hasSections: false };
}

/** Writes addresses of sections and headers; returns those of the symbols. */
export function walkInOrder(ctx: Context): Map<ByteString, bigint> {
  const symbols = new Map<ByteString, bigint>();
  const page = BigInt(pageSizes(ctx).max);
  const starts = new Set(ctx.segments.filter(({ p_type, heads }) => p_type === PT_LOAD && heads === 0).map(({ sections }) => sections[0]));
  let dot = imageBase(ctx);
  let placed = false;
  let next = 0;
  ctx.options.outputOrder.forEach(({ kind, name, value }, item) => {
    if (kind === "address") [dot, placed] = [value, true];
    else if (kind === "align") dot = alignAddress(dot, value);
    else if (kind === "symbol") symbols.set(name, dot);
    else if (kind === "headers") {
      // The file begins with them, and pages with file offset 0.
      ctx.headers.address = dot = alignAddress(dot, page);
      dot += BigInt(ctx.headers.bytes);
      placed = false;
    } else {
      for (; next < ctx.osecs.length && itemOfRank(ctx.osecs[next]!) === item; next++) {
        const osec = ctx.osecs[next]!;
        if (starts.has(osec) && !placed) dot = alignAddress(dot, page);
        osec.sh_addr = alignAddress(dot, 1n << BigInt(osec.align));
        // .tbss takes no address space.
        if (!isTbss(osec)) dot = osec.sh_addr + BigInt(osec.size);
        placed = false;
      }
    }
  });
  for (; next < ctx.osecs.length; next++) ctx.osecs[next]!.sh_addr = 0n;
  return symbols;
}

/** Headers that are not listed are not loaded; PT_LOADs go by address (gABI ch. 5, Program Header). */
export function settleOrderedSegments(ctx: Context): void {
  if (ctx.options.outputOrder.every(({ kind }) => kind !== "headers")) {
    for (const load of ctx.loads) load.heads = 0;
    ctx.segments = ctx.segments.filter((segment) => segment.p_type !== PT_PHDR);
  } else {
    const { address, bytes } = ctx.headers;
    const hit = ctx.osecs.find((osec) => isAlloc(osec) && osec.size > 0 && osec.sh_addr < address + BigInt(bytes) && address < osec.sh_addr + BigInt(osec.size));
    if (hit !== undefined) ctx.diag.errorOrWarn(overlapsHeaders(hit.name, address));
  }
  const start = (segment: (typeof ctx.loads)[number]): bigint => (segment.heads !== 0 ? ctx.headers.address : segment.sections[0]?.sh_addr ?? 0n);
  const loads = ctx.loads.toSorted((a, b) => (start(a) < start(b) ? -1 : start(a) > start(b) ? 1 : 0));
  let next = 0;
  ctx.segments = ctx.segments.map((segment) => (segment.p_type === PT_LOAD ? loads[next++]! : segment));
}

/** Where a symbol of the list is: bytes from the start of the section that begins there, else of the one before it. */
export function orderedPlace(ctx: Context, name: ByteString): { osec: number; offset: number } | null {
  const address = walkInOrder(ctx).get(name)!;
  const sections = ctx.osecs.filter((osec) => isAlloc(osec) && !isTbss(osec));
  const osec = sections.find(({ sh_addr }) => sh_addr === address) ?? sections.findLast(({ sh_addr }) => sh_addr < address);
  return osec === undefined ? null : { osec: osec.id, offset: Number(address - osec.sh_addr) };
}
