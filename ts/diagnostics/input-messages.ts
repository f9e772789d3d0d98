/**
 * What is said about input files: one constructor per message, names and reasons in, one sentence out (lld's words where it
 * has them).
 */
import type { ByteString } from "../args/link-options.ts";
import type { DiagnosticCode, Message } from "./message.ts";

/** A file, or a member of the archive `path`. */
export interface Named {
  path: ByteString;
  /** "" = none. */
  member: ByteString;
}

const alone = (path: ByteString): Named => ({ path, member: "" });

/** `a.o`, or `lib.a(member.o)`: how messages and reports name an input. */
export const inputName = ({ path, member }: Named): ByteString => (member === "" ? path : `${path}(${member})`);

/** `text` is a sentence that has the file's name in it. */
function about({ path, member }: Named, code: DiagnosticCode, text: ByteString): Message {
  return { code, text, at: member === "" ? { input: path } : { input: path, member } };
}

/** The file's name, then `what`. */
const said = (file: Named, code: DiagnosticCode, what: ByteString): Message => about(file, code, `${inputName(file)}: ${what}`);

/** Why the host could not do it, in the system's words (HostError). */
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function cannotOpen(path: ByteString, error: unknown): Message {
  return about(alone(path), "FILE_NOT_FOUND", `cannot open ${path}: ${reasonOf(error)}`);
}

/** `why`: lines that help. */
export function noLibrary(library: ByteString, skipped: ByteString[], why: ByteString[]): Message {
  const lines = [`unable to find library -l${library}`, ...skipped.map((path) => `>>> skipped incompatible ${path}`), ...why.map((line) => `>>> ${line}`)];
  return { code: "LIBRARY_NOT_FOUND", text: lines.join("\n"), library, ...(why.length === 0 ? {} : { hint: why.join("\n") }) };
}

/** An object asks for it, in a .deplibs section. */
export function noDependentLibrary(file: Named, library: ByteString): Message {
  return { ...said(file, "LIBRARY_NOT_FOUND", `unable to find library from dependent library specifier: ${library}`), library };
}

/** DT_NEEDED of the shared object `by`. */
export function noNeededLibrary(library: ByteString, by: ByteString): Message {
  return { ...about(alone(by), "LIBRARY_NOT_FOUND", `${library}, needed by ${by}, not found (try using -rpath or -rpath-link)`), library };
}

export function skipping(path: ByteString, name: ByteString): ByteString {
  return `skipping incompatible ${path} when searching for -l${name}`;
}

/** `sysroot`: the folder that an absolute name was looked for in, "" = none. */
export function noScriptFile(name: ByteString, sysroot: ByteString): ByteString {
  return sysroot === "" ? `unable to find ${name}` : `cannot find ${name} inside ${sysroot}`;
}

/** `kind`: of script. */
export function noScript(kind: "linker" | "version", path: ByteString): Message {
  return about(alone(path), "FILE_NOT_FOUND", `cannot find ${kind} script ${path}`);
}

export function scriptInItself(script: ByteString): Message {
  return said(alone(script), "BAD_SCRIPT", "linker script includes itself");
}

export function scriptsTooDeep(script: ByteString): Message {
  return said(alone(script), "BAD_SCRIPT", "linker scripts are nested too deeply");
}

/** A line of its own for what a file is, "" = nothing is known. */
const itIs = (what: string): string => (what === "" ? "" : `\n>>> it is ${what}`);

/** `what`: foreignFile. */
export function incompatible(file: Named, emulation: ByteString, what: string): Message {
  return about(file, "INCOMPATIBLE_FILE", `${inputName(file)} is incompatible with ${emulation}${itIs(what)}`);
}

export function empty(file: Named): Message {
  return said(file, "UNKNOWN_FILE", "file is empty");
}

/** `what`: foreignFile. */
export function unknownType(file: Named, what: string): Message {
  return said(file, "UNKNOWN_FILE", `unknown file type${itIs(what)}`);
}

/** -T. `what`: foreignFile. */
export function notAnyScript(file: Named, what: string): Message {
  return said(file, "UNKNOWN_FILE", `not a linker script${itIs(what)}`);
}

export function notLinkable(file: Named): Message {
  return said(file, "UNKNOWN_FILE", "neither a relocatable object nor a shared object");
}

export function truncated(file: Named): Message {
  return said(file, "UNKNOWN_FILE", "file is too short for an ELF header");
}

export function corruptElf(file: Named, field: string): Message {
  return said(file, "BAD_OBJECT", `corrupted ELF file: invalid ${field}`);
}

/** A member of an archive that can only be an object. */
export function notElf(file: Named): Message {
  return said(file, "UNKNOWN_FILE", "not an ELF file");
}

export function staticLink(path: ByteString): Message {
  return about(alone(path), "INCOMPATIBLE_FILE", `attempted static link of dynamic object ${path}`);
}

const NO_CLANG = "there is no clang on PATH to compile it: compile without -flto, or with -ffat-lto-objects";

export function bitcode(file: Named): Message {
  return said(file, "INCOMPATIBLE_FILE", `LLVM bitcode (compiled with -flto); ${NO_CLANG}`);
}

export function lazyBitcode(file: Named): Message {
  return said(file, "INCOMPATIBLE_FILE", `archive member is LLVM bitcode (compiled with -flto) and is left out; ${NO_CLANG}`);
}

/** An object that only a compiler can finish, and why that failed. */
export function notCompiled(file: Named, why: ByteString): Message {
  return said(file, "INCOMPATIBLE_FILE", why);
}

export function oddMember({ path, member }: Named): Message {
  return { ...said(alone(path), "UNKNOWN_FILE", `archive member '${member}' is neither ET_REL nor LLVM bitcode`), at: { input: path, member } };
}

export function badArchive(archive: ByteString, what: string): Message {
  return said(alone(archive), "BAD_ARCHIVE", `failed to parse archive: ${what}`);
}

export function thinMember(archive: ByteString, member: ByteString, error: unknown): Message {
  return { ...said(alone(archive), "FILE_NOT_FOUND", `could not get the member ${member}: ${reasonOf(error)}`), at: { input: archive, member } };
}

export function noSymbols(path: ByteString): Message {
  return said(alone(path), "UNKNOWN_FILE", "--just-symbols: not an ELF file for this machine, or its symbol table is damaged");
}

/** `what` is a sentence of its own, or goes on with "has". */
export function badShared(path: ByteString, what: string): Message {
  return about(alone(path), "BAD_OBJECT", what.startsWith("has ") ? `${path} ${what}` : `${path}: ${what}`);
}
