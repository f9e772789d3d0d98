/**
 * The option table as a whole: every row that is accepted without effect has none, every negation takes back what it negates, and
 * rows that no other test is about do what their help says.
 */
import { namesOf } from "../../../ts/args/option-row.ts";
import { OPTION_GROUPS } from "../../../ts/args/options.ts";
import { assert, behaviour, contains, linkerName, type Workspace } from "../../helpers/link.ts";

const options = behaviour("option table");
const wield = linkerName === "wield";

const MAIN = { "m.c": "#include <stdio.h>\nint shared_or_not = 4; int main(void) { puts(\"ok\"); return 0; }" };
const LINK = "gcc -B$B m.o -Wl,--build-id=sha1";

options("every accepted option is accepted and changes nothing", (w) => {
  if (!wield) return;
  w.write(MAIN).sh(`gcc -c m.c && ${LINK} -o plain`);
  const rows = OPTION_GROUPS.flatMap(([, all]) => all).filter((row) => !row.obeyed);
  assert.ok(rows.length > 30);
  for (const row of rows) assert.match(row.help, /^Ignored/, row.names);
  const flags = rows.flatMap((row) => namesOf(row).map((name) => `-Xlinker ${name}${row.value === "required" ? " -Xlinker 1" : ""}`));
  const done = w.try(`${LINK} ${flags.join(" ")} -o all && cmp plain all`);
  assert.is(done.status, 0, done.stderr);
  assert.is(done.stderr, "");
});

options("a negation takes back the option before it, and defaults are what --help says", (w) => {
  w.write(MAIN).sh(`gcc -c m.c && ${LINK} -o plain`);
  const pairs = [
    "--gc-sections,--no-gc-sections", "-Bsymbolic,-Bno-symbolic", "--export-dynamic,--no-export-dynamic", "--allow-multiple-definition,--no-allow-multiple-definition",
    "--no-gnu-unique,--gnu-unique", "--apply-dynamic-relocs,--no-apply-dynamic-relocs", "-n,--no-nmagic,-Bdynamic", "-N,--no-omagic,-Bdynamic", "--no-relax,--relax", "-znorelro,-zrelro",
    "-znow,-zlazy", "-zexecstack,-znoexecstack", "-zexecstack,-zexecstack-if-needed", "-znotext,-ztext", "-ztextoff,-ztext", "-zseparate-code,-znoseparate-code",
    "-zkeep-text-section-prefix,-znokeep-text-section-prefix", "-znosectionheader,-zsectionheader", "-zlrodata-after-bss,-znolrodata-after-bss",
    "-zpack-relative-relocs,-znopack-relative-relocs", "-znocombreloc,-zcombreloc", "-znognustack,-zgnustack", "--fatal-warnings,--no-fatal-warnings",
    "--warn-common,--no-warn-common", "--warn-backrefs,--no-warn-backrefs", "--no-warn-mismatch,--warn-mismatch", "--print-icf-sections,--no-print-icf-sections",
    "--no-check-sections,--check-sections", "--no-warn-symbol-ordering,--warn-symbol-ordering", "--sort-section=name,--sort-section=none", "--icf=all,--icf=none",
    "--no-dependent-libraries,--dependent-libraries", "--use-android-relr-tags,--no-use-android-relr-tags", "-zunique-symbol,-znounique-symbol",
    "-zcommon,-znocommon", "--no-demangle,--demangle", "--no-whole-archive,--as-needed,--no-as-needed",
  ];
  const gnu = /nmagic|omagic|gnu-unique|dynamic-relocs|textoff|sectionheader|lrodata|gnustack|backrefs|icf|symbol-ordering|sort-section|keep-text|copyreloc|execstack-if|relax|mismatch|dependent|android|unique-symbol|-zcommon/;
  for (const pair of pairs) {
    if (!wield && gnu.test(pair)) continue;
    w.sh(`${LINK} -Wl,${pair} -o both && cmp plain both`);
  }
});

options("--no-omagic and --no-nmagic page a static link again, but ask for no shared objects", (w) => {
  w.write({ "a.c": "int main(void) { return 0; }" }).sh("gcc -c a.c");
  for (const flags of ["-N,--no-omagic", "-n,--no-nmagic"]) {
    w.sh(`gcc -B$B -static a.o -Wl,${flags} -o a && ./a`);
    assert.equal(w.elf("a").needed(), []);
  }
});

options("--apply-dynamic-relocs, --emit-relocs and -z nocombreloc write addends in place, --Tbss places .bss, -z nodump and -z nosectionheader", (w) => {
  if (!wield) return;
  w.write({ "a.s": ".globl _start\n_start: ret\n.data\np: .quad p + 5\n.bss\n.zero 8\n" }).sh("as a.s -o a.o");
  const word = (file: string): bigint => {
    const elf = w.elf(file);
    return Buffer.from(w.bytes(file)).readBigUInt64LE(elf.section(".data")!.offset);
  };
  w.sh("$LD -pie a.o -o p && $LD -pie --apply-dynamic-relocs a.o -o q && $LD -pie -z nocombreloc a.o -o c && $LD -Tbss=0x900000 a.o -o b && $LD -shared -z nodump a.o -o d && $LD -z nosectionheader a.o -o n");
  assert.is(word("p"), 0n);
  assert.is(word("q"), BigInt(w.elf("q").section(".data")!.addr) + 5n);
  assert.is(word("c"), BigInt(w.elf("c").section(".data")!.addr) + 5n); // as GNU ld: gnu-efi's start code adds to it
  // As GNU ld: EDK2's GenFw makes UEFI images of kept relocations and what is in place.
  w.sh("$LD -pie --emit-relocs a.o -o e && $LD -pie --emit-relocs --no-apply-dynamic-relocs a.o -o f");
  assert.is(word("e"), BigInt(w.elf("e").section(".data")!.addr) + 5n);
  assert.is(word("f"), 0n);
  assert.is(BigInt(w.elf("b").section(".bss")!.addr), 0x900000n);
  contains(w.sh("readelf -d d"), "NODUMP");
  contains(w.sh("readelf -S n"), "no sections");
});

options("--dynamic-list-data, -cpp-new and -cpp-typeinfo export what they name", (w) => {
  if (!wield) return;
  w.write({ "a.cc": "#include <new>\n#include <cstdlib>\nint data = 1; void function() {}\nstruct T { virtual ~T(); }; T::~T() {}\nvoid *operator new(std::size_t n) { return std::malloc(n); }\nint main() { return 0; }" });
  w.sh("g++ -c a.cc");
  const exported = (flag: string): string => w.sh(`g++ -B$B a.o -Wl,${flag} -o p && nm -DC --defined-only p | cut -d' ' -f3-`);
  contains(exported("--dynamic-list-data"), /^data$/m);
  assert.not.match(exported("--dynamic-list-data"), /function/);
  contains(exported("--dynamic-list-cpp-new"), /^operator new\(/m);
  contains(exported("--dynamic-list-cpp-typeinfo"), "typeinfo for T", "typeinfo name for T");
}, "g++");

options("-Bgroup, --time-trace-granularity, and options of other machines", (w) => {
  if (!wield) return;
  w.write({ "a.s": ".globl f\nf: ret\n" }).sh("as a.s -o a.o && $LD -shared -Bgroup a.o -o g.so && $LD -e f a.o -o p --time-trace=all --time-trace-granularity=0 && $LD -e f a.o -o p --time-trace=few --time-trace-granularity=100000000");
  contains(w.sh("readelf -d g.so"), /Flags:.* GROUP/);
  const events = (file: string): number => JSON.parse(w.read(file)).traceEvents.filter((event: { ph: string }) => event.ph === "X").length;
  assert.ok(events("all") > 5);
  assert.is(events("few"), 1);
  for (const [flag, machine] of [["--fix-cortex-a8", "ARM"], ["--pcrel-optimize", "PowerPC64"], ["--relax-gp", "RISC-V"], ["--execute-only", "AArch64"]] as const) {
    contains(w.fails(`$LD ${flag} a.o -o x`), `${flag} is only supported on ${machine} targets`);
  }
});

options("-z keep-text-section-prefix keeps hot and unlikely code apart", (w) => {
  w.write({ "a.s": ".globl _start\n_start: ret\n.section .text.hot.a,\"ax\"\nret\n.section .text.unlikely.b,\"ax\"\nret\n.section .text.other,\"ax\"\nret\n" });
  if (linkerName === "bfd") return;
  w.sh("as a.s -o a.o && $LD a.o -o a && $LD -z keep-text-section-prefix a.o -o b");
  const names = (file: string): string[] => w.elf(file).sectionNames().filter((name) => name.startsWith(".text"));
  assert.equal(names("a"), [".text"]);
  assert.equal(names("b").sort(), [".text", ".text.hot", ".text.unlikely"]);
});

options("--sort-section orders what a script does not", (w) => {
  w.write({ "a.s": ".section .d.b,\"aw\"\nb: .quad 0\n.section .d.a,\"aw\"\na: .byte 0\n", "s.ld": "SECTIONS { .d : { *(.d.*) } }" });
  const order = (flag: string): string => w.sh(`as a.s -o a.o && $LD -T s.ld ${flag} a.o -o o 2>/dev/null && nm -n o | grep ' d ' | cut -d' ' -f3 | tr '\\n' ' '`).trim();
  assert.is(order(""), "b a");
  assert.is(order("--sort-section=name"), "a b");
  assert.is(order("--sort-section=alignment"), "b a");
});

const BACK = { "a.s": ".globl a\na: call b\n", "b.s": ".globl b\nb: ret\n", "m.s": ".globl _start\n_start: call a\n" };
const BACK_BUILD = "for f in a b m; do as $f.s -o $f.o; done; ar rc a.a a.o; ar rc b.a b.o; ";

options("--warn-backrefs: references to archives before, not inside groups, nor when a later file offers the name", (w) => {
  if (linkerName === "bfd") return;
  w.write(BACK).sh(BACK_BUILD);
  const said = (line: string): string => w.sh(`$LD --warn-backrefs ${line} -o o 2>&1`);
  contains(said("b.a m.o a.a"), "warning: backward reference detected: b in a.a(a.o) refers to b.a(b.o)");
  contains(said("--start-lib b.o --end-lib m.o a.o"), "backward reference detected: b in a.o refers to b.o");
  for (const line of ["m.o a.a b.a", "m.o --start-group b.a a.a --end-group", "b.a m.o a.a b.a", "b.a m.o a.a --start-lib b.o --end-lib", "m.o --start-lib b.o a.o --end-lib", "b.a m.o a.a --warn-backrefs-exclude='b.a(*)'", "b.a m.o a.a --no-warn-backrefs"]) {
    assert.is(said(line), "", line);
  }
}, "ar");

function help(w: Workspace): string {
  return w.sh("$LD --help");
}

options("--help names every option once, with what it does", (w) => {
  if (!wield) return;
  const text = help(w);
  for (const [, rows] of OPTION_GROUPS) for (const row of rows) contains(text, row.names[0]!, row.help);
  const names = OPTION_GROUPS.flatMap(([, rows]) => rows.flatMap((row) => row.names));
  assert.is(new Set(names).size, names.length);
});

options.run();
