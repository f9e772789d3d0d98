/**
 * File-system failures as the linker words them: errno codes with strerror's sentence instead of Node's.
 *
 * Not for internal errors: what is no system-call failure is passed on untouched.
 */
import { HostError } from "./host.ts";

/** Where libuv's sentence is not strerror's. */
const SENTENCES: Record<string, string> = {
  // Starting a program fails without a sentence.
  ENOENT: "No such file or directory",
  EACCES: "Permission denied",
  E2BIG: "Argument list too long",
  ENOEXEC: "Exec format error",
  EISDIR: "Is a directory",
  ENOTDIR: "Not a directory",
  EFBIG: "File too large",
  EIO: "Input/output error",
  ENAMETOOLONG: "File name too long",
  ELOOP: "Too many levels of symbolic links",
  EMFILE: "Too many open files",
  EROFS: "Read-only file system",
  ETXTBSY: "Text file busy",
  ESPIPE: "Illegal seek",
  EDQUOT: "Disk quota exceeded",
};

function sentence(code: string, message: string): string {
  const known = SENTENCES[code];
  if (known !== undefined) return known;
  const found = /^\w+: ([^,]+)/.exec(message)?.[1] ?? code;
  return found[0]!.toUpperCase() + found.slice(1);
}

/** The HostError for what `fs` threw, or what Node or Deno does not permit; anything else is returned as it is. */
export function hostError(error: unknown): unknown {
  if (error instanceof HostError) return error;
  const failure = error as NodeJS.ErrnoException;
  if (failure?.code === "ERR_ACCESS_DENIED" || failure?.name === "NotCapable") return new HostError("EACCES", failure.message);
  if (typeof failure?.code !== "string" || !/^E[A-Z0-9]+$/.test(failure.code)) return error;
  return new HostError(failure.code, sentence(failure.code, failure.message));
}

/** What one call reads or writes: Node takes no more than 2³¹ − 1 bytes, and version 26 reads none where 2³² are asked for. */
export const CALL_BYTES_MAX = 2 ** 30;

/** Runs `action`; system-call failures come out as HostError. */
export function guarded<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw hostError(error);
  }
}
