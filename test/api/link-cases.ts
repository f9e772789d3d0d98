/** What a link takes and gives: files, options, scripts, kinds of output, maps, graphs, diagnostics. Run by cases.ts. */
import type * as Wield from "../../ts/api/types.ts";
import { archive, ObjectBuilder } from "../helpers/object.ts";
import { CODE, DEMO, demo, fail, functionObject, is, ok, R_X86_64_PC32, rejects, same, type Case, type Outputs } from "./case.ts";

export const linkCases: Record<string, Case> = {
  "virtual files link to a program that is not in shared memory": async ({ link }, fixtures) => {
    const { ok: linked, output, diagnostics, text, stats } = await link({ inputs: demo(fixtures), gcSections: true, buildId: "sha1" });
    ok(linked && output.length > 500, "an output");
    ok(output.buffer instanceof ArrayBuffer && output.byteLength === output.buffer.byteLength, "plain memory, all of it");
    is([...output.subarray(0, 4)], [0x7f, 0x45, 0x4c, 0x46], "ELF");
    is([diagnostics, text], [[], ""], "nothing to say");
    is([stats.objects, stats.members, stats.files], [3, 0, 3], "stats");
    is([stats.relocations, stats.symbols], [7 + 1 + 3, 7], "what readelf shows of them");
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
      [{ inputs: [{ name: "a.o", data: undefined }] }, "inputs[0].data: expected bytes, a Blob or a function, but got undefined"],
      [{ inputs: ["a.o", 5] }, "inputs[1]: expected a path or an object, but got 5"],
      [{ inputs: [{ name: "a.o", data: "text" }] }, 'inputs[0].data: expected bytes, a Blob or a function, but got "text"'],
      [{ inputs: [{ name: "a.o", data: Promise.resolve(data) }] }, "inputs[0].data: expected bytes, a Blob or a function, but got a promise"],
      [{ inputs: [{ data }] }, "inputs[0].name: expected a string, but got undefined"],
      [{ inputs: [{ wholeArchive: { group: [{ lib: 1 }] } }] }, "inputs[0].wholeArchive.group[0].lib: expected a string, but got 1"],
      [{ kind: "dll" }, 'kind: expected one of exec, pie, shared, relocatable, but got "dll"'],
      [{ fs: {} }, "fs: expected an object with stat and read, but got an object"],
      [{ gcSections: "yes" }, 'gcSections: expected a boolean, but got "yes"'],
      [{ plugins: [() => 1] }, "plugins[0]: expected an object with setup, but got a function"],
      [{ threads: "2" }, 'threads: expected a number or "auto", but got "2"'],
      [{ script: { name: "x" } }, "script: expected a path or an object with one of data, lib, group, wholeArchive"],
      [{ signal: {} }, "signal: expected an AbortSignal, but got an object"],
      [{ gcsections: true }, "there is no option gcsections: did you mean gcSections"],
    ];
    const nothing = Object.fromEntries(["args", "fs", "output", "kind", "entry", "script", "libraryPaths", "buildId", "threads", "map", "plugins", "signal", "onProgress", "throwOnError"].map((name) => [name, undefined]));
    ok((await link({ ...nothing, inputs: [{ name: "start.o", data: functionObject("_start") }] })).ok, "what is undefined is not there");
    for (const [fields, expected] of wrong) {
      is(await message(() => link(options(fields))), expected, "link");
      is(await message(() => createContext(options(fields))), expected, "createContext");
    }
    const given = await link({ ...options({ inputs: ["-lc"] }), throwOnError: false });
    is(given.diagnostics[0]!.message.split("\n")[1], '>>> inputs are files: options go into args, and a library is { lib: "c" }', "an option as an input");
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
      [async () => new Response(), "its contents are not bytes but a Response"],
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
    is(await codes({ inputs: [a, ""] }), ["FILE_NOT_FOUND"], "a file without a name");
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

  "--reproduce packs what was linked; a page, which has it, says so": async ({ link }, fixtures) => {
    const { ok: packs, files, diagnostics } = await link({ inputs: demo(fixtures), gcSections: true, args: ["--reproduce=r.tar"], throwOnError: false });
    const holds = (files.get("r.tar")?.length ?? 0) > fixtures["start.o"]!.length;
    const said = packs ? [] : ["--reproduce is not there in pages: they have the inputs and the options"];
    is([holds, diagnostics.map(({ message }) => message)], [packs, said], "an archive or a message");
    if (typeof document !== "undefined") ok(!packs, "a page packs nothing");
  },

  "a command line becomes options that a program can change": async (api, fixtures) => {
    const { parseArgs, link } = api;
    const options = parseArgs(["-pie", "--gc-sections", "-o", "prog", "-e", "_start", "--build-id=0xabcd", "start.o", "-lx"]);
    is([options.kind, options.gcSections, options.output, options.entry, [...(options.buildId as Uint8Array)]], ["pie", true, "prog", "_start", [0xab, 0xcd]], "fields");
    is(parseArgs(["a.o"]).kind, "exec", "the default kind");
    const wrong = await rejects((async () => parseArgs(["--gc-sectoins", "a.o"]))(), api, "LINK_FAILED");
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
