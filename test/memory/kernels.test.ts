/** The kernels of an instance: all in one table, each a property when it is asked for. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { KERNEL_NAMES } from "../../ts/memory/kernel-types.ts";
import { kernelsModule, kernelsOver } from "../helpers/kernel-memory.ts";

const tests = suite("kernels of an instance");
const memory = (): WebAssembly.Memory => new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });

for (const debug of [false, true]) {
  tests(`the ${debug ? "debug" : "release"} module exports nothing but a table of all kernels`, () => {
    const module = kernelsModule(debug);
    assert.equal(WebAssembly.Module.exports(module).map(({ name, kind }) => [name, kind]), [["kernels", "table"]]);
    const table = new WebAssembly.Instance(module, { env: { memory: memory() } }).exports["kernels"] as WebAssembly.Table;
    assert.is(table.length, KERNEL_NAMES.length);
    assert.ok(KERNEL_NAMES.every((_, i) => typeof table.get(i) === "function"));
  });
}

tests("a kernel is made when it is asked for, once, and what is no kernel is not there", async () => {
  const kernels = kernelsOver(memory());
  assert.equal(Object.getOwnPropertyNames(kernels), []);
  const { adler32, layoutMembers } = kernels;
  assert.equal(Object.getOwnPropertyNames(kernels), ["adler32", "layoutMembers"]);
  assert.is(kernels.adler32, adler32);
  // A u32 is unsigned, an f64 stays what it is.
  assert.is(adler32(0, 0), 1);
  assert.is(layoutMembers(1, 1, 2 ** 40), 2 ** 40);
  assert.is((kernels as unknown as Record<string, unknown>)["noKernel"], undefined);
  assert.is(await kernels, kernels);
});

tests.run();
