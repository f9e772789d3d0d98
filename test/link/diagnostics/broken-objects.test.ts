/** Relocatable objects that are broken in one place each: what lld says of them, and that nothing is written. */
import { assert, behaviour, contains, lacks, linkerName } from "../../helpers/link.ts";

const broken = behaviour("broken objects");
const wield = linkerName === "wield";
const lld = wield || linkerName === "lld";

const SHT_PROGBITS = 1;
const SHT_SYMTAB = 2;
const SHT_RELA = 4;

/** An object file whose section headers can be found by type and changed. */
class Patch {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  constructor(bytes: Uint8Array) {
    this.bytes = new Uint8Array(bytes);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Offset in the file of the section header that is `nth` of its type, and its index. */
  header(type: number, nth = 0): [at: number, index: number] {
    const shoff = Number(this.view.getBigUint64(0x28, true));
    for (let i = 1; i < this.view.getUint16(0x3c, true); i++) {
      const at = shoff + 64 * i;
      if (this.view.getUint32(at + 4, true) === type && nth-- === 0) return [at, i];
    }
    throw new Error(`no section of type ${type}`);
  }
}

broken("section headers", (w) => {
  if (!lld) return;
  w.write({ "a.s": ".globl _start\n_start: call f\n.globl f\nf: ret\n.data\n.quad f\n.section .extra,\"aw\",@progbits\n.quad f\n" }).sh("as a.s -o a.o");
  const fails = (change: (patch: Patch) => void): string => {
    const patch = new Patch(w.bytes("a.o"));
    change(patch);
    w.write({ "b.o": patch.bytes });
    const said = w.fails("$LD b.o -o b");
    assert.not(w.exists("b"));
    return said;
  };
  contains(fails((p) => p.view.setBigUint64(p.header(SHT_PROGBITS)[0] + 48, 1n << 60n, true)), "b.o: ", "section sh_addralign is too large");
  const unnamed = fails(({ view }) => {
    view.setUint16(0x3e, 0, true);
    const first = Number(view.getBigUint64(0x28, true));
    for (const field of [24, 32]) view.setBigUint64(first + field, 0xffff_0000n, true);
  });
  if (wield) contains(unnamed, /b\.o: .*section name|b\.o: .*sh_name/);
  contains(fails((p) => p.view.setBigUint64(p.header(SHT_PROGBITS)[0] + 48, 3n, true)), "sh_addralign is not a power of 2");
  contains(fails((p) => p.view.setUint32(p.header(SHT_RELA)[0] + 44, 0, true)), /b\.o: relocation section \(index \d+\) has invalid sh_info \(0\)/);
  contains(fails((p) => p.view.setUint32(p.header(SHT_RELA)[0] + 44, 99, true)), /b\.o: relocation section \(index \d+\) has invalid sh_info \(99\)/);
  contains(fails((p) => p.view.setUint32(p.header(SHT_RELA)[0] + 44, p.header(SHT_SYMTAB)[1], true)), /b\.o: relocation section \(index \d+\) has invalid sh_info \(\d+\)/);
  contains(fails((p) => p.view.setUint32(p.header(SHT_RELA, 1)[0] + 44, p.header(SHT_PROGBITS)[1], true)), "b.o:(.text): multiple relocation sections to one section are not supported");
  if (wield) contains(fails((p) => p.view.setUint32(Number(p.view.getBigUint64(p.header(SHT_SYMTAB)[0] + 24, true)) + 24, 0x1000000, true)), "b.o: invalid symbol name offset");
  contains(fails((p) => p.view.setUint8(4, 0)), "b.o: corrupted ELF file: invalid file class");
  contains(fails((p) => p.view.setUint8(5, 9)), "b.o: corrupted ELF file: invalid data encoding");
}, "as");

broken("mergeable sections: writable ones, odd sizes, unterminated strings, references outside", (w) => {
  if (!lld) return;
  const fails = (source: string, options = ""): string => {
    w.write({ "m.s": `.globl _start\n_start: nop\n${source}\n` }).sh("as m.s -o m.o");
    return w.fails(`$LD ${options} m.o -o m`);
  };
  w.write({ "m.s": ".globl _start\n_start: nop\n.section .foo,\"aM\",@progbits,4\n.quad 0\n" }).sh("as m.s -o m.o");
  const patch = new Patch(w.bytes("m.o"));
  const merged = Array.from({ length: 3 }, (_, i) => patch.header(SHT_PROGBITS, i)[0]).find((at) => patch.view.getUint32(at + 8, true) === 0x12)!;
  patch.view.setUint32(merged + 8, 0x13, true);
  w.write({ "w.o": patch.bytes });
  w.sh("ln -s $LD ld.lld");
  contains(w.fails("./ld.lld w.o -o w"), "w.o:(.foo): writable SHF_MERGE section is not supported");
  patch.view.setUint32(merged + 8, 0x12, true);
  patch.view.setUint32(merged + 32, 7, true);
  w.write({ "w.o": patch.bytes });
  contains(w.fails("./ld.lld w.o -o w"), "w.o:(.foo): SHF_MERGE section size (7) must be a multiple of sh_entsize (4)");
  contains(fails(".section .foo,\"aMS\",@progbits,1\n.ascii \"abc\""), /m\.o:\(\.foo.*: string is not null terminated/);
  for (const offset of ["- 1", "+ 8", "+ 10"]) {
    contains(fails(`.data\n.quad .foo ${offset}\n.section .foo,\"aM\",@progbits,4\n.quad 0`, "-shared"), "m.o:(.foo): offset is outside the section");
  }
  contains(fails(".section .debug_x,\"\",@progbits\n.quad .foo + 4\n.section .foo,\"MS\",@progbits,1\n.asciz \"abc\""), "m.o:(.foo): offset is outside the section");
  // Not merged, no pieces, no complaint.
  w.sh("$LD -O0 m.o -o m");
}, "as");

broken("constants that cannot be merged, writable or of odd sizes, stay as they are", (w) => {
  if (linkerName === "lld") return; // errors
  w.write({ "m.s": `.globl _start\n_start: mov b(%rip), %edi\nsub a(%rip), %edi\naddl $1, b(%rip)\nadd b(%rip), %edi\nmov $60, %eax\nsyscall\n.section .foo,"awM",@progbits,4\na: .long 5\nb: .long 5\n.section .cst8,"aM",@progbits,8\n.quad 7, 7` }).sh("as m.s -o m.o");
  const patch = new Patch(w.bytes("m.o"));
  const odd = Array.from({ length: 4 }, (_, i) => patch.header(SHT_PROGBITS, i)[0]).find((at) => patch.view.getUint32(at + 8, true) === 0x12)!;
  patch.view.setUint32(odd + 32, 12, true); // CompCert
  w.write({ "w.o": patch.bytes });
  w.sh("$LD w.o -o w && $LD -r w.o -o r.o && $LD r.o -o r");
  for (const name of ["w", "r"]) {
    w.sh(`./${name} || test $? = 6`);
    assert.is(w.elf(name).need(".foo").size, 8, name);
    assert.is(w.elf(name).need(".cst8").size, 12, name);
  }
}, "as");

broken("files that no linker of ELF files takes are named for what they are", (w) => {
  if (!wield) return;
  w.write({ "s.s": ".globl _start\n_start: ret\n" }).sh("as s.s -o s.o");
  const object = w.bytes("s.o");
  const elf = (...changes: [number, number][]): Uint8Array => changes.reduce((bytes, [at, value]) => (bytes.fill(value, at, at + 1), bytes), new Uint8Array(object));
  const bytes = (text: string): Uint8Array => Uint8Array.from([...text.padEnd(100, "\0")], (char) => char.charCodeAt(0));
  const cases: [Uint8Array | string, string][] = [
    [elf([18, 183]), "x.o is incompatible with elf_x86_64\n>>> it is 64-bit little-endian ELF for AArch64\n"],
    [elf([4, 1], [18, 3]), "x.o is incompatible with elf_x86_64\n>>> it is 32-bit little-endian ELF for i386\n"],
    [elf([5, 2], [18, 0], [19, 22]), "x.o is incompatible with elf_x86_64\n>>> it is 64-bit big-endian ELF for S/390\n"],
    [bytes("\xcf\xfa\xed\xfe\x07\0\0\x01"), "x.o: unknown file type\n>>> it is a Mach-O file (macOS)\n"],
    [bytes("\x64\x86\x03\0"), "x.o: unknown file type\n>>> it is a COFF object (Windows)\n"],
    [bytes("\0asm\x01"), "x.o: unknown file type\n>>> it is WebAssembly\n"],
    [bytes("\x1f\x8b\x08"), "x.o: unknown file type\n>>> it is compressed with gzip\n"],
    [bytes("\x01\x02\x03"), "x.o: unknown file type\n"],
    ["version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "\n>>> it is a pointer of Git LFS: its contents have not been fetched\n"],
    ["<!DOCTYPE html>\n<p>404\n", "\n>>> it is a web page: the download has failed?\n"],
    ["some words\n", "x.o:1: unknown directive: some\n>>> some words\n>>> ^\n>>> neither an object nor an archive: read as a linker script\n"],
  ];
  for (const [data, said] of cases) {
    w.write({ "x.o": data });
    contains(w.fails("$LD s.o x.o -o s"), said);
  }
  w.write({ "x.o": elf([18, 183]) }).sh("ar rc x.a x.o && ar rcT thin.a x.o");
  for (const archive of ["x.a", "thin.a"]) contains(w.fails(`$LD s.o --whole-archive ${archive} -o s`), `${archive}(x.o) is incompatible with elf_x86_64\n>>> it is 64-bit little-endian ELF for AArch64\n`);
  w.sh("mkdir folder");
  for (const option of ["-T folder", "--version-script=folder", "--dynamic-list=folder", "folder"]) contains(w.fails(`$LD s.o ${option} -o s`), "cannot open folder: Is a directory");
  lacks(w.fails("$LD s.o -T x.o -o s"), "neither an object");
}, "as");

broken("headers of compressed sections", (w) => {
  if (!wield) return;
  w.write({ "c.c": "int f(void) { return 0; } const char text[] = \"" + "text ".repeat(100) + "\";\n" }).sh("gcc -c -g -gz=zlib c.c");
  const plain = new Patch(w.bytes("c.o"));
  const shoff = Number(plain.view.getBigUint64(0x28, true));
  const compressed = Array.from({ length: plain.view.getUint16(0x3c, true) }, (_, i) => shoff + 64 * i).find((at) => (plain.view.getUint32(at + 8, true) & 0x800) !== 0)!;
  const chdr = Number(plain.view.getBigUint64(compressed + 24, true));
  const changes: [number, bigint][] = [[8, 1n << 40n], [8, 1n << 63n], [16, 3n], [16, 1n << 40n], [16, 1n << 63n], [0, 9n]];
  for (const [field, value] of changes) {
    const patch = new Patch(w.bytes("c.o"));
    if (field === 0) patch.view.setUint32(chdr, Number(value), true);
    else patch.view.setBigUint64(chdr + field, value, true);
    w.write({ "b.o": patch.bytes });
    for (const options of ["-shared", "-r", "-shared --gdb-index"]) contains(w.fails(`$LD ${options} b.o -o b`), /b\.o:\(\.debug_\w+\): /);
  }
}, "gcc");

broken("a local symbol among the globals of a shared object", (w) => {
  if (!lld) return;
  w.write({ "l.s": ".globl f\n.type f,@function\nf: ret\n", "a.s": ".globl _start\n_start: nop\n" }).sh("as l.s -o l.o && as a.s -o a.o && $LD -shared l.o -o l.so");
  const patch = new Patch(w.bytes("l.so"));
  const [dynsym] = patch.header(11);
  const entry = Number(patch.view.getBigUint64(dynsym + 24, true)) + 24;
  patch.view.setUint8(entry + 4, 2);
  w.write({ "l.so": patch.bytes });
  contains(w.fails("$LD a.o l.so -o a"), "l.so: invalid local symbol 'f' in global part of symbol table");
  contains(w.try("$LD --noinhibit-exec a.o l.so -o a").stderr, "warning: l.so: invalid local symbol 'f'");
}, "as");

broken("symbol versions that mean nothing, and tables of a shared object cut short", (w) => {
  if (!lld) return;
  w.write({ "l.s": ".globl f\n.type f,@function\nf: ret\n", "v.map": "V1 { f; };", "a.s": ".globl _start\n_start: call f\n" });
  w.sh("as l.s -o l.o && as a.s -o a.o && $LD -shared --version-script v.map l.o -o l.so");
  const patch = new Patch(w.bytes("l.so"));
  const [versym] = patch.header(0x6fffffff);
  patch.view.setUint16(Number(patch.view.getBigUint64(versym + 24, true)) + 2, 9, true);
  w.write({ "m.so": patch.bytes });
  contains(w.fails("$LD a.o m.so -o a"), "corrupt input file: version definition index 9 for symbol f is out of bounds\n>>> defined in m.so");
  const tables = new Patch(w.bytes("l.so"));
  tables.view.setUint32(tables.header(11)[0] + 56, 3, true);
  w.write({ "n.so": tables.bytes });
  contains(w.fails("$LD a.o n.so -o a"), /n\.so: section \[index \d+\] has invalid sh_entsize: expected 24, but got 3/);
  w.write({ "o.so": w.bytes("l.so").subarray(0, w.bytes("l.so").length - 8) });
  contains(w.fails("$LD a.o o.so -o a"), "o.so: section table goes past the end of file");
}, "as");

broken("an archive member that is broken, but that nobody wants, does not stop the link", (w) => {
  w.write({ "a.s": ".globl _start\n_start: nop\n", "m.s": ".globl f\nf: ret\n.data\n.quad f\n", "b.s": ".globl _start\n_start: call f\n" }).sh("for i in a m b; do as $i.s -o $i.o; done");
  const changes: ((patch: Patch) => void)[] = [
    (p) => p.view.setUint32(p.header(SHT_PROGBITS)[0], 0xffffff, true), (p) => p.view.setUint32(p.header(SHT_RELA)[0] + 56, 7, true),
    (p) => p.view.setUint32(Number(p.view.getBigUint64(p.header(SHT_SYMTAB)[0] + 24, true)) + 24, 0x1000000, true),
  ];
  for (const change of changes) {
    const patch = new Patch(w.bytes("m.o"));
    change(patch);
    w.write({ "broken.o": patch.bytes }).sh("rm -f x.a; ar rcS x.a broken.o");
    w.sh("$LD a.o x.a -o a");
    if (wield) contains(w.try("$LD a.o x.a -o a").stderr, "warning: x.a(broken.o): ");
    if (wield) contains(w.fails("$LD b.o x.a -o b"), "warning: x.a(broken.o): ", "error: undefined symbol: f");
    contains(w.fails("$LD a.o --whole-archive x.a -o b"), "x.a(broken.o)");
  }
}, "as", "ar");

broken("members of archives that are no objects", (w) => {
  if (!lld) return;
  w.write({ "empty.o": "\n", "a.s": ".globl _start\n_start: nop\n" }).sh("as a.s -o a.o && ar rcS x.a empty.o");
  contains(w.fails("$LD a.o --whole-archive x.a -o a"), "x.a(empty.o): not an ELF file");
}, "as", "ar");

broken.run();
