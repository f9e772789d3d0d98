/** Where symbols are once sections have their places: the oracle of resolve-addresses, from the gABI's "Symbol Values" and lld's rules for merged sections. */

/** One piece of a mergeable section and where its bytes, or the equal ones of another piece, went. */
export interface TwinPiece {
  bytes: number;
  /** From the start of the merged part. */
  out: number;
}

export interface TwinPlace {
  live: boolean;
  /** Of the output section; null: not in the output. */
  output: bigint | null;
  /** Of the section, or of the merged part it belongs to, in the output section. */
  offset: number;
  /** Of a mergeable section; null: its bytes stay together. */
  pieces: TwinPiece[] | null;
}

export type TwinDefinition =
  | { is: "absolute"; value: bigint }
  | { is: "in an input section"; section: TwinPlace; value: bigint }
  | { is: "in an output section"; output: bigint; value: bigint }
  | { is: "elsewhere" };

/** The address of a byte of the section: it moves with its piece; one at or past the end moves with the last. */
function inPieces(pieces: TwinPiece[], offset: bigint): bigint {
  let start = 0n;
  let moved = 0n;
  for (const { bytes, out } of pieces) {
    moved = BigInt(out) - start;
    start += BigInt(bytes);
    if (offset < start) break;
  }
  return offset + moved;
}

/** Virtual address, modulo 2^64; what is not in the output has 0. */
export function addressTwin(symbol: TwinDefinition): bigint {
  if (symbol.is === "elsewhere") return 0n;
  if (symbol.is === "absolute") return symbol.value;
  if (symbol.is === "in an output section") return BigInt.asUintN(64, symbol.output + symbol.value);
  const { live, output, offset, pieces } = symbol.section;
  if (!live || output === null) return 0n;
  const inside = pieces === null ? symbol.value : pieces.length === 0 ? 0n : inPieces(pieces, symbol.value);
  return BigInt.asUintN(64, output + BigInt(offset) + inside);
}
