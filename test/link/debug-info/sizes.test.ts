/**
 * Debug sections of every size: small ones that are put together object by object, ones larger than a batch, relocations in order and not,
 * fields at every distance from the edge of a slice. The expected bytes are computed here.
 */

import { R_X86_64_64, STT_FUNC } from "../../../as-kernels/shared/elf.ts";
import { ObjectBuilder } from "../../helpers/object.ts";
import { prng } from "../../helpers/prng.ts";
import { assert, behaviour } from "../../helpers/link.ts";

const sizes = behaviour("sizes of debug sections");

const NAMES = [".debug_a", ".debug_b", ".debug_c"];

interface Part {
  bytes: Uint8Array;
  align: number;
  offsets: number[];
}

/** An object whose sections have relocations to its own code, at `step` bytes from one another. */
function object(file: number, parts: Part[]): Uint8Array {
  const made = new ObjectBuilder();
  const text = made.text(Array.from({ length: 16 }, () => 0x90));
  made.symbol(file === 0 ? "_start" : `code_${file}`, { in: text, type: STT_FUNC });
  parts.forEach(({ bytes, align, offsets }, k) => {
    const section = made.section(NAMES[k]!, { data: bytes, align });
    for (const offset of offsets) made.reloc(section, offset, R_X86_64_64, made.sectionSymbol(text), offset);
  });
  return made.bytes();
}

function part(random: ReturnType<typeof prng>, size: number, order: "ascending" | "descending" | "late"): Part {
  const offsets: number[] = [];
  for (let at = random.below(8); at + 8 <= size; at += 8 + random.below(20)) offsets.push(at);
  if (order === "descending") offsets.reverse();
  if (order === "late" && offsets.length > 2) offsets.push(...offsets.splice(1, 1));
  return { bytes: Uint8Array.from({ length: size }, () => random.below(256)), align: 1 << random.below(4), offsets };
}

sizes("every field is relocated, whatever the size of the section and the order of its relocations", (w) => {
  const random = prng(77);
  const plan: [number, "ascending" | "descending" | "late"][][] = [
    ...Array.from({ length: 40 }, (): [number, "ascending" | "descending" | "late"][] => NAMES.map(() => [random.below(3000), random.pick(["ascending", "descending", "late"])])),
    [[900_000, "ascending"], [10, "ascending"], [300_000, "ascending"]],
    [[5000, "ascending"], [0, "ascending"], [64, "descending"]],
    [[700_000, "late"], [800_000, "descending"], [262_144, "ascending"]],
    [[7, "ascending"], [8, "ascending"], [200_000, "ascending"]],
    [[262_144 + 3, "ascending"], [1_500_000, "ascending"], [20, "ascending"]],
  ];
  const objects = plan.map((sections) => sections.map(([size, order]) => part(random, size, order)));
  objects.forEach((parts, file) => w.write({ [`f${file}.o`]: object(file, parts) }));
  const list = objects.map((_, file) => `f${file}.o`).join(" ");
  for (const threads of [1, 2, 3]) w.sh(`$LD --build-id=fast --threads=${threads} ${list} -o out${threads}`);
  assert.ok(Buffer.from(w.bytes("out1")).equals(w.bytes("out2")), "one thread and two");
  assert.ok(Buffer.from(w.bytes("out1")).equals(w.bytes("out3")), "one thread and three");
  const elf = w.elf("out1");
  const code = elf.need(".text").addr;
  NAMES.forEach((name, k) => {
    const expected: number[][] = [];
    let at = 0;
    objects.forEach((parts, file) => {
      const { bytes, align, offsets } = parts[k]!;
      const padding = (align - (at % align)) % align;
      const filled = new Uint8Array(padding + bytes.length);
      filled.set(bytes, padding);
      const view = new DataView(filled.buffer);
      for (const offset of offsets) view.setBigUint64(padding + offset, BigInt(code) + BigInt(16 * file + offset), true);
      expected.push([...filled]);
      at += filled.length;
    });
    const section = elf.need(name);
    const found = w.bytes("out1").subarray(Number(section.offset), Number(section.offset) + Number(section.size));
    const wanted = Uint8Array.from(expected.flat());
    assert.is(found.length, wanted.length, `size of ${name}`);
    assert.is(found.findIndex((byte, i) => byte !== wanted[i]), -1, `first wrong byte of ${name}`);
  });
});

sizes("thousands of small sections of one object, of three kinds in turn", (w) => {
  const count = 9000;
  const made = new ObjectBuilder();
  const text = made.text([0x90]);
  made.symbol("_start", { in: text, type: STT_FUNC });
  for (let i = 0; i < count; i++) made.reloc(made.section(NAMES[i % 3]!, { data: new Uint8Array(8) }), 0, R_X86_64_64, made.sectionSymbol(text), i);
  w.write({ "a.o": made.bytes() }).sh("$LD a.o -o out");
  const elf = w.elf("out");
  const code = Number(elf.need(".text").addr);
  NAMES.forEach((name, k) => {
    const words = new DataView(Uint8Array.from(elf.content(name)).buffer);
    const wrong = Array.from({ length: count / 3 }, (_, n) => n).findIndex((n) => Number(words.getBigUint64(8 * n, true)) !== code + 3 * n + k);
    assert.is(wrong, -1, `first wrong word of ${name}`);
  });
});

sizes("a relocation outside its section is an error in every size", (w) => {
  for (const size of [16, 3_000_000]) {
    const made = new ObjectBuilder();
    const text = made.text([0x90]);
    made.symbol("_start", { in: text, type: STT_FUNC });
    const section = made.section(".debug_a", { data: new Uint8Array(size) });
    made.reloc(section, size / 2, R_X86_64_64, made.sectionSymbol(text), 0);
    made.reloc(section, size - 4, R_X86_64_64, made.sectionSymbol(text), 0);
    const other = new ObjectBuilder();
    other.section(".debug_a", { data: new Uint8Array(8) });
    w.write({ "a.o": made.bytes(), "b.o": other.bytes() });
    const done = w.try("$LD a.o b.o -o out");
    assert.is(done.status, 1);
    assert.match(done.stderr, /a\.o:\(\.debug_a/);
    assert.not(w.exists("out"));
  }
});

sizes.run();
