/**
 * Loads the API in Node, which is a script (dist/api.js) with the code that V8 compiled when it was built or installed (build/warm.ts): a module
 * cannot bring its code cache along. With another Node than the one that built it, or with V8 flags, the cache is refused and everything is as in index.mjs.
 */
import { createRequire } from "node:module";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";
import { tieOf } from "./tie.ts";

// A bundle is elsewhere, or (as CommonJS) does not know where it is.
const folder = import.meta.url ? fileURLToPath(new URL(".", import.meta.url)).replace(/.$/, "") : "";
const filename = `${folder}/api.js`;
const text = existsSync(filename) ? readFileSync(filename, "latin1") : fail(`${filename} is not there: in a bundle, import wield/inline or leave wield external`);

function fail(message: string): never {
  throw new Error(message);
}

/** What the cache must end with. */
export const tie = tieOf(text);

function cachedCode(): Buffer | undefined {
  try {
    const cache = readFileSync(`${folder}/api.cache`);
    return cache.subarray(-tie.length).latin1Slice() === tie ? cache.subarray(0, -tie.length) : undefined;
  } catch {
    return undefined;
  }
}

/** As in load.ts, its name is no folder's. */
export const script = new Script(text, { filename: "wield/dist/api.js", cachedData: cachedCode() });

const module = { exports: {} };
script.runInThisContext()(module.exports, createRequire(import.meta.url), module, filename, folder);

export const api = module.exports as typeof import("../index.ts");
