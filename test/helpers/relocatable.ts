/**
 * For tests of -r: what an object file must be, checked by `objectProblems` on every output, and programs made of such objects by every
 * linker there is.
 */
import { ElfFile } from "./dump.ts";
import { assert, ld, type Workspace } from "./link.ts";
import { tool } from "./tools.ts";

export const SHT = { RELA: 4, NOBITS: 8, GROUP: 17 };
export const SHF = { GROUP: 0x200, INFO_LINK: 0x40, LINK_ORDER: 0x80, RETAIN: 0x200000 };
export const SHN_COMMON = 0xfff2;

export interface Relocation { offset: number; type: number; sym: number; addend: number }

export function relocations(elf: ElfFile, name: string): Relocation[] {
  const section = elf.need(name);
  const list: Relocation[] = [];
  for (let at = section.offset; at < section.offset + section.size; at += 24) {
    list.push({ offset: elf.u64(at), type: elf.u32(at + 8), sym: elf.u32(at + 12), addend: elf.i64(at + 16) });
  }
  return list;
}

export function groups(elf: ElfFile): { signature: string; comdat: boolean; members: string[] }[] {
  return elf.shdrs.filter((s) => s.type === SHT.GROUP).map((s) => {
    const words = Array.from({ length: s.size / 4 }, (_, i) => elf.u32(s.offset + 4 * i));
    const symbol = elf.symtab()[s.info]!;
    const signature = symbol.type === 3 ? elf.shdrs[symbol.shndx]!.name : symbol.name;
    return { signature, comdat: words[0] === 1, members: words.slice(1).map((index) => elf.shdrs[index]!.name) };
  });
}

/** What gABI ch. 4 demands of any relocatable file. */
function objectProblems(elf: ElfFile): string[] {
  const problems: string[] = [];
  const symbols = elf.symtab();
  const ranges = [{ from: 0, to: 64, name: "header" }, { from: elf.u64(40), to: elf.u64(40) + 64 * elf.shdrs.length, name: "section headers" }];
  if (elf.type !== 1 || elf.phdrs.length !== 0) problems.push("not ET_REL without segments");
  for (const s of elf.shdrs.slice(1)) {
    if (s.addr !== 0) problems.push(`${s.name} has an address`);
    if (s.type !== SHT.NOBITS && s.size > 0) ranges.push({ from: s.offset, to: s.offset + s.size, name: s.name });
    if (s.type !== SHT.NOBITS && s.align > 1 && s.offset % s.align !== 0) problems.push(`${s.name} is not aligned in the file`);
    if (s.type === SHT.GROUP) {
      for (let i = 1; i < s.size / 4; i++) {
        const member = elf.shdrs[elf.u32(s.offset + 4 * i)];
        if (member === undefined || member.index <= s.index) problems.push(`group ${s.index} before its member ${member?.index}`);
        else if (!(member.flags & SHF.GROUP)) problems.push(`${member.name} is in a group without SHF_GROUP`);
      }
    }
    if (s.type !== SHT.RELA) continue;
    const target = elf.shdrs[s.info]!;
    if (elf.shdrs[s.link]!.name !== ".symtab" || s.name !== ".rela" + target.name || !(s.flags & SHF.INFO_LINK)) problems.push(`${s.name} is not about ${target.name}`);
    for (let at = s.offset; at < s.offset + s.size; at += 24) {
      if (elf.u64(at) >= target.size) problems.push(`${s.name}: offset outside ${target.name}`);
      if (elf.u32(at + 12) >= symbols.length) problems.push(`${s.name}: symbol ${elf.u32(at + 12)}`);
    }
  }
  const sorted = ranges.sort((a, b) => a.from - b.from);
  sorted.forEach((r, i) => {
    if (r.to > elf.bytes.length || (i > 0 && r.from < sorted[i - 1]!.to)) problems.push(`${r.name} overlaps ${sorted[i - 1]?.name} or the end`);
  });
  symbols.forEach((s, i) => {
    if (s.bind === 0 !== i < elf.need(".symtab").info) problems.push(`symbol ${i} ${s.name} is on the wrong side of sh_info`);
    if (s.shndx >= elf.shdrs.length && s.shndx < 0xff00) problems.push(`symbol ${i} ${s.name} in section ${s.shndx}`);
  });
  return problems;
}

export function object(w: Workspace, name: string): ElfFile {
  const elf = w.elf(name);
  assert.equal(objectProblems(elf), [], name);
  return elf;
}

/** Linkers that must accept the object: this one, and the others that are installed. */
export function linkers(): string[] {
  return [ld, tool("ld.bfd"), tool("ld.lld")].filter((program) => program !== "");
}

/** Links `objects` with every linker through `driver`, runs the program and compares what it prints. */
export function runs(w: Workspace, driver: string, objects: string, expected: string): void {
  for (const [i, program] of linkers().entries()) {
    w.sh(`mkdir -p with${i} && ln -sf ${program} with${i}/ld && ${driver} -Bwith${i} ${objects} -o prog${i}`);
    assert.is(w.sh(`./prog${i}`), expected, `${objects} linked by ${program}`);
  }
}

export const C = {
  "a.c": `
    #include <stdio.h>
    int common[4]; static volatile int hidden_state = 5; int shared_data = 3;
    static const char *names[] = { "zero", "one", "two" };
    static __attribute__((noinline)) int helper(int x) { return x * hidden_state; }
    int a(int x) { printf("%s ", names[x]); common[1]++; return helper(x) + shared_data; }`,
  "b.c": `
    #include <stdio.h>
    extern int common[4]; extern int shared_data; __thread int tls_zero; __thread int tls_two = 2;
    extern int missing(void) __attribute__((weak));
    static __attribute__((noinline)) int helper(int x) { static int calls; return ++calls + x; }
    double half(double x) { return x * 0.5; }
    int b(int x) { tls_zero += tls_two; printf("%s %d ", "zero", missing ? 1 : 0); return helper(x) + tls_zero + common[1] + (int)half(8); }`,
  "m.c": `
    #include <stdio.h>
    int a(int), b(int); int main(void) { int x = a(1), y = a(2), z = b(3); printf("%d %d %d\\n", x, y, z); }`,
};
export const C_SAYS = "one two zero 0 8 13 12\n";
