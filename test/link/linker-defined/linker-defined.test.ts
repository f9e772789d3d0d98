/**
 * Symbols the linker defines: bounds of segments and arrays, __start_/__stop_, _DYNAMIC, _GLOBAL_OFFSET_TABLE_; user definitions win.
 */

import { assert, behaviour, linkerName } from "../../helpers/link.ts";

const defined = behaviour("linker-defined symbols");

const MAIN = `
  #include <stdio.h>
  #include <string.h>
  extern char __executable_start[], __ehdr_start[], etext[], _etext[], edata[], _edata[], __bss_start[], end[], _end[];
  extern void (*__init_array_start[])(void) __attribute__((visibility("hidden"))); extern void (*__init_array_end[])(void) __attribute__((visibility("hidden")));
  extern void (*__fini_array_start[])(void) __attribute__((visibility("hidden"))); extern void (*__fini_array_end[])(void) __attribute__((visibility("hidden")));
  extern void (*__preinit_array_start[])(void) __attribute__((visibility("hidden"))); extern void (*__preinit_array_end[])(void) __attribute__((visibility("hidden")));
  extern void *__dso_handle __attribute__((visibility("hidden")));
  extern char _GLOBAL_OFFSET_TABLE_[] __attribute__((visibility("hidden")));
  extern char _DYNAMIC[] __attribute__((weak, visibility("hidden")));
  extern int __start_things[], __stop_things[];
  extern int __start_nothing[] __attribute__((weak)), __stop_nothing[] __attribute__((weak));
  __attribute__((section("things"), used)) static int thing1 = 1, thing2 = 2;
  static int bss_variable; static int data_variable = 1;
  __attribute__((constructor)) static void ctor(void) { bss_variable++; }
  int main(void) {
    int ok = 1;
  #define CHECK(x) if (!(x)) { ok = 0; printf("failed: %s\\n", #x); }
    CHECK(!memcmp(__executable_start, "\\177ELF", 4)) CHECK(__ehdr_start == __executable_start)
    CHECK(etext == _etext) CHECK((char *)main < etext) CHECK(edata == _edata) CHECK((char *)&data_variable < edata)
    CHECK(__bss_start >= edata) CHECK((char *)&bss_variable >= __bss_start) CHECK((char *)&bss_variable < end) CHECK(end == _end)
    CHECK(__init_array_end - __init_array_start >= 1) CHECK(__fini_array_end - __fini_array_start >= 0) CHECK(__preinit_array_end == __preinit_array_start)
    CHECK(__stop_things - __start_things == 2) CHECK(__start_things[0] + __start_things[1] == 3) CHECK(__start_nothing == __stop_nothing)
    CHECK(_GLOBAL_OFFSET_TABLE_ != 0) CHECK(IS_STATIC ? 1 : _DYNAMIC != 0) CHECK(&__dso_handle != 0 || IS_STATIC)
    puts(ok ? "ok" : "bad"); return !ok;
  }`;

for (const [name, flags] of [["PIE", "-fPIE -pie -DIS_STATIC=0"], ["position dependent", "-fno-pie -no-pie -DIS_STATIC=0"], ["static", "-fno-pie -no-pie -static -DIS_STATIC=1"], ["static-pie", "-fPIE -static-pie -DIS_STATIC=0"]] as const) {
  defined(name, (w) => {
    w.write({ "m.c": MAIN }).sh(`gcc -O1 ${flags} m.c -B$B -o m`);
    assert.is(w.sh("./m || true"), "ok\n");
    w.elf("m");
    w.sh(`gcc -O1 ${flags} m.c -B$B -Wl,--gc-sections -Wl,-z,nostart-stop-gc -o g && ./g`);
  });
}

defined("a user's own end, edata and etext win", (w) => {
  w.write({ "m.c": "int end = 1, edata = 2, etext = 3; int main(void) { return end + edata + etext - 6; }" }).sh("gcc -O0 m.c -B$B -o m && ./m");
});

defined("in a shared object: _DYNAMIC, __dso_handle, its own start and stop symbols", (w) => {
  w.write({
    "l.c": `
      __attribute__((section("set"), used)) static long one = 5; extern long __start_set[], __stop_set[]; extern char _DYNAMIC[] __attribute__((visibility("hidden"))); extern char __ehdr_start[] __attribute__((visibility("hidden")));
      long sum(void) { return (__stop_set - __start_set) * 100 + __start_set[0] + (_DYNAMIC > __ehdr_start); }`,
    "m.c": "long sum(void); __attribute__((section(\"set\"), used)) static long two = 6; extern long __start_set[], __stop_set[]; int main(void) { return sum() != 106 || __stop_set - __start_set != 1; }",
  });
  w.sh("gcc -O1 -fPIC -shared l.c -B$B -o libs.so && gcc -O1 m.c -B$B -L. -ls -Wl,-rpath,. -o m && ./m");
  w.elf("libs.so");
  if (linkerName !== "bfd") assert.is(w.elf("libs.so").dynamicSymbol("__start_set")?.visibility ?? 3, 3, "protected");
});

defined("a library that refers to the end of the program finds it, though the program never mentions it", (w) => {
  w.write({
    "l.c": "extern char _end[], __bss_start[], etext[]; char *ends(int which) { return which == 0 ? _end : which == 1 ? __bss_start : etext; }",
    "m.c": `
      char *ends(int); static char here[8];
      int main(void) { here[1] = 1; for (int i = 0; i < 3; i++) { long d = ends(i) - here; if (d > 65536 || d < -65536) return i + 1; } return 0; }`,
  });
  w.sh("gcc -O1 -fPIC -shared l.c -B$B -o libe.so && gcc -O1 m.c -B$B -L. -le -Wl,-rpath,. -o m && ./m");
  for (const name of ["_end", "__bss_start", "etext"]) assert.ok(w.elf("m").dynamicSymbol(name), name);
});

defined("not defined when nothing refers to them", (w) => {
  w.write({ "s.c": 'void _start(void) { __asm__("mov $60, %eax; xor %edi, %edi; syscall"); }' }).sh("gcc -O1 -fno-pie -c s.c && $LD s.o -o s && ./s");
  if (linkerName === "bfd") return;
  assert.equal(w.elf("s").symtab().filter((s) => s.bind !== 0).map((s) => s.name), ["_start"]);
});

defined("in raw images and with -N: the end of code, data and everything, as boot code clears and copies by them", (w) => {
  if (linkerName === "lld") return; // the start of the image, which is 0
  w.write({
    "t.s": `.globl _start\n.text\n_start: .skip 0x30, 0x90\n.section .rodata,"a"\n.skip 0x20, 1\n.data\n.balign 16\n.quad etext, _etext, edata, _edata, __bss_start, end, _end, 0
      .bss\n.balign 16\n.skip 0x40\n.section .tbss,"awT",@nobits\n.skip 8\n.section .note.GNU-stack,"",@progbits\n`,
  });
  w.sh("gcc -c t.s");
  for (const flags of ["-N", "--oformat binary", "-N --oformat binary"]) {
    w.sh(`$LD t.o ${flags} -Ttext 0x7c00 -o t`);
    const bytes = Buffer.from(w.bytes("t"));
    const data = bytes.indexOf(Buffer.from("307c000000000000307c", "hex"));
    const values = [...Array(8).keys()].map((i) => Number(bytes.readBigUInt64LE(data + i * 8)));
    if (flags.includes("binary")) assert.is(values[2], 0x7c00 + data + 64);
    assert.equal(values, [0x7c30, 0x7c30, values[2]!, values[2]!, values[2]!, values[2]! + 0x40, values[2]! + 0x40, 0], flags);
  }
});

defined.run();
