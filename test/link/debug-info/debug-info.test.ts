/**
 * Debug sections: carried, relocated, decompressed, compressed on request, tombstoned for dead code; checked with readelf and gdb where installed.
 */

import { ElfFile } from "../../helpers/dump.ts";
import { assert, behaviour, contains, lacks, linkerName } from "../../helpers/link.ts";

const debug = behaviour("debug information");

const SOURCE = {
  "m.c": "int helper(int); int main(int argc, char **argv) { int local = helper(argc); return local - 3; }",
  "h.c": "struct point { int x, y; }; struct point origin = { 1, 2 };\nint helper(int n) { return n + origin.y; }\nint dead(int n) { return n * origin.x; }",
};

debug("line numbers and types are found in every DWARF version, for gcc and clang", (w) => {
  w.write(SOURCE);
  for (const [cc, version] of [["gcc", 5], ["gcc", 4], ["$CLANG", 5], ["$CLANG", 3]]) {
    w.sh(`${cc} -O0 -g -gdwarf-${version} -c m.c h.c && gcc -B$B m.o h.o -o m && ./m`);
    w.elf("m");
    const address = w.elf("m").symbol("helper")!.value.toString(16);
    contains(w.sh(`addr2line -f -e m 0x${address}`), "helper", "h.c:2");
    lacks(w.sh("readelf --debug-dump=info,line,abbrev,str,ranges,loc,aranges m 2>&1 > /dev/null || true"), /rror|arning/);
  }
}, "clang", "addr2line", "readelf");

debug("compressed inputs are read, zlib and zstd", (w) => {
  w.write(SOURCE);
  w.sh("gcc -O0 -g -gz -c m.c h.c && gcc -B$B m.o h.o -o m && ./m && readelf -SW m.o | grep 'debug_info.* C ' > /dev/null");
  const elf = w.elf("m");
  assert.is(elf.need(".debug_info").flags & 0x800, 0, "output is not compressed");
  contains(w.sh(`addr2line -e m 0x${elf.symbol("helper")!.value.toString(16)}`), "h.c:2");
  w.sh("gcc -O0 -g -gz=none -c m.c -o m2.o && gcc -O0 -g -gz=none -c h.c -o h2.o && gcc -B$B m2.o h2.o -o n && readelf --debug-dump=info m | grep 'DW_TAG\\|DW_AT_decl_line' > m.txt && readelf --debug-dump=info n | grep 'DW_TAG\\|DW_AT_decl_line' > n.txt && cmp m.txt n.txt && test -s m.txt");
  // Few builds of gcc's assembler have zstd.
  w.write({ "z.c": Array.from({ length: 60 }, (_, i) => `int a_function_with_a_long_name_${i}(void) { return ${i}; }\n`).join("") });
  const link = "gcc -B$B m.o h.o z.o -Wl,--build-id=none";
  w.sh(`$CLANG -O0 -g -gz=none -c m.c h.c z.c && ${link} -o plain && $CLANG -O0 -g -gz=zstd -c m.c h.c z.c && ${link} -o unpacked && cmp plain unpacked && ${link} -Wl,--threads=2 -o unpacked && cmp plain unpacked`);
  const packed = new ElfFile(w.bytes("z.o"));
  const { offset, size } = packed.need(".debug_str");
  const info = packed.need(".debug_info");
  assert.is(packed.u32(offset), 2, "ELFCOMPRESS_ZSTD");
  // Broken behind the header of the frame.
  const whole = Buffer.from(w.bytes("z.o"));
  const broken = Buffer.from(whole);
  broken.fill(0xff, offset + 40, offset + size);
  w.write({ "z.o": broken });
  contains(w.fails(`${link} -o broken`), "z.o:(.debug_str): corrupted compressed section");
  w.write({ "z.o": whole.fill(0xff, info.offset + 40, info.offset + info.size) });
  if (linkerName === "wield") for (const threads of [1, 2]) contains(w.fails(`$LD -r --threads=${threads} z.o m.o -o broken.o`), "z.o:(.debug_info): corrupted compressed section");
}, "addr2line", "readelf", "clang");

debug("--compress-debug-sections=zlib", (w) => {
  w.write(SOURCE).sh("gcc -O0 -g -c m.c h.c && gcc -B$B m.o h.o -Wl,--compress-debug-sections=zlib -o m && ./m");
  const elf = w.elf("m");
  const info = elf.need(".debug_info");
  assert.is(info.flags & 0x800, 0x800);
  assert.is(elf.u32(info.offset), 1, "ELFCOMPRESS_ZLIB");
  contains(w.sh(`addr2line -e m 0x${elf.symbol("helper")!.value.toString(16)}`), "h.c:2");
  w.sh("gcc -B$B m.o h.o -Wl,--compress-debug-sections=none -o n");
  assert.is(w.elf("n").need(".debug_info").flags & 0x800, 0);
}, "addr2line");

debug("dead code leaves tombstones, never an address of live code", (w) => {
  w.write(SOURCE).sh("gcc -O1 -g -ffunction-sections -c m.c h.c && gcc -B$B -Wl,--gc-sections m.o h.o -o m && ./m");
  const elf = w.elf("m");
  assert.not(elf.symbol("dead"));
  const info = w.sh("readelf --debug-dump=info m");
  const lows = [...info.matchAll(/DW_AT_low_pc\s*:\s*(?:\(addr_index.*?\): )?(0|0x[0-9a-f]+)/g)].map((m) => Number(m[1]));
  const text = elf.need(".text");
  const bad = lows.filter((a) => a !== 0 && a !== 1 && (a < text.addr || a >= text.addr + text.size) && a < 0xffffff00);
  assert.equal(bad, []);
  assert.ok(lows.some((a) => a === 0 || a === 1 || a > 0xffffff00), "one function is dead");
}, "readelf");

debug("gdb stops at a line and prints a variable", (w) => {
  w.write(SOURCE).sh("gcc -O0 -g -c m.c h.c && gcc -B$B m.o h.o -o m");
  contains(w.sh("gdb -nx -batch -ex 'break helper' -ex 'info line helper' -ex 'print origin' -ex 'ptype struct point' ./m 2>&1"), "h.c", "{x = 1, y = 2}", "int x;");
}, "gdb");

debug("unknown non-alloc sections and .note sections are kept and concatenated", (w) => {
  w.write({ "a.s": '.section .my_notes,"",@progbits\n.ascii "from a;"\n.section .note.GNU-stack,"",@progbits\n', "b.s": '.section .my_notes,"",@progbits\n.ascii "from b;"\n.section .note.mine,"a",@note\n.long 4, 4, 99\n.ascii "ABC\\0"\n.long 7\n.section .note.GNU-stack,"",@progbits\n', "m.c": "int main(void) { return 0; }" });
  w.sh("gcc -c a.s b.s m.c && gcc -B$B a.o b.o m.o -o m && ./m");
  const elf = w.elf("m");
  assert.is(elf.text(".my_notes"), "from a;from b;");
  assert.ok(elf.notes().some((n) => n.name === "ABC" && n.type === 99));
});

debug("stabs have their strings, which are a string table of their own", (w) => {
  if (linkerName === "lld" || linkerName === "mold") return; // they drop it
  w.write({ "a.s": ".globl main\nmain:\ncall second\nxor %eax, %eax\nret\n", "second.s": "\n\n\n.globl second\nsecond:\nret\n" });
  w.sh("as --gstabs a.s -o a.o && as --gstabs second.s -o second.o && ar rc second.a second.o && gcc -B$B a.o second.o -o m && gcc -B$B a.o second.a -o n && $LD -r a.o second.o -o r.o && gcc -B$B r.o -o r && gcc -B$B -Wl,-S a.o second.o -o s");
  for (const name of ["m", "n", "r"]) {
    const line = (symbol: string) => w.sh(`addr2line -e ${name} 0x${w.elf(name).symbol(symbol)!.value.toString(16)}`);
    contains(line("main"), "a.s:3");
    contains(line("second"), "second.s:6");
  }
  for (const name of [".stab", ".stabstr"]) assert.is(w.elf("s").section(name), undefined);
}, "addr2line");

debug("split DWARF and -fdebug-types-section", (w) => {
  w.write(SOURCE).sh("gcc -O0 -g -gsplit-dwarf -c m.c h.c && gcc -B$B m.o h.o -o m && ./m && gcc -O0 -g -fdebug-types-section -c m.c h.c && gcc -B$B m.o h.o -o n && ./n");
  w.elf("m");
  w.elf("n");
  if (linkerName !== "bfd") lacks(w.sh("readelf --debug-dump=info n 2>&1 >/dev/null || true"), /rror/);
}, "readelf");

debug("-z dead-reloc-in-nonalloc says what references to dead code become", (w) => {
  if (linkerName === "bfd") return;
  w.write({ "a.s": ".globl _start\n_start: ret\n.section .text.dead,\"ax\"\ndead: ret\n.section .debug_info,\"\"\n.quad dead\n.long dead\n.section .debug_line,\"\"\n.quad dead\n.section other,\"\"\n.quad dead + 4\n" });
  w.sh("as a.s -o a.o && $LD --gc-sections -z 'dead-reloc-in-nonalloc=.debug_*=1' -z dead-reloc-in-nonalloc=.debug_info=0xfffffffffffffffe -z dead-reloc-in-nonalloc=oth*=42 a.o -o a");
  const elf = w.elf("a");
  const hex = (section: string): string => Buffer.from(elf.content(section)).toString("hex");
  assert.is(hex(".debug_info"), "feffffffffffffff" + "feffffff");
  assert.is(hex(".debug_line"), "0100000000000000");
  assert.is(hex("other"), "2a00000000000000");
  for (const [value, text] of [["x", "expected <section_glob>=<value>"], ["x=y", "expected a non-negative integer, but got 'y'"], ["[=1", "invalid glob pattern, unmatched '['"]] as const) {
    contains(w.fails(`$LD -z 'dead-reloc-in-nonalloc=${value}' a.o -o b`), `-z dead-reloc-in-nonalloc=: ${text}`);
  }
});

debug.run();
