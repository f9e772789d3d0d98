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

/** Memories cannot be had the first `failures` times that any size is asked for; the sizes asked for, and what was thrown. */
function reserving(failures: number, pages?: number): { asked: number[]; error: unknown } {
  const { Memory } = WebAssembly;
  const asked: number[] = [];
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      asked.push(descriptor.initial);
      if (asked.length <= failures || descriptor.initial !== descriptor.maximum) throw new RangeError("could not allocate memory");
      super({ ...descriptor, initial: 16, maximum: 16 });
    }
  };
  try {
    void new Machine(pages).arena.top;
    return { asked, error: undefined };
  } catch (error) {
    return { asked, error: String(error) };
  } finally {
    WebAssembly.Memory = Memory;
  }
}

test("where there is little address space, a memory is half as large", () => {
  const sizes = [65536, 32768, 16384, 8192, 4096, 2048, 1024];
  assert.equal(reserving(0), { asked: [65536], error: undefined });
  assert.equal(reserving(2), { asked: sizes.slice(0, 3), error: undefined });
  assert.equal(reserving(7), { asked: sizes, error: "Error: cannot reserve 64 MiB of address space" });
  assert.equal(reserving(1, 768), { asked: [768], error: "Error: cannot reserve 64 MiB of address space" });
});

test.run();
