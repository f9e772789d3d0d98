/**
 * --compress-debug-sections: debug sections are made in memory, relocated, deflated, and then take their place in the file.
 *
 * Runs after resolve-addresses, because contents depend on addresses, and before writing, because offsets behind them
 * depend on the compressed size. The surprising choice: whole sections are held in memory, so this is the one option that
 * costs memory in proportion to debug information.
 */
import { ELFCOMPRESS_ZLIB, ELFCOMPRESS_ZSTD, SHF_ALLOC, SHF_COMPRESSED, SHT_PROGBITS } from "../../as-kernels/shared/elf.ts";
import type { Context, OutputSection } from "../context.ts";
import { placeInFile } from "./assign-addresses.ts";
import { makeSections } from "./write-output.ts";

/** Elf64_Chdr: ch_type, reserved, ch_size, ch_addralign. */
const CHDR_BYTES = 24;
const CHDR_ALIGN = 3;

export async function compressSections(ctx: Context): Promise<void> {
  const { options, tables, arena } = ctx;
  if (options.compressDebug === "none") return;
  const kind = options.compressDebug === "zlib" ? ELFCOMPRESS_ZLIB : ELFCOMPRESS_ZSTD;
  const wanted = ctx.osecs.filter((osec) => isDebug(osec) && osec.size > 0);
  const mark = arena.mark();
  for (const osec of wanted) tables.osec.memory[osec.id] = arena.allocZeroed(osec.size + 16);
  await makeSections(ctx, wanted);
  // osec.memory stays set, though nothing is there any more: what it says is that the section is not made in the file.
  for (const osec of wanted) {
    const contents = arena.bytes(tables.osec.memory[osec.id]!, osec.size);
    osec.ready = compress(ctx, kind, contents, osec);
  }
  arena.release(mark);
  placeInFile(ctx);
}

function isDebug(osec: OutputSection): boolean {
  return (osec.sh_flags & SHF_ALLOC) === 0 && osec.sh_type === SHT_PROGBITS && osec.name.startsWith(".debug_") && osec.synthetic.length === 0;
}

/** The section as it is stored: with a compression header, or as it is when that would be no smaller. */
function compress(ctx: Context, kind: number, contents: Uint8Array, osec: OutputSection): Uint8Array {
  const packed = ctx.host.deflate(kind, contents);
  if (packed === undefined) return ctx.diag.fatal("--compress-debug-sections=zstd needs a newer Node (22.15)");
  if (packed.length + CHDR_BYTES >= contents.length) return contents.slice();
  const out = new Uint8Array(CHDR_BYTES + packed.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, kind, true);
  view.setBigUint64(8, BigInt(contents.length), true);
  view.setBigUint64(16, 1n << BigInt(osec.align), true);
  out.set(packed, CHDR_BYTES);
  osec.sh_flags |= SHF_COMPRESSED;
  osec.align = CHDR_ALIGN;
  return out;
}
