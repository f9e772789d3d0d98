/**
 * What is said about input files: one constructor per message, names and reasons in, one sentence out (lld's words where it
 * has them).
 */
import type { ByteString } from "../args/link-options.ts";

/** Why the host could not do it, in the system's words (HostError). */
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function cannotOpen(path: ByteString, error: unknown): ByteString {
  return `cannot open ${path}: ${reasonOf(error)}`;
}

export function noLibrary(name: ByteString, skipped: ByteString[]): ByteString {
  return [`unable to find library -l${name}`, ...skipped.map((path) => `>>> skipped incompatible ${path}`)].join("\n");
}

export function skipping(path: ByteString, name: ByteString): ByteString {
  return `skipping incompatible ${path} when searching for -l${name}`;
}

/** `sysroot`: the folder that an absolute name was looked for in, "" = none. */
export function noScriptFile(name: ByteString, sysroot: ByteString): ByteString {
  return sysroot === "" ? `unable to find ${name}` : `cannot find ${name} inside ${sysroot}`;
}

export function noScript(path: ByteString): ByteString {
  return `cannot find linker script ${path}`;
}

export function scriptInItself(script: ByteString): ByteString {
  return `${script}: linker script includes itself`;
}

export function incompatible(name: ByteString, emulation: ByteString): ByteString {
  return `${name} is incompatible with ${emulation}`;
}

export function empty(name: ByteString): ByteString {
  return `${name}: file is empty`;
}

export function unknownType(name: ByteString): ByteString {
  return `${name}: unknown file type`;
}

export function notLinkable(name: ByteString): ByteString {
  return `${name}: neither a relocatable object nor a shared object`;
}

export function truncated(name: ByteString): ByteString {
  return `${name}: file is too short for an ELF header`;
}

export function corruptElf(name: ByteString, field: string): ByteString {
  return `${name}: corrupted ELF file: invalid ${field}`;
}

/** A member of an archive that can only be an object. */
export function notElf(name: ByteString): ByteString {
  return `${name}: not an ELF file`;
}

export function staticLink(name: ByteString): ByteString {
  return `attempted static link of dynamic object ${name}`;
}

export function bitcode(name: ByteString): ByteString {
  return `${name}: LLVM bitcode (compiled with -flto); there is no clang on PATH to compile it: compile without -flto, or with -ffat-lto-objects`;
}

export function lazyBitcode(name: ByteString): ByteString {
  return `${name}: archive member is LLVM bitcode (compiled with -flto) and is left out; there is no clang on PATH to compile it: compile without -flto, or with -ffat-lto-objects`;
}

export function oddMember(archive: ByteString, member: ByteString): ByteString {
  return `${archive}: archive member '${member}' is neither ET_REL nor LLVM bitcode`;
}

export function badArchive(archive: ByteString, what: string): ByteString {
  return `${archive}: failed to parse archive: ${what}`;
}

export function thinMember(archive: ByteString, member: ByteString, error: unknown): ByteString {
  return `${archive}: could not get the member ${member}: ${reasonOf(error)}`;
}

export function noSymbols(path: ByteString): ByteString {
  return `${path}: --just-symbols: not an ELF file for this machine that has symbols`;
}

/** `what` is a sentence of its own, or goes on with "has". */
export function badShared(name: ByteString, what: string): ByteString {
  return what.startsWith("has ") ? `${name} ${what}` : `${name}: ${what}`;
}
