/** Archives of objects that define and refer to names, made without a compiler. */
import { R_X86_64_PLT32, STB_WEAK } from "../../as-kernels/shared/elf.ts";
import { ObjectBuilder, type Member } from "./object.ts";
import type { Prng } from "./prng.ts";

export interface Spec {
  defines: string[];
  refers: string[];
  weak?: string[];
  common?: string[];
  /** Bytes of code. */
  bytes?: number;
}

export function object({ defines, refers, weak = [], common = [], bytes = 16 }: Spec): Uint8Array {
  const object = new ObjectBuilder();
  const text = object.text(new Uint8Array(Math.max(bytes, 4 * (refers.length + weak.length))));
  for (const name of defines) object.symbol(name, { in: text });
  for (const name of common) object.common(name, 8, 8);
  [...refers, ...weak].forEach((name, i) => object.reloc(text, 4 * i, R_X86_64_PLT32, object.symbol(name, { bind: i < refers.length ? undefined : STB_WEAK })));
  return object.bytes();
}

export const member = (name: string, spec: Spec): Member => ({ name, data: object(spec), symbols: [...spec.defines, ...(spec.common ?? [])] });

/** An archive whose members define names of its own and refer to names of all. */
export function randomArchive(random: Prng, letter: string, names: string[]): Member[] {
  return Array.from({ length: 1 + random.below(12) }, (_, i) => {
    const pick = (chance: number): string[] => names.filter(() => random.chance(chance));
    const own = names.filter((name) => name.startsWith(letter) && random.chance(0.25));
    const others = (list: string[]): string[] => list.filter((name) => !own.includes(name));
    const weak = others(pick(0.04));
    const spec = { defines: own, refers: others(pick(0.06)).filter((name) => !weak.includes(name)), weak, common: random.chance(0.2) ? [`common${random.below(3)}`] : [], bytes: random.chance(0.2) ? 70_000 : 16 };
    return member(random.chance(0.3) ? `a_member_with_a_long_name_${letter}${i}.o` : `${letter}${i}.o`, spec);
  });
}
