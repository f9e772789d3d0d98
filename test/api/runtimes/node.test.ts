/** The cases of the API in Node, with each of the package's entries, and the program in one file. */
import * as fs from "node:fs";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { casesFolder, checkResults, dist, inProcess, linksTheDemo } from "../../helpers/api-cases.ts";
import { run } from "../../helpers/tools.ts";

const test = suite("api/runtimes/node");
const dir = casesFolder();

for (const entry of ["node.mjs", "index.mjs", "inline.mjs"]) test(entry, () => checkResults(dir, inProcess(dir, [process.execPath], entry)));

for (const entry of ["node.mjs", "index.mjs"]) {
  test(`an error that nobody catches is not lost in minified source (${entry})`, () => {
    const script = path.join(dir, `uncaught-${entry}`);
    fs.writeFileSync(script, `import { link } from ${JSON.stringify(pathToFileURL(path.join(dist, entry)).href)};\nawait link({ inputs: ["nowhere.o"] });\n`);
    const { stderr } = run(process.execPath, [script]);
    assert.match(stderr, /^LinkError: cannot open nowhere\.o: No such file or directory\n(?:    at .*\n)*    at .*uncaught-.*:2:1/m);
    assert.ok(stderr.indexOf("LinkError:") < 1000, stderr);
  });
}

test("single.js needs nothing beside it", () => {
  fs.copyFileSync(path.join(dist, "single.js"), path.join(dir, "single.cjs"));
  linksTheDemo(dir, [process.execPath, path.join(dir, "single.cjs")]);
});

test.run();
