/**
 * What the API must do, in every runtime: each case links something and returns the bytes that it got.
 *
 * Not a test file itself: it knows no runtime, so that Node, Bun, Deno and pages run the same code (runtimes/ compares what
 * they return). Fixtures are the demo's objects and, where there is a musl, a static hello world.
 */
import type * as Wield from "../../ts/api/types.ts";
import { ObjectBuilder, archive } from "../helpers/object.ts";

/** What `import … from "wield"` gives, in all runtimes. */
export interface Api {
  link(options: Wield.LinkOptions): Promise<Wield.LinkResult>;
  parseArgs(argv: readonly string[]): Wield.LinkOptions;
  memoryFS(files: Readonly<Record<string, Wield.ByteSource>> | ReadonlyMap<string, Wield.ByteSource>): Wield.LinkFileSystem;
  layerFS(...layers: readonly Wield.LinkFileSystem[]): Wield.LinkFileSystem;
  createContext(options: Wield.LinkOptions): Promise<Wield.LinkContext>;
  createEngine(options?: Wield.EngineOptions): Wield.Engine;
  LinkError: new (...args: never[]) => Error & { code: Wield.LinkErrorCode; diagnostics: readonly Wield.Diagnostic[] };
}

/** Files by name: start.o, print.o, steps.o; hello.o, crt1.o, crti.o, crtn.o, libc.a of musl. */
export type Fixtures = Record<string, Uint8Array>;

export type Outputs = Record<string, Uint8Array>;
type Case = (api: Api, fixtures: Fixtures) => Promise<Outputs | void>;

function fail(message: string): never {
  throw new Error(message);
}

function ok(value: unknown, what: string): asserts value {
  if (!value) fail(what);
}

const shown = (value: unknown): string => JSON.stringify(value, (_, v: unknown) => (typeof v === "bigint" ? `${v}n` : v)) ?? String(value);

function is(value: unknown, expected: unknown, what: string): void {
  if (shown(value) !== shown(expected)) fail(`${what}: expected ${shown(expected)}, got ${shown(value)}`);
}

function same(a: Uint8Array, b: Uint8Array, what: string): void {
  is(a.length, b.length, `${what}: length`);
  const at = a.findIndex((byte, i) => byte !== b[i]);
  if (at >= 0) fail(`${what}: byte ${at} differs`);
}

async function rejects(promise: Promise<unknown>, api: Api, code: string): Promise<{ diagnostics: readonly Wield.Diagnostic[]; message: string }> {
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof api.LinkError)) throw error;
    is(error.code, code, "code of the LinkError");
    return error;
  }
  return fail(`did not reject with ${code}`);
}

const CODE = 6; // SHF_ALLOC | SHF_EXECINSTR
const R_X86_64_PC32 = 2;
const R_X86_64_PLT32 = 4;

/** An object that defines `name` (a nop and a return), and calls `callee`. */
function functionObject(name: string, callee = ""): Uint8Array {
  const object = new ObjectBuilder();
  const text = object.section(`.text.${name}`, { flags: CODE, data: callee === "" ? [0x90, 0xc3] : [0xe8, 0, 0, 0, 0, 0xc3], align: 16 });
  object.symbol(name, { in: text, type: 2, size: text.data.length });
  if (callee !== "") object.reloc(text, 1, R_X86_64_PLT32, object.symbol(callee), -4);
  return object.bytes();
}

const DEMO = ["start.o", "print.o", "steps.o"] as const;
const demo = (fixtures: Fixtures): Wield.VirtualFile[] => DEMO.map((name) => ({ name, data: fixtures[name]! }));

export const cases: Record<string, Case> = {
  "virtual files link to a program that is not in shared memory": async ({ link }, fixtures) => {
    const { ok: linked, output, diagnostics, text, stats } = await link({ inputs: demo(fixtures), gcSections: true, buildId: "sha1" });
    ok(linked && output.length > 500, "an output");
    ok(output.buffer instanceof ArrayBuffer && output.byteLength === output.buffer.byteLength, "plain memory, all of it");
    is([...output.subarray(0, 4)], [0x7f, 0x45, 0x4c, 0x46], "ELF");
    is([diagnostics, text], [[], ""], "nothing to say");
    is([stats.objects, stats.members, stats.files], [3, 0, 3], "stats");
    return { demo: output };
  },

  "bytes, buffers, Blobs, functions and promises are all the same": async ({ link, memoryFS }, fixtures) => {
    const plain = await link({ inputs: demo(fixtures), gcSections: true });
    const [start, print, steps] = DEMO.map((name) => fixtures[name]!);
    const others: Wield.ByteSource[][] = [
      [start!.slice().buffer, new Blob([print!.slice()]), () => steps!],
      [async () => start!, () => Promise.resolve(print!.slice().buffer), new Blob([steps!.slice()])],
    ];
    for (const sources of others) {
      const files = DEMO.map((name, i) => ({ name, data: sources[i]! }));
      same((await link({ inputs: files, gcSections: true })).output, plain.output, "as inputs");
      const fs = memoryFS(Object.fromEntries(files.map(({ name, data }) => [name, data])));
      same((await link({ inputs: [...DEMO], fs, gcSections: true })).output, plain.output, "through a memoryFS");
    }
    return { plain: plain.output };
  },

  "paths of a memoryFS have one meaning however they are spelled": async ({ link, memoryFS }, fixtures) => {
    const fs = memoryFS({ "./start.o": fixtures["start.o"]!, "/print.o": fixtures["print.o"]!, "sub/../steps.o": fixtures["steps.o"]! });
    await link({ inputs: ["/start.o", "x/../print.o", "./steps.o"], fs, gcSections: true });
  },

  "libraries are searched for, archives bring members, layers hide each other": async ({ link, memoryFS, layerFS }) => {
    const lib = archive([{ name: "f.o", data: functionObject("f", "g") }, { name: "unused.o", data: functionObject("unused") }, { name: "g.o", data: functionObject("g") }]);
    const wrong = memoryFS({ "lib/libf.a": functionObject("hidden") });
    const fs = layerFS(memoryFS({ "main.o": functionObject("_start", "f"), "lib/libf.a": async () => lib }), wrong);
    const result = await link({ args: ["-static"], inputs: ["main.o", { lib: "f" }], libraryPaths: ["lib"], fs, map: true });
    is(result.stats.members, 2, "members");
    is(result.map!.symbols.map(({ name, input, member }) => [name, input, member]), [["_start", "main.o", undefined], ["f", "lib/libf.a", "f.o"], ["g", "lib/libf.a", "g.o"]], "symbols");
    const all = await link({ inputs: ["main.o", { wholeArchive: { group: [{ lib: ":libf.a" }] } }], args: ["-Llib"], fs, map: true });
    is(all.stats.members, 3, "members of a whole archive");
    return { found: result.output, whole: all.output };
  },

  "the map tells sections, segments and inputs": async ({ link }) => {
    const { map, output } = await link({ inputs: [{ name: "a.o", data: functionObject("_start") }, { name: "b.o", data: functionObject("dead") }], gcSections: true, map: true });
    const text = map!.sections.find(({ name }) => name === ".text")!;
    is(text.inputs.map(({ input, section, size, offset }) => [input, section, size, offset]), [["a.o", ".text._start", 2, 0]], "inputs of .text");
    is([...output.subarray(text.offset, text.offset + 2)], [0x90, 0xc3], "offset of .text");
    is(text.inputs[0]!.address, text.address, "address");
    ok(map!.segments.some(({ sections, type }) => type === 1 && sections.includes(".text")), "a segment with .text");
    is(map!.discarded.map(({ input, section, size }) => [input, section, size]), [["b.o", ".text.dead", 2]], "discarded");
    ok(map!.text.includes("a.o:(.text._start)"), "the text of the map");
    const relocatable = await link({ inputs: [{ name: "a.o", data: functionObject("f") }], kind: "relocatable", map: true });
    is(relocatable.map!.sections.filter(({ size }) => size > 0).map(({ name }) => name), [".text.f"], "sections of -r");
  },

  "the graph tells who refers to whom, and what keeps a section": async ({ link, memoryFS }) => {
    const fs = memoryFS({ "libf.a": archive([{ name: "f.o", data: functionObject("f"), symbols: ["f"] }]) });
    const inputs = [{ name: "a.o", data: functionObject("_start", "f") }, { name: "b.o", data: functionObject("dead", "f") }, "libf.a"];
    const { graph, output } = await link({ inputs, fs, gcSections: true, graph: true });
    const { objects, sections, symbols, relocations } = graph!;
    const own = sections.filter(({ name }) => name.startsWith(".text."));
    is(own.map(({ name, live }) => [name, live]), [[".text._start", true], [".text.dead", false], [".text.f", true]], "sections");
    is(objects[own[2]!.object], { input: "libf.a", member: "f.o", extracted: { by: own[0]!.object, symbol: "f" } }, "the member");
    const f = symbols.findIndex(({ name }) => name === "f");
    is(own[2]!.why, { kind: "reference", from: sections.indexOf(own[0]!), symbol: f }, "why f is kept");
    is(own[0]!.why!.kind, "root", "why _start is kept");
    is([...relocations.section].map((section, i) => [sections[section]!.name, relocations.offset[i], relocations.names.get(relocations.type[i]!), relocations.symbol[i], relocations.addend[i]]),
      [[".text._start", 1, "R_X86_64_PLT32", f, -4n], [".text.dead", 1, "R_X86_64_PLT32", f, -4n]], "relocations");
    const [start, , callee] = own;
    is([symbols[f]!.address, symbols[f]!.section], [callee!.address, sections.indexOf(callee!)], "the symbol f");
    is(new DataView(output.buffer).getInt32(start!.outputOffset + 1, true), Number(callee!.address! - start!.address!) - 5, "the stored distance");
    is([...functionObject("_start", "f").subarray(start!.inputOffset, start!.inputOffset + 2)], [0xe8, 0], "the bytes in the input");
  },

  "wrong types are TypeErrors that name the place": async ({ link, createContext, memoryFS, layerFS, parseArgs }, fixtures) => {
    const data = fixtures["start.o"]!;
    const options = (wrong: object): Wield.LinkOptions => ({ inputs: [{ name: "start.o", data }], ...wrong });
    const message = async (run: () => unknown): Promise<string> => {
      try {
        await run();
      } catch (error) {
        return error instanceof TypeError ? error.message : fail(`no TypeError: ${String(error)}`);
      }
      return fail("no error");
    };
    const wrong: [object, string][] = [
      [{ args: "-static" }, 'args: expected an array, but got "-static"'],
      [{ args: ["-static", 5] }, "args[1]: expected a string, but got 5"],
      [{ inputs: ["a.o", 5] }, "inputs[1]: expected a path or an object, but got 5"],
      [{ inputs: [{ name: "a.o", data: "text" }] }, 'inputs[0].data: expected bytes, a Blob or a function, but got "text"'],
      [{ inputs: [{ data }] }, "inputs[0].name: expected a string, but got undefined"],
      [{ inputs: [{ wholeArchive: { group: [{ lib: 1 }] } }] }, "inputs[0].wholeArchive.group[0].lib: expected a string, but got 1"],
      [{ kind: "dll" }, 'kind: expected one of exec,pie,shared,relocatable, but got "dll"'],
      [{ fs: {} }, "fs: expected an object with stat and read, but got an object"],
      [{ gcSections: "yes" }, 'gcSections: expected a boolean, but got "yes"'],
      [{ plugins: [() => 1] }, "plugins[0]: expected an object with setup, but got a function"],
      [{ threads: "2" }, 'threads: expected a number or "auto", but got "2"'],
      [{ script: { name: "x" } }, "script: expected a path or an object with one of data,lib,group,wholeArchive"],
      [{ signal: {} }, "signal: expected an AbortSignal, but got an object"],
      [{ gcsections: true }, "there is no option gcsections"],
    ];
    for (const [fields, expected] of wrong) {
      is(await message(() => link(options(fields))), expected, "link");
      is(await message(() => createContext(options(fields))), expected, "createContext");
    }
    is(await message(() => link(undefined as never)), "options: expected an object, but got undefined", "no options");
    is(await message(() => memoryFS({ "a.o": "text" as never })), 'files: a.o: expected bytes, a Blob or a function, but got "text"', "memoryFS");
    is(await message(() => layerFS({} as never)), "layers[0]: expected an object with stat and read, but got an object", "layerFS");
    is(await message(() => parseArgs("-static" as never)), 'argv: expected an array, but got "-static"', "parseArgs");
    const context = await createContext(options({}));
    is(await message(() => context.update({ "start.o": 5 as never })), "changes: start.o: expected bytes, a Blob or a function, but got 5", "update");
    is(await message(() => context.relink({ args: [] } as never)), "there is no option args", "relink");
    await context.dispose();
  },

  "contents that cannot be had are errors of the file": async (api, fixtures) => {
    const { link, memoryFS } = api;
    const gone = new Uint8Array(fixtures["start.o"]!.slice());
    structuredClone(gone, { transfer: [gone.buffer] });
    const sources: [unknown, string][] = [
      [gone, "its contents have been transferred away"],
      [gone.buffer, "its contents have been transferred away"],
      [() => undefined, "its contents are not bytes but undefined"],
      [async () => ({}), "its contents are not bytes but an object"],
      [() => fail("no network"), "no network"],
      [async () => fail("no network"), "no network"],
    ];
    for (const [data, reason] of sources) {
      const { diagnostics } = await rejects(link({ inputs: [{ name: "a.o", data: data as Wield.ByteSource }] }), api, "LINK_FAILED");
      is(diagnostics[0]!.message, `cannot open a.o: ${reason}`, "as an input");
      await rejects(link({ inputs: ["a.o"], fs: memoryFS({ "a.o": data as Wield.ByteSource }) }), api, "LINK_FAILED");
    }
    const view = new DataView(fixtures["start.o"]!.slice().buffer) as unknown as Uint8Array;
    is((await link({ inputs: [{ name: "start.o", data: view }], args: ["-r"] })).ok, true, "any view");
    const odd = { stat: () => ({}) as Wield.FileStat, read: () => new Uint8Array(0) };
    const { diagnostics } = await rejects(link({ inputs: ["a.o"], fs: odd }), api, "LINK_FAILED");
    is(diagnostics[0]!.message, "cannot open a.o: stat gave an object without a size", "stat");
  },

  "errors are data": async (api) => {
    const { link } = api;
    const inputs = [{ name: "main.o", data: functionObject("_start", "_ZN3foo3barEv") }];
    const { diagnostics, message } = await rejects(link({ inputs }), api, "LINK_FAILED");
    const { code, symbol, rawSymbol, severity, references } = diagnostics[0]!;
    is([severity, code, symbol, rawSymbol], ["error", "UNDEFINED_SYMBOL", "foo::bar()", "_ZN3foo3barEv"], "the diagnostic");
    is(references, [{ input: "main.o", section: ".text._start", offset: 1, function: "_start" }], "the place");
    ok(message.startsWith("undefined symbol: foo::bar()"), "the message");
    const quiet = await link({ inputs, throwOnError: false });
    is([quiet.ok, quiet.output.length, quiet.diagnostics.length], [false, 0, 1], "throwOnError: false");
  },

  "every kind of trouble has its code": async ({ link, memoryFS }) => {
    const a = { name: "a.o", data: functionObject("_start") };
    const cut = functionObject("cut").subarray(0, 100);
    const codes = async (options: Wield.LinkOptions): Promise<string[]> => {
      const { diagnostics, ok: linked } = await link({ fs: memoryFS({}), throwOnError: false, ...options });
      ok(!linked, "fails");
      return diagnostics.map(({ code }) => code);
    };
    is(await codes({}), ["NO_INPUT"], "nothing");
    is(await codes({ inputs: ["gone.o", { lib: "gone" }] }), ["FILE_NOT_FOUND", "LIBRARY_NOT_FOUND"], "missing files");
    is(await codes({ inputs: [a, { ...a, name: "b.o" }] }), ["DUPLICATE_SYMBOL"], "twice");
    is(await codes({ args: ["--no-such-option"], inputs: [a] }), ["BAD_OPTION"], "an option");
    is(await codes({ inputs: [a, { name: "cut.o", data: cut }] }), ["BAD_OBJECT"], "half an object");
    is(await codes({ inputs: [a, { name: "text.o", data: new Uint8Array([1, 2, 3, 4]) }] }), ["UNKNOWN_FILE"], "no object");
    is(await codes({ inputs: [a], script: { name: "s.ld", data: new TextEncoder().encode("SECTIONS { .text : { *(.text*) ") } }), ["BAD_SCRIPT"], "a script");
    is(await codes({ inputs: [{ name: "r.o", data: async () => fail("the server said no") }] }), ["FILE_NOT_FOUND"], "a read that fails");
    const far = new ObjectBuilder();
    const text = far.section(".text", { flags: CODE, data: [0, 0, 0, 0] });
    far.symbol("_start", { in: text });
    far.reloc(text, 0, R_X86_64_PC32, far.absolute("far", 0x7fff_ffff_ffffn), 0);
    is(await codes({ inputs: [{ name: "far.o", data: far.bytes() }] }), ["RELOCATION_OVERFLOW"], "a relocation");
  },

  "warnings come with a link that succeeds": async ({ link }) => {
    const { ok: linked, diagnostics } = await link({ inputs: [{ name: "f.o", data: functionObject("f") }] });
    is([linked, diagnostics.map(({ severity, code, symbol }) => [severity, code, symbol])], [true, [["warning", "NO_ENTRY", "_start"]]], "no entry");
  },

  "options that print, print into the result": async ({ link }, fixtures) => {
    const { text, output } = await link({ args: ["--version"] });
    ok(/wield/.test(text) && output.length === 0, "--version");
    const traced = await link({ args: ["--trace", "-Map=out.map", "--cref"], inputs: demo(fixtures), gcSections: true });
    is(traced.text, "start.o\nprint.o\nsteps.o\n", "--trace");
    is([...traced.files.keys()], ["out.map"], "files");
    ok(new TextDecoder().decode(traced.files.get("out.map")).includes("steps.o:(.data.rel.ro.steps)"), "the map file");
  },

  "a command line becomes options that a program can change": async (api, fixtures) => {
    const { parseArgs, link } = api;
    const options = parseArgs(["-pie", "--gc-sections", "-o", "prog", "-e", "_start", "--build-id=0xabcd", "start.o", "-lx"]);
    is([options.kind, options.gcSections, options.output, options.entry, [...(options.buildId as Uint8Array)]], ["pie", true, "prog", "_start", [0xab, 0xcd]], "fields");
    is(parseArgs(["a.o"]).kind, "exec", "the default kind");
    const wrong = await rejects((async () => parseArgs(["--gc-section", "a.o"]))(), api, "LINK_FAILED");
    ok(wrong.diagnostics[0]!.message.includes("did you mean '--gc-sections'"), "a hint");
    await rejects((async () => parseArgs(["--run", "make"]))(), api, "LINK_FAILED");
    const argued = await link({ ...parseArgs(["--gc-sections", "-pie"]), kind: "exec", inputs: demo(fixtures) });
    same(argued.output, (await link({ inputs: demo(fixtures), gcSections: true })).output, "fields win");
  },

  "all kinds of output": async ({ link }) => {
    const inputs = [{ name: "a.o", data: functionObject("_start", "f") }, { name: "b.o", data: functionObject("f") }];
    const outputs: Outputs = {};
    for (const kind of ["exec", "pie", "shared", "relocatable"] as const) {
      const { output } = await link({ inputs, kind });
      is(output[16], kind === "exec" ? 2 : kind === "relocatable" ? 1 : 3, `e_type of ${kind}`);
      outputs[kind] = output;
    }
    const shared = await link({ inputs: [{ name: "u.o", data: functionObject("_start", "_start2") }, { name: "lib.so", data: (await link({ inputs: [{ name: "s.o", data: functionObject("_start2") }], kind: "shared" })).output }], kind: "pie" });
    return { ...outputs, dynamic: shared.output };
  },

  "build-ids of all kinds, debug strings merged": async ({ link }, fixtures) => {
    const outputs: Outputs = {};
    for (const buildId of ["usual", "fast", "md5", "sha1", new Uint8Array([1, 2, 3])] as const) outputs[String(buildId)] = (await link({ inputs: demo(fixtures), gcSections: true, buildId })).output;
    return outputs;
  },

  "compressed debug sections are read": async ({ link }, fixtures) => {
    const inputs = [{ name: "a.o", data: functionObject("_start") }, { name: "zlib.o", data: fixtures["zlib.o"]! }];
    const { output, map } = await link({ inputs, map: true });
    const section = map!.sections.find(({ name }) => name === ".debug_note")!;
    is(new TextDecoder().decode(output.slice(section.offset, section.offset + section.size)), "a section that is not loaded. ".repeat(40), "the section");
    const zstd = await link({ inputs: [inputs[0]!, { name: "zlib.o", data: fixtures["zstd.o"]! }] });
    same(zstd.output, output, "zstd");
    const damaged = fixtures["zlib.o"]!.slice();
    for (let i = 64 + 24 + 8; i < 64 + 24 + 40; i++) damaged[i] = 0xff;
    const { diagnostics } = await link({ inputs: [inputs[0]!, { name: "zlib.o", data: damaged }], throwOnError: false });
    is(diagnostics.map(({ code }) => code), ["BAD_OBJECT"], "damaged");
    const bomb = await link({ inputs: [inputs[0]!, { name: "bomb.o", data: fixtures["bomb.o"]! }], throwOnError: false });
    is(bomb.diagnostics.map(({ code }) => code), ["BAD_OBJECT"], "contents that are more than the section says");
    // Every runtime says the same.
    return { inflated: output, said: new TextEncoder().encode([...diagnostics, ...bomb.diagnostics].map(({ message }) => message).join("\n")) };
  },

  "a linker script is a path or text": async ({ link, memoryFS }) => {
    const text = new TextEncoder().encode("SECTIONS { . = 0x10000; .text : { *(.text*) } end = .; }");
    const inputs = [{ name: "a.o", data: functionObject("_start") }];
    const given = await link({ inputs, script: { name: "s.ld", data: text }, map: true });
    is(given.map!.sections.find(({ name }) => name === ".text")!.address, 0x10000n, "address");
    same((await link({ inputs, script: "dir/s.ld", fs: memoryFS({ "dir/s.ld": () => Promise.resolve(text) }) })).output, given.output, "by path");
    return { scripted: given.output };
  },

  "scripts among the inputs and response files are found in virtual files, also later": async ({ link, memoryFS }, fixtures) => {
    const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
    const fs = memoryFS({ ...fixtures, "lib/libdemo.so": async () => encode("GROUP ( print.o AS_NEEDED ( steps.o ) )"), "rsp": async () => encode("start.o -ldemo -Llib --gc-sections") });
    same((await link({ args: ["@rsp"], fs })).output, (await link({ inputs: demo(fixtures), gcSections: true })).output, "the same program");
  },

  "what is asked of the command line is answered, with what each option is for": async ({ link, memoryFS }) => {
    const { ok: done, text, output } = await link({ args: ["--help"] });
    ok(done && output.length === 0, "a link");
    for (const line of [/^ +--help, --target-help +Print this text and stop$/m, /^ +-g +Ignored: debug information is kept anyway$/m, /^-z keywords:$/m]) ok(line.test(text), `nothing like ${line}`);
    ok(!text.includes("\0"), "an option without a text");
    const asked = (options: Wield.LinkOptions): Promise<string> => link(options).then((result) => result.text);
    is(await asked({ args: ["@rsp"], fs: memoryFS({ rsp: async () => new TextEncoder().encode("--help") }) }), text, "in a response file");
    ok((await asked({ args: ["--version"] })).startsWith("wield"), "version");
    const wrong = await link({ args: ["--no-such-option", "@rsp", "--threads=none"], fs: memoryFS({ rsp: new TextEncoder().encode("--gc-sektions") }), throwOnError: false });
    ok(wrong.diagnostics.some(({ message }) => message.includes("--gc-sections")), "no hint");
    return { asked: new TextEncoder().encode(text), said: new TextEncoder().encode(wrong.diagnostics.map(({ message }) => message).join("\n")) };
  },

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
    is(await onUndefined([{ name: "a.o" }]), "onUndefined's answer[0]: expected a path or an object with one of data,lib,group,wholeArchive", "no input");
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
    /** Aborts as soon as it is asked; rejects much later, when nobody may care. */
    const waits = (controller: AbortController) => (): Promise<never> => new Promise((_, failed) => {
      setTimeout(() => controller.abort("enough"), 1);
      setTimeout(() => failed(new Error("too late")), 30);
    });
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
    for (const [what, options] of Object.entries(links)) {
      const controller = new AbortController();
      const error = await rejects(api.link({ ...options(waits(controller)), signal: controller.signal }), api, "ABORTED");
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
    const plugin: Wield.LinkPlugin = {
      name: "counting",
      setup({ onResolve, onLoad, onUndefined, onEnd }) {
        count("setup");
        onResolve({ filter: /./ }, async ({ path, kind }) => (count(`resolve ${kind} ${path}`), path === "x" ? { path: "steps.o", namespace: "x" } : undefined));
        onLoad({ filter: /./, namespace: "x" }, async ({ path }) => (count(`load ${path}`), { data: async () => (count(`loaded ${path}`), fixtures[path]!) }));
        onLoad({ filter: /./ }, async ({ path }) => count(`load ${path}`) as undefined);
        onUndefined(async (symbols) => (count(`undefined ${symbols.join()}`), [{ name: "late.o", data: async () => (count("late.o"), fixtures["print.o"]!) }]));
        onEnd(async () => count("end"));
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
    same((await context.relink()).output, result.output, "in a context");
    check("relink", ["updated", "extra.o"]);
    await context.dispose();
    other.dispose();
    return { asked: result.output };
  },

  "links that run at once do not disturb each other": async ({ link }, fixtures) => {
    const one = await link({ inputs: demo(fixtures), gcSections: true });
    const other = await link({ inputs: [{ name: "a.o", data: functionObject("_start") }] });
    const both = await Promise.all([0, 1, 2, 3].map((i) => link({ inputs: i % 2 === 0 ? demo(fixtures) : [{ name: "a.o", data: async () => functionObject("_start") }], gcSections: i % 2 === 0 })));
    both.forEach(({ output }, i) => same(output, i % 2 === 0 ? one.output : other.output, `link ${i}`));
  },

  "any number of threads gives the same bytes": async ({ link }, fixtures) => {
    const big = Array.from({ length: 40 }, (_, i) => ({ name: `f${i}.o`, data: functionObject(`f${i}`, i === 39 ? "" : `f${i + 1}`) }));
    const inputs = [...demo(fixtures), ...big];
    const one = await link({ inputs, threads: 1, args: ["-u", "f0", "--gc-sections"] });
    for (const threads of [2, 3]) same((await link({ inputs, threads, args: ["-u", "f0", "--gc-sections"] })).output, one.output, `${threads} threads`);
    return { threaded: one.output };
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
    const controller = new AbortController();
    await rejects(context.relink({ signal: controller.signal, onProgress: ({ pass }) => void (pass === "relocate" && controller.abort()) }), api, "ABORTED");
    const [one, two] = await Promise.all([context.relink(), context.relink({ onProgress: () => undefined })]);
    same(one.output, good.output, "one");
    same(two.output, good.output, "two");
    await context.dispose();
    await rejects(context.relink(), api, "DISPOSED");
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

  "names are UTF-8": async ({ link }) => {
    const { map, diagnostics } = await link({ inputs: [{ name: "größe/日本.o", data: functionObject("_start") }, { name: "ü.o", data: functionObject("f") }], map: true, args: ["--warn-common"] });
    is(map!.symbols.map(({ input }) => input), ["größe/日本.o", "ü.o"], "names");
    is(diagnostics, [], "diagnostics");
  },

  "a static program with musl's libc.a": async ({ link, memoryFS }, fixtures) => {
    if (fixtures["libc.a"] === undefined) return undefined;
    const fs = memoryFS({ ...fixtures, "lib/libc.a": fixtures["libc.a"]! });
    const { output, stats } = await link({ args: ["-static", "--gc-sections", "--build-id"], inputs: ["crt1.o", "crti.o", "hello.o", { lib: "c" }, "crtn.o"], libraryPaths: ["lib"], fs });
    ok(stats.members > 10, "members of libc.a");
    return { hello: output };
  },
};

export interface CaseResult {
  error: string;
  milliseconds: number;
  outputs: Outputs;
}

/** Runs all cases, one after another. */
export async function runCases(api: Api, fixtures: Fixtures): Promise<Record<string, CaseResult>> {
  const results: Record<string, CaseResult> = {};
  for (const [name, body] of Object.entries(cases)) {
    const start = performance.now();
    let outputs: Outputs = {};
    let error = "";
    try {
      outputs = (await body(api, fixtures)) ?? {};
    } catch (thrown) {
      error = `${String(thrown)}\n${(thrown as Error).stack}`;
    }
    results[name] = { error, outputs, milliseconds: performance.now() - start };
  }
  return results;
}
