/** The cases of the API in pages of Chromium, isolated and not, with the files as they are published; what was linked there runs. Two files of tests share it. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { COMPLETE_FILE, PAGE_FILES } from "../../build/page-size.ts";
import { casesFolder, checkResults, published, type Results } from "./api-cases.ts";
import { needBrowser, openBrowser, serveFolders, type Browser } from "./runtimes.ts";
import { testOrSkip } from "./skip.ts";
import { temporaryFolder } from "./tools.ts";

let browser: Promise<Browser> | undefined;
const open = (): Promise<Browser> => (browser ??= openBrowser());

function html(entry: string): string {
  return `<!doctype html><meta charset="utf-8"><title>test</title><script type="module">
import * as api from "/dist/${entry}";
import { demo, results } from "./runner.mjs";
const engine = api.createEngine();
window.threads = await engine.threads;
engine.dispose();
window.demo = (await api.link(demo)).ok;
await new Promise((done) => (window.go = done));
window.results = await results(api);
</script>`;
}

/** What a frame of an opaque origin has to say. */
interface Framed {
  origin: string;
  isolated: boolean;
  threads: number;
  output: number[];
}

const FRAMES = `<!doctype html><meta charset="utf-8"><title>test</title><script>addEventListener("message", ({ data }) => (window.said = data));</script>
<iframe sandbox="allow-scripts" allow="cross-origin-isolated" src="frame.html"></iframe>`;
const FRAME = `<!doctype html><meta charset="utf-8"><title>test</title><script type="module">
import { createEngine } from "/dist/inline.mjs";
import { demo } from "./runner.mjs";
const engine = createEngine();
const link = async () => ({ origin: self.origin, isolated: crossOriginIsolated, threads: await engine.threads, output: [...(await engine.link(demo)).output] });
parent.postMessage(await link().catch(String), "*");
</script>`;

/** What the first of some pages leaves in `window.said`. */
async function said<T>(dir: string, pages: Record<string, string>, isolated: boolean): Promise<T> {
  for (const [name, text] of Object.entries(pages)) fs.writeFileSync(path.join(dir, name), text);
  const server = await serveFolders({ test: dir, dist: published() }, isolated);
  const page = await (await open()).newPage();
  try {
    await page.goto(`${server.url}/test/${Object.keys(pages)[0]}`);
    await page.waitForFunction("window.said !== undefined", undefined, { timeout: 60_000 });
    return await page.evaluate("window.said");
  } finally {
    await page.close();
    server.close();
  }
}

/** Messages of links under a policy, each with other options of createEngine. */
const failures = (entry: string, policy: string, options: readonly string[]): string => `<!doctype html><meta charset="utf-8"><title>test</title>
<meta http-equiv="Content-Security-Policy" content="${policy}"><script type="module">
import { createEngine } from "/dist/${entry}";
import { demo } from "./runner.mjs";
const message = (options) => createEngine(options).link(demo).then(() => "linked", ({ code, message }) => code + " " + message.replaceAll(location.origin, ""));
window.said = await Promise.all([${options.join()}].map(message));
</script>`;

const NO_WORKER = "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; worker-src 'none'";
const FAILURES: Record<string, [policy: string, cases: Record<string, RegExp>][]> = {
  "browser.mjs": [["", {
    '{ kernels: "/test/failures.html" }': /^INIT_FAILED the linker cannot be started: \/test\/failures\.html: .*magic/,
    '{ kernels: "/nothing.wasm" }': /^INIT_FAILED the linker cannot be started: \/nothing\.wasm: 404 Not Found$/,
    '{ kernels: "http://127.0.0.1:1/kernels.wasm" }': /^INIT_FAILED the linker cannot be started: http:\/\/127\.0\.0\.1:1\/kernels\.wasm: /,
    '{ createWorker: () => new Worker("/nothing.mjs", { type: "module" }) }': /^INIT_FAILED the linker's worker failed: its file \(web-\*\.mjs\) cannot be loaded; where a bundler does not copy it: wield\/inline/,
  }], [NO_WORKER, { undefined: /^INIT_FAILED the linker's worker failed: .* Content-Security-Policy forbids it: worker-src$/ }]],
  "inline.mjs": [[NO_WORKER, { undefined: /^INIT_FAILED the linker's worker failed: a Content-Security-Policy has to allow blob: in worker-src$/ }]],
};

interface Visit {
  results: Results;
  isolated: boolean;
  threads: number;
  /** Files of dist/ that were fetched for a link without a message, and for all cases. */
  first: string[];
  all: string[];
}

async function visit(dir: string, entry: string, isolated: boolean): Promise<Visit> {
  fs.writeFileSync(path.join(dir, "page.html"), html(entry));
  const server = await serveFolders({ test: dir, dist: published() }, isolated);
  const page = await (await open()).newPage();
  const trouble: string[] = [];
  const fetched = new Set<string>();
  page.on("pageerror", (error) => void trouble.push(error.message));
  page.on("response", (response) => {
    if (response.url().includes("/dist/")) fetched.add(path.basename(response.url()));
    if (response.status() >= 400 && !response.url().endsWith("favicon.ico")) trouble.push(`${response.status()} ${response.url()}`);
  });
  try {
    await page.goto(`${server.url}/test/page.html`);
    await page.waitForFunction("window.demo === true", undefined, { timeout: 60_000 }).catch((error: Error) => {
      throw new Error(`${error.message}\n${trouble.join("\n")}`);
    });
    const first = [...fetched].sort();
    await page.evaluate("window.go()");
    await page.waitForFunction("window.results !== undefined", undefined, { timeout: 180_000 }).catch((error: Error) => {
      throw new Error(`${error.message}\n${trouble.join("\n")}`);
    });
    assert.equal(trouble, []);
    return { results: await page.evaluate<Results>("window.results"), isolated: await page.evaluate("crossOriginIsolated"), threads: await page.evaluate("window.threads"), first, all: [...fetched].sort() };
  } finally {
    await page.close();
    server.close();
  }
}

function runs(base64: string): string {
  const file = path.join(temporaryFolder("page"), "program");
  fs.writeFileSync(file, Buffer.from(base64, "base64"), { mode: 0o755 });
  return spawnSync(file, { encoding: "utf8" }).stdout;
}

export function testPages(name: string, entry: "browser.mjs" | "inline.mjs"): void {
  const test = suite(name);
  const given = testOrSkip(test, name, needBrowser());
  const dir = casesFolder();
  for (const isolated of [false, true]) {
    given(`${isolated ? "" : "not "}isolated, ${entry}`, async () => {
      const page = await visit(dir, entry, isolated);
      assert.is(page.isolated, isolated);
      if (!isolated) assert.is(page.threads, 1);
      assert.equal(page.first, entry === "inline.mjs" ? ["inline.mjs"] : [...PAGE_FILES].sort());
      assert.equal(page.all, entry === "inline.mjs" ? ["inline.mjs"] : [...PAGE_FILES, COMPLETE_FILE].sort());
      checkResults(dir, page.results);
      const demo = Object.values(page.results)[0]!.outputs["demo"]!;
      assert.match(runs(demo), /hello from a program that wield linked/);
      const hello = Object.values(page.results).find(({ outputs }) => outputs["hello"] !== undefined);
      if (hello !== undefined) assert.is(runs(hello.outputs["hello"]!), "hello from musl, 1\n");
    });
  }

  given(`what keeps ${entry} from starting is named`, async () => {
    for (const [policy, cases] of FAILURES[entry]!) {
      const messages = await said<string[]>(dir, { "failures.html": failures(entry, policy, Object.keys(cases)) }, false);
      Object.values(cases).forEach((expected, i) => assert.match(messages[i]!, expected));
    }
  });

  if (entry === "inline.mjs") for (const isolated of [false, true]) {
    given(`a frame of an opaque origin, ${isolated ? "" : "not "}isolated`, async () => {
      const { output, ...framed } = await said<Framed>(dir, { "frames.html": FRAMES, "frame.html": FRAME }, isolated);
      assert.equal(framed, { origin: "null", isolated, threads: isolated ? os.availableParallelism() : 1 });
      assert.match(runs(Buffer.from(output).toString("base64")), /hello from a program that wield linked/);
    });
  }

  test.after(async () => {
    await (await browser)?.close();
  });

  test.run();
}
