/**
 * Kernels beside their plain-TypeScript twins, nanoseconds per row.
 *
 * The twins are the tests' oracles: written to be right at a glance, with Map, string and BigInt. What the figures say is how
 * far the kernel's cost per row is from what straightforward code pays, and whether it moved since the last run.
 */
import * as fs from "node:fs";
import { R_X86_64_64, R_X86_64_PC32 } from "../as-kernels/shared/elf.ts";
import { SYM_DEFINED } from "../as-kernels/shared/abi.ts";
import { allocTable } from "../ts/memory/table.ts";
import { splitPieces } from "../ts/passes/split-pieces.ts";
import { internRecords } from "../test/helpers/intern-records.ts";
import { kernelMemory } from "../test/helpers/kernel-memory.ts";
import { pieceWorld, strings } from "../test/helpers/piece-world.ts";
import { prng } from "../test/helpers/prng.ts";
import { DATA, relocWorld, TEXT, type RelocWorldSpec } from "../test/helpers/reloc-world.ts";
import { hashTwin } from "../test/helpers/twin/hash.ts";
import { internTwin } from "../test/helpers/twin/intern-names.ts";
import { relocateTwin } from "../test/helpers/twin/relocate.ts";
import { splitStringsTwin } from "../test/helpers/twin/split-pieces.ts";
import { median } from "./measure.ts";

export interface KernelResult {
  kernel: string;
  /** Nanoseconds per row. */
  wasm: number;
  twin: number;
  rows: number;
}

interface Contest {
  kernel: string;
  rows: number;
  wasm: () => unknown;
  twin: () => unknown;
}

const NAMES = 100_000;
const SEED = 2026;

function names(): string[] {
  const random = prng(SEED);
  const stems = ["_ZN4llvm", "_ZNSt3__1", "_ZTV", "git_", "lua_", ""];
  return Array.from({ length: NAMES }, (_, i) => `${random.pick(stems)}${random.below(NAMES).toString(36)}_${"x".repeat(random.below(30))}${i & 0x3fff}`);
}

function hashing(): Contest {
  const { arena, tables, kernels } = kernelMemory(false, 512);
  allocTable(arena, tables, "record", 3);
  const list = names();
  const places = list.map((name) => arena.put(name));
  return {
    kernel: "hashName", rows: NAMES,
    wasm: () => list.forEach((name, i) => kernels.hashName(places[i]!, name.length)),
    twin: () => list.forEach((name) => hashTwin(name)),
  };
}

function interning(): Contest {
  const memory = kernelMemory(false, 1024);
  const random = prng(SEED);
  const pool = Array.from({ length: NAMES / 3 }, () => [random.u64(), random.u64()] as const);
  const records = Array.from({ length: NAMES }, () => {
    const [h0, h1] = random.pick(pool);
    return { h0, h1, unused: false, flags: 0 };
  });
  return {
    kernel: "histogramNames … bindNames", rows: NAMES,
    wasm: () => {
      const mark = memory.arena.mark();
      internRecords(memory, records, 8192, 0);
      memory.arena.release(mark);
    },
    twin: () => internTwin(records),
  };
}

function splitting(): Contest {
  const random = prng(SEED);
  const text = Array.from({ length: NAMES }, () => "s".repeat(random.below(40)) + "\0").join("");
  const section = strings(text);
  const world = pieceWorld({ objects: [[section]] });
  return {
    kernel: "splitRun", rows: NAMES,
    wasm: async () => {
      const { arena, tables } = world.ctx;
      const mark = arena.mark();
      await splitPieces(world.ctx);
      if (tables.piece.rows <= NAMES) throw new Error("the strings were not cut");
      arena.release(mark);
      // What was kept is gone with the mark.
      tables.isec.kept.fill(0);
    },
    twin: () => splitStringsTwin(section.data, 1),
  };
}

function relocating(): Contest {
  const random = prng(SEED);
  const bytes = 1 << 16;
  const relocs = (types: number[]) =>
    Array.from({ length: bytes / 8 - 1 }, (_, i) => ({ offset: 8 * i, type: random.pick(types), sym: random.below(64), addend: BigInt(random.below(100)) }));
  const spec: RelocWorldSpec = {
    output: "exec",
    symbols: Array.from({ length: 64 }, (_, i) => ({ flags: SYM_DEFINED, section: i & 1, value: BigInt(8 * i), size: 8 })),
    sections: [
      { bytes: new Uint8Array(bytes), flags: TEXT, live: true, relocs: relocs([R_X86_64_PC32]) },
      { bytes: new Uint8Array(bytes), flags: DATA, live: true, relocs: relocs([R_X86_64_64, R_X86_64_PC32]) },
    ],
  };
  const world = relocWorld(spec);
  world.link();
  const { arena, kernels } = world.ctx;
  const window = arena.alloc(bytes + 64) + 16;
  return {
    kernel: "relocate", rows: 2 * (bytes / 8 - 1),
    wasm: () => [1, 2].forEach((row) => kernels.relocate(row, row + 1, window, 0)),
    twin: () => relocateTwin(spec),
  };
}

async function time(run: () => unknown): Promise<number> {
  const start = process.hrtime.bigint();
  await run();
  return Number(process.hrtime.bigint() - start);
}

export async function kernelBench(rounds: number): Promise<KernelResult[]> {
  console.log("\nkernels, nanoseconds per row");
  // The tests' helpers look for them beside the program that runs.
  fs.copyFileSync("dist/kernels.wasm", "dist/build/kernels.wasm");
  const results: KernelResult[] = [];
  for (const make of [hashing, interning, splitting, relocating]) {
    const { kernel, rows, wasm, twin } = make();
    const samples = { wasm: [] as number[], twin: [] as number[] };
    for (let round = -2; round < rounds; round++) {
      const taken = { wasm: await time(wasm), twin: await time(twin) };
      if (round >= 0) for (const key of ["wasm", "twin"] as const) samples[key].push(taken[key] / rows);
    }
    const result = { kernel, rows, wasm: median(samples.wasm), twin: median(samples.twin) };
    console.log(`  ${kernel.padEnd(28)}${result.wasm.toFixed(1).padStart(9)}   twin ${result.twin.toFixed(1).padStart(9)}   ${(result.twin / result.wasm).toFixed(1)}x`);
    results.push(result);
  }
  return results;
}
