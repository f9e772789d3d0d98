/** Links in pages begin with a memory that is not as large as can be: one that needs more is linked again with that, and nobody notices. */
import * as fs from "node:fs";
import * as path from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { localEngine, type LocalEngine } from "../../ts/api/context.ts";
import { linkHere, openHere } from "../../ts/api/local.ts";
import { parseHere } from "../../ts/api/parse-line.ts";
import { memoryFS } from "../../ts/api/file-system.ts";
import type { LinkContext, LinkFileSystem, LinkResult } from "../../ts/api/types.ts";
import type { Platform } from "../../ts/host/virtual.ts";
import { createWebPlatform } from "../../ts/host/web.ts";
import { repoRoot } from "../helpers/tools.ts";

const test = suite("api/outgrown-memory");
const NAMES = ["start.o", "print.o", "steps.o"];
const files = Object.fromEntries(NAMES.map((name) => [name, new Uint8Array(fs.readFileSync(path.join(repoRoot(), "build/demo", name)))]));
const kernels = new WebAssembly.Module(fs.readFileSync(path.join(repoRoot(), "dist/kernels.wasm")));

const engineOf = (platform: Platform): LocalEngine => localEngine({ platform: () => platform, realFiles: () => null, parse: parseHere });

/** How large the memories are that `work` makes. */
async function memoriesOf(work: () => Promise<void>): Promise<number[]> {
  const made: number[] = [];
  const { Memory } = WebAssembly;
  WebAssembly.Memory = class extends Memory {
    constructor(size: WebAssembly.MemoryDescriptor) {
      super(size);
      made.push(size.initial);
    }
  };
  try {
    await work();
    return made;
  } finally {
    WebAssembly.Memory = Memory;
  }
}

/** Links in memory of `pages` ("own": as pages choose it); the memories that were made. */
async function link(pages: number | undefined | "own", fs: LinkFileSystem = memoryFS(files)): Promise<{ result: LinkResult; made: number[] }> {
  const { memoryPages, ...others } = createWebPlatform(kernels, null);
  const platform = pages === undefined ? others : { ...others, memoryPages: pages === "own" ? memoryPages! : () => pages };
  let result: LinkResult | undefined;
  const made = await memoriesOf(async () => {
    result = await linkHere(engineOf(platform), { inputs: NAMES, fs, gcSections: true });
  });
  return { result: result!, made };
}

test("a link that outgrows its memory is linked in a larger one, with the same bytes", async () => {
  const whole = await link(undefined);
  assert.equal(whole.made, [65536]);
  const again = await link(20);
  assert.equal(again.made, [20, 65536]);
  assert.equal(again.result.diagnostics, []);
  assert.ok(Buffer.from(again.result.output).equals(Buffer.from(whole.result.output)));
  const enough = await link(1 << 13);
  assert.equal(enough.made, [1 << 13]);
  assert.ok(Buffer.from(enough.result.output).equals(Buffer.from(whole.result.output)));
});

test("little memory is made where the files are known to be small", async () => {
  const few = await link("own");
  assert.equal(few.made, [768]);
  assert.ok(few.result.ok);
  const asked = await link("own", memoryFS({ ...files, "start.o": () => files["start.o"]! }));
  assert.equal(asked.made, [1 << 13]);
  assert.ok(Buffer.from(asked.result.output).equals(Buffer.from(few.result.output)));
  const many = await link("own", memoryFS({ ...files, "large.o": new Uint8Array(5 << 20) }));
  assert.equal(many.made, [1 << 13]);
});

test("a context begins with some memory, and outgrows it once", async () => {
  const { result: { output } } = await link(undefined);
  for (const [pages, expected] of [[1 << 13, [1 << 13]], [20, [20, 65536]]] as const) {
    const made = await memoriesOf(async () => {
      const platform = { ...createWebPlatform(kernels, null), memoryPages: () => pages };
      const context = await openHere(engineOf(platform), { inputs: NAMES, fs: memoryFS(files), gcSections: true });
      for (const changed of [null, "steps.o", "print.o"]) {
        if (changed !== null) context.update({ [changed]: files[changed]!.slice() });
        assert.ok(Buffer.from((await context.relink()).output).equals(Buffer.from(output)), `${pages} ${changed}`);
      }
      await context.dispose();
    });
    assert.equal(made, expected);
  }
});

test("a context has the memory of one that has ended, unless that is large", async () => {
  const { result: { output } } = await link(undefined);
  const platform = { ...createWebPlatform(kernels, null), memoryPages: () => 1 << 13 };
  const open = (more: Record<string, Uint8Array> = {}): Promise<LinkContext> =>
    openHere(engineOf(platform), { inputs: [...NAMES, ...Object.keys(more)], fs: memoryFS({ ...files, ...more }), gcSections: true });
  const linked = async (context: LinkContext): Promise<Buffer> => Buffer.from((await context.relink()).output);
  const made = await memoriesOf(async () => {
    for (let i = 0; i < 40; i++) {
      const context = await open();
      assert.ok((await linked(context)).equals(Buffer.from(output)), `${i}`);
      // Other files each time: blocks that do not fit them are no reason to have less.
      context.update({ "steps.o": Buffer.concat([files["steps.o"]!, Buffer.alloc(i << 18)]) });
      assert.ok((await linked(context)).equals(Buffer.from(output)), `${i}, longer`);
      await context.dispose();
    }
  });
  assert.equal(made, [1 << 13]);
  const two = await memoriesOf(async () => {
    const contexts = [await open(), await open()];
    for (const context of contexts) assert.ok((await linked(context)).equals(Buffer.from(output)));
    await Promise.all(contexts.map((context) => context.dispose()));
  });
  assert.equal(two, [1 << 13], "the spare one, and another");
  const large = await memoriesOf(async () => {
    for (let i = 0; i < 2; i++) {
      const context = await open({ "large.bin.o": Buffer.concat([files["steps.o"]!, Buffer.alloc(65 << 20)]) });
      await context.relink({ throwOnError: false });
      await context.dispose();
    }
  });
  assert.equal(large, [1 << 13], "what had touched so much is nobody's");
});

test.run();
