/** What `import … from "wield"` gives, for TypeScript. The build puts it in dist/ beside types.ts; a test holds it to index.ts. */
import type { ByteSource, Diagnostic, Engine, EngineOptions, LinkContext, LinkErrorCode, LinkFileSystem, LinkOptions, LinkResult } from "./types.ts";

export * from "./types.ts";

/**
 * Links once. Nothing has to be set up, nothing is printed or written; any number of links may run at once. In a page it runs in a
 * worker, elsewhere in the calling thread (with worker threads when the inputs are large).
 *
 * Rejects with LinkError when the link fails, unless `throwOnError` is false; with a TypeError when an option has a wrong type.
 *
 * @example
 * const { output } = await link({ inputs: ["crt1.o", "main.o", { lib: "c" }], libraryPaths: ["/usr/lib/musl/lib"], gcSections: true });
 * await writeFile("main", output, { mode: 0o755 });
 */
export declare function link(options: LinkOptions): Promise<LinkResult>;

/**
 * Options for `link` from a command line of ld, without the program's name: `args` as they are, and what they say about the
 * output in fields, to be changed. Response files (`@file`) are read when the link begins. Throws LinkError (LINK_FAILED) with a
 * diagnostic for each option that is wrong.
 *
 * @example
 * const options = parseArgs(["-pie", "-o", "main", "main.o"]);
 * await link({ ...options, output: "main.debug", fs });
 */
export declare function parseArgs(argv: readonly string[]): LinkOptions;

/**
 * Files in memory, by path: `a.o`, `./a.o`, `/a.o` and `x/../a.o` are the same file. Functions are called when a file is first
 * needed, in each link anew.
 *
 * @example
 * const fs = memoryFS({ "main.o": bytes, "lib/libc.a": () => fetch("libc.a").then((answer) => answer.arrayBuffer()) });
 */
export declare function memoryFS(files: Readonly<Record<string, ByteSource>> | ReadonlyMap<string, ByteSource>): LinkFileSystem;

/**
 * Several file systems as one: a path belongs to the first that has it.
 *
 * @example
 * const fs = layerFS(memoryFS({ "main.o": bytes }), realFS());
 */
export declare function layerFS(...layers: readonly LinkFileSystem[]): LinkFileSystem;

/**
 * A link that will be repeated. Plugins are set up; nothing is linked yet. `signal`, `onProgress` and `throwOnError` are said to
 * `relink` and `watch`.
 *
 * @example
 * const context = await createContext({ inputs: ["start.o", "main.o"], fs });
 * await context.relink();
 * context.update({ "main.o": bytes });
 * const { output } = await context.relink();
 * await context.dispose();
 */
export declare function createContext(options: LinkOptions): Promise<LinkContext>;

/**
 * An engine of one's own: in a page, a worker that can be told where its files are, and can be ended. `link` and `createContext`
 * share one that is made when it is first needed and stays.
 *
 * @example
 * const engine = createEngine({ kernels: "/assets/kernels.wasm", createWorker: () => new Worker("/assets/web-worker.mjs", { type: "module" }) });
 * const { output } = await engine.link({ inputs: [{ name: "start.o", data: bytes }] });
 * engine.dispose();
 */
export declare function createEngine(options?: EngineOptions): Engine;

/** What a link that fails rejects with. `message` is that of the first error, `cause` what is behind ABORTED and INTERNAL. */
export declare class LinkError extends Error {
  readonly code: LinkErrorCode;
  /** Everything that was said, warnings included. */
  readonly diagnostics: readonly Diagnostic[];
  constructor(code: LinkErrorCode, message: string, diagnostics?: readonly Diagnostic[], options?: ErrorOptions);
}
