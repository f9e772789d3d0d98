/**
 * -O2: a string that ends like a longer one takes its place inside it.
 *
 * Works on the winners of one msec with their bytes in memory: sorts them by their reversed characters (three-way radix
 * quicksort, longer first), so that every suffix follows a string it can live in, and gives out new places in that order.
 */
import { tables } from "../shared/tables.ts";
import { PIECE_LIVE, PIECE_TAIL, PIECE_WINNER, TAIL_ITEM_BYTES } from "../shared/abi.ts";

/** An item: piece row u32, address of the end of its characters u32, bytes of its characters u32. */
const ITEM_BYTES: u32 = TAIL_ITEM_BYTES;

/** Lists the winners of msec `m`, whose bytes are at `bytes` by their present places, at `list`. Returns their number. */
export function listWinners(m: u32, bytes: u32, list: u32): u32 {
  const msec = tables().msec;
  const member = tables().mmember;
  const isec = tables().isec;
  const piece = tables().piece;
  const width = msec.sh_entsize[m];
  let n: u32 = 0;
  for (let k = msec.memberBase[m], last = k + msec.memberCount[m]; k < last; k++) {
    const i = member.isec[k];
    for (let row = isec.pieceBase[i], end = row + isec.pieceCount[i]; row < end; row++) {
      if (!(piece.live[row] & PIECE_WINNER)) continue;
      const length = piece.inOffset[row + 1] - piece.inOffset[row] - width;
      const item = list + n * ITEM_BYTES;
      store<u32>(item, row);
      store<u32>(item + 4, bytes + piece.out[row] + length);
      store<u32>(item + 8, length);
      n++;
    }
  }
  return n;
}

/** Byte `depth` from the end of the string, or -1 past its beginning, so that longer strings come first. */
// @ts-ignore: decorator
@inline
function byteFromEnd(item: u32, depth: u32): i32 {
  return depth < load<u32>(item + 8) ? <i32>load<u8>(load<u32>(item + 4) - 1 - depth) : -1;
}

// @ts-ignore: decorator
@inline
function swapItems(a: u32, b: u32): void {
  for (let k: u32 = 0; k < ITEM_BYTES; k += 4) {
    const kept = load<u32>(a + k);
    store<u32>(a + k, load<u32>(b + k));
    store<u32>(b + k, kept);
  }
}

/**
 * Sorts `count` items at `list` by reversed characters, descending. The stack of ranges still to do is at `stack`: three
 * u32 each; three per item are always enough because ranges on it are disjoint.
 */
export function sortReversed(list: u32, count: u32, stack: u32): void {
  let top = stack;
  store<u32>(top, list);
  store<u32>(top + 4, list + count * ITEM_BYTES);
  store<u32>(top + 8, 0);
  top += 12;
  while (top > stack) {
    top -= 12;
    const from = load<u32>(top);
    const to = load<u32>(top + 4);
    const depth = load<u32>(top + 8);
    const items = (to - from) / ITEM_BYTES;
    if (items < 2) continue;
    const pivot = byteFromEnd(from + (items >> 1) * ITEM_BYTES, depth);
    let above = from; // [from, above) greater than the pivot
    let at = from;
    let below = to; // [below, to) smaller
    while (at < below) {
      const byte = byteFromEnd(at, depth);
      if (byte > pivot) {
        swapItems(above, at);
        above += ITEM_BYTES;
        at += ITEM_BYTES;
      } else if (byte < pivot) {
        below -= ITEM_BYTES;
        swapItems(at, below);
      } else at += ITEM_BYTES;
    }
    top = push(top, from, above, depth);
    if (pivot >= 0) top = push(top, above, below, depth + 1);
    top = push(top, below, to, depth);
  }
}

// @ts-ignore: decorator
@inline
function push(top: u32, from: u32, to: u32, depth: u32): u32 {
  if (to - from <= ITEM_BYTES) return top;
  store<u32>(top, from);
  store<u32>(top + 4, to);
  store<u32>(top + 8, depth);
  return top + 12;
}

/** Gives the sorted winners their new places: inside the string before where it ends alike, else behind it. */
export function placeTails(m: u32, list: u32, count: u32): u32 {
  const msec = tables().msec;
  const piece = tables().piece;
  const width = msec.sh_entsize[m];
  const align = (<u32>1 << msec.align[m]) - 1;
  let at: u32 = 0; // end of what is placed
  let host: u32 = 0; // item that later ones may live in
  for (let k: u32 = 0; k < count; k++) {
    const item = list + k * ITEM_BYTES;
    const row = load<u32>(item);
    const length = load<u32>(item + 8);
    const inside = host != 0 ? at - length - width : 0;
    if (host != 0 && endsAlike(host, item) && (inside & align) == 0) {
      piece.out[row] = inside;
      piece.live[row] = <u8>(PIECE_LIVE | PIECE_TAIL);
      continue;
    }
    at = (at + align) & ~align;
    piece.out[row] = at;
    at += length + width;
    host = item;
  }
  msec.size[m] = <f64>at;
  return at;
}

/** Is the string of `item` a suffix of the string of `host`? Both in characters of msec width, so byte by byte from the end. */
function endsAlike(host: u32, item: u32): bool {
  const length = load<u32>(item + 8);
  if (length > load<u32>(host + 8)) return false;
  const a = load<u32>(host + 4);
  const b = load<u32>(item + 4);
  for (let d: u32 = 1; d <= length; d++) if (load<u8>(a - d) != load<u8>(b - d)) return false;
  return true;
}
