/**
 * Options under "Inputs" in --help: files, where they are looked for, and what holds at their place on the command line.
 */
import type { ByteString } from "../link-options.ts";
import { into, must, named, push, put, should } from "../option-row.ts";
import type { OptionRow, ParseState } from "../option-row.ts";

export const INPUTS: OptionRow[] = [
  must("--library -l", "=NAME", "Search libNAME.so and libNAME.a; :FILE searches the exact name", (s, v) => addInput(s, "library", v)),
  must("--library-path -L", "=DIR", "Add a library search directory; a leading = or $SYSROOT is the sysroot", push("libraryPaths")),
  must("--sysroot", "=DIR", "Directory that stands for / in search directories and scripts", into("sysroot")),
  should("--directory -C", "=DIR", "Change to DIR before anything is read or written", push("directories")),
  should("--chroot", "=DIR", "Directory that stands before absolute paths of inputs", into("chroot")),
  should("--remap-inputs", "=GLOB=FILE", "Read FILE instead of inputs that match", (s, v) => void s.options.remapInputs.push({ line: v, from: "--remap-inputs" })),
  should("--remap-inputs-file", "=FILE", "File of --remap-inputs lines", push("remapInputsFiles")),
  must("--nostdlib", "", "Search only the directories given with -L", put("noStdlib", true)),
  should("--dependent-libraries", "", "Load the libraries that objects themselves ask for (default)", put("dependentLibraries", true)),
  should("--no-dependent-libraries", "", "Do not", put("dependentLibraries", false)),
  must("--start-group -(", "", "Archives up to --end-group refer to each other (they always may)", (s) => group(s, true)),
  must("--end-group -)", "", "End of --start-group", (s) => group(s, false)),
  must("--start-lib", "", "Treat the following objects as members of one archive", (s) => lib(s, true)),
  must("--end-lib", "", "End of --start-lib", (s) => lib(s, false)),
  must("--whole-archive", "", "Take every member of the following archives", (s) => void (s.now.wholeArchive = true)),
  must("--no-whole-archive", "", "Take archive members only when they are wanted (default)", (s) => void (s.now.wholeArchive = false)),
  must("--as-needed", "", "DT_NEEDED for the following shared objects only when they are used", (s) => void (s.now.asNeeded = true)),
  must("--no-as-needed", "", "DT_NEEDED for every following shared object (default)", (s) => void (s.now.asNeeded = false)),
  must("--no-copy-dt-needed-entries --no-add-needed", "", "Only look into libraries that are named (default)", (s) => void (s.now.copyNeeded = false)),
  should("--copy-dt-needed-entries --add-needed", "", "Look into the libraries that the following shared objects need, too", (s) => void (s.now.copyNeeded = true)),
  must("--Bstatic --dn --non_shared", "", "Search only archives for the following -l", (s) => void (s.now.static = true)),
  must("--Bdynamic --dy --call_shared", "", "Search shared objects too for the following -l (default)", (s) => void (s.now.static = false)),
  must("--static", "", "As -Bstatic, and no dynamic linker is asked for", (s) => void ((s.now.static = true), (s.options.static = true))),
  must("--push-state", "", "Save --as-needed, --whole-archive and -Bstatic", (s) => void s.saved.push({ ...s.now })),
  must("--pop-state", "", "Restore what --push-state saved", popState),
  should("--format -b", "=FORMAT", "Format of the following inputs: elf, default or binary", setFormat),
  should("--just-symbols", "=FILE", "Take only the addresses of symbols from an ELF file", (s, v) => void s.options.justSymbols.push({ path: v, mayBeFolder: false })),
  must("--script -T", "=FILE", "Read a linker script", (s, v) => void s.options.scripts.push({ path: v, place: s.options.inputs.length })),
  should("--mri-script -c", "=FILE", "Read an MRI script: LOAD, NAME, ORDER, SECT, BASE, PUBLIC and others", (s, v) => void s.options.scripts.push({ path: v, place: s.options.inputs.length, mri: true })),
  should("--default-script --dT", "=FILE", "Read a linker script unless -T gives one", named(into("defaultScript"))),
];

export function addInput(s: ParseState, kind: "file" | "library", name: ByteString): void {
  s.options.inputs.push({ kind, name, ...s.now, group: s.inGroup ? s.groups : 0, lib: s.inLib ? s.libs : 0, format: s.format });
}

function group(s: ParseState, begin: boolean): void {
  if (begin === s.inGroup) s.errors.push(begin ? "nested --start-group" : "stray --end-group");
  if (begin) s.groups++;
  s.inGroup = begin;
}

function lib(s: ParseState, begin: boolean): void {
  if (begin && s.inGroup) s.errors.push("may not nest --start-lib in --start-group");
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
