/** --out-implib: an object without contents that defines the output's global symbols at their addresses, for programs that call into it (GNU ld). */
import { EHDR_BYTES, ELFCLASS64, ELFDATA2LSB, ET_REL, EV_CURRENT, SHDR_BYTES, SHN_ABS, SHT_STRTAB, SHT_SYMTAB, SYM_BYTES } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";

const NAMES = "\0.symtab\0.strtab\0.shstrtab\0";

/** Builds the file as a byte string. */
export function importLibrary(ctx: Context): ByteString {
  const { arena, kernels, params, tables: { sym, gsym } } = ctx;
  const globals = params.get("globalSyms");
  const count = kernels.listDefinedGlobals(1, globals, 0);
  const mark = arena.mark();
  const list = arena.alloc(4 * count + 4);
  kernels.listDefinedGlobals(1, globals, list);
  const ids = [...arena.u32.subarray(list >>> 2, (list >>> 2) + count)];
  arena.release(mark);
  const names = ids.map((id) => ctx.symbolName(id).replace(/@.*/s, ""));
  const strtab = `\0${names.map((name) => `${name}\0`).join("")}`;
  const symtab = new DataView(new ArrayBuffer(SYM_BYTES * (count + 1)));
  let text = 1;
  ids.forEach((id, i) => {
    const at = SYM_BYTES * (i + 1);
    symtab.setUint32(at, text, true);
    symtab.setUint8(at + 4, (gsym.bind[id]! << 4) | gsym.type[id]!);
    symtab.setUint16(at + 6, SHN_ABS, true);
    symtab.setBigUint64(at + 8, sym.addr[id]!, true);
    symtab.setBigUint64(at + 16, BigInt(gsym.size[id]!), true);
    text += names[i]!.length + 1;
  });
  const parts = [latin1(symtab), strtab, NAMES];
  const headers = [SHT_SYMTAB, SHT_STRTAB, SHT_STRTAB].map((type, i) => ({ type, name: NAMES.indexOf([".symtab", ".strtab", ".shstrtab"][i]!), offset: EHDR_BYTES + parts.slice(0, i).join("").length, size: parts[i]!.length }));
  const body = parts.join("");
  const padding = "\0".repeat(-(EHDR_BYTES + body.length) & 7);
  return elfHeader(ctx, EHDR_BYTES + body.length + padding.length) + body + padding + sectionHeaders(headers);
}

function latin1(view: DataView): ByteString {
  return Array.from(new Uint8Array(view.buffer), (byte) => String.fromCharCode(byte)).join("");
}

function elfHeader(ctx: Context, shoff: number): ByteString {
  const view = new DataView(new ArrayBuffer(EHDR_BYTES));
  [0x7f, 0x45, 0x4c, 0x46, ELFCLASS64, ELFDATA2LSB, EV_CURRENT, ctx.osabi].forEach((byte, i) => view.setUint8(i, byte));
  view.setUint16(0x10, ET_REL, true);
  view.setUint16(0x12, ctx.arch.e_machine, true);
  view.setUint32(0x14, EV_CURRENT, true);
  view.setBigUint64(0x28, BigInt(shoff), true);
  view.setUint16(0x34, EHDR_BYTES, true);
  view.setUint16(0x3a, SHDR_BYTES, true);
  view.setUint16(0x3c, 4, true);
  view.setUint16(0x3e, 3, true);
  return latin1(view);
}

function sectionHeaders(headers: { type: number; name: number; offset: number; size: number }[]): ByteString {
  const view = new DataView(new ArrayBuffer(SHDR_BYTES * (headers.length + 1)));
  headers.forEach(({ type, name, offset, size }, i) => {
    const at = SHDR_BYTES * (i + 1);
    view.setUint32(at, name, true);
    view.setUint32(at + 4, type, true);
    view.setBigUint64(at + 24, BigInt(offset), true);
    view.setBigUint64(at + 32, BigInt(size), true);
    view.setBigUint64(at + 48, type === SHT_SYMTAB ? 8n : 1n, true);
    if (type !== SHT_SYMTAB) return;
    view.setUint32(at + 40, 2, true);
    view.setUint32(at + 44, 1, true);
    view.setBigUint64(at + 56, BigInt(SYM_BYTES), true);
  });
  return latin1(view);
}
