/**
 * The two static programs of `npm run bench -- rival`: hello in C with musl, and C++ of several units with glibc and libstdc++.
 *
 * Not the workloads of the other parts: here every input is a virtual file by its plain name, as in a page. Each has an object
 * in two variants, so that a relink has something to do, and knows what the program says with either.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

export interface Program {
  name: string;
  /** For a folder of its files: the libc.a of one is not that of the other. */
  folder: string;
  /** The linker's words, -o not among them. */
  args: string[];
  /** Contents by the names in `args`; the two variants of `changed` besides. */
  files: Record<string, Uint8Array>;
  changed: string;
  variants: [string, string];
  /** What the program prints, by variant. */
  expected: [string, string];
}

const MUSL = "/usr/lib/x86_64-linux-musl";
const UNITS = 8;

function must(dir: string, command: string, words: string[]): string {
  const done = spawnSync(command, words, { cwd: dir, encoding: "latin1" });
  if (done.status !== 0) throw new Error(`${command} ${words.join(" ")}: ${done.stderr ?? done.error}`);
  return done.stdout;
}

/** A page has read access to nothing: names without folders. */
function named(files: string[]): Record<string, Uint8Array> {
  return Object.fromEntries(files.map((file) => [path.basename(file), new Uint8Array(fs.readFileSync(file))]));
}

function hello(dir: string): Program {
  fs.writeFileSync(path.join(dir, "hello.c"), '#include <stdio.h>\nint main(int argc, char **argv) { printf("hello from %s, %d\\n", WHO, argc); return 0; }\n');
  for (const who of ["a", "b"]) must(dir, "gcc", ["-O1", "-fno-pie", "-fno-stack-protector", "-nostdinc", "-isystem", "/usr/include/x86_64-linux-musl", `-DWHO="${who}"`, "-c", "hello.c", "-o", `hello-${who}.o`]);
  const system = ["crt1.o", "crti.o", "crtn.o", "libc.a"].map((name) => path.join(MUSL, name));
  return {
    name: "hello in C, musl", folder: "hello", args: ["-static", "crt1.o", "crti.o", "hello.o", "libc.a", "crtn.o"], changed: "hello.o", variants: ["hello-a.o", "hello-b.o"],
    files: named([...system, path.join(dir, "hello-a.o"), path.join(dir, "hello-b.o")]), expected: ["hello from a, 1\n", "hello from b, 1\n"],
  };
}

/** A unit that uses what ordinary programs do: containers, streams, regular expressions, exceptions, virtual functions. */
const unit = (i: number): string => `#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>
#ifndef STEP
#define STEP 1
#endif
namespace unit${i} {
struct Item { int key; std::string name; virtual ~Item() = default; virtual int weight() const { return key + ${i}; } };
struct Heavy : Item { int weight() const override { return key * 2 + STEP; } };
std::vector<std::unique_ptr<Item>> items(const std::string &text) {
  std::vector<std::unique_ptr<Item>> all;
  std::regex word("([a-z]+)([0-9]*)");
  for (std::sregex_iterator at(text.begin(), text.end(), word), end; at != end; ++at) {
    std::unique_ptr<Item> item(at->length(2) ? static_cast<Item *>(new Heavy) : new Item);
    item->name = (*at)[1];
    item->key = at->length(2) ? std::stoi((*at)[2]) : ${i};
    all.push_back(std::move(item));
  }
  std::sort(all.begin(), all.end(), [](const auto &a, const auto &b) { return a->name < b->name; });
  return all;
}
}
std::string run${i}() {
  std::map<std::string, int> sums;
  std::unordered_map<int, std::string> names;
  for (const auto &item : unit${i}::items("apple12 pear cherry3 apple7 plum${i} pear9")) { sums[item->name] += item->weight(); names[item->weight()] = item->name; }
  std::ostringstream out;
  out << "unit ${i}:";
  for (const auto &[name, sum] : sums) out << ' ' << name << '=' << sum;
  try { names.at(-1); } catch (const std::out_of_range &) { out << ", " << names.size() << " names"; }
  return out.str();
}
`;

/** Archives that a linker script in the place of an archive (glibc's libm.a) stands for. */
function archives(file: string): string[] {
  const contents = fs.readFileSync(file);
  return contents.subarray(0, 7).equals(Buffer.from("!<arch>")) ? [file] : contents.toString("latin1").match(/\/\S+\.a\b/g)!;
}

function cxx(dir: string): Program {
  const find = (name: string): string => must(dir, "g++", [`-print-file-name=${name}`]).trim();
  const objects = Array.from({ length: UNITS }, (_, i) => `unit${i}.o`);
  const compile = (source: string, object: string, ...words: string[]): unknown => must(dir, "g++", ["-std=c++17", "-O1", "-fno-pie", ...words, "-c", source, "-o", object]);
  objects.forEach((object, i) => {
    fs.writeFileSync(path.join(dir, `unit${i}.cc`), unit(i));
    compile(`unit${i}.cc`, object);
  });
  compile("unit0.cc", "unit0-b.o", "-DSTEP=5");
  const declared = objects.map((_, i) => `std::string run${i}();`).join("\n");
  fs.writeFileSync(path.join(dir, "main.cc"), `#include <iostream>\n${declared}\nint main() {\n${objects.map((_, i) => `  std::cout << run${i}() << "\\n";`).join("\n")}\n}\n`);
  compile("main.cc", "main.o");
  const expected = ["unit0.o", "unit0-b.o"].map((first) => {
    must(dir, "g++", ["-static", "-no-pie", "main.o", first, ...objects.slice(1), "-o", "expected"]);
    return must(dir, "./expected", []);
  }) as [string, string];
  fs.renameSync(path.join(dir, "unit0.o"), path.join(dir, "unit0-a.o"));
  const [begin, libs, group, end] = [["crt1.o", "crti.o", "crtbeginT.o"], ["libstdc++.a", "libm.a"], ["libgcc.a", "libgcc_eh.a", "libc.a"], ["crtend.o", "crtn.o"]].map((names) => names.map(find).flatMap((file) => (file.endsWith(".a") ? archives(file) : [file])));
  const base = (files: string[]): string[] => files.map((file) => path.basename(file));
  return {
    name: `C++, ${UNITS + 1} units, glibc`, folder: "cxx", changed: "unit0.o", variants: ["unit0-a.o", "unit0-b.o"], expected,
    args: ["-static", "--eh-frame-hdr", ...base(begin!), "main.o", ...objects, ...base(libs!), "--start-group", ...base(group!), "--end-group", ...base(end!)],
    files: named([...begin!, ...libs!, ...group!, ...end!, ...["main.o", "unit0-a.o", "unit0-b.o", ...objects.slice(1)].map((name) => path.join(dir, name))]),
  };
}

export const programs = (dir: string): Program[] => [hello(dir), cxx(dir)];
