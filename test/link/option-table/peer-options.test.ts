/** Options that only one of gold, mold and wild has, and that mean something here: each does what its help says. */
import { ElfFile } from "../../helpers/dump.ts";
import { assert, behaviour, contains, lacks, linkerName } from "../../helpers/link.ts";

const peers = behaviour("options of gold, mold and wild");
const wield = linkerName === "wield";

const FUNCTIONS = '.globl _start\n_start: ret\n.section .text.a,"ax"\n.globl a\na: ret\n.section .text.b,"ax"\n.globl b\nb: ret; nop\n.section .text.c,"ax"\n.globl c\nc: ret\n';

peers("--reverse-sections, --shuffle-sections with a seed alone or none, --no-icf, --thread-count, --perf", (w) => {
  if (!wield) return;
  w.write({ "a.s": FUNCTIONS }).sh("as a.s -o a.o");
  const order = (flags: string): string => w.sh(`$LD a.o ${flags} -o o && nm -n o | sed -n 's/.* [Tt] //p' | grep -v _start | tr '\\n' ' '`).trim();
  assert.is(order(""), "a b c");
  assert.is(order("--reverse-sections"), "c b a");
  assert.is(order("--shuffle-sections=5"), order("--shuffle-sections='*=5'"));
  assert.is(order("--shuffle-sections '*=5'"), order("--shuffle-sections='*=5'"));
  assert.is(order("--shuffle-sections").split(" ").sort().join(" "), "a b c");
  const size = (flags: string): number => (w.sh(`$LD a.o ${flags} -o o`), w.elf("o").need(".text").size);
  assert.ok(size("--icf=all") < size("--icf=all --no-icf"));
  w.sh("$LD a.o -o one --thread-count=1 && $LD a.o -o two --thread-count 2 && cmp one two");
  contains(w.fails("$LD a.o --thread-count=0 -o x"), "expected a positive integer");
  contains(w.sh("$LD a.o --perf -o x"), "relocate");
}, "nm");

peers("--hash-style=none, --build-id=sha256, -z nodefs", (w) => {
  if (!wield) return;
  w.write({ "a.s": ".globl f\nf: call missing@plt\n" }).sh("as a.s -o a.o && $LD -shared a.o -o a.so --hash-style=none --build-id=sha256 -z defs -z nodefs && $LD -shared a.o -o b.so --build-id=sha256 --hash-style=both");
  const none = new ElfFile(w.bytes("a.so"));
  lacks(none.sectionNames().join(), "hash");
  contains(w.elf("b.so").sectionNames().join(), ".gnu.hash,.hash");
  assert.is(none.content(".note.gnu.build-id").length, 16 + 32);
  assert.not.equal(none.content(".note.gnu.build-id"), w.elf("b.so").content(".note.gnu.build-id"));
});

peers("--spare-program-headers and --physical-image-base", (w) => {
  if (!wield) return;
  w.write({ "a.s": ".globl _start\n_start: mov $60, %eax; xor %edi, %edi; syscall\n.data\n.quad 1\n" }).sh("as a.s -o a.o && $LD a.o -o a --spare-program-headers=3 --physical-image-base=0x4000000 --image-base=0x200000 && ./a");
  const { phdrs } = w.elf("a");
  assert.is(phdrs.filter(({ type }) => type === 0).length, 3);
  for (const line of w.sh("readelf -lW a | grep LOAD").trim().split("\n")) {
    const [, , virtual, physical] = line.trim().split(/\s+/);
    assert.is(Number(physical) - Number(virtual), 0x3e00000);
  }
  w.fails("$LD a.o -o a --physical-image-base=here");
}, "readelf");

peers("--section-align raises the alignment of an output section, with and without a script", (w) => {
  if (!wield) return;
  w.write({ "a.s": '.globl _start\n_start: mov $60, %eax; xor %edi, %edi; syscall\n.section foo,"aw"\n.quad 1\n', "t.ld": "SECTIONS { . = 0x401000; .text : { *(.text) } . = ALIGN(0x1000); foo : { *(foo) } }" }).sh("as a.s -o a.o");
  for (const script of ["", "-T t.ld"]) {
    w.sh(`$LD a.o ${script} -o o --section-align=foo=0x2000 --section-align foo=64 --section-align=.text=1`);
    const foo = w.elf("o").need("foo");
    assert.equal([foo.align, foo.addr % 64], [64, 0]);
    w.sh(`$LD a.o ${script} -o o --section-align=foo=0x2000${script === "" ? " && ./o" : ""}`);
    assert.is(w.elf("o").need("foo").addr % 0x2000, 0);
  }
  for (const wrong of ["foo=3", "foo", "foo=", "=4", "foo=0"]) contains(w.fails(`$LD a.o --section-align=${wrong} -o x`), "expected SECTION=ALIGNMENT, a power of 2");
});

peers("--start-stop and --physical-image-base: ends of sections whose names are no C identifiers, and where they are loaded", (w) => {
  if (!wield) return;
  const word = (names: string): string => names.split(" ").map((name) => `.quad ${name}\n`).join("");
  w.write({
    "a.s": `.globl _start\n_start: mov $60, %eax; xor %edi, %edi; syscall\n.section .my-data.x,"aw"\n.zero 24\n.section foo,"aw"\n.zero 8\n.data\n${word("__start_my_data_x __stop_my_data_x __start_data __stop_data __start_note_gnu_build_id __stop_note_gnu_build_id __start_foo")}`,
    "b.s": `.globl _start\n_start: ret\n.section foo,"aw"\n.zero 8\n.data\n${word("__phys_start_foo __phys_stop_foo __start_foo")}`,
    "c.s": `.globl _start\n_start: ret\n.section .comment\n.asciz "x"\n.data\n${word("__start_comment")}`,
  }).sh("for f in a b c; do as $f.s -o $f.o; done");
  const words = (file: string): number[] => {
    const bytes = Buffer.from(w.elf(file).content(".data"));
    return Array.from({ length: bytes.length / 8 }, (_, i) => Number(bytes.readBigUInt64LE(i * 8)));
  };
  contains(w.fails("$LD a.o -o x"), "undefined symbol: __start_data");
  w.sh("$LD a.o -o a --start-stop --build-id && ./a");
  const ends = (elf: ElfFile, name: string): number[] => [elf.need(name).addr, elf.need(name).addr + elf.need(name).size];
  const elf = w.elf("a");
  assert.equal(words("a"), [...ends(elf, ".my-data.x"), ...ends(elf, ".data"), ...ends(elf, ".note.gnu.build-id"), elf.need("foo").addr]);
  contains(w.fails("$LD c.o -o x --start-stop"), "undefined symbol: __start_comment");
  w.sh("$LD b.o -o b --image-base=0x200000 --physical-image-base=0x5000000");
  assert.equal(words("b"), [...ends(w.elf("b"), "foo").map((address) => address + 0x4e00000), w.elf("b").need("foo").addr]);
  contains(w.fails("$LD b.o -o x"), "undefined symbol: __phys_start_foo");
});

peers("--no-discard-section, -nopie, --print-icf-sections=FILE, --stats=FILE", (w) => {
  if (!wield) return;
  w.write({ "a.s": `${FUNCTIONS}.section .x,"a"\n.byte 1\n.section .y,"a"\n.byte 1\n` }).sh("as a.s -o a.o && $LD a.o --discard-section=.x --discard-section=.y --no-discard-section=.x -pie -nopie -o o");
  const elf = w.elf("o");
  assert.ok(elf.section(".x") !== undefined && elf.section(".y") === undefined && elf.type === 2);
  const said = w.sh("$LD a.o --icf=all --print-icf-sections -o o");
  contains(said, "removing identical section");
  assert.is(w.sh("$LD a.o --icf=all --print-icf-sections=list -o o"), "");
  assert.is(Buffer.from(w.bytes("list")).toString(), said);
  assert.is(w.sh("$LD a.o --icf=all --print-icf-sections=list --no-print-icf-sections --stats --no-stats -o o"), "");
  assert.is(w.sh("$LD a.o --stats=counts -o o"), "");
  contains(Buffer.from(w.bytes("counts")).toString(), "input sections");
});

peers("--discard-sframe, --strip-debug-gdb, --strip-debug-non-line leave sections out", (w) => {
  if (!wield) return;
  w.write({ "m.c": "struct s { int a; }; int main(int c, char **v) {\n struct s s = { c };\n return s.a - 1; }", "s.s": 'f: ret\n.section .sframe,"a",@progbits\n.byte 0xe2, 0xde, 2, 4, 3, 0, -8, 0\n.long 1, 1, 3, 0, 20, f - ., 1, 0, 1, 0\n.byte 0, 2, 8\n' });
  w.sh("gcc -g -gpubnames -c m.c && as s.s -o s.o");
  const names = (flag: string): string => (w.sh(`gcc -B$B m.o s.o -Wl,${flag} -o m && ./m`), w.elf("m").sectionNames().join(" "));
  contains(names("--gc-sections"), ".debug_pub", ".debug_aranges", ".debug_info");
  contains(names("--as-needed"), ".sframe");
  lacks(names("--discard-sframe"), ".sframe");
  lacks(names("--strip-debug-gdb"), ".debug_pub");
  contains(names("--strip-debug-gdb"), ".debug_aranges");
  const lines = names("--strip-debug-non-line");
  contains(lines, ".debug_line", ".debug_info", ".debug_abbrev");
  lacks(lines, ".debug_aranges", ".debug_pub");
  contains(w.sh("addr2line -e m $(nm m | grep ' main$' | cut -d' ' -f1)"), "m.c:1");
}, "addr2line", "nm");

peers("--got-plt-syms names entries of the GOT and PLT", (w) => {
  if (!wield) return;
  w.write({ "a.c": `
    extern int data, puts(const char *); extern __thread int outer; static __thread int inner; extern void both(void);
    static void own(void) {} static void *choose(void) { return own; } void chosen(void) __attribute__((ifunc("choose")));
    int main(void) { void (*volatile f)(void) = both; f(); both(); chosen(); inner++; return data + outer + puts("said") < 0; }`,
    "b.c": "int data; __thread int outer; void both(void) {}" });
  w.sh("gcc -fPIC -c b.c && gcc -shared -B$B b.o -o libb.so");
  for (const [flags, dialect] of [["", "gnu"], ["-Wl,-z,ibtplt", "gnu"], ["-Wl,-q", "gnu"], ["-Wl,--discard-all", "gnu"], ["-shared", "gnu"], ["-shared", "gnu2"]] as const) {
    w.sh(`gcc -fPIC -O0 -mtls-dialect=${dialect} -c a.c && for o in "-o plain" "-o m -Wl,--got-plt-syms"; do gcc -B$B ${flags} a.o -L. -lb -Wl,-rpath,. $o; done`);
    if (flags !== "-shared") assert.is(w.sh("./m"), "said\n");
    const elf = w.elf("m");
    const made = elf.symtab().filter(({ name }) => name.includes("$"));
    const section = (name: string): string => {
      const symbol = made.find((each) => each.name === name)!;
      const home = elf.shdrs[symbol.shndx]!;
      assert.ok(symbol.bind === 0 && symbol.value >= home.addr && symbol.value + symbol.size <= home.addr + home.size, name);
      return home.name;
    };
    const code = flags.includes("ibt") ? ".plt.sec" : ".plt";
    assert.equal(["puts$plt", "puts$got", "both$got", "both$gotplt", "data$got"].map(section), [code, ".got.plt", ".got", ".got.plt", ".got"]);
    const relocations = new Map(elf.relocs().map(({ offset, name }) => [offset, name]));
    for (const name of ["puts", "both", "data"]) assert.is(relocations.get(made.find((each) => each.name === `${name}$got`)!.value), name);
    // Nothing else is changed by it.
    assert.equal(elf.content(".text"), w.elf("plain").content(".text"));
    assert.equal(elf.symtab().filter(({ name }) => !name.includes("$")).map(({ name, value }) => [name, value]), w.elf("plain").symtab().map(({ name, value }) => [name, value]));
    if (flags === "-shared") assert.is(section(dialect === "gnu" ? "outer$tlsgd" : "outer$tlsdesc"), ".got");
    if (flags === "") assert.equal([section("outer$gottp"), section("chosen$plt")], [".got", ".iplt"]);
  }
  w.sh("gcc -B$B a.o -L. -lb -Wl,--got-plt-syms -s -o m");
  assert.not.ok(w.elf("m").section(".symtab"));
});

peers("--no-string-merge and --relocatable-merge-sections", (w) => {
  if (!wield) return;
  w.write({ "a.s": `${FUNCTIONS}.section .rodata.str1.1,"aMS",@progbits,1\n.asciz "same"\n.section .init_array.7,"aw",@init_array\n.quad a\n`, "b.s": '.section .rodata.str1.1,"aMS",@progbits,1\n.asciz "same"\n' });
  w.sh("as a.s -o a.o && as b.s -o b.o");
  const bytes = (flag: string): number => (w.sh(`$LD a.o b.o ${flag} -o o`), w.elf("o").need(".rodata").size);
  assert.is(bytes(""), 5);
  assert.is(bytes("--no-string-merge"), 10);
  const names = (flag: string): string => w.sh(`$LD -r a.o b.o ${flag} -o r.o && readelf -SW r.o`);
  contains(names(""), ".text.a", ".text.b", ".rodata.str1.1");
  const merged = names("--relocatable-merge-sections");
  lacks(merged, ".text.a", ".rodata.str");
  contains(merged, ".init_array.7");
  w.sh("$LD r.o -o p && $LD a.o b.o -o q && nm p | sort > 1 && nm q | sort > 2 && cmp 1 2");
}, "readelf", "nm");

peers("--weak-unresolved-symbols: nobody has to define them", (w) => {
  if (!wield) return;
  w.write({ "m.s": ".globl main\nmain: mov $nowhere, %eax; ret\n" }).sh("as m.s -o m.o && gcc -B$B -no-pie m.o -Wl,--weak-unresolved-symbols -o m && ./m");
  contains(w.fails("$LD m.o -e main -o x"), "undefined symbol: nowhere");
});

peers("--print-dependencies and --print-symbol-counts", (w) => {
  if (!wield) return;
  w.write({ "m.s": ".globl _start\n_start: call a\n", "a.s": ".globl a, b, c\na: ret\nb: ret\nc: jmp a\n" }).sh("as m.s -o m.o && as a.s -o a.o && ar rc l.a a.o");
  assert.is(w.sh("$LD m.o l.a --print-dependencies --print-symbol-counts=counts -o o"), "m.o\tl.a(a.o)\ta\n");
  assert.is(w.read("counts"), "symbols m.o 1 0\nsymbols l.a(a.o) 3 1\n");
}, "ar");

peers("-z rewrite-endbr: functions that are only called need no ENDBR64", (w) => {
  if (!wield) return;
  w.write({
    "m.c": "int called(int); int taken(int); int (*volatile p)(int) = taken; extern int aliased(int); int main(void) { return called(1) + p(2) + aliased(0) - 3; }",
    "f.c": "int called(int x) { return x; } int taken(int x) { return x; } int real(int x) { return x; } int aliased(int x) __attribute__((alias(\"real\"))); int (*volatile q)(int) = aliased;",
  }).sh("gcc -O1 -fcf-protection=full -c m.c f.c && gcc -B$B m.o f.o -o plain && gcc -B$B m.o f.o -Wl,-z,rewrite-endbr -o p && ./p && gcc -B$B m.o f.o -Wl,-z,rewrite-endbr,-z,norewrite-endbr -o q && cmp plain q");
  w.sh("gcc -B$B -shared f.o -Wl,-z,rewrite-endbr -o f.so 2>/dev/null || gcc -O1 -fPIC -fcf-protection=full -c f.c && gcc -B$B -shared f.o -Wl,-z,rewrite-endbr -o f.so");
  const first = (file: string, name: string): string => w.sh(`objdump -d --no-show-raw-insn ${file} | grep -A1 '<${name}>:' | sed -n 2p`).trim().split(/\s+/)[1]!;
  assert.equal(["called", "taken", "aliased", "main"].map((name) => first("p", name)), ["nopl", "endbr64", "endbr64", "endbr64"]);
  assert.is(first("plain", "called"), "endbr64");
  assert.is(first("f.so", "called"), "endbr64");
}, "objdump");

peers("--run: compilers find this linker, whatever linker they are asked for", (w) => {
  if (!wield) return;
  w.write({ "m.c": "int main(void) { return 0; }" }).sh("gcc -c m.c");
  for (const command of ["gcc m.o -o m", "gcc -fuse-ld=gold m.o -o m", "sh -c 'gcc m.o -o m'"]) {
    w.sh(`rm -f m; $LD --run ${command} && ./m && readelf -p .comment m | grep 'Linker: wield' > /dev/null`);
  }
  assert.is(w.try("$LD -run sh -c 'exit 7'").status, 7);
  contains(w.fails("$LD --run no-such-command"), "cannot run no-such-command");
  contains(w.fails("$LD --run"), "missing argument");
  contains(w.fails("$LD m.o --run gcc"), "--run must be the first option");
}, "readelf");

peers("-C changes the folder first; one inside the other", (w) => {
  if (!wield) return;
  w.write({ "d/e/a.s": FUNCTIONS }).sh("as d/e/a.s -o d/e/a.o && $LD -C d -C e a.o -o out --Map=out.map && test -s d/e/out -a -s d/e/out.map && $LD --directory=d/e a.o -r -o r.o && test -s d/e/r.o");
  contains(w.fails("$LD -Cnowhere a.o"), "cannot change to nowhere: No such file or directory");
});

peers("--task-link is -r for ELF, as with GNU ld", (w) => {
  w.write({ "a.s": ".globl f, g\nf: call g\ng: ret\ncall h\n" }).sh("as a.s -o a.o && $LD --task-link f a.o -o t.o && $LD -r a.o -o r.o && cmp t.o r.o");
});

peers.run();
