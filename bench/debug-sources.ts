/**
 * Seeded C++ sources of a program whose debug information is like that of a large one: headers that include each other, with classes,
 * templates and inline functions that many units use, over the standard library's containers.
 *
 * Not for compiling them (debug-program.ts). Every unit works on its classes and returns its number, so that the program can say whether
 * it was linked right. The surprising choice: what a unit uses is drawn from common headers, because a linker's work on debug
 * information is mostly the same strings, types and inline functions in object after object.
 */
import { prng, type Prng } from "../test/helpers/prng.ts";

const WORDS = (
  "Abstract Address Alias Allocation Analysis Argument Assembler Attribute Basic Block Branch Builder Cache Call Canonical Chain Class Closure Cluster Code Combine " +
  "Constant Context Control Copy Cost Data Debug Declaration Def Dependence Descriptor Diagnostic Dominator Edge Emitter Entry Evaluation Expression Fixup Flag Flow " +
  "Fragment Frame Function Global Graph Handler Hazard Info Inline Insertion Instruction Interval Iterator Kind Label Layout Legalizer Lexical List Live Load Location " +
  "Loop Lowering Machine Manager Mapping Matcher Memory Metadata Mode Module Name Node Object Operand Operation Option Order Output Parameter Parser Pass Pattern " +
  "Physical Pointer Policy Pool Predicate Pressure Printer Profile Property Queue Range Reference Region Register Relocation Resource Result Rewriter Scope Scheduler " +
  "Section Selection Sequence Set Shape Slot Source Spill Stack State Statement Storage Stream String Style Subtarget Summary Symbol Table Target Template Token Trace " +
  "Transform Tree Type Unit Use User Value Variable Vector Version Virtual Visitor Weight Window Worklist Writer"
).split(" ");

const STANDARD = "algorithm functional map memory optional set string utility vector".split(" ");

interface ClassShape {
  /** With its namespace. */
  name: string;
  header: number;
  methods: string[];
}

interface TemplateShape {
  name: string;
  header: number;
}

/** What has been declared so far. */
interface Project {
  random: Prng;
  names: Set<string>;
  /** By header: headers that it brings along, itself included. */
  reach: Set<number>[];
  classes: ClassShape[];
  templates: TemplateShape[];
}

const lower = (name: string): string => name[0]!.toLowerCase() + name.slice(1);

function fresh({ random, names }: Project, words: number): string {
  for (;;) {
    const name = Array.from({ length: words }, () => random.pick(WORDS)).join("");
    if (names.has(name)) continue;
    names.add(name);
    return name;
  }
}

/** A type for a field, among the classes that can be seen. */
function fieldType({ random }: Project, known: ClassShape[]): string {
  const plain = random.pick(["unsigned", "long", "bool", "const char *", "double", "short", "std::string", "std::vector<unsigned>"]);
  if (known.length === 0 || random.chance(0.5)) return plain;
  const other = random.pick(known).name;
  const more = random.pick(known).name;
  return random.pick([`std::vector<${other}>`, `std::map<std::string, const ${other} *>`, `std::unique_ptr<${other}>`, `std::pair<unsigned, ${other} *>`, `std::set<const ${more} *>`, `${other} *`]);
}

function classText(project: Project, space: string, header: number, known: ClassShape[]): string {
  const { random, classes } = project;
  const name = fresh(project, random.between(2, 4));
  const fields = Array.from({ length: random.between(3, 7) }, (_, i) => `  ${fieldType(project, known)} ${lower(random.pick(WORDS))}${random.pick(WORDS)}${i} = {};`);
  const names = Array.from({ length: random.between(3, 7) }, (_, i) => `${random.pick(["get", "set", "find", "compute", "visit", "add"])}${random.pick(WORDS)}${random.pick(WORDS)}${i}`);
  const methods = names.map((method) => {
    const [a, b] = [lower(random.pick(WORDS)) + "Index", lower(random.pick(WORDS)) + "Count"];
    return `  unsigned ${method}(unsigned ${a}, unsigned ${b} = ${random.below(90)}) const {
    unsigned total = weight;
    for (unsigned i = ${a} & 3; i < 4 + (${b} & 1); ++i) {
      const unsigned next = total * ${random.between(3, 99)} + i;
      total ^= next >> ${random.between(1, 9)};
    }
    return total;
  }`;
  });
  classes.push({ name: `${space}::${name}`, header, methods: names });
  const kinds = Array.from({ length: random.between(3, 8) }, (_, i) => `${random.pick(WORDS)}${random.pick(WORDS)}${i}`);
  return `class ${name} {
public:
  enum Kind { ${kinds.join(", ")} };
  explicit ${name}(unsigned weight = ${random.below(1000)}) : weight(weight) {}
  virtual ~${name}() = default;
  virtual Kind kind() const { return ${kinds[0]}; }
${methods.join("\n")}
  unsigned weight;
private:
${fields.join("\n").replaceAll("std::unique_ptr", "std::shared_ptr")}
};
`;
}

function templateText(project: Project, space: string, header: number): string {
  const { random, templates } = project;
  const name = `${fresh(project, 2)}${random.pick(["Map", "List", "Set", "Cache"])}`;
  templates.push({ name: `${space}::${name}`, header });
  const [index, order] = [`${lower(random.pick(WORDS))}Index`, `${lower(random.pick(WORDS))}Order`];
  return `template <class Value, class Key = unsigned> class ${name} {
  struct Slot { Key key; Value value; Slot *next; };
  Slot *${index}[16] = {};
  std::vector<Slot *> ${order};
  static unsigned hash(unsigned long key) { return (key * 2654435761u >> 7) & 15; }
  static unsigned hash(const std::string &key) { return key.empty() ? 0 : key.back() & 15; }
public:
  using value_type = Value;
  ~${name}() { for (Slot *slot : ${order}) delete slot; }
  void insert(const Key &key, const Value &value) {
    Slot *&head = ${index}[hash(key)];
    head = new Slot{key, value, head};
    ${order}.push_back(head);
  }
  const Value *find(const Key &key) const {
    for (Slot *slot = ${index}[hash(key)]; slot; slot = slot->next)
      if (slot->key == key) return &slot->value;
    return nullptr;
  }
  template <class Visitor> unsigned visit(Visitor visitor) const {
    unsigned total = ${random.below(50)};
    for (const Slot *slot : ${order}) total += visitor(slot->key, slot->value);
    return total;
  }
  void order() {
    for (size_t i = 1; i < ${order}.size(); ++i)
      for (size_t k = i; k > 0 && ${order}[k]->key < ${order}[k - 1]->key; --k) std::swap(${order}[k], ${order}[k - 1]);
  }
  unsigned size() const { return static_cast<unsigned>(${order}.size()); }
};
`;
}

function headerText(project: Project, header: number): string {
  const { random, reach, classes } = project;
  const includes = new Set(Array.from({ length: Math.min(header, 3) }, () => random.below(header)));
  const seen = new Set([header, ...[...includes].flatMap((other) => [...reach[other]!])]);
  reach.push(seen);
  const space = `${lower(fresh(project, 1))}s`;
  const body = Array.from({ length: 5 }, () => classText(project, space, header, classes.filter((known) => seen.has(known.header))));
  body.push(templateText(project, space, header), templateText(project, space, header));
  const lines = ["#pragma once", ...STANDARD.map((name) => `#include <${name}>`), ...[...includes].map((other) => `#include "h${other}.h"`)];
  return [...lines, `namespace ${space} {`, ...body, "}", ""].join("\n");
}

/** Statements on numbers and classes: what most code of a program without optimisation is. */
function plainWork({ random }: Project, classes: ClassShape[]): string[] {
  return Array.from({ length: 12 }, (_, i) => {
    const shape = random.pick(classes);
    const name = `${lower(random.pick(WORDS))}${random.pick(WORDS)}${i}`;
    return `  { ${shape.name} ${name}(total + ${i}); const long ${name}Sum = ${name}.${random.pick(shape.methods)}(seed, total & 7) + ${name}.kind(); if (${name}Sum & 4) total += static_cast<unsigned>(${name}Sum >> 2); }`;
  });
}

function functionText(project: Project, classes: ClassShape[], templates: TemplateShape[], n: number): string {
  const { random } = project;
  const lines: string[] = [];
  const local = `${fresh(project, 3)}`;
  lines.push(`struct ${local} { unsigned key; std::string name; std::vector<std::pair<int, long>> parts; bool operator<(const ${local} &other) const { return key < other.key; } };`);
  lines.push(`static unsigned work${n}(unsigned seed) {`, `  unsigned total = seed;`);
  for (let k = 0; k < 2; k++) {
    const shape = random.pick(templates);
    const value = random.pick(classes);
    const table = `table${k}`;
    const key = random.pick(["unsigned", "std::string", "long"]);
    const text = (i: string): string => (key === "std::string" ? `std::string("${lower(random.pick(WORDS))} ${random.pick(WORDS)} ") + std::to_string(${i})` : i);
    lines.push(
      `  ${shape.name}<${value.name}, ${key}> ${table};`,
      `  for (unsigned i = 0; i < 5; ++i) ${table}.insert(${text("i")}, ${value.name}(seed + i));`,
      `  total += ${table}.visit([&](const ${key} &, const ${value.name} &item) { return item.${random.pick(value.methods)}(seed); });`,
      `  ${table}.order();`,
      `  if (const auto *found = ${table}.find(${text("3")})) total ^= found->${random.pick(value.methods)}(total);`,
    );
  }
  const other = random.pick(classes);
  lines.push(
    `  std::set<${local}> sorted;`,
    `  for (unsigned i = 0; i < 4; ++i) sorted.insert(${local}{i * seed % 7, "${random.pick(WORDS)} of ${random.pick(WORDS)} ${n}", {}});`,
    `  std::vector<${random.pick(classes).name}> copies;`,
    `  for (const ${local} &item : sorted) copies.emplace_back(total + item.key);`,
    ...plainWork(project, classes),
    `  std::function<unsigned(unsigned)> step = [&](unsigned value) { return value + static_cast<unsigned>(sorted.size()) + ${other.name}(value).${random.pick(other.methods)}(seed); };`,
    `  auto owned = std::make_unique<${random.pick(classes).name}>(step(total));`,
    `  return total + owned->weight + static_cast<unsigned>(copies.size());`,
    `}`,
  );
  return lines.join("\n");
}

function unitText(project: Project, unit: number, functions: number): string {
  const { random, reach, classes, templates } = project;
  const includes = new Set(Array.from({ length: 4 }, () => random.below(reach.length)));
  const seen = new Set([...includes].flatMap((header) => [...reach[header]!]));
  const known = classes.filter(({ header }) => seen.has(header));
  const shapes = templates.filter(({ header }) => seen.has(header));
  const bodies = Array.from({ length: functions }, (_, n) => functionText(project, known, shapes, n));
  return [
    ...[...includes].map((header) => `#include "h${header}.h"`),
    `extern volatile unsigned sink;`,
    `namespace {`,
    ...bodies,
    `}`,
    `unsigned unit${unit}(unsigned seed) {`,
    ...bodies.map((_, n) => `  sink = sink + work${n}(seed + ${n});`),
    `  return ${unit};`,
    `}`,
    ``,
  ].join("\n");
}

function mainText(units: number): string {
  const all = Array.from({ length: units }, (_, unit) => unit);
  return [
    `#include <cstdio>`,
    `volatile unsigned sink;`,
    ...all.map((unit) => `unsigned unit${unit}(unsigned);`),
    `int main() {`,
    `  unsigned wrong = 0;`,
    ...all.map((unit) => `  wrong += unit${unit}(${unit % 11}) != ${unit};`),
    `  std::printf("%u wrong\\n", wrong);`,
    `  return wrong != 0;`,
    `}`,
    ``,
  ].join("\n");
}

/** File names and contents: `headers` headers, `units` units of `functions` functions each, and main.cpp. */
export function debugSources(seed: number, headers: number, units: number, functions: number): Map<string, string> {
  const project: Project = { random: prng(seed), names: new Set(), reach: [], classes: [], templates: [] };
  const files = new Map<string, string>();
  for (let header = 0; header < headers; header++) files.set(`h${header}.h`, headerText(project, header));
  for (let unit = 0; unit < units; unit++) files.set(`u${unit}.cpp`, unitText(project, unit, functions));
  return files.set("main.cpp", mainText(units));
}
