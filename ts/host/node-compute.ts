/**
 * What a link computes with on Node: the compiled kernels, worker threads, and V8's flags, which depend on how large the link is.
 *
 * A program (dist/cli.cjs) begins with flags for a short run, and code that was compiled under them (kernel-cache.ts). When the link turns out
 * to be another, they are changed before the kernels run, never after. The API changes nothing: there V8 is not ours.
 */
import { readFileSync } from "node:fs";
import * as Comlink from "comlink";
// @ts-expect-error comlink has no types for the .mjs path
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import type { StartedWorker, WorkerEndpoint } from "../memory/pool.ts";
import { LARGE_BYTES } from "./host.ts";
import { NATIVES, cachedKernels } from "./kernel-cache.ts";
import { largeLinkFlags } from "./large-link.ts";
import { NO_TURBOFAN, OPTIMISE, TURBOFAN, changedFlags, defaults, patient, setFlags } from "./v8-flags.ts";

/** Files, sections, lines or messages: more than links have that are in a hurry. */
const MANY = 2000;

/** In a program of one file (build/single.ts): what otherwise lies beside it. */
declare const EMBEDDED: { kernels: Uint8Array; worker: string };

export interface NodeWorker extends StartedWorker {
  send(message: unknown): void;
}

export class NodeCompute {
  /** The process is ours alone, and so are V8's flags. */
  private readonly program: boolean;
  /** What V8 has been told for a small link. */
  private readonly startFlags: readonly string[];
  private readonly node: Pick<NodeJS.Process, "version" | "versions" | "arch">;
  /** Of the release, of the debug build. */
  private readonly modules: (WebAssembly.Module | undefined)[] = [];
  private optimises = false;
  private mayReport = false;
  /** The inputs are few bytes, so far: kernels that seldom run need not be there. */
  private small = true;
  /** V8's, for a large link; null = those for a small one. */
  private flags: readonly string[] | null = null;

  constructor(program: boolean, startFlags: readonly string[], node: Pick<NodeJS.Process, "version" | "versions" | "arch">) {
    this.program = program;
    this.startFlags = startFlags;
    this.node = node;
  }

  /** Small links would wait longer for Node's own modules, whose compiled code is tied to the flags. */
  optimise(things: number): void {
    if (things < MANY || !this.program || this.optimises) return;
    this.optimises = true;
    if (this.startFlags.length === 0 && this.flags === null) return;
    this.change([...patient(this.node.versions.v8), OPTIMISE, TURBOFAN]);
  }

  expectReports(): void {
    this.mayReport = true;
  }

  expectLargeLink(bytes: number): void {
    this.small = false;
    if (!this.program || this.flags !== null) return;
    if (bytes < LARGE_BYTES) {
      if (this.mayReport) this.optimise(MANY);
      return;
    }
    this.flags = largeLinkFlags(this.startFlags.length > 0).filter((flag) => !this.optimises || flag !== NO_TURBOFAN);
    this.change(this.flags);
  }

  /** The cached kernels were compiled under the flags of before: they are loaded first. */
  private change(flags: readonly string[]): void {
    this.modules[0] ??= this.cachedKernels();
    setFlags(flags);
  }

  kernels(debug: boolean): WebAssembly.Module {
    const name = debug ? "kernels.debug.wasm" : "kernels.wasm";
    const bytes = (): Uint8Array => (typeof EMBEDDED === "undefined" ? readFileSync(`${import.meta.dirname}/${name}`) : EMBEDDED.kernels);
    return (this.modules[Number(debug)] ??= (debug ? undefined : this.cachedKernels()) ?? new WebAssembly.Module(bytes() as BufferSource));
  }

  private cachedKernels(): WebAssembly.Module | undefined {
    if (!this.program || !this.startFlags.includes(NATIVES)) return undefined;
    const { node } = this;
    const which = this.small && !this.mayReport ? "quick" : "launcher";
    return cachedKernels(`${import.meta.dirname}/kernels.${which}.cache`, node.version + node.versions.v8 + node.arch);
  }

  startWorker(file: string): NodeWorker {
    const { Worker } = require("node:worker_threads") as typeof import("node:worker_threads");
    const flags = this.program ? (this.flags ?? changedFlags(this.startFlags)) : [];
    if (this.program) setFlags(defaults(this.node.versions.v8));
    // The worker sets them again: this thread is too busy to hear that it has started.
    const worker = typeof EMBEDDED === "undefined" ? new Worker(`${import.meta.dirname}/${file}`, { workerData: flags }) : new Worker(EMBEDDED.worker, { eval: true, workerData: flags });
    let tell = (_reason: Error): void => undefined;
    // Unheard, it would end the process: a link can do without a thread that cannot start.
    worker.on("error", (error: Error) => tell(error));
    const endpoint = Comlink.wrap<WorkerEndpoint>(nodeEndpoint(worker));
    // After Comlink has begun to listen, which would keep the process until the worker is terminated.
    worker.unref();
    return {
      endpoint,
      busy: (on) => (on ? worker.ref() : worker.unref()),
      onEnd: (ended) => void (tell = ended),
      terminate: () => void worker.terminate(),
      send: (message) => worker.postMessage(message),
    };
  }
}
