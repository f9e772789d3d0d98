/** What pages load, as it is published. */
import * as fs from "node:fs";
import * as path from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { COMPLETE_BUDGET, COMPLETE_FILE, compressedSizes, PAGE_BUDGET, PAGE_FILES } from "../../../build/page-size.ts";
import { published } from "../../helpers/api-cases.ts";
import { repoRoot } from "../../helpers/tools.ts";

const test = suite("api/runtimes/download");

test("what a page loads is within the budget, and knows nothing of Node", async () => {
  const folder = published();
  const sizes = [...(await compressedSizes(folder, [...PAGE_FILES, COMPLETE_FILE]))];
  const total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
  const first = total - new Map(sizes).get(COMPLETE_FILE)!;
  assert.ok(first <= PAGE_BUDGET && total <= COMPLETE_BUDGET, `${first} and ${total} bytes: ${sizes.join(", ")}`);
  for (const name of [...PAGE_FILES.filter((file) => file.endsWith(".mjs")), COMPLETE_FILE, "inline.mjs"]) {
    const text = fs.readFileSync(path.join(folder, name), "utf8");
    assert.not.match(text, /(?:from|import|require)\s*\(?\s*["'](?:node:|fs|path|os|crypto|zlib|worker_threads)/, name);
    assert.not.match(text, /\brequire\(/, name);
  }
});

test("the README says what a page loads", async () => {
  const sizes = await compressedSizes(published(), [...PAGE_FILES, COMPLETE_FILE]);
  const [, first, more] = /It loads (\d+) kB \(brotli\)[^\n]* (\d+) kB more\./.exec(fs.readFileSync(path.join(repoRoot(), "README.md"), "utf8"))!;
  const complete = sizes.get(COMPLETE_FILE)!;
  const all = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  const within = (said: string, bytes: number): boolean => Math.abs(Number(said) - bytes / 1000) < 2;
  assert.ok(within(first!, all - complete) && within(more!, complete), `README: ${first} and ${more} kB, it is ${all - complete} and ${complete} bytes`);
});

test.run();
