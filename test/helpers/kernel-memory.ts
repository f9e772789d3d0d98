/** Bare memory, tables and kernels for tests that write rows by hand: no context, no pool, no files. */
import * as fs from "node:fs";
import { fileURLToPath } from "node:url";
import { CTL_ISSUES } from "../../as-kernels/shared/abi.ts";
import { Arena } from "../../ts/memory/arena.ts";
import { instantiateKernels, type Kernels } from "../../ts/memory/kernels.ts";
import { allocTable, initTables, Params, type Tables } from "../../ts/memory/table.ts";

export interface KernelMemory {
  arena: Arena;
  tables: Tables;
  params: Params;
  kernels: Kernels;
}

export interface Issue {
  code: number;
  obj: number;
  index: number;
  a: bigint;
  b: bigint;
}

const ISSUE_ROWS = 1000;

const modules = new Map<string, WebAssembly.Module>();

/** The kernels, compiled once; `debug` picks the unoptimised ones. They lie beside the program that runs. */
export function kernelsModule(debug = false): WebAssembly.Module {
  const name = debug ? "kernels.debug.wasm" : "kernels.wasm";
  let module = modules.get(name);
  if (module === undefined) {
    module = new WebAssembly.Module(fs.readFileSync(fileURLToPath(new URL(name, import.meta.url))));
    modules.set(name, module);
  }
  return module;
}

/** Kernels over fresh memory. */
export function kernelsOver(memory: WebAssembly.Memory, debug = false): Kernels {
  return instantiateKernels(kernelsModule(debug), memory);
}

/** `pages` of 64 KiB. */
export function kernelMemory(debug: boolean, pages = 256): KernelMemory {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const arena = new Arena(memory);
  const tables = initTables(arena);
  allocTable(arena, tables, "issue", ISSUE_ROWS);
  return { arena, tables, params: new Params(arena), kernels: kernelsOver(memory, debug) };
}

/** What has been reported since the last call. */
export function takeIssues({ arena, tables: { issue } }: KernelMemory): Issue[] {
  const count = arena.u32[CTL_ISSUES >>> 2]!;
  if (count >= ISSUE_ROWS) throw new Error(`${count} issues`);
  arena.u32[CTL_ISSUES >>> 2] = 0;
  return Array.from({ length: count }, (_, k) => {
    const i = k + 1;
    return { code: issue.code[i]!, obj: issue.obj[i]!, index: issue.index[i]!, a: issue.a[i]!, b: issue.b[i]! };
  });
}
