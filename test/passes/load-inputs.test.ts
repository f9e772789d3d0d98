import { suite } from "uvu";
import * as assert from "uvu/assert";
import { OBJ_INTERNAL, OBJ_RELOCATABLE, OBJ_SHARED, OBJF_AS_NEEDED, OBJF_EXCLUDE_LIBS, OBJF_LAZY } from "../../as-kernels/shared/abi.ts";
import { LinkFailed } from "../../ts/diagnostics/print.ts";
import { inputName } from "../../ts/diagnostics/input-messages.ts";
import { loadInputs } from "../../ts/passes/load-inputs.ts";
import { archive, ObjectBuilder } from "../helpers/object.ts";
import { argument, fixture, latin1, type Files, type Fixture } from "../input/fixture.ts";
import { sharedObject } from "../input/shared-builder.ts";

const test = suite("load-inputs");

const OBJECT = new ObjectBuilder().bytes();
const FOREIGN = OBJECT.slice();
FOREIGN[18] = 183;
const BITCODE = latin1("BC\xc0\xde\x35\x14\0\0");

function load(...args: Parameters<typeof fixture>): Fixture {
  const made = fixture(...args);
  try {
    loadInputs(made.ctx);
  } catch (error) {
    if (!(error instanceof LinkFailed)) throw error;
  }
  return made;
}

const LETTERS = { [OBJF_LAZY]: "lazy", [OBJF_AS_NEEDED]: "as-needed", [OBJF_EXCLUDE_LIBS]: "excluded" };

/** `name flags…` of every file, in id order. */
function files({ ctx }: Fixture): string[] {
  const { obj } = ctx.tables;
  return ctx.inputs.slice(2).map((input) => {
    assert.is(obj.fileId[input.obj], input.id);
    const flags = Object.entries(LETTERS).filter(([bit]) => obj.flags[input.obj]! & Number(bit)).map(([, word]) => word);
    return [inputName(input), ...flags].join(" ");
  });
}

function lib(...names: string[]): Uint8Array {
  return archive(names.map((name) => ({ name, data: OBJECT })));
}

test("gives files their ids in command-line order, after the linker's own object", () => {
  const { ctx } = load({ "a.o": OBJECT, "b.so": sharedObject({ soname: "b" }), "l.a": lib("m.o") }, ["a.o", "l.a", "b.so"]);
  const { obj } = ctx.tables;
  assert.equal([...obj.kind], [0, OBJ_INTERNAL, OBJ_RELOCATABLE, OBJ_RELOCATABLE, OBJ_SHARED]);
  assert.equal([...obj.source].map((row) => ctx.sources[row]), ["", "", "a.o", "l.a", "b.so"]);
  assert.is(obj.offset[3], 68);
  assert.is(obj.bytes[3], OBJECT.length);
  assert.is(ctx.inputs[3]!.offset, 68);
  assert.equal(ctx.sharedObjects.map((input) => input.soname), ["b"]);
  assert.equal(ctx.loadedFiles, ["a.o", "l.a", "b.so"]);
});

test("archive members are lazy, except under --whole-archive", () => {
  assert.equal(files(load({ "l.a": lib("m.o", "n.o") }, ["l.a"])), ["l.a(m.o) lazy", "l.a(n.o) lazy"]);
  assert.equal(files(load({ "l.a": lib("m.o", "n.o") }, [argument("l.a", { wholeArchive: true })])), ["l.a(m.o)", "l.a(n.o)"]);
});

test("objects between --start-lib and --end-lib are lazy", () => {
  assert.equal(files(load({ "a.o": OBJECT, "b.o": OBJECT }, [argument("a.o", { lib: 1 }), "b.o"])), ["a.o lazy", "b.o"]);
});

test("an object named twice is loaded twice, an archive once unless wholly", () => {
  assert.equal(files(load({ "a.o": OBJECT, "l.a": lib("m.o") }, ["a.o", "l.a", "a.o", "l.a"])), ["a.o", "l.a(m.o) lazy", "a.o"]);
  assert.equal(files(load({ "l.a": lib("m.o") }, ["l.a", argument("l.a", { wholeArchive: true })])), ["l.a(m.o) lazy", "l.a(m.o)"]);
});

test("a shared object is loaded once, by path and by soname", () => {
  const x = sharedObject({ soname: "libx.so.1" });
  const { ctx, opened } = load({ "x.so": x, "y/x.so": x }, ["x.so", "x.so", "y/x.so"]);
  assert.is(ctx.inputs.length, 3);
  assert.equal(opened, ["x.so", "y/x.so"]);
});

test("one mention without --as-needed makes a shared object needed", () => {
  const x = { "x.so": sharedObject({ soname: "x" }) };
  const asNeeded = argument("x.so", { asNeeded: true });
  const needed = (inputs: Parameters<typeof fixture>[1]): number => load(x, inputs).ctx.tables.obj.needed[2]!;
  assert.is(needed([asNeeded]), 0);
  assert.is(needed([asNeeded, "x.so"]), 1);
  assert.is(needed(["x.so", asNeeded]), 1);
  assert.equal(files(load(x, [asNeeded])), ["x.so as-needed"]);
});

test("a shared object without a soname is recorded as it was given, or by its base name for -l", () => {
  const x = { "d/libx.so": sharedObject({}) };
  assert.is(load(x, ["d/libx.so"]).ctx.inputs[2]!.soname, "d/libx.so");
  assert.is(load(x, ["-lx"], { libraryPaths: ["d"] }).ctx.inputs[2]!.soname, "libx.so");
});

test("expands scripts in place", () => {
  const made = load(
    {
      "d/libc.so": "/* GNU ld script */\nOUTPUT_FORMAT(elf64-x86-64)\nGROUP ( libc.so.6 n.a AS_NEEDED ( x.so ) )",
      "d/libc.so.6": sharedObject({ soname: "libc.so.6" }),
      "d/n.a": lib("at.o"),
      "d/x.so": sharedObject({ soname: "x" }),
      "a.o": OBJECT,
      "d/libm.a": "GROUP( -lc a.o )",
    },
    ["-lc", argument("-lm", { static: false })],
    { libraryPaths: ["d"] },
  );
  assert.equal(made.err, []);
  assert.equal(files(made), ["d/libc.so.6", "d/n.a(at.o) lazy", "d/x.so as-needed", "a.o"]);
  assert.equal(made.ctx.loadedFiles, ["d/libc.so", "d/libc.so.6", "d/n.a", "d/x.so", "d/libm.a", "a.o"]);
});

test("obeys SEARCH_DIR, ENTRY, EXTERN and OUTPUT of scripts where the command line is silent", () => {
  const { ctx } = load({ s: "SEARCH_DIR(d) ENTRY(go) EXTERN(f g) OUTPUT(prog) INPUT(-lx)", "d/libx.a": lib("m.o") }, ["s"], { noStdlib: false });
  assert.is(ctx.options.entry, "go");
  assert.is(ctx.options.output, "prog");
  assert.equal(ctx.options.undefined, ["f", "g"]);
  assert.equal(ctx.inputs.slice(2).map(inputName), ["d/libx.a(m.o)"]);
});

test("scripts that name the next one twice end", () => {
  const chain = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`s${i}`, `INPUT(s${i + 1} s${i + 1})`]));
  assert.equal(load({ ...chain, s40: "EXTERN(f)" }, ["s0"]).err, ["wield: error: s10: linker scripts are nested too deeply"]);
});

test("a script that includes itself is an error", () => {
  assert.equal(load({ s: "INPUT(t)", t: "INPUT(s)" }, ["s"]).err, ["wield: error: s: linker script includes itself"]);
});

test("skips libraries for other machines and goes on", () => {
  const made = load(
    {
      "1/libx.so": FOREIGN,
      "1/libx.a": archive([{ name: "f.o", data: FOREIGN }]),
      "2/libx.so": "OUTPUT_FORMAT(elf32-i386) INPUT(libx.so.1)",
      "2/libx.a": lib("x.o"),
    },
    ["-lx"],
    { libraryPaths: ["1", "2"], verbose: true },
  );
  assert.equal(files(made), ["2/libx.a(x.o) lazy"]);
  assert.equal(made.out, ["1/libx.so", "1/libx.a", "2/libx.so"].map((path) => `skipping incompatible ${path} when searching for -lx`));
  assert.equal(load({ "1/libx.so": FOREIGN }, ["-lx"], { libraryPaths: ["1"] }).err, [
    "wield: error: unable to find library -lx",
    ">>> skipped incompatible 1/libx.so",
  ]);
});

test("names what cannot be linked", () => {
  const says = (given: Files, input: Parameters<typeof fixture>[1][number], options = {}): string =>
    load(given, [input], options).err.join("\n").replace("wield: error: ", "");
  assert.is(says({}, "a.o"), "cannot open a.o: No such file or directory");
  assert.is(says({}, "/"), "cannot open /: Is a directory");
  assert.is(says({ "a.o": FOREIGN }, "a.o"), "a.o is incompatible with elf_x86_64\n>>> it is 64-bit little-endian ELF for AArch64");
  assert.is(says({ "a.o": "\0\0" }, "a.o"), "a.o: unknown file type");
  assert.is(says({ "a.o": OBJECT.slice(0, 30) }, "a.o"), "a.o: file is too short for an ELF header");
  assert.match(says({ "a.o": "no script\n" }, "a.o"), "a.o:1: ");
  assert.is(says({}, "-lx"), "unable to find library -lx\n>>> no folder was searched: -L names them");
  assert.match(says({ s: "INPUT(x.o)" }, "s"), /s:1: unable to find x\.o\n>>> INPUT\(x\.o\)/);
  assert.is(says({ "x.so": sharedObject({}) }, argument("x.so", { static: true })), "attempted static link of dynamic object x.so");
  assert.match(says({ "x.so": sharedObject({}) }, "x.so", { relocatable: true }), "attempted static link of dynamic object x.so");
  assert.match(says({ "l.a": "!<arch>\nxxxx" }, "l.a"), "l.a: failed to parse archive: truncated or malformed archive (remaining size of archive too small");
  assert.match(says({ "x.so": sharedObject({}).slice(0, 7200) }, "x.so"), "x.so: section header table goes past the end of the file: e_shoff = 0x1c00");
});

test("refuses bitcode by name, and warns of it in archives", () => {
  const says = (input: Parameters<typeof fixture>[1][number]): string =>
    load({ "x.o": BITCODE, "l.a": archive([{ name: "m.o", data: BITCODE }]) }, [input]).err.join("\n");
  assert.match(says("x.o"), /error: x\.o: LLVM bitcode .*-flto/);
  assert.match(says("l.a"), /warning: l\.a\(m\.o\): .*bitcode/);
  assert.match(says(argument("l.a", { wholeArchive: true })), /error: l\.a\(m\.o\): LLVM bitcode/);
});

test("warns of members that are no objects", () => {
  const { err } = load({ "l.a": archive([{ name: "README", data: latin1("hello") }, { name: "m.o", data: OBJECT }]) }, ["l.a"]);
  assert.equal(err, ["wield: warning: l.a: archive member 'README' is neither ET_REL nor LLVM bitcode"]);
});

test("loads thin archives' members from their files", () => {
  const thin = archive([{ name: "x/m.o", data: OBJECT }, { name: "n.o", data: OBJECT }], { thin: true });
  const made = load({ "d/t.a": thin, "d/x/m.o": OBJECT, "d/n.o": OBJECT }, ["d/t.a"]);
  assert.equal(files(made), ["d/t.a(m.o) lazy", "d/t.a(n.o) lazy"]);
  assert.equal(made.ctx.sources, ["", "d/x/m.o", "d/n.o"]);
  assert.equal(load({ "d/t.a": thin, "d/n.o": OBJECT }, ["d/t.a"]).err, [
    "wield: error: d/t.a: could not get the member x/m.o: No such file or directory",
  ]);
});

test("--exclude-libs marks the members of the archives it names", () => {
  const given = { "d/libx.a": lib("m.o"), "liby.a": lib("n.o"), "a.o": OBJECT };
  const excluded = (names: string[]): string[] => files(load(given, ["d/libx.a", "liby.a", "a.o"], { excludeLibs: names })).filter((line) => line.includes("excluded"));
  assert.equal(excluded(["libx.a"]), ["d/libx.a(m.o) lazy excluded"]);
  assert.equal(excluded(["liby"]), ["liby.a(n.o) lazy excluded"]);
  assert.equal(excluded(["ALL"]), ["d/libx.a(m.o) lazy excluded", "liby.a(n.o) lazy excluded"]);
  assert.equal(excluded([]), []);
});

test("--trace prints what is loaded, not what may be", () => {
  const made = load({ "a.o": OBJECT, "x.so": sharedObject({}), "l.a": lib("m.o") }, ["a.o", "l.a", "x.so"], { trace: true });
  assert.equal(made.out, ["a.o", "x.so"]);
});

test("closes what it opens and opens it once", () => {
  const made = load({ "d/libx.a": lib("m.o"), "a.o": OBJECT }, ["a.o", "-lx", "-lx", "-lx"], { libraryPaths: ["d"] });
  assert.equal(made.opened, ["a.o", "d/libx.a"]);
});

test.run();
