/** What the cases of the API have in common: what they are given, what they expect, the objects that they link. */
import type * as Wield from "../../ts/api/types.ts";
import { ObjectBuilder } from "../helpers/object.ts";

/** What `import … from "wield"` gives, in all runtimes. */
export interface Api {
  link(options: Wield.LinkOptions): Promise<Wield.LinkResult>;
  parseArgs(argv: readonly string[]): Wield.LinkOptions;
  memoryFS(files: Readonly<Record<string, Wield.ByteSource>> | ReadonlyMap<string, Wield.ByteSource>): Wield.LinkFileSystem;
  layerFS(...layers: readonly Wield.LinkFileSystem[]): Wield.LinkFileSystem;
  createContext(options: Wield.LinkOptions): Promise<Wield.LinkContext>;
  createEngine(options?: Wield.EngineOptions): Wield.Engine;
  LinkError: new (...args: never[]) => Error & { code: Wield.LinkErrorCode; diagnostics: readonly Wield.Diagnostic[] };
}

/** Files by name: start.o, print.o, steps.o; hello.o, crt1.o, crti.o, crtn.o, libc.a of musl. */
export type Fixtures = Record<string, Uint8Array>;

export type Outputs = Record<string, Uint8Array>;
export type Case = (api: Api, fixtures: Fixtures) => Promise<Outputs | void>;

export function fail(message: string): never {
  throw new Error(message);
}

export function ok(value: unknown, what: string): asserts value {
  if (!value) fail(what);
}

const shown = (value: unknown): string => JSON.stringify(value, (_, v: unknown) => (typeof v === "bigint" ? `${v}n` : v)) ?? String(value);

export function is(value: unknown, expected: unknown, what: string): void {
  if (shown(value) !== shown(expected)) fail(`${what}: expected ${shown(expected)}, got ${shown(value)}`);
}

export function same(a: Uint8Array, b: Uint8Array, what: string): void {
  is(a.length, b.length, `${what}: length`);
  const at = a.findIndex((byte, i) => byte !== b[i]);
  if (at >= 0) fail(`${what}: byte ${at} differs`);
}

export async function rejects(promise: Promise<unknown>, api: Api, code: string): Promise<{ diagnostics: readonly Wield.Diagnostic[]; message: string }> {
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof api.LinkError)) throw error;
    is(error.code, code, "code of the LinkError");
    return error;
  }
  return fail(`did not reject with ${code}`);
}

export const CODE = 6; // SHF_ALLOC | SHF_EXECINSTR
export const R_X86_64_PC32 = 2;
export const R_X86_64_PLT32 = 4;

/** An object that defines `name` (a nop and a return), and calls `callee`. */
export function functionObject(name: string, callee = ""): Uint8Array {
  const object = new ObjectBuilder();
  const text = object.section(`.text.${name}`, { flags: CODE, data: callee === "" ? [0x90, 0xc3] : [0xe8, 0, 0, 0, 0, 0xc3], align: 16 });
  object.symbol(name, { in: text, type: 2, size: text.data.length });
  if (callee !== "") object.reloc(text, 1, R_X86_64_PLT32, object.symbol(callee), -4);
  return object.bytes();
}

export const DEMO = ["start.o", "print.o", "steps.o"] as const;
export const demo = (fixtures: Fixtures): Wield.VirtualFile[] => DEMO.map((name) => ({ name, data: fixtures[name]! }));
