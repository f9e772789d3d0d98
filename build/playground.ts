/**
 * `npm run playground`: builds the page and serves it. `-- --port N`; `-- --not-isolated`: as most servers do; `-- --build`: only
 * builds, into dist/playground; `-- --dev`: the sources, reloading.
 */
import * as fs from "node:fs";

const words = process.argv.slice(2);
if (words.includes("--not-isolated")) process.env["PLAYGROUND_ISOLATED"] = "0";
const port = words.includes("--port") ? Number(words[words.indexOf("--port") + 1]) : 4173;
const configFile = "playground/vite.config.ts";

if (!fs.existsSync("dist/browser.mjs")) throw new Error("dist/browser.mjs is missing: npm run build");
const { build, createServer, preview } = await import("vite");
if (words.includes("--dev")) {
  const server = await createServer({ configFile, server: { port } });
  await server.listen();
  server.printUrls();
} else {
  await build({ configFile, logLevel: "warn" });
  if (!words.includes("--build")) (await preview({ configFile, preview: { port } })).printUrls();
}
