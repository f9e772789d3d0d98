/**
 * A context with files in memory, enough for load-inputs and what it calls; no kernels, no workers.
 *
 * Files are a map from path to bytes; a path may also be of this machine's file system when the map does not have it.
 */
import * as fs from "node:fs";
import { EM_X86_64 } from "../../as-kernels/shared/elf.ts";
import { x86_64 } from "../../ts/arch/x86-64.ts";
import { defaultOptions } from "../../ts/args/default-options.ts";
import type { InputArgument, LinkOptions } from "../../ts/args/link-options.ts";
import type { Context } from "../../ts/context.ts";
import { Diagnostics } from "../../ts/diagnostics/print.ts";
import { HostError } from "../../ts/host/host.ts";
import { createMemory } from "../../ts/host/memory.ts";
import { Arena } from "../../ts/memory/arena.ts";
import { initTables, Params } from "../../ts/memory/table.ts";

export type Files = Record<string, Uint8Array | string>;

export interface Fixture {
  ctx: Context;
  /** What was printed, by line. */
  out: string[];
  err: string[];
  /** Paths in the order they were opened. */
  opened: string[];
  /** Calls of host.read. */
  reads: number;
}

const memory = createMemory();

export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

function contents(files: Files, path: string): Uint8Array {
  const given = files[path];
  if (given !== undefined) return typeof given === "string" ? latin1(given) : given;
  try {
    return fs.readFileSync(Buffer.from(path, "latin1"));
  } catch (error) {
    const code = (error as { code: string }).code;
    throw new HostError(code, code === "ENOENT" ? "No such file or directory" : code === "EISDIR" ? "Is a directory" : code);
  }
}

export function argument(text: string, position: Partial<InputArgument> = {}): InputArgument {
  const library = text.startsWith("-l");
  return {
    kind: library ? "library" : "file",
    name: library ? text.slice(2) : text,
    asNeeded: false,
    wholeArchive: false,
    static: false,
    copyNeeded: false,
    group: 0,
    lib: 0,
    format: "elf",
    ...position,
  };
}

export function fixture(files: Files, inputs: (string | InputArgument)[], options: Partial<LinkOptions> = {}): Fixture {
  const arena = new Arena(memory);
  const made: Fixture = { ctx: undefined as never, out: [], err: [], opened: [], reads: 0 };
  const open: (Uint8Array | undefined)[] = [];
  const host = {
    exists(path: string): boolean {
      return files[path] !== undefined || (fs.existsSync(path) && !fs.statSync(path).isDirectory());
    },
    stat: (path: string) => (files[path] === undefined ? undefined : { kind: "file", bytes: files[path]!.length, identity: path, modified: 0 }),
    open(path: string): number {
      made.opened.push(path);
      return open.push(contents(files, path)) - 1;
    },
    read(fd: number, into: Uint8Array, position: number): number {
      made.reads++;
      const bytes = open[fd]!.subarray(position, position + into.length);
      into.set(bytes);
      return bytes.length;
    },
    env: () => undefined,
    reopen: (path: string): string => path,
    size: (fd: number): number => open[fd]!.length,
    close(fd: number): void {
      if (open[fd] === undefined) throw new Error("closed twice");
      open[fd] = undefined;
    },
  };
  const params = new Params(arena);
  params.set("machine", EM_X86_64);
  made.ctx = {
    options: {
      ...defaultOptions(),
      noStdlib: true,
      ...options,
      inputs: inputs.map((input) => (typeof input === "string" ? argument(input) : input)),
    },
    host,
    arena,
    tables: initTables(arena),
    params,
    arch: x86_64,
    diag: new Diagnostics((stream, text) => void (stream === "stdout" ? made.out : made.err).push(...text.split("\n").filter((line) => line !== ""))),
    pool: { setSources: () => undefined },
    sources: [],
    inputs: [],
    loadedFiles: [],
    versionNodes: [],
    sharedObjects: [],
    archives: [],
    lto: null,
    dependents: null,
    traced: 0,
    bitcode: null,
  } as unknown as Context;
  return made;
}
