/** The playground in headless Chromium, built when it is first asked for. Not for other pages: they use runtimes.ts. */
import * as fs from "node:fs";
import * as path from "node:path";
import * as assert from "uvu/assert";
import { digestOf, madeOnce } from "./made-once.ts";
import { needBrowser, openBrowser, serveFolders, type Browser, type Page } from "./runtimes.ts";
import { repoRoot, run } from "./tools.ts";

/** More of playwright. */
export interface FullPage extends Page {
  click(selector: string): Promise<void>;
  fill(selector: string, text: string): Promise<void>;
  press(selector: string, key: string): Promise<void>;
  selectOption(selector: string, value: string): Promise<unknown>;
  textContent(selector: string): Promise<string>;
  inputValue(selector: string): Promise<string>;
  waitForSelector(selector: string, options?: { timeout?: number }): Promise<unknown>;
  waitForEvent(name: "download"): Promise<{ suggestedFilename(): string; saveAs(file: string): Promise<void> }>;
  reload(): Promise<unknown>;
  keyboard: { press(key: string): Promise<void>; type(text: string): Promise<void> };
  emulateMedia(options: { colorScheme: "light" | "dark" }): Promise<void>;
  context(): { setOffline(offline: boolean): Promise<void>; close(): Promise<void>; newCDPSession(page: FullPage): Promise<{ send<T>(method: string, parameters?: object): Promise<T> }> };
}

const hasVite = fs.existsSync(path.join(repoRoot(), "node_modules/vite"));
/** "" or what is missing. */
export const missing = hasVite ? needBrowser() : "needs vite: npm ci";

let browser: Promise<Browser> | undefined;

/** What the page is made of. */
function sources(): string[] {
  const under = (folder: string): string[] =>
    (fs.readdirSync(path.join(repoRoot(), folder), { recursive: true, withFileTypes: true }) as fs.Dirent[]).filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath ?? entry.path, entry.name)).sort();
  const dist = ["browser.mjs", "web-quick.mjs", "web-worker.mjs", "kernels.wasm"].map((name) => path.join(repoRoot(), "dist", name));
  return [...under("playground").filter((file) => !file.includes("/screenshots/")), ...under("ts/report/view"), ...dist];
}

/** The folder of the built page; files of tests that run side by side build it once. */
function buildPage(): string {
  return madeOnce("playground", digestOf(sources()), (folder) => {
    const done = run(process.execPath, ["build/run.mjs", "build/playground.ts", "--build"], { cwd: repoRoot() });
    if (done.status !== 0) throw new Error(done.stderr + done.stdout);
    fs.cpSync(path.join(repoRoot(), "dist/playground"), folder, { recursive: true });
  });
}

/** A page of its own with the first example linked; with what it says when `body` throws. */
export async function withPage(isolated: boolean, body: (page: FullPage) => Promise<void>): Promise<void> {
  const server = await serveFolders({ page: buildPage() }, isolated);
  browser ??= openBrowser();
  const page = (await (await browser).newPage()) as FullPage;
  const trouble: string[] = [];
  page.on("pageerror", (error) => void trouble.push(error.message));
  try {
    await page.goto(`${server.url}/page/`);
    await state(page, "ok");
    await body(page);
    assert.equal(trouble, []);
  } catch (error) {
    const text = await page.evaluate<string>("document.body.innerText").catch(() => "");
    throw new Error(`${(error as Error).message} ${(error as { details?: string }).details ?? ""}\n${trouble.join("\n")}\n${text.slice(0, 3000)}`);
  } finally {
    await page.context().close();
    server.close();
  }
}

/** What stands in the page is linked, and that is how it ended. */
export const state = (page: FullPage, name: "ok" | "failed"): Promise<unknown> => page.waitForSelector(`footer[data-state="${name}"]`, { timeout: 60_000 });

export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
}
