/**
 * What a signal ends: waiting for what others answer (files, plugins, workers), and going on at all.
 *
 * An answer that comes after the end is nobody's business, whether it is a value or an error.
 */
import { isLater } from "./byte-source.ts";
import { LinkError } from "./link-error.ts";

const abortedBy = (signal: AbortSignal): LinkError => new LinkError("ABORTED", "the link was aborted", [], { cause: signal.reason });

export function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortedBy(signal);
}

/** What `later` comes to; rejects with ABORTED as soon as the signal aborts, also when both have happened meanwhile. */
export async function untilAborted<T>(signal: AbortSignal | undefined, later: T | Promise<T>): Promise<T> {
  if (signal === undefined || !isLater(later)) return later;
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, failed) => {
    stop = () => failed(abortedBy(signal));
  });
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  try {
    return await Promise.race([aborted, later]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
