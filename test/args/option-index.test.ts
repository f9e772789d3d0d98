import { test } from "uvu";
import * as assert from "uvu/assert";
import { rowOf } from "../../ts/args/option-index.ts";
import { namesOf } from "../../ts/args/option-row.ts";
import { OPTION_GROUPS } from "../../ts/args/options.ts";

test("every name of an option finds its row, the first time and the thousandth", () => {
  const named = OPTION_GROUPS.flatMap(([, rows]) => rows.flatMap((row) => namesOf(row).map((name) => ({ name, row }))));
  assert.ok(named.length > 500);
  for (let round = 0; round < 2; round++) {
    for (const { name, row } of named) assert.is(rowOf(name), row, name);
    for (const name of ["", " ", "-", "--", "--no such", "--output -o", "--outpu"]) assert.is(rowOf(name), undefined, name);
  }
});

test.run();
