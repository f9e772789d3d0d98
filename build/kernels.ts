/**
 * kernels.wasm and kernels.debug.wasm in dist/, compiled by asc, side by side as processes. They are left alone when they were made from
 * exactly these sources, because that takes half of a build.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { kernelNames } from "./gen-kernels.ts";
import { tabulateKernels } from "./kernel-table.ts";
import { put } from "./put.ts";
import { checkKernels } from "./wasm-check.ts";

type Compile = (dist: string, target: "release" | "debug", name: string) => Promise<void>;

/** Compiles the kernels with one of asconfig.json's targets. */
const compileKernels: Compile = async (dist, target, name) => {
  const temporary = path.join(dist, `${name}.${process.pid}.tmp.wasm`);
  const asc = path.resolve("node_modules/assemblyscript/bin/asc.js");
  await new Promise<void>((done, failed) => {
    const args = [asc, "as-kernels/index.ts", "--config", "asconfig.json", "--target", target, "--outFile", temporary];
    execFile(process.execPath, args, { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error === null && fs.existsSync(temporary)) done();
      else failed(new Error(`asc --target ${target} failed\n${stdout}${stderr}`));
    });
  });
  const compiled = fs.readFileSync(temporary);
  checkKernels(compiled, name);
  put(path.join(dist, name), tabulateKernels(compiled, kernelNames()));
  fs.rmSync(temporary);
};

/** Digest of everything that the kernels are compiled from. */
function kernelInputs(): string {
  const files = fs.readdirSync("as-kernels", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts")).sort();
  const hash = createHash("sha256");
  for (const file of [...files.map((name) => path.join("as-kernels", name)), "asconfig.json", "node_modules/assemblyscript/package.json", "build/kernel-table.ts"]) {
    hash.update(`${file}\0`).update(fs.readFileSync(file)).update("\0");
  }
  return hash.digest("hex");
}

/** Both kernel modules. Machine code of other kernels (kernel-cache.ts) goes before they come: the program would run it, which knows no better. */
export async function refreshKernels(dist: string, compile = compileKernels): Promise<void> {
  const stamp = path.join(dist, "kernels.stamp");
  const inputs = kernelInputs();
  const made = ["kernels.wasm", "kernels.debug.wasm", "kernels.stamp"].every((name) => fs.existsSync(path.join(dist, name)));
  if (made && fs.readFileSync(stamp, "utf8") === inputs) return;
  for (const file of fs.readdirSync(dist)) if (/^kernels\.(stamp|.*\.cache)$/.test(file)) fs.rmSync(path.join(dist, file), { force: true });
  await Promise.all([compile(dist, "release", "kernels.wasm"), compile(dist, "debug", "kernels.debug.wasm")]);
  put(stamp, inputs);
}
