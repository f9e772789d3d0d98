/** What a machine keeps from link to link. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Machine } from "../../ts/memory/machine.ts";
import type { WorkerIo } from "../../ts/memory/pool.ts";

const test = suite("machine");

test("a file that has grown a little takes the place that it had; one that has grown much, another", () => {
  const machine = new Machine();
  machine.begin({} as WorkerIo, {});
  const at = machine.keep(new Uint8Array(100 * 4096));
  machine.drop(at);
  assert.is(machine.keep(new Uint8Array(103 * 4096).fill(7)), at);
  assert.is(machine.arena.u8[at + 103 * 4096 - 1], 7);
  machine.drop(at);
  const other = machine.keep(new Uint8Array(200 * 4096));
  assert.ok(other > 0 && other + 200 * 4096 <= at);
  assert.is(machine.keep(new Uint8Array(60 * 4096)), at, "what was given back");
});

test.run();
