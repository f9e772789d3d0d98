/** What `import … from "wield"` gives, for TypeScript. The build puts it in dist/ beside types.ts; a test holds it to index.ts. */
import type { ByteSource, Diagnostic, Engine, EngineOptions, LinkContext, LinkErrorCode, LinkFileSystem, LinkOptions, LinkResult } from "./types.ts";

export * from "./types.ts";

/** Links. See LinkOptions for what may be said, LinkResult for what comes back. Rejects with LinkError. */
export declare function link(options: LinkOptions): Promise<LinkResult>;

/**
 * Options for `link` from a command line of ld, without the program's name: `args` as they are, and what they say about the
 * output in fields. Throws LinkError (LINK_FAILED) with a diagnostic for each option that is wrong.
 */
export declare function parseArgs(argv: readonly string[]): LinkOptions;

/** Files in memory, by path. Functions are called when a file is first needed. */
export declare function memoryFS(files: Readonly<Record<string, ByteSource>> | ReadonlyMap<string, ByteSource>): LinkFileSystem;

/** Several file systems as one: a path belongs to the first that has it. */
export declare function layerFS(...layers: readonly LinkFileSystem[]): LinkFileSystem;

/** A link that will be repeated. Plugins are set up; nothing is linked yet. `onProgress` and `throwOnError` are said to `relink` and `watch`. */
export declare function createContext(options: LinkOptions): Promise<LinkContext>;

/** An engine of one's own: in a page, a worker that can be given its files and can be ended. */
export declare function createEngine(options?: EngineOptions): Engine;

/** What a link that fails rejects with. */
export declare class LinkError extends Error {
  readonly code: LinkErrorCode;
  /** All that was said, warnings included. */
  readonly diagnostics: readonly Diagnostic[];
  constructor(code: LinkErrorCode, message: string, diagnostics?: readonly Diagnostic[], options?: ErrorOptions);
}
