/** Messages as data: what describe() reads out of the sentences that messages.ts and input-messages.ts make. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { describe } from "../../ts/api/diagnostic.ts";
import type { Diagnostic } from "../../ts/api/types.ts";
import * as inputs from "../../ts/diagnostics/input-messages.ts";
import * as messages from "../../ts/diagnostics/messages.ts";
import { HostError } from "../../ts/host/host.ts";

const test = suite("api/diagnostic");
const IN_ARCHIVE = { src: "main.c:12 (/src/main.c:12)", obj: "m.o:(main) in archive lib/lib.a" };
const IN_OBJECT = { src: "", obj: "a.o:(.text+0x1C)" };

function parts(message: string): Partial<Diagnostic> {
  const { severity: _, message: __, ...rest } = describe("error", message);
  return rest;
}

test("an undefined symbol: name, all places, hints", () => {
  const message = messages.undefinedSymbol({ visibility: "hidden ", symbol: "ns::f(int)", references: [IN_ARCHIVE, IN_OBJECT], more: 3, hints: messages.didYouMean(": ", "ns::f(long)", "", "b.o") });
  const first = { input: "lib/lib.a", member: "m.o", function: "main", file: "/src/main.c", line: 12 };
  assert.equal(describe("error", message, { tag: "undefined-symbol", name: "_ZN2ns1fEi" }), {
    severity: "error",
    code: "UNDEFINED_SYMBOL",
    message,
    symbol: "ns::f(int)",
    rawSymbol: "_ZN2ns1fEi",
    at: first,
    references: [first, { input: "a.o", section: ".text", offset: 0x1c }],
    hint: "did you mean: ns::f(long)",
  });
});

test("a duplicate symbol: both definitions", () => {
  assert.equal(parts(messages.duplicateSymbol("f", { src: "a.c", obj: "a.o:(.text.f+0x0)" }, IN_ARCHIVE)).references, [
    { input: "a.o", section: ".text.f", offset: 0, file: "a.c" },
    { input: "lib/lib.a", member: "m.o", function: "main", file: "/src/main.c", line: 12 },
  ]);
  assert.equal(parts(messages.duplicateSymbolInFiles("f", "a.o", "b.o")), { code: "DUPLICATE_SYMBOL", symbol: "f", at: { input: "a.o" }, references: [{ input: "a.o" }, { input: "b.o" }] });
});

test("a relocation out of range: the place with its function, the symbol", () => {
  const message = messages.relocationOutOfRange({
    at: "lib.a(a.o):(function f(int): .text+0x1c)", type: "R_X86_64_PC32", value: 5n, min: -1n, max: 1n, symbol: "far", section: "", definedIn: "b.o", src: "a.c:3", debug: false, large: false,
  });
  const { code, symbol, at, references } = parts(message);
  assert.equal([code, symbol, at], ["RELOCATION_OVERFLOW", "far", { input: "lib.a", member: "a.o", section: ".text", offset: 0x1c, function: "f(int)" }]);
  assert.equal(references, [{ input: "", file: "a.c", line: 3 }, { input: "b.o" }]);
});

test("other relocations", () => {
  assert.equal(parts(messages.recompileWithPic("R_X86_64_32", "x", "b.o", IN_OBJECT)), {
    code: "RELOCATION", symbol: "x", at: { input: "b.o" }, references: [{ input: "b.o" }, { input: "a.o", section: ".text", offset: 0x1c }],
  });
  assert.is(parts(messages.unknownRelocation("a.o:(.text+0x0)", 99, "x")).code, "RELOCATION");
  assert.equal(parts(messages.noSizeToCopy("x", "b.so")).symbol, "x");
  assert.is(parts(messages.tlsMismatch("R_X86_64_64", true, "t", "b.o", IN_OBJECT)).symbol, "t");
});

test("files", () => {
  const gone = new HostError("ENOENT", "No such file or directory");
  assert.equal(parts(inputs.cannotOpen("dir/a.o", gone)).code, "FILE_NOT_FOUND");
  assert.equal(describe("error", inputs.noLibrary("z", []), { tag: "missing-lib", name: "z" }).library, "z");
  assert.equal(parts(inputs.noLibrary("z", [])).code, "LIBRARY_NOT_FOUND");
  assert.equal(parts(inputs.unknownType("lib.a(x.o)")), { code: "UNKNOWN_FILE", at: { input: "lib.a", member: "x.o" } });
  assert.equal(parts(inputs.incompatible("a.o", "elf_x86_64")).code, "INCOMPATIBLE_FILE");
  assert.equal(parts(inputs.badArchive("x.a", "truncated")), { code: "BAD_ARCHIVE", at: { input: "x.a" } });
  assert.equal(parts(messages.corruptObject("a.o", messages.sectionOutsideFile(3, 64, 10, 70))), { code: "BAD_OBJECT", at: { input: "a.o" } });
});

test("scripts say file and line", () => {
  assert.equal(parts("s.ld:3: unexpected EOF\n>>> SECTIONS {\n>>>           ^"), { code: "BAD_SCRIPT", at: { input: "s.ld", file: "s.ld", line: 3 } });
});

test("what nobody knows keeps its text", () => {
  assert.equal(describe("warning", "something new"), { severity: "warning", code: "OTHER", message: "something new" });
});

test("bytes are UTF-8", () => {
  assert.is(describe("error", Buffer.from("undefined symbol: größe").toString("latin1")).symbol, "größe");
});

test.run();
