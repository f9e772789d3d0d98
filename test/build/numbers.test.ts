/** build/numbers.ts: in bundles, constants that are numbers stand where their names were, and the program does what it did. */
import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import type * as Esbuild from "esbuild";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { numbersApart, resolveNumbers } from "../../build/numbers.ts";
import { repoRoot, temporaryFolder } from "../helpers/tools.ts";

const test = suite("build/numbers");
const folder = temporaryFolder("numbers");
/** Its program is found from where it is: it is no part of this test's bundle. */
const { build } = createRequire(path.join(repoRoot(), "package.json"))("esbuild") as typeof Esbuild;

const SOURCES = {
  "sizes.ts": [
    'import { word } from "./word.ts";',
    "/** Of a page. */",
    "export const PAGE_BYTES = 1 << 12;",
    "const HEADER_BYTES = 0x40; // of the first page",
    "export const LEAST: number = -3;",
    "export const HALF = 0.5;",
    "const ALL_BYTES = 1024 * 1024 - 24;",
    "const ALIAS = HEADER_BYTES;",
    'export const NAME = "PAGE_BYTES";',
    "export const LIMIT = 64n;",
    "export const sizes = () => [PAGE_BYTES, HEADER_BYTES, LEAST, HALF, ALL_BYTES, ALIAS, NAME, String(LIMIT), word];",
  ].map((line) => `${line}\n`).join(""),
  "word.ts": 'import { LEAST } from "./sizes.ts";\nexport const word = "w";\nexport const least = () => LEAST;\n',
  "main.ts": 'import { HALF, PAGE_BYTES, sizes } from "./sizes.ts";\nimport { least } from "./word.ts";\nexport const all = [...sizes(), PAGE_BYTES + 1, HALF, least()];\n',
};

/** The text of the bundle, and what the program in it has found out. */
async function bundled(apart: boolean): Promise<{ text: string; all: unknown[] }> {
  for (const [name, source] of Object.entries(SOURCES)) fs.writeFileSync(path.join(folder, name), source);
  const outfile = path.join(folder, `${apart}.mjs`);
  await build({
    entryPoints: [path.join(folder, "main.ts")], outfile, bundle: true, format: "esm", minifySyntax: true,
    plugins: !apart ? [] : [{
      name: "apart",
      setup(bundler) {
        resolveNumbers(bundler);
        bundler.onLoad({ filter: /\.ts$/, namespace: "file" }, ({ path: file }) => ({ contents: numbersApart(fs.readFileSync(file, "utf8"), file), loader: "ts" }));
      },
    }],
  });
  return { text: fs.readFileSync(outfile, "utf8"), all: ((await import(pathToFileURL(outfile).href)) as { all: unknown[] }).all };
}

test("a constant that is a number is no variable, in its own file and in those that import it", async () => {
  const [plain, apart] = [await bundled(false), await bundled(true)];
  const variables = (text: string): string[] => [...text.matchAll(/\b([A-Z_]+) = /g)].map((match) => match[1]!);
  const NUMBERS = ["PAGE_BYTES", "HEADER_BYTES", "LEAST", "HALF", "ALL_BYTES"];
  assert.ok(NUMBERS.every((name) => variables(plain.text).includes(name)), "esbuild does it by itself now");
  assert.equal(variables(apart.text).filter((name) => NUMBERS.includes(name)), []);
  assert.equal(variables(apart.text).filter((name) => ["ALIAS", "NAME", "LIMIT"].includes(name)).sort(), ["ALIAS", "LIMIT", "NAME"]);
  assert.equal(apart.all, plain.all);
  assert.equal(apart.all, [4096, 64, -3, 0.5, 1048552, 64, "PAGE_BYTES", "64", "w", 4097, 0.5, -3]);
});

test("a file without such constants stays as it is", () => {
  const source = 'import { a } from "./a.ts";\nconst text = "1";\n  const inner = 1;\nlet variable = 1;\nexport const f = () => 1;\n';
  assert.is(numbersApart(source, "b.ts"), source);
});

test.run();
