/** The shape of multi-line messages and what they say as data; ranges of fields. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { RANGE_EITHER, RANGE_SIGNED, RANGE_UNSIGNED } from "../../as-kernels/shared/reloc.ts";
import * as inputs from "../../ts/diagnostics/input-messages.ts";
import type { Message } from "../../ts/diagnostics/message.ts";
import * as messages from "../../ts/diagnostics/messages.ts";
import { valueRange } from "../../ts/diagnostics/value-range.ts";
import { globalFunctionName } from "../../ts/diagnostics/spelling.ts";
import { vsLocation } from "../../ts/diagnostics/vs-style.ts";
import { HostError } from "../../ts/host/host.ts";
import { scriptError } from "../../ts/script/lexer.ts";

const IN_ARCHIVE = { input: "lib.a", member: "main.o", section: ".text", offset: 4, function: "main", file: "/src/main.c", line: 12 };
const PLACE = { source: "main.c:12 (/src/main.c:12)", text: "main.o:(main) in archive lib.a", ref: IN_ARCHIVE };
const BARE = { source: "", text: "a.o:(.text+0x4)", ref: { input: "a.o", section: ".text", offset: 4 } };
const B = { text: "b.o", ref: { input: "b.o" } };

/** The data of a message, without its text. */
function data(message: Message): Partial<Message> {
  const { text: _, ...rest } = message;
  return rest;
}

test("an undefined symbol: source line over object, then counts and hints", () => {
  const hints = [messages.didYouMean(": ", "ns::g(int)", "", "b.o"), messages.vtableHint()];
  const message = messages.undefinedSymbol({ visibility: "hidden ", symbol: "ns::f(int)", rawSymbol: "_ZN2ns1fEi", references: [PLACE, BARE], more: 2, hints });
  assert.is(
    message.text,
    [
      "undefined hidden symbol: ns::f(int)",
      ">>> referenced by main.c:12 (/src/main.c:12)",
      ">>>               main.o:(main) in archive lib.a",
      ">>> referenced by a.o:(.text+0x4)",
      ">>> referenced 2 more times",
      ">>> did you mean: ns::g(int)",
      ">>> defined in: b.o",
      ">>> the vtable symbol may be undefined because the class is missing its key function (see https://lld.llvm.org/missingkeyfunction)",
    ].join("\n"),
  );
  assert.equal(data(message), {
    code: "UNDEFINED_SYMBOL", symbol: "ns::f(int)", rawSymbol: "_ZN2ns1fEi", at: IN_ARCHIVE, references: [IN_ARCHIVE, BARE.ref],
    hint: "did you mean: ns::g(int)\nthe vtable symbol may be undefined because the class is missing its key function (see https://lld.llvm.org/missingkeyfunction)",
  });
});

test("a duplicate symbol shows both definitions, and is two messages where each has a place of its own", () => {
  const message = messages.duplicateSymbol("foo", PLACE, BARE);
  assert.is(message.text, "duplicate symbol: foo\n>>> defined at main.c:12 (/src/main.c:12)\n>>>            main.o:(main) in archive lib.a\n>>> defined at a.o:(.text+0x4)");
  assert.equal([message.at, message.references], [IN_ARCHIVE, [IN_ARCHIVE, BARE.ref]]);
  assert.equal(message.parts!.map(({ text, at }) => [text, at]), [
    ["duplicate symbol: foo\n>>> defined at main.c:12 (/src/main.c:12)\n>>>            main.o:(main) in archive lib.a", IN_ARCHIVE],
    ["duplicate symbol: foo\n>>> defined at a.o:(.text+0x4)", BARE.ref],
  ]);
  const inFiles = messages.duplicateSymbolInFiles("f", { text: "a.o", ref: { input: "a.o" } }, B);
  assert.equal(inFiles, { code: "DUPLICATE_SYMBOL", text: "duplicate symbol: f\n>>> defined in a.o\n>>> defined in b.o", symbol: "f", at: { input: "a.o" }, references: [{ input: "a.o" }, { input: "b.o" }] });
});

test("a value out of range says place, value, bounds and symbol", () => {
  const range = { type: "R_X86_64_PC32", value: 3000000000n, min: -2147483648n, max: 2147483647n, symbol: "foo", section: "", definedIn: B, debug: false, large: false };
  const message = messages.relocationOutOfRange({ ...range, at: BARE, source: null });
  assert.is(message.text, "a.o:(.text+0x4): relocation R_X86_64_PC32 out of range: 3000000000 is not in [-2147483648, 2147483647]; references 'foo'\n>>> defined in b.o");
  assert.equal(data(message), { code: "RELOCATION_OVERFLOW", symbol: "foo", at: BARE.ref, references: [BARE.ref, B.ref] });
  const withLine = messages.relocationOutOfRange({ ...range, at: BARE, source: { text: "a.c:3", ref: { input: "", file: "a.c", line: 3 } } });
  assert.match(withLine.text, "\n>>> referenced by a.c:3\n>>> defined in b.o");
  assert.equal(withLine.at, { ...BARE.ref, file: "a.c", line: 3 }, "one place");
});

test("relocations that need -fPIC name the symbol or say that it is local; they are about the place that refers", () => {
  const message = messages.recompileWithPic("R_X86_64_32", "foo", B, BARE);
  assert.is(message.text, "relocation R_X86_64_32 cannot be used against symbol 'foo'; recompile with -fPIC\n>>> defined in b.o\n>>> referenced by a.o:(.text+0x4)");
  assert.equal(data(message), { code: "RELOCATION", symbol: "foo", at: BARE.ref, references: [B.ref, BARE.ref] });
  const local = messages.recompileWithPic("R_X86_64_32", "", B, BARE);
  assert.match(local.text, "against local symbol;");
  assert.not("symbol" in local);
  assert.match(messages.notWithShared("R_X86_64_TPOFF32", "t", B, BARE).text, "relocation R_X86_64_TPOFF32 against t cannot be used with -shared; recompile with -fPIC\n");
});

test("messages about files name file and member", () => {
  const member = { path: "lib.a", member: "x.o" };
  assert.equal(inputs.unknownType(member, ""), { code: "UNKNOWN_FILE", text: "lib.a(x.o): unknown file type", at: { input: "lib.a", member: "x.o" } });
  assert.equal(inputs.cannotOpen("dir/a.o", new HostError("ENOENT", "No such file or directory")), { code: "FILE_NOT_FOUND", text: "cannot open dir/a.o: No such file or directory", at: { input: "dir/a.o" } });
  assert.equal(inputs.noLibrary("z", ["./libz.a"], []), { code: "LIBRARY_NOT_FOUND", text: "unable to find library -lz\n>>> skipped incompatible ./libz.a", library: "z" });
  assert.equal(messages.badObject(B, messages.sectionOutsideFile(3, 64, 10, 70)), {
    code: "BAD_OBJECT", text: "b.o: section [index 3] has a sh_offset (0x40) + sh_size (0xa) that is greater than the file size (0x46)", at: { input: "b.o" },
  });
});

test("a message in a script has file and line", () => {
  const { said } = scriptError("SECTIONS {\n  .text\n", "s.ld", 99, "unexpected EOF");
  assert.equal(said, { code: "BAD_SCRIPT", text: "s.ld:2: unexpected EOF\n>>>   .text\n>>>        ^", at: { input: "s.ld", file: "s.ld", line: 2 } });
});

test("--vs-diagnostics: the line, else the object of an undefined symbol, else the file of a duplicate one", () => {
  const undefined_ = (place: typeof PLACE | typeof BARE): Message => messages.undefinedSymbol({ visibility: "", symbol: "f", rawSymbol: "f", references: [place], more: 0, hints: [] });
  assert.is(vsLocation(undefined_(PLACE)), "/src/main.c(12)");
  assert.is(vsLocation(undefined_(BARE)), "a.o");
  assert.is(vsLocation(messages.duplicateSymbol("f", BARE, PLACE)), "");
  assert.is(vsLocation(messages.duplicateSymbolInFiles("f", { text: "lib.a(x.o)", ref: { input: "lib.a", member: "x.o" } }, B)), "lib.a(x.o)");
  assert.is(vsLocation(messages.recompileWithPic("R", "f", B, PLACE)), "/src/main.c(12)");
  assert.is(vsLocation(messages.recompileWithPic("R", "f", B, BARE)), "");
  assert.is(vsLocation(scriptError("a", "s.ld", 0, "unclosed quote").said), "s.ld(1)");
  assert.is(vsLocation({ code: "OTHER", text: "no place" }), "");
});

test("ranges of fields", () => {
  assert.equal(valueRange(8, RANGE_EITHER), { min: -128n, max: 255n, signed: true });
  assert.equal(valueRange(16, RANGE_SIGNED), { min: -32768n, max: 32767n, signed: true });
  assert.equal(valueRange(32, RANGE_UNSIGNED), { min: 0n, max: 4294967295n, signed: false });
});

test("the plain name of a mangled function at global scope", () => {
  assert.is(globalFunctionName("_Z3fooi"), "foo");
  assert.is(globalFunctionName("_ZN1a3fooEi"), "");
  assert.is(globalFunctionName("_Z9fooi"), "");
  assert.is(globalFunctionName("_Z3foo"), "");
});

test.run();
