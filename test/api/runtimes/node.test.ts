/** The cases of the API in Node, with each of the package's entries, and the program in one file. */
import * as fs from "node:fs";
import * as path from "node:path";
import { suite } from "uvu";
import { casesFolder, checkResults, dist, inProcess, linksTheDemo } from "../../helpers/api-cases.ts";

const test = suite("api/runtimes/node");
const dir = casesFolder();

for (const entry of ["node.mjs", "index.mjs", "inline.mjs"]) test(entry, () => checkResults(dir, inProcess(dir, [process.execPath], entry)));

test("single.js needs nothing beside it", () => {
  fs.copyFileSync(path.join(dist, "single.js"), path.join(dir, "single.cjs"));
  linksTheDemo(dir, [process.execPath, path.join(dir, "single.cjs")]);
});

test.run();
