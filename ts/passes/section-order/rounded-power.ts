/**
 * Powers that are rounded correctly (but for a case in millions), because gains that should be equal are compared for equality and
 * `**` differs in the last bit between engines and from the C library. Dekker's error-free products; no fused operations.
 */

/** 2^27 + 1: splits a double into halves. */
const SPLITTER = 134217729;

/** What a × b has lost to rounding in `product`. */
function lost(a: number, b: number, product: number): number {
  const aWide = SPLITTER * a;
  const bWide = SPLITTER * b;
  const aHigh = aWide - (aWide - a);
  const bHigh = bWide - (bWide - b);
  const aLow = a - aHigh;
  const bLow = b - bHigh;
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
}

/** x to the power 2^n. */
export function powerOfTwoPower(x: number, n: number): number {
  let high = x;
  let low = 0;
  for (let i = 0; i < n; i++) {
    const square = high * high;
    const rest = lost(high, high, square) + 2 * high * low;
    high = square + rest;
    low = rest - (high - square);
  }
  return high;
}

/** x to the power -1/4, x > 0: one Newton step from the square root of the square root, its residual in twice the precision. */
export function inverseFourthRoot(x: number): number {
  const root = 1 / Math.sqrt(Math.sqrt(x));
  const square = root * root;
  const squareRest = lost(root, root, square);
  const fourth = square * square;
  const fourthRest = lost(square, square, fourth) + 2 * square * squareRest;
  const one = x * fourth;
  const residual = 1 - one - (lost(x, fourth, one) + x * fourthRest);
  return root + (root * residual) / 4;
}
