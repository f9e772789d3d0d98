/** Chunk claiming: every chunk once, work beside a phase, and what fails. The other threads are functions of this one, called later. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { CTL_ARENA_TOP, CTL_NEXT } from "../../as-kernels/shared/abi.ts";
import { OutOfMemory } from "../../ts/memory/arena.ts";
import type { KernelModule } from "../../ts/memory/kernels.ts";
import { Pool, WorkerContext, type Phases, type StartedWorker, type WorkerIo } from "../../ts/memory/pool.ts";
import { kernelMemory } from "../helpers/kernel-memory.ts";

const test = suite("pool");

/** A pool with `others` threads that begin to claim when the calling one gives way, and what was said to them. */
function poolOf(others: number, phases: Phases): { pool: Pool; asked: string[] } {
  const { arena, tables, kernels } = kernelMemory(false, 64);
  const io = { writeAt: () => undefined } as unknown as WorkerIo;
  const pool = new Pool(arena, tables, kernels, io, phases);
  const asked: string[] = [];
  const worker = (): StartedWorker => {
    const endpoint = {
      attach: (_memory: WebAssembly.Memory, _module: KernelModule, ready: number) => Promise.resolve(void Atomics.store(arena.i32, ready >>> 2, 1)),
      run: async (name: string, args: number[]) => {
        asked.push(name);
        await Promise.resolve();
        const own = new WorkerContext(arena.memory, kernels, io, tables);
        return { chunks: own.claim(phases[name]!, args), written: own.written };
      },
    };
    return { endpoint: endpoint as unknown as StartedWorker["endpoint"], terminate: () => undefined };
  };
  pool.start(Array.from({ length: others }, worker), {} as KernelModule);
  return { pool, asked };
}

test("every chunk is done once, with the phase's arguments", async () => {
  for (const others of [0, 1, 3]) {
    const done: number[] = [];
    const { pool } = poolOf(others, { note: (w, chunk) => void done.push(w.args[0]! + chunk) });
    await pool.run("note", 40, 100);
    assert.equal(done.sort((a, b) => a - b), Array.from({ length: 40 }, (_, i) => 100 + i));
    await pool.run("note", 0, 100);
    assert.is(done.length, 40);
  }
});

test("runWhile: others are asked first, also for one chunk, then comes the work, then chunks that are left", async () => {
  for (const others of [0, 2]) {
    const order: string[] = [];
    const { pool, asked } = poolOf(others, { note: (_, chunk) => void order.push(`chunk ${chunk}`) });
    await pool.runWhile(() => void order.push(`work, ${asked.length} asked`), "note", 1);
    assert.equal(order, [`work, ${others} asked`, "chunk 0"]);
  }
});

test("work that fails ends the phase with its error; a chunk that fails, too", async () => {
  let done = 0;
  const { pool } = poolOf(2, {
    note: () => void done++,
    fail: (_, chunk) => {
      if (chunk === 3) throw new Error("third");
    },
  });
  const failure = (run: Promise<void>): Promise<string> => run.then(() => "nothing", (error: Error) => error.message);
  assert.is(await failure(pool.runWhile(() => { throw new Error("work"); }, "note", 100)), "work");
  assert.is(done, 0);
  assert.is(await failure(pool.run("fail", 100)), "third");
  assert.ok(pool.self.u32[CTL_NEXT >>> 2]! < 100, "chunks are left");
  await pool.run("note", 5);
  assert.is(done, 5);
});

test("what all threads wrote is noted when it is asked for", async () => {
  for (const others of [0, 2]) {
    const { pool } = poolOf(others, { write: (w, chunk) => w.write(0, 0, 4, 10 * chunk) });
    await pool.run("write", 20);
    assert.equal(pool.self.written, []);
    pool.self.params.set("writesNoted", 1);
    await pool.run("write", 20);
    assert.equal(pool.self.written.toSorted((a, b) => a - b), Array.from({ length: 20 }, (_, i) => [10 * i, 10 * i + 4]).flat());
  }
});

test("a window that there is no room for takes none: the next link of a context may want less", () => {
  const { pool: { self } } = poolOf(0, {});
  for (const bytes of [1 << 27, 2 ** 40]) assert.throws(() => self.window(0, bytes), (error: Error) => error instanceof OutOfMemory);
  assert.ok(self.window(0, 100) > 0);
});

test("nor does memory that there is no room for, whatever is asked for: the top says what has been used", () => {
  const { pool: { self } } = poolOf(0, {});
  const top = self.u32[CTL_ARENA_TOP >>> 2]!;
  for (const bytes of [1 << 27, 2 ** 32 - top, 2 ** 40]) assert.throws(() => self.alloc(bytes), (error: Error) => error instanceof OutOfMemory);
  assert.is(self.alloc(100), top);
  assert.is(self.u32[CTL_ARENA_TOP >>> 2], top + 112);
});

test.run();
