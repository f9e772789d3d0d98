/** Tables in memory: columns that do not overlap, zeroed, in few blocks. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Arena } from "../../ts/memory/arena.ts";
import { allocTable, columnWidths, initTables } from "../../ts/memory/table.ts";

const test = suite("table");

/** A table with columns of all widths. */
const NAME = "isec";

function allocated(rows: number): { columns: { at: number; bytes: number }[]; cleared: number; arena: Arena } {
  const arena = new Arena(new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true }));
  const tables = initTables(arena);
  const widths = columnWidths(NAME);
  // Memory that has been used.
  const mark = arena.mark();
  arena.u8.fill(1, mark, mark + arena.alloc(1 << 21));
  arena.release(mark);
  let cleared = 0;
  const { zero } = arena;
  arena.zero = (address, bytes) => {
    cleared++;
    zero(address, bytes);
  };
  const { address } = allocTable(arena, tables, NAME, rows);
  const columns = widths.map((width, i) => ({ at: arena.u32[(address >>> 2) + 1 + i]!, bytes: rows * width }));
  return { columns, cleared, arena };
}

for (const rows of [1, 2, 200, 5000]) {
  test(`columns of ${rows} rows are zero and apart`, () => {
    const { columns, arena } = allocated(rows);
    for (const [i, { at, bytes }] of columns.entries()) {
      assert.is(at % 16, 0);
      assert.ok(arena.u8.subarray(at, at + bytes + 16).every((byte) => byte === 0), `column ${i}`);
      assert.ok((columns[i + 1]?.at ?? arena.top) >= at + bytes, `column ${i}`);
    }
  });
}

test("a small table is cleared at once", () => {
  assert.is(allocated(100).cleared, 1);
});

test.run();
