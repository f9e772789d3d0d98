/**
 * Many links leave nothing behind: memory stays what it was after the first ones, and workers are gone. In Node, and in a page.
 *
 * As many as end in seconds; `WIELD_LEAK_LINKS=1000` for more.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { casesFolder, dist } from "../helpers/api-cases.ts";
import { needBrowser, openBrowser, serveFolders } from "../helpers/runtimes.ts";
import { testOrSkip } from "../helpers/skip.ts";

const test = suite("api/leaks");
const dir = casesFolder();
const LINKS = Number(process.env["WIELD_LEAK_LINKS"] ?? 200);
const MiB = 1 << 20;

/** `measure()` after a fifth of the links, and after all; `count`: of each kind. */
const REPEAT = `
import { demo as options } from "./runner.mjs";
export async function repeat(api, links, measure) {
  const kinds = {
    links: [links, () => api.link(options)],
    plugins: [links / 4, () => api.link({ ...options, signal: new AbortController().signal, plugins: [{ name: "p", setup({ onLoad }) { onLoad({ filter: /print/ }, () => undefined); } }] })],
    contexts: [links / 10, async () => { const context = await api.createContext(options); await context.relink(); await context.dispose(); }],
    threads: [links / 20, async () => { const context = await api.createContext({ ...options, threads: 2 }); await context.relink(); await context.relink(); await context.dispose(); }],
    engines: [links / 20, async () => { const engine = api.createEngine(); await engine.link(options); engine.dispose(); }],
  };
  const measured = {};
  for (const [name, [count, run]] of Object.entries(kinds)) {
    for (let i = 0; i < count / 5; i++) await run();
    const before = await measure();
    for (let i = 0; i < count; i++) await run();
    measured[name] = [before, await measure()];
  }
  const context = await api.createContext(options);
  const relink = async (i) => { context.update({ "start.o": i % 2 === 0 ? undefined : options.inputs[0].data }); await context.relink(); };
  for (let i = 0; i < links / 5; i++) await relink(i);
  const before = await measure();
  for (let i = 0; i < links; i++) await relink(i);
  measured.relinks = [before, await measure()];
  await context.dispose();
  return measured;
}
`;
fs.writeFileSync(path.join(dir, "repeat.mjs"), REPEAT);

type Measured = Record<string, [before: number[], after: number[]]>;

/** Bytes of the heap, and of everything else that is counted, may grow by so much; the last number is of things that end, and may not. */
function staysFlat(measured: Measured, most: number[]): void {
  assert.is(Object.keys(measured).length, 6);
  for (const [name, [before, after]] of Object.entries(measured)) {
    before.forEach((bytes, i) => assert.ok(after[i]! - bytes <= most[i]!, `${name}: number ${i} grew from ${bytes} to ${after[i]}`));
  }
}

test("Node: heap, memory and threads after many links", () => {
  fs.writeFileSync(path.join(dir, "leaks.mjs"), `import * as api from ${JSON.stringify(pathToFileURL(path.join(dist, "node.mjs")).href)};
import { repeat } from "./repeat.mjs";
const measure = async () => {
  for (let i = 0; i < 3; i++) {
    gc();
    await new Promise((done) => setTimeout(done, 30));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return [heapUsed, external, rss, process.getActiveResourcesInfo().filter((name) => name !== "Timeout" && !name.endsWith("Wrap")).length];
};
console.log(JSON.stringify(await repeat(api, ${LINKS}, measure)));`);
  const done = spawnSync(process.execPath, ["--expose-gc", path.join(dir, "leaks.mjs")], { encoding: "utf8", timeout: 300_000, env: { ...process.env, NODE_OPTIONS: "" } });
  assert.is(done.status, 0, done.stderr);
  staysFlat(JSON.parse(done.stdout) as Measured, [1.5 * MiB, MiB, 40 * MiB, 0]);
});

testOrSkip(test, "api/leaks", needBrowser())("a page: its heap and its workers after many links", async () => {
  fs.writeFileSync(path.join(dir, "leaks.html"), `<!doctype html><meta charset="utf-8"><title>test</title><script type="module">
import * as api from "/dist/browser.mjs";
import { repeat } from "./repeat.mjs";
const started = new Set();
const { Worker: Own } = window;
window.Worker = class extends Own {
  constructor(...words) { super(...words); started.add(this); }
  terminate() { started.delete(this); super.terminate(); }
};
const measure = async () => {
  for (let i = 0; i < 3; i++) {
    gc();
    await new Promise((done) => setTimeout(done, 30));
  }
  return [performance.memory.usedJSHeapSize, started.size];
};
try {
  window.measured = await repeat(api, ${LINKS / 2}, measure);
} catch (error) {
  window.measured = String(error);
}
</script>`);
  const server = await serveFolders({ test: dir, dist }, true);
  const browser = await openBrowser(["--js-flags=--expose-gc", "--enable-precise-memory-info"]);
  try {
    const page = await browser.newPage();
    await page.goto(`${server.url}/test/leaks.html`);
    await page.waitForFunction("window.measured !== undefined", undefined, { timeout: 300_000 });
    const measured = await page.evaluate<Measured | string>("window.measured");
    if (typeof measured === "string") throw new Error(measured);
    staysFlat(measured, [1.5 * MiB, 0]);
    assert.is((page as unknown as { workers(): unknown[] }).workers().length <= 3, true, "workers of the shared engine");
  } finally {
    await browser.close();
    server.close();
  }
});

/** More than the address space of a page has room for at once: a memory takes 8 GiB of 1 TiB. */
const MEMORIES = 140;

testOrSkip(test, "api/leaks", needBrowser())("a page: memories whose threads had not started when they ended, and results that nobody keeps", async () => {
  fs.writeFileSync(path.join(dir, "ended.html"), `<!doctype html><meta charset="utf-8"><title>test</title><script type="module">
import * as api from "/dist/browser.mjs";
import { demo } from "./runner.mjs";
const alive = async (link) => {
  const results = [];
  for (let i = 0; i < 20; i++) results.push(new WeakRef((await link()).output.buffer));
  for (let i = 0; i < 5; i++) {
    await new Promise((done) => setTimeout(done, 30));
    gc();
  }
  return results.filter((result) => result.deref() !== undefined).length;
};
try {
  for (let i = 0; i < ${MEMORIES}; i++) {
    const context = await api.createContext({ ...demo, threads: 2 });
    await context.relink();
    await context.dispose();
  }
  const context = await api.createContext(demo);
  window.kept = [await alive(() => api.link(demo)), await alive(() => context.relink())];
} catch (error) {
  window.kept = String(error);
}
</script>`);
  const server = await serveFolders({ test: dir, dist }, true);
  const browser = await openBrowser(["--js-flags=--expose-gc"]);
  try {
    const page = await browser.newPage();
    await page.goto(`${server.url}/test/ended.html`);
    await page.waitForFunction("window.kept !== undefined", undefined, { timeout: 120_000 });
    const kept = await page.evaluate<number[] | string>("window.kept");
    assert.ok(typeof kept !== "string" && kept.every((count) => count <= 1), String(kept));
  } finally {
    await browser.close();
    server.close();
  }
});

test.run();
