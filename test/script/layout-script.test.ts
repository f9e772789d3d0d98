import { test } from "uvu";
import * as assert from "uvu/assert";
import { textOf } from "../../ts/diagnostics/print.ts";
import { parseInputScript } from "../../ts/script/input-script.ts";
import type { InputDescription, LayoutScript, OutputDescription } from "../../ts/script/layout.ts";
import { ScriptError } from "../../ts/script/lexer.ts";
import { addressOf, evaluateIn, isAbsolute, number, offsetOf, relative, type Environment } from "../../ts/script/script-value.ts";

const parse = (text: string, include?: (name: string) => string | undefined): LayoutScript => parseInputScript(text, "x.ld", include).layout!;
const sections = (body: string): LayoutScript => parse(`SECTIONS { ${body} }`);
const output = (text: string): OutputDescription => sections(text).commands[0] as OutputDescription;
const input = (text: string): InputDescription => output(`.o : { ${text} }`).commands[0] as InputDescription;

function message(text: string): string {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof ScriptError) return error.message;
    throw error;
  }
  return "no error";
}

test("assignments, with every operator, quoted names and comments", () => {
  const layout = sections('a = 1; b=2; /* c = 3; */ . = 0x10; . += 4; "x y" = 1; d <<= 2; PROVIDE(e = 1); PROVIDE_HIDDEN(f = 2); HIDDEN(g = 3); # line\n h = a * (b + 1);');
  assert.equal(
    layout.commands.map((command) => (command.kind === "assign" ? [command.name, command.provide, command.hidden] : command.kind)),
    [["a", false, false], ["b", false, false], [".", false, false], [".", false, false], ["x y", false, false], ["d", false, false], ["e", true, false], ["f", true, true], ["g", false, true], ["h", false, false]],
  );
});

test("output sections: address, type, attributes and what follows the brace", () => {
  const text = parse('SECTIONS { .a 0x1000 (NOLOAD) : AT(0x2000) ALIGN(16) SUBALIGN(8) ONLY_IF_RO { } > ram :text :NONE =0x90 .b : { } .c (INFO) : { } .d (TYPE = SHT_NOTE) : {} .e ALIGN(8) : {} .f:{} /DISCARD/ : { *(.x) } }');
  const all = text.commands as OutputDescription[];
  const [a, b, c, d, e, f, discard] = all;
  assert.is(a!.sh_type, 8);
  assert.ok(a!.address && a!.lma && a!.align && a!.subalign);
  assert.is(a!.constraint, "ONLY_IF_RO");
  assert.is(a!.region, "ram");
  assert.equal(a!.phdrs, ["text", "NONE"]);
  assert.equal([...a!.fill!], [0, 0, 0, 0x90]);
  assert.is(b!.address, null);
  assert.ok(c!.nonAlloc);
  assert.is(d!.sh_type, 7);
  assert.ok(output(".r (READONLY) : { }").readOnly && output(".r (READONLY (TYPE = 1)) : { }").sh_type === 1);
  assert.equal([...output(".f : { } =((1 << 8) | 2)").fill!], [0, 0, 1, 2]);
  assert.is(e!.address!.root.kind, "call");
  assert.is(f!.name, ".f");
  assert.is(discard!.name, "/DISCARD/");
});

test("words end where they end: comments, symbols that begin like a type, names of letters beyond ASCII", () => {
  const [assigned, , divided] = sections("a /* = */ = 1; PROVIDE(b # x\n += 2); c/=3;").commands.filter((command) => command.kind === "assign");
  assert.equal([assigned!.name, divided!.name, divided!.expr.root.kind], ["a", "c", "binary"]);
  assert.ok(input("dir/*.o(.x) /* */").file.glob.matches("dir/a.o"));
  const at = output(".a (COPY_START) : { }");
  assert.equal([at.nonAlloc, at.address?.symbols], [false, ["COPY_START"]]);
  assert.is(output(".a ( /* not loaded */ NOLOAD ) : { }").sh_type, 8);
  assert.is(output(".a (TYPE /* of notes */ = 7) : { }").sh_type, 7);
  const grave = output(".\xc3\xa0 : { \xc3\xa0.o(.\xc3\xa0) LONG(SIZEOF(.\xc3\xa0)) }");
  assert.is(grave.name, ".\xc3\xa0");
  assert.ok((grave.commands[0] as InputDescription).file.glob.matches("\xc3\xa0.o"));
  assert.equal((grave.commands[1] as { expr: { root: unknown } }).expr.root, { kind: "name", fn: "SIZEOF", name: ".\xc3\xa0", offset: 34 });
  assert.ok(input("constructor(.text)").file.glob.matches("constructor"));
});

test("of ENTRY commands the last one counts, wherever it stands", () => {
  assert.is(parseInputScript("SECTIONS { ENTRY(a) } ENTRY(b) x = 1;", "x.ld").entry, "b");
});

test("MEMORY may be spread over files, which INCLUDE others", () => {
  const files: Record<string, string> = { a: "INCLUDE b, R3 : ORIGIN = 3, LENGTH = 1", b: "R1 : ORIGIN = 1, LENGTH = 1, R2 : ORIGIN = 2, LENGTH = 1" };
  assert.equal([...parse("MEMORY { INCLUDE a }", (name) => files[name]).regions.keys()], ["R1", "R2", "R3"]);
});

test("input descriptions: files, sorts, exclusions, KEEP, flags", () => {
  const plain = input("*crt?.o(.text .text.* )");
  assert.ok(plain.file.glob.matches("/usr/crt1.o"));
  assert.is(plain.patterns.length, 1);
  assert.ok(plain.patterns[0]!.names[1]!.matches(".text.x"));
  const kept = input("KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*) SORT_BY_ALIGNMENT(SORT_BY_NAME(.x)) .init_array))");
  assert.ok(kept.keep);
  assert.equal(kept.patterns.map((pattern) => [pattern.outer, pattern.inner]), [["priority", "default"], ["alignment", "name"], ["default", "default"]]);
  const excluded = input("*(EXCLUDE_FILE(*a.o *b.o) .ctors EXCLUDE_FILE(*c.o) .dtors)");
  assert.equal(excluded.patterns.map((pattern) => [pattern.excluded.length, pattern.names.length]), [[2, 1], [1, 1]]);
  const flags = input("INPUT_SECTION_FLAGS(SHF_EXECINSTR & !SHF_WRITE) *(.x)");
  assert.equal([flags.withFlags, flags.withoutFlags], [4, 1]);
  const reversed = input("*(REVERSE(SORT(.a .b)) SORT(REVERSE(.c)) REVERSE(.d))").patterns;
  assert.equal(reversed.map((pattern) => [pattern.outer, pattern.reversed, pattern.names.length]), [["name", true, 2], ["name", true, 1], ["none", true, 1]]);
  const files = input("EXCLUDE_FILE(*x.o) SORT(*.o)(.a)");
  assert.equal([files.fileSort, files.excluded.length, files.file.glob.matches("a.o")], ["name", 1, true]);
  assert.ok(input("foo.o").patterns[0]!.names[0]!.matches("anything"));
});

test("contents: data, fills, assignments, assertions, what is only for a.out", () => {
  const kinds = output('.o : { BYTE(1) SHORT(2); LONG(3) QUAD(4) x = .; . = ALIGN(4); ASSERT(1, "m") CONSTRUCTORS SORT(CONSTRUCTORS) CREATE_OBJECT_SYMBOLS FILL(0x11) *(.a) }').commands.map((command) => command.kind);
  assert.equal(kinds, ["data", "data", "data", "data", "assign", "assign", "assert", "input"]);
  assert.equal([...output(".o : { } =0x12345678").fill!], [0x12, 0x34, 0x56, 0x78]);
});

test("MEMORY, REGION_ALIAS, PHDRS", () => {
  const layout = parse("MEMORY { rom (rx!w) : ORIGIN = 0x8000, LENGTH = 64K ram : org = 1M, l = 2K } REGION_ALIAS(\"data\", ram) PHDRS { a PT_LOAD FILEHDR PHDRS AT(0x100) FLAGS((1 << 0) | (1 << 2)); b 0x60000000; }");
  assert.equal([...layout.regions.keys()], ["rom", "ram", "data"]);
  assert.ok(layout.regions.get("ram")!.noFlags);
  assert.equal(layout.phdrs.map((phdr) => [phdr.name, phdr.p_type, phdr.p_flags, phdr.filehdr, phdr.phdrs]), [["a", 1, 5, true, true], ["b", 0x60000000, null, false, false]]);
});

test("INCLUDE in every place", () => {
  const files: Record<string, string> = { in: "x = 1; .a : { *(.a) }", body: "*(.b) y = .;", mem: "r : ORIGIN = 0, LENGTH = 1" };
  const layout = parse("MEMORY { INCLUDE mem } SECTIONS { INCLUDE in .o : { INCLUDE body } }", (name) => files[name]);
  assert.equal(layout.commands.map((command) => command.kind), ["assign", "output", "output"]);
  assert.is((layout.commands[2] as OutputDescription).commands.length, 2);
  assert.is(layout.regions.size, 1);
});

test("errors name file, line and place", () => {
  assert.is(message("SECTIONS {\n  .a : { *(.a }\n}"), "x.ld:2: expected section pattern\n>>>   .a : { *(.a }\n>>>               ^");
  const cases: [string, RegExp][] = [
    ["SECTIONS { .a { } }", /malformed number: \{/],
    ['SECTIONS { .a : { BYTE(1) ASCIZ "text" } }', /linker script command ASCIZ is not supported yet/],
    ["SECTIONS { .a : { *(.a) }", /file/],
    ["SECTIONS { .a : { BYTE } }", /\( expected, but got \}/],
    ["SECTIONS { . = 1 }", /; expected, but got }/],
    ["SECTIONS { . = 1); }", /; expected, but got \)/],
    ["SECTIONS { . = ; }", /malformed number: ;/],
    ["PROVIDE(a + 1);", /= expected, but got \+/],
    ["SECTIONS { .a : { (*a) } }", /expected filename pattern/],
    ["SECTIONS { .a : { *(.a)", /unexpected EOF/],
    ["SECTIONS { .a : { *(.a", /unexpected EOF/],
    ["\xef\xbb\xbfSECTIONS { }", /unknown directive: \xef\xbb\xbfSECTIONS[^]*\n>>> it begins with a byte order mark \(UTF-8\), which scripts must not have$/],
    ["SECTIONS { .a : { INPUT_SECTION_FLAGS(SHF_X) *(.a) } }", /unrecognised flag: SHF_X/],
    ["SECTIONS { .a : { INPUT_SECTION_FLAGS(SHF_ALLOC 4) *(.a) } }", /expected & or \)/],
    ["SECTIONS { .a 1 (X) : {} }", /unknown section directive: X/],
    ["SECTIONS { .a : {} =foo }", /symbol not found: foo/],
    ["INCLUDE x", /cannot find linker script x/],
    ["SECTIONS { a = 1 b = 2; }", /; expected, but got b/],
    ["SECTIONS { .a : { *(EXCLUDE_FILE(x)) } }", /section pattern is expected/],
    ["SECTIONS { .a : { *([) } }", /unmatched/],
    ["SECTIONS { .a : {} =4886718345 }", /does not fit 32-bit: 0x123456789/],
    ["SECTIONS { .a : AT(1) { } >r AT>s }", /section can't have both LMA and a load region/],
    ["SECTIONS { OVERLAY 1 { } }", /: expected, but got \{/],
    ["SECTIONS { } INSERT .text;", /expected AFTER\/BEFORE, but got '.text'/],
    ["MEMORY { a (q) : ORIGIN = 0, LENGTH = 1 }", /invalid memory region attribute/],
    ["PHDRS { a 0x100000000; }", /invalid program header type: 4294967296/],
    ["NOCROSSREFS )", /\( expected, but got \)/],
    ["NOCROSSREFS(.text", /unexpected EOF/],
    ["MEMORY { a : ORIGIN = 0, LENGTH = 1 a : ORIGIN = 0, LENGTH = 1 }", /region 'a' already defined/],
    ["REGION_ALIAS(x, y)", /memory region 'y' is not defined/],
    ["PHDRS { a PT_FOO; }", /invalid program header type: PT_FOO/],
    ["SECTIONS { . = ALIGN(1, 2, 3); }", /ALIGN takes 1 or 2 arguments/],
    ["SECTIONS { . = NOSUCH(1); }", /; expected, but got \(/],
    ["SECTIONS { /* }", /unclosed comment/],
    ["SECTIONS { a /* = 1; }", /unclosed comment/],
    ['SECTIONS { a = SIZEOF("b); }', /unclosed quote/],
  ];
  for (const [text, expected] of cases) assert.match(message(text), expected, text);
});

// ---- values ----

const text = { id: 2, sh_addr: 0x1000n };
const data = { id: 3, sh_addr: 0x2000n };
const SYMBOLS: Record<string, ReturnType<typeof number>> = { t: relative(text, 8n), d: relative(data, 4n), n: number(7n) };
const problems: string[] = [];
const env: Environment = {
  dot: () => relative(data, 0x11n),
  symbol: (name) => SYMBOLS[name],
  isDefined: (name) => name in SYMBOLS,
  named: (fn, name) => (name === ".text" ? (fn === "ADDR" ? relative(text, 0n) : number(0x40n)) : undefined),
  headers: () => 0x78n,
  maxPageSize: () => 0x1000n,
  failed: (text) => problems.push(`failed ${text}`),
  error: (said) => problems.push(textOf(said)),
};

function value(expression: string): string {
  const { expr } = sections(`x = ${expression};`).commands[0] as { expr: Parameters<typeof evaluateIn>[0] };
  const found = evaluateIn(expr, env);
  return isAbsolute(found) ? `${addressOf(found)}` : `${found.sec!.id}+${offsetOf(found)}`;
}

test("values stay relative to their section where that means something", () => {
  const cases: [string, string][] = [
    ["n + 1", "8"], ["t", "2+8"], ["t + 4", "2+12"], ["4 + t", "2+12"], ["t - 4", "2+4"], ["d - t", "4092"], [".", "3+17"], [". + 1", "3+18"],
    ["ABSOLUTE(t)", "4104"], ["ALIGN(16)", `${0x2020}`], ["NEXT(16)", `${0x2020}`], ["BLOCK(16)", `${0x2020}`], ["ALIGN(t, 16)", "2+16"], ["ADDR(.text)", "2+0"], ["SIZEOF(.text)", "64"], ["SIZEOF_HEADERS", "120"],
    ["t & ~0xf", "2+0"], ["t | 7", "2+15"], ["MAX(t, d)", "8196"], ["DEFINED(t) ? t : 0", "2+8"], ["DEFINED(q) ? q : 3", "3"], ["-1", `${2n ** 64n - 1n}`],
    ["DATA_SEGMENT_ALIGN(0x1000, 0x1000)", `${0x3000}`], ["DATA_SEGMENT_END(.)", "3+17"], ["SEGMENT_START(\"text\", 0x400000) + SIZEOF_HEADERS", `${0x400078}`], ["t * 2", "8208"], ["LOG2CEIL(n)", "3"],
  ];
  for (const [text, expected] of cases) assert.is(value(text), expected, text);
  assert.equal(problems, []);
});

test("what an expression may not do is told", () => {
  for (const [expression, expected] of [["t + d", /at least one side of the expression must be absolute/], ["nosuch", /symbol not found: nosuch/], ["1 / 0", /division by zero/], ["ALIGN(3)", /alignment must be power of 2/], ["ADDR(.nosuch)", /undefined section .nosuch/], ['ASSERT(0, "why")', /failed why/]] as const) {
    problems.length = 0;
    value(expression);
    assert.match(problems[0] ?? "", expected, expression);
  }
});

test.run();
