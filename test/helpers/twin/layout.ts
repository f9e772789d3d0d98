/** Names of output sections, places of members, stretches to read: the oracle of bind-sections and assign-addresses. */
import { ISEC_CONSUMED, ISEC_EH_FRAME, ISEC_MERGE } from "../../../as-kernels/shared/abi.ts";
import { SHT_NOBITS, SHT_PROGBITS } from "../../../as-kernels/shared/elf.ts";

export interface TwinSection {
  name: string;
  kind: number;
  type: number;
  flags: number;
  entsize: number;
  /** log2 */
  align: number;
  live: boolean;
  size: number;
  source: number;
  /** Where its bytes are in the file. */
  offset: number;
  compressed: boolean;
}

export interface TwinOutput {
  name: string;
  type: number;
  flags: number;
  entsize: number;
  align: number;
  members: number[];
}

/** A rule fits a name that is its prefix, or goes on with a dot after it; the first rule that fits counts. */
export function outputName(name: string, rules: [string, string][]): string {
  return rules.find(([prefix]) => name === prefix || name.startsWith(prefix + "."))?.[1] ?? name;
}

/** Output sections in order of first appearance. */
export function bindTwin(sections: TwinSection[], rules: [string, string][]): TwinOutput[] {
  const outputs: TwinOutput[] = [];
  sections.forEach((section, s) => {
    if (!section.live || section.kind === ISEC_CONSUMED) return;
    const name = outputName(section.name, rules);
    const { type, flags, entsize, align } = section;
    const known = outputs.find((output) => output.name === name);
    if (known === undefined) {
      outputs.push({ name, type, flags, entsize, align, members: [s] });
      return;
    }
    // NOBITS takes on the type of what it meets; other mixtures are PROGBITS.
    if (known.type !== type) known.type = known.type === SHT_NOBITS ? type : SHT_PROGBITS;
    if (known.entsize !== entsize) known.entsize = 0;
    known.flags |= flags;
    known.align = Math.max(known.align, align);
    known.members.push(s);
  });
  return outputs;
}

const alignUp = (value: number, log2: number): number => Math.ceil(value / 2 ** log2) * 2 ** log2;

/** Offsets by member (merged parts: of their first member), and the end. `merged`: number, size and alignment of a merge section's part. */
export function layoutTwin(
  members: TwinSection[], start: number, merged: (member: number) => { part: number; size: number; align: number } | null,
): { offsets: (number | null)[]; parts: Map<number, number>; end: number } {
  const parts = new Map<number, number>();
  let end = start;
  const place = (size: number, align: number): number => {
    const at = alignUp(end, align);
    end = at + size;
    return at;
  };
  const offsets = members.map(({ kind, size, align }, i) => {
    if (kind === ISEC_EH_FRAME) return null;
    if (kind !== ISEC_MERGE) return place(size, align);
    const of = merged(i);
    if (of !== null && !parts.has(of.part)) parts.set(of.part, place(of.size, of.align));
    return null;
  });
  return { offsets, parts, end };
}

const isRegular = (section: TwinSection): boolean => section.kind === 0 && section.type !== SHT_NOBITS && section.size > 0;

/** Members from `from` on that one read fetches; `compressed`: a section that has to be inflated by itself, -1 = none. */
export function runTwin(members: TwinSection[], from: number, limit: number): { next: number; first: number; last: number; source: number; compressed: number } {
  const run: TwinSection[] = [];
  let next = from;
  for (; next < members.length; next++) {
    const member = members[next]!;
    if (!isRegular(member)) continue;
    if (member.compressed) {
      if (run.length > 0) break;
      return { next: next + 1, first: 0, last: 0, source: 0, compressed: next };
    }
    if (run.length > 0) {
      const last = run.at(-1)!;
      const gap = member.offset - (last.offset + last.size);
      if (member.source !== last.source || gap < 0 || gap > 16384 || member.offset + member.size - run[0]!.offset > limit) break;
    }
    run.push(member);
  }
  const last = run.at(-1);
  if (last === undefined) return { next, first: 0, last: 0, source: 0, compressed: -1 };
  return { next, first: run[0]!.offset, last: last.offset + last.size, source: last.source, compressed: -1 };
}

/** First member that does not fit into `bytes` bytes of output beside those before it. */
export function cutTwin(members: TwinSection[], offsets: (number | null)[], from: number, bytes: number): number {
  const placed = members.map((_, i) => i).filter((i) => i >= from && offsets[i] !== null);
  return placed.slice(1).find((i) => offsets[i]! + members[i]!.size - offsets[placed[0]!]! > bytes) ?? members.length;
}
