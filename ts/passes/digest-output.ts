/**
 * --build-id and --build-id=fast: the output as the main thread writes to it, digested on the way like what phases write (WorkerContext.write).
 *
 * The digest is a sum over all writes, so their order does not matter; which writes there are depends on the inputs alone.
 * Reading the finished file back would cost as much as writing it.
 */
import type { Context } from "../context.ts";
import type { OutputFile } from "../host/host.ts";

export const isDigested = ({ options: { buildId } }: Context): boolean => buildId === "fast" || buildId === "xx" || buildId === "usual";

/** `output` itself when nothing is digested. */
export function digestedOutput(ctx: Context, output: OutputFile): OutputFile {
  const { params, pool: { self } } = ctx;
  if (!isDigested(ctx)) return output;
  params.set("digests", 1);
  params.set("digest", 0n);
  const write = (bytes: Uint8Array, position: number): void => {
    let address = bytes.byteOffset;
    if (bytes.buffer !== self.u8.buffer) {
      address = self.window(0, bytes.length + 16);
      self.u8.set(bytes, address);
    }
    self.digest(address, bytes.length, position);
    output.write(bytes, position);
  };
  return {
    fd: output.fd, write,
    truncate: (bytes) => output.truncate(bytes),
    read: (into, position) => output.read(into, position),
    commit: () => output.commit(),
    abort: () => output.abort(),
  };
}
