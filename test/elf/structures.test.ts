import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ELF_MAGIC, ET_DYN, EM_X86_64, PHDR_BYTES, SHDR_BYTES, SYM_BYTES } from "../../as-kernels/shared/elf.ts";
import { readEhdr, readOffset, writeEhdr, writeOffset } from "../../ts/elf/ehdr.ts";
import { noteBytes, readNotes, writeNote } from "../../ts/elf/note.ts";
import { readPhdrs, writePhdr } from "../../ts/elf/phdr.ts";
import { readShdrs, writeShdr } from "../../ts/elf/shdr.ts";
import { readSym, stBind, stType, writeSym } from "../../ts/elf/sym.ts";
import { ObjectBuilder } from "../helpers/object.ts";

const test = suite("elf structures");

function dirty(bytes: number): DataView {
  return new DataView(new Uint8Array(bytes).fill(0xff).buffer);
}

test("ELF header: what is written is read, at any place", () => {
  const ehdr = {
    osabi: 3, abiVersion: 1, e_type: ET_DYN, e_machine: EM_X86_64, e_entry: 0xffffffff80001000n, e_phoff: 64, e_shoff: 2 ** 40 + 8, e_flags: 5,
    e_phentsize: 56, e_phnum: 9, e_shentsize: 64, e_shnum: 30, e_shstrndx: 29,
  };
  const view = dirty(80);
  const there = new DataView(view.buffer, 16);
  writeEhdr(there, ehdr);
  assert.equal(readEhdr(there), ehdr);
  assert.is(view.getUint32(16, true), ELF_MAGIC);
  assert.equal([...new Uint8Array(view.buffer, 20, 12)], [2, 1, 1, 3, 1, 0, 0, 0, 0, 0, 0, 0]);
  assert.is(view.getUint8(15), 0xff);
});

test("ELF header: reads what the object builder writes", () => {
  const bytes = new ObjectBuilder().bytes();
  const ehdr = readEhdr(new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
  assert.is(ehdr.e_type, 1);
  assert.is(ehdr.e_shentsize, SHDR_BYTES);
  assert.ok(ehdr.e_shstrndx < ehdr.e_shnum);
});

test("section headers", () => {
  const shdr = {
    sh_name: 1, sh_type: 0x6ffffff6, sh_flags: 0x80000006, sh_addr: 2n ** 63n, sh_offset: 2 ** 33, sh_size: 2 ** 34 + 1, sh_link: 4, sh_info: 0xffffffff,
    sh_addralign: 4096, sh_entsize: 24,
  };
  const view = dirty(2 * SHDR_BYTES);
  writeShdr(view, 0, { ...shdr, sh_name: 7 });
  writeShdr(view, SHDR_BYTES, shdr);
  assert.equal(readShdrs(view, 2), [{ ...shdr, sh_name: 7 }, shdr]);
});

test("program headers", () => {
  const phdr = { p_type: 0x6474e552, p_flags: 4, p_offset: 2 ** 35, p_vaddr: 0x400000n, p_paddr: 2n ** 60n, p_filesz: 3, p_memsz: 2 ** 36, p_align: 1 };
  const view = dirty(PHDR_BYTES);
  writePhdr(view, 0, phdr);
  assert.equal(readPhdrs(view, 1), [phdr]);
});

test("symbols", () => {
  const sym = { st_name: 9, st_info: 0xa1, st_other: 2, st_shndx: 0xfff1, st_value: 2n ** 64n - 1n, st_size: 8n };
  const view = dirty(SYM_BYTES);
  writeSym(view, 0, sym);
  assert.equal(readSym(view, 0), sym);
  assert.is(stBind(sym.st_info), 10);
  assert.is(stType(sym.st_info), 1);
});

test("notes are padded to 4, property notes to 8 bytes", () => {
  for (const align of [4, 8]) {
    const first = noteBytes("GNU", 20, align);
    const bytes = new Uint8Array(first + noteBytes("Linux", 3, align));
    assert.is(first, align === 4 ? 36 : 40);
    const desc = writeNote(bytes, 0, "GNU", 3, 20, align);
    bytes[desc] = 1;
    writeNote(bytes, first, "Linux", 0x100, 3, align);
    assert.equal(readNotes(bytes, align), [
      { name: "GNU", type: 3, descAt: 16, descBytes: 20 },
      { name: "Linux", type: 0x100, descAt: first + (align === 4 ? 20 : 24), descBytes: 3 },
    ]);
  }
});

test("a note that reaches outside is refused", () => {
  const bytes = new Uint8Array(noteBytes("GNU", 4, 4));
  writeNote(bytes, 0, "GNU", 1, 4, 4);
  for (const at of [0, 4]) {
    const bad = bytes.slice();
    bad[at + 1] = 1;
    assert.is(readNotes(bad, 4), null);
  }
  assert.equal(readNotes(bytes.subarray(0, 8), 4), []);
});

test("offsets keep 53 bits", () => {
  const view = dirty(8);
  for (const value of [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]) {
    writeOffset(view, 0, value);
    assert.is(readOffset(view, 0), value);
  }
});

test.run();
