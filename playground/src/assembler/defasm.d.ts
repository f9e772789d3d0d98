/** The part of @defasm/core that is used; the package brings no types. */
declare module "@defasm/core" {
  export interface Range {
    start: number;
    length: number;
  }
  export class ASMError {
    message: string;
    range?: Range;
  }
  export interface Value {
    addend: bigint;
    section: Section | { name: string; index: number } | null;
  }
  export interface AsmSymbol {
    name: string;
    statement: unknown;
    bind?: number;
    type?: number;
    size?: bigint;
    visibility?: number;
    value: Value;
  }
  export interface Relocation {
    offset: number;
    addend: bigint;
    symbol: AsmSymbol;
    size: number;
    signed: boolean;
    pcRelative: boolean;
    functionAddr: boolean;
  }
  export interface Statement {
    address: number;
    length: number;
    section: Section;
    error?: ASMError | null;
    relocations: readonly unknown[];
  }
  export interface Section {
    name: string;
    flags: number;
    type: number;
    entrySize: number;
    head: { dump(): Uint8Array };
    getRelocations(): Relocation[];
  }
  export class AssemblyState {
    symbols: Map<string, AsmSymbol>;
    sections: Section[];
    errors: ASMError[];
    compile(source: string): void;
    iterate(callback: (statement: Statement, line: number) => void): void;
  }
}
