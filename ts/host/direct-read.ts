/**
 * pread(2) as Node's own modules call it: fs.readSync looks at each of its arguments first, which takes longer than a short read, and a large
 * link makes tens of thousands.
 *
 * Node has kept process.binding for old programs and promises nothing about what is in it: so it is only used in the very Node that
 * wield was built with, after it has been tried there (build/direct-read.ts). Arguments that Node would refuse end the process: who
 * calls makes sure of them.
 */

/** Descriptor, memory, where in it, how many bytes (fewer than 2 GiB), position in the file; bytes read. Throws what fs.readSync throws. */
export type DirectRead = (fd: number, memory: Uint8Array, address: number, bytes: number, position: number) => number;

/** The Node in which it may be used; "" = in none. */
declare const DIRECT_READS: string | undefined;

/** What tells builds of Node apart. */
export const nodeBuild = ({ version, versions, arch }: Pick<NodeJS.Process, "version" | "versions" | "arch">): string => version + versions.v8 + arch;

/** `node`: this process. */
export function directRead(node: NodeJS.Process): DirectRead | undefined {
  const { env, versions } = node;
  if (typeof DIRECT_READS === "undefined" || DIRECT_READS !== nodeBuild(node) || "bun" in versions || "deno" in versions) return undefined;
  // Node can be told to warn of what may go.
  if (env["NODE_PENDING_DEPRECATION"] !== undefined || (env["NODE_OPTIONS"] ?? "") !== "") return undefined;
  return (node as unknown as { binding?: (name: string) => { read?: DirectRead } }).binding?.("fs").read;
}
