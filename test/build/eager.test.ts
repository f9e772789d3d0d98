/** build/eager.ts, by which pages compile at once what a first link calls: the script does what it did, with parentheses around what is called. */
import * as fs from "node:fs";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { eager } from "../../build/eager.ts";
import { temporaryFolder } from "../helpers/tools.ts";

const test = suite("build/eager");

/** Long enough to be worth it. */
const LONG = `const filler = "${"filler ".repeat(30)}"; if (filler === "") return;`;

const TEXT = `
const start = early(1);
function early(x) { ${LONG} return x + late(() => { ${LONG} return 40; }); }
function late(f) { ${LONG} return f(); }
function never() { ${LONG} return 0; }
var Base = class { value = 5; get half() { ${LONG} return this.value / 2; } name() { ${LONG} return "base"; } };
var Derived = class extends Base {
  static made = 0
  more = [1, 2].map((x) => { ${LONG} return x * this.value; })
  constructor() { super(); Derived.made++; }
  name() { ${LONG} return super.name() + " derived"; }
  async later(x, ...rest) { ${LONG} return [x, ...rest, this.half]; }
  *each() { ${LONG} yield* this.more; }
  static of() { ${LONG} return new Derived(); }
  unused() { ${LONG} return 1; }
};
const plain = { twice(x) { ${LONG} return 2 * x; }, async soon() { ${LONG} return this.twice(4); }, get none() { ${LONG} return null; } };
export async function run() {
  ${LONG}
  const made = Derived.of();
  return JSON.stringify([start, made.name(), await made.later(1, 2), [...made.each()], Derived.made, plain.twice(3), await plain.soon(), plain.none, Object.keys(made)]);
}
export { never };
`;

test("what is called is in parentheses, and does the same", async () => {
  const dir = temporaryFolder("eager");
  const load = async (name: string, text: string): Promise<{ url: string; run(): Promise<string> }> => {
    const file = path.join(dir, name);
    fs.writeFileSync(file, text);
    const url = pathToFileURL(file).href;
    const module = (await import(url)) as { run(): Promise<string> };
    return { url, run: () => module.run() };
  };
  const url = pathToFileURL(path.join(dir, "before.mjs")).href;
  let said = "";
  fs.writeFileSync(path.join(dir, "before.mjs"), TEXT);
  const text = await eager(TEXT, url, async () => void (said = await (await load("before.mjs", TEXT)).run()));
  assert.is(said, '[41,"base derived",[1,2,2.5],[5,10],1,6,8,null,["value","more"]]');
  assert.is(await (await load("after.mjs", text)).run(), said);
  for (const part of ["early=(function(x)", "late=(function(f)", "early(1)", "later:(async function(x, ...rest)", "each:(function*()", "twice:(function(x)", "late((() =>"]) assert.ok(text.includes(part), part);
  for (const part of ["function never()", "  unused()", "super.name()"]) assert.ok(text.includes(part.trim()), part);
  assert.not.ok(text.includes("(function never"));
});

test.run();
