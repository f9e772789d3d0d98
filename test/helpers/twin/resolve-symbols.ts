/**
 * Symbol resolution of lld 19 in plain TypeScript, with objects and recursion: the oracle of resolve-symbols.
 *
 * Written from lld's rules (the resolve functions of its Symbol class, parse and parseLazy of its files, postParse), not from the kernel.
 */
import { STB_GLOBAL, STB_WEAK, STT_FUNC, STT_GNU_IFUNC, STV_DEFAULT } from "../../../as-kernels/shared/elf.ts";

export interface TwinEntry {
  name: string;
  /** undef: reference; def: in a section; abs: absolute; common. */
  is: "undef" | "def" | "abs" | "common";
  bind: number;
  vis: number;
  type: number;
  value: bigint;
  size: number;
  /** Index into groups of the file; -1 = not in one. */
  group: number;
  /** The linker's own mention, which neither defines nor refers. */
  mention?: boolean;
  /** Shared objects: second name of a definition (foo@V beside foo). */
  alias?: string;
}

export interface TwinFile {
  kind: "object" | "lazy" | "shared";
  entries: TwinEntry[];
  /** comdat: the first included copy wins; otherwise always kept. */
  groups: { signature: string; comdat: boolean }[];
}

export interface TwinSymbol {
  kind: "placeholder" | "undefined" | "lazy" | "defined" | "common" | "shared";
  /** File index; -1 = none. */
  file: number;
  entry: number;
  bind: number;
  vis: number;
  type: number;
  size: number;
  /** log2, of commons. */
  align: number;
  usedRegular: boolean;
  exportDynamic: boolean;
  /** Some included object refers to it. */
  referenced: boolean;
  strongRef: boolean;
  /** First included object that refers to it; -1 = none. */
  firstRef: number;
}

export interface TwinLink {
  symbols: Map<string, TwinSymbol>;
  /** File indexes in inclusion order. */
  included: number[];
  /** Group copies that are kept, as "file/group". */
  kept: Set<string>;
  /** Later strong definitions, as "file/entry", sorted. */
  duplicates: string[];
}

class Link {
  symbols = new Map<string, TwinSymbol>();
  included: number[] = [];
  kept = new Set<string>();
  private signatures = new Set<string>();
  private waiting: Set<number>;
  readonly files: TwinFile[];

  constructor(files: TwinFile[]) {
    this.files = files;
    this.waiting = new Set(files.flatMap((file, f) => (file.kind === "lazy" ? [f] : [])));
  }

  symbol(name: string): TwinSymbol {
    let symbol = this.symbols.get(name);
    if (symbol === undefined) {
      symbol = {
        kind: "placeholder", file: -1, entry: -1, bind: 0, vis: STV_DEFAULT, type: 0, size: 0, align: 0, usedRegular: false, exportDynamic: false,
        referenced: false, strongRef: false, firstRef: -1,
      };
      this.symbols.set(name, symbol);
    }
    return symbol;
  }

  extract(f: number): void {
    if (this.waiting.delete(f)) this.parse(f);
  }

  isDiscarded(f: number, entry: TwinEntry): boolean {
    return entry.is === "def" && entry.group >= 0 && !this.kept.has(`${f}/${entry.group}`);
  }

  /** An object that is part of the link: groups, definitions, then references, each of which may extract. */
  parse(f: number): void {
    const file = this.files[f]!;
    this.included.push(f);
    file.groups.forEach(({ signature, comdat }, g) => {
      if (comdat && this.signatures.has(signature)) return;
      if (comdat) this.signatures.add(signature);
      this.kept.add(`${f}/${g}`);
    });
    const real = file.entries.map((entry, e) => ({ entry, e })).filter(({ entry }) => entry.mention !== true);
    for (const { entry, e } of real) {
      if (entry.is === "undef") continue;
      const symbol = this.symbol(entry.name);
      symbol.usedRegular = true;
      mergeVisibility(symbol, entry.vis);
      if (entry.is === "common") resolveCommon(symbol, entry, f, e);
      else resolveDefined(symbol, entry, f, e);
    }
    for (const { entry } of real) if (entry.is === "undef") this.refer(this.symbol(entry.name), entry, f);
  }

  refer(symbol: TwinSymbol, entry: TwinEntry, f: number): void {
    this.resolveUndefined(symbol, entry, f, false);
    symbol.usedRegular = true;
    symbol.referenced = true;
  }

  resolveUndefined(symbol: TwinSymbol, entry: TwinEntry, f: number, fromShared: boolean): void {
    const weak = entry.bind === STB_WEAK;
    if (!fromShared) {
      if (!weak) symbol.strongRef = true;
      if (symbol.firstRef < 0) symbol.firstRef = f;
    }
    mergeVisibility(symbol, entry.vis);
    if (symbol.kind === "placeholder" || (symbol.kind === "shared" && entry.vis !== STV_DEFAULT)) {
      // "An undefined symbol with non default visibility must be satisfied in the same DSO."
      const stays = symbol.kind === "shared" && symbol.strongRef;
      symbol.kind = "undefined";
      symbol.bind = stays ? STB_GLOBAL : entry.bind;
      symbol.file = -1;
      symbol.entry = -1;
      return;
    }
    if (symbol.kind === "lazy") {
      if (weak && !symbol.strongRef) symbol.bind = STB_WEAK;
      if (weak) return;
      this.extract(symbol.file);
      return;
    }
    if (fromShared) return;
    if (symbol.kind === "undefined" || symbol.kind === "shared") if (!weak || !symbol.referenced) symbol.bind = entry.bind;
  }

  /** parseLazy: definitions are offered until one of them extracts the file. */
  parseLazy(f: number): void {
    for (const entry of this.files[f]!.entries) {
      if (entry.is === "undef" || entry.mention === true) continue;
      const symbol = this.symbol(entry.name);
      if (symbol.kind === "placeholder" && !symbol.usedRegular) {
        symbol.kind = "lazy";
        symbol.file = f;
        symbol.bind = STB_GLOBAL;
      } else if (symbol.kind === "undefined" || symbol.kind === "placeholder") {
        if (symbol.bind !== STB_WEAK) {
          this.extract(f);
          return;
        }
        symbol.kind = "lazy";
        symbol.file = f;
      }
    }
  }

  parseShared(f: number): void {
    this.files[f]!.entries.forEach((entry, e) => {
      if (entry.is === "undef") {
        const symbol = this.symbol(entry.name);
        this.resolveUndefined(symbol, entry, f, true);
        symbol.exportDynamic = true;
        return;
      }
      for (const name of [entry.name, ...(entry.alias === undefined ? [] : [entry.alias])]) this.resolveShared(this.symbol(name), entry, f, e);
    });
  }

  resolveShared(symbol: TwinSymbol, entry: TwinEntry, f: number, e: number): void {
    symbol.exportDynamic = true;
    if (symbol.kind === "common") {
      symbol.size = Math.max(symbol.size, entry.size);
      return;
    }
    const fits = symbol.kind === "placeholder" || symbol.kind === "undefined" || symbol.kind === "lazy";
    if (!fits || symbol.vis !== STV_DEFAULT) return;
    const bind = symbol.kind === "placeholder" ? entry.bind : symbol.bind;
    // Which function an indirect one is, is the other object's own affair.
    const type = entry.type === STT_GNU_IFUNC ? STT_FUNC : entry.type;
    Object.assign(symbol, { kind: "shared", file: f, entry: e, bind, type, size: entry.size });
  }

  /** An option names it: a reference that counts, and extracts what is there by now. */
  demand(name: string): void {
    const symbol = this.symbol(name);
    symbol.usedRegular = true;
    if (symbol.kind === "lazy") this.extract(symbol.file);
    else if ((symbol.kind === "undefined" || symbol.kind === "placeholder") && symbol.bind !== STB_WEAK) {
      symbol.strongRef = true;
      symbol.referenced = true;
      symbol.kind = "undefined";
      symbol.bind = STB_GLOBAL;
    }
  }

  /** postParse: definitions that are not the one that counts, both strong; absolute ones of equal value are one. */
  duplicates(): string[] {
    const found: string[] = [];
    for (const f of this.included) {
      this.files[f]!.entries.forEach((entry, e) => {
        if ((entry.is !== "def" && entry.is !== "abs") || entry.mention === true || this.isDiscarded(f, entry)) return;
        const symbol = this.symbols.get(entry.name)!;
        if (symbol.kind !== "defined" || (symbol.file === f && symbol.entry === e)) return;
        if (symbol.file === f) return; // `.symver x, x@@V`
        if (symbol.bind === STB_WEAK || entry.bind === STB_WEAK) return;
        const first = this.files[symbol.file]!.entries[symbol.entry]!;
        if (this.isDiscarded(symbol.file, first)) return;
        if (first.is === "abs" && entry.is === "abs" && first.value !== 0n && first.value === entry.value) return;
        found.push(`${f}/${e}`);
      });
    }
    return found.sort();
  }

  /** Definitions in COMDAT copies that lost become undefined symbols. Returns those that contradict others. */
  settle(): string[] {
    const duplicates = this.duplicates();
    for (const symbol of this.symbols.values()) {
      if (symbol.kind !== "defined" || !this.isDiscarded(symbol.file, this.files[symbol.file]!.entries[symbol.entry]!)) continue;
      symbol.kind = "undefined";
    }
    return duplicates;
  }
}

/** The most constraining visibility (gABI ch. 4 Symbol Visibility). */
function mergeVisibility(symbol: TwinSymbol, vis: number): void {
  if (vis !== STV_DEFAULT) symbol.vis = symbol.vis === STV_DEFAULT ? vis : Math.min(symbol.vis, vis);
}

function replace(symbol: TwinSymbol, kind: "defined" | "common", { bind, type, size }: TwinEntry, f: number, e: number): void {
  Object.assign(symbol, { kind, file: f, entry: e, bind, type, size });
}

function resolveDefined(symbol: TwinSymbol, entry: TwinEntry, f: number, e: number): void {
  const replaces =
    symbol.kind === "common" ? entry.bind !== STB_WEAK : symbol.kind !== "defined" || (symbol.bind !== STB_GLOBAL && entry.bind === STB_GLOBAL);
  if (replaces) replace(symbol, "defined", entry, f, e);
}

function resolveCommon(symbol: TwinSymbol, entry: TwinEntry, f: number, e: number): void {
  if (symbol.kind === "defined" && symbol.bind !== STB_WEAK) return;
  let align = 0;
  while (1n << BigInt(align) < entry.value) align++;
  if (symbol.kind === "common") {
    symbol.align = Math.max(symbol.align, align);
    if (entry.size > symbol.size) Object.assign(symbol, { file: f, entry: e, size: entry.size });
    return;
  }
  const ofShared = symbol.kind === "shared" ? symbol.size : 0;
  replace(symbol, "common", entry, f, e);
  symbol.size = Math.max(symbol.size, ofShared);
  symbol.align = align;
}

export function resolveTwin(files: TwinFile[], demands: string[]): TwinLink {
  const link = new Link(files);
  files.forEach((file, f) => {
    if (file.kind === "shared") link.parseShared(f);
    else if (file.kind === "lazy") link.parseLazy(f);
    else link.parse(f);
  });
  for (const name of demands) link.demand(name);
  return { symbols: link.symbols, included: link.included, kept: link.kept, duplicates: link.settle() };
}
