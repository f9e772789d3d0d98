/** Options that change what is said and how: --vs-diagnostics, --error-handling-script, --warn-backrefs, --noinhibit-exec, --no-warn-mismatch. */
import { assert, behaviour, contains, lacks, linkerName } from "../../helpers/link.ts";

const warnings = behaviour("warnings");
const wield = linkerName === "wield";
const lld = wield || linkerName === "lld";

warnings("--vs-diagnostics begins messages with file(line)", (w) => {
  if (!lld) return;
  w.write({ "m.c": "int wanted(void);\nint main(void) { return wanted(); }\n", "a.c": "int twice;\nint main(void) { return 0; }\n", "q.ver": "\"\n", "n.s": ".globl _start\n_start: call foo\n" });
  w.sh("gcc -g -fdata-sections -c m.c a.c && as n.s -o n.o");
  contains(w.fails("$LD --vs-diagnostics -e main m.o -o m"), /^\S*m\.c\(2\): error: undefined symbol: wanted\n>>> referenced by m\.c:2/);
  const twice = w.fails("$LD --vs-diagnostics -e main a.o m.o -o m").split("duplicate symbol: main");
  assert.is(twice.length, 3);
  contains(twice[0]!, /a\.c\(2\): error: $/);
  contains(twice[1]!, /\n>>> defined at a\.c:2.*\n>>>[^\n]*\n\n?\S*m\.c\(2\): error: $/);
  contains(w.fails("$LD --vs-diagnostics --version-script q.ver"), "q.ver(1): error: q.ver:1: unclosed quote");
  contains(w.try("$LD --vs-diagnostics --warn-unresolved-symbols n.o -o n").stderr, /^n\.o: warning: undefined symbol: foo/);
}, "as");

warnings("--error-handling-script is told before the error is printed", (w) => {
  if (!lld) return;
  w.write({ "script.sh": "#!/bin/sh\necho \"told of $*\"\n", "bad.sh": "#!/bin/sh\nexit 7\n", "m.s": ".globl _start\n_start: call _Z6wantedi\n" }).sh("chmod +x *.sh; as m.s -o m.o");
  const both = (options: string): string => w.try(`$LD m.o ${options} -o m 2>&1`).stdout;
  contains(both("--error-handling-script=./script.sh"), /told of undefined-symbol _Z6wantedi\n.*error: undefined symbol: wanted\(int\)/);
  contains(both("-lnosuch --error-handling-script=./script.sh"), /told of missing-lib nosuch\n.*error: unable to find library -lnosuch/);
  contains(both("-lnosuch --error-handling-script=./none.sh"), /error: unable to find library -lnosuch\n(?:>>> .*\n)?\n?.*error: error handling script '\.\/none\.sh' failed to execute/);
  contains(both("--error-handling-script=./bad.sh"), /error: undefined symbol: wanted\(int\)[^]*error: error handling script '\.\/bad\.sh' exited with code 7/);
  lacks(both("--error-handling-script=./script.sh --warn-unresolved-symbols"), "told of");
}, "as");

warnings("--warn-backrefs names references to archives that come before them", (w) => {
  if (!lld) return;
  w.write({ "1.s": ".globl _start\n_start: call foo\n", "2.s": ".globl foo\nfoo: ret\n", "weak.s": ".weak foo\nfoo: ret\n", "3.s": ".globl bar\nbar: call foo\n", "4.s": ".globl _start\n_start: call bar\n" });
  w.sh("for i in 1 2 3 4 weak; do as $i.s -o $i.o; done; ar rc 2.a 2.o; ar rc 3.a 3.o; ar rc weak.a weak.o");
  const says = (line: string): string => w.try(`$LD --warn-backrefs ${line} -o x`).stderr;
  const warning = "warning: backward reference detected: foo in 1.o refers to 2.a(2.o)";
  assert.is(says("1.o 2.a"), "");
  contains(says("2.a 1.o"), warning);
  contains(w.fails("$LD --fatal-warnings --warn-backrefs 2.a 1.o -o x"), "error: backward reference detected");
  assert.is(w.try("$LD --warn-backrefs --no-warn-backrefs 2.a 1.o -o x").stderr, "");
  for (const line of ["2.o 1.o", "--start-group 2.a 1.o --end-group", "--warn-backrefs-exclude='2.a(2.o)' 2.a 1.o", "--warn-backrefs-exclude='*.a(*.o)' 2.a 1.o", "weak.a 1.o", "2.a 1.o 2.a", "2.a 1.o weak.a"]) assert.is(says(line), "", line);
  contains(says("--start-lib 2.o --end-lib 1.o"), "foo in 1.o refers to 2.o");
  contains(says("2.a --warn-backrefs-exclude=3.a 3.a 4.o"), "bar in 4.o refers to 3.a(3.o)", "foo in 3.a(3.o) refers to 2.a(2.o)");
}, "as", "ar");

warnings("--noinhibit-exec writes the output in spite of undefined and duplicate symbols and broken relocations", (w) => {
  if (!lld) return;
  w.write({ "a.s": ".globl _start, far\n_start: call nowhere\nmovl $far, %eax\nfar = 0x123456789\n", "b.s": ".globl _start\n_start: nop\n" }).sh("as a.s -o a.o && as b.s -o b.o");
  const said = w.try("$LD --noinhibit-exec a.o b.o -o x");
  assert.is(said.status, 0, said.stderr);
  contains(said.stderr, "warning: undefined symbol: nowhere", "warning: duplicate symbol: _start", /warning: .*relocation R_X86_64_32 out of range/);
  assert.ok(w.exists("x"));
  contains(w.fails("$LD --noinhibit-exec --fatal-warnings a.o -o y"), "error: undefined symbol: nowhere");
}, "as");

warnings("the last option about undefined symbols counts", (w) => {
  if (!lld) return;
  w.write({ "a.s": ".globl _start\n_start: call nowhere@plt\n", "l.s": ".globl f\nf: call nothing@plt\n" }).sh("as a.s -o a.o && as l.s -o l.o && $LD -shared l.o -o l.so");
  const links = (options: string): boolean => w.try(`$LD ${options} -o x`).status === 0;
  for (const options of ["--unresolved-symbols=ignore-all", "-z undefs", "--no-undefined -z undefs", "--unresolved-symbols=report-all --unresolved-symbols=ignore-all", "-shared", "--unresolved-symbols=ignore-in-object-files", "--warn-unresolved-symbols"]) {
    assert.ok(links(`${options} a.o`), options);
  }
  for (const options of ["", "-z undefs -z defs", "-shared --no-undefined", "-shared --unresolved-symbols=report-all", "--unresolved-symbols=ignore-all --no-undefined", "--unresolved-symbols=ignore-in-shared-libs", "--warn-unresolved-symbols --error-unresolved-symbols"]) {
    assert.not(links(`${options} a.o`), options);
  }
  const ref = (options: string): boolean => links(`${options} -z undefs a.o l.so`);
  for (const options of ["--allow-shlib-undefined", "--unresolved-symbols=ignore-all", "--no-allow-shlib-undefined --unresolved-symbols=ignore-in-shared-libs", "-shared"]) assert.ok(ref(options), options);
  for (const options of ["", "--unresolved-symbols=ignore-in-object-files", "--allow-shlib-undefined --no-allow-shlib-undefined", "-shared --no-allow-shlib-undefined"]) assert.not(ref(options), options);
}, "as");

warnings("--no-warn-mismatch lets sections of unknown types through", (w) => {
  if (!lld) return;
  w.write({ "a.s": ".globl _start\n_start: nop\n.section odd,\"a\",@0x80000001\n.quad 0\n" }).sh("as a.s -o a.o");
  contains(w.fails("$LD a.o -o a"), "a.o:(odd): unknown section type 0x80000001");
  w.sh("$LD --no-warn-mismatch a.o -o a");
}, "as");

warnings.run();
