/**
 * The other runtimes that the API is tested in: Bun and Deno (on PATH, or from npm), Chromium (Debian's, driven by playwright-core).
 *
 * Not about tests. Each is found without being started; "" and null = not installed.
 */
import * as fs from "node:fs";
import * as http from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { repoRoot, which } from "./tools.ts";

/** Where npm puts the programs of the packages `bun` and `deno`. */
const NPM: Record<string, string[]> = {
  bun: ["bun/bin/bun.exe", "@oven/bun-linux-x64/bin/bun", "@oven/bun-linux-x64-baseline/bin/bun"],
  deno: ["@deno/linux-x64-glibc/deno", "@deno/linux-arm64-glibc/deno"],
};

export function runtime(name: "bun" | "deno"): string {
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

export async function openBrowser(): Promise<Browser> {
  const specifier = pathToFileURL(playwright()!).href;
  const module = (await import(specifier)) as { default: { chromium: { launch(options: object): Promise<Browser> } } };
  return module.default.chromium.launch({ executablePath: chromium(), args: ["--no-sandbox"] });
}

const TYPES: Record<string, string> = { ".html": "text/html", ".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm", ".json": "application/json", ".css": "text/css", ".svg": "image/svg+xml" };

/** Serves folders by the first part of the path; `isolated`: so that pages are cross-origin isolated. */
export async function serveFolders(folders: Record<string, string>, isolated: boolean): Promise<{ url: string; close(): void }> {
  const server = http.createServer((request, response) => {
    const [, folder = "", ...rest] = decodeURIComponent(new URL(request.url!, "http://x").pathname).split("/");
    const named = folders[folder] === undefined ? "" : path.join(folders[folder]!, ...rest.filter((part) => part !== ".."));
    const file = named !== "" && rest.at(-1) === "" ? path.join(named, "index.html") : named;
    if (file === "" || !fs.existsSync(file) || !fs.statSync(file).isFile()) return void response.writeHead(404).end();
    const headers: Record<string, string> = { "Content-Type": TYPES[path.extname(file)] ?? "application/octet-stream", "Cache-Control": "no-store" };
    if (isolated) Object.assign(headers, { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" });
    response.writeHead(200, headers).end(fs.readFileSync(file));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => void server.close() };
}
