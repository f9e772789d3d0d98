/** The cases of the API in Deno, with as few permissions as the README says. */
import { suite } from "uvu";
import { casesFolder, checkResults, inProcess, readsFilesInThreads } from "../../helpers/api-cases.ts";
import { runtime } from "../../helpers/runtimes.ts";
import { testOrSkip } from "../../helpers/skip.ts";

const test = suite("api/runtimes/deno");
const dir = casesFolder();
const deno = runtime("deno");
const given = testOrSkip(test, "api/runtimes/deno", deno === "" ? "needs deno: not installed" : "");

given("may read", () => checkResults(dir, inProcess(dir, [deno, "run", "--no-prompt", "--allow-read"], "index.mjs")));
given("one file, without any permission", () => checkResults(dir, inProcess(dir, [deno, "run", "--no-prompt"], "inline.mjs")));
given("reads real files in threads", () => readsFilesInThreads(dir, [deno, "run", "--no-prompt", "--allow-read"]));

test.run();
