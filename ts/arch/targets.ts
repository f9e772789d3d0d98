/**
 * What architectures are called, and what of them parts of the linker must know that have no link at hand: the parser of options, --help,
 * the search for libraries. Apart from the rest (ts/arch/index.ts), because pages load the parser first.
 */
export interface Target {
  /** GNU ld's emulation, as -m names it. */
  emulation: string;
  /** BFD's name, as scripts and --help have it, and its name of the machine. */
  format: string;
  machine: string;
  /** Debian's name of folders of libraries. */
  multiarch: string;
  /** Address of the first segment of ET_EXEC output. */
  imageBase: bigint;
}

export const X86_64: Target = { emulation: "elf_x86_64", format: "elf64-x86-64", machine: "i386:x86-64", multiarch: "x86_64-linux-gnu", imageBase: 0x200000n };

export const TARGETS: readonly Target[] = [X86_64];

/** The target of a -m value; without one, or when it was refused, one is as good as another for finding what else is wrong. */
export const targetOf = (emulation: string): Target => TARGETS.find((target) => target.emulation === emulation) ?? X86_64;
