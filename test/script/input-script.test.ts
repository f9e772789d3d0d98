import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseInputScript } from "../../ts/script/input-script.ts";
import { ScriptError } from "../../ts/script/lexer.ts";
import { sprinkle } from "../helpers/mutate.ts";
import { prng } from "../helpers/prng.ts";

const inputs = (text: string): unknown[] => parseInputScript(text, "x").inputs.map((i) => [i.kind === "library" ? "-l" + i.name : i.name, i.asNeeded]);

function message(text: string): string {
  try {
    parseInputScript(text, "libx.so");
  } catch (error) {
    if (error instanceof ScriptError) return error.message;
    throw error;
  }
  return "no error";
}

test("libc.so of glibc", () => {
  const script = parseInputScript(
    `/* GNU ld script
   Use the shared library, but some functions are only in
   the static library, so try that secondarily.  */
OUTPUT_FORMAT(elf64-x86-64)
GROUP ( /lib/x86_64-linux-gnu/libc.so.6 /usr/lib/x86_64-linux-gnu/libc_nonshared.a  AS_NEEDED ( /lib64/ld-linux-x86-64.so.2 ) )
`,
    "libc.so",
  );
  assert.equal(script.outputFormat, ["elf64-x86-64"]);
  assert.equal(script.inputs.map(({ wrong, ...input }) => input), [
    { kind: "file", name: "/lib/x86_64-linux-gnu/libc.so.6", asNeeded: false },
    { kind: "file", name: "/usr/lib/x86_64-linux-gnu/libc_nonshared.a", asNeeded: false },
    { kind: "file", name: "/lib64/ld-linux-x86-64.so.2", asNeeded: true },
  ]);
});

test("libm.a, libgcc_s.so, libncurses.so", () => {
  assert.equal(inputs("GROUP ( /usr/lib/libm-2.36.a /usr/lib/libmvec.a )"), [["/usr/lib/libm-2.36.a", false], ["/usr/lib/libmvec.a", false]]);
  assert.equal(inputs("GROUP ( libgcc_s.so.1 -lgcc )"), [["libgcc_s.so.1", false], ["-lgcc", false]]);
  assert.equal(inputs("INPUT(libncurses.so.6 -ltinfo)"), [["libncurses.so.6", false], ["-ltinfo", false]]);
});

test("spellings of lists", () => {
  assert.equal(inputs('INPUT(a,b , "c d.o" =/e $SYSROOT/f -l:g.a "-lh")'), [["a", false], ["b", false], ["c d.o", false], ["=/e", false], ["$SYSROOT/f", false], ["-l:g.a", false], ["-lh", false]]);
  assert.equal(inputs("INPUT(a);GROUP(b)GROUP(c);;AS_NEEDED(d)"), [["a", false], ["b", false], ["c", false], ["d", true]]);
  assert.equal(inputs("# comment\nINPUT()"), []);
  assert.equal(inputs(""), []);
});

test("commands beside the inputs", () => {
  const script = parseInputScript('OUTPUT_FORMAT("elf64-x86-64", "elf64-x86-64", "elf64-x86-64") OUTPUT_ARCH(i386:x86-64) TARGET(elf64-x86-64) SEARCH_DIR("=/usr/lib") SEARCH_DIR(/b); ENTRY(_start) EXTERN(a b) OUTPUT(o) STARTUP(crt0.o)', "x");
  assert.is(script.outputFormat.length, 3);
  assert.equal(script.searchDirs, ["=/usr/lib", "/b"]);
  assert.equal([script.entry, script.externs, script.output, script.startup!.name], ["_start", ["a", "b"], "o", "crt0.o"]);
});

test("VERSION holds a version script, at its own lines", () => {
  const script = parseInputScript('INPUT(a)\nVERSION {\n V1 { global: a; extern "C++" { b::c; }; local: *; };\n V2 { d; } V1;\n}\nINPUT(b)', "x");
  assert.equal(script.versionNodes.map((n) => n.name), ["V1", "V2"]);
  assert.is(script.inputs.length, 2);
  assert.match(message("\nVERSION {\n V1 { foo bar; };\n}"), /^libx\.so:3: ; expected, but got bar/);
});

test("INCLUDE reads other scripts, to a depth", () => {
  const files: Record<string, string> = { a: "INPUT(1) INCLUDE b INPUT(3)", b: "INPUT(2)" };
  const script = parseInputScript("INCLUDE a", "x", (name) => files[name]);
  assert.equal(script.inputs.map((i) => i.name), ["1", "2", "3"]);
  assert.throws(() => parseInputScript("INCLUDE a", "x", () => "INCLUDE a"), /there is a cycle in linker script INCLUDEs/);
  assert.throws(() => parseInputScript("INCLUDE a", "x", (name) => `INCLUDE ${name}a`), /nested too deeply/);
  assert.match(message("INCLUDE nofile"), /cannot find linker script nofile/);
});

test("layout commands are read in place, between others", () => {
  const script = parseInputScript("ENTRY(x) a = 1; SECTIONS { .text : { *(.text) } } INPUT(f.o) PROVIDE(b = a); ASSERT(1, \"m\") INPUT(g.o)", "x");
  assert.is(script.entry, "x");
  assert.equal(script.inputs.map((i) => i.name), ["f.o", "g.o"]);
  assert.equal(script.layout!.commands.map((command) => command.kind), ["assign", "output", "assign", "assert"]);
  assert.ok(script.layout!.hasSections);
  assert.is(parseInputScript("INPUT(f.o)", "x").layout, null);
});

test("commands that are not obeyed yet are refused by name and place", () => {
  assert.is(message("ENTRY(x)\nINSERT AFTER .text"), "libx.so:2: linker script command INSERT is not supported yet\n>>> INSERT AFTER .text\n>>> ^");
});

test("junk is one readable error", () => {
  assert.match(message("hello world\n"), /^libx\.so:1: unknown directive: hello\n>>> hello world\n>>> \^$/);
  const junk = message("\x01\x02\x1b[31m" + "z".repeat(100000));
  assert.ok(junk.length < 1000 && !/[\x00-\x09\x0b-\x1f]/.test(junk));
  const far = message("INPUT(" + "a ".repeat(50000) + "{").split("\n");
  assert.is((far[1] as string)[(far[2] as string).indexOf("^")], "{");
  assert.match(message("INPUT(a"), /unexpected EOF/);
  assert.match(message("INPUT(a(b))"), /name expected, but got \(/);
  assert.match(message("INPUT"), /unexpected EOF/);
  assert.match(message("ENTRY(a b)"), /\) expected, but got b/);
  assert.match(message('"INPUT"(a)'), /unknown directive: INPUT/);
});

test("no mutation of a script escapes as anything but a ScriptError", () => {
  const script = 'OUTPUT_FORMAT(elf64-x86-64) GROUP ( /a.so b.a AS_NEEDED ( -lc "d" ) ) VERSION { V1 { a; }; } SEARCH_DIR(x); /* y */ ENTRY(z)';
  const letters = ' {}();,"*[]/\\#=\n\0\xffa';
  const random = prng(9);
  for (let i = 0; i < 20000; i++) message(sprinkle(script, letters, random));
});

test.run();
