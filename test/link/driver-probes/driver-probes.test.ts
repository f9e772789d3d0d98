/**
 * What build systems ask a linker before they use it: -v, --version, --help, unknown options and -z keywords, option spellings.
 */

import { assert, behaviour, contains, lacks, linkerName } from "../../helpers/link.ts";

const probes = behaviour("driver probes");
const wield = linkerName === "wield";

probes("libtool: -v says GNU, --help names formats and no-whole-archive", (w) => {
  const version = w.sh("$LD -v </dev/null 2>&1");
  contains(version, /GNU|with BFD/);
  const help = w.sh("$LD --help 2>&1");
  contains(help, "no-whole-archive", /: supported targets:.* elf/, "--dependency-file", "--push-state");
  if (wield) contains(help, /supported emulations:.*elf_x86_64/);
});

probes("meson and cmake: --version, -V", (w) => {
  contains(w.sh("$LD --version"), /GNU|LLD/);
  contains(w.sh("gcc -B$B -Wl,--version 2>&1"), /GNU|LLD/);
  contains(w.sh("$LD -V"), /GNU|LLD/);
  if (wield) {
    contains(w.sh("$LD --version").split("\n")[0]!, /^wield v\d+\.\d+\.\d+, as LLD 19\.1\.7 \(compatible with GNU/i);
    // GHC 9.0 looks for a line that begins with a name it knows; -v stays one line.
    contains(w.sh("$LD --version"), /^LLD \d/m);
    assert.is(w.sh("$LD -v").trim().split("\n").length, 1);
    contains(w.sh("$LD -V"), "elf_x86_64");
    contains(w.sh("$LD -v"), /wield/i);
  }
  lacks(w.try("$LD --push-state --pop-state").stderr, "push-state", "pop-state");
});

probes("an unknown option is an error, also beside -v and --version", (w) => {
  w.write({ "m.c": "int main(void) { return 0; }" }).sh("gcc -c m.c");
  for (const option of ["--no-such-option", "-no-such", "--gc-sectionz", "--color-diagnosticz"]) {
    contains(w.fails(`$LD ${option} m.o -o m`), /unknown (argument|option)|unrecognized option/, option.replace(/^-+/, ""));
    if (linkerName !== "bfd") w.fails(`$LD -v ${option}`);
  }
  w.fails("gcc -B$B m.o -Wl,--no-such-option=1 -o m");
  assert.not(w.exists("m"));
});

probes("an unknown -z keyword is a warning", (w) => {
  w.write({ "m.c": "int main(void) { return 0; }" }).sh("gcc -c m.c");
  const done = w.try("gcc -B$B m.o -Wl,-z,frobnicate -o m && ./m");
  assert.is(done.status, 0);
  contains(done.stderr, /warning.*frobnicate/);
  w.fails("gcc -B$B m.o -Wl,-z,frobnicate -Wl,--fatal-warnings -o m2");
});

probes("spellings: one or two dashes, joined and separate values", (w) => {
  w.write({ "m.c": "int main(void) { return 0; }", "v.map": "{ local: *; };" }).sh("gcc -fPIC -c m.c");
  const lines = [
    "-shared -soname libx.so.1", "--shared --soname=libx.so.1", "-shared -h libx.so.1", "-shared -hlibx.so.1", "-Bshareable -soname=libx.so.1",
    "-shared -version-script v.map -soname libx.so.1", "-shared --version-script=v.map -h libx.so.1", "-shared -rpath /a -soname libx.so.1",
    "-shared -z now -znow -z relro -soname libx.so.1", "-shared -melf_x86_64 -m elf_x86_64 -soname libx.so.1", "-shared -O1 -O2 -soname libx.so.1",
    "-shared -umain -u main --undefined=main -soname libx.so.1", "-shared -L. -L . --library-path=. -soname libx.so.1",
    "-shared --hash-style gnu -hash-style=both -soname libx.so.1", "-shared -dy -Bdynamic -call_shared -soname libx.so.1",
  ];
  for (const line of lines) {
    w.sh(`$LD ${line} m.o -o x.so`);
    assert.is(w.elf("x.so").soname(), "libx.so.1", line);
  }
  w.sh("$LD -shared m.o -ox1.so && $LD -shared m.o --output=x2.so && $LD -shared m.o --output x4.so");
  for (const name of ["x1.so", "x2.so", "x4.so"]) assert.ok(w.exists(name), name);
});

probes("harmless options are accepted", (w) => {
  w.write({ "m.c": "int main(void) { return 0; }" }).sh("gcc -c m.c");
  const flags = [
    "--no-add-needed", "--no-copy-dt-needed-entries", "--sort-common", "--warn-common", "--no-keep-memory", "--warn-once", "--no-warn-mismatch", "--no-undefined-version",
    "--enable-new-dtags", "--no-ctors-in-init-array", "--demangle", "--no-demangle", "--stats", "-g", "-G,8", "-EL", "-nostdlib", "--build-id", "--eh-frame-hdr",
    "--warn-shared-textrel", "--discard-none", "--no-omagic", "--no-gnu-unique", "--mmap-output-file", "--no-mmap-output-file", "-Qy", "--relax", "--no-relax", "--sort-common=descending", "--no-allow-shlib-undefined",
  ];
  const skip = wield ? [] : ["--no-gnu-unique", "--mmap-output-file", "--no-mmap-output-file", "-Qy", "--no-omagic", "--relax", "--no-relax", "--sort-common=descending", "--no-ctors-in-init-array"];
  for (const flag of flags) {
    if (skip.includes(flag)) continue;
    w.sh(`gcc -B$B m.o -Wl,${flag} -o m && ./m`);
  }
});

probes("messages go to stderr, reports to stdout, exit status is 0 or 1", (w) => {
  const done = w.try("$LD nothing-there.o");
  assert.is(done.status, 1);
  assert.is(done.stdout, "");
  assert.ok(done.stderr.length > 0);
  assert.is(w.try("$LD --version").stderr, "");
});

probes("called by another linker's name, messages carry that name; else ours", (w) => {
  if (!wield) return;
  w.sh("mkdir as && for name in ld.lld ld.bfd ld ld.wield x86_64-linux-gnu-ld; do ln -s $LD as/$name; done");
  for (const [name, says] of [["ld.lld", "ld.lld"], ["ld.bfd", "ld.bfd"], ["ld", "wield"], ["ld.wield", "wield"], ["x86_64-linux-gnu-ld", "wield"]] as const) {
    contains(w.fails(`as/${name} none.o`), new RegExp(`^${says}: error: cannot open none.o`));
  }
  contains(w.fails("PATH=$PWD/as:$PATH ld.lld none.o"), /^ld\.lld: error: /);
  contains(w.sh("as/ld.lld --help"), "ld.lld: supported targets:");
  assert.is(w.fails("as/ld.lld -lnosuchthing"), "ld.lld: error: unable to find library -lnosuchthing\n");
  contains(w.fails("as/ld -lnosuchthing"), />>> searched: |>>> no folder/);
  w.write({ "m.c": "int main(void) { return 0; }" }).sh("$CLANG -fuse-ld=lld -Bas m.c -o m && ./m && readelf -p .comment m | grep wield > /dev/null");
}, "clang", "readelf");

probes("compiler flags given to the linker by mistake are explained", (w) => {
  if (!wield) return;
  contains(w.fails("$LD -Wl,--as-needed x.o"), /-Wl|compiler|driver/);
});

probes.run();
