/** Makes a code cache of a bundle of the program. */
import { loadBundle } from "../ts/start/load.ts";
import { runLinks } from "./run-links.ts";

/** Runs the command lines `links` one after another in this process, without a cache, then writes what V8 has compiled to `file`. */
export function record(name: string, links: string[][], file: string): void {
  const { script, tie, start } = loadBundle(name);
  runLinks(links, start, () => require("node:fs").writeFileSync(file, Buffer.concat([script.createCachedData(), Buffer.from(tie)])));
}
