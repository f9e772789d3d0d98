/**
 * Where libraries and the files that linker scripts name are looked for.
 *
 * Says which paths exist, in order; whether a file suits the link is the caller's answer, and the search goes on when it does
 * not. The surprise: the usual system directories are searched after the -L ones, as GNU ld does and lld does not, because
 * rustc can call a linker without any -L.
 */
import type { ByteString, LinkOptions } from "../args/link-options.ts";

/** GNU ld's SEARCH_DIRs on x86-64 Debian and Fedora, in the sysroot. */
const DEFAULT_DIRECTORIES = [
  "/usr/local/lib/x86_64-linux-gnu",
  "/lib/x86_64-linux-gnu",
  "/usr/lib/x86_64-linux-gnu",
  "/usr/local/lib64",
  "/lib64",
  "/usr/lib64",
  "/usr/local/lib",
  "/lib",
  "/usr/lib",
];

export class Search {
  readonly directories: ByteString[];
  private readonly defaults: readonly ByteString[];
  /** Without a slash at the end. */
  private readonly sysroot: ByteString;
  private readonly hasSysroot: boolean;
  private readonly exists: (path: ByteString) => boolean;

  constructor(options: Pick<LinkOptions, "libraryPaths" | "noStdlib" | "sysroot">, exists: (path: ByteString) => boolean) {
    this.sysroot = options.sysroot === "" ? "" : options.sysroot.replace(/\/+$/, "");
    this.hasSysroot = options.sysroot !== "";
    this.exists = exists;
    this.directories = options.libraryPaths.map((path) => this.inSysroot(path));
    this.defaults = options.noStdlib ? [] : DEFAULT_DIRECTORIES.map((path) => this.sysroot + path);
  }

  /** All that are searched, in order. */
  get folders(): ByteString[] {
    return [...this.directories, ...this.defaults];
  }

  /** SEARCH_DIR of a script. */
  addDirectory(path: ByteString): void {
    this.directories.push(this.inSysroot(path));
  }

  /** Replaces a leading `=` or `$SYSROOT`. */
  inSysroot(path: ByteString): ByteString {
    if (path.startsWith("=")) return this.sysroot + path.slice(1);
    if (path.startsWith("$SYSROOT")) return this.sysroot + path.slice(8);
    return path;
  }

  /**
   * Offers the files that -l`name` can mean to `accept` until it takes one; false when none is left.
   * `:file` is an exact file name. Shared objects are not offered when `isStatic`.
   */
  library(name: ByteString, isStatic: boolean, accept: (path: ByteString) => boolean): boolean {
    const names = name.startsWith(":") ? [name.slice(1)] : isStatic ? [`lib${name}.a`] : [`lib${name}.so`, `lib${name}.a`];
    return this.each(this.directories, names, accept) || this.each(this.defaults, names, accept);
  }

  private each(directories: readonly ByteString[], names: ByteString[], accept: (path: ByteString) => boolean): boolean {
    for (const directory of directories) {
      for (const name of names) {
        const path = joinPath(directory, name);
        if (this.exists(path) && accept(path)) return true;
      }
    }
    return false;
  }

  /**
   * The file a script at `script` means by `name`, "" = none (a place that is certain is given even if nothing is there): an absolute path is in the sysroot only when the script is;
   * a relative one is looked for beside the script, in the current directory and along -L.
   */
  fileOfScript(name: ByteString, script: ByteString): ByteString {
    const rooted = name.startsWith("=") ? name.slice(1) : name.startsWith("$SYSROOT") ? name.slice(8) : null;
    if (rooted !== null) return rooted.startsWith("/") ? this.sysroot + rooted : joinPath(this.sysroot, rooted);
    if (name.startsWith("/")) return this.isInSysroot(script) ? this.existing(this.sysroot + name) : name;
    const beside = parentOf(script);
    if (beside !== "" && this.exists(joinPath(beside, name))) return joinPath(beside, name);
    if (this.exists(name)) return name;
    return this.file(name);
  }

  /** The first file of that name along the search path, "" = none. */
  file(name: ByteString): ByteString {
    let found = "";
    const take = (path: ByteString): boolean => ((found = path), true);
    if (!this.each(this.directories, [name], take)) this.each(this.defaults, [name], take);
    return found;
  }

  /** The sysroot if `name` in `script` is only looked for there, else "". */
  sysrootOf(script: ByteString, name: ByteString): ByteString {
    return name.startsWith("/") && this.isInSysroot(script) ? this.sysroot : "";
  }

  private existing(path: ByteString): ByteString {
    return this.exists(path) ? path : "";
  }

  private isInSysroot(path: ByteString): boolean {
    if (!this.hasSysroot) return false;
    const root = normalized(this.sysroot);
    return normalized(path).startsWith(root === "/" ? "/" : `${root}/`);
  }
}

export function joinPath(directory: ByteString, name: ByteString): ByteString {
  return directory.endsWith("/") || directory === "" ? directory + name : `${directory}/${name}`;
}

/** Directory part, "" when the path has none. */
export function parentOf(path: ByteString): ByteString {
  const slash = path.lastIndexOf("/");
  return slash === 0 ? "/" : path.slice(0, Math.max(slash, 0));
}

export function baseName(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Without empty, `.` and `..` parts, as text: symbolic links are not followed. */
export function normalized(path: ByteString): ByteString {
  const parts: ByteString[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts[parts.length - 1] !== "..") parts.pop();
    else parts.push(part);
  }
  return (path.startsWith("/") ? "/" : "") + parts.join("/");
}
