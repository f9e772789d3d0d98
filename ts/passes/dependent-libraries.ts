/**
 * Libraries that objects themselves ask for (`#pragma comment(lib, "z")` in clang): sections of type SHT_LLVM_DEPENDENT_LIBRARIES.
 *
 * As lld: they come behind everything on the command line. Only the objects of the link count, so they are known once symbols are
 * resolved, and the inputs are loaded again with them.
 */
import { OBJF_DEPENDENT_LIBRARIES } from "../../as-kernels/shared/abi.ts";
import { SHDR_BYTES, SHT_LLVM_DEPENDENT_LIBRARIES } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { noDependentLibrary } from "../diagnostics/input-messages.ts";
import { badObject } from "../diagnostics/messages.ts";
import { filePlace } from "../diagnostics/place.ts";
import { readShdr } from "../elf/shdr.ts";
import { Search } from "../input/search.ts";

/** After resolve-symbols: ctx.dependents gets what it does not have yet; true = load again. */
export function findDependentLibraries(ctx: Context): boolean {
  const { options, tables, host, diag } = ctx;
  if (ctx.params.get("dependentLibraries") === 0 || !options.dependentLibraries || options.relocatable) return false;
  const { seen } = (ctx.dependents ??= { seen: new Set(), paths: [] });
  const before = ctx.dependents.paths.length;
  const search = new Search(options, (path) => host.exists(path));
  for (const obj of ctx.objects) {
    if ((tables.obj.flags[obj]! & OBJF_DEPENDENT_LIBRARIES) === 0) continue;
    for (const name of specifiers(ctx, obj)) {
      if (seen.has(name)) continue;
      seen.add(name);
      const path = pathOf(ctx, search, name);
      if (path === "") diag.error(noDependentLibrary(ctx.inputs[tables.obj.fileId[obj]!]!, name));
      else ctx.dependents.paths.push(path);
    }
  }
  diag.throwIfErrors();
  return ctx.dependents.paths.length > before;
}

/** lib NAME .so or .a along -L, else the file itself there, else as a path. */
function pathOf({ host }: Context, search: Search, name: ByteString): ByteString {
  let found = "";
  const take = (path: ByteString): boolean => ((found = path), true);
  // Unlike -l, a leading colon means nothing.
  if (!name.startsWith(":") && search.library(name, false, take)) return found;
  return search.file(name) || (host.exists(name) ? name : "");
}

/** The strings of the section. */
function specifiers(ctx: Context, o: number): ByteString[] {
  const w = ctx.pool.self;
  const { obj } = ctx.tables;
  const index = ctx.kernels.findSectionType(obj.shdrs[o]!, obj.e_shnum[o]!, SHT_LLVM_DEPENDENT_LIBRARIES);
  if (index === 0) return [];
  const { sh_offset, sh_size } = readShdr(new DataView(w.memory.buffer), obj.shdrs[o]! + index * SHDR_BYTES);
  if (sh_size === 0 || sh_offset + sh_size > obj.bytes[o]!) return [];
  const at = w.window(2, sh_size);
  w.read(obj.source[o]!, obj.offset[o]! + sh_offset, at, sh_size);
  const text = ctx.arena.string(at, sh_size);
  if (!text.endsWith("\0")) {
    ctx.diag.error(badObject(filePlace(ctx, o), "corrupted dependent libraries section (unterminated string): .deplibs"));
    return [];
  }
  return text.slice(0, -1).split("\0");
}
