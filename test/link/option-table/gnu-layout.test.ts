/** Options of GNU ld and lld about names, places and records: each does what the manual says of it. */
import { assert, behaviour, contains, lacks, linkerName } from "../../helpers/link.ts";

const gnu = behaviour("newer options of GNU ld and lld");
const wield = linkerName === "wield";

const A = ".globl _start\n_start: ret\nloc: ret\n.hidden hid\n.globl hid\nhid: ret\n.data\ndup: .quad dup\n.quad ext\n";
const B = "loc: ret\n.globl ext\next: ret\n.data\ndup: .quad loc\n.quad ext\nloc.1: .byte 1\n";
const names = (table: string): string => table.trim().split("\n").map((line) => line.split(" ").at(-1)!).sort().join(" ");

gnu("-z unique-symbol numbers local symbols, those of -r and hidden ones too; -z nounique-symbol does not", (w) => {
  if (!wield) return;
  w.write({ "a.s": A, "b.s": B }).sh("as a.s -o a.o && as b.s -o b.o");
  assert.is(names(w.sh("$LD -z unique-symbol a.o b.o -o a && nm a")), "_start dup.0 dup.1 ext hid.0 loc.0 loc.1 loc.1.0");
  assert.is(names(w.sh("$LD -r -z unique-symbol a.o b.o -o r.o && nm r.o")), "_start dup.0 dup.1 ext hid loc.0 loc.1 loc.1.0");
  assert.is(names(w.sh("$LD -z unique-symbol -z nounique-symbol a.o b.o -o a && nm a")), "_start dup dup ext hid loc loc loc.1");
  const many = Array.from({ length: 20 }, (_, i) => `m${i}.o`);
  w.write({ "m.s": "counted: ret\n" }).sh(`as m.s -o m.o; for o in ${many.join(" ")}; do cp m.o $o; done; $LD a.o b.o ${many.join(" ")} -z unique-symbol -o a`);
  contains(w.sh("nm a"), /counted\.9$/m, /counted\.a$/m, /counted\.10$/m, /counted\.13$/m);
}, "nm");

gnu("-z report-relative-reloc names each relative relocation, packed or not", (w) => {
  if (!wield) return;
  w.write({ "a.s": A, "b.s": B, "c.s": ".globl f\nf: mov ext@GOTPCREL(%rip), %r11\npush ext@GOTPCREL(%rip)\n" }).sh("as a.s -o a.o && as b.s -o b.o && as c.s -o c.o");
  const said = w.sh("$LD -pie a.o b.o c.o -z report-relative-reloc -o a 2>&1");
  const places = (text: string, pattern: RegExp): string => [...text.matchAll(pattern)].map(([, place, addend]) => `${BigInt("0x" + place)} ${BigInt("0x" + addend)}`).sort().join("\n");
  assert.is(said.trim().split("\n").length, 5);
  contains(said, /^a: R_X86_64_RELATIVE \(offset: 0x\w+, info: 0x8, addend: 0x\w+\) against '\.data' for section '\.data' in a\.o$/m, "against 'ext' for section '.data' in b.o", "against 'ext' for section '.got'");
  assert.is(places(said, /offset: 0x(\w+),.*addend: 0x(\w+)/g), places(w.sh("readelf -rW a"), /^(\w{16}) .*RELATIVE +(\w+)$/gm));
  assert.is(w.sh("$LD -pie a.o b.o c.o -z report-relative-reloc -z pack-relative-relocs -o a 2>&1").trim().split("\n").length, 5);
  assert.is(w.sh("$LD a.o b.o c.o -z report-relative-reloc -o a 2>&1"), "");
}, "readelf");

gnu("-z mark-plt: dynamic tags of the PLT, and JUMP_SLOT relocations that name its entries; -z nomark-plt", (w) => {
  if (!wield) return;
  w.write({ "h.c": '#include <stdio.h>\nint main() { return puts("hi") < 0; }\n' }).sh("gcc -c -fcf-protection h.c");
  for (const [style, section, header] of [["", ".plt", 16], ["-Wl,-z,ibtplt", ".plt.sec", 0]] as const) {
    contains(w.sh(`gcc -B$B h.o -o h ${style} -Wl,-z,mark-plt,-z,lazy && ./h`), "hi");
    const tags = new Map(w.elf("h").dynamic().map(({ tag, value }): [number, number] => [tag, value]));
    const plt = w.elf("h").need(section);
    assert.equal([0x70000000, 0x70000001, 0x70000003].map((tag) => tags.get(tag)), [plt.addr, plt.size, 16]);
    const addends = [...w.sh("readelf -rW h").matchAll(/JUMP_SLO.* \+ (\w+)$/gm)].map(([, addend]) => parseInt(addend!, 16));
    assert.equal(addends, addends.map((_, i) => plt.addr + header + 16 * i));
  }
  lacks(w.sh("gcc -B$B h.o -o h -Wl,-z,mark-plt,-z,nomark-plt && readelf -dW h"), "70000000");
}, "gcc", "readelf");

gnu("-z noreloc-overflow, --noinhibit-exec: values are cut to what fits", (w) => {
  if (!wield) return;
  w.write({ "a.s": ".globl _start\n_start: mov big, %eax\n.byte big\n.globl big\nbig = 0x123456789\n" }).sh("as a.s -o a.o");
  contains(w.fails("$LD a.o -o a"), "out of range");
  for (const option of ["-z noreloc-overflow", "--noinhibit-exec"]) {
    w.sh(`$LD a.o -o a ${option}`);
    assert.equal([...w.elf("a").content(".text")], [0x8b, 4, 0x25, 0x89, 0x67, 0x45, 0x23, 0x89], option);
  }
  w.write({ "d.s": '.globl _start\n_start: ret\n.section .debug_info,"",@progbits\n.long big\n.globl big\nbig = 0x123456789\n' });
  w.sh("as d.s -o d.o && $LD d.o -o d --noinhibit-exec");
  assert.equal([...w.elf("d").content(".debug_info")], [0x89, 0x67, 0x45, 0x23]);
});

gnu("--sort-common places commons by alignment", (w) => {
  w.write({ "a.s": ".comm a,1,1\n.comm b,64,64\n.comm c,8,8\n.comm d,64,64\n.globl _start\n_start: ret\n" }).sh("as a.s -o a.o");
  const order = (flags: string): string => w.sh(`$LD a.o -o a ${flags} && nm -n a`).trim().split("\n").map((line) => line.split(" ").at(-1)!).filter((name) => name.length === 1).join("");
  if (wield) assert.is(order(""), "abcd");
  if (!wield && linkerName !== "bfd") return;
  assert.is(order("--sort-common"), "bdca");
  assert.is(order("--sort-common=descending"), "bdca");
  assert.is(order("--sort-common=ascending"), "acbd");
  if (wield) contains(w.fails("$LD a.o -o a --sort-common=sideways"), "unknown --sort-common order: sideways");
}, "nm");

gnu("--randomize-section-padding: other places for each seed, the same for the same, and a program that runs", (w) => {
  if (!wield) return;
  w.write({ "a.c": '#include <stdio.h>\n__attribute__((constructor)) static void c(void) { printf("c"); }\nstatic int f(int x) { return x + 1; } int g[9] = { 1, 2 }; __thread int t = 3; int z[50];\nint main() { printf("%d\\n", f(g[1]) + t + z[3]); }\n' }).sh("gcc -g -ffunction-sections -fdata-sections -c a.c");
  const symbols = (seed: number, flags = ""): string => (contains(w.sh(`gcc -B$B ${flags} a.o -o a -Wl,--randomize-section-padding=${seed} && ./a`), "c6"), w.sh("nm -n a | grep -E ' (main|f|g|z)$'"));
  const seen = [0, 1, 2, 3, 4].map((seed) => symbols(seed));
  assert.ok(new Set(seen).size >= 4);
  assert.is(symbols(2), seen[2]);
  symbols(7, "-static");
  contains(w.fails("$LD a.o --randomize-section-padding=x"), "randomize-section-padding");
}, "gcc", "nm");

gnu("-z call-nop=: how calls that were indirect are filled up", (w) => {
  if (!wield && linkerName !== "bfd") return;
  w.write({ "a.s": ".globl _start\n_start: call *f@GOTPCREL(%rip)\nnop\nf: ret\n" }).sh("as a.s -o a.o");
  const code = (how: string): string => (w.sh(`$LD a.o -o a ${how}`), Buffer.from(w.elf("a").content(".text")).toString("hex"));
  assert.is(code(""), "67e80100000090c3");
  assert.is(code("-z call-nop=prefix-addr"), "67e80100000090c3");
  assert.is(code("-z call-nop=suffix-nop"), "e8020000009090c3");
  assert.is(code("-z call-nop=prefix-0x2e"), "2ee80100000090c3");
  assert.is(code("-z call-nop=suffix-0x26"), "e8020000002690c3");
  if (wield) for (const wrong of ["nop", "suffix-addr", "prefix-0x100"]) contains(w.fails(`$LD a.o -o a -z call-nop=${wrong}`), `-z call-nop=: expected prefix-addr, suffix-nop, prefix-BYTE or suffix-BYTE, but got '${wrong}'`);
});

gnu("--out-implib: an object with the output's global symbols, to link against", (w) => {
  if (!wield && linkerName !== "bfd") return;
  w.write({ "rom.s": ".globl _start, f, data, hid\n_start: ret\n.type f, @function\nf: mov data, %eax\nret\n.size f, .-f\n.hidden hid\nhid: ret\nlocal: ret\n.data\ndata: .long 7\n", "app.s": ".globl _start\n_start: call f\nmov data, %eax\n" });
  w.sh("as rom.s -o rom.o && as app.s -o app.o && $LD rom.o -o rom -Ttext=0x700000 --image-base=0x600000 --out-implib=rom-symbols.o && $LD app.o rom-symbols.o -o app -z muldefs");
  const table = (file: string, pattern: RegExp): string => w.sh(`nm ${file}`).trim().split("\n").filter((line) => pattern.test(line)).map((line) => line.replace(/ . /, " ")).sort().join("\n");
  assert.is(table("rom-symbols.o", / (_start|f|data|hid|local)$/), table("rom", / (_start|f|data)$/));
  contains(w.sh("readelf -sW rom-symbols.o"), wield ? /7 FUNC +GLOBAL +DEFAULT +ABS f$|8 FUNC +GLOBAL +DEFAULT +ABS f$/m : "ABS");
  assert.is(table("app", / (f|data)$/), table("rom", / (f|data)$/));
  if (wield) contains(w.fails("$LD rom.o -o rom --out-implib=none/x"), "none/x");
}, "nm", "readelf");

gnu("--warn-section-align and --enable-non-contiguous-regions-warnings", (w) => {
  if (!wield && linkerName !== "bfd") return;
  w.write({
    "a.s": '.globl _start\n.section .text.a,"ax"\n_start: .fill 24,1,1\n.section .text.b,"ax"\n.fill 16,1,2\n.section .text.c,"ax"\n.p2align 4\n.fill 3\n',
    "u.ld": "SECTIONS { .a 0x1001 : { *(.text.a) *(.text.b) } .b : { *(.text.c) } }",
    "t.ld": "MEMORY { A : ORIGIN = 0x1000, LENGTH = 0x20\n B : ORIGIN = 0x4000, LENGTH = 0x100 }\nSECTIONS { .a : { *(.text.a) *(.text.b) } >A .b : { *(.text.b) *(.text*) } >B }",
  }).sh("as a.s -o a.o");
  contains(w.sh("$LD a.o -T u.ld -o a --warn-section-align 2>&1"), "warning: start of section .b changed by 7");
  lacks(w.sh("$LD a.o -T u.ld -o a 2>&1"), "changed by");
  contains(w.sh("$LD a.o -T t.ld -o a --enable-non-contiguous-regions --enable-non-contiguous-regions-warnings 2>&1"), /may change behaviour for section ['`]\.text\.b' from ['`]a\.o' \(assigned to \.a, but additional match: \.b\)/);
  lacks(w.sh("$LD a.o -T t.ld -o a --enable-non-contiguous-regions 2>&1"), "may change");
  if (!wield) return;
  w.write({ "d.s": ".globl _start\n_start: ret\n.data\n.byte 1\n.section .aligned,\"aw\"\n.p2align 5\n.byte 1\n" }).sh("as d.s -o d.o");
  contains(w.sh("$LD d.o -o d --warn-section-align 2>&1"), /^wield: warning: start of section \.aligned changed by \d+$/m);
});

gnu.run();
