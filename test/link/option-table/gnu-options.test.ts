/** Options that only GNU ld has: each does what GNU ld's manual says of it. */
import { assert, behaviour, contains, lacks, linkerName } from "../../helpers/link.ts";

const gnu = behaviour("options of GNU ld");
const wield = linkerName === "wield";

const PLAIN = ".globl _start\n_start: ret\nlocal: ret\n.data\n.quad 1\n";

gnu("-Map: a folder, and % for the output", (w) => {
  if (!wield) return;
  w.write({ "a.s": PLAIN }).sh("as a.s -o a.o && mkdir maps && $LD a.o -o prog -Map=maps && test -s maps/prog.map && $LD a.o -o prog -Map=% && test -s prog.map && $LD a.o -o prog -Map=%.txt && test -s prog.txt");
});

gnu("--print-map-discarded, --print-map-locals and their negations", (w) => {
  if (!wield) return;
  w.write({ "a.s": `${PLAIN}.section .text.dead,"ax"\nret\n` }).sh("as a.s -o a.o");
  const map = (flags: string): string => w.sh(`$LD a.o --gc-sections -M ${flags} -o a`);
  contains(map("--print-map-discarded"), /^Discarded input sections\n\n[^]*^ \.text\.dead +0x0000000000000000 +0x1 a\.o$/m, " local");
  lacks(map("--print-map-discarded --no-print-map-discarded"), "Discarded");
  lacks(map("--no-print-map-locals"), " local");
  contains(map("--no-print-map-locals"), " _start");
  assert.is(map("--no-print-map-locals --print-map-locals"), map(""));
});

gnu("SEGMENT_START is what -Ttext-segment, -Trodata-segment and -Tldata-segment say", (w) => {
  w.write({ "a.s": `${PLAIN}.section .rodata,"a"\n.quad 1\n`, "s.ld": 'SECTIONS { . = SEGMENT_START("text-segment", 0x10000); .text : { *(.text) } . = SEGMENT_START("rodata-segment", 0x20000); .rodata : { *(.rodata) } . = SEGMENT_START("ldata-segment", 0x30000); .data : { *(.data) } }' }).sh("as a.s -o a.o");
  if (!wield && linkerName !== "bfd") return;
  const addresses = (flags: string): number[] => (w.sh(`$LD a.o -T s.ld ${flags} -o a`), [".text", ".rodata", ".data"].map((name) => w.elf("a").need(name).addr));
  assert.equal(addresses(""), [0x10000, 0x20000, 0x30000]);
  assert.equal(addresses("-Ttext-segment=0x11000 -Trodata-segment=0x21000"), [0x11000, 0x21000, 0x30000]);
  if (wield) assert.equal(addresses("-Tldata-segment 0x600000"), [0x10000, 0x20000, 0x600000]);
});

gnu("--warn-textrel and --warn-shared-textrel", (w) => {
  if (!wield) return;
  w.write({ "a.s": ".globl _start\n_start: movabs $_start, %rax\n" }).sh("as a.s -o a.o");
  const said = (flags: string): string => w.sh(`$LD a.o -z notext ${flags} -o a 2>&1`);
  contains(said("-shared --warn-shared-textrel"), "warning: creating DT_TEXTREL in a shared object");
  contains(said("-pie --warn-textrel"), "warning: creating DT_TEXTREL in a PIE");
  assert.is(said("-pie --warn-shared-textrel"), "");
  assert.is(said("-shared --warn-textrel --no-warn-shared-textrel"), "");
  assert.is(said("--warn-textrel"), "");
});

gnu("-z indirect-extern-access, memory-seal and lam-report", (w) => {
  if (!wield) return;
  w.write({ "a.s": PLAIN }).sh("as a.s -o a.o");
  const note = (words: string): string => (w.sh(`$LD a.o ${words} -o a`), Buffer.from(w.elf("a").need(".note.gnu.property").size === 0 ? [] : w.elf("a").content(".note.gnu.property")).toString("hex"));
  contains(note("-z indirect-extern-access"), "008000b00400000001000000");
  assert.is(note("-z memory-seal").slice(32), "0300000000000000");
  lacks(w.sh("$LD a.o -z memory-seal -z nomemory-seal -z indirect-extern-access -z noindirect-extern-access -o a && readelf -SW a"), "property");
  const said = (words: string): string => w.sh(`$LD a.o ${words} -o a 2>&1`);
  contains(said("-z lam-report=warning"), "-z lam-report: file does not have GNU_PROPERTY_X86_FEATURE_1_LAM_U48", "LAM_U57");
  contains(said("-z lam-u48-report=warning"), "LAM_U48");
  assert.is(said("-z lam-report=warning -z lam-u57-report=none -z lam-u48-report=none -z nomark-plt -z notext-unlikely-segment -z call-nop=prefix-addr"), "");
  contains(w.fails("$LD a.o -z lam-u57-report=error -o a"), "LAM_U57");
  contains(w.fails("$LD a.o -z lam-report=often -o a"), "parameter often is not recognized");
}, "readelf");

gnu("--audit and --depaudit given more than once are one list", (w) => {
  if (!wield && linkerName !== "bfd") return;
  w.write({ "a.s": ".globl f\nf: ret\n" }).sh("as a.s -o a.o && $LD -shared a.o --audit a1 --audit=a2 -P d1 --depaudit d2 -o a.so");
  const tags = w.sh("readelf -dW a.so | grep -i audit");
  contains(tags, "[a1:a2]", "[d1:d2]");
  assert.is(tags.trim().split("\n").length, 2);
}, "readelf");

gnu("LD_RUN_PATH is the run path when no option gives one", (w) => {
  if (!wield && linkerName !== "bfd") return;
  w.write({ "a.s": ".globl f\nf: ret\n" }).sh("as a.s -o a.o");
  const path = (flags: string): string => w.sh(`LD_RUN_PATH=/from/environment $LD -shared a.o ${flags} -o a.so && readelf -d a.so`);
  contains(path(""), "[/from/environment]");
  contains(path("-rpath /mine"), "[/mine]");
}, "readelf");

gnu("--target-help is --help; options of compilers and of big-endian machines change nothing", (w) => {
  if (!wield) return;
  w.write({ "a.s": PLAIN }).sh("as a.s -o a.o && $LD a.o -o a && $LD a.o -flto -flto=auto -flto-partition=none -fuse-ld=bfd -EB -o b && cmp a b && $LD --target-help | grep 'supported emulations' > /dev/null");
});

gnu("A member that defines a common symbol is taken; not with --no-fortran-common, nor as ld.lld", (w) => {
  if (!wield) return;
  w.write({ "m.s": ".globl _start\n_start: mov c, %eax\n.comm c, 4\n", "c.s": ".data\n.globl c, other\nc: .quad 5\n.size c, 8\nother: .quad 6\n", "e.s": ".comm c, 16\n" }).sh("for f in m c e; do as $f.s -o $f.o; done; ar rc c.a c.o; ar rc e.a e.o");
  const other = (line: string): boolean => w.sh(`$LD ${line} -o o && nm o`).includes(" other");
  for (const line of ["m.o c.a", "c.a m.o", "m.o --start-lib c.o --end-lib", "e.a m.o c.a"]) {
    assert.ok(other(line), line);
    assert.not.ok(other(`${line} --no-fortran-common`), line);
    assert.ok(other(`${line} --no-fortran-common --fortran-common`), line);
  }
  assert.not.ok(other("m.o e.a"));
  w.sh("ln -s $LD ld.lld");
  assert.not.ok(w.sh("./ld.lld m.o c.a -o o && nm o").includes(" other"));
  contains(w.sh("$LD m.o c.a --why-extract=- -o o"), "m.o\tc.a(c.o)\tc");
}, "ar", "nm");

gnu("short flags in one argument, and --threads with its number in the next", (w) => {
  if (!wield) return;
  w.write({ "a.s": PLAIN }).sh("as a.s -o a.o && $LD a.o -s -x -o a && $LD a.o --threads 2 -o c && $LD a.o --threads -o d && cmp c d && $LD a.o -Ax86-64 -o e && cmp c e");
  contains(w.sh("$LD a.o -sx -o b 2>&1 && cmp a b"), "warning: grouped short command line options are deprecated: -sx");
  contains(w.fails("$LD a.o -so b"), "unknown argument '-so'");
});

gnu("-z isa-level-report= lists what inputs need and use", (w) => {
  if (!wield) return;
  const note = (type: string, bits: string): string => `.long ${type}, 4, ${bits}, 0\n`;
  w.write({ "a.s": `${PLAIN}.section .note.gnu.property,"a",@note\n.long 4, 32, 5\n.asciz "GNU"\n${note("0xc0008002", "0x15")}${note("0xc0010002", "3")}`, "b.s": "nop\n" }).sh("as a.s -o a.o && as b.s -o b.o");
  const said = (flags: string): string => w.sh(`$LD a.o b.o ${flags} -o o 2>&1`);
  const needed = "a.o: x86 ISA needed: x86-64-baseline, x86-64-v3, <unknown: 10>\n";
  const used = "a.o: x86 ISA used: x86-64-baseline, x86-64-v2\n";
  assert.is(said("-z isa-level-report=all"), needed + used);
  assert.is(said("-z isa-level-report=needed -r"), needed);
  assert.is(said("-z isa-level-report=used"), used);
  assert.is(said("-z isa-level-report=all -z isa-level-report=none"), "");
  contains(w.fails("$LD a.o -z isa-level-report=some -o o"), "-z isa-level-report= parameter some is not recognized");
});

gnu("--gnu2-tls-tag: a glibc that says GLIBC_ABI_GNU2_TLS, when there are TLS descriptors", (w) => {
  if (!wield) return;
  w.write({ "a.c": '#include <stdlib.h>\nextern __thread int t; int *f(void) { return getenv("t") ? &t : 0; }', "b.c": '#include <stdlib.h>\nint f(void) { return getenv("t") != 0; }' });
  w.sh("gcc -fPIC -mtls-dialect=gnu2 -c a.c && gcc -fPIC -c b.c");
  const versions = (object: string, flags: string): string[] => (w.sh(`gcc -shared -B$B ${object} ${flags} -o a.so`), w.elf("a.so").verneeds().map(({ name }) => name).filter((name) => name.includes("ABI")));
  assert.equal(versions("a.o", ""), []);
  assert.equal(versions("a.o", "-Wl,--gnu2-tls-tag"), ["GLIBC_ABI_GNU2_TLS"]);
  assert.equal(versions("a.o", "-Wl,--gnu2-tls-tag,-z,pack-relative-relocs"), ["GLIBC_ABI_DT_RELR", "GLIBC_ABI_GNU2_TLS"]);
  assert.equal(versions("a.o", "-Wl,--gnu2-tls-tag,--no-gnu2-tls-tag"), []);
  assert.equal(versions("b.o", "-Wl,--gnu2-tls-tag"), []);
});

gnu("--build-id=xx has 16 bytes; LIB ( ) in a script is --start-lib", (w) => {
  if (!wield) return;
  w.write({ "m.s": PLAIN.replace("_start:", "_start: .quad wanted;"), "a.s": ".globl wanted\nwanted: ret\n", "b.s": ".globl spare\nspare: ret\n", "l.ld": "LIB(a.o, b.o)\n" }).sh("for f in m a b; do as $f.s -o $f.o; done && $LD m.o l.ld --build-id=xx -o o");
  assert.is(w.elf("o").content(".note.gnu.build-id").length, 16 + 16);
  const names = w.elf("o").symtab().map(({ name }) => name);
  assert.ok(names.includes("wanted") && !names.includes("spare"));
});

gnu("--warn-execstack-objects: only when an object asks for it", (w) => {
  if (!wield) return;
  w.write({ "a.s": `${PLAIN}.section .note.GNU-stack,"x",@progbits\n`, "b.s": `${PLAIN}.section .note.GNU-stack,"",@progbits\n` }).sh("as a.s -o a.o && as b.s -o b.o");
  assert.is(w.sh("$LD b.o -z execstack --warn-execstack-objects -o o 2>&1"), "");
  contains(w.sh("$LD a.o -z execstack-if-needed --warn-execstack-objects -o o 2>&1"), "a.o: requires executable stack");
});

gnu.run();
