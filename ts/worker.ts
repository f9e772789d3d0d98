/** Entry of a worker thread on Node: serves phases over Comlink. Knows nothing of links; what it runs is in phases.ts. */
import { parentPort, workerData } from "node:worker_threads";
import * as Comlink from "comlink";
// @ts-expect-error: comlink ships no types for this file
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import { createWorkerIo } from "./host/node-files.ts";
import { setFlags } from "./host/v8-flags.ts";
import { PHASES } from "./phases.ts";
import { serve } from "./memory/pool.ts";

setFlags(workerData as readonly string[]);
Comlink.expose(serve(createWorkerIo(), PHASES), nodeEndpoint(parentPort!));
