/** What programs are told of a message: the same as its data, in UTF-8. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { diagnosticOf } from "../../ts/api/diagnostic.ts";

const test = suite("api/diagnostic");
const bytes = (text: string): string => Buffer.from(text).toString("latin1");

test("what is not known is not there", () => {
  assert.equal(diagnosticOf("warning", { code: "OTHER", text: "something", references: [] }), { severity: "warning", code: "OTHER", message: "something" });
});

test("every string is decoded, numbers stay", () => {
  const message = {
    code: "UNDEFINED_SYMBOL", text: bytes("nicht da: größe\n>>> 日本.o"), symbol: bytes("größe"), rawSymbol: bytes("_größe"), library: bytes("ü"), hint: bytes("maße?"),
    at: { input: bytes("日本.o"), member: bytes("ä"), section: bytes(".ö"), function: bytes("fü"), file: bytes("ü.c"), line: 3, offset: 7 }, references: [{ input: bytes("日本.o") }],
  } as const;
  assert.equal(diagnosticOf("error", message), {
    severity: "error", code: "UNDEFINED_SYMBOL", message: "nicht da: größe\n>>> 日本.o", symbol: "größe", rawSymbol: "_größe", library: "ü", hint: "maße?",
    at: { input: "日本.o", member: "ä", section: ".ö", function: "fü", file: "ü.c", line: 3, offset: 7 }, references: [{ input: "日本.o" }],
  });
});

test.run();
