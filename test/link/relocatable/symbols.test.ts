/** -r and symbols: stripping, --gc-sections, visibility, assigned and wrapped names. */
import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";
import { C, C_SAYS, object, runs } from "../../helpers/relocatable.ts";

const rel = behaviour("relocatable symbols");

rel("-x, -X, -S and -s leave a file that can still be linked", (w) => {
  w.write({ ...C, "l.s": ".data\n.Lkept: .quad 1\nplain: .quad 2\n.text\n.globl l\nl: mov .Lkept(%rip), %rax\n ret\n" });
  w.sh("gcc -g -O1 -fcommon -c a.c b.c m.c && as -L l.s -o l.o");
  const locals = (name: string): string[] => object(w, name).symtab().filter((s) => s.bind === 0 && s.type !== 3 && s.name !== "").map((s) => s.name);
  for (const flag of ["-x", "-X", "-S", "-s"]) {
    w.sh(`$LD -r ${flag} a.o b.o m.o l.o -o all.o`);
    const names = locals("all.o");
    assert.is(names.includes("hidden_state"), flag === "-X" || flag === "-S", `${flag}: ${names}`);
    assert.is(names.includes(".Lkept"), flag === "-S", `${flag}: ${names}`);
    assert.is(w.elf("all.o").section(".debug_info") === undefined, flag === "-S" || flag === "-s", flag);
    runs(w, "gcc", "all.o", C_SAYS);
  }
});

rel("-z common gives commons their type, but for thread-local ones", (w) => {
  if (linkerName === "lld") return;
  w.write({ "a.s": ".comm plain,4,4\n.tls_common local,4,4\n" });
  w.sh("as a.s -o a.o && $LD -r -z common a.o -o r.o");
  const type = (name: string): number => object(w, "r.o").symtab().find((s) => s.name === name)!.type;
  assert.equal([type("plain"), type("local")], [5, 6]);
}, "as");

rel("locals that relocations need by name stay under -x", (w) => {
  w.write({ "a.c": "static int (*volatile pick(void))(void); static __attribute__((noinline)) int loc(void) { return 42; } static int (*volatile p)(void) = loc; int main(void) { return p() - 42; }" });
  w.sh("clang=$CLANG; ${clang:-gcc} -O1 -fPIC -c a.c && $LD -r -x a.o -o r.o && gcc r.o -o prog && ./prog && gcc -B$B r.o -o prog && ./prog");
  object(w, "r.o");
});

rel("--gc-sections keeps what -e and -u reach, with its unwind tables", (w) => {
  w.write({ "a.cc": `
    #include <cstdio>
    void thrower(int x) { throw x; }
    int live(int x) { try { thrower(x); } catch (int y) { return y + 1; } return 0; }
    int common_dead; int dead_call(); int dead(int x) { try { return dead_call(); } catch (...) { return x; } }
    int also(void) { return 7; }` ,
    "m.cc": "#include <cstdio>\nint live(int); int also(); int main() { std::printf(\"%d %d\\n\", live(4), also()); }" });
  w.sh("g++ -O1 -ffunction-sections -fdata-sections -c a.cc m.cc && $LD -r --gc-sections -e _Z4livei -u _Z4alsov a.o -o r.o");
  const elf = object(w, "r.o");
  for (const name of ["_Z4livei", "_Z7throweri", "_Z4alsov"]) assert.ok(elf.symbol(name), name);
  for (const name of ["_Z4deadi", "_Z9dead_callv"]) assert.not(elf.symbol(name), name);
  runs(w, "g++", "r.o m.o", "5 7\n");
  if (linkerName === "wield") contains(w.fails("$LD -r --gc-sections a.o -o x.o"), "-r and --gc-sections need a symbol to start from");
}, "g++");

rel("symbols keep visibility, binding, size, version suffix and absolute values", (w) => {
  w.write({ "a.s": `
    .globl hid, weakling, uniq, abs, impl
    .hidden hid
    .weak weakling
    .type hid, @object
    .size hid, 8
    .data
    hid: .quad 1
    weakling: .quad 2
    .type uniq, @gnu_unique_object
    uniq: .quad 3
    impl: .quad 4
    .symver impl, pub@@V1, remove
    .set abs, 0x1234
    .quad other
    .protected other`, "b.s": ".data\n.globl second\nsecond: .quad hid, weakling" });
  w.sh("as a.s -o a.o && as b.s -o b.o && $LD -r b.o a.o -o r.o");
  const elf = object(w, "r.o");
  const shown = (name: string): number[] => { const s = elf.symbol(name)!; return [s.bind, s.type, s.visibility, s.value, s.size]; };
  assert.equal(shown("hid"), [1, 1, 2, 16, 8]);
  assert.equal(shown("weakling").slice(0, 1), [2]);
  assert.equal(shown("uniq").slice(0, 1), [10]);
  assert.equal([elf.symbol("abs")!.shndx, elf.symbol("abs")!.value], [0xfff1, 0x1234]);
  assert.is(elf.symbol("other")!.visibility, 3);
  assert.ok(elf.symbol("pub@@V1"));
  assert.is(elf.bytes[7], 3, "ELFOSABI_GNU because of STB_GNU_UNIQUE");
});

rel("undefined symbols are kept, duplicate ones are errors, shared objects are refused", (w) => {
  w.write({ "a.c": "int nowhere(void); int a(void) { return nowhere(); }", "b.c": "int a(void) { return 1; }" });
  w.sh("gcc -c a.c b.c && gcc -shared -fPIC b.c -o b.so && $LD -r a.o -o r.o");
  assert.is(object(w, "r.o").symbol("nowhere")!.shndx, 0);
  contains(w.fails("$LD -r a.o b.o -o x.o"), /duplicate symbol: a|multiple definition of/);
  assert.not(w.exists("x.o"));
  w.fails("$LD -r a.o b.so -o x.o");
});

rel("--defsym keeps the section of what it refers to, also by way of another", (w) => {
  w.write({ "f.s": ".globl f\nnop\nf: nop\n" }).sh("as f.s -o f.o && $LD -r f.o --defsym a=f+4 --defsym b=a+4 --defsym c=7 -o r.o");
  const place = (name: string): [string, number] => {
    const elf = w.elf("r.o");
    const { shndx, value } = elf.symtab().find((each) => each.name === name)!;
    return [elf.shdrs[shndx]?.name ?? "absolute", value];
  };
  if (linkerName !== "bfd") assert.equal(["a", "b", "c"].map(place), [[".text", 5], [".text", 9], ["absolute", 7]]);
}, "as");

rel("--wrap, --defsym and archives", (w) => {
  w.write({
    "a.c": "int f(void), g(void); int a(void) { return f() * 10 + g(); }", "f.c": "int f(void) { return 1; } int __wrap_f(void) { return 2; }",
    "g.c": "int lib_g(void) { return 3; }", "u.c": "int unused(void) { return 9; }", "m.c": '#include <stdio.h>\nint a(void); int main(void) { printf("%d\\n", a()); }',
  });
  w.sh("gcc -O1 -c a.c f.c g.c u.c m.c && ar rc lib.a f.o u.o && $LD -r --wrap=f --defsym=g=lib_g a.o g.o lib.a -o r.o");
  assert.not(object(w, "r.o").symbol("unused"));
  runs(w, "gcc", "r.o m.o", "23\n");
});

rel.run();
