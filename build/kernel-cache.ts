/**
 * The kernels with the code of V8's optimising compiler, for the launcher's flags (ts/host/kernel-cache.ts): dist/kernels.launcher.cache has that of
 * all kernels, dist/kernels.quick.cache that of those which small links call, a third to read and to place.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { NATIVES, headOf } from "../ts/host/kernel-cache.ts";

/** What V8 compares includes its flags, so they are as they were when the module is serialized. */
const COMPILE = `
  const { readFileSync, writeFileSync } = require("node:fs"), { setFlagsFromString } = require("node:v8"), [from, to] = process.argv.slice(1);
  for (const flag of ["--no-liftoff", "--no-wasm-lazy-compilation", "--no-wasm-dynamic-tiering"]) setFlagsFromString(flag);
  const module = new WebAssembly.Module(readFileSync(from));
  for (const flag of ["--liftoff", "--wasm-lazy-compilation", "--wasm-dynamic-tiering"]) setFlagsFromString(flag);
  writeFileSync(to, new Uint8Array(%SerializeWasmModule(module)));
`;

/** `recorder`: the arguments of a Node that runs recordKernels (record-kernels.ts) and writes to the file that comes next. Does without where V8 cannot: nothing but speed depends on it. */
export function warmKernels(dist: string, flags: readonly string[], recorder: readonly string[]): void {
  const module = path.join(dist, "kernels.wasm");
  const caches = ["quick", "launcher"].map((name) => path.join(dist, `kernels.${name}.cache`)) as [string, string];
  for (const cache of caches) fs.rmSync(cache, { force: true });
  if (!flags.includes(NATIVES)) return;
  const made = `${caches[0]}.${process.pid}.tmp`;
  const make = (cache: string, ...args: string[]): void => {
    execFileSync(process.execPath, [...flags, ...args, made], { stdio: "ignore", env: { ...process.env, NODE_OPTIONS: "" } });
    const [bytes, code] = [fs.readFileSync(module), fs.readFileSync(made)];
    const head = headOf(bytes.length, code.length, process.version + process.versions.v8 + process.arch);
    fs.writeFileSync(made, Buffer.concat([Buffer.from(head), bytes, code]));
    fs.renameSync(made, cache);
  };
  try {
    make(caches[1], "-e", COMPILE, module);
    make(caches[0], ...recorder);
  } catch {
    fs.rmSync(made, { force: true });
  }
}
