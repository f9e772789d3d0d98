/**
 * .note.package: the JSON of --package-metadata, for tools that ask which package a crashed program is from.
 * (systemd.io, Package Metadata for ELF Files.)
 */
import { SHF_ALLOC, SHT_NOTE } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { noteBytes, writeNote } from "../elf/note.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";

const NT_FDO_PACKAGING_METADATA = 0xcafe1a7e;
const NOTE_NAME = "FDO";
const NOTE_ALIGN = 4;

export class PackageMetadataSection extends SectionBase implements SyntheticSection {
  readonly name = ".note.package";
  readonly sh_type = SHT_NOTE;
  readonly sh_flags = SHF_ALLOC;
  readonly align = 2;

  isNeeded(ctx: Context): boolean {
    return ctx.options.packageMetadata !== "";
  }

  size(ctx: Context): number {
    return noteBytes(NOTE_NAME, ctx.options.packageMetadata.length + 1, NOTE_ALIGN);
  }

  write(ctx: Context, out: Uint8Array): void {
    const text = ctx.options.packageMetadata;
    const at = writeNote(out, 0, NOTE_NAME, NT_FDO_PACKAGING_METADATA, text.length + 1, NOTE_ALIGN);
    for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i);
  }
}
