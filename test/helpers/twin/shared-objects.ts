/** Which shared objects a link needs, and what they miss: the oracle of the kernels that decide on DT_NEEDED and report-undefined, from lld's rules. */
import {
  SYM_COMMON, SYM_DEFINED, SYM_FORCED_LOCAL, SYM_KIND_MASK, SYM_LAZY, SYM_REF_STRONG, SYM_SHARED, SYM_UNDEF, SYM_USED_REGULAR, SYM_WEAK,
} from "../../../as-kernels/shared/abi.ts";
import { STB_WEAK, STV_HIDDEN, STV_INTERNAL } from "../../../as-kernels/shared/elf.ts";

export interface SharedGlobal {
  flags: number;
  vis: number;
  /** The shared object that defines it, -1 = none. */
  owner: number;
}

/** A section with what its relocations refer to. */
export interface Referrer {
  live: boolean;
  loaded: boolean;
  globals: SharedGlobal[];
}

const kindOf = ({ flags }: SharedGlobal): number => flags & SYM_KIND_MASK;

/** `asked`: needed whatever happens (--no-as-needed). A weak reference, or with --gc-sections one of dead code, is not enough. */
export function neededObjects(asked: boolean[], globals: SharedGlobal[], referrers: Referrer[], gc: boolean): boolean[] {
  const counts = gc ? referrers.filter(({ live, loaded }) => live && loaded).flatMap((referrer) => referrer.globals) : globals;
  const strong = counts.filter((global) => kindOf(global) === SYM_SHARED && (global.flags & SYM_REF_STRONG) !== 0 && (global.flags & SYM_USED_REGULAR) !== 0);
  return asked.map((is, o) => is || strong.some(({ owner }) => owner === o));
}

/** What an object that is not needed defines is undefined, and nobody minds. */
export const demoted = (global: SharedGlobal, needed: boolean[]): SharedGlobal =>
  kindOf(global) !== SYM_SHARED || needed[global.owner] ? global : { ...global, flags: (global.flags & ~SYM_KIND_MASK) | SYM_UNDEF | SYM_WEAK, owner: -1 };

/** Is one of these references of a shared object an undefined, strong one to what object `o` defines? */
export const refersTo = (references: { bind: number; defined: boolean; global: SharedGlobal }[], o: number): boolean =>
  references.some(({ bind, defined, global }) => !defined && bind !== STB_WEAK && kindOf(global) === SYM_SHARED && global.owner === o);

/** Does a reference of a shared object find nothing at run time: neither in the output nor in another object? */
export function isMissing(global: SharedGlobal, reference: { bind: number; defined: boolean }): boolean {
  if (reference.defined || reference.bind === STB_WEAK) return false;
  const kind = kindOf(global);
  if (kind === SYM_UNDEF || kind === SYM_LAZY) return (global.flags & SYM_WEAK) === 0;
  const hidden = global.vis === STV_HIDDEN || global.vis === STV_INTERNAL || (global.flags & SYM_FORCED_LOCAL) !== 0;
  return (kind === SYM_DEFINED || kind === SYM_COMMON) && hidden;
}
