/** The cases of the API in Bun; the program in one file, as Bun makes it. */
import * as path from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { casesFolder, checkResults, dist, inProcess, linksTheDemo, readsFilesInThreads } from "../../helpers/api-cases.ts";
import { runtime } from "../../helpers/runtimes.ts";
import { testOrSkip } from "../../helpers/skip.ts";
import { run } from "../../helpers/tools.ts";

const test = suite("api/runtimes/bun");
const dir = casesFolder();
const bun = runtime("bun");
const given = testOrSkip(test, "api/runtimes/bun", bun === "" ? "needs bun: not installed" : "");

for (const entry of ["index.mjs", "inline.mjs"]) given(entry, () => checkResults(dir, inProcess(dir, [bun, "run"], entry)));

given("reads real files in threads", () => readsFilesInThreads(dir, [bun, "run"]));

given("single.js as a program made by Bun", () => {
  const program = path.join(dir, "wield-bun");
  const made = run(bun, ["build", "--compile", "--bytecode", path.join(dist, "single.js"), "--outfile", program], { cwd: dir });
  assert.is(made.status, 0, made.stderr);
  linksTheDemo(dir, [program]);
});

test.run();
