/**
 * The linker's own object, obj row 1: a symbol table of the names that options and the linker itself mention.
 *
 * Having them in an object like any other means that one interning and one resolution serve all names. -u names are
 * undefined references; all others are mentions without any effect of their own.
 */
import { OBJ_INTERNAL, STT_MENTION } from "../../as-kernels/shared/abi.ts";
import { STB_GLOBAL, SYM_BYTES } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";

/** Fills obj row 1. `wanted`: references; `mentioned`: names to know. */
export function fillInternalObject(ctx: Context, wanted: ByteString[], mentioned: ByteString[]): void {
  const { arena, tables } = ctx;
  const unique = [...new Set(wanted)];
  const known = new Set(unique);
  const others = [...new Set(mentioned)].filter((name) => name !== "" && !known.has(name));
  const names = [...unique, ...others];
  const text = "\0" + names.map((name) => name + "\0").join("");
  const strtab = arena.alloc(text.length + 16, 1);
  arena.setString(strtab, text);
  const symtab = arena.allocZeroed((names.length + 1) * SYM_BYTES);
  let offset = 1;
  names.forEach((name, i) => {
    const at = symtab + (i + 1) * SYM_BYTES;
    arena.u32[at >>> 2] = offset;
    arena.u8[at + 4] = (STB_GLOBAL << 4) | (i < unique.length ? 0 : STT_MENTION);
    offset += name.length + 1;
  });
  const { obj } = tables;
  obj.kind[1] = OBJ_INTERNAL;
  obj.symtab[1] = symtab;
  obj.strtab[1] = strtab;
  obj.strtabBytes[1] = text.length;
  obj.esymCount[1] = names.length + 1;
  obj.firstGlobal[1] = 1;
  obj.recordCount[1] = names.length;
}
