/**
 * --got-plt-syms: local symbols for the entries that the linker made, so that disassemblers, debuggers and profilers have a name for them.
 *
 * The name says for whom an entry is, and by its suffix what is in it. Entries that belong to no symbol have none. Names are wild's, which has
 * no .got.plt: a word there is called as one of .got, but for symbols that have both.
 */
import { STB_LOCAL, STT_FUNC, STT_OBJECT, SHN_LORESERVE, SHN_XINDEX, SYM_BYTES } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { symbolBytes } from "../diagnostics/place.ts";
import { WORD_BYTES } from "./got.ts";
import { pltStyle } from "./plt.ts";
import type { SyntheticSection } from "./section.ts";

interface EntrySymbol {
  name: string;
  section: SyntheticSection;
  /** Bytes from the start of the section. */
  offset: number;
  size: number;
  type: number;
}

const GOT = "$got";
const GOT_PLT = "$gotplt";

/** One column of `aux` (where 0 = none, else a number from 1 on): the section, what is before the first entry, bytes of an entry and of a unit. */
interface Column {
  entries: Uint32Array;
  suffix: string;
  section: SyntheticSection | null;
  before: number;
  unit: number;
  size: number;
  type: number;
}

function columnsOf(ctx: Context): Column[] {
  const { params, synthetics: { got, gotPlt, iplt, plt, pltGot, pltSec }, tables: { aux } } = ctx;
  const style = pltStyle(ctx);
  const header = params.get("gotPltHeader");
  const word = (entries: Uint32Array, suffix: string, words = 1): Column => ({ entries, suffix, section: got, before: 0, unit: WORD_BYTES, size: words * WORD_BYTES, type: STT_OBJECT });
  const lazyWord = (entries: Uint32Array, before: number): Column => ({ entries, suffix: GOT_PLT, section: gotPlt, before: before * WORD_BYTES, unit: WORD_BYTES, size: WORD_BYTES, type: STT_OBJECT });
  const code = (entries: Uint32Array, section: SyntheticSection | null, unit: number, before = 0): Column => ({ entries, suffix: "$plt", section, before, unit, size: unit, type: STT_FUNC });
  return [
    word(aux.got, GOT),
    word(aux.gotTp, "$gottp"),
    word(aux.tlsGd, "$tlsgd", 2),
    word(aux.tlsDesc, "$tlsdesc", 2),
    lazyWord(aux.plt, header),
    lazyWord(aux.iplt, header + params.get("pltCount")),
    style.second === null ? code(aux.plt, plt, style.entry.bytes.length, style.header.bytes.length) : code(aux.plt, pltSec, style.entry.bytes.length),
    code(aux.pltGot, pltGot, style.got.bytes.length),
    code(aux.iplt, iplt, style.iplt.bytes.length),
  ];
}

/** After create-synthetic: the symbols, in the order of what they are for. */
export function entrySymbols(ctx: Context): EntrySymbol[] {
  const { params, tables: { aux } } = ctx;
  const columns = columnsOf(ctx);
  const found: EntrySymbol[] = [];
  for (let row = 1; row <= params.get("auxRows"); row++) {
    const stem = symbolBytes(ctx, aux.sym[row]!).replace(/@.*/, "");
    if (stem === "") continue;
    for (const { entries, suffix, section, before, unit, size, type } of columns) {
      if (entries[row] !== 0 && section !== null) found.push({ name: stem + (suffix === GOT_PLT && aux.got[row] === 0 ? GOT : suffix), section, offset: before + (entries[row]! - 1) * unit, size, type });
    }
  }
  return found;
}

/** Bytes of their names in a string table. */
export function nameBytes(symbols: readonly EntrySymbol[]): number {
  return symbols.reduce((sum, { name }) => sum + name.length + 1, 0);
}

/** Writes their entries at address `at`, words of .symtab_shndx at `words` (0 = there are none) and names at `text`, which is byte `first` of the string table. */
export function putEntrySymbols(ctx: Context, symbols: readonly EntrySymbol[], at: number, words: number, text: number, first: number): void {
  const { arena, tables } = ctx;
  const view = new DataView(arena.memory.buffer);
  let name = 0;
  symbols.forEach((symbol, i) => {
    const entry = at + i * SYM_BYTES;
    const index = tables.osec.index[symbol.section.osec]!;
    view.setUint32(entry, first + name, true);
    view.setUint8(entry + 4, (STB_LOCAL << 4) | symbol.type);
    view.setUint8(entry + 5, 0);
    view.setUint16(entry + 6, index >= SHN_LORESERVE ? SHN_XINDEX : index, true);
    view.setBigUint64(entry + 8, symbol.section.address + BigInt(symbol.offset), true);
    view.setBigUint64(entry + 16, BigInt(symbol.size), true);
    if (words !== 0) view.setUint32(words + 4 * i, index >= SHN_LORESERVE ? index : 0, true);
    for (let k = 0; k < symbol.name.length; k++) arena.u8[text + name + k] = symbol.name.charCodeAt(k);
    name += symbol.name.length + 1;
    arena.u8[text + name - 1] = 0;
  });
}
