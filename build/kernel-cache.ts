/** dist/kernels.launcher.cache: the kernels with the code of V8's optimising compiler, for the launcher's flags (ts/host/kernel-cache.ts). */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { NATIVES, endOf } from "../ts/host/kernel-cache.ts";

/** What V8 compares includes its flags, so they are as they were when the module is serialized. */
const COMPILE = `
  const { readFileSync, writeFileSync } = require("node:fs"), { setFlagsFromString } = require("node:v8"), [from, to] = process.argv.slice(1);
  for (const flag of ["--no-liftoff", "--no-wasm-lazy-compilation", "--no-wasm-dynamic-tiering"]) setFlagsFromString(flag);
  const module = new WebAssembly.Module(readFileSync(from));
  for (const flag of ["--liftoff", "--wasm-lazy-compilation", "--wasm-dynamic-tiering"]) setFlagsFromString(flag);
  writeFileSync(to, new Uint8Array(%SerializeWasmModule(module)));
`;

/** Does without where V8 cannot: nothing but speed depends on it. */
export function warmKernels(dist: string, flags: readonly string[]): void {
  const [module, cache] = [path.join(dist, "kernels.wasm"), path.join(dist, "kernels.launcher.cache")];
  fs.rmSync(cache, { force: true });
  if (!flags.includes(NATIVES)) return;
  const made = `${cache}.${process.pid}.tmp`;
  try {
    execFileSync(process.execPath, [...flags, "-e", COMPILE, module, made], { stdio: "ignore", env: { ...process.env, NODE_OPTIONS: "" } });
    const bytes = fs.readFileSync(module);
    const node = process.version + process.versions.v8 + process.arch;
    fs.writeFileSync(made, Buffer.concat([bytes, fs.readFileSync(made), Buffer.from(endOf(bytes.length, node))]));
    fs.renameSync(made, cache);
  } catch {
    fs.rmSync(made, { force: true });
  }
}
