/** The cases of the API in browsers that nobody drives: they open a page that posts what came of them. */
import * as fs from "node:fs";
import * as path from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { casesFolder, checkResults, published, type Results } from "./api-cases.ts";
import { needOpener, postedBy, type Opener } from "./runtimes.ts";
import { testOrSkip } from "./skip.ts";

/** All cases; what came of them, or what went wrong, is posted. */
const posting = (entry: string): string => `<!doctype html><meta charset="utf-8"><title>test</title><script type="module">
const post = (what) => fetch("/post", { method: "POST", body: JSON.stringify(what) });
addEventListener("error", ({ message }) => post({ trouble: message }));
try {
  const [api, { results }] = await Promise.all([import("/dist/${entry}"), import("./runner.mjs")]);
  await post({ results: await results(api), isolated: crossOriginIsolated });
} catch (error) {
  await post({ trouble: String(error) });
}
</script>`;

/** A file of tests: one page each, so that a slow browser on a busy machine takes minutes for none of them. */
export function testPostedCases(browser: Opener, name: string, entry: "browser.mjs" | "inline.mjs", isolated: boolean): void {
  const test = suite(name);
  const given = testOrSkip(test, name, needOpener(browser));
  given(`${isolated ? "" : "not "}isolated, ${entry}`, async () => {
    const dir = casesFolder();
    fs.writeFileSync(path.join(dir, "posting.html"), posting(entry));
    const answer = JSON.parse(await postedBy(browser, { test: dir, dist: published() }, "test/posting.html", isolated)) as { trouble?: string; results: Results; isolated: boolean };
    assert.is(answer.trouble, undefined);
    assert.is(answer.isolated, isolated);
    checkResults(dir, answer.results);
  });
  test.run();
}
