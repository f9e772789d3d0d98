/** DWARF lookups in objects that gcc and clang make, and in damaged copies of them. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import * as zlib from "node:zlib";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ObjectSections, type ObjectSource } from "../../ts/diagnostics/object-sections.ts";
import { SourceLines } from "../../ts/diagnostics/source-line.ts";
import { sourceLineText } from "../../ts/diagnostics/place.ts";
import { prng } from "../helpers/prng.ts";
import { need } from "../helpers/skip.ts";
import { temporaryFolder, tool } from "../helpers/tools.ts";

const SOURCE = `int wanted(int);
int table[4] = { 1 };

int first(int x)
{
  return wanted(x);
}

__attribute__((section(".text.other"))) int second(int x)
{
  if (x) return 3;
  return wanted(x + 1);
}
`;

function sourceOf(bytes: Uint8Array): ObjectSource {
  return {
    bytes: bytes.length,
    read: (position, count) => (position >= 0 && position + count <= bytes.length ? bytes.slice(position, position + count) : null),
    inflate: (_kind, packed, size) => {
      const out = zlib.inflateSync(packed, { maxOutputLength: Math.max(1, size) });
      if (out.length !== size) throw new Error("size");
      return out;
    },
  };
}

function compile(compiler: string, flags: string[]): { object: Uint8Array; folder: string } {
  const folder = fs.realpathSync(temporaryFolder("dwarf"));
  fs.mkdirSync(path.join(folder, "src"));
  fs.writeFileSync(path.join(folder, "src/m.c"), SOURCE);
  execFileSync(tool(compiler), ["-c", "-O0", ...flags, "src/m.c", "-o", "m.o"], { cwd: folder });
  return { object: new Uint8Array(fs.readFileSync(path.join(folder, "m.o"))), folder };
}

for (const compiler of ["gcc", "clang"]) {
  for (const flags of [["-gdwarf-5"], ["-gdwarf-4"], ["-gdwarf-3"], ["-gdwarf-2"], ["-g", "-gz"], ["-g", "-ffunction-sections"]]) {
    const missing = need(compiler);
    const name = `${compiler} ${flags.join(" ")}: lines of functions in two sections, and of a variable`;
    if (missing !== "") {
      test.skip(`${name} (${missing})`, () => {});
      continue;
    }
    test(name, () => {
      const { object, folder } = compile(compiler, flags);
      const sections = ObjectSections.open(sourceOf(object))!;
      const lines = new SourceLines(sourceOf(object));
      const file = path.join(folder, "src/m.c");
      const text = sections.find(flags.includes("-ffunction-sections") ? ".text.first" : ".text");
      assert.equal(lines.line(text, 0), { path: file, line: 5 });
      assert.equal(lines.line(text, 10)?.path, file);
      const other = sections.find(".text.other");
      assert.equal(lines.line(other, 0), { path: file, line: 10 });
      assert.is(lines.line(other, 100000), null);
      assert.is(lines.line(0, 0), null);
      assert.equal(lines.variable("table"), { path: file, line: 2 });
      assert.is(lines.variable("absent"), null);
      assert.is(sourceLineText(lines.line(text, 0)!), `m.c:5 (${file}:5)`);
    });
  }
}

const missing = need("gcc");
(missing === "" ? test : test.skip)(`damaged debug sections give no line, and never throw${missing && ` (${missing})`}`, () => {
  const { object } = compile("gcc", ["-g"]);
  const random = prng(7);
  for (let round = 0; round < 1500; round++) {
    const bytes = object.slice(0, round % 10 === 0 ? 1 + (random.below(object.length)) : object.length);
    for (let i = 0; i < 1 + (round % 8); i++) bytes[random.below(bytes.length)] = random.below(256);
    const lines = new SourceLines(sourceOf(bytes));
    lines.line(1, 4);
    lines.line(round % 30, 8);
    lines.variable("table");
  }
});

test("an object without debug information has no lines", () => {
  assert.is(new SourceLines(sourceOf(new Uint8Array(0))).line(1, 0), null);
  assert.is(new SourceLines(sourceOf(new Uint8Array(64))).variable("x"), null);
});

test.run();
