/** What a program's own functions are asked, answer and throw while a link runs: plugins, contents that come late, signals, progress. Run by cases.ts. */
import type * as Wield from "../../ts/api/types.ts";
import { demo, fail, functionObject, is, ok, rejects, same, type Case } from "./case.ts";

export const functionCases: Record<string, Case> = {
  "plugins resolve, load, supply what is undefined, and hear the end": async ({ link, memoryFS }, fixtures) => {
    const heard: string[] = [];
    const plugin: Wield.LinkPlugin = {
      name: "demo",
      setup({ onResolve, onLoad, onUndefined, onEnd }) {
        onResolve({ filter: /^npm:/ }, ({ path }) => ({ path: path.slice(4), namespace: "npm" }));
        onResolve({ filter: /^steps$/ }, async ({ path, kind }) => (kind === "lib" ? { path, namespace: "npm" } : undefined));
        onLoad({ filter: /.*/, namespace: "npm" }, async ({ path }) => ({ data: fixtures[`${path}.o`]! }));
        onUndefined((symbols) => {
          heard.push(`undefined ${symbols.join()}`);
          return symbols.includes("print") ? [{ name: "late.o", data: fixtures["print.o"]! }] : undefined;
        });
        onEnd(({ ok: linked }) => void heard.push(`end ${linked}`));
      },
    };
    const result = await link({ inputs: ["npm:start", { lib: "steps" }], plugins: [plugin], fs: memoryFS({}), gcSections: true, map: true });
    is(heard, ["undefined print", "end true"], "hooks");
    is([...new Set(result.map!.symbols.map(({ input }) => input))].sort(), ["late.o", "npm:start", "npm:steps"], "names");
    return { plugged: result.output };
  },

  "a signal stops a link, between passes and while files are awaited": async (api, fixtures) => {
    const controller = new AbortController();
    const passes: string[] = [];
    const onProgress = ({ pass, done, total }: Wield.Progress): void => {
      ok(done < total, "done < total");
      passes.push(pass);
      if (pass === "scan-relocs") controller.abort();
    };
    await rejects(api.link({ inputs: demo(fixtures), gcSections: true, signal: controller.signal, onProgress }), api, "ABORTED");
    is([passes[0], passes.at(-1)], ["read-scripts", "scan-relocs"], "passes");
    await rejects(api.link({ inputs: demo(fixtures), signal: controller.signal }), api, "ABORTED");
    const second = new AbortController();
    const never = { name: "never.o", data: () => new Promise<Uint8Array>(() => setTimeout(() => second.abort(), 1)) };
    await rejects(api.link({ inputs: [never], signal: second.signal }), api, "ABORTED");
  },

  "a link that is aborted while a page's worker starts is not begun there": async (api, fixtures) => {
    const engine = api.createEngine();
    const controller = new AbortController();
    let asked = 0;
    const inputs = demo(fixtures);
    const counted = inputs.map((input) => ({ ...(input as Wield.VirtualFile), data: () => (asked++, (input as Wield.VirtualFile).data as Uint8Array) }));
    const aborted = engine.link({ inputs: counted, signal: controller.signal });
    setTimeout(() => controller.abort(), 0);
    await rejects(aborted, api, "ABORTED");
    await engine.link({ inputs, gcSections: true });
    await new Promise((done) => setTimeout(done, 100));
    // Elsewhere nothing has to start.
    if (typeof document !== "undefined") is(asked, 0, "contents that were asked for");
    engine.dispose();
  },

  "what a program's function throws is what the link rejects with; contents that cannot be had are errors of the file": async (api, fixtures) => {
    const inputs = demo(fixtures);
    const missing = inputs.slice(0, 1);
    const own = new RangeError("mine");
    const throws = (): never => {
      throw own;
    };
    const thrown = async (options: Wield.LinkOptions): Promise<unknown> => api.link(options).then(() => "no error", (error: unknown) => error);
    const plugin = (setup: Wield.LinkPlugin["setup"]): Wield.LinkOptions => ({ inputs: ["x:start.o", ...missing], plugins: [{ name: "p", setup }] });
    const options: Record<string, Wield.LinkOptions> = {
      onProgress: { inputs, onProgress: throws },
      "onProgress, late": { inputs, gcSections: true, onProgress: ({ pass }) => (pass === "relocate" ? Promise.reject(own) : undefined) },
      setup: plugin(throws),
      "setup, later": plugin(async () => throws()),
      onResolve: plugin(({ onResolve }) => onResolve({ filter: /./ }, throws)),
      "onResolve, later": plugin(({ onResolve }) => onResolve({ filter: /./ }, async () => throws())),
      onUndefined: { ...plugin(({ onUndefined }) => onUndefined(throws)), inputs: missing },
      "onUndefined, later": { ...plugin(({ onUndefined }) => onUndefined(async () => throws())), inputs: missing },
      onEnd: { ...plugin(({ onEnd }) => onEnd(async () => throws())), inputs },
    };
    for (const [what, each] of Object.entries(options)) ok((await thrown(each)) === own, `${what}: not its own error`);
    const files: Record<string, Wield.LinkOptions> = {
      data: { inputs: [{ name: "f.o", data: throws }] },
      onLoad: { inputs: ["f.o"], plugins: [{ name: "p", setup: ({ onLoad }) => onLoad({ filter: /f\.o/ }, throws) }] },
      stat: { inputs: ["f.o"], fs: { stat: throws, read: throws } },
      read: { inputs: ["f.o"], fs: { stat: async () => ({ size: 3 }), read: async () => throws() } },
    };
    for (const [what, each] of Object.entries(files)) is((await rejects(api.link(each), api, "LINK_FAILED")).diagnostics[0]!.message, "cannot open f.o: mine", what);
    const context = await api.createContext({ inputs, gcSections: true });
    ok((await context.relink({ onProgress: throws }).catch((error: unknown) => error)) === own, "relink: not its own error");
    same((await context.relink()).output, (await api.link({ inputs, gcSections: true })).output, "the next link");
    let watched: unknown;
    try {
      for await (const _ of context.watch({ onProgress: throws })) fail("a result");
    } catch (error) {
      watched = error;
    }
    ok(watched === own, "watch: not its own error");
    await context.dispose();
    ok((await api.createContext(plugin(throws)).catch((error: unknown) => error)) === own, "createContext: not its own error");
  },

  "what hooks ask for and answer has a shape": async ({ link }, fixtures) => {
    const missing = demo(fixtures).slice(0, 1);
    const message = async (setup: (hooks: any) => unknown): Promise<string> => {
      try {
        await link({ inputs: missing, plugins: [{ name: "p", setup: setup as Wield.LinkPlugin["setup"] }] });
      } catch (error) {
        return error instanceof TypeError ? error.message : `${(error as Error).name}: ${(error as Error).message}`;
      }
      return fail("no error");
    };
    const onUndefined = (answer: unknown): Promise<string> => message((hooks) => hooks.onUndefined(async () => answer));
    is(await onUndefined("a.o"), 'onUndefined\'s answer: expected an array, but got "a.o"', "no array");
    is(await onUndefined({ name: "a.o" }), "onUndefined's answer: expected an array, but got an object", "an object");
    is(await onUndefined([{ name: "a.o" }]), "onUndefined's answer[0]: expected a path or an object with one of data, lib, group, wholeArchive", "no input");
    is(await onUndefined([{ name: "a.o", data: 5 }]), "onUndefined's answer[0].data: expected bytes, a Blob or a function, but got 5", "no bytes");
    is(await message((hooks) => hooks.onResolve({ filter: /./ }, () => "a.o")), 'onResolve\'s answer: expected an object, but got "a.o"', "onResolve");
    is(await message((hooks) => hooks.onResolve({ filter: /./ }, () => ({ namespace: "n" }))), "onResolve's answer: path: expected a string, but got undefined", "no path");
    is(await message((hooks) => hooks.onLoad({ filter: "*" }, () => null)), 'onLoad: filter: expected a RegExp, but got "*"', "a filter");
    is(await message((hooks) => hooks.onEnd("later")), 'onEnd: callback: expected a function, but got "later"', "a callback");
    const { diagnostics } = await link({ inputs: ["f.o"], plugins: [{ name: "p", setup: ({ onLoad }) => onLoad({ filter: /f/ }, () => ({}) as Wield.Loaded) }], throwOnError: false });
    is(diagnostics[0]!.message, "cannot open f.o: onLoad's answer: data: expected bytes, a Blob or a function, but got undefined", "onLoad");
  },

  "a signal ends every wait, and what is answered later is nobody's": async (api, fixtures) => {
    const inputs = demo(fixtures);
    const missing = inputs.slice(0, 1);
    const plugin = (setup: Wield.LinkPlugin["setup"]): Wield.LinkPlugin[] => [{ name: "p", setup }];
    /** Aborts as soon as it is asked; rejects much later, when nobody may care. One timer after the other: two could both be due. */
    const waits = (controller: AbortController) => (): Promise<never> => new Promise((_, failed) => {
      setTimeout(() => {
        controller.abort("enough");
        setTimeout(() => failed(new Error("too late")), 30);
      }, 1);
    });
    const both = (controller: AbortController) => (): Promise<never> => {
      controller.abort("enough");
      return Promise.reject(new Error("too late"));
    };
    const links: Record<string, (wait: () => Promise<never>) => Wield.LinkOptions> = {
      setup: (wait) => ({ inputs, plugins: plugin(wait) }),
      onResolve: (wait) => ({ inputs: ["a.o"], plugins: plugin(({ onResolve }) => onResolve({ filter: /./ }, wait)) }),
      onLoad: (wait) => ({ inputs: ["a.o"], plugins: plugin(({ onLoad }) => onLoad({ filter: /./ }, wait)) }),
      onUndefined: (wait) => ({ inputs: missing, plugins: plugin(({ onUndefined }) => onUndefined(wait)) }),
      onEnd: (wait) => ({ inputs, plugins: plugin(({ onEnd }) => onEnd(wait)) }),
      onProgress: (wait) => ({ inputs, onProgress: wait }),
      data: (wait) => ({ inputs: [{ name: "a.o", data: wait }] }),
      stat: (wait) => ({ inputs: ["a.o"], fs: { stat: wait, read: wait } }),
      read: (wait) => ({ inputs: ["a.o"], fs: { stat: () => ({ size: 1 }), read: wait } }),
    };
    for (const [what, options] of Object.entries(links)) for (const answer of [waits, both]) {
      const controller = new AbortController();
      const error = await rejects(api.link({ ...options(answer(controller)), signal: controller.signal }), api, "ABORTED");
      is([what, (error as unknown as Error).cause], [what, "enough"], "the reason");
    }
    // In a context the next link is not disturbed by what the aborted one was waiting for, nor by its answers.
    let controller = new AbortController();
    let asked = 0;
    const print: Wield.LinkFileSystem = {
      stat: (path) => (path === "print.o" ? { size: fixtures[path]!.length } : undefined),
      read: () => (asked++ === 0 ? (waits(controller)() as Promise<Uint8Array>) : Promise.resolve(fixtures["print.o"]!)),
    };
    const context = await api.createContext({ inputs: [inputs[0]!, "print.o", inputs[2]!], fs: print, gcSections: true });
    const first = context.relink({ signal: controller.signal });
    const queued = new AbortController();
    const second = context.relink({ signal: queued.signal });
    queued.abort();
    await rejects(second, api, "ABORTED");
    await rejects(first, api, "ABORTED");
    const expected = (await api.link({ inputs, gcSections: true })).output;
    same((await context.relink()).output, expected, "the next link");
    await new Promise((done) => setTimeout(done, 40));
    same((await context.relink()).output, expected, "the link after");
    // Waiting for changes ends, too, though nobody answers.
    controller = new AbortController();
    const never = await api.createContext({ inputs: [inputs[0]!, "print.o", inputs[2]!], fs: { stat: (path) => (asked > 10 ? new Promise(() => undefined) : print.stat(path)), read: print.read }, gcSections: true });
    for await (const { ok: linked } of never.watch({ signal: controller.signal, debounceMs: 1, pollMs: 1 })) {
      ok(linked, "a result");
      asked = 11;
      setTimeout(() => controller.abort(), 5);
    }
    await Promise.all([context.dispose(), never.dispose()]);
  },

  "nobody is asked twice for a file in one link, wherever it begins again": async (api, fixtures) => {
    // A page's engine is new: it begins with the quick program and goes on with the complete one, which --icf needs.
    const counts: Record<string, number> = {};
    const count = (what: string): void => void (counts[what] = (counts[what] ?? 0) + 1);
    let ended: Wield.LinkResult | undefined;
    const plugin: Wield.LinkPlugin = {
      name: "counting",
      setup({ onResolve, onLoad, onUndefined, onEnd }) {
        count("setup");
        onResolve({ filter: /./ }, async ({ path, kind }) => (count(`resolve ${kind} ${path}`), path === "x" ? { path: "steps.o", namespace: "x" } : undefined));
        onLoad({ filter: /./, namespace: "x" }, async ({ path }) => (count(`load ${path}`), { data: async () => (count(`loaded ${path}`), fixtures[path]!) }));
        onLoad({ filter: /./ }, async ({ path }) => count(`load ${path}`) as undefined);
        onUndefined(async (symbols) => (count(`undefined ${symbols.join()}`), [{ name: "late.o", data: async () => (count("late.o"), fixtures["print.o"]!) }]));
        onEnd(async (result) => ((ended = result), count("end")));
      },
    };
    const fs: Wield.LinkFileSystem = {
      stat: async (path) => (count(`stat ${path}`), path === "start.o" ? { size: fixtures[path]!.length } : undefined),
      read: async (path) => (count(`read ${path}`), fixtures[path]!),
    };
    const options: Wield.LinkOptions = { args: ["--icf=all", "-Llib"], inputs: ["start.o", { lib: "x" }, { name: "extra.o", data: async () => (count("extra.o"), functionObject("extra")) }], plugins: [plugin], fs, gcSections: true };
    const common = ["setup", "resolve input start.o", "resolve lib x", "load steps.o", "loaded steps.o", "late.o", "undefined print", "end"];
    const check = (what: string, names: string[]): void => {
      for (const name of [...common, ...names]) ok(counts[name] === 1, `${what}: ${name}: ${counts[name] ?? 0} times`);
      is(Object.entries(counts).filter(([, times]) => times > 1), [], `${what}: more than once`);
      for (const name of Object.keys(counts)) delete counts[name];
    };
    const engine = api.createEngine();
    const result = await engine.link(options);
    check("link", ["load start.o", "stat start.o", "read start.o", "extra.o"]);
    engine.dispose();
    const other = api.createEngine();
    const context = await other.createContext(options);
    context.update({ "start.o": async () => (count("updated"), fixtures["start.o"]!) });
    const again = await context.relink();
    same(again.output, result.output, "in a context");
    ok(ended === again, "onEnd is told of another result than the program");
    check("relink", ["updated", "extra.o"]);
    await context.dispose();
    other.dispose();
    return { asked: result.output };
  },
};
