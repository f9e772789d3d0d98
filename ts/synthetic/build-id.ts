/**
 * .note.gnu.build-id: a note that identifies the output, by its contents (usual, fast, xx, md5, sha1, sha256), at random (uuid) or as given.
 *
 * The descriptor is written last, over everything else with the descriptor itself as zeros. Surprising: sha1, sha256 and
 * md5 are digests over the digests of 1 MiB pieces, not over the file, so that pieces can be digested on their own; GNU ld and
 * lld each hash something else again, and no tool recomputes it. A plain --build-id has the length that it has with GNU ld and lld,
 * because rpm refuses IDs under 16 bytes, but is made of the digest of `fast`, which costs nothing.
 */
import { SHF_ALLOC, SHT_NOTE } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { NOTE_HEADER_BYTES, noteBytes, writeNote } from "../elf/note.ts";
import type { OutputFile } from "../host/host.ts";
import type { Phases, WorkerContext } from "../memory/pool.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";

const NT_GNU_BUILD_ID = 3;
const NOTE_NAME = "GNU";
const NOTE_ALIGN = 4;
const DESCRIPTOR_AT = NOTE_HEADER_BYTES + NOTE_NAME.length + 1;
const PIECE_BYTES = 1 << 20;
const UUID_BYTES = 16;
/** A worker window. */
const WINDOW = 0;
const ALGORITHMS = ["md5", "sha1", "sha256"] as const;
const DIGEST_BYTES = { usual: 20, fast: 8, xx: 16, md5: 16, sha1: 20, sha256: 32 } as const;

export class BuildIdSection extends SectionBase implements SyntheticSection {
  readonly name = ".note.gnu.build-id";
  readonly sh_type = SHT_NOTE;
  readonly sh_flags = SHF_ALLOC;
  readonly align = 2;
  discarded = false;

  isNeeded(ctx: Context): boolean {
    return ctx.options.buildId !== "none";
  }

  size(ctx: Context): number {
    return noteBytes(NOTE_NAME, idBytes(ctx), NOTE_ALIGN);
  }

  /** Header and name; the descriptor stays zero until `finish`. */
  write(ctx: Context, out: Uint8Array): void {
    writeNote(out, 0, NOTE_NAME, NT_GNU_BUILD_ID, idBytes(ctx), NOTE_ALIGN);
  }

  /** Once all other bytes of the output are written (`bytes` in total): writes the descriptor. */
  async finish(ctx: Context, output: OutputFile, bytes: number): Promise<void> {
    if (this.isNeeded(ctx)) await this.finishAt(ctx, output, bytes, this.position(ctx));
  }

  /** In an output that has been finished before: as it is until then. */
  clear(ctx: Context, output: OutputFile): void {
    if (this.isNeeded(ctx) && !this.discarded) output.write(new Uint8Array(idBytes(ctx)), this.position(ctx) + DESCRIPTOR_AT);
  }

  /** Bytes from the start of the file. */
  private position(ctx: Context): number {
    const section = ctx.osecs.find((osec) => osec !== undefined && osec.id === this.osec);
    if (section === undefined) throw new Error(".note.gnu.build-id is in no output section");
    return section.sh_offset + Number(this.address - section.sh_addr);
  }

  /** The same for a note at `position` of the file. */
  async finishAt(ctx: Context, output: OutputFile, bytes: number, position: number): Promise<void> {
    output.write(await makeBuildId(ctx, output, bytes), position + DESCRIPTOR_AT);
  }
}

function idBytes(ctx: Context): number {
  const { buildId } = ctx.options;
  if (typeof buildId === "object") return buildId.hex.length;
  if (buildId === "uuid") return UUID_BYTES;
  return buildId === "none" ? 0 : DIGEST_BYTES[buildId];
}

/** The id for an output of `bytes` bytes; `fast`: that went through WorkerContext.write or digestedOutput. */
export async function makeBuildId(ctx: Context, { fd }: Pick<OutputFile, "fd">, bytes: number): Promise<Uint8Array> {
  const { buildId } = ctx.options;
  if (typeof buildId === "object") return buildId.hex;
  if (buildId === "none") return new Uint8Array(0);
  if (buildId === "uuid") return randomUuid(ctx);
  return buildId === "fast" || buildId === "xx" || buildId === "usual" ? digestOfWrites(ctx, DIGEST_BYTES[buildId]) : digestPieces(ctx, fd, bytes, buildId);
}

/** Version 4, variant 1 (RFC 9562). */
function randomUuid(ctx: Context): Uint8Array {
  const id = new Uint8Array(UUID_BYTES);
  ctx.host.random(id);
  id[6] = (id[6]! & 0x0f) | 0x40;
  id[8] = (id[8]! & 0x3f) | 0x80;
  return id;
}

async function digestPieces({ arena, host, pool }: Context, fd: number, bytes: number, kind: (typeof ALGORITHMS)[number]): Promise<Uint8Array> {
  const total = host.digest(kind);
  const pieces = Math.ceil(bytes / PIECE_BYTES);
  const mark = arena.mark();
  const digests = arena.alloc(pieces * DIGEST_BYTES[kind]);
  await pool.run("digest-pieces", pieces, fd, bytes, digests, ALGORITHMS.indexOf(kind));
  const id = total.update(arena.bytes(digests, pieces * DIGEST_BYTES[kind])).digest();
  arena.release(mark);
  return id.slice(0, DIGEST_BYTES[kind]);
}

/** Arguments: descriptor and bytes of the output, where the digests of its pieces go, and which of ALGORITHMS. */
function digestPiecePhase(w: WorkerContext, piece: number): void {
  const [fd, bytes, digests, algorithm] = w.args as [number, number, number, number];
  const kind = ALGORITHMS[algorithm]!;
  const position = piece * PIECE_BYTES;
  const size = Math.min(PIECE_BYTES, bytes - position);
  const address = w.window(WINDOW, size);
  // Short reads must not move the boundaries of pieces.
  for (let have = 0; have < size; ) {
    const got = w.io.read(fd, w.bytes(address + have, size - have), position + have);
    if (got <= 0) throw new Error(`output ends at ${position + have}, ${size - have} bytes too early`);
    have += got;
  }
  w.u8.set(w.io.digest(kind).update(w.bytes(address, size)).digest(), digests + piece * DIGEST_BYTES[kind]);
}

export const DIGEST_PHASES: Phases = { "digest-pieces": digestPiecePhase };

/**
 * The sum of the hashes of all that was written (digest-output): the file need not be read back for it. What is longer than the
 * sum goes on with numbers that follow from it (splitmix64).
 */
function digestOfWrites(ctx: Context, bytes: number): Uint8Array {
  const id = new Uint8Array(Math.ceil(bytes / 8) * 8);
  const view = new DataView(id.buffer);
  let state = ctx.params.get("digest");
  view.setBigUint64(0, state, true);
  for (let at = 8; at < bytes; at += 8) {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let mixed = BigInt.asUintN(64, (state ^ (state >> 30n)) * 0xbf58476d1ce4e5b9n);
    mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn);
    view.setBigUint64(at, mixed ^ (mixed >> 31n), true);
  }
  return id.subarray(0, bytes);
}
