/**
 * The API for Node: `link(arguments)` does what the program does with the same arguments, in this process.
 *
 * Not for browsers (they have no file system). Arguments are ordinary strings; a Host may be given to link elsewhere.
 */
import { createNodeHost } from "./host/node.ts";
import type { Host } from "./host/host.ts";
import { run } from "./run.ts";

export { createNodeHost } from "./host/node.ts";
export { HostError, type Host } from "./host/host.ts";

/** Runs one link; resolves to the exit status, 0 or 1. Messages go where the host prints. */
export function link(args: readonly string[], host: Host = createNodeHost()): Promise<number> {
  return run(args.map((argument) => Buffer.from(argument, "utf8").toString("latin1")), host);
}
