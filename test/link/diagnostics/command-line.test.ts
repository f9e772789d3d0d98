/** Mistakes on the command line and in the small files it names: all of them are said in one run. */
import { assert, behaviour, contains, lacks, linkerName } from "../../helpers/link.ts";

const commandLine = behaviour("command line");
const wield = linkerName === "wield";
const lld = wield || linkerName === "lld";

commandLine("unknown options, a wrong emulation and missing files are all named", (w) => {
  if (!lld) return;
  const said = w.fails("$LD --unknown1 --unkn=own2 -m foo /no/such/file -lnosuchlib");
  contains(said, "error: unknown argument '--unknown1'", "error: unknown argument '--unkn=own2'", "error: unknown emulation: foo", "error: cannot open /no/such/file", "error: unable to find library -lnosuchlib");
  if (wield) contains(said, "unknown option"); // what cmake looks for
  lacks(w.fails("$LD --unknown1"), "no input files");
  contains(w.fails("$LD --versin"), "unknown argument '--versin', did you mean '--version'");
});

commandLine("-m for another machine: one error, not one for each file of that machine", (w) => {
  if (!wield) return;
  w.write({ "a.s": ".globl f\nf: nop\n" }).sh("as --32 a.s -o a.o && cp a.o b.o && ar rc liba.a b.o && mkdir l && cp liba.a l/libb.a");
  assert.is(w.fails("$LD -m elf_i386 a.o --whole-archive liba.a b.o -L l -lb -o x"), "wield: error: unknown emulation: elf_i386 (supported: elf_x86_64)\n");
  contains(w.fails("$LD -m elf_i386 a.o no.o -L l -lno -o x"), "unknown emulation: elf_i386", "cannot open no.o", "unable to find library -lno");
  contains(w.fails("$LD a.o -L l -lb -o x"), "a.o is incompatible with elf_x86_64", "unable to find library -lb\n>>> skipped incompatible l/libb.a");
}, "as", "ar");

commandLine("the beginning of a name is the option, where no other begins so", (w) => {
  if (linkerName === "lld") return;
  w.write({ "a.s": ".globl _start, f\n_start: nop\n.section .text.f,\"ax\"\nf: nop\n" }).sh("as a.s -o a.o && $LD a.o -o gc --gc-section --section-sta=.text=0x600000 -fatal-warn");
  assert.is(w.elf("gc").need(".text").addr, 0x600000);
  assert.not(w.elf("gc").symbol("f"));
  w.fails("$LD a.o -o x --export-dyn");
  if (!wield) return;
  contains(w.fails("$LD a.o -o x --export-dyn"), "unknown argument '--export-dyn'");
  w.sh("ln -s $LD ld.lld");
  contains(w.fails("./ld.lld a.o -o x --gc-section"), "unknown argument '--gc-section', did you mean '--gc-sections'");
}, "as");

commandLine("files that are too large to be text or in memory are said to be so", (w) => {
  if (!wield) return;
  w.write({ "a.s": ".globl _start\n_start: nop\n" }).sh("as a.s -o a.o && truncate -s 12G huge && truncate -s 600M large && truncate -s 3G more");
  for (const option of ["--version-script=huge", "--version-script=large", "--version-script=more", "-b binary huge", "@huge", "@large"]) {
    assert.is(w.fails(`$LD a.o ${option} -o x`), `wield: error: cannot open ${option.match(/huge|large|more/)![0]}: File too large\n`, option);
  }
  // What never ends is not read until memory does.
  assert.is(w.fails("$LD a.o --version-script=/dev/zero -o x"), "wield: error: cannot open /dev/zero: File too large\n");
  w.sh("rm huge large more");
}, "as");

commandLine("words that are near a value, and who calls us like a compiler, are helped", (w) => {
  if (!wield) return;
  w.write({ "a.s": ".globl _start\n_start: nop\n" }).sh("as a.s -o a.o");
  assert.is(w.try("$LD a.o -z nwo -o x").stderr, "wield: warning: unknown -z value: nwo\n>>> did you mean: -z now\n");
  contains(w.try("$LD a.o -z max-page-sise=4096 -o x").stderr, "\n>>> did you mean: -z max-page-size=4096\n");
  assert.is(w.try("$LD a.o -z ignore -o x").stderr, "wield: warning: unknown -z value: ignore\n");
  contains(w.fails("$LD a.o --build-id=sha -o x"), "unknown --build-id style: sha (one of sha1, ");
  contains(w.fails("$LD a.o --unresolved-symbols=none -o x"), "unknown --unresolved-symbols value: none (one of report-all, ");
  contains(w.fails("$LD a.o --defsym=a -o x"), "--defsym: syntax error: a\n>>> expected NAME=EXPRESSION");
  contains(w.fails("$LD a.o '--defsym=a b=1' -o x"), "--defsym: syntax error: a b=1");
  contains(w.fails("$LD a.o --oformat=pe -o x"), "unknown --oformat value: pe (one of elf, binary, srec, ihex)\n");
  contains(w.fails("$LD a.o -Ttext=zz -o x"), "invalid argument: -Ttext=zz\n>>> expected a hexadecimal address\n");
  contains(w.fails("$LD a.o --section-start .text -o x"), "invalid argument: --section-start .text\n>>> expected SECTION=ADDRESS, the address in hexadecimal\n");
  for (const option of ["-fPIC", "-static-pie", "-rdynamic"]) {
    contains(w.fails(`$LD a.o ${option} -o x`), `unknown argument '${option}'\n`, "\n>>> it is an option of compilers (gcc, clang), and this is a linker\n");
  }
  assert.is(w.fails("$LD"), "wield: error: no input files\n>>> usage: wield [options] file...; --help lists the options\n>>> compilers start it: gcc -B DIR (DIR holds this linker under the name ld), clang --ld-path=FILE\n");
  assert.is(w.fails("$LD -o x"), "wield: error: no input files\n");
}, "as");

commandLine("a library that is not found: what is there instead", (w) => {
  if (!wield) return;
  w.write({ "a.s": ".globl _start\n_start: nop\n", "l/libfoo.so.1": "", "l/libbar.so": "", "l/libnear.a": "" }).sh("as a.s -o a.o");
  const said = (words: string): string => w.fails(`$LD a.o -nostdlib -L l ${words} -o x`);
  assert.is(said("-lfoo"), "wield: error: unable to find library -lfoo\n>>> l/libfoo.so.1 is what programs load when they run; libfoo.so, for linking, comes with a development package\n");
  assert.is(said("-static -lbar"), "wield: error: unable to find library -lbar\n>>> l/libbar.so is a shared object, and only archives are taken here (-static, -Bstatic)\n");
  assert.is(said("-lnaer"), "wield: error: unable to find library -lnaer\n>>> did you mean: -lnear\n");
  assert.is(said("-static -lbarr"), "wield: error: unable to find library -lbarr\n>>> searched: l\n");
  assert.is(said("-l:libnaer.a"), "wield: error: unable to find library -l:libnaer.a\n>>> did you mean: -l:libnear.a\n");
  assert.is(said("-lquitedifferent"), "wield: error: unable to find library -lquitedifferent\n>>> searched: l\n");
  assert.is(said("-lquite.so"), "wield: error: unable to find library -lquite.so\n>>> -lquite.so searches libquite.so.so and libquite.so.a; -l:FILE searches the exact name\n>>> searched: l\n");
  assert.is(said("-llibquite"), "wield: error: unable to find library -llibquite\n>>> -llibquite searches liblibquite.so and liblibquite.a; -l:FILE searches the exact name\n>>> searched: l\n");
  assert.is(said("-l:quite.so -L nowhere"), "wield: error: unable to find library -l:quite.so\n>>> searched: l, nowhere (nothing there)\n");
}, "as");

commandLine("sources that are given instead of objects are named", (w) => {
  if (!wield) return;
  w.write({ "a.s": ".globl _start\n_start: nop\n", "m.c": "/* A program. */\nint main(void) { return 0; }\n", "p.c": "#include <stdio.h>\nint i;\n", "m.rs": "fn main() {\n}\n", "x.txt": "This is a text.\n" }).sh("as a.s -o a.o");
  contains(w.fails("$LD a.o m.c -o x"), "m.c:2: unknown directive: int\n>>> int main(void) { return 0; }\n>>> ^\n>>> it is source code: a compiler makes an object of it\n");
  contains(w.fails("$LD a.o p.c -o x"), ">>> it is text for a preprocessor");
  contains(w.fails("$LD a.o m.rs -o x"), ">>> it is source code");
  contains(w.fails("$LD a.o a.s -o x"), ">>> it is assembly: an assembler makes an object of it\n");
  assert.is(w.fails("ar rc a.a a.o && $LD a.o -T a.o -T a.a -o x"), "wield: error: a.o: not a linker script\n>>> it is 64-bit little-endian ELF for x86-64\n\nwield: error: a.a: not a linker script\n>>> it is an archive\n");
  contains(w.fails("$LD a.o x.txt -o x"), ">>> neither an object nor an archive: read as a linker script\n");
}, "as", "ar");

commandLine("options that cannot be combined, and those of other machines", (w) => {
  if (!lld) return;
  w.write({ "a.s": ".globl _start\n_start: nop\n", "l.s": ".globl f\nf: ret\n" }).sh("as a.s -o a.o && as l.s -o l.o && $LD -shared l.o -o libl.so && ar rc libl.a l.o");
  contains(w.fails("$LD -r -shared -pie --export-dynamic --icf=all a.o -o x"), "-r and -shared may not", "-r and -pie may not", "-r and --icf may not");
  contains(w.fails(linkerName === "lld" ? "$LD -r --export-dynamic a.o -o x" : "ln -s $LD ld.lld && ./ld.lld -r --export-dynamic a.o -o x"), "-r and --export-dynamic may not");
  if (linkerName === "wield") w.sh("$LD -r --export-dynamic a.o -o r.o"); // gcc -r -rdynamic
  contains(w.fails("$LD a.o --be8 --fix-cortex-a53-843419 --toc-optimize -o x"), "--be8 is only supported on ARM targets", "--fix-cortex-a53-843419 is only supported on AArch64 targets", "--toc-optimize is only supported on PowerPC64 targets");
  contains(w.fails("$LD a.o -z max-page-size -o x"), "invalid max-page-size: ");
  contains(w.fails("$LD -r a.o libl.so -o x"), "attempted static link of dynamic object libl.so");
  // -r takes archives where it would take shared objects.
  w.sh("$LD -r -Bdynamic a.o -L. -u f -ll -o r.o && nm r.o | grep ' T f'");
  w.write({ "dirs.ld": "SEARCH_DIR(\"" + w.dir + "\")" });
  w.sh("mkdir empty; cd empty; $LD ../a.o ../dirs.ld -ll -o x");
  contains(w.fails("cd empty; $LD ../a.o ../dirs.ld -ll -nostdlib -o x"), "unable to find library -ll");
}, "as", "ar");

commandLine("-w silences warnings that --fatal-warnings would turn into errors", (w) => {
  w.write({ "a.s": ".globl _start\n_start: nop\n" }).sh("as a.s -o a.o");
  contains(w.fails("$LD a.o -z foo --fatal-warnings -o x"), "unknown -z value: foo");
  assert.is(w.try("$LD a.o -z foo --fatal-warnings -w -o x").stderr, "");
  contains(w.try("$LD a.o -z foo -z rel -z rela -o x").stderr, "unknown -z value: foo");
}, "as");

commandLine("dynamic lists that are wrong", (w) => {
  if (!lld) return;
  const says = (text: string): string => {
    w.write({ list: text });
    return w.fails("$LD --dynamic-list list");
  };
  contains(says("\n"), "list:1: unexpected EOF");
  contains(says("foobar\n"), "list:1: { expected, but got foobar");
  contains(says("{ foobar;\n"), "list:1: unexpected EOF");
  contains(says("{ foobar }\n"), "list:1: ; expected, but got }");
  contains(says("{ foobar; }\n"), "list:1: unexpected EOF");
  contains(says("{ \"foobar; };\n"), "list:1: unclosed quote");
  contains(says("{ extern \"BOGUS\" { test }; };\n"), "list:1: Unknown language");
});

commandLine("an archive cut short, and a member that is no object", (w) => {
  if (!lld) return;
  w.write({ "a.s": ".globl _start\n_start: nop\n", "cut.a": "!<arch>\nxxxx", README: "\x01text\n" }).sh("as a.s -o a.o && ar rcS x.a README");
  contains(w.fails("$LD a.o cut.a -o x"), "cut.a: failed to parse archive: truncated or malformed archive (remaining size of archive too small for next archive member header at offset 8)");
  contains(w.try("$LD a.o x.a -o x").stderr, "warning: x.a: archive member 'README' is neither ET_REL nor LLVM bitcode");
  if (linkerName === "wield") {
    // Small links read their inputs a second time when an archive turns out to be needed.
    w.write({ "m.s": ".globl needed\nneeded: ret\n", "n.s": ".globl _start\n_start: call needed\n" }).sh("as m.s -o m.o && as n.s -o n.o && ar rc x.a m.o");
    assert.is(w.sh("$LD n.o x.a -o x 2>&1").match(/neither ET_REL/g)?.length, 1);
  }
}, "as", "ar");

commandLine("a shared object's undefined symbol whose only definition is garbage, and other versions of a name", (w) => {
  if (!lld) return;
  w.write({
    "main.s": ".globl _start\n_start: call shared@plt\n", "a.s": ".globl shared\nshared: call x1@plt\n", "hidden.s": ".globl x1\n.hidden x1\nx1: ret\n", "def.s": ".globl x1\nx1: ret\n",
    "v.s": ".globl foo.v1, bar\n.symver foo.v1,foo@v1\nfoo.v1: ret\nbar: ret\n", "v.ver": "v1 { bar; };", "call.s": ".globl _start\n_start: call foo\n.symver bar.v2,bar@v2\ncall bar.v2\n",
  });
  w.sh("for i in main a hidden def v call; do as $i.s -o $i.o; done; $LD -shared a.o -o a.so; $LD -shared def.o -o def.so; $LD -shared --version-script v.ver v.o -o v.so");
  contains(w.fails("$LD --gc-sections main.o a.so hidden.o -o x"), "undefined reference: x1\n>>> referenced by a.so (disallowed by --no-allow-shlib-undefined)");
  contains(w.fails("$LD main.o a.so hidden.o -o x"), "non-exported symbol 'x1' in 'hidden.o' is referenced by DSO 'a.so'");
  w.sh("$LD --gc-sections --fatal-warnings main.o a.so def.so hidden.o -o x");
  const said = w.fails("$LD v.so call.o -o x");
  contains(said, "undefined symbol: foo\n", "\n>>> did you mean: foo@v1\n>>> defined in: v.so", "undefined symbol: bar@v2\n", "\n>>> did you mean: bar\n>>> defined in: v.so");
}, "as");

commandLine.run();
