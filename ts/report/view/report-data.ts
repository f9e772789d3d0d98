/** What the file of --report carries: a layout with every name once. Indexes are into `strings`; -1 = no member. */
export interface ReportData {
  output: string;
  /** One line: size, numbers of things. */
  about: string;
  strings: string[];
  /** Name, sh_type, sh_flags, address (hexadecimal), size, inputs: [file, member, section, offset in the output section, size]. */
  sections: [name: number, type: number, flags: number, address: string, size: number, inputs: [number, number, number, number, number][]][];
  segments: [type: number, flags: number, sections: number[]][];
  /** Section: index in `sections`; offset from its start. */
  symbols: [name: number, section: number, offset: number, size: number][];
  /** File, member, section, size. */
  discarded: [number, number, number, number][];
}
