/**
 * --print-icf-sections: which sections are folded into which, in lld's words and order. Before they are folded.
 *
 * lld lists its classes by a hash of contents and references; it is computed here, for this list alone, so that two listings can be
 * compared. The classes themselves do not depend on it. Loops over relocations in TypeScript for the same reason.
 */
import { FOLD_CANDIDATE, FOLD_UNIQUE, ISEC_REGULAR, SYM_DEFINED, SYM_KIND_MASK } from "../../as-kernels/shared/abi.ts";
import { RELA_BYTES } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { sectionPath } from "../diagnostics/place.ts";
import { pushTo } from "../memory/lists.ts";
import { putXxh3Secret } from "../memory/xxh3-secret.ts";

/** Marks hashes, as opposed to the numbers of sections that are not folded. */
const HASHED = 0x8000_0000;
/** How often lld adds up the hashes of what is referred to. */
const ROUNDS = 2;

/** `active`: `count` isec rows that share a class with others, ascending. */
export function foldedSections(ctx: Context, active: number, count: number): ByteString[] {
  const classes = new Map<number, number[]>();
  for (const row of ctx.arena.u32.subarray(active >>> 2, (active >>> 2) + count)) {
    const leader = ctx.tables.fold.cls[row]!;
    pushTo(classes, leader, row);
  }
  const keys = orderKeys(ctx);
  const leaders = [...classes.keys()].sort((a, b) => keys[a]! - keys[b]! || a - b);
  return leaders.flatMap((leader) => {
    const [first, ...others] = classes.get(leader)!.map((row) => sectionPath(ctx, row));
    return [`selected section ${first}`, ...others.map((place) => `  removing identical section ${place}`)];
  });
}

/** By isec row. */
function orderKeys(ctx: Context): Uint32Array {
  const { isec, fold } = ctx.tables;
  const { arena, kernels } = ctx;
  const w = ctx.pool.self;
  const mark = arena.mark();
  const secret = putXxh3Secret(arena);
  const out = arena.alloc(16);
  let keys = new Uint32Array(isec.rows);
  numberOthers(ctx, keys);
  for (let row = 1; row < isec.rows; row++) {
    if ((fold.state[row]! & FOLD_CANDIDATE) === 0) continue;
    const bytes = isec.size[row]!;
    const contents = w.window(0, bytes + 16);
    if (bytes > 0) w.contents(row, contents);
    kernels.hashXxh3(contents, bytes, secret, out);
    keys[row] = arena.u32[out >>> 2]! | HASHED;
  }
  arena.release(mark);
  for (let round = 0; round < ROUNDS; round++) {
    const next = keys.slice();
    for (let row = 1; row < isec.rows; row++) if ((fold.state[row]! & FOLD_CANDIDATE) !== 0) next[row] = (keys[row]! + sumOfTargets(ctx, row, keys)) | HASHED;
    keys = next;
  }
  return keys;
}

/** Sections that are not folded have numbers: first those with their own unwind data, then the others. */
function numberOthers(ctx: Context, keys: Uint32Array): void {
  const { isec, ehrec, fold } = ctx.tables;
  let next = 0;
  for (let rec = 1; rec < ehrec.rows; rec++) {
    const row = ehrec.func[rec]!;
    if (ehrec.cie[rec] !== 0 && row !== 0 && ehrec.relaCount[rec]! > 1 && (fold.state[row]! & FOLD_UNIQUE) !== 0 && keys[row] === 0) keys[row] = ++next;
  }
  for (let row = 1; row < isec.rows; row++) {
    if ((fold.state[row]! & FOLD_CANDIDATE) === 0 && isec.live[row] !== 0 && isec.kind[row] === ISEC_REGULAR && keys[row] === 0) keys[row] = ++next;
  }
}

function sumOfTargets(ctx: Context, row: number, keys: Uint32Array): number {
  const { isec, obj, esym, sym } = ctx.tables;
  const { u32 } = ctx.arena;
  const rela = isec.rela[row]!;
  const o = isec.obj[row]!;
  let sum = 0;
  for (let i = 0; i < isec.relaCount[row]! && rela !== 0; i++) {
    const index = u32[(rela + i * RELA_BYTES + 12) >>> 2]!;
    const id = index !== 0 && index < obj.esymCount[o]! ? esym.sym[obj.esymBase[o]! + index]! : 0;
    if (id === 0 || (sym.flags[id]! & SYM_KIND_MASK) !== SYM_DEFINED) continue;
    if (isec.kind[sym.isec[id]!] === ISEC_REGULAR) sum = (sum + keys[sym.isec[id]!]!) >>> 0;
  }
  return sum;
}
