/**
 * `npm run demo`: builds, links a small program from the objects beside this script, runs it and shows what was done.
 *
 * Those objects (build/demo/*.o, their assembly beside them) need no compiler. With a C++ compiler it then compiles a program
 * with exceptions, threads and iostreams, lets the compiler call wield as its linker, and runs that too.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { buildAll } from "./bundle.ts";

const OBJECTS = ["start.o", "print.o", "steps.o"].map((name) => `build/demo/${name}`);

const CXX_PROGRAM = `#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

thread_local int mine = 1;

int main() {
  std::map<std::string, int> words;
  for (const char *word : {"an", "ELF", "linker", "in", "TypeScript"}) words[word]++;
  std::vector<int> seen(4);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) threads.emplace_back([&seen, i] { seen[i] = mine += i; });
  for (auto &thread : threads) thread.join();
  try {
    throw std::runtime_error("an exception");
  } catch (const std::exception &error) {
    std::cout << "hello from C++: " << words.size() << " words, " << seen[3] << " in a thread, caught " << error.what() << "\\n";
  }
}
`;

class StepFailed extends Error {}

/** Prints a command, runs it, prints what it prints. */
function step(command: string, args: string[]): void {
  console.log(`\n$ ${[command, ...args].join(" ")}`);
  const done = spawnSync(command, args, { encoding: "utf8" });
  process.stdout.write(done.stdout ?? "");
  process.stderr.write(done.stderr ?? "");
  if (done.status !== 0) throw new StepFailed(`${command} ended with ${done.status ?? done.signal ?? done.error?.message}`);
}

function show(file: string): void {
  const bytes = fs.readFileSync(file);
  const kind = bytes.readUInt16LE(16) === 3 ? "position-independent executable" : "executable";
  console.log(`${path.basename(file)}: ELF ${kind}, ${bytes.length} bytes, entry 0x${bytes.readBigUInt64LE(24).toString(16)}, ${bytes.readUInt16LE(56)} segments`);
}

function compiler(): string | undefined {
  return ["g++", "clang++"].find((name) => spawnSync(name, ["--version"]).status === 0);
}

function cxx(folder: string, name: string): void {
  const source = path.join(folder, "hello.cc");
  const program = path.join(folder, "hello");
  fs.writeFileSync(source, CXX_PROGRAM);
  step(name, ["-O1", "-pthread", "-B", "dist/driver", "-Wl,--gc-sections", source, "-o", program]);
  show(program);
  step(program, []);
}

async function main(): Promise<void> {
  const began = performance.now();
  await buildAll();
  console.log(`built dist/ in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wield-demo-"));
  try {
    const program = path.join(folder, "demo");
    step("dist/driver/ld", ["--time", "--gc-sections", "--print-gc-sections", "-o", program, ...OBJECTS]);
    show(program);
    const runs = process.platform === "linux" && process.arch === "x64";
    if (runs) step(program, []);
    else console.log("The program is for Linux on x86-64, so it is not run here.");
    const found = runs ? compiler() : undefined;
    if (found !== undefined) cxx(folder, found);
    else if (runs) console.log("\nNo C++ compiler here: the C++ part of the demo is left out.");
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

await main().catch((error: Error) => {
  console.error(error instanceof StepFailed ? `demo: ${error.message}` : (error.stack ?? error.message));
  process.exitCode = 1;
});
