/**
 * --default-imported-symver: what a shared object without versions of its own defines has its soname as version, as with GNU ld.
 */
import { SYM_BYTES, VER_NDX_GLOBAL } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Arena } from "../memory/arena.ts";
import type { SharedObject } from "./shared-object.ts";

/** Adds that version to an object that defines none. */
export function versionBySoname(arena: Arena, object: SharedObject, soname: ByteString): void {
  const { symtab, esymCount } = object;
  if (symtab === 0 || soname === "") return;
  // Behind the versions that it needs of others.
  const version = Math.max(VER_NDX_GLOBAL + 1, object.verCount);
  const [text, versym, names] = [arena.put(soname), arena.alloc(2 * esymCount), arena.alloc(8 * (version + 1)) >>> 2];
  const { u16, u32 } = arena;
  const own = (i: number): number => (object.versym === 0 ? VER_NDX_GLOBAL : u16[(object.versym >>> 1) + i]!);
  const isUndefined = (i: number): boolean => u16[(symtab + i * SYM_BYTES + 6) >>> 1] === 0;
  for (let i = 1; i < esymCount; i++) if (!isUndefined(i) && own(i) > VER_NDX_GLOBAL) return;
  for (let i = 0; i < esymCount; i++) u16[(versym >>> 1) + i] = own(i) === VER_NDX_GLOBAL && !isUndefined(i) ? version : own(i);
  for (let i = 0; i < 2 * version; i++) u32[names + i] = i < 2 * object.verCount ? u32[(object.verNames >>> 2) + i]! : 0;
  u32[names + 2 * version] = text;
  u32[names + 2 * version + 1] = soname.length;
  object.versions = [...Array.from({ length: version }, (_, i) => object.versions[i] ?? ""), soname];
  object.versym = versym;
  object.verNames = 4 * names;
  object.verCount = version + 1;
}
