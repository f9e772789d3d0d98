/**
 * Where the parts of a treemap go: squarified (Bruls, Huizing, van Wijk: "Squarified Treemaps", 2000).
 *
 * Geometry only. The surprise: parts keep their order within a row, but rows are filled with the largest first, as everywhere.
 */

export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Rectangles for `sizes`, in their order; areas in proportion, together `frame`. */
export function squarify(sizes: readonly number[], frame: Rectangle): Rectangle[] {
  const order = sizes.map((_, i) => i).filter((i) => sizes[i]! > 0).sort((a, b) => sizes[b]! - sizes[a]! || a - b);
  const total = order.reduce((sum, i) => sum + sizes[i]!, 0);
  const scale = total === 0 ? 0 : (frame.width * frame.height) / total;
  const result: Rectangle[] = sizes.map(() => ({ x: frame.x, y: frame.y, width: 0, height: 0 }));
  let free = { ...frame };
  for (let from = 0; from < order.length; ) {
    const side = Math.min(free.width, free.height);
    let to = from + 1;
    let area = sizes[order[from]!]! * scale;
    let worst = ratio(area, area, area, side);
    for (; to < order.length; to++) {
      const next = sizes[order[to]!]! * scale;
      const better = ratio(area + next, sizes[order[from]!]! * scale, next, side);
      if (better > worst) break;
      worst = better;
      area += next;
    }
    free = placeRow(order.slice(from, to), sizes, scale, area, free, result);
    from = to;
  }
  return result;
}

/** The worst ratio of sides in a row of this area, whose largest and smallest parts are given. */
function ratio(area: number, largest: number, smallest: number, side: number): number {
  const square = side * side;
  return Math.max((square * largest) / (area * area), (area * area) / (square * smallest));
}

/** Lays a row along the shorter side; what is left of the frame. */
function placeRow(row: readonly number[], sizes: readonly number[], scale: number, area: number, free: Rectangle, result: Rectangle[]): Rectangle {
  const vertical = free.width >= free.height;
  const depth = area === 0 ? 0 : area / (vertical ? free.height : free.width);
  let at = vertical ? free.y : free.x;
  for (const i of row) {
    const length = depth === 0 ? 0 : (sizes[i]! * scale) / depth;
    result[i] = vertical ? { x: free.x, y: at, width: depth, height: length } : { x: at, y: free.y, width: length, height: depth };
    at += length;
  }
  return vertical
    ? { x: free.x + depth, y: free.y, width: Math.max(0, free.width - depth), height: free.height }
    : { x: free.x, y: free.y + depth, width: free.width, height: Math.max(0, free.height - depth) };
}

/** Along one side, in order: what a strip needs. */
export function slices(sizes: readonly number[], width: number): { at: number; width: number }[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let at = 0;
  return sizes.map((size) => {
    const own = total === 0 ? 0 : (size / total) * width;
    at += own;
    return { at: at - own, width: own };
  });
}
