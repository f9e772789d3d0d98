/**
 * Makes the code cache of the API: `node SCRIPT LINKS FILE` links as the command lines LINKS (JSON) say, from files and from memory, once and
 * again, then writes what V8 has compiled.
 *
 * dist/warm-api.mjs (api.ts), beside the API.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { api, script, tie } from "../ts/start/load-api.ts";

const { createContext, link, memoryFS } = api;
const [links, file] = process.argv.slice(2) as [string, string];

/** A static link of `names`, from memory and again after one of them has changed. */
async function relink(names: string[]): Promise<void> {
  const fs = memoryFS(Object.fromEntries(names.map((name) => [name, readFileSync(name)])));
  const context = await createContext({ inputs: names, fs, gcSections: true, args: ["-static"] });
  for (let i = 0; i < 2; i++) {
    context.update({ [names[0]!]: readFileSync(names[0]!) });
    await context.relink({ throwOnError: false });
  }
  await context.dispose();
}

for (const args of JSON.parse(links) as string[][]) {
  await link({ args, write: true });
  const names = args.filter((word) => /\.[ao]$/.test(word));
  if (names.length > 2 && !args.includes("-shared") && !args.some((word) => word.startsWith("@"))) await relink(names);
}
writeFileSync(file, Buffer.concat([script.createCachedData(), Buffer.from(tie)]));
process.exit();
