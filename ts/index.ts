/**
 * The API on Node, Deno and Bun: `import { link } from "wield"`.
 *
 * Browsers have browser.ts, which exports the same but realFS. Nothing is set up and nothing is shared but the compiled
 * kernels; no process is left, and nothing is printed.
 */
import { createNodeHost, createNodePlatform } from "./host/node.ts";
import { localEngine } from "./api/context.ts";
import { linkHere, openHere } from "./api/local.ts";
import { parseHere } from "./api/parse-line.ts";
import { LinkError } from "./api/link-error.ts";
import { REAL_FILES } from "./api/file-system.ts";
import type { Engine, EngineOptions, FileStat, LinkContext, LinkFileSystem, LinkOptions, LinkResult } from "./api/types.ts";
import { utf8 } from "./memory/text.ts";

export { parseArgs } from "./api/parse-line.ts";
export { layerFS, memoryFS } from "./api/file-system.ts";
export { LinkError };
export type * from "./api/types.ts";

const platform = createNodePlatform();
const { kernels } = platform;

/** What is not beside this module was left behind by a bundler. */
platform.kernels = (debug) => {
  try {
    return kernels(debug);
  } catch (cause) {
    throw new LinkError("INIT_FAILED", `the linker's kernels cannot be loaded: ${(cause as Error).message} (in a bundle, import wield/inline or leave wield external)`, [], { cause });
  }
};

const engine = localEngine({
  platform: () => platform,
  realFiles: () => createNodeHost(),
  parse: parseHere,
});

/** Links. See LinkOptions for what may be said, LinkResult for what comes back. */
export function link(options: LinkOptions): Promise<LinkResult> {
  return linkHere(engine, options);
}

/** A link that will be repeated. Nothing is linked yet. */
export function createContext(options: LinkOptions): Promise<LinkContext> {
  return openHere(engine, options);
}

/** As in pages; here there is nothing to start, and only `kernels` as they are installed. */
export function createEngine(_options: EngineOptions = {}): Engine {
  let disposed = false;
  const unlessDisposed = async <T>(use: () => Promise<T>): Promise<T> => {
    if (disposed) throw new LinkError("DISPOSED", "the engine has been disposed of");
    return use();
  };
  return {
    link: (options) => unlessDisposed(() => link(options)),
    createContext: (options) => unlessDisposed(() => createContext(options)),
    threads: Promise.resolve(platform.cpus),
    dispose: () => void (disposed = true),
  };
}

/** The files of this machine: the default of `fs`, and a layer of layerFS. */
export function realFS(): LinkFileSystem {
  const host = createNodeHost();
  const files: LinkFileSystem = {
    stat(path): FileStat | undefined {
      const stat = host.stat(utf8(path));
      return stat === undefined || stat.kind === "directory" ? undefined : { size: stat.bytes, mtimeMs: stat.modified };
    },
    read: (path) => host.readAll(utf8(path)),
  };
  return Object.assign(files, { [REAL_FILES]: true });
}
