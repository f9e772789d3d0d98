/** Seeded relocatable objects with everything that names, groups and symbol tables can be, and ways to break them. */
import * as abi from "../../as-kernels/shared/abi.ts";
import * as elf from "../../as-kernels/shared/elf.ts";
import { ObjectBuilder, type Section } from "./object.ts";
import type { Prng } from "./prng.ts";

export const NAMES = ["f", "main", "a".repeat(40), "_ZN3fooC2Ev", "foo@V1", "foo@@V1", "foo@", "@", "x".repeat(7), "y".repeat(8), "é\xff"];
export const BINDS = [elf.STB_GLOBAL, elf.STB_WEAK, elf.STB_GNU_UNIQUE];

export function randomObject(random: Prng): Uint8Array {
  const object = new ObjectBuilder();
  const sections: Section[] = Array.from({ length: random.between(0, 6) }, (_, k) =>
    object.section(random.pick([`.text.${k}`, ".gnu.linkonce.t.f", ".gnu.linkonce", ".debug_info", ".note"]), {
      flags: random.pick([0, elf.SHF_ALLOC, elf.SHF_EXCLUDE, elf.SHF_ALLOC | elf.SHF_EXCLUDE]), align: 2 ** random.below(6), data: new Uint8Array(random.below(30)),
      type: random.pick([elf.SHT_PROGBITS, elf.SHT_PROGBITS, elf.SHT_NOTE, elf.SHT_LLVM_ADDRSIG, elf.SHT_REL, elf.SHT_CREL]),
    }),
  );
  const symbols = NAMES.filter(() => random.chance(0.6)).map((name) =>
    object.symbol(name, {
      in: random.pick([elf.SHN_UNDEF, elf.SHN_ABS, elf.SHN_COMMON, elf.SHN_X86_64_LCOMMON, ...sections]), bind: random.pick([elf.STB_LOCAL, ...BINDS]),
      type: random.pick([0, 1, 2, 6, 10, abi.STT_MENTION]), value: random.below(64),
    }),
  );
  const free = [...sections];
  for (let k = random.below(3); k > 0 && free.length > 0; k--) {
    const members = free.splice(0, random.between(0, 2));
    const signature = random.chance(0.3) ? object.sectionSymbol(sections[0]!) : random.pick([...symbols, object.sectionSymbol(sections[0]!)]);
    object.group(signature, members, random.pick([0, elf.GRP_COMDAT, elf.GRP_COMDAT]));
  }
  if (sections.length > 0 && random.chance(0.5)) object.reloc(sections[0]!, 0, 1, symbols[0]);
  return object.bytes();
}

// Fields of the ELF header (gABI ch. 4)
export const SHOFF = 40;
export const SHNUM = 60;
export const SHSTRNDX = 62;

/** Breaks a few fields: section headers, symbols, group words, the ends of string tables. */
export function damage(random: Prng, file: Uint8Array): void {
  const view = new DataView(file.buffer);
  const shoff = Number(view.getBigUint64(SHOFF, true));
  const count = view.getUint16(SHNUM, true);
  const numbers = [0, 1, 2, 3, 7, 24, count - 1, count, count + 1, file.length, 0x7fffffff, 0xffffffff];
  for (let k = random.below(3); k > 0; k--) {
    const section = shoff + 64 * random.below(count);
    const offset = Number(view.getBigUint64(section + 24, true));
    const size = Number(view.getBigUint64(section + 32, true));
    const way = random.below(4);
    if (way === 0) view.setUint32(section + 4 * random.below(16), random.pick(numbers), true);
    else if (way === 1) view.setUint32(section + 4, random.pick([0, 1, 2, 3, 4, 8, 17, 18]), true);
    else if (way === 2 && size >= 4 && offset + size <= shoff) view.setUint32(offset + 4 * random.below(size >> 2), random.pick(numbers), true);
    else if (way === 3 && size > 0 && offset + size <= shoff) file[offset + random.below(size)] = random.pick([0, 1, 0x40, 0xff, 0xf2]);
  }
  if (random.chance(0.05)) view.setUint16(SHSTRNDX, random.below(count + 2), true);
}
