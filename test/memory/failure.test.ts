/** Phases on several threads: what goes wrong on a worker is the same error on the main thread. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { HostError } from "../../ts/host/host.ts";
import { Arena, OutOfMemory } from "../../ts/memory/arena.ts";
import { ReadFailed } from "../../ts/memory/failure.ts";
import { noKernels } from "../../ts/memory/kernels.ts";
import { Pool, serve, type Phases, type StartedWorker, type WorkerContext, type WorkerIo } from "../../ts/memory/pool.ts";
import { initTables } from "../../ts/memory/table.ts";
import { kernelsModule } from "../helpers/kernel-memory.ts";

const failures = suite("failures of workers");
const io = {} as WorkerIo;

/** A pool with a second "thread" on this one, which is asked first; everything between them goes through a message. */
function twoThreads(phases: Phases): Pool {
  const memory = new WebAssembly.Memory({ initial: 256, maximum: 256, shared: true });
  const arena = new Arena(memory);
  const made = new Pool(arena, initTables(arena), noKernels(), io, phases);
  const served = serve(io, phases);
  const endpoint = {
    attach: async (...args: Parameters<typeof served.attach>) => served.attach(...args),
    run: async (...args: Parameters<typeof served.run>) => structuredClone(served.run(...structuredClone(args))),
  };
  made.start([{ endpoint, terminate: () => undefined } as unknown as StartedWorker], kernelsModule());
  return made;
}

for (const error of [new HostError("ENOSPC", "No space left on device"), new OutOfMemory("too much"), new ReadFailed("a.o: file is shorter than it was"), new TypeError("a bug")]) {
  failures(`${error.constructor.name} of a worker`, async () => {
    let main: WorkerContext | null = null;
    const made = twoThreads({
      fail: (w) => {
        if (w !== main) throw error;
      },
    });
    main = made.self;
    const failure = await made.run("fail", 8).then((): HostError => assert.unreachable() as never, (reason: unknown) => reason as HostError);
    assert.is(failure.message, error.message);
    if (error instanceof TypeError) assert.match(failure.stack!, "failure.test");
    else assert.is(failure.constructor, error.constructor);
    if (error instanceof HostError) assert.is(failure.code, "ENOSPC");
  });
}

failures("a phase that fails nowhere runs every chunk once", async () => {
  const done: number[] = [];
  const made = twoThreads({ note: (_, chunk) => void done.push(chunk) });
  await made.run("note", 20);
  assert.equal(done.sort((a, b) => a - b), Array.from({ length: 20 }, (_, i) => i));
});

failures.run();
