/** Links at the same time and one after the other: engines, threads, contexts. Run by cases.ts. */
import type * as Wield from "../../ts/api/types.ts";
import { archive, ObjectBuilder } from "../helpers/object.ts";
import { CODE, demo, functionObject, is, ok, R_X86_64_PLT32, rejects, same, type Case, type Outputs } from "./case.ts";

export const contextCases: Record<string, Case> = {
  "links that run at once do not disturb each other": async ({ link }, fixtures) => {
    const one = await link({ inputs: demo(fixtures), gcSections: true });
    const other = await link({ inputs: [{ name: "a.o", data: functionObject("_start") }] });
    const both = await Promise.all([0, 1, 2, 3].map((i) => link({ inputs: i % 2 === 0 ? demo(fixtures) : [{ name: "a.o", data: async () => functionObject("_start") }], gcSections: i % 2 === 0 })));
    both.forEach(({ output }, i) => same(output, i % 2 === 0 ? one.output : other.output, `link ${i}`));
  },

  "any number of threads gives the same bytes": async ({ link }, fixtures) => {
    const big = Array.from({ length: 40 }, (_, i) => ({ name: `f${i}.o`, data: functionObject(`f${i}`, i === 39 ? "" : `f${i + 1}`) }));
    const inputs = [...demo(fixtures), ...big];
    const args = ["-u", "f0", "--gc-sections", "--build-id=sha256"];
    const one = await link({ inputs, threads: 1, args });
    for (const threads of [2, 3]) same((await link({ inputs, threads, args })).output, one.output, `${threads} threads`);
    return { threaded: one.output };
  },

  "debug sections are compressed with any number of threads, again and again; a runtime that cannot says so": async ({ createContext, link }) => {
    const object = new ObjectBuilder();
    for (let i = 0; i < 8; i++) object.section(`.debug_note${i}`, { data: Uint8Array.from({ length: 1 << 17 }, (_, k) => (k * k) >> (i + 3)) });
    const inputs = [{ name: "a.o", data: functionObject("_start") }, { name: "d.o", data: object.bytes() }];
    const plain = await link({ inputs });
    for (const kind of ["zlib", "zstd"]) {
      const options = { inputs, args: [`--compress-debug-sections=${kind}`] };
      const one = await link({ ...options, threads: 1, throwOnError: false });
      if (one.ok) ok(one.output.length < plain.output.length, kind);
      else is(one.diagnostics.map(({ message }) => message), [`.debug_note0: compression with ${kind} is not available in this runtime`], kind);
      const context = await createContext({ ...options, threads: 3 });
      for (let i = 0; i < 4; i++) same((await context.relink({ throwOnError: false })).output, one.output, `${kind} ${i}`);
      await context.dispose();
    }
  },

  "an engine links until it is disposed of": async (api, fixtures) => {
    const engine = api.createEngine();
    ok((await engine.threads) >= 1, "threads");
    same((await engine.link({ inputs: demo(fixtures), gcSections: true })).output, (await api.link({ inputs: demo(fixtures), gcSections: true })).output, "the same program");
    const never = engine.link({ inputs: [{ name: "a.o", data: () => new Promise(() => undefined) }] });
    engine.dispose();
    if (typeof document !== "undefined") await rejects(never, api, "DISPOSED");
    await rejects(engine.link({ inputs: demo(fixtures) }), api, "DISPOSED");
    await rejects(engine.createContext({ inputs: demo(fixtures) }), api, "DISPOSED");
  },

  // WebKit has room for 14 memories, and gives them back when it likes: each is used by the next.
  "a hundred contexts and as many links, one after the other, find room": async ({ createContext, link }, fixtures) => {
    const options = { inputs: demo(fixtures), gcSections: true };
    const { output } = await link(options);
    for (let i = 0; i < 100; i++) {
      same((await link(options)).output, output, `link ${i}`);
      const context = await createContext(options);
      same((await context.relink()).output, output, `context ${i}`);
      await context.dispose();
    }
  },

  "a context gives what a link from nothing gives, after every change": async ({ link, createContext, memoryFS }) => {
    const call = (name: string, ...callees: string[]): Uint8Array => {
      const object = new ObjectBuilder();
      const text = object.section(`.text.${name}`, { flags: CODE, data: callees.flatMap(() => [0xe8, 0, 0, 0, 0]).concat(0xc3), align: 16 });
      object.symbol(name, { in: text, type: 2, size: text.data.length });
      callees.forEach((callee, i) => object.reloc(text, 5 * i + 1, R_X86_64_PLT32, object.symbol(callee), -4));
      return object.bytes();
    };
    const lib = archive(["f", "g", "h"].map((name) => ({ name: `${name}.o`, data: call(name) })));
    const states: Record<string, Wield.ByteSource>[] = [
      {},
      { "main.o": call("_start", "f") },
      { "main.o": call("_start", "f", "g", "h"), "other.o": async () => call("other", "g") },
      { "lib/libf.a": archive(["f", "g", "h", "i"].map((name) => ({ name: `${name}.o`, data: call(name, ...(name === "f" ? ["i"] : [])) }))) },
      { "main.o": new Blob([call("_start").slice()]) },
      {},
    ];
    const files: Record<string, Wield.ByteSource> = { "main.o": call("_start", "g"), "other.o": call("other"), "lib/libf.a": lib };
    const options = (given: Record<string, Wield.ByteSource>): Wield.LinkOptions => ({
      args: ["--build-id=sha1"], inputs: [{ name: "main.o", data: given["main.o"]! }, "other.o", { lib: "f" }], libraryPaths: ["lib"], map: true,
      fs: memoryFS({ "other.o": given["other.o"]!, "lib/libf.a": given["lib/libf.a"]! }),
    });
    const context = await createContext(options(files));
    const outputs: Outputs = {};
    for (const [i, changes] of states.entries()) {
      Object.assign(files, changes);
      context.update(changes);
      const again = await context.relink();
      const cold = await link(options(files));
      same(again.output, cold.output, `state ${i}`);
      is(again.map, cold.map, `map of state ${i}`);
      is(again.incremental, i === 0 ? { reused: 0, changed: [] } : { reused: 3 - Object.keys(changes).length, changed: Object.keys(changes).sort() }, `what was kept for state ${i}`);
      outputs[`state ${i}`] = again.output;
    }
    await context.dispose();
    return outputs;
  },

  "a context survives links that fail or are aborted, and ends": async (api, fixtures) => {
    const context = await api.createContext({ inputs: demo(fixtures), gcSections: true });
    const good = await context.relink();
    context.update({ "steps.o": new Uint8Array([1, 2, 3]) });
    is((await rejects(context.relink(), api, "LINK_FAILED")).diagnostics[0]!.code, "UNKNOWN_FILE", "code");
    is((await context.relink({ throwOnError: false })).ok, false, "ok");
    context.update({ "steps.o": null });
    is((await context.relink({ throwOnError: false })).diagnostics[0]!.code, "FILE_NOT_FOUND", "a file that is gone");
    context.update({ "steps.o": undefined });
    same((await context.relink()).output, good.output, "as it was");
    // Of several updates the last one counts, whatever the file is called; a link that is aborted takes none away.
    context.update({ "steps.o": null });
    context.update({ "./steps.o": fixtures["steps.o"]! });
    context.update({ "steps.o": null });
    is((await context.relink({ throwOnError: false })).diagnostics[0]!.code, "FILE_NOT_FOUND", "gone again");
    context.update({ "./steps.o": fixtures["steps.o"]! });
    await rejects(context.relink({ signal: AbortSignal.abort() }), api, "ABORTED");
    same((await context.relink()).output, good.output, "under another name");
    context.update({ "./steps.o": undefined });
    const controller = new AbortController();
    await rejects(context.relink({ signal: controller.signal, onProgress: ({ pass }) => void (pass === "relocate" && controller.abort()) }), api, "ABORTED");
    const [one, two] = await Promise.all([context.relink(), context.relink({ onProgress: () => undefined })]);
    same(one.output, good.output, "one");
    same(two.output, good.output, "two");
    // Whoever disposes of it, also a second time, waits for the link that runs.
    let last: Promise<unknown> | undefined;
    await new Promise<void>((begun) => (last = context.relink({ onProgress: () => begun() })));
    let first = false;
    void context.dispose().then(() => (first = true));
    await context.dispose();
    ok(first, "the second ends with the first");
    await last;
    await rejects(context.relink(), api, "DISPOSED");
  },

  "what is updated while a link runs is for the next one; a Map says the same as an object": async ({ createContext, link }) => {
    // The script is read before what it names.
    const script = new TextEncoder().encode("INPUT(b.o)");
    const parts = (symbol: string): Record<string, Uint8Array> => ({ "a.o": functionObject("_start", symbol), "b.o": functionObject(symbol) });
    const of = async (symbol: string): Promise<Uint8Array> => (await link({ inputs: Object.entries(parts(symbol)).map(([name, data]) => ({ name, data })) })).output;
    const context = await createContext({ inputs: ["a.o", "lib.ld"] });
    const sources: Record<string, Wield.ByteSource> = { ...parts("f"), "lib.ld": async () => (context.update({ ...parts("other_function"), "lib.ld": script }), script) };
    context.update(new Map(Object.entries(sources)));
    same((await context.relink()).output, await of("f"), "before");
    same((await context.relink()).output, await of("other_function"), "after");
    await context.dispose();
  },

  "watch links after every change": async ({ createContext }, fixtures) => {
    const context = await createContext({ inputs: demo(fixtures), gcSections: true });
    const seen: boolean[] = [];
    const controller = new AbortController();
    for await (const { ok: linked } of context.watch({ debounceMs: 1, signal: controller.signal })) {
      seen.push(linked);
      if (seen.length === 1) context.update({ "print.o": null });
      if (seen.length === 2) setTimeout(() => context.update({ "print.o": fixtures["print.o"]! }), 5);
      if (seen.length === 3) controller.abort();
    }
    is(seen, [true, false, true], "results");
    await context.dispose();
  },

  "a context with threads": async ({ link, createContext }, fixtures) => {
    const big = Array.from({ length: 40 }, (_, i) => ({ name: `f${i}.o`, data: functionObject(`f${i}`, i === 39 ? "" : `f${i + 1}`) }));
    const options: Wield.LinkOptions = { inputs: [...demo(fixtures), ...big], args: ["-u", "f0", "--gc-sections"] };
    const context = await createContext({ ...options, threads: 2 });
    await context.relink();
    for (let i = 0; i < 5; i++) {
      const data = functionObject(`f${3 * i}`, i === 2 ? "" : "f39");
      context.update({ [`f${3 * i}.o`]: data });
      big[3 * i]!.data = data;
      same((await context.relink()).output, (await link({ ...options, inputs: [...demo(fixtures), ...big], threads: 1 })).output, `link ${i}`);
    }
    await context.dispose();
  },

  "threads see what is in the same bytes now": async ({ link, createContext }) => {
    const objects = Array.from({ length: 200 }, (_, i) => ({ name: `f${i}.o`, data: functionObject(`f${i}`) }));
    // Where each is in its file: the nop of functionObject.
    const nop = objects[0]!.data.indexOf(0x90);
    const options: Wield.LinkOptions = { inputs: [{ name: "start.o", data: functionObject("_start") }, ...objects] };
    const context = await createContext({ ...options, threads: 3 });
    await context.relink();
    for (let i = 0; i < 6; i++) {
      await new Promise((done) => setTimeout(done, 20));
      // Files that were said again change places in memory.
      const changed = objects.filter((_, at) => i % 2 === 0 || at % 2 === 0);
      changed.forEach(({ data }, at) => void (data[nop] = i + at));
      context.update(Object.fromEntries(changed.map(({ name, data }) => [name, data])));
      same((await context.relink()).output, (await link({ ...options, threads: 1 })).output, `link ${i}`);
    }
    await context.dispose();
  },
};
