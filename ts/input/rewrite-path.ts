/**
 * --remap-inputs and --chroot: what is read instead of a path that the command line or a script names.
 *
 * As lld: an exact name wins over patterns, the first pattern that matches counts, and the new root comes last.
 */
import type { ByteString, LinkOptions } from "../args/link-options.ts";
import { Glob, GlobError } from "../script/glob.ts";

const WILDCARDS = /[?*[]/;

export class PathRewriter {
  private readonly exact = new Map<ByteString, ByteString>();
  private readonly patterns: { glob: Glob; file: ByteString }[] = [];
  private readonly root: ByteString;
  private readonly needed: boolean;

  /** `readFile`: text of a --remap-inputs-file, or undefined after it said what is wrong. */
  constructor(options: LinkOptions, readFile: (path: ByteString) => ByteString | undefined, error: (message: ByteString) => void) {
    this.root = options.chroot;
    this.needed = options.chroot !== "" || options.remapInputs.length > 0 || options.remapInputsFiles.length > 0;
    for (const path of options.remapInputsFiles) {
      const lines = (readFile(path) ?? "").split("\n");
      lines.forEach((line, i) => this.add(line.replace(/#.*/, "").trim(), `${path}:${i + 1}`, error));
    }
    for (const { line, from } of options.remapInputs) this.add(line, from, error);
  }

  path(path: ByteString): ByteString {
    return this.needed ? this.rooted(this.remapped(path)) : path;
  }

  /** For paths that are not inputs yet: only the new root. */
  rooted(path: ByteString): ByteString {
    return this.root !== "" && path.startsWith("/") ? this.root + path : path;
  }

  private remapped(path: ByteString): ByteString {
    return this.exact.get(path) ?? this.patterns.find(({ glob }) => glob.matches(path))?.file ?? path;
  }

  private add(line: ByteString, from: ByteString, error: (message: ByteString) => void): void {
    if (line === "") return;
    const [pattern, file, ...more] = line.split("=");
    if (file === undefined || file === "" || more.length > 0) return error(`${from}: parse error, not 'from-glob=to-file'`);
    if (!WILDCARDS.test(pattern!)) return void this.exact.set(pattern!, file);
    try {
      this.patterns.push({ glob: new Glob(pattern!), file });
    } catch (problem) {
      if (!(problem instanceof GlobError)) throw problem;
      error(`${from}: ${problem.message}`);
    }
  }
}
