/**
 * Makes a code cache of a bundle of the program: `node FLAGS SCRIPT NAME LINKS FILE` runs the command lines LINKS (JSON) one after another in one
 * process, without a cache, then writes what V8 has compiled.
 *
 * Bundled into dist/ (warm.ts), where the bundles are.
 */
import { loadBundle } from "../ts/start/load.ts";

const [name, json, file] = process.argv.slice(2) as [string, string, string];
const links = JSON.parse(json) as string[][];
const { script, tie, start } = loadBundle(name);
// The program ends by this (ts/cli.ts).
const program = process as NodeJS.Process & { reallyExit(status: number): void };
const end = program.reallyExit;

// With something to hand over to, because the complete program without it may change the flags, which the cache is tied to.
function handedOver(): void {
  throw new Error("handed over");
}

function next(): void {
  const link = links.shift();
  if (link === undefined) {
    require("node:fs").writeFileSync(file, Buffer.concat([script.createCachedData(), Buffer.from(tie)]));
    end.call(process, 0);
  }
  process.removeAllListeners("uncaughtException");
  process.argv = [process.argv[0]!, process.argv[1]!, ...link!];
  start(handedOver);
}

program.reallyExit = (status) => {
  if (status !== 0) end.call(process, status);
  setImmediate(next);
};
next();
