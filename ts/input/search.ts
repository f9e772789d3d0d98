/**
 * Where libraries and the files that linker scripts name are looked for.
 *
 * Says which paths exist, in order; whether a file suits the link is the caller's answer, and the search goes on when it does
 * not. The surprise: the usual system directories are searched after the -L ones, as GNU ld does and lld does not, because
 * rustc can call a linker without any -L. A folder where many names were looked for in vain is read: thousands of -L and hundreds of -l
 * are millions of questions otherwise.
 */
import { targetOf, type Target } from "../arch/targets.ts";
import type { ByteString, LinkOptions } from "../args/link-options.ts";

/** GNU ld's SEARCH_DIRs on Debian and Fedora, in the sysroot. */
const defaultDirectories = ({ multiarch }: Target): string[] => ["/" + multiarch, "64", ""].flatMap((kind) => ["/usr/local/lib", "/lib", "/usr/lib"].map((folder) => folder + kind));

/** Names that are looked for in vain in a folder before it is read. */
const MANY_MISSES = 64;

interface Folder {
  path: ByteString;
  misses: number;
  /** In lower case, which is enough to say what is not there; null = nobody has read it, or nobody can. */
  names: ReadonlySet<ByteString> | null;
}

export class Search {
  private readonly given: Folder[];
  private readonly defaults: readonly Folder[];
  /** Without a slash at the end. */
  private readonly sysroot: ByteString;
  private readonly hasSysroot: boolean;
  private readonly exists: (path: ByteString) => boolean;
  private readonly namesIn: (folder: ByteString) => ByteString[] | undefined;

  /** `namesIn`: the names in a folder; undefined = nobody can say. */
  constructor(options: Pick<LinkOptions, "libraryPaths" | "noStdlib" | "sysroot" | "emulation">, exists: (path: ByteString) => boolean, namesIn: (folder: ByteString) => ByteString[] | undefined = () => undefined) {
    this.sysroot = options.sysroot === "" ? "" : options.sysroot.replace(/\/+$/, "");
    this.hasSysroot = options.sysroot !== "";
    this.exists = exists;
    this.namesIn = namesIn;
    this.given = options.libraryPaths.map((path) => folder(this.inSysroot(path)));
    this.defaults = options.noStdlib ? [] : defaultDirectories(targetOf(options.emulation)).map((path) => folder(this.sysroot + path));
  }

  /** All that are searched, in order. */
  get folders(): ByteString[] {
    return [...this.given, ...this.defaults].map(({ path }) => path);
  }

  /** SEARCH_DIR of a script. */
  addDirectory(path: ByteString): void {
    this.given.push(folder(this.inSysroot(path)));
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
    return this.each(names, accept);
  }

  private each(names: readonly ByteString[], accept: (path: ByteString) => boolean): boolean {
    return this.eachIn(this.given, names, accept) || this.eachIn(this.defaults, names, accept);
  }

  private eachIn(folders: readonly Folder[], names: readonly ByteString[], accept: (path: ByteString) => boolean): boolean {
    let keys: readonly ByteString[] | null = null;
    for (const folder of folders) {
      if (folder.names !== null) keys ??= names.map(keyOf);
      for (let i = 0; i < names.length; i++) {
        if (folder.names !== null && keys !== null && keys[i] !== "" && !folder.names.has(keys[i]!)) continue;
        const path = joinPath(folder.path, names[i]!);
        if (this.exists(path) && accept(path)) return true;
        if (++folder.misses === MANY_MISSES) folder.names = this.readFolder(folder.path);
      }
    }
    return false;
  }

  private readFolder(path: ByteString): ReadonlySet<ByteString> | null {
    const names = this.namesIn(path === "" ? "." : path);
    return names === undefined ? null : new Set(names.map((name) => name.toLowerCase()));
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
    this.each([name], take);
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

/** What is in Folder.names if there is such a file; "" = it need not be. */
const keyOf = (name: ByteString): ByteString => (SIMPLE_NAME.test(name) ? name.toLowerCase() : "");

const folder = (path: ByteString): Folder => ({ path, misses: 0, names: null });

/** In no other folder, and the same name to every file system but for case. */
const SIMPLE_NAME = /^[!-.0-~]+$/;

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
