/** Makes a code cache of a bundle of the program. */
import { loadBundle } from "../ts/start/load.ts";

/** Runs the command lines `links` one after another in this process, without a cache, then writes what V8 has compiled to `file`. */
export function record(name: string, links: string[][], file: string): void {
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
}
