/**
 * `npm run screenshots`: playground/screenshots/page.png and report.png, which the README shows.
 *
 * Needs Debian's chromium and playwright-core (npm install --no-save playwright-core), as the tests in pages do.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { brotliDecompressSync } from "node:zlib";
import { needBrowser, openBrowser, serveFolders, type Page } from "../test/helpers/runtimes.ts";

const TO = "playground/screenshots";

interface Camera extends Page {
  screenshot(options: { path: string }): Promise<unknown>;
  waitForSelector(selector: string): Promise<unknown>;
  waitForTimeout(milliseconds: number): Promise<void>;
  click(selector: string): Promise<void>;
  selectOption(selector: string, value: string): Promise<unknown>;
  keyboard: { type(text: string): Promise<void>; press(key: string): Promise<void> };
}

type Studio = { newPage(options: object): Promise<Camera>; close(): Promise<void> };

function run(args: string[], folder = "."): void {
  const done = spawnSync(process.execPath, args, { stdio: "inherit", cwd: folder });
  if (done.status !== 0) throw new Error(`${args.join(" ")} failed`);
}

async function page(studio: Studio): Promise<void> {
  run(["build/run.mjs", "build/playground.ts", "--build"]);
  const server = await serveFolders({ page: "dist/playground" }, true);
  const camera = await studio.newPage({ viewport: { width: 1360, height: 820 }, colorScheme: "light" });
  await camera.goto(`${server.url}/page/`);
  await camera.waitForSelector('footer[data-state="ok"]');
  await camera.click(".cm-line:nth-child(11)");
  // The time shown is that of a link after an edit.
  for (let i = 0; i < 6; i++) {
    await camera.keyboard.type(" ");
    await camera.waitForTimeout(250);
    await camera.keyboard.press("Backspace");
    await camera.waitForTimeout(250);
  }
  await camera.screenshot({ path: `${TO}/page.png` });
  await camera.close();
  server.close();
}

/** Of a program that prints floating point numbers, which brings in a good part of musl. */
async function report(studio: Studio): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "screenshot-"));
  const inputs = ["crt1.o", "crti.o", "area.o", "shapes.o", "libc.a", "crtn.o"];
  for (const name of inputs) {
    const found = ["musl", "objects"].map((each) => `playground/examples/${each}/${name}`).find((file) => fs.existsSync(file));
    fs.writeFileSync(path.join(folder, name), found === undefined ? brotliDecompressSync(fs.readFileSync(`playground/examples/musl/${name}.br`)) : fs.readFileSync(found));
  }
  run([path.resolve("dist/cli.cjs"), "-static", "--gc-sections", ...inputs, "-o", "area", "--report=area.html"], folder);
  const camera = await studio.newPage({ viewport: { width: 1180, height: 640 }, colorScheme: "dark" });
  await camera.goto(pathToFileURL(path.join(folder, "area.html")).href);
  await camera.waitForSelector(".map-box");
  await camera.screenshot({ path: `${TO}/report.png` });
  await camera.close();
  fs.rmSync(folder, { recursive: true });
}

const missing = needBrowser();
if (missing !== "") throw new Error(missing);
fs.mkdirSync(TO, { recursive: true });
const studio = (await openBrowser()) as unknown as Studio;
try {
  await page(studio);
  await report(studio);
} finally {
  await studio.close();
}
