/**
 * The types of what `map: true` and `graph: true` give: where everything is in the output, and who refers to whom.
 *
 * Published as it is (dist/map-types.d.mts), beside types.ts, which exports it.
 */

/** An input section, or a part of it, in an output section. */
export interface MapInput {
  /** Path of the object or of its archive; "<internal>" for what the linker made. */
  readonly input: string;
  readonly member?: string;
  /** Name of the input section. */
  readonly section: string;
  /** Where it is in memory; 0n + `offset` in sections that are not loaded. */
  readonly address: bigint;
  /** Bytes from the start of the output section. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
}

/** An output section. */
export interface MapSection {
  readonly name: string;
  /** sh_type: SHT_* (gABI ch. 4). */
  readonly type: number;
  /** sh_flags: SHF_* (gABI ch. 4). */
  readonly flags: number;
  /** sh_addr; 0n for sections that are not loaded. */
  readonly address: bigint;
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Bytes in memory; .bss and the like (SHT_NOBITS) have none in the file. */
  readonly size: number;
  /** Bytes, a power of two. */
  readonly align: number;
  /** What it is made of, by offset. */
  readonly inputs: readonly MapInput[];
}

/** A program header. */
export interface MapSegment {
  /** p_type: PT_* (gABI ch. 5). */
  readonly type: number;
  /** p_flags: PF_* (gABI ch. 5). */
  readonly flags: number;
  /** p_vaddr. */
  readonly address: bigint;
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** p_filesz, in bytes. */
  readonly fileSize: number;
  /** p_memsz, in bytes. */
  readonly memorySize: number;
  /** Bytes. */
  readonly align: number;
  /** Names of its sections. */
  readonly sections: readonly string[];
}

/** A symbol that is defined in the output. */
export interface MapSymbol {
  /** Demangled unless `--no-demangle` was given. */
  readonly name: string;
  readonly address: bigint;
  /** Bytes, as the symbol table says. */
  readonly size: number;
  /** Name of the output section. */
  readonly section: string;
  /** Path of the object that defines it, or of its archive. */
  readonly input: string;
  readonly member?: string;
}

/** Where everything is in the output: `result.map`. */
export interface LinkMap {
  /** In output order. */
  readonly sections: readonly MapSection[];
  /** In the order of program headers. */
  readonly segments: readonly MapSegment[];
  /** By section and address. */
  readonly symbols: readonly MapSymbol[];
  /** Sections that `--gc-sections` left out. */
  readonly discarded: readonly { readonly input: string; readonly member?: string; readonly section: string; readonly size: number }[];
  /** What `-Map` prints, in lld's columns. */
  readonly text: string;
}

/** An input that is part of the link. */
export interface GraphObject {
  /** Path of the object or of its archive; "<internal>" for what the linker made. */
  readonly input: string;
  readonly member?: string;
  /** Archive members: the object (index in `objects`, -1 = an option or a script) whose reference to a symbol brought it in. */
  readonly extracted?: { readonly by: number; readonly symbol: string };
}

/**
 * What keeps a section under `--gc-sections`, by the shortest way: it is a root (`symbol`: because this symbol in it is), or section
 * `from` leads to it: refers to it (through `symbol`), is what it depends on (SHF_LINK_ORDER), is in its group, refers to it as a
 * personality routine, or its unwinding information does. Sections and symbols are indexes in the graph's lists, -1 = not one of them.
 */
export type LiveReason =
  | { readonly kind: "root"; readonly note: string; readonly symbol?: number }
  | { readonly kind: "reference" | "dependent" | "group" | "personality" | "unwinding"; readonly from: number; readonly symbol: number };

/** A section of an input. */
export interface GraphSection {
  /** Index in `objects`. */
  readonly object: number;
  readonly name: string;
  /** sh_type: SHT_* (gABI ch. 4). */
  readonly type: number;
  /** sh_flags: SHF_* (gABI ch. 4). */
  readonly flags: number;
  /** Bytes. */
  readonly size: number;
  /** false: `--gc-sections` left it out. */
  readonly live: boolean;
  /** Bytes from the start of the input (of the archive, for a member) to the contents; -1 = none, or compressed. */
  readonly inputOffset: number;
  /** The output section it became part of. */
  readonly output?: string;
  /** Where it is in memory; not known of sections that are taken apart (merged strings, unwind records). */
  readonly address?: bigint;
  /** Bytes from the start of the output to the contents; -1 = none there, or taken apart. */
  readonly outputOffset: number;
  /** Only with `--gc-sections`. */
  readonly why?: LiveReason;
}

/** A symbol of the inputs, global or local. One that several objects mention is one symbol. */
export interface GraphSymbol {
  /** Demangled unless `--no-demangle` was given; of section symbols: the section's name. */
  readonly name: string;
  /** As in the symbol table. */
  readonly rawName: string;
  /** Undefined for symbols that have none: undefined, from a shared object, in a section that was left out. */
  readonly address?: bigint;
  /** Bytes, as the symbol table says. */
  readonly size: number;
  /** STB_* (gABI ch. 4). */
  readonly bind: number;
  /** STT_* (gABI ch. 4). */
  readonly type: number;
  /** Index in `sections` of the section it is in; -1 = in none (absolute, undefined, the linker's own). */
  readonly section: number;
  /** Index in `objects` of the object that defines it; -1 = none. */
  readonly object: number;
  /** false: no object here defines it. It is in a shared object, weak, or allowed to be undefined. */
  readonly defined: boolean;
}

/** One row per relocation, in columns: row i is `section[i]`, `offset[i]` and so on. Those of one section are in sequence. */
export interface GraphRelocations {
  /** Index in `sections`. */
  readonly section: Uint32Array;
  /** Bytes from the start of the section. */
  readonly offset: Float64Array;
  /** r_type; its name is in `names`. */
  readonly type: Uint32Array;
  /** Index in `symbols`; -1 = none. */
  readonly symbol: Int32Array;
  readonly addend: BigInt64Array;
  /** Names of the types that occur: R_X86_64_PC32 … */
  readonly names: ReadonlyMap<number, string>;
}

/** Who refers to whom: `result.graph`. Sections that are not loaded (debug information) are without their relocations. */
export interface LinkGraph {
  readonly objects: readonly GraphObject[];
  readonly sections: readonly GraphSection[];
  readonly symbols: readonly GraphSymbol[];
  readonly relocations: GraphRelocations;
}
