/**
 * Numbers of the relocation tables that TypeScript writes and kernels read: which value a relocation stores (VALUE_*), how it
 * must fit (RANGE_*), which row of the scan's decision table it uses (SCAN_*), and what the decisions are (ACT_*).
 *
 * Not ELF's numbers (elf.ts) and not the tables (ts/arch/x86-64.ts, ts/passes/scan-policy.ts). Only `export const NAME = integer`.
 */

// ---- a relocation type's entry: 4 bytes at params.relocTypes + 4 * r_type: VALUE, bytes of the field, RANGE, SCAN ----
/** Types at and above this number are unknown. */
export const RELOC_TYPES = 64;

/** No entry: the type is unknown, which is an error. */
export const VALUE_UNKNOWN = 0;
export const VALUE_NONE = 1;
export const VALUE_ABS = 2; // S + A
export const VALUE_PC = 3; // S + A - P
export const VALUE_PLT_PC = 4; // L + A - P
export const VALUE_GOT_PC = 5; // G + GOT + A - P
export const VALUE_GOT_PC_RELAX = 6; // the same, and the instruction may be changed to need no GOT entry
export const VALUE_GOT = 7; // G + A
export const VALUE_GOT_REL = 8; // S + A - GOT
export const VALUE_PLT_GOT_REL = 9; // L + A - GOT
export const VALUE_GOT_BASE_PC = 10; // GOT + A - P
export const VALUE_SIZE = 11; // Z + A
export const VALUE_TPOFF = 12; // S + A - thread pointer
export const VALUE_DTPOFF = 13; // S + A - start of the TLS segment
export const VALUE_TLSGD = 14; // address of the symbol's module and offset pair + A - P
export const VALUE_TLSLD = 15; // address of this module's pair + A - P
export const VALUE_GOTTPOFF = 16; // address of the slot with the TP offset + A - P
export const VALUE_TLSDESC = 17; // address of the descriptor + A - P
export const VALUE_TLSDESC_CALL = 18; // marks the call through the descriptor

export const RANGE_NONE = 0; // truncates nothing: the field has 64 bits
export const RANGE_SIGNED = 1;
export const RANGE_UNSIGNED = 2;
/** Fits as signed or as unsigned number. */
export const RANGE_EITHER = 3;

export const SCAN_NOTHING = 0;
/** Absolute, as wide as an address: the dynamic linker can do it. */
export const SCAN_ABS_WORD = 1;
export const SCAN_ABS = 2;
export const SCAN_PC_WORD = 3;
export const SCAN_PC = 4;
export const SCAN_PLT = 5;
export const SCAN_GOT = 6;
export const SCAN_GOT_RELAX = 7;
export const SCAN_SIZE = 8;
export const SCAN_TLS_GD = 9;
export const SCAN_TLS_LD = 10;
export const SCAN_TLS_IE = 11;
export const SCAN_TLS_LE = 12;
export const SCAN_TLS_LE_WORD = 13;
export const SCAN_TLS_DTPOFF = 14;
export const SCAN_TLS_DESC = 15;
export const SCAN_TLS_DESC_CALL = 16;
export const SCAN_ROWS = 17;

// ---- columns of the decision table: what the symbol is ----
/** Bound inside the output, moves with it. */
export const COL_LOCAL = 0;
/** Bound inside the output, does not move. */
export const COL_ABSOLUTE = 1;
/** Weak, undefined, and left to the dynamic linker. */
export const COL_WEAK = 2;
/** Defined in a shared object, STT_OBJECT. */
export const COL_DATA = 3;
/** Defined in a shared object, a function. */
export const COL_FUNC = 4;
/** Left to the dynamic linker for another reason. */
export const COL_PREEMPTIBLE = 5;
/** IFUNC bound inside the output. */
export const COL_IFUNC = 6;
/** Undefined and resolved to 0; also "no symbol". */
export const COL_ZERO = 7;
/** Columns of a row; a cell is one byte at ((row * 3 + outputKind - 1) * 2 + writable) * COLUMNS + column. */
export const COLUMNS = 8;
export const CELLS_PER_ROW = 48;

// ---- decisions ----
export const ACT_NONE = 0;
export const ACT_GOT = 1;
/** The instruction is changed if its bytes allow it, else ACT_GOT. */
export const ACT_RELAX_GOT = 2;
export const ACT_PLT = 3;
/** Copy relocation. */
export const ACT_COPY = 4;
/** The PLT entry becomes the symbol's address. */
export const ACT_CANONICAL_PLT = 5;
/** Dynamic relocation of the same type against the symbol. */
export const ACT_DYNAMIC = 6;
/** R_*_RELATIVE or a .relr.dyn entry. */
export const ACT_RELATIVE = 7;
/** The IFUNC's PLT entry becomes its address. */
export const ACT_IPLT = 8;
export const ACT_RELATIVE_IPLT = 9;
export const ACT_TLS_GD = 10;
export const ACT_TLS_LD = 11;
export const ACT_TLS_IE = 12;
export const ACT_TLS_DESC = 13;
/** "recompile with -fPIC" */
export const ACT_NEEDS_PIC = 14;
/** Relative relocation to an absolute symbol in output that moves. */
export const ACT_PC_ABSOLUTE = 15;
/** Needs a dynamic relocation in a section that is not writable. */
export const ACT_TEXTREL = 16;
export const ACT_TLS_MISMATCH = 17;
/** Local exec in a shared object. */
export const ACT_SHARED_TLS = 18;

// ---- params.undefinedPolicy ----
export const UNDEFINED_ERROR = 0;
/** Reported, and the relocation is scanned all the same (warnings). */
export const UNDEFINED_WARN = 1;
export const UNDEFINED_IGNORE = 2;
