/** .dynsym: which symbols, in which order, with which entries: the oracle of dynsym, from the gABI, the layout of .gnu.hash and lld's rules. */
import { SYM_EXPORTED, SYM_IFUNC, SYM_IN_OSEC, SYM_DEFINED, SYM_KIND_MASK, SYM_NEEDS_COPY, SYM_NEEDS_CPLT, SYM_REF_LIVE, SYM_SHARED, SYM_TLS, SYM_WEAK } from "../../../as-kernels/shared/abi.ts";
import { SHN_UNDEF, STB_GLOBAL, STB_GNU_UNIQUE, STB_WEAK, STT_COMMON, STT_FUNC, STT_GNU_IFUNC, STT_OBJECT } from "../../../as-kernels/shared/elf.ts";
import { indexes, outputAt, type Global, type Link } from "./emit-symtab.ts";

export interface DynamicEntry {
  info: number;
  other: number;
  shndx: number;
  value: bigint;
  size: bigint;
}

const has = ({ flags }: Global, bits: number): boolean => (flags & bits) !== 0;
const kindOf = ({ flags }: Global): number => flags & SYM_KIND_MASK;
const isDefined = (global: Global): boolean => kindOf(global) === SYM_DEFINED || kindOf(global) === SYM_IN_OSEC;

/** Others find it here: what is defined, and functions of shared objects whose address is a PLT entry of ours. */
const isFoundHere = (global: Global): boolean => isDefined(global) || (kindOf(global) === SYM_SHARED && has(global, SYM_NEEDS_COPY | SYM_NEEDS_CPLT));

/** `needs`: the bits of symbols that have an entry somewhere. */
function isDynamic(global: Global, link: Link, needs: number): boolean {
  if (!has(global, SYM_EXPORTED)) return false;
  if (!link.gcSections) return true;
  return isFoundHere(global) ? !(kindOf(global) === SYM_DEFINED && global.section?.live === false) : has(global, SYM_REF_LIVE | needs);
}

function gnuHash(name: string): number {
  let hash = 5381n;
  for (const char of name) hash = BigInt.asUintN(32, hash * 33n + BigInt(char.charCodeAt(0)));
  return Number(hash);
}

export const stemOf = ({ name }: Global): string => name.replace(/@.*/, "");

/** With a .gnu.hash: references, then what it has, by bucket; some four of them in each. */
export function dynamicSymbols(globals: Global[], link: Link, needs: number, withGnuHash: boolean): Global[] {
  const kept = globals.filter((global) => isDynamic(global, link, needs));
  if (!withGnuHash) return kept;
  const found = kept.filter(isFoundHere);
  const buckets = Math.max(1, Math.floor(found.length / 4));
  const bucket = (global: Global): number => gnuHash(stemOf(global)) % buckets;
  return [...kept.filter((global) => !isFoundHere(global)), ...found.sort((a, b) => bucket(a) - bucket(b))];
}

export function dynamicEntry(global: Global, link: Link): DynamicEntry {
  const plt = has(global, SYM_NEEDS_CPLT);
  const type = global.type === STT_COMMON ? STT_OBJECT : global.type === STT_GNU_IFUNC && plt ? STT_FUNC : global.type;
  const own = global.bind === 0 || (global.bind === STB_GNU_UNIQUE && !link.gnuUnique) ? STB_GLOBAL : global.bind;
  const bind = isDefined(global) ? own : has(global, SYM_WEAK) ? STB_WEAK : STB_GLOBAL;
  const plain = { info: (bind << 4) | type, other: global.vis };
  const { addr: value } = global;
  const size = BigInt(global.size);
  const place = (output: Parameters<typeof indexes>[0]): number => indexes(output).shndx;
  if (!isDefined(global)) {
    if (!isFoundHere(global)) return { ...plain, shndx: SHN_UNDEF, value: 0n, size: 0n };
    // A copy is a definition; of a function only the address is here.
    return has(global, SYM_NEEDS_COPY) ? { ...plain, shndx: place(outputAt(value, link)), value, size } : { ...plain, shndx: SHN_UNDEF, value, size: 0n };
  }
  if (has(global, SYM_IFUNC) && plt) return { ...plain, shndx: place(outputAt(value, link)), value, size: 0n };
  const home = kindOf(global) === SYM_IN_OSEC ? global.output : (global.section?.output ?? null);
  return { ...plain, shndx: place(home), value: BigInt.asUintN(64, has(global, SYM_TLS) && home !== null ? value - link.tlsAddr : value), size };
}
