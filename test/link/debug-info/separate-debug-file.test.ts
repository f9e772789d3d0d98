/** --separate-debug-file: debug information in a file of its own, found by debuggers through .gnu_debuglink and the build ID. */
import { crc32 } from "node:zlib";
import { ElfFile } from "../../helpers/dump.ts";
import { assert, behaviour, contains, lacks, linkerName } from "../../helpers/link.ts";

const separate = behaviour("separate debug file");
const wield = linkerName === "wield";

const FILES = {
  "m.c": "int twice(int); static int late = 3; int main(int argc, char **argv) { return twice(argc) - 2 + late - 3; }",
  "t.c": "int twice(int x) {\n  return 2 * x;\n}\n",
};

separate("the output runs, has no debug sections, and is what it would be without debug information", (w) => {
  if (!wield) return;
  w.write(FILES).sh("gcc -g -c m.c t.c && gcc -B$B m.o t.o -Wl,--build-id=sha1,--separate-debug-file -o p && ./p && gcc -B$B m.o t.o -o plain -Wl,--build-id=sha1,-S");
  const [output, debug] = [w.elf("p"), new ElfFile(w.bytes("p.dbg"))];
  assert.not.ok(output.sectionNames().some((name) => name.startsWith(".debug_")));
  assert.ok(debug.sectionNames().includes(".debug_info"));
  assert.equal(output.sectionNames().filter((name) => name !== ".gnu_debuglink"), w.elf("plain").sectionNames());
  assert.equal(output.symtab().map(({ name, value }) => [name, value]), debug.symtab().map(({ name, value }) => [name, value]));
  assert.is(debug.need(".text").type, 8);
  assert.is(debug.need(".text").addr, output.need(".text").addr);
  assert.equal(debug.content(".note.gnu.build-id"), output.content(".note.gnu.build-id"));
  assert.is(w.sh("addr2line -e p.dbg $(nm p | grep ' twice' | cut -d' ' -f1)").trim().replace(/.*\//, ""), "t.c:1");
}, "addr2line", "nm");

separate(".gnu_debuglink names the file and its check sum; a name of one's own; -s strips the output only", (w) => {
  if (!wield) return;
  w.write(FILES).sh("gcc -g -c m.c t.c && mkdir d && gcc -B$B m.o t.o -Wl,--separate-debug-file=d/info.debug,-s,--compress-debug-sections=zlib -o p && ./p");
  const link = Buffer.from(w.elf("p").content(".gnu_debuglink"));
  assert.is(link.toString("latin1", 0, 10), "info.debug");
  assert.is(link.readUInt32LE(link.length - 4), crc32(w.bytes("d/info.debug")));
  assert.not.ok(w.elf("p").sectionNames().includes(".symtab"));
  contains(w.sh("nm d/info.debug"), " twice");
  w.sh("gcc -B$B m.o t.o -Wl,--separate-debug-file,--no-separate-debug-file -o whole && test ! -e whole.dbg && readelf -SW whole | grep debug_info > /dev/null");
  w.sh("$LD m.o t.o -e main --separate-debug-file -o - > stream && test ! -e ./-.dbg && $LD m.o t.o -e main --separate-debug-file -o /dev/null && test ! -e /dev/null.dbg && readelf -SW stream | grep debug_info > /dev/null");
  contains(w.fails("$LD m.o t.o -e main --separate-debug-file=none/x -o q"), "cannot open --separate-debug-file file none/x");
}, "nm", "readelf");

separate("under a script, with program headers of its own", (w) => {
  if (!wield) return;
  w.write({ "m.c": "int x = 3;\nint _start(void) { return x; }", "s.ld": "PHDRS { all PT_LOAD FILEHDR PHDRS; } SECTIONS { . = 0x400000 + SIZEOF_HEADERS; .text : { *(.text*) } :all .data : { *(.data*) } .debug_info 0 : { *(.debug_info) } .debug_str 0 : { *(.debug_str) } }" });
  for (const script of ["s.ld", "t.ld"]) {
    w.sh(`gcc -g -c m.c && sed 's/PHDRS {.*; }//; s/:all//' s.ld > t.ld && $LD -T ${script} m.o -o p --separate-debug-file`);
    const names = (file: string): string => w.sh(`nm ${file} | cut -d' ' -f3 | sort | tr '\\n' ' '`);
    contains(names("p"), "_start x ");
    assert.is(names("p.dbg"), names("p"));
    const output = new ElfFile(w.bytes("p"));
    lacks(output.sectionNames().join(), "debug_");
    contains(w.sh("addr2line -e p.dbg $(nm p | grep ' _start' | cut -d' ' -f1)"), "m.c:2");
    assert.is(Buffer.from(output.content(".gnu_debuglink")).readUInt32LE(8), crc32(w.bytes("p.dbg")));
  }
}, "addr2line", "nm");

separate("gdb finds lines and variables", (w) => {
  if (!wield) return;
  w.write(FILES).sh("gcc -g -c m.c t.c && gcc -B$B m.o t.o -Wl,--separate-debug-file -o p");
  contains(w.sh("gdb -nx -batch -ex 'break twice' -ex run -ex bt p 2>&1"), "twice (x=1) at t.c:2", "in main (argc=1");
}, "gdb");

separate.run();
