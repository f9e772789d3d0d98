import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseDynamicList } from "../../ts/script/dynamic-list.ts";
import { ScriptError } from "../../ts/script/lexer.ts";
import { parseVersionScript } from "../../ts/script/version-script.ts";
import { sprinkle } from "../helpers/mutate.ts";
import { prng } from "../helpers/prng.ts";

const names = (list: { pattern: string }[]): string[] => list.map((p) => p.pattern);

function message(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ScriptError) return error.message;
    throw error;
  }
  return "no error";
}

const bad = (text: string): string => message(() => parseVersionScript(text, "x.ver"));

test("named versions with parents", () => {
  const nodes = parseVersionScript(
    `/* first */ V1.0 { global: foo; bar*; local: *; };
     # second
     V2.0 { baz; } V1.0;
     "V 3" { global: a; local: b; global: c; } V1.0 V2.0;`,
    "x",
  );
  assert.equal(nodes.map((n) => [n.name, names(n.globals), names(n.locals), n.parents]), [
    ["V1.0", ["foo", "bar*"], ["*"], []],
    ["V2.0", ["baz"], [], ["V1.0"]],
    ["V 3", ["a", "c"], ["b"], ["V1.0", "V2.0"]],
  ]);
  assert.equal(nodes[0]?.globals, [{ pattern: "foo", cxx: false, exact: true }, { pattern: "bar*", cxx: false, exact: false }]);
});

test("the anonymous version, tight and loose", () => {
  assert.equal(parseVersionScript("{global:foo;local:*;};", "x"), parseVersionScript("{ global : foo ; local : * ; } ;\n", "x"));
  assert.is(parseVersionScript("{};", "x")[0]?.name, "");
  assert.equal(parseVersionScript("", "x"), []);
});

test("what rustc writes", () => {
  const node = parseVersionScript("{\n  global:\n    rust_eh;\n    _ZN3foo17h0E;\n\n  local:\n    *;\n};", "list")[0];
  assert.equal(names(node?.globals ?? []), ["rust_eh", "_ZN3foo17h0E"]);
});

test("extern names languages, quotes make patterns exact", () => {
  const node = parseVersionScript(
    `{ global: extern "C++" { std::foo*; "ns::f(int, char*)"; operator*; ns::a::b }; extern "C" { c; }; extern; local: extern "C++" { "x*"; }; };`,
    "x",
  )[0];
  assert.equal(node?.globals, [
    { pattern: "std::foo*", cxx: true, exact: false },
    { pattern: "ns::f(int, char*)", cxx: true, exact: true },
    { pattern: "operator*", cxx: true, exact: false },
    { pattern: "ns::a::b", cxx: true, exact: true },
    { pattern: "c", cxx: false, exact: true },
    { pattern: "extern", cxx: false, exact: true },
  ]);
  assert.equal(node?.locals, [{ pattern: "x*", cxx: true, exact: true }]);
});

test("errors carry file, line, the line and a caret", () => {
  assert.is(bad("V1 {\n\tfoo bar;\n};"), "x.ver:2: ; expected, but got bar\n>>>  foo bar;\n>>>      ^");
  assert.is(bad("{ foo; "), "x.ver:1: unexpected EOF\n>>> { foo; \n>>>       ^");
  assert.match(bad("V1 { a };"), /^x\.ver:1: ; expected, but got \}/);
  assert.match(bad("V1 { a; }"), /^x\.ver:1: unexpected EOF/);
  assert.match(bad("{ a; };\nV1 { b; };"), /^x\.ver:2: anonymous version definition is used in combination/);
  assert.match(bad("V1 { a; };\nV1 { b; };"), /^x\.ver:2: version V1 is defined twice/);
  assert.match(bad("{ globl: a; };"), /global: or local: expected, but got globl:/);
  assert.match(bad('{ extern "Java" { a; }; };'), /Unknown language Java/);
  assert.match(bad("{ foo[; };"), /unmatched '\['/);
  assert.match(bad('{ "foo; };'), /unclosed quote/);
  assert.match(bad("/* "), /unclosed comment/);
  assert.match(bad("hello world"), /\{ expected, but got world/);
  assert.match(bad("; {"), /version name expected/);
});

test("dynamic lists", () => {
  assert.equal(parseDynamicList('{ foo; "b*"; extern "C++" { "a::b"; c::* }; };', "x"), [
    { pattern: "foo", cxx: false, exact: true },
    { pattern: "b*", cxx: false, exact: true },
    { pattern: "a::b", cxx: true, exact: true },
    { pattern: "c::*", cxx: true, exact: false },
  ]);
  assert.equal(names(parseDynamicList("{ global: a; }; { b; };", "x")), ["a", "b"]);
  for (const text of ["", "{ a; }", "{ local: a; };", "V1 { a; };", "{ a; }; x"]) assert.match(message(() => parseDynamicList(text, "d")), /^d:1: /, text);
});

test("no mutation of a script escapes as anything but a ScriptError", () => {
  const script = 'V1 { global: foo; extern "C++" { std::a*; "b c"; }; local: [a-z]*; }; V2 { c; } V1; /* x */';
  const letters = ' {};:"*[]/\\#\n\0\xffa';
  const random = prng(7);
  for (let i = 0; i < 20000; i++) {
    const text = sprinkle(script, letters, random);
    message(() => parseVersionScript(text, "x"));
    message(() => parseDynamicList(text, "x"));
  }
});

test.run();
