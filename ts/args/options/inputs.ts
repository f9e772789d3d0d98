/**
 * Options under "Inputs" in --help: files, where they are looked for, and what holds at their place on the command line.
 */
import { isLld } from "../identity.ts";
import type { ByteString } from "../link-options.ts";
import { into, named, onOff, option, push, put } from "../option-row.ts";
import type { OptionRow, ParseState } from "../option-row.ts";

export const INPUTS: OptionRow[] = [
  option("--library -l", "=NAME", "Search libNAME.so and libNAME.a; :FILE searches the exact name", (s, v) => addInput(s, "library", v)),
  option("--library-path -L", "=DIR", "Look for libraries in DIR; a leading = or $SYSROOT is the sysroot", push("libraryPaths")),
  option("--sysroot", "=DIR", "Directory that stands for / in search directories and scripts", into("sysroot")),
  option("--directory -C", "=DIR", "Change to DIR before anything is read or written", push("directories")),
  option("--chroot", "=DIR", "Directory that stands before absolute paths of inputs", into("chroot")),
  option("--remap-inputs", "=GLOB=FILE", "Read FILE instead of inputs that match", (s, v) => void s.options.remapInputs.push({ line: v, from: "--remap-inputs" })),
  option("--remap-inputs-file", "=FILE", "File of --remap-inputs lines", push("remapInputsFiles")),
  option("--nostdlib", "", "Search only the directories given with -L", put("noStdlib", true)),
  ...onOff("--dependent-libraries", "dependentLibraries", "Load the libraries that objects themselves ask for (default)", "Do not"),
  option("--start-group -(", "", "Archives up to --end-group refer to each other (they always may)", (s) => group(s, true)),
  option("--end-group -)", "", "End of --start-group", (s) => group(s, false)),
  option("--start-lib", "", "Treat the following objects as members of one archive", (s) => lib(s, true)),
  option("--end-lib", "", "End of --start-lib", (s) => lib(s, false)),
  option("--whole-archive", "", "Take every member of the following archives", (s) => void (s.now.wholeArchive = true)),
  option("--no-whole-archive", "", "Take archive members only when they are wanted (default)", (s) => void (s.now.wholeArchive = false)),
  option("--as-needed", "", "DT_NEEDED for the following shared objects only when they are used", (s) => void (s.now.asNeeded = true)),
  option("--no-as-needed", "", "DT_NEEDED for every following shared object (default)", (s) => void (s.now.asNeeded = false)),
  option("--no-copy-dt-needed-entries --no-add-needed", "", "Only look into libraries that are named (default)", (s) => void (s.now.copyNeeded = false)),
  option("--copy-dt-needed-entries --add-needed", "", "Look into the libraries that the following shared objects need, too", (s) => void (s.now.copyNeeded = true)),
  option("--Bstatic --dn --non_shared", "", "Search only archives for the following -l", (s) => void (s.now.static = true)),
  option("--Bdynamic --dy --call_shared", "", "Search shared objects too for the following -l (default)", (s) => void (s.now.static = false)),
  option("--static", "", "As -Bstatic, and no dynamic linker is asked for", (s) => void ((s.now.static = true), (s.options.static = true))),
  option("--push-state", "", "Save --as-needed, --whole-archive and -Bstatic", (s) => void s.saved.push({ ...s.now })),
  option("--pop-state", "", "Restore what --push-state saved", popState),
  option("--format -b", "=FORMAT", "Format of the following inputs: elf, default or binary", setFormat),
  option("--just-symbols", "=FILE", "Take only the addresses of symbols from an ELF file", (s, v) => void s.options.justSymbols.push({ path: v, mayBeFolder: false })),
  option("--script -T", "=FILE", "Read a linker script", (s, v) => void s.options.scripts.push({ path: v, place: s.options.inputs.length })),
  option("--mri-script -c", "=FILE", "Read an MRI script", (s, v) => void s.options.scripts.push({ path: v, place: s.options.inputs.length, mri: true })),
  option("--default-script --dT", "=FILE", "Read a linker script unless -T gives one", named(into("defaultScript"))),
];

export function addInput(s: ParseState, kind: "file" | "library", name: ByteString): void {
  s.options.inputs.push({ kind, name, ...s.now, group: s.inGroup > 0 ? s.groups : 0, lib: s.inLib ? s.libs : 0, format: s.format });
}

/** A group in another is part of it, as with GNU ld: `gcc -static` brings one along. */
function group(s: ParseState, begin: boolean): void {
  if (begin ? s.inGroup > 0 && isLld(s.options) : s.inGroup === 0) s.errors.push(begin ? "nested --start-group" : "stray --end-group");
  if (begin && s.inGroup === 0) s.groups++;
  s.inGroup = Math.max(s.inGroup + (begin ? 1 : -1), 0);
}

function lib(s: ParseState, begin: boolean): void {
  if (begin && s.inGroup > 0) s.errors.push("may not nest --start-lib in --start-group");
  if (begin === s.inLib) s.errors.push(begin ? "nested --start-lib" : "stray --end-lib");
  else if (begin) s.libs++;
  s.inLib = begin;
}

function popState(s: ParseState): void {
  const state = s.saved.pop();
  if (state) s.now = state;
  else s.errors.push("unbalanced --push-state/--pop-state");
}

function setFormat(s: ParseState, v: ByteString): void {
  if (v === "binary") s.format = "binary";
  else if (v === "default" || /^elf(32|64)?(-|$)/.test(v)) s.format = "elf";
  else s.errors.push(`unknown --format value: ${v} (supported formats: elf, default, binary)`);
}
