/**
 * "did you mean": a defined symbol whose name is near one that is not.
 *
 * Tries, in lld's order: every name one edit away (insert, replace, swap, delete), the same letters in another case, and C
 * names against C++ ones (a missing extern "C"). May loop over all globals in TypeScript: it runs for the first two undefined
 * symbols of a failed link only, and compares bytes in memory before it makes a string.
 */
import { SYM_KIND_MASK, SYM_UNDEF } from "../../as-kernels/shared/abi.ts";
import { SHN_UNDEF, STB_LOCAL, STT_FILE, STT_SECTION } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { definedIn, displayName, fileName, rawSymbol, type PlaceContext } from "./place.ts";
import { didYouMean, type Hint } from "./messages.ts";

export type SpellingContext = PlaceContext & Pick<Context, "lookup">;

/** Letters tried in an edit: '0' to 'z'. */
const ALPHABET = Array.from({ length: 0x7a - 0x30 + 1 }, (_, i) => String.fromCharCode(0x30 + i));

/** Longer names are not worth len × 150 lookups. */
const MAX_EDIT_LENGTH = 2000;

/** The `>>> did you mean` lines for an undefined symbol, null when nothing is near. `obj`: an object that refers to it. */
export function spellingHint(ctx: SpellingContext, name: ByteString, obj: number): Hint | null {
  const search = new Search(ctx, name, obj);
  const near = search.oneEditAway() ?? search.otherCase();
  if (near !== null) return didYouMean(": ", displayName(ctx, near.name), "", near.file);
  const unmangled = name.startsWith("_Z") ? search.find(globalFunctionName(name)) : null;
  if (unmangled !== null) return didYouMean(': extern "C" ', displayName(ctx, unmangled.name), "", unmangled.file);
  const mangled = name.startsWith("_Z") ? null : search.mangledForm();
  if (mangled !== null) return didYouMean(" to declare ", displayName(ctx, mangled.name), ' as extern "C"?', mangled.file);
  return null;
}

/** `foo` of `_Z3fooi`: the unqualified name of a function at global scope, "" for anything else. */
export function globalFunctionName(mangled: ByteString): ByteString {
  const match = /^_Z([1-9][0-9]*)/.exec(mangled);
  if (match === null) return "";
  const start = match[0].length;
  const end = start + Number(match[1]);
  return end < mangled.length ? mangled.slice(start, end) : "";
}

interface Near {
  name: ByteString;
  file: ByteString;
}

class Search {
  private readonly ctx: SpellingContext;
  private readonly name: ByteString;
  private readonly obj: number;
  private readonly locals: Set<ByteString>;

  constructor(ctx: SpellingContext, name: ByteString, obj: number) {
    this.ctx = ctx;
    this.name = name;
    this.obj = obj;
    this.locals = localNames(ctx, obj);
  }

  /** A symbol of this very name that the object or the link defines. */
  find(name: ByteString): Near | null {
    if (name === "") return null;
    if (this.locals.has(name)) return { name, file: fileName(this.ctx, this.obj) };
    const sym = this.ctx.lookup(name);
    return sym !== 0 && this.isDefined(sym) ? { name, file: definedIn(this.ctx, sym).text } : null;
  }

  oneEditAway(): Near | null {
    const { name } = this;
    if (name.length > MAX_EDIT_LENGTH) return null;
    for (let i = 0; i <= name.length; i++) {
      const before = name.slice(0, i);
      const found = this.firstOf(before, name.slice(i)) ?? (i < name.length ? this.changedAt(i, before) : null);
      if (found !== null) return found;
    }
    return null;
  }

  /** Replaces, swaps and deletes the character at `i`. */
  private changedAt(i: number, before: ByteString): Near | null {
    const { name } = this;
    const replaced = this.firstOf(before, name.slice(i + 1));
    if (replaced !== null) return replaced;
    const swapped = i + 1 < name.length ? this.find(before + name[i + 1]! + name[i]! + name.slice(i + 2)) : null;
    return swapped ?? this.find(before + name.slice(i + 1));
  }

  private firstOf(before: ByteString, after: ByteString): Near | null {
    for (const letter of ALPHABET) {
      const found = this.find(before + letter + after);
      if (found !== null) return found;
    }
    return null;
  }

  otherCase(): Near | null {
    const wanted = lowerCase(this.name);
    for (const local of this.locals) {
      if (local.length === wanted.length && lowerCase(local) === wanted) return { name: local, file: fileName(this.ctx, this.obj) };
    }
    return this.firstGlobal((name, bytes) => bytes === wanted.length && this.sameLetters(name, wanted));
  }

  private sameLetters(address: number, wanted: ByteString): boolean {
    const { u8 } = this.ctx.arena;
    for (let i = 0; i < wanted.length; i++) {
      const byte = u8[address + i]!;
      if ((byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) !== wanted.charCodeAt(i)) return false;
    }
    return true;
  }

  /** The C++ function that a C name would be: `_Z3foo…`. */
  mangledForm(): Near | null {
    const prefix = `_Z${this.name.length}${this.name}`;
    for (const local of this.locals) {
      if (local.startsWith(prefix) && local.length > prefix.length) return { name: local, file: fileName(this.ctx, this.obj) };
    }
    return this.firstGlobal((name, bytes) => bytes > prefix.length && this.ctx.arena.string(name, prefix.length) === prefix);
  }

  /** First defined global whose name (address, length) passes `test`. */
  private firstGlobal(test: (name: number, bytes: number) => boolean): Near | null {
    const { name, nameBytes } = this.ctx.tables.gsym;
    const globals = this.ctx.params.get("globalSyms");
    for (let sym = 1; sym < globals; sym++) {
      if (!test(name[sym]!, nameBytes[sym]!) || !this.isDefined(sym)) continue;
      return { name: this.ctx.arena.string(name[sym]!, nameBytes[sym]!), file: definedIn(this.ctx, sym).text };
    }
    return null;
  }

  private isDefined(sym: number): boolean {
    return (this.ctx.tables.sym.flags[sym]! & SYM_KIND_MASK) !== SYM_UNDEF;
  }
}

/** Names of the defined local symbols of an object. */
function localNames(ctx: PlaceContext, obj: number): Set<ByteString> {
  const names = new Set<ByteString>();
  const count = obj === 0 ? 0 : Math.min(ctx.tables.obj.firstGlobal[obj]!, ctx.tables.obj.esymCount[obj]!);
  for (let i = 1; i < count; i++) {
    const raw = rawSymbol(ctx, obj, i);
    if (raw === null || raw.bind !== STB_LOCAL || raw.shndx === SHN_UNDEF || raw.name === "") continue;
    if (raw.type !== STT_FILE && raw.type !== STT_SECTION) names.add(raw.name);
  }
  return names;
}

/** ASCII only: names are bytes. */
function lowerCase(name: ByteString): ByteString {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
