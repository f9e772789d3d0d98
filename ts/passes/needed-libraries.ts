/**
 * What libraries define that shared objects of the link need and that are not part of it: the dynamic linker will load them, too.
 *
 * For report-undefined: GNU ld follows what is needed in every link, wield when a shared object misses a symbol (libunwind-ptrace.so has
 * liblzma's from libunwind.so's libraries). Nothing is bound to these libraries.
 */
import { SHN_UNDEF, ST_SHNDX, SYM_BYTES } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { HostError } from "../host/host.ts";
import { BadSharedObject, readSharedObject, type SharedObject } from "../input/shared-object.ts";
import type { Arena } from "../memory/arena.ts";
import { InputAccess } from "./input-access.ts";

/** Their names, without versions. */
export function definedByNeeded(ctx: Context): ReadonlySet<ByteString> {
  const access = new InputAccess(ctx);
  const known = new Set(ctx.sharedObjects.map(({ soname }) => soname));
  const left = ctx.sharedObjects.flatMap(({ needed }) => needed);
  const names = new Set<ByteString>();
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    if (known.has(name)) continue;
    known.add(name);
    left.push(...readLibrary(ctx, access, name, names));
  }
  return names;
}

/** Adds what the library defines to `names`; returns what it needs. What cannot be read defines nothing. */
function readLibrary(ctx: Context, access: InputAccess, name: ByteString, names: Set<ByteString>): readonly ByteString[] {
  const path = access.needed(name);
  const file = path !== "" && access.exists(path) ? access.open(path) : null;
  if (file === null) return [];
  const mark = ctx.arena.mark();
  try {
    if (file.kind !== "shared") return [];
    const object = readSharedObject(ctx.arena, file);
    addDefined(ctx.arena, object, names);
    return object.needed;
  } catch (error) {
    if (!(error instanceof BadSharedObject) && !(error instanceof HostError)) throw error;
    return [];
  } finally {
    ctx.arena.release(mark);
    file.close();
  }
}

function addDefined(arena: Arena, { symtab, firstGlobal, esymCount, strtab, strtabBytes }: SharedObject, names: Set<ByteString>): void {
  for (let at = symtab + firstGlobal * SYM_BYTES; at < symtab + esymCount * SYM_BYTES; at += SYM_BYTES) {
    const stName = arena.u32[at >>> 2]!;
    if (arena.u16[(at + ST_SHNDX) >>> 1] !== SHN_UNDEF && stName < strtabBytes) names.add(arena.cstring(strtab + stName));
  }
}
