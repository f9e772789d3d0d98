/**
 * A link that takes up the last one: files were replaced, options are the same.
 *
 * Why the bytes are those of a link from nothing: a link is a function of its options and of what it reads. If all that the passes before
 * relocate read is as it was, so are all tables, and every window of the output whose members are as they were has its bytes already. The same
 * holds where mergeable pieces have other bytes, what they are merged into is as long as it was, and no member refers to a piece of it
 * (passes/patch-pieces.ts). If only sizes, values, places of relocations and pieces in replaced objects differ, the tables before
 * assign-addresses are the old ones but for those numbers, and all passes from there on run again. So they do when symbols come and go that nobody else's decision depends on
 * (passes/patch-symbols.ts): then .symtab is counted anew before. Where sections are others, the tables are made those that a link from the
 * beginning would have after set-visibility (passes/replace-objects.ts), and all passes from there on run again. What is not certainly one of
 * these (passes/patch-objects.ts), fails, or has something to say, is linked from the beginning: `relink` never reports anything.
 */
import type { Context, InputFile, LinkObserver } from "./context.ts";
import { Diagnostics, LinkFailed } from "./diagnostics/print.ts";
import { HandOver } from "./host/hand-over.ts";
import { HostError } from "./host/host.ts";
import { finishBuildId, layOut, shapeImage, writeContents } from "./link.ts";
import { OutOfMemory } from "./memory/arena.ts";
import { ReadFailed } from "./memory/failure.ts";
import { pushTo } from "./memory/lists.ts";
import { digestedOutput } from "./passes/digest-output.ts";
import { outputBytes } from "./passes/finish-output.ts";
import { beginAttempt, compareFile, patchFile, type Place, type Replacement } from "./passes/patch-objects.ts";
import { mergeRecut, patchPieces } from "./passes/patch-pieces.ts";
import { startOrder } from "./passes/patch-symbols.ts";
import { replacedMembers } from "./passes/replaced-archives.ts";
import { isInOrder, replaceObjects } from "./passes/replace-objects.ts";
import { wantsSectionOrder } from "./passes/section-order/section-order.ts";
import { timed } from "./passes/timed.ts";
import { writeFile } from "./passes/write-file.ts";
import { rewriteOutput } from "./passes/write-output.ts";
import { opensAllArchives } from "./resolve-inputs.ts";

/** What an object that is read again takes of the memory that is set aside: its tables so many times, and some bytes. */
const AREA_TIMES = 3;
const AREA_LEAST = 1 << 14;

/** What an attempt may end with that the link from the beginning will end with, too, or not. */
const GIVEN_UP = [LinkFailed, OutOfMemory, ReadFailed, HostError, HandOver];

/** Are the passes of a link that has ended well ones that can be taken up? */
export function canTakeUp(ctx: Context): boolean {
  const { options } = ctx;
  const read = options.gdbIndex || options.debugNames || options.icf !== "none" || options.optimizeBbJumps || options.z.rewriteEndbr || options.zeroToBss || options.compressDebug.kind !== "none" || options.compressSections.length > 0;
  const otherwise = options.relocatable || options.filler >= 0 || options.z.uniqueSymbol || options.z.reportRelative || options.outputOrder.length > 0 || options.emitRelocs || options.gotPltSymbols || options.hexFormat !== "" || options.binary || options.separateDebug !== "" || options.reproduce !== "" || options.wrap.length > 0;
  const more = ctx.checkpoint.resolved === null || ctx.checkpoint.mirrored || ctx.script !== null || ctx.plan !== null || ctx.lto !== null || ctx.bitcode !== null || ctx.params.get("splitStack") === 1 || ctx.params.get("sframes") === 1;
  return !read && !otherwise && !more && !wantsSectionOrder(ctx);
}

/** Sections whose size depends on what it was in earlier rounds of layout. */
const remembersSizes = ({ options }: Context): boolean => options.packRelr || options.packAndroid;

/**
 * `previous`: where the output of the last link still is in memory. False: link from the beginning; the context is of no use any more,
 * which holds, too, when this throws.
 */
export async function relink(ctx: Context, replaced: readonly ReplacedFile[], observer: LinkObserver, previous: Place | null): Promise<boolean> {
  ctx.diag = silent();
  ctx.observer = observer;
  ctx.passes = [];
  ctx.pool.setSources(ctx.sources);
  try {
    ctx.arena.release(ctx.checkpoint.laidOut);
    const dirty = ctx.arena.allocZeroed(ctx.tables.isec.rows + 16);
    const files = replaced.map((file): Replacement => ({ ...file, inputs: inputsOf(ctx, file.source) }));
    let changes = await timed(ctx, "compare-objects", () => compareAll(ctx, files, dirty));
    let remerged: ReadonlySet<number> | null = new Set();
    if (changes.difference === "pieces") {
      const { others } = changes;
      remerged = await timed(ctx, "merge-pieces", () => patchPieces(ctx, others, dirty));
      if (remerged === null) changes = await timed(ctx, "patch-objects", () => patchAll(ctx, others));
    }
    const { difference, recut } = changes;
    if (remerged !== null && (difference === "contents" || difference === "pieces")) await writeAgain(ctx, dirty, remerged, previous);
    else if (difference === "sizes") {
      if (recut.length > 0 && !(await timed(ctx, "merge-pieces", () => mergeRecut(ctx, recut)))) return false;
      await layOutAgain(ctx);
    } else if (difference === "more" || !(await shapeAgain(ctx))) return false;
  } catch (error) {
    if (GIVEN_UP.some((kind) => error instanceof kind)) return false;
    throw error;
  }
  observer.linked?.(ctx);
  return true;
}

/** Whatever is said ends it: the link from the beginning will say it. */
function silent(): Diagnostics {
  const diag = new Diagnostics(() => undefined);
  diag.listener = () => {
    throw new LinkFailed();
  };
  return diag;
}

/** What the caller knows of a file that was replaced. */
export type ReplacedFile = Omit<Replacement, "input" | "inputs">;

/** How far the link goes back, at most. */
interface Changes {
  difference: "contents" | "pieces" | "sizes" | "sections" | "more";
  /** Files that differ in more than contents. */
  others: readonly Replacement[];
  /** Sections with other mergeable pieces whose rows are up to date already. */
  recut: readonly number[];
}

function compareAll(ctx: Context, files: readonly Replacement[], dirty: number): Changes {
  const compared = files.map((file) => compareFile(ctx, file, dirty));
  const others = files.filter((_, i) => compared[i] !== "contents");
  if (compared.includes("more")) return patchAll(ctx, others);
  return { difference: others.length > 0 ? "pieces" : "contents", others, recut: [] };
}

/** Brings the tables up to date for files that differ in more than contents. */
function patchAll(ctx: Context, others: readonly Replacement[]): Changes {
  const { arena, checkpoint } = ctx;
  const { area } = checkpoint.resolved!;
  const objects = objectsOf(ctx, others);
  const refused: Changes = { difference: "more", others, recut: [] };
  if (objects === null) return refused;
  const tables = ({ address, bytes }: Place): number => ctx.kernels.tableBytes(address, bytes);
  const bytes = objects.reduce((sum, { before, now }) => sum + AREA_TIMES * (tables(before) + tables(now)) + AREA_LEAST, 4 * ctx.params.get("globalSyms"));
  if (bytes > area.end - area.at) return refused;
  arena.release(checkpoint.created);
  const attempts = arena.inside(area, () => {
    startOrder(ctx);
    return objects.map((file) => beginAttempt(ctx, file));
  });
  if (!attempts.every((attempt) => attempt !== null)) return refused;
  if (!remembersSizes(ctx) && arena.inside(area, () => attempts.every((attempt) => patchFile(ctx, attempt)))) {
    for (const { o } of attempts) checkpoint.resolved!.marks?.touched.add(o);
    return { difference: "sizes", others, recut: attempts.flatMap(({ recut }) => recut) };
  }
  return { ...refused, difference: replaceObjects(ctx, attempts) ? "sections" : "more" };
}

/** What is read of a file: the same for as long as links are taken up. There are thousands of inputs in all. */
function inputsOf({ checkpoint, inputs }: Context, source: number): readonly InputFile[] {
  if (checkpoint.inputs === null) {
    checkpoint.inputs = new Map();
    for (const input of inputs) {
      pushTo(checkpoint.inputs, input.source, input);
    }
  }
  return checkpoint.inputs.get(source) ?? [];
}

/** Objects and members of archives that are others; null = not only these are. */
function objectsOf(ctx: Context, files: readonly Replacement[]): Replacement[] | null {
  const open = opensAllArchives(ctx.options);
  const all: Replacement[] = [];
  for (const file of files) {
    const isArchive = file.inputs.some(({ offset }) => offset > 0);
    const objects = isArchive ? replacedMembers(ctx, file, open) : [file];
    if (objects === null) return null;
    for (const object of objects) all.push(object);
  }
  return all;
}

/** Everything from resolved symbols on; false = the order of names is none that a link from the beginning would have. */
async function shapeAgain(ctx: Context): Promise<boolean> {
  await shapeImage(ctx);
  if (!isInOrder(ctx)) return false;
  ctx.checkpoint.room.moved = false;
  await layOut(ctx);
  await writeFile(ctx, outputBytes(ctx), (output) => writeContents(ctx, output));
  return true;
}

async function layOutAgain(ctx: Context): Promise<void> {
  ctx.synthetics.ehFrame?.layout(ctx);
  // What the object needs may be other now, though nothing comes of it.
  ctx.checkpoint.resolved!.needs.valid = false;
  if (ctx.checkpoint.room.moved) await ctx.symtab.count(ctx);
  ctx.checkpoint.room.moved = false;
  await layOut(ctx);
  await writeFile(ctx, outputBytes(ctx), (output) => writeContents(ctx, output));
}

/** Only the windows that hold a section of `dirty` (u8 per isec), and the msecs `remerged`, if all else is still there. */
async function writeAgain(ctx: Context, dirty: number, remerged: ReadonlySet<number>, previous: Place | null): Promise<void> {
  ctx.observer?.laidOut?.(ctx);
  const bytes = outputBytes(ctx);
  if (previous?.bytes !== bytes) return writeFile(ctx, bytes, (output) => writeContents(ctx, output), { keep: true });
  await writeFile(ctx, bytes, async (file) => {
    const { params, checkpoint: { digest } } = ctx;
    const output = digestedOutput(ctx, file);
    params.set("digest", digest);
    await timed(ctx, "relocate", () => rewriteOutput(ctx, output.fd, dirty, remerged, previous.address));
    await timed(ctx, "finish-output", () => {
      ctx.synthetics.buildId?.clear(ctx, file);
      return finishBuildId(ctx, output);
    });
  }, { keep: true, again: true });
}
