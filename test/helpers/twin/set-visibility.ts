/** Plain TypeScript of as-kernels/passes/set-visibility.ts: the oracle of its tests. Written from lld's rules, not from the kernel. */
import {
  BSYM_ALL, BSYM_FUNCTIONS, BSYM_NON_WEAK, BSYM_NON_WEAK_FUNCTIONS, SYM_COMMON, SYM_DEFINED, SYM_IFUNC, SYM_IN_OSEC, SYM_KIND_MASK, SYM_LAZY, SYM_OBJECT, SYM_SHARED,
  SYM_TLS, SYM_USED_REGULAR, SYM_USED_SHARED,
} from "../../../as-kernels/shared/abi.ts";
import { STB_GNU_UNIQUE, STB_WEAK, STV_DEFAULT, STV_PROTECTED } from "../../../as-kernels/shared/elf.ts";

export interface Globals {
  flags: number;
  bind: number;
  vis: number;
  ver: number;
  listed: boolean;
}

export interface Settings {
  hasDynsym: boolean;
  exportAll: boolean;
  shared: boolean;
  noDynamicLinker: boolean;
  nothingAtRunTime: boolean;
  keepExported: boolean;
  gnuUnique: boolean;
  dynamicListBinds: boolean;
  bsymbolic: number;
}

function isDefined(flags: number): boolean {
  return [SYM_DEFINED, SYM_COMMON, SYM_IN_OSEC].includes(flags & SYM_KIND_MASK);
}

/** Symbol::includeInDynsym of lld. */
export function isExported(symbol: Globals, settings: Settings): boolean {
  const { flags, vis, ver } = symbol;
  if (!settings.hasDynsym) return false;
  if (vis !== STV_DEFAULT && vis !== STV_PROTECTED) return false;
  if (ver === 0 && ![SYM_SHARED, SYM_LAZY].includes(flags & SYM_KIND_MASK)) return false;
  if (isDefined(flags)) return symbol.listed || settings.exportAll || (flags & SYM_USED_SHARED) !== 0;
  if ((flags & SYM_USED_REGULAR) === 0) return false;
  if ((flags & SYM_KIND_MASK) === SYM_SHARED) return true;
  return !settings.nothingAtRunTime && !(settings.noDynamicLinker && symbol.bind === STB_WEAK);
}

/** Kept by garbage collection although there is no .dynsym to be in, or it is not in it. */
export function isKept(symbol: Globals, settings: Settings): boolean {
  const asked = { ...symbol, flags: symbol.flags & ~SYM_USED_SHARED };
  if (settings.hasDynsym && !settings.keepExported) return false;
  return isDefined(symbol.flags) && isExported(asked, { ...settings, hasDynsym: true, exportAll: settings.exportAll || settings.keepExported });
}

/** computeIsPreemptible of lld, but that symbols without a type are functions. */
export function isPreemptible(symbol: Globals, settings: Settings): boolean {
  if (!isExported(symbol, settings) || symbol.vis !== STV_DEFAULT) return false;
  if (!isDefined(symbol.flags)) return true;
  if (!settings.shared) return false;
  const isData = (symbol.flags & SYM_KIND_MASK) === SYM_COMMON || (symbol.flags & (SYM_OBJECT | SYM_TLS)) !== 0;
  const isFunction = !isData && (symbol.flags & SYM_IFUNC) === 0;
  const weak = symbol.bind === STB_WEAK;
  const { bsymbolic } = settings;
  const bound =
    settings.dynamicListBinds ||
    bsymbolic === BSYM_ALL ||
    (bsymbolic === BSYM_NON_WEAK && !weak) ||
    (bsymbolic === BSYM_FUNCTIONS && isFunction) ||
    (bsymbolic === BSYM_NON_WEAK_FUNCTIONS && isFunction && !weak);
  return !bound || symbol.listed || (symbol.bind === STB_GNU_UNIQUE && settings.gnuUnique);
}
