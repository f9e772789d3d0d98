/** dist/node.mjs: the API as Node imports it. Deno and Bun import index.mjs. */
import { api } from "./load-api.ts";

export const { link, createContext, createEngine, parseArgs, memoryFS, layerFS, realFS, LinkError } = api;
