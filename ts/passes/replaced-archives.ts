/**
 * An archive that was replaced since the last link: which of its members are others, so that they are replaced like objects of their own.
 *
 * Members stand at other places of the file then, and what is known of them by its place follows. Refused, and then linked from the beginning: other
 * members or another order of them, a change of one that is not part of the link (what it offers may be wanted now), and thin archives, whose
 * members are files. Where a link may leave archives closed (closed-archives.ts), their indexes must say the same, too.
 */
import { AR_HEADER_BYTES } from "../../as-kernels/shared/elf.ts";
import type { Context, InputFile } from "../context.ts";
import { BadArchive, symbolIndex, walkArchive, type ByteSource } from "../input/archive.ts";
import type { Place, Replacement } from "./patch-objects.ts";

const MAGIC = "!<arch>\n";

interface Stretch {
  offset: number;
  bytes: number;
}

/** The replaced members; null = refused. `open`: no link of these options leaves archives closed. */
export function replacedMembers(ctx: Context, file: Replacement, open: boolean): Replacement[] | null {
  const { inputs } = file;
  const members = membersOf(ctx, file.now, inputs);
  if (members === null || (!open && !sameIndex(ctx, file, inputs, members))) return null;
  const included = new Set(ctx.objects);
  const all: Replacement[] = [];
  for (const [i, input] of inputs.entries()) {
    const { offset, bytes } = members[i]!;
    const [before, now] = [file.before.address + input.offset, file.now.address + offset];
    if (bytes === input.bytes && ctx.kernels.firstDifference(before, now, 0, bytes) === bytes) continue;
    if (!included.has(input.obj)) return null;
    all.push({ source: file.source, inputs, input, before: { address: before, bytes: input.bytes }, now: { address: now, bytes } });
  }
  inputs.forEach((input, i) => moveInput(ctx, input, members[i]!.offset - input.offset));
  return all;
}

function sourceOf({ arena }: Context, { address, bytes }: Place): ByteSource {
  return {
    size: bytes,
    read(target, position) {
      const count = Math.max(0, Math.min(target.length, bytes - position));
      target.set(arena.u8.subarray(address + position, address + position + count));
      return count;
    },
  };
}

/** Where the new archive has the members that `inputs` are, one for one; null = it has others. */
function membersOf(ctx: Context, now: Place, inputs: readonly InputFile[]): Stretch[] | null {
  if (inputs.length === 0 || now.bytes < MAGIC.length || ctx.arena.string(now.address, MAGIC.length) !== MAGIC) return null;
  const members: (Stretch & { name: string })[] = [];
  try {
    walkArchive(sourceOf(ctx, now), false, ({ name, offset, bytes }) => void members.push({ name, offset, bytes }));
  } catch (error) {
    if (error instanceof BadArchive) return null;
    throw error;
  }
  const same = members.length === inputs.length && inputs.every(({ member, offset }, i) => member === members[i]!.name && offset >= AR_HEADER_BYTES && (i === 0 || offset > inputs[i - 1]!.offset));
  return same ? members : null;
}

/** Have both archives the same names of the same members in their indexes, or none? */
function sameIndex(ctx: Context, { before, now }: Replacement, inputs: readonly Stretch[], members: readonly Stretch[]): boolean {
  const [was, is] = [indexOf(ctx, before, inputs), indexOf(ctx, now, members)];
  return was.names === is.names && was.members.length === is.members.length && was.members.every((member, i) => member === is.members[i]);
}

/** The names of an index as they are there, and for each the number of its member; -1 = an offset of nothing. */
function indexOf(ctx: Context, place: Place, members: readonly Stretch[]): { names: string; members: number[] } {
  const index = symbolIndex(sourceOf(ctx, place));
  if (index === null) return { names: "", members: [] };
  const { at, bytes, wordBytes } = index;
  const view = new DataView(ctx.arena.u8.buffer, place.address + at, bytes);
  // Of 64-bit words the lower half: there are not as many bytes.
  const word = (i: number): number => view.getUint32(wordBytes * (i + 1) - 4);
  const count = Math.min(word(0), Math.floor(bytes / wordBytes) - 1);
  const numbers = new Map(members.map(({ offset }, i) => [offset - AR_HEADER_BYTES, i]));
  const names = place.address + at + wordBytes * (1 + count);
  return { names: ctx.arena.string(names, place.address + at + bytes - names), members: Array.from({ length: count }, (_, i) => numbers.get(word(i + 1)) ?? -1) };
}

/** The file has it `delta` bytes further on. */
function moveInput({ kernels, tables: { obj } }: Context, input: InputFile, delta: number): void {
  if (delta === 0) return;
  input.offset += delta;
  obj.offset[input.obj]! += delta;
  kernels.moveContents(obj.isecBase[input.obj]!, obj.isecBase[input.obj]! + obj.isecCount[input.obj]!, delta);
}
