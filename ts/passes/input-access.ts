/**
 * The files that a command line means, as the passes that load them get at them: looked for, renamed by options, opened, noted, refused.
 *
 * Not here: what is in them. A trouble is reported once, here; callers get null and go on, so that one run names every bad input.
 */
import type { ByteString, InputPosition } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { foreignFile } from "../diagnostics/foreign-file.ts";
import * as messages from "../diagnostics/input-messages.ts";
import { HostError } from "../host/host.ts";
import type { FileKind } from "../input/file-kind.ts";
import { OpenFile } from "../input/input-file.ts";
import { PathRewriter } from "../input/rewrite-path.ts";
import { joinPath, Search } from "../input/search.ts";

/** Where no option says anything. */
export const PLAIN: InputPosition = { asNeeded: false, wholeArchive: false, static: false, lib: 0, copyNeeded: false };

export class InputAccess {
  readonly machine: number;
  readonly search: Search;
  readonly paths: PathRewriter;
  /** -m means a machine that nobody knows, which is said already: files for other ones are no further mistakes. */
  readonly anyMachine: boolean;
  private readonly ctx: Context;
  private readonly loaded = new Set<ByteString>();

  constructor(ctx: Context) {
    this.ctx = ctx;
    this.machine = ctx.arch.e_machine;
    this.anyMachine = ctx.options.emulation !== "" && ctx.options.emulation !== ctx.arch.target.emulation;
    this.paths = new PathRewriter(ctx.options, (path) => this.mapText(path), (message) => ctx.diag.error(message));
    this.search = new Search(ctx.options, (path) => this.exists(path), (folder) => ctx.host.namesIn?.(this.paths.rooted(folder)));
  }

  exists(path: ByteString): boolean {
    return this.ctx.host.exists(this.paths.rooted(path));
  }

  open(path: ByteString): OpenFile | null {
    try {
      return new OpenFile(this.ctx.host, path, this.machine);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.ctx.diag.error(messages.cannotOpen(path, error));
      return null;
    }
  }

  /** The text of a file. */
  text(path: ByteString): ByteString | undefined {
    const file = this.open(path);
    const text = file?.text();
    file?.close();
    return text;
  }

  /** Adds a path to ctx.loadedFiles, once. */
  noteLoaded(path: ByteString): void {
    if (this.loaded.has(path)) return;
    this.loaded.add(path);
    this.ctx.loadedFiles.push(path);
  }

  /** Says why a file is no input. `head`: its first bytes, as far as they are known. */
  reject(kind: FileKind, file: messages.Named, head: Uint8Array = new Uint8Array(0)): void {
    const { arch, diag } = this.ctx;
    if (kind === "incompatible" && this.anyMachine) return;
    if (kind === "incompatible") diag.error(messages.incompatible(file, arch.target.emulation, foreignFile(head)));
    else if (kind === "empty") diag.error(messages.empty(file));
    else if (kind === "truncated") diag.error(messages.truncated(file));
    else if (kind === "no-class") diag.error(messages.corruptElf(file, "file class"));
    else if (kind === "no-byte-order") diag.error(messages.corruptElf(file, "data encoding"));
    else if (kind === "elf") diag.error(messages.notLinkable(file));
    else diag.error(messages.unknownType(file, foreignFile(head)));
  }

  /** The library that DT_NEEDED `name` of another one means, "" = none. */
  needed(name: ByteString): ByteString {
    if (name.includes("/")) return name;
    const { options, host } = this.ctx;
    const folders = [...options.rpathLink, ...options.rpath, host.env("LD_LIBRARY_PATH") ?? ""].flatMap((list) => list.split(":")).filter((folder) => folder !== "");
    return folders.map((folder) => joinPath(this.search.inSysroot(folder), name)).find((path) => this.exists(path)) ?? this.search.file(name);
  }

  /** Shared objects are not looked for. */
  isStatic(position: InputPosition): boolean {
    return position.static || this.ctx.options.relocatable;
  }

  /** Text of a --remap-inputs-file. */
  private mapText(path: ByteString): ByteString | undefined {
    const text = this.text(path);
    if (text !== undefined) this.noteLoaded(path);
    return text;
  }
}
