/**
 * What links need of a runtime that has no files and no Node: a browser's worker or page, and any other through `wield/inline`.
 *
 * Workers are the file that is running, started once more: so nobody has to find a second one, and a Blob does as well. They are
 * only started where memory can be shared, which `crossOriginIsolated` tells (a shared memory can be made anywhere, but not posted)
 * everywhere but in WebKitGTK, whose workers are isolated and without SharedArrayBuffer.
 */
import * as Comlink from "comlink";
import { ELFCOMPRESS_ZLIB, ELFCOMPRESS_ZSTD } from "../../as-kernels/shared/elf.ts";
import type { WorkerEndpoint, WorkerIo } from "../memory/pool.ts";
import { createDigest } from "./digest.ts";
import { HandOver } from "./hand-over.ts";
import { HostError } from "./host.ts";
import { unpackZlib } from "./unpack-zlib.ts";
import { unpackZstd } from "./unpack-zstd.ts";
import type { Platform } from "./virtual.ts";

/**
 * Files of a small link, which 48 MiB are enough for: V8 counts all of a memory as used, and begins to collect garbage when a thread
 * has 64 MiB outside of its heap.
 */
const FEW_BYTES = 4 << 20;
const FEW_PAGES = 768;
/** 512 MiB: when a memory is more than half of what JavaScript may have, V8 collects garbage for every file that arrives. */
const SOME_PAGES = 1 << 13;

/** Compression is for runtimes that have it: what is written is the same everywhere, or not written at all. */
export const webIo: Pick<WorkerIo, "inflate" | "deflate" | "digest"> = {
  digest: createDigest,
  inflate(kind, bytes, size) {
    if (kind !== ELFCOMPRESS_ZLIB && kind !== ELFCOMPRESS_ZSTD) throw new HostError("ENOSYS", `unknown compression type ${kind}`);
    try {
      return kind === ELFCOMPRESS_ZLIB ? unpackZlib(bytes, size) : unpackZstd(bytes, size);
    } catch (error) {
      if (error instanceof HandOver) throw error;
      throw new HostError("EINVAL", "corrupted compressed data");
    }
  },
  deflate: () => undefined,
};

/** `module`: the kernels. `helpers`: what this file is started as once more, null where it cannot be. */
export function createWebPlatform(module: WebAssembly.Module, helpers: WorkerType | null): Platform {
  const scope = globalThis as { crossOriginIsolated?: boolean; location?: { href: string }; navigator?: { hardwareConcurrency?: number } };
  const threads = helpers !== null && scope.crossOriginIsolated === true && typeof SharedArrayBuffer === "function" ? Math.max(1, scope.navigator?.hardwareConcurrency ?? 1) : 1;
  return {
    cpus: threads,
    maxThreads: threads === 1 ? 1 : undefined,
    memoryPages: (bytes) => (bytes <= FEW_BYTES ? FEW_PAGES : SOME_PAGES),
    expectLargeLink: () => undefined,
    kernels: () => module,
    startWorker() {
      const worker = new Worker(scope.location!.href, { type: helpers! });
      return {
        endpoint: Comlink.wrap<WorkerEndpoint>(worker),
        terminate: () => worker.terminate(),
        send: (message) => worker.postMessage(message),
      };
    },
    random: (into) => void into.set(crypto.getRandomValues(new Uint8Array(into.length))),
    ...webIo,
    now: () => performance.now(),
    peakMemory: () => 0,
  };
}
