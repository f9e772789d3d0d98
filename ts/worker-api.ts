/** Entry of a worker thread of the API on Node, Deno and Bun: as worker.ts, and it knows files that exist in memory only. */
import { parentPort } from "node:worker_threads";
import * as Comlink from "comlink";
// @ts-expect-error: comlink ships no types for this file
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import { createWorkerIo } from "./host/node-files.ts";
import { createVirtualIo } from "./host/virtual-io.ts";
import { PHASES } from "./phases.ts";
import { serve } from "./memory/pool.ts";

const io = createVirtualIo(createWorkerIo());
parentPort!.on("message", (message) => io.receive(message));
Comlink.expose(serve(io, PHASES), nodeEndpoint(parentPort!));
