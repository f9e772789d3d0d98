/**
 * The package in projects of Vite, webpack, esbuild and rollup: built as their users build, opened in Chromium, and linking there.
 *
 * The package is packed and installed as npm does it, without a network: it has no dependencies. esbuild and rollup do not copy the worker's file: with
 * `wield` its files are put beside the bundle, as the README says; with `wield/inline` there is nothing to do.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { COMPLETE_FILE, PAGE_FILES } from "../../build/page-size.ts";
import { published } from "../helpers/api-cases.ts";
import { needBrowser, openBrowser, serveFolders, type Browser } from "../helpers/runtimes.ts";
import { testOrSkip } from "../helpers/skip.ts";
import { repoRoot, run, temporaryFolder } from "../helpers/tools.ts";
import { fixtures } from "./fixtures.ts";

const test = suite("api/bundlers");
const dir = temporaryFolder("bundlers");
const ENTRIES = { main: "wield", inline: "wield/inline" } as const;

/** The program `name` of a package in the checkout, "" = not installed. */
function installed(name: string, program = name): string {
  const modules = path.join(repoRoot(), "node_modules");
  return fs.existsSync(path.join(modules, name, "package.json")) ? path.join(modules, ".bin", program) : "";
}

function command(words: string[], cwd = dir): void {
  const done = run(words[0]!, words.slice(1), { cwd, env: { NODE_OPTIONS: "" } });
  if (done.status !== 0) throw new Error(`${done.command}\n${done.stdout}\n${done.stderr}`);
}

/** Packs what would be published, with a page's files as a release has them, and installs it. */
function install(): void {
  const staged = path.join(dir, "staged");
  for (const name of ["package.json", "README.md", "LICENSE", "dist"]) fs.cpSync(path.join(repoRoot(), name), path.join(staged, name), { recursive: true, filter: (file) => !/dist\/(build|test|playground)$/.test(file) });
  fs.cpSync(published(), path.join(staged, "dist"), { recursive: true });
  command(["npm", "pack", "--ignore-scripts", "--silent", "--pack-destination", dir], staged);
  const tarball = fs.readdirSync(dir).find((name) => name.endsWith(".tgz"))!;
  command(["npm", "install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", `./${tarball}`]);
}

/** A project with the package, and a program for each entry. */
function project(): void {
  fs.writeFileSync(path.join(dir, "package.json"), '{ "type": "module" }');
  install();
  const files = fixtures();
  const texts = Object.fromEntries(["start.o", "print.o", "steps.o"].map((name) => [name, Buffer.from(files[name]!).toString("base64")]));
  fs.writeFileSync(path.join(dir, "files.js"), `export const files = ${JSON.stringify(texts)};`);
  for (const [name, from] of Object.entries(ENTRIES)) {
    fs.writeFileSync(path.join(dir, `${name}.js`), `import { link } from ${JSON.stringify(from)};
import { files } from "./files.js";
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const inputs = Object.entries(files).map(([name, text]) => ({ name, data: bytes(text) }));
link({ inputs, gcSections: true }).then(async ({ output }) => {
  // Beyond the quick program.
  const object = await link({ inputs, kind: "relocatable" });
  window.done = String.fromCharCode(...output.slice(1, 4)) + " " + object.output.length;
}, (error) => (window.done = String(error)));
`);
    fs.writeFileSync(path.join(dir, `${name}.html`), page(`./${name}.js`));
  }
}

const page = (script: string): string => `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="${script}"></script>`;

/** Builds both entries to out/NAME-…; paths of the pages. */
const BUNDLERS: Record<string, { packages: string[]; build(): Record<keyof typeof ENTRIES, string> }> = {
  vite: {
    packages: ["vite"],
    build() {
      fs.writeFileSync(path.join(dir, "vite.config.js"), 'export default { base: "./", build: { outDir: "out/vite", chunkSizeWarningLimit: 9999, rollupOptions: { input: { main: "main.html", inline: "inline.html" } } } };');
      command([installed("vite"), "build"]);
      return { main: "vite/main.html", inline: "vite/inline.html" };
    },
  },
  webpack: {
    packages: ["webpack", "webpack-cli"],
    build() {
      fs.writeFileSync(path.join(dir, "webpack.config.js"), `import path from "node:path";
export default ["main", "inline"].map((name) => ({ mode: "production", performance: { hints: false }, entry: "./" + name + ".js", output: { path: path.resolve("out/webpack-" + name), publicPath: "auto" } }));`);
      command([installed("webpack"), "--config", "webpack.config.js"]);
      return inFolders("webpack", "main.js");
    },
  },
  esbuild: {
    packages: ["esbuild"],
    build() {
      for (const name of Object.keys(ENTRIES)) command([installed("esbuild"), `${name}.js`, "--bundle", "--minify", "--format=esm", `--outfile=out/esbuild-${name}/bundle.js`, "--log-level=error"]);
      return inFolders("esbuild", "bundle.js", true);
    },
  },
  rollup: {
    packages: ["rollup", "@rollup/plugin-node-resolve"],
    build() {
      for (const name of Object.keys(ENTRIES)) command([installed("rollup"), `${name}.js`, "--plugin", path.join(repoRoot(), "node_modules/@rollup/plugin-node-resolve/dist/cjs/index.js"), "--format", "es", "--file", `out/rollup-${name}/bundle.js`, "--silent"]);
      return inFolders("rollup", "bundle.js", true);
    },
  },
};

/** Pages beside bundles; `copied`: with the files that the bundler leaves out. */
function inFolders(bundler: string, script: string, copied = false): Record<keyof typeof ENTRIES, string> {
  for (const name of Object.keys(ENTRIES)) fs.writeFileSync(path.join(dir, `out/${bundler}-${name}/index.html`), page(`./${script}`));
  if (copied) for (const file of [...PAGE_FILES.slice(1), COMPLETE_FILE]) fs.copyFileSync(path.join(dir, "node_modules/wield/dist", file), path.join(dir, `out/${bundler}-main`, file));
  return { main: `${bundler}-main/index.html`, inline: `${bundler}-inline/index.html` };
}

let browser: Promise<Browser> | undefined;

async function open(url: string): Promise<string> {
  const tab = await (await (browser ??= openBrowser())).newPage();
  const trouble: string[] = [];
  tab.on("pageerror", (error) => void trouble.push(error.message));
  tab.on("response", (response) => void (response.status() >= 400 && trouble.push(`${response.status()} ${response.url()}`)));
  try {
    await tab.goto(url);
    await tab.waitForFunction("window.done !== undefined", undefined, { timeout: 30_000 }).catch(() => trouble.push("no answer"));
    assert.equal(trouble, [], url);
    return await tab.evaluate<string>("window.done");
  } finally {
    await tab.close();
  }
}

test("the package brings nothing else along", () => {
  const { dependencies } = JSON.parse(fs.readFileSync(path.join(repoRoot(), "package.json"), "utf8")) as { dependencies?: object };
  assert.is(dependencies, undefined);
});

test("a bundle for Node, Deno or Bun that lacks the linker's files says what to do", () => {
  if (!fs.existsSync(path.join(dir, "files.js"))) project();
  fs.writeFileSync(path.join(dir, "bare.js"), 'import { link } from "wield";\nimport { files } from "./files.js";\nlink({ inputs: [{ name: "start.o", data: Buffer.from(files["start.o"], "base64") }] }).catch((error) => console.error(error));');
  for (const [format, condition, said] of [["esm", "node", /api\.js is not there: in a bundle, import wield\/inline/], ["cjs", "node", /api\.js is not there: in a bundle, import wield\/inline/], ["esm", "bun", /kernels cannot be loaded.*in a bundle, import wield\/inline[^]*INIT_FAILED/]] as const) {
    const outfile = path.join(dir, `bare/out.${format === "cjs" ? "cjs" : "mjs"}`);
    command([installed("esbuild"), "bare.js", "--bundle", "--platform=node", `--format=${format}`, `--conditions=${condition}`, `--outfile=${outfile}`, "--log-level=error"]);
    assert.match(spawnSync(process.execPath, [outfile], { encoding: "utf8" }).stderr, said, `${format} ${condition}`);
  }
});

for (const [name, { packages, build }] of Object.entries(BUNDLERS)) {
  const missing = packages.filter((each) => installed(each) === "");
  const reason = needBrowser() || (missing.length > 0 ? `needs ${missing.join(", ")}: not installed` : "");
  testOrSkip(test, "api/bundlers", reason)(name, async () => {
    if (!fs.existsSync(path.join(dir, "files.js"))) project();
    const pages = build();
    for (const isolated of [false, true]) {
      const server = await serveFolders({ out: path.join(dir, "out") }, isolated);
      try {
        for (const file of Object.values(pages)) assert.match(await open(`${server.url}/out/${file}`), /^ELF \d+$/, file);
      } finally {
        server.close();
      }
    }
  });
}

test.after(async () => {
  await (await browser)?.close();
});

test.run();
