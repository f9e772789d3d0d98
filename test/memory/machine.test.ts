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

/** Memories cannot be had the first `failures` times that any size is asked for; the sizes asked for, and what was waited for. */
async function reserving(failures: number, pages?: number): Promise<{ asked: number[]; waited: number[]; error: unknown }> {
  const { Memory } = WebAssembly;
  const asked: number[] = [];
  const waited: number[] = [];
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      asked.push(descriptor.initial);
      if (asked.length <= failures || descriptor.initial !== descriptor.maximum) throw new RangeError("could not allocate memory");
      super({ ...descriptor, initial: 16, maximum: 16 });
    }
  };
  try {
    const error = await new Machine(pages).makeMemory(async (milliseconds) => void waited.push(milliseconds)).then(() => undefined, (reason: unknown) => reason);
    return { asked, waited, error };
  } finally {
    WebAssembly.Memory = Memory;
  }
}

test("where there is little address space, a memory is half as large, or as one can have in a moment", async () => {
  const sizes = [65536, 32768, 16384, 8192, 4096, 2048, 1024];
  assert.equal(await reserving(0), { asked: [65536], waited: [], error: undefined });
  assert.equal(await reserving(2), { asked: sizes.slice(0, 3), waited: [], error: undefined });
  assert.equal(await reserving(8), { asked: [...sizes, 65536, 32768], waited: [10], error: undefined });
  assert.equal(await reserving(1, 768), { asked: [768, 768], waited: [10], error: undefined });
});

test("a memory is waited for no longer than for 1.3 seconds", async () => {
  const { waited } = await reserving(1000);
  assert.equal(waited, [10, 20, 40, 80, 160, 320, 640]);
});

test.run();
