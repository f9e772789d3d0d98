/**
 * What the views of all tables have in common; their columns are in table-layout.ts, which is generated, and how they are allocated is in table.ts.
 *
 * Views are made on first use, because most links never look at most columns from TypeScript.
 */
import type { MemoryViews } from "./arena.ts";

interface ColumnArray {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): unknown;
}

/** A table's rows and columns as its header stood when the view was made. */
export class View {
  readonly address: number;
  readonly rows: number;
  readonly views: MemoryViews;
  readonly columns: unknown[] = [];

  constructor(views: MemoryViews, address: number) {
    this.views = views;
    this.address = address;
    this.rows = views.u32[address >>> 2]!;
  }

  view(index: number, Column: ColumnArray): unknown {
    const at = this.views.u32[(this.address >>> 2) + 1 + index]!;
    return (this.columns[index] = new Column(this.views.memory.buffer, at, at === 0 ? 0 : this.rows));
  }
}
