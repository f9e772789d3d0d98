/**
 * Loads a bundle of dist/ with the code that V8 compiled when it was built or installed (build/warm.ts).
 *
 * Started without the launcher, it sets the launcher's flags itself: some come too late to be obeyed, but all of them are what V8
 * compares, and with the caches a small link takes three quarters of the time. Only in the Node that the caches are for, which knows them.
 *
 * No `import` of values from Node: for those esbuild adds helpers that copy modules, and this file is compiled at every start.
 */
import { NATIVES } from "../host/kernel-cache.ts";
import { tieOf } from "./tie.ts";

const fs = require("node:fs") as typeof import("node:fs");
const vm = require("node:vm") as typeof import("node:vm");

/** The flags of the launcher that are V8's. The build puts them in. */
declare const LAUNCHER_V8_FLAGS: readonly string[];

/** Room for the largest file that a small link starts with. Memory is taken when it is written to. */
const ROOM_BYTES = 1 << 20;

/** All is read into one buffer, because the first touch of memory costs more than reading, and readFileSync is a function that Node would have to compile first. */
let room = Buffer.allocUnsafeSlow(ROOM_BYTES);

/** The bytes of a file, until the next call. */
export function bytesOf(file: string): Buffer {
  const fd = fs.openSync(file, "r");
  try {
    let end = 0;
    for (;;) {
      const count = fs.readSync(fd, room, end, room.length - end, end);
      if (count === 0) return room.subarray(0, end);
      end += count;
      if (end === room.length) {
        const more = Buffer.allocUnsafeSlow(2 * end);
        room.copy(more);
        room = more;
      }
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** V8's flags that the launcher has set, or we. */
let v8Flags = process.execArgv.includes(NATIVES) ? process.execArgv : undefined;

function setLauncherFlags(): void {
  v8Flags = LAUNCHER_V8_FLAGS as string[];
  const v8 = require("node:v8") as typeof import("node:v8");
  for (const flag of v8Flags) v8.setFlagsFromString(flag);
}

/** What a bundle is: one function, with the parameters of ts/cli.ts. */
type Start = (exports: unknown, require: NodeJS.Require, module: NodeJS.Module, filename: string, dirname: string, complete?: () => void, inputBytes?: number, v8Flags?: readonly string[]) => void;

export interface Loaded {
  script: import("node:vm").Script;
  /** What the cache must end with. */
  tie: string;
  start(complete?: () => void, inputBytes?: number): void;
}

export function loadBundle(name: string): Loaded {
  const file = `${__dirname}/${name}.js`;
  const text = bytesOf(file).latin1Slice();
  const tie = tieOf(text);
  let cachedData: Buffer | undefined;
  try {
    const cache = bytesOf(`${__dirname}/${name}.cache`);
    if (cache.subarray(-tie.length).latin1Slice() === tie) {
      cachedData = cache.subarray(0, -tie.length);
      if (v8Flags === undefined) setLauncherFlags();
    }
  } catch {
    // Nobody has made it: V8 compiles the text.
  }
  // The name, which stack traces show, is kept in the cache: it is no folder of the machine that built it.
  const script = new vm.Script(text, { filename: `wield/dist/${name}.js`, cachedData });
  const run = script.runInThisContext() as Start;
  return { script, tie, start: (complete, inputBytes) => run(exports, require, module, file, __dirname, complete, inputBytes, v8Flags) };
}
