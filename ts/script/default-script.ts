/**
 * The default layout, written as a linker script: what --verbose prints.
 *
 * The linker does not read it; a link with this script gives a program that works alike, for those who start a script of their own from
 * what the linker does (`ld --verbose`). Sections that are not named follow as orphans. `.jcr` and `.dynbss`, each on a line of its own as in
 * GNU ld's, are where glibc's build puts its own sections, which have to be read-only after relocation (`shlib.lds`, made by sed).
 */
import { targetOf } from "../arch/targets.ts";
import type { ByteString, LinkOptions } from "../args/link-options.ts";

export function defaultScript({ emulation, shared, pie, imageBase, z }: LinkOptions): ByteString {
  const target = targetOf(emulation);
  const start = `0x${(imageBase ?? (shared || pie ? 0n : target.imageBase)).toString(16)}`;
  const page = ". = ALIGN(CONSTANT(MAXPAGESIZE)) + (. & (CONSTANT(MAXPAGESIZE) - 1));";
  const arrays = ["preinit", "fini", "init"].map((name) => `  .${name}_array : {
    PROVIDE_HIDDEN(__${name}_array_start = .);
    KEEP(*(SORT_BY_INIT_PRIORITY(.${name}_array.*)${name === "preinit" ? "" : ` SORT_BY_INIT_PRIORITY(.${name === "init" ? "ctors" : "dtors"}.*)`}))
    KEEP(*(.${name}_array${name === "preinit" ? "" : name === "init" ? " EXCLUDE_FILE(*crtbegin.o *crtbeginS.o *crtbeginT.o *crtend.o *crtendS.o) .ctors" : " EXCLUDE_FILE(*crtbegin.o *crtbeginS.o *crtbeginT.o *crtend.o *crtendS.o) .dtors"}))
    PROVIDE_HIDDEN(__${name}_array_end = .);
  }`);
  const same = (...names: string[]): string => names.map((name) => `  ${name} : { *(${name}) }`).join("\n");
  const family = (...names: string[]): string => names.map((name) => `  ${name} : { *(${name} ${name}.*) }`).join("\n");
  return `OUTPUT_FORMAT("${target.format}")
OUTPUT_ARCH(${target.machine})
ENTRY(_start)
SECTIONS
{
  PROVIDE_HIDDEN(__executable_start = ${start});
  . = SEGMENT_START("text-segment", ${start}) + SIZEOF_HEADERS;
${same(".interp", ".note.gnu.property", ".note.ABI-tag", ".note.gnu.build-id", ".dynsym", ".gnu.version", ".gnu.version_d", ".gnu.version_r", ".gnu.hash", ".hash", ".dynstr")}
  .rela.dyn : { PROVIDE_HIDDEN(__rela_iplt_start = .); *(.rela.dyn) PROVIDE_HIDDEN(__rela_iplt_end = .); }
${same(".relr.dyn", ".rela.plt")}
${family(".rodata", ".gcc_except_table")}
${same(".eh_frame_hdr")}
  .eh_frame : { KEEP(*(.eh_frame)) }
  ${page}
  .init : { KEEP(*(.init)) }
  .text : { *(.text .text.*) }
  .fini : { KEEP(*(.fini)) }
${same(".plt", ".plt.got", ".plt.sec", ".iplt")}
  PROVIDE(etext = .); PROVIDE(_etext = .); PROVIDE(__etext = .);
  ${page}
  . = DATA_SEGMENT_ALIGN(1, 1);
${family(".tdata", ".tbss")}
${arrays.join("\n")}
  .ctors : { KEEP(*crtbegin*.o(.ctors)) KEEP(*crtend*.o(.ctors)) }
  .dtors : { KEEP(*crtbegin*.o(.dtors)) KEEP(*crtend*.o(.dtors)) }
  .jcr : { KEEP(*(.jcr)) }
${family(".data.rel.ro")}
${same(".dynamic", ".got", ...(z.now ? [".got.plt"] : []), ".bss.rel.ro")}
  . = DATA_SEGMENT_RELRO_END(0, .);
  ${page}
${family(".data")}
${same(".tm_clone_table", ...(z.now ? [] : [".got.plt"]))}
  PROVIDE(edata = .); PROVIDE(_edata = .);
  .bss : {
    PROVIDE(__bss_start = .);
    *(.dynbss)
    *(.bss .bss.* COMMON)
  }
  PROVIDE(end = .); PROVIDE(_end = .);
  . = DATA_SEGMENT_END(.);
}
`;
}
