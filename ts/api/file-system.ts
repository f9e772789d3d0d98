/**
 * File systems that programs make for a link: files in memory, and several file systems in front of each other.
 *
 * Paths are plain text: `a.o`, `./a.o`, `/a.o` and `x/../a.o` are one file of a memoryFS.
 */
import { normalized } from "../input/search.ts";
import { readSource, sizeOfSource } from "./byte-source.ts";
import { checkLayers, checkSources } from "./check.ts";
import type { Bytes, ByteSource, FileStat, LinkFileSystem } from "./types.ts";

/** The path that stands for all spellings of it: no slash in front, no empty, `.` and `..` parts. */
export const plainPath = (path: string): string => normalized(`/${path}`).slice(1);

/** Files in memory, by path. Functions are called when a file is first needed, and again in the next link. */
export function memoryFS(files: Readonly<Record<string, ByteSource>> | ReadonlyMap<string, ByteSource>): LinkFileSystem {
  return new MemoryFiles(checkSources("files", files, false));
}

/** What memoryFS makes: others in here may look inside. */
export class MemoryFiles implements LinkFileSystem {
  /** By plainPath. */
  readonly sources: ReadonlyMap<string, ByteSource>;

  constructor(files: Iterable<readonly [path: string, source: ByteSource]>) {
    this.sources = new Map(Array.from(files, ([path, source]) => [plainPath(path), source]));
  }

  stat(path: string): FileStat | undefined {
    const source = this.sources.get(plainPath(path));
    return source === undefined ? undefined : { size: sizeOfSource(source) };
  }

  read(path: string): Uint8Array | Promise<Uint8Array> {
    const source = this.sources.get(plainPath(path));
    if (source === undefined) throw new Error("No such file or directory");
    return readSource(source);
  }
}

/** Marks the file system of the runtime, which the linker reads by descriptor and never asks for whole files. */
export const REAL_FILES = Symbol.for("wield.realFiles");

/** Several file systems as one: a path belongs to the first that has it. */
export function layerFS(...layers: readonly LinkFileSystem[]): LinkFileSystem {
  checkLayers(layers);
  return new Layers(layers.flatMap(layersOf));
}

// By what they have, not by class: inline.mjs has every class twice.

export function layersOf(fs: LinkFileSystem): readonly LinkFileSystem[] {
  return (fs as Partial<Layers>).layers ?? [fs];
}

export function isMemory(fs: LinkFileSystem): fs is MemoryFiles {
  return (fs as Partial<MemoryFiles>).sources instanceof Map;
}

/** The linker looks inside; others can use it as any file system. */
export class Layers implements LinkFileSystem {
  readonly layers: readonly LinkFileSystem[];

  constructor(layers: readonly LinkFileSystem[]) {
    this.layers = layers;
  }

  async stat(path: string): Promise<FileStat | undefined> {
    return (await this.find(path))?.stat;
  }

  async read(path: string): Promise<Bytes> {
    const found = await this.find(path);
    if (found === undefined) throw new Error("No such file or directory");
    return found.layer.read(path);
  }

  private async find(path: string): Promise<{ layer: LinkFileSystem; stat: FileStat } | undefined> {
    for (const layer of this.layers) {
      const stat = await layer.stat(path);
      if (stat !== undefined) return { layer, stat };
    }
    return undefined;
  }
}
