/**
 * Typed-array views of the tables in shared memory, and how they are allocated.
 *
 * A table's header is `[rows, column address, …]` in u32 words; the directory at TABLES_ADDR lists the headers in schema
 * order. Views are made on first use, because most links never look at most columns from TypeScript.
 */
import { PARAMS_ADDR, TABLES_ADDR } from "../../as-kernels/shared/abi.ts";
import { PARAMS, TABLES, type ColumnType, type TableName } from "./schema.ts";
import type { Arena, MemoryViews } from "./arena.ts";

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

const COLUMN_BYTES: Record<ColumnType, number> = { u8: 1, u16: 2, u32: 4, u64: 8, i64: 8, f64: 8 };
const NAMES = Object.keys(TABLES) as TableName[];

const CONSTRUCTORS = {
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  u64: BigUint64Array,
  i64: BigInt64Array,
  f64: Float64Array,
};

/** Address of each table's header: between TABLES_ADDR's directory and PARAMS_ADDR. The last entry is the end. */
const HEADERS: number[] = [TABLES_ADDR + 4 * NAMES.length];
for (const name of NAMES) HEADERS.push(HEADERS[HEADERS.length - 1]! + 4 * (1 + Object.keys(TABLES[name]).length));

/** A table's rows and columns as its header stood when the view was made; columns are viewed on first use. */
class View {
  readonly address: number;
  readonly rows: number;
  readonly views: MemoryViews;
  readonly columns: unknown[] = [];

  constructor(views: MemoryViews, address: number) {
    this.views = views;
    this.address = address;
    this.rows = views.u32[address >>> 2]!;
  }

  makeColumn(Column: (typeof CONSTRUCTORS)[ColumnType], index: number): unknown {
    const at = this.views.u32[(this.address >>> 2) + 1 + index]!;
    return new Column(this.views.memory.buffer, at, at === 0 ? 0 : this.rows);
  }
}

/** One class per table with its columns as getters: made once, because defining properties is slow. */
function viewClass(table: TableName): typeof View {
  const made = class extends View {};
  Object.entries(TABLES[table]).forEach(([column, type], i) => {
    const Column = CONSTRUCTORS[type as ColumnType];
    Object.defineProperty(made.prototype, column, {
      get(this: View) {
        return (this.columns[i] ??= this.makeColumn(Column, i));
      },
    });
  });
  return made;
}

const VIEW_CLASSES: (typeof View | undefined)[] = [];

/** All tables of a memory, each viewed on first use. */
class Directory {
  readonly views: MemoryViews;
  readonly made: (View | undefined)[] = [];

  constructor(views: MemoryViews) {
    this.views = views;
  }
}

NAMES.forEach((name, i) => {
  Object.defineProperty(Directory.prototype, name, {
    get(this: Directory) {
      return (this.made[i] ??= new (VIEW_CLASSES[i] ??= viewClass(name))(this.views, HEADERS[i]!));
    },
  });
});

/** Views of all tables as their headers stand now. On workers: attach again in every phase. */
export function attachTables(views: MemoryViews): Tables {
  return new Directory(views) as unknown as Tables;
}

/** Writes the directory; once per memory. */
export function initTables(views: MemoryViews): Tables {
  NAMES.forEach((_, i) => (views.u32[(TABLES_ADDR >>> 2) + i] = HEADERS[i]!));
  if (HEADERS[NAMES.length]! > PARAMS_ADDR) throw new Error("table headers overlap the parameter block");
  NAMES.forEach((name, i) => {
    const words = 1 + Object.keys(TABLES[name]).length;
    views.u32.fill(0, HEADERS[i]! >>> 2, (HEADERS[i]! >>> 2) + words);
  });
  return attachTables(views);
}

/**
 * Allocates all columns of a table, zeroed, for `rows` rows (row 0, "none", included). Earlier contents are dropped.
 * `only` limits the allocation to some columns; kernels must not touch the others.
 */
export function allocTable<N extends TableName>(
  arena: Arena,
  tables: Tables,
  name: N,
  rows: number,
  only?: readonly (keyof (typeof TABLES)[N])[],
): TableView<N> {
  const index = NAMES.indexOf(name);
  const header = HEADERS[index]! >>> 2;
  arena.u32[header] = rows;
  Object.entries(TABLES[name]).forEach(([column, type], i) => {
    const wanted = only === undefined || (only as readonly string[]).includes(column);
    arena.u32[header + 1 + i] = wanted ? arena.allocZeroed(rows * COLUMN_BYTES[type as ColumnType] + 16) : 0;
  });
  refresh(tables, name);
  return tables[name] as unknown as TableView<N>;
}

/** The table's rows are over: other tables may take their memory. It keeps row 0. */
export function recycleTable(arena: Arena, tables: Tables, name: TableName): void {
  const header = HEADERS[NAMES.indexOf(name)]! >>> 2;
  const rows = arena.u32[header]!;
  Object.values(TABLES[name]).forEach((type, i) => {
    const at = arena.u32[header + 1 + i]!;
    if (at !== 0) arena.recycle(at, rows * COLUMN_BYTES[type as ColumnType] + 16);
  });
  allocTable(arena, tables, name, 1);
}

/**
 * Moves a table to where it has room for `capacity` rows; `copy(to, from, bytes)` moves memory. Its rows stay as they are, and what
 * comes behind them is undefined.
 */
export function moveTable(arena: Arena, tables: Tables, name: TableName, capacity: number, copy: (to: number, from: number, bytes: number) => void): void {
  const header = HEADERS[NAMES.indexOf(name)]! >>> 2;
  const rows = arena.u32[header]!;
  Object.values(TABLES[name]).forEach((type, i) => {
    const from = arena.u32[header + 1 + i]!;
    const to = arena.alloc(capacity * COLUMN_BYTES[type as ColumnType] + 16);
    copy(to, from, rows * COLUMN_BYTES[type as ColumnType]);
    arena.recycle(from, rows * COLUMN_BYTES[type as ColumnType]);
    arena.u32[header + 1 + i] = to;
  });
  refresh(tables, name);
}

/** Moves rows [from, rows) of a table by `delta` rows and changes its row count by as much; `move(to, from, bytes)` moves memory that may overlap. */
export function shiftRows(tables: Tables, name: TableName, from: number, delta: number, move: (to: number, from: number, bytes: number) => void): void {
  const { u32 } = tables.views;
  const header = HEADERS[NAMES.indexOf(name)]! >>> 2;
  const rows = u32[header]!;
  eachColumn(tables, name, (at, bytes) => move(at + (from + delta) * bytes, at + from * bytes, (rows - from) * bytes));
  setRows(tables, name, rows + delta);
}

/** All columns of rows [from, to) become 0. `to` may be behind the last row, where there is room. */
export function clearRows(tables: Tables, name: TableName, from: number, to: number, fill: (address: number, byte: number, bytes: number) => void): void {
  eachColumn(tables, name, (at, bytes) => fill(at + from * bytes, 0, (to - from) * bytes));
}

/** Bytes of a cell of each column. */
export function columnWidths(name: TableName): number[] {
  return Object.values(TABLES[name]).map((type) => COLUMN_BYTES[type as ColumnType]);
}

function eachColumn(tables: Tables, name: TableName, use: (address: number, bytes: number) => void): void {
  const header = HEADERS[NAMES.indexOf(name)]! >>> 2;
  Object.values(TABLES[name]).forEach((type, i) => {
    const at = tables.views.u32[header + 1 + i]!;
    if (at !== 0) use(at, COLUMN_BYTES[type as ColumnType]);
  });
}

/** The block of parameters, as bytes of memory. */
export function paramsBlock(): { address: number; bytes: number } {
  const offsets = Object.values(paramOffsets());
  return { address: PARAMS_ADDR, bytes: Math.max(...offsets) + 8 };
}

/** Changes the row count of a table without moving it (rows at most what was allocated). */
export function setRows(tables: Tables, name: TableName, rows: number): void {
  tables.views.u32[HEADERS[NAMES.indexOf(name)]! >>> 2] = rows;
  refresh(tables, name);
}

function refresh(tables: Tables, name: TableName): void {
  (tables as unknown as Directory).made[NAMES.indexOf(name)] = undefined;
}

// ---- parameters ----

type ParamTypes = typeof PARAMS;
export type ParamName = keyof ParamTypes;
type ParamValue<N extends ParamName> = ParamTypes[N] extends "u64" ? bigint : number;

/** Byte offset of each parameter: in schema order, aligned to its own size. */
export function paramOffsets(): Record<ParamName, number> {
  const offsets = {} as Record<ParamName, number>;
  let at = 0;
  for (const [name, type] of Object.entries(PARAMS)) {
    const bytes = type === "u64" ? 8 : 4;
    at = Math.ceil(at / bytes) * bytes;
    offsets[name as ParamName] = at;
    at += bytes;
  }
  return offsets;
}

export class Params {
  private readonly offsets = paramOffsets();
  private readonly views: MemoryViews;

  constructor(views: MemoryViews) {
    this.views = views;
  }

  get<N extends ParamName>(name: N): ParamValue<N> {
    const at = PARAMS_ADDR + this.offsets[name];
    return (PARAMS[name] === "u64" ? this.views.u64[at >>> 3]! : this.views.u32[at >>> 2]!) as ParamValue<N>;
  }

  set<N extends ParamName>(name: N, value: ParamValue<N>): void {
    const at = PARAMS_ADDR + this.offsets[name];
    if (typeof value === "bigint") this.views.u64[at >>> 3] = value;
    else this.views.u32[at >>> 2] = value as number;
  }
}
