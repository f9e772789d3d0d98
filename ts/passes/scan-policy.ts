/**
 * The decision tables of scan-relocs: what a relocation needs, by output kind, writability of its section and kind of symbol.
 *
 * The one place where this policy is written; the kernels read it as bytes (as-kernels/shared/reloc.ts). The choices are lld's
 * (Relocations.cpp tells the same story as code), except that a position independent executable never copies a variable for
 * the sake of an absolute field: such a field would be wrong by the load address.
 */
import * as R from "../../as-kernels/shared/reloc.ts";

/** Characters of a line that a cell takes. */
const CELL_WIDTH = 5;

const CELLS = {
  __proto__: null as never,
  "-": R.ACT_NONE,
  got: R.ACT_GOT,
  "got?": R.ACT_RELAX_GOT,
  plt: R.ACT_PLT,
  copy: R.ACT_COPY,
  cplt: R.ACT_CANONICAL_PLT,
  dyn: R.ACT_DYNAMIC,
  rel: R.ACT_RELATIVE,
  iplt: R.ACT_IPLT,
  relip: R.ACT_RELATIVE_IPLT,
  gd: R.ACT_TLS_GD,
  ld: R.ACT_TLS_LD,
  ie: R.ACT_TLS_IE,
  desc: R.ACT_TLS_DESC,
  PIC: R.ACT_NEEDS_PIC, // recompile with -fPIC
  ABS: R.ACT_PC_ABSOLUTE, // cannot refer to absolute symbol
  TEXT: R.ACT_TEXTREL, // would be a text relocation
  TLS: R.ACT_TLS_MISMATCH,
  SHR: R.ACT_SHARED_TLS, // cannot be used with -shared
} as const;

type Cell = keyof typeof CELLS;

/** One line per output and writability; six lines in the order of LINES. */
type Rule = readonly [string, string, string, string, string, string];

const all = (line: string): Rule => [line, line, line, line, line, line];
/** The same for writable and read-only sections. */
const outputs = (exec: string, pie: string, shared: string): Rule => [exec, exec, pie, pie, shared, shared];

/** A field relative to its own address that no dynamic linker fills in. */
const PC_RELATIVE = outputs(
  "-    -    -    copy cplt PIC  iplt",
  "-    ABS  PIC  copy cplt PIC  iplt",
  "-    ABS  PIC  PIC  PIC  PIC  iplt",
);

//            columns of every line:  local abs  weak data func pre  ifunc
/** Lines of a rule: executable read-only, executable writable, pie read-only, pie writable, shared read-only, shared writable. */
const RULES: readonly (readonly [row: number, name: string, rule: Rule])[] = [
  [R.SCAN_NOTHING, "nothing", all("-    -    -    -    -    -    -")],
  [
    R.SCAN_ABS_WORD,
    "absolute word",
    [
      "-    -    -    copy cplt PIC  iplt", // executable, read-only section
      "-    -    -    dyn  dyn  dyn  iplt", // executable, writable section
      "TEXT -    TEXT TEXT TEXT TEXT TEXT",
      "rel  -    dyn  dyn  dyn  dyn  relip",
      "TEXT -    TEXT TEXT TEXT TEXT TEXT",
      "rel  -    dyn  dyn  dyn  dyn  relip",
    ],
  ],
  [
    R.SCAN_ABS,
    "absolute, narrow",
    outputs(
      "-    -    -    copy cplt PIC  iplt",
      "PIC  -    PIC  PIC  PIC  PIC  PIC",
      "PIC  -    PIC  PIC  PIC  PIC  PIC",
    ),
  ],
  [
    R.SCAN_PC_WORD,
    "relative word", // glibc, musl and FreeBSD know no R_X86_64_PC64: written only under -z notext, where lld 19 does; else as narrow ones
    [
      "-    -    -    copy cplt PIC  iplt",
      "-    -    -    dyn  dyn  dyn  iplt",
      "-    ABS  PIC  copy cplt PIC  iplt",
      "-    ABS  dyn  dyn  dyn  dyn  iplt",
      "-    ABS  PIC  PIC  PIC  PIC  iplt",
      "-    ABS  dyn  dyn  dyn  dyn  iplt",
    ],
  ],
  [R.SCAN_PC, "relative, narrow", PC_RELATIVE],
  [
    R.SCAN_PLT,
    "call",
    outputs(
      "-    -    plt  plt  plt  plt  plt",
      "-    ABS  plt  plt  plt  plt  plt",
      "-    ABS  plt  plt  plt  plt  plt",
    ),
  ],
  [R.SCAN_GOT, "GOT", all("got  got  got  got  got  got  got")],
  [R.SCAN_GOT_RELAX, "GOT, relaxable", all("got? got  got  got  got  got  got")],
  [
    R.SCAN_SIZE,
    "size",
    [
      "-    -    -    -    -    -    -",
      "-    -    -    dyn  dyn  dyn  -",
      "-    -    -    -    -    -    -",
      "-    -    dyn  dyn  dyn  dyn  -",
      "-    -    PIC  PIC  PIC  PIC  -",
      "-    -    dyn  dyn  dyn  dyn  -",
    ],
  ],
  [
    R.SCAN_TLS_GD,
    "general dynamic", // executables: initial exec for another module's symbol, else local exec
    outputs(
      "-    -    ie   ie   ie   ie   TLS",
      "-    -    ie   ie   ie   ie   TLS",
      "gd   gd   gd   gd   gd   gd   TLS",
    ),
  ],
  [R.SCAN_TLS_LD, "local dynamic", outputs("-    -    -    -    -    -    -", "-    -    -    -    -    -    -", "ld   ld   ld   ld   ld   ld   ld")],
  [
    R.SCAN_TLS_IE,
    "initial exec",
    outputs(
      "-    -    ie   ie   ie   ie   TLS",
      "-    -    ie   ie   ie   ie   TLS",
      "ie   ie   ie   ie   ie   ie   TLS",
    ),
  ],
  [
    R.SCAN_TLS_LE,
    "local exec", // a weak symbol that nothing provides has offset 0, which nobody looks at
    outputs(
      "-    -    -    PIC  PIC  PIC  TLS",
      "-    -    PIC  PIC  PIC  PIC  TLS",
      "SHR  SHR  SHR  SHR  SHR  SHR  SHR",
    ),
  ],
  [
    R.SCAN_TLS_LE_WORD,
    "TP offset, word",
    [
      "-    -    -    PIC  PIC  PIC  TLS",
      "-    -    -    dyn  dyn  dyn  TLS",
      "-    -    PIC  PIC  PIC  PIC  TLS",
      "-    -    dyn  dyn  dyn  dyn  TLS",
      "SHR  SHR  SHR  SHR  SHR  SHR  SHR",
      "dyn  dyn  dyn  dyn  dyn  dyn  TLS",
    ],
  ],
  [
    R.SCAN_TLS_DTPOFF,
    "offset in the module's TLS block", // of an executable: what another module defines has none there
    outputs("-    -    -    PIC  PIC  PIC  -", "-    -    -    PIC  PIC  PIC  -", "-    -    -    -    -    -    -"),
  ],
  [
    R.SCAN_TLS_DESC,
    "TLS descriptor",
    outputs(
      "-    -    ie   ie   ie   ie   TLS",
      "-    -    ie   ie   ie   ie   TLS",
      "desc desc desc desc desc desc TLS",
    ),
  ],
  [R.SCAN_TLS_DESC_CALL, "call through a TLS descriptor", all("-    -    -    -    -    -    -")],
];

/**
 * Column COL_ZERO, an undefined symbol that resolved to 0: as an absolute one, but code may refer to it PC-relatively even where
 * it moves, because such code is guarded by a test that goes through the GOT.
 */
const zeroCell = (absolute: Cell): Cell => (absolute === "ABS" ? "-" : absolute);

/**
 * The cells as the kernels want them: byte ((row * 3 + output - 1) * 2 + writable) * COLUMNS + column. With `ifuncNoplt` whatever
 * refers to an IFUNC is left to the dynamic linker, which patches code (-z ifunc-noplt, for kernels); `text` is not -z notext.
 */
export function policyBytes(ifuncNoplt: boolean, text: boolean): Uint8Array {
  const bytes = new Uint8Array(R.SCAN_ROWS * R.CELLS_PER_ROW);
  const known = new Map<string, Uint8Array>();
  for (const [row, name, usual] of RULES) {
    const rule = row === R.SCAN_PC_WORD && text ? PC_RELATIVE : usual;
    for (let index = 0; index < rule.length; index++) {
      const line = rule[index]!;
      // Rules share lines: a link of a few milliseconds has no time to read each of them six times.
      const actions = known.get(line) ?? actionsOf(line, name);
      known.set(line, actions);
      const at = row * R.CELLS_PER_ROW + index * R.COLUMNS;
      bytes.set(actions, at);
      if (ifuncNoplt && row !== R.SCAN_NOTHING) bytes[at + R.COL_IFUNC] = CELLS.dyn;
    }
  }
  return bytes;
}

/** Cells of a line, CELL_WIDTH characters for each. */
function actionsOf(line: string, name: string): Uint8Array {
  const actions = new Uint8Array(R.COLUMNS);
  for (let column = 0; column < R.COL_ZERO; column++) {
    const cell = line.slice(CELL_WIDTH * column, CELL_WIDTH * (column + 1)).trimEnd() as Cell;
    const action = CELLS[cell];
    if (action === undefined) throw new Error(`decision table: ${name} has a cell ${cell}`);
    actions[column] = action;
    if (column === R.COL_ABSOLUTE) actions[R.COL_ZERO] = CELLS[zeroCell(cell)];
  }
  if (line.length > CELL_WIDTH * R.COL_ZERO) throw new Error(`decision table: ${name} has too many cells`);
  return actions;
}
