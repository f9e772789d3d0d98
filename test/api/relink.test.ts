/**
 * Contexts whose files change one after the other: every link gives what a link from nothing gives, byte for byte, by whichever way.
 *
 * Programs are random C modules, compiled; edits are random, too: bytes of contents, sizes, references, symbols, strings, members of
 * archives, files that are gone. How a link was done shows in the passes it ran.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { SHF_ALLOC, SHT_PROGBITS } from "../../as-kernels/shared/elf.ts";
import type { LinkOptions } from "../../ts/api/types.ts";
import { memoryFS } from "../../ts/index.ts";
import { archive, ObjectBuilder } from "../helpers/object.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { contextOf, disposeContexts, sameAsCold, wayOf, type Files } from "../helpers/relinks.ts";
import { temporaryFolder } from "../helpers/tools.ts";

const test = suite("api/relink");
const dir = temporaryFolder("relink");

const MODULES = 6;
/** The last modules are in an archive. */
const ARCHIVED = 4;

/** What a module's source is made of. */
interface Module {
  constant: number;
  statements: number;
  calls: number[];
  strings: string[];
  table: number[];
  helpers: number;
  zeros: number;
  /** Functions that nobody else calls, static variables, sections that are named by hand. */
  extras: number;
  statics: number;
  named: number;
}

function sourceOf(index: number, module: Module): string {
  const { constant, statements, calls, strings, table, helpers, zeros, extras, statics, named } = module;
  return [
    ...Array.from({ length: MODULES }, (_, i) => `extern int f${i}(int); extern const char *name${i}(int); extern int zeros${i}[];`),
    ...Array.from({ length: helpers }, (_, i) => `__attribute__((noinline)) static int helper${i}(int x) { return x * ${i + 3} + zeros${index}[${i}]; }`),
    `int zeros${index}[${zeros}];`,
    ...Array.from({ length: statics }, (_, i) => `static int static${i}${i % 2 === 0 ? "" : ` = ${i}`}; int *of${index}x${i}(void) { return &static${i}; }`),
    ...Array.from({ length: extras }, (_, i) => `int extra${index}x${i}(int x) { return zeros${index}[x] * ${i + 2}; }`),
    ...Array.from({ length: named }, (_, i) => `__attribute__((section("named${i}"), used)) static int in${i} = ${index};`),
    `int (*table${index}[])(int) = {${[...table, index].map((i) => `f${i}`).join(", ")}};`,
    `const char *name${index}(int i) { static const char *const names[] = {${strings.map((text) => JSON.stringify(text)).join(", ")}}; return names[i % ${strings.length}]; }`,
    `int f${index}(int x) {`,
    `  if (x > 100) return ${constant};`,
    ...Array.from({ length: statements }, (_, i) => `  x = (x << ${(i % 5) + 1}) ^ (x >> ${(i % 3) + 1}) ^ ${i * 77};`),
    ...Array.from({ length: helpers }, (_, i) => `  x += helper${i}(x);`),
    ...calls.map((i) => `  x += f${i}(x + 1) + name${i}(x)[0] + zeros${i}[0];`),
    "  return x;",
    "}",
    index === 0 ? "void _start(void) { f0(1); table0[0](2); for (;;); }" : "",
    `float half${index}(float x) { return x * 0.5f; }`,
  ].join("\n");
}

function randomModule(random: Prng, index: number): Module {
  return {
    constant: random.below(1000), statements: random.below(8), calls: [(index + 1) % MODULES], strings: ["one", `of module ${index}`], table: [random.below(MODULES)], helpers: random.below(3), zeros: 8, extras: 0, statics: random.below(2), named: 0,
  };
}

/** Changes one thing. */
function edit(random: Prng, module: Module): void {
  const way = random.below(14);
  if (way === 0) module.constant = random.below(1000);
  else if (way === 1) module.statements = random.below(12);
  else if (way === 2) module.calls.push(random.pick(module.calls));
  else if (way === 3) module.calls.push(random.below(MODULES));
  else if (way === 4) module.strings.push(`text ${random.below(5)}`);
  else if (way === 5) module.table.push(random.below(MODULES));
  else if (way === 6) module.helpers = random.below(4);
  else if (way === 7) module.zeros = 8 + random.below(40);
  else if (way <= 9) module.extras = random.below(4);
  else if (way <= 11) module.statics = random.below(4);
  else if (way === 12) module.named = random.below(3);
  else module.calls = module.calls.slice(0, 1);
}

const compiled = new Map<string, Uint8Array>();

function compile(source: string, flags: string): Uint8Array {
  const key = `${flags}\n${source}`;
  let object = compiled.get(key);
  if (object === undefined) {
    fs.writeFileSync(path.join(dir, "m.c"), source);
    const done = spawnSync("gcc", [...flags.split(" "), "-fno-stack-protector", "-c", "m.c"], { cwd: dir, encoding: "utf8" });
    assert.is(done.status, 0, done.stderr);
    compiled.set(key, (object = new Uint8Array(fs.readFileSync(path.join(dir, "m.o")))));
  }
  return object;
}

/** Another byte somewhere in a loaded section, perhaps in an instruction or in a field that is relocated. */
function flip(random: Prng, object: Uint8Array): Uint8Array {
  const bytes = object.slice();
  const view = new DataView(bytes.buffer);
  const shoff = Number(view.getBigUint64(40, true));
  const sections = Array.from({ length: view.getUint16(60, true) }, (_, i) => shoff + 64 * i).filter((at) => {
    const flags = view.getUint32(at + 8, true);
    return view.getUint32(at + 4, true) === SHT_PROGBITS && (flags & SHF_ALLOC) !== 0 && view.getUint32(at + 32, true) > 0;
  });
  const at = random.pick(sections);
  const offset = view.getUint32(at + 24, true) + random.below(view.getUint32(at + 32, true));
  bytes[offset]! ^= 1 + random.below(255);
  return bytes;
}

test.after(disposeContexts);

const KINDS: { args: string[]; flags: string; options?: LinkOptions }[] = [
  { args: ["-pie", "--gc-sections", "--build-id", "--eh-frame-hdr", "--threads=2"], flags: "-O1 -fPIE -ffunction-sections -fdata-sections" },
  { args: ["--build-id=sha1", "--eh-frame-hdr", "--threads=1"], flags: "-O2 -g -fno-pie" },
  { args: ["-shared", "--build-id=fast", "--hash-style=gnu", "--threads=2"], flags: "-O1 -g -fPIC -ffunction-sections", options: { map: true } },
  { args: ["--gc-sections", "-z", "separate-code", "--threads=1", "-s"], flags: "-O1 -fPIC -fno-plt -mtls-dialect=gnu2 -fdata-sections" },
  { args: ["-pie", "-z", "pack-relative-relocs", "--build-id", "--threads=1"], flags: "-O1 -fPIE" },
];
const EDITS = 16;

for (const [seed, { args, flags, options: more }] of KINDS.entries()) {
  test(`random edits: ${args.join(" ")}`, async () => {
    const random = prng(seed + 1);
    const modules = Array.from({ length: MODULES }, (_, i) => randomModule(random, i));
    const object = (i: number): Uint8Array => compile(sourceOf(i, modules[i]!), flags);
    const objects = modules.map((_, i) => object(i));
    const library = (): Uint8Array => archive(objects.slice(ARCHIVED).map((data, i) => ({ name: `m${ARCHIVED + i}.o`, data })));
    const names = Array.from({ length: ARCHIVED }, (_, i) => `m${i}.o`);
    const files: Files = { ...Object.fromEntries(names.map((name, i) => [name, objects[i]!])), "lib.a": library() };
    const options: LinkOptions = { args: [...args, ...names, "lib.a"], ...more };
    const context = await contextOf({ ...options, fs: memoryFS({ ...files }) });
    const first = await context.relink();
    await sameAsCold(first, options, files, "first link");
    let last = first.output;
    for (let step = 0; step < EDITS; step++) {
      const changes: Record<string, Uint8Array | null> = {};
      for (let n = random.between(1, 2); n > 0; n--) {
        const i = random.below(MODULES);
        const how = random.below(8);
        if (how === 0 && i > 0 && i < ARCHIVED) {
          context.update({ [names[i]!]: null });
          const { [names[i]!]: gone, ...rest } = files;
          assert.ok(gone);
          await sameAsCold(await context.relink({ throwOnError: false }), options, rest, `step ${step}: ${names[i]} is gone`);
        }
        if (how <= 3) objects[i] = flip(random, objects[i]!);
        else {
          edit(random, modules[i]!);
          objects[i] = object(i);
        }
        const name = i < ARCHIVED ? names[i]! : "lib.a";
        changes[name] = files[name] = i < ARCHIVED ? objects[i]! : library();
      }
      context.update(changes);
      const result = await context.relink({ throwOnError: false, recycle: step % 3 === 0 ? undefined : last });
      last = result.output;
      await sameAsCold(result, options, files, `step ${step}: ${Object.keys(changes)}`);
    }
  });
}

// ---- the ways ----

const CODE = 6;
const R_X86_64_PLT32 = 4;

/** A function `name` of `size` bytes that calls others; its object mentions `mentions`. */
function functionObject(name: string, size: number, callees: string[], mentions = callees): Uint8Array {
  const object = new ObjectBuilder();
  const text = object.section(".text", { flags: CODE, data: new Uint8Array(size).fill(0x90), align: 16 });
  object.symbol(name, { in: text, type: 2, size });
  const symbols = new Map([...new Set(mentions)].map((callee) => [callee, object.symbol(callee)]));
  callees.forEach((callee, i) => {
    text.data[5 * i] = 0xe8;
    object.reloc(text, 5 * i + 1, R_X86_64_PLT32, symbols.get(callee)!, -4);
  });
  return object.bytes();
}

for (const threads of [1, 2]) {
  test(`a link is taken up where it can be, ${threads} threads`, async () => {
    const files: Files = { "a.o": functionObject("_start", 64, ["f"]), "b.o": functionObject("f", 32, []) };
    const options: LinkOptions = { args: ["a.o", "b.o", "--build-id", `--threads=${threads}`] };
    const context = await contextOf({ ...options, fs: memoryFS({ ...files }) });
    const relink = async (changes: Files): Promise<string> => {
      Object.assign(files, changes);
      context.update(changes);
      const result = await context.relink();
      await sameAsCold(result, options, files, Object.keys(changes).join());
      return wayOf(result);
    };
    const other = functionObject("f", 32, []);
    other[other.indexOf(0x90)] = 0xc3;
    assert.is(await relink({}), "all");
    assert.is(await relink({}), "contents");
    assert.is(await relink({ "b.o": other }), "contents");
    assert.is(await relink({ "b.o": functionObject("f", 32, []) }), "contents");
    assert.is(await relink({ "b.o": functionObject("f", 4000, []) }), "sizes");
    assert.is(await relink({ "b.o": functionObject("f", 4000, []), "a.o": functionObject("_start", 48, ["f"]) }), "sizes");
    assert.is(await relink({ "a.o": functionObject("_start", 48, ["f", "f"]) }), "sizes");
    assert.is(await relink({ "b.o": functionObject("f", 32, ["_start"]) }), "sections");
    assert.is(await relink({ "b.o": functionObject("f", 48, ["_start"]) }), "sizes");
  });
}

for (const gc of [false, true]) {
  test(`calls of what is live come and go${gc ? ", with --gc-sections only come" : ""}`, async () => {
    const caller = (...callees: string[]): Uint8Array => functionObject("_start", 64, callees, ["f", "g"]);
    const files: Files = { "a.o": caller("f"), "b.o": functionObject("f", 32, ["g"]), "c.o": functionObject("g", 32, []) };
    const options: LinkOptions = { args: ["a.o", "b.o", "c.o", ...(gc ? ["--gc-sections"] : [])] };
    const context = await contextOf({ ...options, fs: memoryFS({ ...files }) });
    const relink = async (data: Uint8Array): Promise<string> => {
      files["a.o"] = data;
      context.update({ "a.o": data });
      const result = await context.relink();
      await sameAsCold(result, options, files, "a.o");
      return wayOf(result);
    };
    assert.is(await relink(files["a.o"]!), "all");
    assert.is(await relink(caller("f", "g")), "sizes");
    assert.is(await relink(caller("g", "g", "g")), gc ? "sections" : "sizes");
  });
}

test("the output is the caller's: what is done to it changes no later one", async () => {
  const files: Files = { "a.o": functionObject("_start", 64, []) };
  const options: LinkOptions = { args: ["a.o"] };
  const context = await contextOf({ ...options, fs: memoryFS(files) });
  for (let i = 0; i < 4; i++) {
    const result = await context.relink();
    await sameAsCold(result, options, files, `link ${i}`);
    result.output.fill(0);
  }
});

for (const threads of [1, 2]) {
  test(`the memory of an output that is given back becomes the next output, ${threads} threads`, async () => {
    const random = prng(threads);
    const files: Files = { "a.o": functionObject("_start", 64, ["f"]), "b.o": functionObject("f", 32, []) };
    const options: LinkOptions = { args: ["a.o", "b.o", "--build-id", "-z", "separate-code", `--threads=${threads}`] };
    const context = await contextOf({ ...options, fs: memoryFS({ ...files }) });
    let last = (await context.relink()).output;
    let reused = 0;
    for (let i = 0; i < 12; i++) {
      const { byteLength } = last.buffer;
      last.fill(0x5a);
      files["b.o"] = functionObject("f", random.pick([32, 48, 4000, 9000]), []);
      context.update(files);
      const result = await context.relink({ recycle: last });
      await sameAsCold(result, options, files, `link ${i}`);
      assert.is(last.length, 0);
      last = result.output;
      reused += Number(last.buffer.byteLength === byteLength);
    }
    assert.ok(reused > 4, `${reused} outputs in the memory of the one before`);
    await sameAsCold(await context.relink({ recycle: last }), options, files, "again");
    // What is empty already, or cannot be taken away, is new memory.
    await sameAsCold(await context.relink({ recycle: last }), options, files, "empty");
    await sameAsCold(await context.relink({ recycle: new Uint8Array(new SharedArrayBuffer(1 << 16)) as Uint8Array as Uint8Array<ArrayBuffer> }), options, files, "shared");
  });
}

test("a buffer that is changed in place and given again is another file", async () => {
  const files: Files = { "a.o": functionObject("_start", 64, []) };
  const options: LinkOptions = { args: ["a.o"] };
  const context = await contextOf({ ...options, fs: memoryFS({ ...files }) });
  await context.relink();
  for (let i = 0; i < 3; i++) {
    files["a.o"]![files["a.o"]!.indexOf(0x90)] = 0xc3;
    context.update(files);
    await sameAsCold(await context.relink(), options, files, `change ${i}`);
  }
});

test("a file that is found where there was none is linked in place of the other", async () => {
  const [one, two] = [functionObject("_start", 64, []), functionObject("_start", 128, [])];
  const files: Files = { "second/libx.a": archive([{ name: "x.o", data: one }]) };
  const options: LinkOptions = { args: ["-u", "_start", "-Lfirst", "-Lsecond", "-lx"] };
  const context = await contextOf({ ...options, fs: memoryFS({ ...files }) });
  await context.relink();
  files["first/libx.a"] = archive([{ name: "x.o", data: two }]);
  context.update({ "first/libx.a": files["first/libx.a"]! });
  await sameAsCold(await context.relink(), options, files, "found earlier");
});

test("a file may be replaced by one that is broken in any way: what a link says of it is said, and the next good one is linked", async () => {
  const random = prng(11);
  const [start, good] = [functionObject("_start", 64, ["f"]), functionObject("f", 64, [])];
  const options: LinkOptions = { args: ["a.o", "b.o"] };
  const context = await contextOf({ ...options, fs: memoryFS({ "a.o": start, "b.o": good }) });
  await context.relink();
  let refused = 0;
  for (let i = 0; i < 400; i++) {
    const bytes = new Uint8Array(good);
    // Mostly the ELF header, which says where everything is.
    for (let k = random.between(1, 3); k > 0; k--) bytes[random.below(random.chance(0.7) ? 64 : bytes.length)] = random.pick([0, 128, 255, random.below(256)]);
    const files: Files = { "a.o": start, "b.o": bytes };
    context.update(files);
    const result = await context.relink({ throwOnError: false });
    refused += Number(!result.ok);
    if (i % 4 === 0) await sameAsCold(result, options, files, `change ${i}`);
    if (i % 3 > 0) continue;
    context.update({ "b.o": good });
    await sameAsCold(await context.relink(), options, { "a.o": start, "b.o": good }, `good again, ${i}`);
  }
  assert.ok(refused > 100, `${refused} broken objects`);
});

test.run();
