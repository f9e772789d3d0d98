/**
 * Symbols that scripts and --defsym define: what they may refer to, when PROVIDE takes effect, what gc keeps for them, their order.
 */
import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";
import { EXITS, FLAGS, has, image, symbol } from "../../helpers/script.ts";

const symbols = behaviour("script-symbols");
const START = '.globl _start\n.text\n_start: nop\n.section .note.GNU-stack,"",@progbits\n';

symbols("--defsym symbols place sections and count in assertions", (w) => {
  w.write({ "t.s": START, "t.ld": 'SECTIONS { . = BASE + OFFSET; .text : { *(.text) } top = . + EXTRA; ASSERT(BASE == 0x40000, "wrong base") }' });
  w.sh("gcc -c t.s && $LD t.o --defsym=BASE=0x40000 -T t.ld --defsym OFFSET=BASE/0x10 --defsym=EXTRA=SIZEOF_TEXT+1 --defsym=SIZEOF_TEXT=2 -o t");
  const elf = image(w, "t");
  assert.is(elf.need(".text").addr, 0x44000);
  assert.is(symbol(elf, "top"), 0x44004);
});

symbols("alignments may name symbols, and of --defsym and scripts the last one counts", (w) => {
  w.write({
    "t.s": `${START}.section .text.b,"ax"\n.globl b\nb: nop\n.data\n.byte 1\n`,
    "t.ld": "STEP = 0x20; TWICE = STEP * 2; SECTIONS { . = 0x10000; .text : SUBALIGN(TWICE) { *(.text*) } .data : ALIGN(PAGE) { *(.data) BYTE(STEP) } } PAGE = 0x100;",
    "plain.ld": "STEP = 0x20;",
  });
  w.sh("gcc -c t.s");
  const linked = (flags: string) => {
    w.sh(`$LD t.o ${flags} -o t`);
    return image(w, "t");
  };
  const facts = (flags: string) => {
    const elf = linked(flags);
    return [symbol(elf, "b"), elf.need(".data").addr, symbol(elf, "STEP")];
  };
  assert.equal(facts("-T t.ld"), [0x10040, 0x10100, 0x20]);
  assert.equal(facts("--defsym=PAGE=0x1000 --defsym=STEP=1 -T t.ld"), [0x10040, 0x10100, 0x20]);
  assert.equal(facts("-T t.ld --defsym=PAGE=0x1000 --defsym=STEP=0x40"), [0x10040, 0x11000, 0x40]);
  assert.is(symbol(linked("-T plain.ld --defsym=STEP=7"), "STEP"), 7);
  assert.is(symbol(linked("--defsym=STEP=7 -T plain.ld"), "STEP"), 0x20);
});

symbols("INSERT moves assignments with the sections that they are about", (w) => {
  if (linkerName === "lld") return; // they stay behind everything
  w.write({
    "t.s": `${START}.text\n.quad first, last\n.data\n.byte 1\n.section .table,"aw"\n.quad 1\n.bss\n.space 8\n`,
    "t.ld": "SECTIONS { first = .; .table : { *(.table) } last = .; } INSERT AFTER .text;\nSECTIONS { text_end = .; ASSERT(text_end < ADDR(.data), \"late\") } INSERT AFTER .text;",
    "bad.ld": "SECTIONS { first = .; .table : { *(.table) } last = .; } INSERT AFTER .nosuch;",
  });
  w.sh("gcc -c t.s && $LD t.o -T t.ld -o t");
  const elf = image(w, "t");
  const { addr } = elf.need(".table");
  assert.equal(["first", "last"].map((name) => symbol(elf, name)), [addr, addr + 8]);
  assert.is(symbol(elf, "text_end"), elf.need(".text").addr + elf.need(".text").size);
  if (linkerName !== "bfd") contains(w.fails("$LD t.o -T bad.ld -o bad"), "unable to insert first after .nosuch");
});

symbols("PROVIDE takes effect in chains, in any order; gc keeps what provided symbols refer to and nothing for others", (w) => {
  w.write({
    "t.s": `${START}.text\n.quad used\n.section .text.a,"ax"\n.globl a\na: nop\n.section .text.b,"ax"\n.globl b\nb: nop\n`,
    "m.s": '.globl member\n.section .text.m,"ax"\nmember: nop\n',
    "t.ld": "PROVIDE(unused = b + used); PROVIDE(used = middle); PROVIDE(last = a + (member - member)); PROVIDE(middle = last); PROVIDE(never = unused + 1);",
    "s.ld": "SECTIONS { .text : { *(.text .text.*) } } INCLUDE t.ld",
  });
  w.sh("gcc -c t.s && gcc -c m.s && rm -f m.a && ar rc m.a m.o");
  for (const script of linkerName === "bfd" ? ["s"] : ["t", "s"]) {
    w.sh(`$LD t.o m.a -T ${script}.ld --gc-sections -o ${script}`);
    const elf = image(w, script);
    assert.is(symbol(elf, "used"), symbol(elf, "a"));
    assert.ok(has(elf, "member"));
    for (const name of ["unused", "never", "b"]) assert.not(has(elf, name), name);
  }
});

symbols("GNU ld's script for static programs: IRELATIVE relocations are where it brackets .rela.iplt", (w) => {
  if (linkerName === "lld") return; // they stay in .rela.dyn, and the program crashes
  w.write({
    "t.s": '.globl _start\n.type f,@gnu_indirect_function\nf: lea g(%rip), %rax\nret\ng: ret\n_start: call f\n.hidden __rela_iplt_start, __rela_iplt_end\nlea __rela_iplt_start(%rip), %rax\nlea __rela_iplt_end(%rip), %rax\n.section .note.GNU-stack,"",@progbits\n',
    "t.ld": `SECTIONS { . = 0x400000 + SIZEOF_HEADERS; .rela.dyn : { *(.rela.got) *(.rela.ifunc) }
      .rela.plt : { *(.rela.plt) PROVIDE_HIDDEN(__rela_iplt_start = .); *(.rela.iplt) PROVIDE_HIDDEN(__rela_iplt_end = .); }
      .plt : { *(.plt) *(.iplt) } .text : { *(.text) } .got.plt : { *(.got.plt) *(.igot.plt) } }`,
  });
  w.sh("gcc -c t.s && $LD t.o -T t.ld -o t");
  const elf = image(w, "t");
  assert.is(symbol(elf, "__rela_iplt_start"), elf.need(".rela.plt").addr);
  assert.is(symbol(elf, "__rela_iplt_end"), elf.need(".rela.plt").addr + 24);
  assert.is(elf.section(".rela.dyn"), undefined);
});

symbols("GNU ld's script for EFI: dynamic relocations are where it names those of data or of the GOT", (w) => {
  if (linkerName === "lld") return; // an orphan, which makes a section of the EFI program that begins in the middle of a page
  w.write({ "t.c": "char v; char *p = &v;" });
  for (const [part, others] of [["*(.rela.data*)", ""], ["*(.rela.got)", ""], ["*(.rela.data*)", "/DISCARD/ : { *(.rela.got) }"]]) {
    w.write({ "t.ld": `SECTIONS { . = 0; .text : { *(.text) } . = ALIGN(4096); .data : { *(.got) *(.data*) } .dynamic : { *(.dynamic) } . = ALIGN(4096);
      .rela : { ${part} } . = ALIGN(4096); .dynsym : { *(.dynsym) } . = ALIGN(4096); .dynstr : { *(.dynstr) } ${others} }` });
    w.sh("gcc -fPIC -c t.c && $LD -shared -Bsymbolic t.o -T t.ld -o t.so");
    const elf = image(w, "t.so");
    if (linkerName === "bfd" && part === "*(.rela.got)") continue; // it has none for the GOT here
    assert.is(elf.need(".rela").addr, elf.dynamic().find((entry) => entry.tag === 7)!.value);
    assert.is(elf.need(".rela").addr % 4096, 0);
    assert.is(elf.section(".rela.dyn"), undefined);
  }
});

symbols("without SECTIONS expressions see the default layout: sections, symbols of inputs, the linker's own symbols", (w) => {
  w.write({
    "t.c": EXITS("function() == 3 ? 0 : 1", `
      extern char text_size, forward, end_of_image, text; int function(void); long value[2] = { 1 }; int real(void) { return 3; }
      char *table[] = { &text_size, &forward, &end_of_image, &text };`),
    "t.ld": 'text_size = SIZEOF(.text); forward = later + 8; later = value; end_of_image = _end; function = real; text = ADDR(.text); PROVIDE_HIDDEN(unwanted = .); ASSERT(SIZEOF(.text) > 4, "no code")',
  });
  w.sh(`gcc ${FLAGS} -fno-builtin -c t.c && $LD t.o -T t.ld -o t && ./t`);
  const elf = w.elf("t");
  const entry = (name: string) => elf.symtab().find((candidate) => candidate.name === name)!;
  assert.is(entry("text_size").shndx, 0xfff1);
  assert.is(entry("text_size").value, elf.need(".text").size);
  assert.is(entry("forward").value, entry("value").value + 8);
  if (linkerName !== "bfd") assert.is(entry("end_of_image").value, elf.need(".data").addr + elf.need(".data").size);
  assert.is(entry("text").value, elf.need(".text").addr);
  assert.is(entry("text").shndx, elf.need(".text").index);
  if (linkerName !== "bfd") assert.is(entry("function").type, entry("real").type);
  w.write({ "bad.ld": 'ASSERT(SIZEOF(.text) == 0, "there is code")' });
  contains(w.fails("$LD t.o -T t.ld -T bad.ld -o bad"), "there is code");
});

symbols("the linker's own symbols and copies of variables of shared objects have values in scripts", (w) => {
  w.write({
    "l.c": "int shared_value[4] = { 1, 2, 3, 4 }; int shared_function(void) { return 1; }",
    "t.c": "extern int shared_value[], shared_function(void); int _start(void) { return shared_value[1] + (shared_function != 0); }",
    "t.ld": `SECTIONS { . = 0x400000 + SIZEOF_HEADERS; .text : { *(.text*) } . = ALIGN(0x1000); .data : { *(.data) } table : { LONG(1) }
      copy = shared_value; got = _GLOBAL_OFFSET_TABLE_; dyn = _DYNAMIC; first = __start_table; }`,
    "u.s": START.replace("nop", "lea _GLOBAL_OFFSET_TABLE_(%rip), %rax; lea _DYNAMIC(%rip), %rax; lea __start_table(%rip), %rax"),
  });
  w.sh("gcc -shared -fPIC -nostdlib l.c -o libl.so && gcc -fno-pie -fno-asynchronous-unwind-tables -ffreestanding -c t.c && sed -i s/_start/other/ u.s && gcc -c u.s && $LD t.o u.o libl.so -T t.ld -o t");
  const elf = image(w, "t");
  assert.is(symbol(elf, "copy"), symbol(elf, "shared_value"));
  assert.is(symbol(elf, "dyn"), elf.need(".dynamic").addr);
  if (linkerName !== "bfd") assert.is(symbol(elf, "first"), elf.need("table").addr);
  assert.ok(symbol(elf, "got") > 0x400000);
});

symbols("names are written in the order files mention them; what only options and scripts mention follows", (w) => {
  w.write({ "t.s": `${START}.text\n.globl zz\nzz: .quad edata, aa, end\n.globl mm\nmm: nop\n`, "t.ld": "aa = 1; bb = 2;" });
  w.sh("gcc -c t.s && $LD t.o -T t.ld -e nosuch --defsym=cc=3 -o t 2>/dev/null");
  const found = image(w, "t").symtab().map((entry) => entry.name).filter((name) => name !== "");
  const input = w.sh("nm -p t.o").trim().split("\n").map((line) => line.split(" ").at(-1)!);
  if (linkerName !== "bfd") assert.equal(found, [...input, "bb", "cc"]);
  assert.not(found.includes("nosuch"));
});

symbols("what --defsym overrides was an indirect function, a number or thread-local; nothing of that stays", (w) => {
  w.write({
    "m.c": 'int f(void), number(void); int (*table[])(void) = { f, number }; int main(void) { return f() == 42 && table[0]() == 42 && table[1]() == 42 ? 0 : 1; }',
    "f.s": `.globl f, real, number, var
      .text
      .type f,@gnu_indirect_function
      f: lea other(%rip), %rax
         ret
      other: mov $7, %eax
         ret
      .type real,@function
      real: mov $42, %eax
         ret
      number = 0x1234
      .section .tdata,"awT"
      .type var,@tls_object
      var: .quad 1
      .section .note.GNU-stack,"",@progbits
`,
  });
  w.sh("gcc -O1 -fPIE -c m.c && as f.s -o f.o");
  for (const kind of ["-pie", "-static"]) {
    w.sh(`gcc ${kind} -B$B m.o f.o -Wl,--defsym=f=real,--defsym=number=real,--defsym=var=real -o m`);
    assert.is(w.try("./m").status, 0, kind);
    const elf = image(w, "m");
    assert.equal(["f", "number", "var"].map((name) => [elf.symbol(name)!.value, elf.symbol(name)!.shndx]), Array(3).fill([elf.symbol("real")!.value, elf.symbol("real")!.shndx]), kind);
  }
});

symbols("position-independent code may be relative to a number that --defsym or a script assigns, not to one of an input", (w) => {
  w.write({ "a.s": ".globl _start\n_start: lea far(%rip), %rax\ncall far\n", "b.s": ".globl far\nfar = 0x5000\n", "s.ld": "far = 0x5000;" });
  w.sh("as a.s -o a.o && as b.s -o b.o && $LD -pie a.o --defsym=far=0x5000 -o d && $LD -pie a.o s.ld -o s && $LD -pie a.o b.o --defsym=far=0x5000 -o o");
  for (const name of ["d", "s", "o"]) {
    const elf = image(w, name);
    const text = elf.need(".text");
    const start = elf.symbol("_start")!.value;
    const word = Buffer.from(elf.content(text)).readInt32LE(start - text.addr + 3);
    assert.is(start + 7 + word, 0x5000, name);
  }
  contains(w.fails("$LD -pie a.o b.o -o x"), "cannot refer to absolute symbol: far");
});

symbols("--defsym may ask for sections, ENTRY may stand in SECTIONS, and commands that mean nothing here are accepted", (w) => {
  w.write({ "t.s": START.replace("_start", "_start, begin").replace("_start:", "nop\n_start: nop\nbegin:"), "t.ld": "LD_FEATURE(\"SANE_EXPR\") FORCE_COMMON_ALLOCATION INHIBIT_COMMON_ALLOCATION FORCE_GROUP_ALLOCATION SECTIONS { ENTRY(begin) . = 0x10000; .text : ALIGN_WITH_INPUT { *(.text) SQUAD(-1) } }" });
  w.sh("gcc -c t.s && $LD t.o -T t.ld -o t");
  contains(w.sh("readelf -hW t"), "0x10002\n");
  if (linkerName === "bfd") return;
  w.sh("$LD t.o -T t.ld --defsym='size=SIZEOF(.text) + 1' --defsym='text=ADDR(.text)' -o d && $LD t.o --defsym='size=SIZEOF(.text) * 2' -o p");
  assert.equal([symbol(image(w, "d"), "size"), symbol(image(w, "d"), "text")], [12, 0x10000]);
  assert.is(symbol(image(w, "p"), "size"), 6);
  contains(w.fails("$LD -r t.o --defsym='size=SIZEOF(.text)' -o r.o"), "needs a layout");
});

symbols("another name of an indirect function calls what its resolver finds, also by way of a third name", (w) => {
  if (linkerName === "lld") return; // lld 22 calls the resolver
  w.write({ "m.c": "static int one(void) { return 1; }\nstatic int (*pick(void))(void) { return one; }\nint f(void) __attribute__((ifunc(\"pick\")));\nint alias(void), again(void);\nint (*volatile p)(void) = again;\nint main(void) { return f() == 1 && alias() == 1 && again() == 1 && p() == 1 && p == f ? 0 : 1; }\n" });
  w.sh("gcc -O0 -fPIC -c m.c");
  for (const kind of ["-static", "-pie", "-no-pie", "-static-pie"]) w.sh(`gcc ${kind} -B$B m.o -Wl,--defsym=alias=f,--defsym=again=alias -o m && ./m`);
});

symbols("DEFINED() is about what stands further up or in inputs, and what inputs define counts until the script assigns it", (w) => {
  w.write({
    "t.s": '.globl _start\n_start: ret\n.section .note.GNU-stack,"",@progbits\n',
    "number.s": '.globl x\nx = 0x40000\n.section .note.GNU-stack,"",@progbits\n',
    "place.s": '.globl x\n.section .data.x,"aw"\n.space 16\nx: .quad 0\n.section .note.GNU-stack,"",@progbits\n',
  });
  w.sh("gcc -c t.s number.s place.s");
  const values = (objects: string, script: string, flags = "") => {
    w.write({ "t.ld": script });
    w.sh(`$LD ${flags} ${objects} -T t.ld -o t`);
    const elf = image(w, "t");
    return ["x", "y", "z"].map((name) => elf.symtab().find((entry) => entry.name === name)?.value).join(" ").trim();
  };
  const sections = "SECTIONS { .text : { *(.text) } .data 0x2000 : { *(.data .data.*) } }";
  for (const place of ["", sections]) {
    assert.is(values("t.o", `${place} x = DEFINED(x) ? x : 5;`), "5");
    assert.is(values("t.o", `${place} y = DEFINED(x); x = DEFINED(x) ? x : 5; x = x + 1; z = DEFINED(x);`), "6 0 1");
    assert.is(values("t.o", `${place} PROVIDE(x = DEFINED(x) ? x : 5); y = x;`), "5 5");
  }
  assert.is(values("t.o", "SECTIONS { x = DEFINED(x) ? x : 5; .text : { y = DEFINED(y) ? y : 7; *(.text) } z = DEFINED(x) + DEFINED(y); }"), "5 7 2");
  assert.is(values("t.o", "SECTIONS { .text : { *(.text) } } x = DEFINED(x) ? x : 5;", "-r"), "5");
  if (linkerName === "lld") return; // the script's own symbol, which is 0, or does not converge
  for (const place of ["", sections]) {
    assert.is(values("t.o number.o", `${place} x = DEFINED(x) ? x : 5;`), `${0x40000}`);
    assert.is(values("t.o number.o", `${place} y = x; x = x + 1; z = x;`), `${0x40001} ${0x40000} ${0x40001}`);
  }
  assert.is(values("t.o place.o", `${sections} x = DEFINED(x) ? x + 8 : 5; x = x + 8;`), `${0x2020}`);
  if (linkerName === "wield") assert.is(values("t.o place.o", `${sections} x = x + 8;`, "--gc-sections"), `${0x2018}`);
  assert.is(values("t.o place.o", "x = DEFINED(x) ? x + 8 : 5;", "-r"), "24");
});

symbols.run();
