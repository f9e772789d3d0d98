/** The shape of multi-line messages; ranges and names of relocation types. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as elf from "../../as-kernels/shared/elf.ts";
import { EM_X86_64 } from "../../as-kernels/shared/elf.ts";
import { RANGE_EITHER, RANGE_SIGNED, RANGE_UNSIGNED } from "../../as-kernels/shared/reloc.ts";
import * as messages from "../../ts/diagnostics/messages.ts";
import { relocationName, valueRange } from "../../ts/diagnostics/relocation-words.ts";
import { globalFunctionName } from "../../ts/diagnostics/spelling.ts";

const PLACE = { src: "main.c:12 (/src/main.c:12)", obj: "main.o:(main) in archive lib.a" };
const BARE = { src: "", obj: "a.o:(.text+0x4)" };

test("an undefined symbol: source line over object, then counts and hints", () => {
  const text = messages.undefinedSymbol({ visibility: "hidden ", symbol: "foo", references: [PLACE, BARE], more: 2, hints: messages.didYouMean(": ", "foa", "", "b.o") });
  assert.is(
    text,
    [
      "undefined hidden symbol: foo",
      ">>> referenced by main.c:12 (/src/main.c:12)",
      ">>>               main.o:(main) in archive lib.a",
      ">>> referenced by a.o:(.text+0x4)",
      ">>> referenced 2 more times",
      ">>> did you mean: foa",
      ">>> defined in: b.o",
    ].join("\n"),
  );
});

test("a duplicate symbol shows both definitions", () => {
  assert.is(
    messages.duplicateSymbol("foo", PLACE, BARE),
    "duplicate symbol: foo\n>>> defined at main.c:12 (/src/main.c:12)\n>>>            main.o:(main) in archive lib.a\n>>> defined at a.o:(.text+0x4)",
  );
});

test("a value out of range says place, value, bounds and symbol", () => {
  const text = messages.relocationOutOfRange({
    at: "a.o:(.text+0x1c)", type: "R_X86_64_PC32", value: 3000000000n, min: -2147483648n, max: 2147483647n, symbol: "foo", section: "", definedIn: "b.o", src: "",
    debug: false, large: false,
  });
  assert.is(text, "a.o:(.text+0x1c): relocation R_X86_64_PC32 out of range: 3000000000 is not in [-2147483648, 2147483647]; references 'foo'\n>>> defined in b.o");
});

test("relocations that need -fPIC name the symbol or say that it is local", () => {
  assert.is(
    messages.recompileWithPic("R_X86_64_32", "foo", "b.o", BARE),
    "relocation R_X86_64_32 cannot be used against symbol 'foo'; recompile with -fPIC\n>>> defined in b.o\n>>> referenced by a.o:(.text+0x4)",
  );
  assert.match(messages.recompileWithPic("R_X86_64_32", "", "b.o", BARE), "against local symbol;");
});

test("names and ranges of relocation types", () => {
  for (const [name, r_type] of Object.entries(elf)) if (name.startsWith("R_X86_64_")) assert.is(relocationName(EM_X86_64, r_type), name);
  assert.is(relocationName(EM_X86_64, 39), "Unknown (39)");
  assert.is(relocationName(EM_X86_64, 99), "Unknown (99)");
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
