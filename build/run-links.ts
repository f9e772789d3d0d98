/** Runs command lines one after another in one process (record-program.ts, record-kernels.ts): the program, which ends its process, ends a link instead. */

/** `start` starts the program with something to hand over to. Calls `done` after the last of `links`. */
export function runLinks(links: readonly string[][], start: (handedOver: () => void) => void, done: () => void): void {
  // The program ends by this (ts/cli.ts).
  const program = process as NodeJS.Process & { reallyExit(status: number): void };
  const end = program.reallyExit;
  let at = 0;
  const next = (): void => {
    const link = links[at++];
    if (link === undefined) {
      done();
      end.call(process, 0);
    }
    process.removeAllListeners("uncaughtException");
    process.argv = [process.argv[0]!, process.argv[1]!, ...link!];
    // Because the complete program without it may change the flags, which caches are tied to.
    start(() => {
      throw new Error("handed over");
    });
  };
  program.reallyExit = (status) => {
    if (status !== 0) end.call(process, status);
    setImmediate(next);
  };
  next();
}
