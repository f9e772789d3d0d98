/**
 * Typed-array views of the tables in shared memory, and how they are allocated.
 *
 * A table's header is `[rows, column address, …]` in u32 words; the directory at TABLES_ADDR lists the headers in schema
 * order.
 */
import { PARAMS_ADDR, TABLES_ADDR } from "../../as-kernels/shared/abi.ts";
import type { PARAMS, TABLES, ColumnType, TableName } from "./schema.ts";
import { AllTables, HEADERS, PARAM_OFFSETS, PARAMS_BYTES, TABLE_NAMES, WIDE_PARAMS, WIDTHS } from "./table-layout.ts";
import type { Arena, MemoryViews } from "./arena.ts";

const DIGIT_0 = 48;

type ViewOf<T extends ColumnType> = T extends "u8"
  ? Uint8Array
  : T extends "u16"
    ? Uint16Array
    : T extends "u32"
      ? Uint32Array
      : T extends "u64"
        ? BigUint64Array
        : T extends "i64"
          ? BigInt64Array
          : Float64Array;

export type TableView<N extends TableName> = { readonly rows: number; readonly address: number } & {
  readonly [C in keyof (typeof TABLES)[N]]: (typeof TABLES)[N][C] extends ColumnType ? ViewOf<(typeof TABLES)[N][C]> : never;
};

export type Tables = { [N in TableName]: TableView<N> } & { views: MemoryViews };

const indexOf = (name: TableName): number => TABLE_NAMES.indexOf(name);
const headerOf = (index: number): number => HEADERS[index]! >>> 2;

/** Calls `use` with the bytes of a value and the place in the header, in words of memory, of each column. */
function forColumns(index: number, use: (bytes: number, word: number) => void): void {
  const widths = WIDTHS[index]!;
  const first = headerOf(index) + 1;
  for (let i = 0; i < widths.length; i++) use(widths.charCodeAt(i) - DIGIT_0, first + i);
}

/** Views of all tables as their headers stand now. On workers: attach again in every phase. */
export function attachTables(views: MemoryViews): Tables {
  return new AllTables(views) as unknown as Tables;
}

/** Writes the directory; once per memory. */
export function initTables(views: MemoryViews): Tables {
  views.u32.set(HEADERS.slice(0, -1), TABLES_ADDR >>> 2);
  views.u32.fill(0, headerOf(0), headerOf(TABLE_NAMES.length));
  return attachTables(views);
}

/** Tables with at most so many rows are one block of memory: links of a few milliseconds notice every block that is cleared. */
const FEW_ROWS = 256;

/** What a column takes of a block. */
const columnBytes = (rows: number, bytes: number): number => Math.ceil((rows * bytes + 16) / 16) * 16;

function columnsBytes(index: number, rows: number): number {
  let sum = 0;
  forColumns(index, (bytes) => void (sum += columnBytes(rows, bytes)));
  return sum;
}

/** Allocates all columns of a table, zeroed, for `rows` rows (row 0, "none", included). Earlier contents are dropped. */
export function allocTable<N extends TableName>(arena: Arena, tables: Tables, name: N, rows: number): TableView<N> {
  const index = indexOf(name);
  arena.u32[headerOf(index)] = rows;
  let at = rows > FEW_ROWS ? 0 : arena.allocZeroed(columnsBytes(index, rows));
  forColumns(index, (bytes, word) => {
    arena.u32[word] = at === 0 ? arena.allocZeroed(rows * bytes + 16) : at;
    if (at !== 0) at += columnBytes(rows, bytes);
  });
  refresh(tables, index);
  return tables[name] as unknown as TableView<N>;
}

/** The table's rows are over: other tables may take their memory. It keeps row 0. */
export function recycleTable(arena: Arena, tables: Tables, name: TableName): void {
  const index = indexOf(name);
  const rows = arena.u32[headerOf(index)]!;
  forColumns(index, (bytes, word) => {
    if (arena.u32[word] !== 0) arena.recycle(arena.u32[word]!, rows * bytes + 16);
  });
  allocTable(arena, tables, name, 1);
}

/**
 * Moves a table to where it has room for `capacity` rows; `copy(to, from, bytes)` moves memory. Its rows stay as they are, and what
 * comes behind them is undefined. `keep`: what is where it was stays there.
 */
export function moveTable(arena: Arena, tables: Tables, name: TableName, capacity: number, copy: (to: number, from: number, bytes: number) => void, keep = false): void {
  const index = indexOf(name);
  const rows = arena.u32[headerOf(index)]!;
  forColumns(index, (bytes, word) => {
    const from = arena.u32[word]!;
    const to = arena.alloc(capacity * bytes + 16);
    copy(to, from, rows * bytes);
    if (!keep) arena.recycle(from, rows * bytes);
    arena.u32[word] = to;
  });
  refresh(tables, index);
}

/** Where a table is: for putTable. */
export function placeOf(tables: Tables, name: TableName): Uint32Array {
  const index = indexOf(name);
  return tables.views.u32.slice(headerOf(index), headerOf(index) + 1 + WIDTHS[index]!.length);
}

/** The table is where it was when placeOf was asked, with as many rows. */
export function putTable(tables: Tables, name: TableName, place: Uint32Array): void {
  tables.views.u32.set(place, headerOf(indexOf(name)));
  refresh(tables, indexOf(name));
}

/** Moves rows [from, rows) of a table by `delta` rows and changes its row count by as much; `move(to, from, bytes)` moves memory that may overlap. */
export function shiftRows(tables: Tables, name: TableName, from: number, delta: number, move: (to: number, from: number, bytes: number) => void): void {
  const rows = tables.views.u32[headerOf(indexOf(name))]!;
  eachColumn(tables, name, (at, bytes) => move(at + (from + delta) * bytes, at + from * bytes, (rows - from) * bytes));
  setRows(tables, name, rows + delta);
}

/** All columns of rows [from, to) become 0. `to` may be behind the last row, where there is room. */
export function clearRows(tables: Tables, name: TableName, from: number, to: number, fill: (address: number, byte: number, bytes: number) => void): void {
  eachColumn(tables, name, (at, bytes) => fill(at + from * bytes, 0, (to - from) * bytes));
}

/** Bytes of a cell of each column. */
export function columnWidths(name: TableName): number[] {
  return Array.from(WIDTHS[indexOf(name)]!, Number);
}

function eachColumn(tables: Tables, name: TableName, use: (address: number, bytes: number) => void): void {
  forColumns(indexOf(name), (bytes, word) => {
    const at = tables.views.u32[word]!;
    if (at !== 0) use(at, bytes);
  });
}

/** The block of parameters, as bytes of memory. */
export const paramsBlock = (): { address: number; bytes: number } => ({ address: PARAMS_ADDR, bytes: PARAMS_BYTES });

/** Changes the row count of a table without moving it (rows at most what was allocated). */
export function setRows(tables: Tables, name: TableName, rows: number): void {
  const index = indexOf(name);
  tables.views.u32[headerOf(index)] = rows;
  refresh(tables, index);
}

function refresh(tables: Tables, index: number): void {
  (tables as unknown as AllTables).made[index] = undefined;
}

// ---- parameters ----

type ParamTypes = typeof PARAMS;
export type ParamName = keyof ParamTypes;
type ParamValue<N extends ParamName> = ParamTypes[N] extends "u64" ? bigint : number;

export class Params {
  private readonly views: MemoryViews;

  constructor(views: MemoryViews) {
    this.views = views;
  }

  get<N extends ParamName>(name: N): ParamValue<N> {
    const at = PARAMS_ADDR + PARAM_OFFSETS[name]!;
    return (WIDE_PARAMS.includes(name) ? this.views.u64[at >>> 3]! : this.views.u32[at >>> 2]!) as ParamValue<N>;
  }

  set<N extends ParamName>(name: N, value: ParamValue<N>): void {
    const at = PARAMS_ADDR + PARAM_OFFSETS[name]!;
    if (typeof value === "bigint") this.views.u64[at >>> 3] = value;
    else this.views.u32[at >>> 2] = value as number;
  }
}
