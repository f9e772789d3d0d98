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
  w.write(SOURCES).sh("gcc -O1 -c m.c a.c && gcc -B$B m.o a.o -Wl,--time -o m > time 2>&1 && gcc -B$B m.o a.o -Wl,--stats -o m > stats 2>&1 && gcc -B$B m.o a.o -Wl,--time-trace=trace.json -o m");
  contains(w.read("time"), "parse-object", "resolve-symbols", "relocate", /\d+(\.\d+)?/);
  contains(w.read("stats"), /\d/);
  const trace = JSON.parse(w.read("trace.json"));
  const events = Array.isArray(trace) ? trace : trace.traceEvents;
  assert.ok(events.some((e: { name?: string }) => e.name === "relocate"));
  assert.ok(events.every((e: { ph?: string }) => typeof e.ph === "string"));
});

reports("reports do not change the output", (w) => {
  w.write(SOURCES).sh("gcc -O1 -c m.c a.c && gcc -B$B m.o a.o -o m && gcc -B$B m.o a.o -Wl,-Map=x,--trace,--cref,--dependency-file=d -o n > log 2>&1 && cmp m n");
});

reports.run();
