/**
 * Reports: -Map, --trace, --verbose, --cref, -y, --dependency-file, --time, --stats, --time-trace, --print-gc-sections, --why-extract.
 */

import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";

const reports = behaviour("reports");
const wield = linkerName === "wield";
const SOURCES = { "m.c": "int a(void); int data = 3; int main(void) { return a() - 1; }", "a.c": "int a(void) { return 1; }" };

reports("-Map lists sections with addresses, files and symbols", (w) => {
  w.write(SOURCES).sh("gcc -O1 -c m.c a.c && gcc -B$B m.o a.o -Wl,-Map=m.map -o m && gcc -B$B m.o a.o -Wl,-Map,- -o m > stdout.map");
  for (const map of [w.read("m.map"), ...(linkerName === "bfd" ? [] : [w.read("stdout.map")])]) contains(map, ".text", "m.o", "a.o", "main", ".data");
  if (linkerName !== "bfd") {
    const address = w.elf("m").symbol("main")!.value.toString(16);
    contains(w.read("m.map"), new RegExp(`${address}.*\\bmain\\b`));
  }
});

const MAP_SCRIPT = `SECTIONS {
  . = 0x1000; /* start */
  PROVIDE(unused = .);
  .text : { beg = .; *(.text) . = ALIGN(16)+0; LONG(1+2) }
  .data : AT(0x9000) { *(.data) *(COMMON) }
  after = beg << 1;
}
`;
const MAP_SOURCE = `.globl _start
_start: call near
.cfi_startproc
mov beg, %eax
.cfi_endproc
near: ret
.comm common,8,8
.data
.quad 1
.section .rodata.str1.1,"aMS",@progbits,1
.string "hi"
`;

reports("-Map under a script shows its statements, load addresses, unwind records and whose common a common is", (w) => {
  if (linkerName === "bfd") return;
  w.write({ "a.s": MAP_SOURCE, "m.ld": MAP_SCRIPT }).sh("as a.s -o a.o && $LD -T m.ld a.o -o a -Map=m.map");
  const lines = w.read("m.map").split("\n").map((line) => line.trim().replace(/ +/g, " "));
  assert.is(lines[0], "VMA LMA Size Align Out In Symbol");
  for (const line of [
    "0 0 1000 1 . = 0x1000", "1000 1000 3 1 .rodata.str1.1", "1000 1000 3 1 <internal>:(.rodata.str1.1)", "1008 1008 30 1 a.o:(.eh_frame+0x0)",
    "103c 103c 0 1 beg = .", "103c 103c d 1 a.o:(.text)", "103c 103c 0 1 _start", "1048 1048 0 1 near", "1049 1049 7 1 . = ALIGN ( 16 ) + 0",
    "1050 1050 4 1 LONG ( 1 + 2 )", "1058 9000 8 1 a.o:(.data)", "1060 9008 8 8 a.o:(COMMON)", "1060 9008 8 1 common", "1068 9010 0 1 after = beg << 1",
  ]) assert.ok(lines.includes(line), `${line} in\n${w.read("m.map")}`);
  assert.not.match(w.read("m.map"), /PROVIDE/);
});

reports("common symbols come before other sections of .bss, as in lld", (w) => {
  if (linkerName === "bfd") return;
  w.write({ "a.s": ".bss\n.globl b\nb: .skip 4\n.comm c,4,4\n" }).sh("as a.s -o a.o && $LD -e 0 a.o -o a -Map=m.map");
  assert.match(w.read("m.map"), /a\.o:\(COMMON\)\n.* c\n.* a\.o:\(\.bss\)\n.* b\n/);
});

reports("--trace names every file read, --verbose more", (w) => {
  w.write(SOURCES).sh("gcc -O1 -c m.c a.c && ar rc lib.a a.o && gcc -B$B m.o lib.a -Wl,-t -o m > trace && gcc -B$B m.o lib.a -Wl,--trace -o m > trace2 2>&1 && gcc -B$B m.o lib.a -Wl,--verbose -o m > verbose 2>&1");
  contains(w.read("trace"), /^m\.o$/m, linkerName === "bfd" ? "lib.a" : /lib\.a.*a\.o/, /libc\.so/);
  contains(w.read("trace2"), "m.o");
  contains(w.read("verbose"), "m.o");
}, "ar");

reports("--dependency-file is a makefile rule", (w) => {
  w.write(SOURCES).sh("gcc -O1 -c m.c a.c && gcc -B$B m.o a.o -Wl,--dependency-file=m.d -o m && gcc -B$B m.o a.o -Wl,--dependency-file,n.d -o 'n space'");
  contains(w.read("m.d"), /^m:/, "m.o", "a.o", "libc.so.6");
  if (linkerName !== "bfd") contains(w.read("m.d"), /^m\.o:$/m);
  contains(w.read("n.d"), linkerName === "wield" ? /^n\\ space:/ : /^n\\? space:/);
});

reports("-y traces a symbol, --cref lists references", (w) => {
  w.write(SOURCES).sh("gcc -O1 -c m.c a.c && gcc -B$B m.o a.o -Wl,-y,a -o m > y 2>&1 && gcc -B$B m.o a.o -Wl,--cref -o m > cref 2>&1");
  contains(w.read("y"), /m\.o: reference to a/, /a\.o: definition of a/);
  contains(w.read("cref"), /^a\s+/m, "Cross Reference");
});

reports("--time, --stats and --time-trace", (w) => {
  if (!wield) return;
  w.write(SOURCES).sh("gcc -O1 -c m.c a.c && gcc -B$B m.o a.o -Wl,--time -o m > time 2>&1 && gcc -B$B m.o a.o -Wl,--stats -o m > stats 2>&1 && gcc -B$B m.o a.o -Wl,--time-trace=trace.json,--time-trace-granularity=0 -o m");
  contains(w.read("time"), "parse-object", "resolve-symbols", "relocate", /\d+(\.\d+)?/);
  contains(w.read("stats"), /\d/);
  const trace = JSON.parse(w.read("trace.json"));
  const events = Array.isArray(trace) ? trace : trace.traceEvents;
  assert.ok(events.some((e: { name?: string }) => e.name === "relocate"));
  assert.ok(events.every((e: { ph?: string }) => typeof e.ph === "string"));
});

const CHAIN = { "m.s": ".globl _start\n_start: call a\n", "ab.s": ".globl a\na: call _Z1bv\n", "b.s": ".globl _Z1bv\n_Z1bv: ret\n.comm both,8,8\n", "u.s": ".globl unused\nunused: ret\n" };
const MEMBERS = "for f in m ab b u; do as $f.s -o $f.o; done; ar rc ab.a ab.o u.o; ar rc b.a b.o";

reports("--why-extract names the reference of each member, what it extracted itself first", (w) => {
  if (linkerName === "bfd") return;
  w.write(CHAIN).sh(MEMBERS);
  const why = (line: string) => w.sh(`$LD -o m ${line} --why-extract=-`).trim().split("\n").slice(1);
  assert.equal(why("m.o ab.a b.a"), ["m.o\tab.a(ab.o)\ta", "ab.a(ab.o)\tb.a(b.o)\tb()"]);
  assert.equal(why("b.a ab.a m.o"), ["ab.a(ab.o)\tb.a(b.o)\tb()", "m.o\tab.a(ab.o)\ta"]);
  assert.equal(why("u.o ab.o -e _Z1bv b.a").slice(-1), ["ab.o\tb.a(b.o)\tb()"]);
  assert.equal(why("u.o b.a -u _Z1bv"), ["<internal>\tb.a(b.o)\tb()"]);
  assert.equal(why("u.o b.a -e _Z1bv"), ["--entry\tb.a(b.o)\tb()"]);
  assert.equal(why("u.o b.a -e 0 --undefined-glob=_Z*"), ["--undefined-glob\tb.a(b.o)\tb()"]);
}, "ar");

reports("-y prints offers, definitions and references in the order of resolution", (w) => {
  if (linkerName === "bfd") return;
  w.write(CHAIN).sh(MEMBERS);
  const traced = w.sh("$LD -o m -y a -y _Z1bv -y both b.a m.o ab.a --no-demangle").trim().split("\n");
  assert.equal(traced, [
    "b.a(b.o): lazy definition of _Z1bv", "b.a(b.o): lazy definition of both", "m.o: reference to a", "ab.a(ab.o): definition of a",
    "ab.a(ab.o): reference to _Z1bv", "b.a(b.o): definition of _Z1bv", "b.a(b.o): common definition of both",
    "b.a(b.o): definition of both",
  ]);
}, "ar");

reports("--print-archive-stats counts members, once per mention of an archive", (w) => {
  if (linkerName === "bfd") return;
  w.write(CHAIN).sh(MEMBERS);
  assert.is(w.sh("$LD -o m m.o ab.a b.a ab.a --print-archive-stats=-"), "members\textracted\tarchive\n2\t1\tab.a\n1\t1\tb.a\n2\t0\tab.a\n");
}, "ar");

reports("--cref names scripts and --defsym as places, leaves dead definitions out, and goes into the map", (w) => {
  if (linkerName === "bfd") return;
  w.write({ "a.s": ".globl _start, gone\n_start: call f\nmov x, %eax\nmov y, %eax\n.section .text.gone,\"ax\"\ngone: ret\n", "f.s": ".globl f\nf: ret\n", "t.ld": "\ny = 1;" });
  const cref = w.sh("as a.s -o a.o && as f.s -o f.o && $LD --gc-sections a.o f.o t.ld --defsym x=2 --cref -Map=m -o o --no-demangle; $LD --gc-sections a.o f.o t.ld --defsym x=2 --cref -o o");
  const row = (symbol: string, file: string) => `${symbol.padEnd(50)}${file}\n`;
  const table = `\nCross Reference Table\n\n${row("Symbol", "File")}${row("_start", "a.o")}${row("f", "f.o")}${row("", "a.o")}${row("x", "--defsym")}${row("", "a.o")}${row("y", "t.ld:2")}${row("", "a.o")}`;
  assert.is(cref, table);
  assert.ok(w.read("m").endsWith(table));
});

reports("a path that cannot be written is said before undefined symbols", (w) => {
  if (linkerName === "bfd") return;
  w.write({ "a.s": "call missing\n", file: "" });
  for (const [options, what] of [["-o none/o", "output file none/o"], ["-o file/o", "output file file/o"], ["-o o -Map=none/m", "map file none/m"]]) {
    const said = w.fails(`as a.s -o a.o; $LD a.o ${options}`);
    contains(said, `error: cannot open ${what}: `);
    assert.not.match(said, /missing/);
  }
});

reports("reports do not change the output", (w) => {
  w.write(SOURCES).sh("gcc -O1 -c m.c a.c && gcc -B$B m.o a.o -o m && gcc -B$B m.o a.o -Wl,-Map=x,--trace,--cref,--dependency-file=d -o n > log 2>&1 && cmp m n");
});

reports.run();
