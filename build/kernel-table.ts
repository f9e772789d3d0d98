/**
 * Puts the kernels where an instance costs little: in a table, the module's only export, instead of 300 exports. For each export V8 makes a function,
 * its name and a property when a module is instantiated, 1.3 ms of a link of 40 ms that calls 60 kernels; the functions of a table are made when they are asked for.
 *
 * Works on the sections of the binary (WebAssembly core specification, chapter 5.5), which the compiler has written.
 */
import { SECTION_CODE, SECTION_ELEMENT, SECTION_EXPORT, SECTION_TABLE, wasmSections, type WasmSection } from "./wasm-sections.ts";

/** The export's name (ts/memory/kernels.ts). */
const TABLE = "kernels";

const KIND_FUNCTION = 0;
const KIND_TABLE = 1;
const TYPE_FUNCREF = 0x70;
const LIMITS_MIN_MAX = 1;
const I32_CONST = 0x41;
const END = 0x0b;

function leb128(value: number): number[] {
  const bytes = [];
  for (; value >= 0x80; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}

const named = (text: string): number[] => [...leb128(text.length), ...Buffer.from(text)];

const section = (id: number, contents: number[]): Uint8Array => Uint8Array.from([id, ...leb128(contents.length), ...contents]);

/** Exported functions by name: their indices. Nothing else is exported. */
function exportedFunctions(bytes: Uint8Array): Map<string, number> {
  const functions = new Map<string, number>();
  let at = 0;
  const number = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  for (let left = number(); left > 0; left--) {
    const length = number();
    const name = Buffer.from(bytes.subarray(at, at + length)).toString();
    at += length;
    if (bytes[at++] !== KIND_FUNCTION) throw new Error(`${name} is exported, but no function`);
    functions.set(name, number());
  }
  return functions;
}

/** The module with its exports in a table, in the order of `names`, which are all of them. */
export function tabulateKernels(bytes: Uint8Array, names: readonly string[]): Uint8Array {
  const sections = wasmSections(bytes);
  const exported = sections.find(({ id }) => id === SECTION_EXPORT)!;
  const functions = exportedFunctions(bytes.subarray(exported.from, exported.to));
  const missing = [...names.filter((name) => !functions.has(name)), ...[...functions.keys()].filter((name) => !names.includes(name))];
  if (missing.length > 0) throw new Error(`exported but no kernel, or the other way round: ${missing.join(", ")}`);
  // Without optimisation the compiler writes a table for calls by reference, and that there are none.
  const isTable = ({ id }: WasmSection): boolean => id === SECTION_TABLE || id === SECTION_ELEMENT;
  if (sections.some(({ id, to }) => id === SECTION_ELEMENT && bytes[to - 1] !== 0)) throw new Error("a kernel calls by reference, and the table is taken");
  const count = leb128(names.length);
  const made = [
    section(SECTION_TABLE, [1, TYPE_FUNCREF, LIMITS_MIN_MAX, ...count, ...count]),
    section(SECTION_EXPORT, [1, ...named(TABLE), KIND_TABLE, 0]),
    section(SECTION_ELEMENT, [1, 0, I32_CONST, 0, END, ...count, ...names.flatMap((name) => leb128(functions.get(name)!))]),
  ] as const;
  // Tables come behind functions and in front of memories; the elements in front of the code.
  const parts: Uint8Array[] = [bytes.subarray(0, 8)];
  let table: Uint8Array | undefined = made[0];
  for (const { id, start, to } of sections.filter((each) => !isTable(each))) {
    if (table !== undefined && id > SECTION_TABLE) {
      parts.push(table);
      table = undefined;
    }
    if (id === SECTION_CODE) parts.push(made[2]);
    parts.push(id === SECTION_EXPORT ? made[1] : bytes.subarray(start, to));
  }
  return Buffer.concat(parts);
}
