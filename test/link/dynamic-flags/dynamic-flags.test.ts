/**
 * Options that end in a dynamic tag, a flag or a note: the -z keywords, --audit, -F, -f, --package-metadata, -dynamic-linker; and that every
 * option of ordinary builds is accepted.
 */

import { ElfFile } from "../../helpers/dump.ts";
import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";

const flags = behaviour("dynamic flags");
const LIB = { "l.c": "int f(void) { return 1; }", "m.c": "int main(void) { return 0; }" };

flags("DT_FLAGS_1 from -z keywords", (w) => {
  w.write(LIB).sh("gcc -O1 -fPIC -c l.c");
  const bits: [string, number][] = [["now", 0x1], ["nodelete", 0x8], ["initfirst", 0x20], ["nodlopen", 0x40], ["origin", 0x80], ["interpose", 0x400], ["global", 0x2], ["nodefaultlib", 0x800]];
  for (const [keyword, bit] of bits) {
    if (keyword === "nodefaultlib" && linkerName === "bfd") continue;
    w.sh(`gcc -B$B -shared l.o -Wl,-z,${keyword} -o l.so`);
    const elf = w.elf("l.so");
    assert.is((elf.tag("FLAGS_1") ?? 0) & bit, bit, keyword);
    if (keyword === "now") assert.ok(((elf.tag("FLAGS") ?? 0) & 8) !== 0 || elf.tag("BIND_NOW") !== undefined);
    if (keyword === "origin") assert.is((elf.tag("FLAGS") ?? 0) & 1, 1, "DF_ORIGIN");
  }
  w.sh("gcc -B$B -shared l.o -Wl,-Bsymbolic -o s.so");
  assert.ok(((w.elf("s.so").tag("FLAGS") ?? 0) & 2) !== 0 || w.elf("s.so").tag("SYMBOLIC") !== undefined, "DF_SYMBOLIC");
});

flags("--spare-dynamic-tags leaves room in .dynamic", (w) => {
  if (linkerName === "lld") return;
  w.write(LIB).sh("gcc -O1 -fPIC -c l.c && for n in 0 7; do gcc -B$B -shared l.o -Wl,--spare-dynamic-tags=$n -o l$n.so; done");
  assert.is(w.elf("l7.so").need(".dynamic").size, w.elf("l0.so").need(".dynamic").size + 7 * 16);
});

flags("--audit, --depaudit, -f and -F", (w) => {
  if (linkerName === "lld") return;
  w.write(LIB).sh("gcc -O1 -fPIC -c l.c && gcc -B$B -shared l.o -Wl,-f,aux.so,-F,filter.so,--audit,a.so,--depaudit,d.so -o l.so");
  const tags = w.elf("l.so").dynamic().map((d) => d.tag);
  for (const tag of [0x7ffffffd, 0x7fffffff]) assert.ok(tags.includes(tag), tag.toString(16));
});

flags("--package-metadata is a note", (w) => {
  if (linkerName === "mold") return;
  w.write(LIB).sh(`gcc -O1 -c m.c && $LD m.o -e main -o m --package-metadata='{"type":"deb","name":"x"}'`);
  const note = w.elf("m").notes().find((n) => n.name === "FDO");
  assert.is(note?.type, 0xcafe1a7e);
  assert.match(Buffer.from(note!.desc).toString("latin1"), /^\{"type":"deb","name":"x"\}\0*$/);
});

flags("-dynamic-linker, -I, --no-dynamic-linker", (w) => {
  w.write(LIB).sh("gcc -O1 -fPIC -c l.c m.c && $LD -shared l.o -o libl.so");
  const interp = (line: string): string | undefined => {
    w.sh(`$LD ${line} m.o libl.so -e main -o m`);
    return w.elf("m").interp();
  };
  assert.is(interp("-dynamic-linker /a/b"), "/a/b");
  assert.is(interp("--dynamic-linker=/a/b"), "/a/b");
  assert.is(interp("-pie -dynamic-linker /a/b --no-dynamic-linker"), undefined);
  if (linkerName !== "lld") assert.is(interp("-I/a/b"), "/a/b");
});

flags("every option of ordinary builds is accepted", (w) => {
  if (linkerName !== "wield") return;
  w.write({ ...LIB, "v.map": "{ global: *; };", "d.list": "{ f; };", "keep.txt": "f\n" }).sh("gcc -O1 -fPIC -c l.c m.c && ar rc libl.a l.o && mkdir -p root");
  const options = [
    "-L. -ll", "-L. --library=l", "-L . -l l", "--library-path=. -ll", "-L. -l:libl.a", "--sysroot=", "-( libl.a -)", "--start-group libl.a --end-group", "--whole-archive libl.a --no-whole-archive",
    "--as-needed --no-as-needed", "-Bstatic -Bdynamic", "-dn -dy", "-static", "-non_shared -call_shared", "--push-state --pop-state", "--start-lib l.o --end-lib", "-nostdlib",
    "-m elf_x86_64", "-melf_x86_64", "-EL", "-no-pie", "-pie --no-dynamic-linker", "--pie --no-dynamic-linker", "-pic-executable --no-dynamic-linker", "-e main", "--entry=main", "-emain", "--build-id", "--build-id=sha1",
    "--build-id=md5", "--build-id=fast", "--build-id=uuid", "--build-id=none", "--build-id=0x1234", "--no-build-id", "--hash-style=gnu", "--hash-style=sysv", "--hash-style=both", "-hash-style=gnu",
    "--eh-frame-hdr", "--no-eh-frame-hdr", "-soname x", "-h x", "-rpath /x", "-rpath=/x", "-rpath-link /x", "-rpath-link=/x", "-R /x", "--enable-new-dtags", "--disable-new-dtags", "-s", "-S", "-x", "-X",
    "--discard-all", "--discard-locals", "--discard-none", "--strip-all", "--strip-debug", "--compress-debug-sections=none", "--compress-debug-sections=zlib", "-O0", "-O1", "-O2",
    "-E", "--export-dynamic", "-export-dynamic", "--no-export-dynamic", "--dynamic-list=d.list", "--dynamic-list d.list", "--version-script=v.map", "--version-script v.map", "-version-script v.map",
    "--export-dynamic-symbol=f", "--export-dynamic-symbol-list=d.list", "--exclude-libs ALL", "--exclude-libs=libl.a", "-Bsymbolic", "-Bsymbolic-functions", "-Bsymbolic-non-weak-functions", "-Bsymbolic-non-weak",
    "-u main", "-umain", "--undefined=main", "--defsym=a=1", "--defsym a=1", "--wrap=f", "--wrap f", "--no-undefined", "-z defs", "-z undefs", "--allow-shlib-undefined", "--no-allow-shlib-undefined",
    "--unresolved-symbols=ignore-all", "--unresolved-symbols=report-all", "--unresolved-symbols=ignore-in-object-files", "--unresolved-symbols=ignore-in-shared-libs", "--warn-unresolved-symbols", "--error-unresolved-symbols",
    "--allow-multiple-definition", "-z muldefs", "--no-undefined-version", "--undefined-version", "--gc-sections", "--no-gc-sections", "--print-gc-sections", "--no-print-gc-sections",
    "-z relro", "-z norelro", "-z now", "-z lazy", "-z text", "-z notext", "-z noexecstack", "-z execstack", "-z nodelete", "-z nocopyreloc", "-z copyreloc", "-z origin", "-z max-page-size=4096", "-z common-page-size=4096",
    "-z separate-code", "-z noseparate-code", "-z separate-loadable-segments", "-z pack-relative-relocs", "-z nostart-stop-gc", "-z start-stop-gc", "-z stack-size=65536", "-z initfirst", "-z interpose", "-z nodlopen", "-z combreloc", "-z nocombreloc", "-znow", "-zrelro",
    "--pack-dyn-relocs=relr", "--pack-dyn-relocs=none", "--verbose", "-t", "--trace", "-y f", "-yf", "-M", "-Map=x.map", "-Map x.map", "--cref", "--dependency-file=x.d", "--fatal-warnings", "--no-fatal-warnings",
    "--demangle", "--no-demangle", "--color-diagnostics", "--color-diagnostics=never", "--no-color-diagnostics", "-plugin /x/liblto_plugin.so", "-plugin-opt=-fresolution=x", "-plugin-opt -pass-through=-lgcc", "--no-add-needed", "--no-copy-dt-needed-entries",
    "--sort-common", "--sort-common=ascending", "--stats", "--warn-common", "-fix-cortex-a53-843419", "--no-keep-memory", "--no-call-graph-profile-sort", "-d", "-dc", "-dp", "-g", "-G 8", "-Qy", "-Y /x", "-P /x", "--warn-execstack",
    "--no-warn-rwx-segments", "--warn-once", "--warn-shared-textrel", "--no-warn-mismatch", "--long-plt", "--relax", "--no-relax", "--threads", "--threads=2", "--no-threads", "--mmap-output-file", "--no-mmap-output-file",
    "--error-limit=5", "--image-base=0x400000", "--no-rosegment", "--rosegment", "--icf=none", "--orphan-handling=place", "--no-gnu-unique", "-N", "-n", "--time",
  ];
  // an unknown option is an error beside --version as well, and --version does not link
  for (const line of [options.join(" "), ...options.filter((o) => /threads|stats|--time|-M|trace/.test(o)).map((o) => `${o} m.o libl.a -e main -o out`)]) {
    const done = w.try(`$LD ${line.replace(/-[()](?= |$)/g, "'$&'")} ${line.includes("-o out") ? "" : "--version"}`);
    assert.is(done.stderr, "");
    assert.is(done.status, 0, line);
  }
});

flags("-z keywords of dynamic flags and of properties land where loaders look", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "a.s": ".weak w\n.globl _start\n_start: mov w@GOTPCREL(%rip), %rax\n", "e.s": ".globl d\nd: ret\n" }).sh("as a.s -o a.o && as e.s -o e.o && $LD -shared e.o -o e.so");
  const link = (options: string) => (w.sh(`$LD -shared ${options} a.o -o a.so`), w.elf("a.so"));
  assert.is(link("-z globalaudit -z loadfltr").tag("FLAGS_1"), 0x01000010);
  assert.is(link("-z unique").dynamic().find(({ tag }) => tag === 0x6ffffdf4)?.value, 1);
  const property = (options: string) => Buffer.from(link(options).content(".note.gnu.property")).readUInt32LE(24);
  assert.is(property("-z lam-u48"), 12); // who leaves bits 48 to 62 alone leaves 57 to 62 alone
  assert.is(property("-z lam-u57 -z ibt -z shstk"), 11);
  assert.is(property("-z x86-64-v3"), 7);
  const imports = (options: string) => (w.sh(`$LD -pie ${options} a.o e.so -o p`), w.elf("p").imports());
  assert.equal(imports(""), ["w"]);
  assert.equal(imports("-z nodynamic-undefined-weak"), []);
  // So is what only a library defines that is not needed.
  w.sh("sed s/d/w/g e.s > w.s && as w.s -o w.o && $LD -shared w.o -o w.so");
  assert.equal(imports("--as-needed w.so"), ["w"]);
  assert.equal(imports("-z nodynamic-undefined-weak --as-needed w.so"), []);
  assert.equal(imports("-z dynamic-undefined-weak --no-dynamic-linker"), ["w"]);
  w.sh("$LD -shared --no-dynamic-linker a.o -o s.so"); // programs have dynamic linkers, shared objects none
  assert.equal(w.elf("s.so").imports(), ["w"]);
  const done = w.try("$LD -pie -z dynamic-undefined-weak --no-dynamic-linker a.o -o p"); // static-pie: its start code would crash
  assert.is(done.status, 0);
  contains(done.stderr, "warning: -z dynamic-undefined-weak ignored");
  assert.equal(w.elf("p").relocs(), []);
});

flags("two tables in one section: DT_RELASZ is the size of both", (w) => {
  if (linkerName === "bfd") return;
  w.write({ "a.s": ".globl f\nf: call g@PLT\nmov h@GOTPCREL(%rip), %rax\n", "t": "SECTIONS { .rela.dyn : { *(.rela.dyn) *(.rela.plt) } }" }).sh("as a.s -o a.o && $LD -shared -T t a.o -o a.so");
  const elf = new ElfFile(w.bytes("a.so")); // such a layout breaks other rules
  assert.is(elf.tag("RELASZ"), 48);
  assert.is(elf.tag("PLTRELSZ"), 24);
  assert.is(elf.tag("JMPREL"), elf.tag("RELA")! + 24);
});

flags.run();
