/** `link` and `createContext` of a module: all who import it share one engine, which is made when it is first needed. */
import type { Engine } from "./types.ts";

export function sharedEngine(create: () => Engine): Pick<Engine, "link" | "createContext"> {
  let engine: Engine | undefined;
  return {
    link: (options) => (engine ??= create()).link(options),
    createContext: (options) => (engine ??= create()).createContext(options),
  };
}
