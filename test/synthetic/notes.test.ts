/** Small sections: .note.gnu.property, .note.gnu.build-id, .note.package, .interp, .comment, string tables. */
import { createHash, randomFillSync } from "node:crypto";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ISEC_CONSUMED, OBJ_RELOCATABLE } from "../../as-kernels/shared/abi.ts";
import { SHF_ALLOC, SHT_NOTE } from "../../as-kernels/shared/elf.ts";
import type { LinkOptions } from "../../ts/args/link-options.ts";
import type { Context } from "../../ts/context.ts";
import { noteBytes, readNotes, writeNote } from "../../ts/elf/note.ts";
import type { OutputFile } from "../../ts/host/host.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { Pool, type WorkerIo } from "../../ts/memory/pool.ts";
import { digestedOutput } from "../../ts/passes/digest-output.ts";
import { BuildIdSection, DIGEST_PHASES, makeBuildId } from "../../ts/synthetic/build-id.ts";
import { CommentSection } from "../../ts/synthetic/comment.ts";
import { InterpSection } from "../../ts/synthetic/interp.ts";
import { GNU_PROPERTY_X86_FEATURE_1_AND, merge, NotePropertySection, parseProperties, readProperties } from "../../ts/synthetic/note-property.ts";
import { PackageMetadataSection } from "../../ts/synthetic/package-metadata.ts";
import type { SyntheticSection } from "../../ts/synthetic/section.ts";
import { StringTable } from "../../ts/synthetic/string-table.ts";
import { makeWorld, outputSection, type World } from "./world.ts";

const test = suite("notes and names");

const IBT = 1;
const SHSTK = 2;
const FEATURES = GNU_PROPERTY_X86_FEATURE_1_AND;
const ISA_NEEDED = 0xc0008002;
const ISA_USED = 0xc0010002;

const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

function write(ctx: Context, section: SyntheticSection): Uint8Array {
  const out = new Uint8Array(section.size(ctx));
  section.write(ctx, out, 0);
  return out;
}

function propertyNote(properties: [number, number][]): Uint8Array {
  const bytes = new Uint8Array(noteBytes("GNU", properties.length * 16, 8));
  const at = writeNote(bytes, 0, "GNU", 5, properties.length * 16, 8);
  const view = new DataView(bytes.buffer);
  properties.forEach(([type, value], i) => {
    view.setUint32(at + i * 16, type, true);
    view.setUint32(at + i * 16 + 4, 4, true);
    view.setUint32(at + i * 16 + 8, value, true);
  });
  return bytes;
}

/** Objects with the given property notes (null: none), as load-sections leaves them. */
function objects(notes: (Uint8Array | null)[], z: Partial<LinkOptions["z"]> = {}, sh_flags = SHF_ALLOC): World {
  const world = makeWorld({
    files: Object.fromEntries(notes.map((_, i) => [`${i}.o`, null])), symbols: [], options: { z: { ...makeWorld({ symbols: [] }).ctx.options.z, ...z } },
  });
  const { ctx } = world;
  const isec = allocTable(ctx.arena, ctx.tables, "isec", notes.length + 2);
  const contents = new Map<number, Uint8Array>();
  notes.forEach((note, i) => {
    const row = i + 1;
    isec.obj[row] = ctx.objects[i]!;
    isec.sh_type[row] = SHT_NOTE;
    isec.sh_flags[row] = sh_flags;
    isec.name[row] = ctx.arena.put(note === null ? ".note.gnu.propertyX" : ".note.gnu.property");
    isec.size[row] = note?.length ?? 0;
    contents.set(row, note ?? new Uint8Array());
    assert.is(ctx.tables.obj.kind[ctx.objects[i]!], OBJ_RELOCATABLE);
  });
  isec.name[notes.length + 1] = ctx.arena.put(".text");
  ctx.pool = { self: { contents: (row: number, at: number) => ctx.arena.u8.set(contents.get(row)!, at) } } as unknown as Context["pool"];
  readProperties(ctx);
  return world;
}

test("a feature holds only when every object promises it, a need when one has it", () => {
  const world = objects([
    propertyNote([[FEATURES, IBT | SHSTK], [ISA_NEEDED, 1], [ISA_USED, 1]]), propertyNote([[FEATURES, IBT], [ISA_NEEDED, 4], [ISA_USED, 2]]),
  ]);
  assert.equal([...world.ctx.properties], [[FEATURES, IBT], [ISA_NEEDED, 5], [ISA_USED, 3]]);
  assert.equal([...world.ctx.tables.isec.kind], [0, ISEC_CONSUMED, ISEC_CONSUMED, 0]);
});

test("a note that is not loaded counts as any other: rustc's symbols.o has one", () => {
  const world = objects([propertyNote([[FEATURES, IBT | SHSTK]])], {}, 0);
  assert.equal([...world.ctx.properties], [[FEATURES, IBT | SHSTK]]);
  assert.equal([...world.ctx.tables.isec.kind], [0, ISEC_CONSUMED, 0]);
});

test("an object without the note promises nothing", () => {
  const world = objects([propertyNote([[FEATURES, IBT], [ISA_NEEDED, 2], [ISA_USED, 1]]), null]);
  assert.equal([...world.ctx.properties], [[ISA_NEEDED, 2]]);
  assert.is(world.ctx.tables.isec.kind[2], 0);
});

test("-z shstk and -z force-ibt promise it anyway, the latter with a warning per object", () => {
  const world = objects([propertyNote([[FEATURES, IBT]]), null], { forceIbt: true, shstk: true });
  assert.equal([...world.ctx.properties], [[FEATURES, IBT | SHSTK]]);
  assert.equal(world.messages(), ["warning: 1.o: -z force-ibt: file does not have GNU_PROPERTY_X86_FEATURE_1_IBT property"]);
});

test("-z cet-report=error names what is missing", () => {
  assert.equal(objects([propertyNote([[FEATURES, IBT]])], { cetReport: "error" }).messages(), [
    "error: 0.o: -z cet-report: file does not have GNU_PROPERTY_X86_FEATURE_1_SHSTK property",
  ]);
});

test("a property note is written as it is read, sorted", () => {
  const world = objects([propertyNote([[ISA_NEEDED, 3], [FEATURES, SHSTK]])]);
  const bytes = write(world.ctx, new NotePropertySection());
  assert.is(bytes.length, 48);
  const into = new Map<number, number>();
  assert.is(parseProperties(bytes, into), "");
  assert.equal([...into], [[FEATURES, SHSTK], [ISA_NEEDED, 3]]);
});

test("truncated property notes are errors at every length", () => {
  const whole = propertyNote([[FEATURES, IBT], [ISA_NEEDED, 1]]);
  for (let bytes = 12; bytes < whole.length; bytes++) assert.not(parseProperties(whole.slice(0, bytes), new Map()) === "", `${bytes} bytes`);
  const world = objects([whole.slice(0, 30)]);
  assert.equal(world.messages(), ["error: 0.o:(.note.gnu.property): data is too short"]);
});

test("the need of a baseline processor is no need", () => {
  assert.equal([...objects([propertyNote([[ISA_NEEDED, 1]])]).ctx.properties], []);
});

test("unknown properties are left out", () => {
  assert.equal([...merge([new Map([[1, 5]])])], []);
});

/** What is read by the descriptor of an output. */
const outputs: Uint8Array[] = [];

/** Short reads, as files may give them. */
function read(fd: number, into: Uint8Array, position: number): number {
  const part = outputs[fd]!.subarray(position, position + Math.min(into.length, 300_000));
  into.set(part);
  return part.length;
}

function output(bytes: Uint8Array): OutputFile & { written: [Uint8Array, number][] } {
  const written: [Uint8Array, number][] = [];
  const fd = outputs.push(bytes) - 1;
  return { fd, truncate: () => {}, commit: () => {}, abort: () => {}, read: (into, position) => read(fd, into, position), write: (data: Uint8Array, at: number) => void written.push([data, at]), written };
}

function idWorld(buildId: LinkOptions["buildId"]): Context {
  const { ctx } = makeWorld({ symbols: [], options: { buildId } });
  ctx.host = { digest: (name: string) => createHash(name), random: (into: Uint8Array) => void randomFillSync(into) } as unknown as Context["host"];
  ctx.pool = new Pool(ctx.arena, ctx.tables, ctx.kernels, { read, digest: ctx.host.digest } as unknown as WorkerIo, DIGEST_PHASES);
  return ctx;
}

test("build-ids are as long as asked for and depend on every byte", async () => {
  const file = new Uint8Array(2_500_000).map((_, i) => i * 7);
  for (const [kind, bytes] of [["usual", 20], ["fast", 8], ["md5", 16], ["sha1", 20]] as const) {
    const ctx = idWorld(kind);
    // Written in two parts, the second one first: their order must not matter.
    const idOf = (contents: Uint8Array): Promise<Uint8Array> => {
      const target = digestedOutput(ctx, output(contents));
      target.write(contents.subarray(1_000_001), 1_000_001);
      target.write(contents.subarray(0, 1_000_001), 0);
      return makeBuildId(ctx, target, contents.length);
    };
    const id = await idOf(file);
    assert.is(id.length, bytes);
    assert.equal(await idOf(file), id);
    for (const position of [0, 1_048_576, file.length - 1]) {
      const other = file.slice();
      other[position]! ^= 1;
      assert.not.equal(await idOf(other), id, `${kind}, byte ${position}`);
    }
  }
});

test("uuid build-ids are version 4, and differ", async () => {
  const ctx = idWorld("uuid");
  const one = await makeBuildId(ctx, output(new Uint8Array()), 0);
  const two = await makeBuildId(ctx, output(new Uint8Array()), 0);
  assert.is(one.length, 16);
  assert.is(one[6]! >> 4, 4);
  assert.is(one[8]! >> 6, 2);
  assert.not.equal(one, two);
});

test("the descriptor is written where the note is", async () => {
  const ctx = idWorld({ hex: Uint8Array.of(0xde, 0xad, 0xbe, 0xef) });
  const section = new BuildIdSection();
  ctx.osecs.push(outputSection(3, ".note.gnu.build-id", 0x200n, 20, { sh_offset: 0x240 }));
  section.osec = 3;
  section.address = 0x200n;
  assert.ok(section.isNeeded(ctx));
  const note = write(ctx, section);
  assert.equal(readNotes(note, 4), [{ name: "GNU", type: 3, descAt: 16, descBytes: 4 }]);
  const file = output(new Uint8Array(100));
  await section.finish(ctx, file, 100);
  assert.equal(file.written, [[Uint8Array.of(0xde, 0xad, 0xbe, 0xef), 0x250]]);
});

test("--package-metadata is a note with a terminated string", () => {
  const { ctx } = makeWorld({ symbols: [], options: { packageMetadata: '{"a":"b"}' } });
  const note = write(ctx, new PackageMetadataSection());
  assert.equal(readNotes(note, 4), [{ name: "FDO", type: 0xcafe1a7e, descAt: 16, descBytes: 10 }]);
  assert.is(text(note.subarray(16)), '{"a":"b"}\0\0\0');
});

test(".interp is there for dynamic executables with a loader", () => {
  const section = new InterpSection();
  const needed = (options: Partial<LinkOptions>, dynamic = 1): boolean => {
    const { ctx } = makeWorld({ symbols: [], options });
    ctx.params.set("dynamic", dynamic);
    return section.isNeeded(ctx);
  };
  assert.ok(needed({ dynamicLinker: "/lib/ld.so" }));
  assert.not(needed({ dynamicLinker: "/lib/ld.so", shared: true }));
  assert.not(needed({ dynamicLinker: "/lib/ld.so" }, 0));
  assert.not(needed({ dynamicLinker: "" }));
  assert.not(needed({}));
  assert.is(text(write(makeWorld({ symbols: [], options: { dynamicLinker: "/lib/ld.so" } }).ctx, section)), "/lib/ld.so\0");
});

test(".comment names the linker", () => {
  assert.match(text(write(makeWorld({ symbols: [] }).ctx, new CommentSection())), /^Linker: wield \d+\.\d+\.\d+\0$/);
  const { ctx } = makeWorld({ symbols: [] });
  ctx.host = { ...ctx.host, env: (name) => (name === "LLD_VERSION" ? "mine" : undefined) };
  assert.is(text(write(ctx, new CommentSection())), "mine\0");
});

test("string tables store equal strings once", () => {
  const table = new StringTable();
  assert.equal(["a", "", "bc", "a"].map((name) => table.add(name)), [1, 0, 3, 1]);
  const out = new Uint8Array(table.bytes);
  table.write(out);
  assert.is(text(out), "\0a\0bc\0");
  assert.throws(() => table.get("zz"));
});

test.run();
