/**
 * Seeded links of any size, for measuring how cost grows: files × functions × relocations × strings × debug bytes.
 *
 * Every function calls earlier ones, points at strings that other files have too, and has a debug section with a reference;
 * the entry ends the program with status 0, so that what was linked can be run.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { R_X86_64_32, R_X86_64_64, R_X86_64_PLT32, SHF_ALLOC, SHF_EXECINSTR, SHF_MERGE, SHF_STRINGS, STT_FUNC } from "../as-kernels/shared/elf.ts";
import { ObjectBuilder } from "../test/helpers/object.ts";
import { prng, type Prng } from "../test/helpers/prng.ts";

export interface Size {
  files: number;
  /** Per file. */
  functions: number;
  /** Per function; every one is 5 bytes of code. */
  calls: number;
  /** Per file. */
  strings: number;
  debugBytes: number;
}

export const UNIT: Size = { files: 40, functions: 100, calls: 8, strings: 200, debugBytes: 20_000 };

/** mov $60,%eax; xor %edi,%edi; syscall */
const EXIT = [0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05];

function object(random: Prng, file: number, { functions, calls, strings, debugBytes }: Size): Uint8Array {
  const made = new ObjectBuilder();
  const words = Array.from({ length: strings }, () => `string ${random.below(strings * 20)}\0`).join("");
  const text = made.section(".rodata.str1.1", { flags: SHF_ALLOC | SHF_MERGE | SHF_STRINGS, entsize: 1, data: words });
  const table = made.data(new Uint8Array(8 * strings));
  for (let i = 0; i < strings; i++) made.reloc(table, 8 * i, R_X86_64_64, made.sectionSymbol(text), words.indexOf("\0") + 1);
  for (let f = 0; f < functions; f++) {
    const body = file === 0 && f === 0 ? EXIT : Array.from({ length: calls }, () => [0xe8, 0, 0, 0, 0]).flat().concat(0xc3);
    const section = made.section(`.text.f${f}`, { flags: SHF_ALLOC | SHF_EXECINSTR, align: 16, data: body });
    made.symbol(file === 0 && f === 0 ? "_start" : `function_${file}_${f}`, { in: section, size: body.length, type: STT_FUNC });
    if (body === EXIT) continue;
    for (let c = 0; c < calls; c++) {
      const target = random.chance(0.5) ? `function_${random.below(file + 1)}_${1 + random.below(functions - 1)}` : `function_${file}_${1 + random.below(functions - 1)}`;
      const known = made.symbols.find(({ name }) => name === target) ?? made.symbol(target);
      made.reloc(section, 5 * c + 1, R_X86_64_PLT32, known, -4);
    }
  }
  const debug = made.section(".debug_info", { data: new Uint8Array(debugBytes) });
  for (let at = 0; at + 4 <= debugBytes; at += 32) made.reloc(debug, at, R_X86_64_32, made.sectionSymbol(text), 0);
  return merged(made);
}

/** A call may come before its function: then the definition takes the place of the reference. */
function merged(made: ObjectBuilder): Uint8Array {
  const defined = new Map(made.symbols.filter((sym) => sym.in !== 0 && sym.name !== "").map((sym) => [sym.name, sym]));
  const final = (sym: (typeof made.symbols)[number] | undefined) => (sym === undefined ? undefined : (defined.get(sym.name) ?? sym));
  for (const section of made.sections) for (const reloc of section.relocs) reloc.sym = final(reloc.sym);
  made.symbols = made.symbols.filter((sym) => sym.name === "" || final(sym) === sym);
  return made.bytes();
}

/** Writes `factor` times UNIT's files to `folder`; the arguments to link them with. */
export function generate(folder: string, factor: number): string[] {
  const size = { ...UNIT, files: UNIT.files * factor };
  const names = Array.from({ length: size.files }, (_, file) => {
    const name = path.join(folder, `file${file}.o`);
    fs.writeFileSync(name, object(prng(1000 + file), file, size));
    return name;
  });
  const list = path.join(folder, "args");
  fs.writeFileSync(list, names.join("\n"));
  return [`@${list}`];
}

/** Sections of `bytes` bytes each that are holes in their files; the program ends with the last byte of the last one as its status. */
export function generateHuge(folder: string, sections: number, bytes: number): string[] {
  const names = Array.from({ length: sections }, (_, i) => {
    const made = new ObjectBuilder();
    const section = made.section(".huge", { flags: SHF_ALLOC, align: 8, data: new Uint8Array(8) });
    made.symbol(`huge_${i}`, { in: section, size: 8 });
    const name = path.join(folder, `huge${i}.o`);
    fs.writeFileSync(name, stretched(made.bytes(), bytes));
    fs.truncateSync(name, fs.statSync(name).size + bytes);
    const fd = fs.openSync(name, "r+");
    fs.writeSync(fd, Uint8Array.of(40 + i), 0, 1, fs.fstatSync(fd).size - 1);
    fs.closeSync(fd);
    return name;
  });
  const start = new ObjectBuilder();
  // movabs $huge_N + bytes - 1,%rbx; movzbl (%rbx),%edi; mov $60,%eax; syscall
  const code = start.text([0x48, 0xbb, 0, 0, 0, 0, 0, 0, 0, 0, 0x0f, 0xb6, 0x3b, 0xb8, 60, 0, 0, 0, 0x0f, 0x05]);
  start.symbol("_start", { in: code, type: STT_FUNC });
  start.reloc(code, 2, R_X86_64_64, start.symbol(`huge_${sections - 1}`), bytes - 1);
  names.push(path.join(folder, "start.o"));
  fs.writeFileSync(names.at(-1)!, start.bytes());
  return names;
}

/** The object with its section 1 moved behind the end of the file and made `bytes` long. */
function stretched(object: Uint8Array, bytes: number): Uint8Array {
  const view = new DataView(object.buffer);
  const header = Number(view.getBigUint64(40, true)) + 64;
  const end = Math.ceil(object.length / 8) * 8;
  view.setBigUint64(header + 24, BigInt(end), true);
  view.setBigUint64(header + 32, BigInt(bytes), true);
  const out = new Uint8Array(end);
  out.set(object);
  return out;
}
