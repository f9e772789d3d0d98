/**
 * Options under "Output" in --help: the kind of file that is made, and what it says to loaders and tools.
 */
import type { ByteString, Compression, LinkOptions } from "../link-options.ts";
import { choice, count, into, isGlob, onOff, option, push, put } from "../option-row.ts";
import type { OptionRow, ParseState } from "../option-row.ts";
import { setZ } from "../z-options.ts";

export const OUTPUT: OptionRow[] = [
  option("--output -o", "=FILE", "Name of the output file (default a.out)", into("output")),
  ...onOff("--update-in-place", "updateInPlace", "Write over the old output (default from 16 MB on, unless it runs)", "Leave it until the link has succeeded"),
  option("-m", "=EMULATION", "What to link for: see supported emulations", setEmulation),
  option("--EL", "", "Little-endian output (the only kind)", () => {}),
  option("--pie --pic-executable", "", "Make a position-independent executable", put("pie", true)),
  option("--no-pie --no-pic-executable --nopie", "", "Make an executable with fixed addresses (default)", put("pie", false)),
  option("--shared --Bshareable", "", "Make a shared object", put("shared", true)),
  option("--relocatable -r -i --Ur", "", "Make an object file that can be linked again", put("relocatable", true)),
  option("--task-link", "=SYMBOL", "The same as -r", put("relocatable", true)),
  option("--force-group-allocation", "", "-r: section groups are dissolved", put("dissolveGroups", true)),
  option("--relocatable-merge-sections", "", "-r: sections are joined as in a program", put("relocatableMerge", true)),
  option("-d --dc --dp --define-common", "", "Give common symbols space with -r too", put("defineCommon", true)),
  option("--entry -e", "=SYMBOL", "Entry point: a symbol or an address", into("entry")),
  option("--dynamic-linker -I", "=FILE", "Dynamic linker of the output", into("dynamicLinker")),
  option("--no-dynamic-linker", "", "Do not write .interp", put("dynamicLinker", "")),
  option("--build-id", "[=STYLE]", "Write a build ID: fast (8 bytes; xx 16, without STYLE 20), sha1, sha256, md5, uuid, none or 0xHEX", setBuildId),
  option("--no-build-id", "", "Do not write a build ID (default)", put("buildId", "none")),
  option("--hash-style", "=STYLE", "Hash tables of the dynamic symbols: gnu, sysv, none or both (default)", choice("hashStyle", { gnu: "gnu", sysv: "sysv", both: "both", none: "none" }, "--hash-style")),
  ...onOff("--eh-frame-hdr", "ehFrameHdr", "Write .eh_frame_hdr", "Do not write .eh_frame_hdr (default)"),
  option("--soname -h", "=NAME", "DT_SONAME of the shared object", into("soname")),
  option("--rpath", "=DIR", "Add to the run-time search path", push("rpath")),
  option("-R", "=DIR", "As --rpath; as --just-symbols when it is a file", setRunPathOrSymbols),
  option("--rpath-link", "=DIR", "Where to find the shared objects that shared objects need", push("rpathLink")),
  option("--enable-new-dtags", "", "Write DT_RUNPATH (default)", put("newDtags", true)),
  option("--disable-new-dtags", "", "Write DT_RPATH", put("newDtags", false)),
  option("--strip-all -s", "", "Leave out the symbol table and debug sections", put("strip", "all")),
  option("--strip-debug -S", "", "Leave out debug sections", put("strip", "debug")),
  option("--strip-debug-non-line", "", "Leave out debug sections that say nothing of line numbers", (s) => void s.options.discardSections.push(/^\.z?debug_(?!info$|abbrev$|line$|str$|line_str$|str_offsets$|addr$|ranges$|rnglists$)/)),
  option("--strip-debug-gdb", "", "Leave out debug sections that gdb does not read", (s) => void s.options.discardSections.push(/^\.z?debug_(pubnames|pubtypes|gnu_pubnames|gnu_pubtypes)$/)),
  option("--discard-all -x", "", "Leave out local symbols", put("discard", "all")),
  option("--discard-locals -X", "", "Leave out temporary local symbols (.L)", put("discard", "locals")),
  option("--discard-none", "", "Keep every symbol", put("discard", "none")),
  option("--compress-debug-sections", "=KIND[:LEVEL]", "Compress debug sections: none, zlib (zlib-gabi, zlib-gnu) or zstd", setDebugCompression),
  option("--unique", "[=GLOB]", "Own output sections for input sections no script names (or that match GLOB)", setUnique),
  option("--separate-debug-file", "[=FILE]", "Write debug information to FILE (default OUTPUT.dbg), named by .gnu_debuglink", (s, v) => void (s.options.separateDebug = v === "" ? "\0" : v)),
  option("--no-separate-debug-file", "", "Keep it in the output (default)", put("separateDebug", "")),
  ...onOff("--gdb-index", "gdbIndex", "Write .gdb_index, from objects compiled with -ggnu-pubnames", "Write no .gdb_index (default)"),
  ...onOff("--debug-names", "debugNames", "Merge .debug_names of the inputs into one", "Keep .debug_names of the inputs side by side (default)"),
  option("--compress-sections", "=GLOB=KIND[:LEVEL]", "Compress unloaded output sections that match GLOB: none, zlib or zstd", addCompression),
  option("-O", "=LEVEL", "0 keeps mergeable strings apart, 2 merges string tails (default 1)", setOptimize),
  option("--no-string-merge", "", "Keep mergeable strings and constants apart, as -O0", put("mergeStrings", false)),
  option("--pack-dyn-relocs", "=FORMAT", "Packed dynamic relocations: none, relr, android or android+relr", setPackedRelocs),
  ...onOff("--use-android-relr-tags", "androidRelrTags", "Tags and section type of .relr.dyn as Android had them first", "Those of the gABI (default)"),
  option("-z", "=KEYWORD", "Keywords, see below", (s, v) => setZ(s, v)),
  option("--package-metadata", "=JSON", "Write a .note.package section; %XX and %[comma] stand for characters", setPackageMetadata),
  ...onOff("--gnu2-tls-tag", "gnu2TlsTag", "Require GLIBC_ABI_GNU2_TLS with TLS descriptors", "Do not (default)"),
  ...onOff("--apply-dynamic-relocs", "applyDynamicRelocs", "Write addends of dynamic relocations in place, too (default with --emit-relocs)", "Addends live in the relocations only (default otherwise)"),
  option("--gnu-unique", "", "Keep STB_GNU_UNIQUE (default)", put("noGnuUnique", false)),
  option("--no-gnu-unique", "", "Turn STB_GNU_UNIQUE into STB_GLOBAL", put("noGnuUnique", true)),
  option("--auxiliary -f", "=NAME", "DT_AUXILIARY", push("auxiliary")),
  option("--filter -F", "=NAME", "DT_FILTER", push("filter")),
  option("--audit", "=LIB", "DT_AUDIT", push("audit")),
  option("--depaudit -P", "=LIB", "DT_DEPAUDIT", push("depaudit")),
  option("--init", "=SYMBOL", "DT_INIT is the address of SYMBOL (default _init)", into("init")),
  option("--fini", "=SYMBOL", "DT_FINI is the address of SYMBOL (default _fini)", into("fini")),
  option("--disable-linker-version --no-identity-comment", "", "Leave the linker's name out of .comment", put("linkerVersion", false)),
  option("--split-stack-adjust-size", "=N", "Bytes of stack for code without -fsplit-stack (default 16384)", (s, v) => void (s.options.splitStackBytes = count(s, v, "--split-stack-adjust-size"))),
  option("--spare-dynamic-tags", "=N", "Leave room for N more entries in .dynamic (default 0)", (s, v) => void (s.options.spareDynamicTags = Math.min(count(s, v, "--spare-dynamic-tags"), 65536))),
  option("--out-implib", "=FILE", "Write an object of the output's global symbols and their addresses", into("outImplib")),
  option("--got-plt-syms", "", "Local symbols for GOT and PLT entries: f$got, f$plt, x$tlsgd", put("gotPltSymbols", true)),
  option("--emit-relocs -q", "", "Keep the relocations in the output", put("emitRelocs", true)),
  option("--oformat", "=FORMAT", "elf, binary (what is loaded, without headers), srec or ihex (that as text)", setOutputFormat),
];

function setUnique(s: ParseState, v: ByteString): void {
  if (v === "") s.options.unique = true;
  else if (isGlob(s, v, "--unique")) s.options.uniqueGlobs.push(v);
}

/** What --compress-sections calls them. */
const KINDS: Record<string, Compression["kind"]> = { none: "none", zlib: "zlib", zstd: "zstd" };
/** GNU's two names besides: how zlib's sections are marked was a choice once. */
const DEBUG_KINDS: typeof KINDS = { ...KINDS, "zlib-gabi": "zlib", "zlib-gnu": "zlib" };

/** KIND or KIND:LEVEL; null = it is neither, which is said. */
function compression(s: ParseState, option: string, kinds: typeof KINDS, v: ByteString): Compression | null {
  const [word = "", level] = v.split(/:(.*)/s);
  if (!Object.hasOwn(kinds, word)) s.errors.push(`unknown ${option} value: ${word} (one of ${Object.keys(kinds).join(", ")})`);
  else if (level !== undefined && !/^[0-9]{1,9}$/.test(level)) s.errors.push(`${option}: expected a non-negative integer compression level, but got '${level}'`);
  else return { kind: kinds[word]!, level: Number(level ?? 0) };
  return null;
}

/** With mold's level. */
function setDebugCompression(s: ParseState, v: ByteString): void {
  s.options.compressDebug = compression(s, "--compress-debug-sections", DEBUG_KINDS, v) ?? s.options.compressDebug;
}

/** GLOB=KIND or GLOB=KIND:LEVEL (lld). */
function addCompression(s: ParseState, v: ByteString): void {
  const parts = v.split("=");
  if (parts.length !== 2 || parts[1] === "") {
    s.errors.push(`--compress-sections: parse error, not 'section-glob=[none|zlib|zstd]'`);
    return;
  }
  const how = compression(s, "--compress-sections", KINDS, parts[1]!);
  if (how !== null) s.options.compressSections.push({ glob: parts[0]!, ...how });
}

function setRunPathOrSymbols(s: ParseState, v: ByteString): void {
  s.options.rpath.push(v);
  s.options.justSymbols.push({ path: v, mayBeFolder: true });
}

function setOutputFormat(s: ParseState, v: ByteString): void {
  s.options.hexFormat = v === "srec" || v === "ihex" ? v : "";
  s.options.binary = v === "binary" || s.options.hexFormat !== "";
  if (!s.options.binary && !/^(elf(-.*)?|elf64-(x86-64|little)|default)$/.test(v)) s.errors.push(`unknown --oformat value: ${v} (one of elf, binary, srec, ihex)`);
}

/** `_fbsd` names the same layout with another OS ABI, elf_amd64 the same as elf_x86_64 (lld). */
function setEmulation(s: ParseState, v: ByteString): void {
  s.options.freebsd = v.endsWith("_fbsd");
  const name = s.options.freebsd ? v.slice(0, -"_fbsd".length) : v;
  s.options.emulation = name === "elf_amd64" ? "elf_x86_64" : name;
}

function setPackedRelocs(s: ParseState, v: ByteString): void {
  if (v !== "none" && v !== "relr" && v !== "android" && v !== "android+relr") s.errors.push(`unknown --pack-dyn-relocs format: ${v}`);
  s.options.packRelr = v.endsWith("relr");
  s.options.packAndroid = v.startsWith("android");
}

function setBuildId(s: ParseState, v: ByteString): void {
  const styles: Record<string, LinkOptions["buildId"]> = { "": "usual", sha1: "sha1", tree: "sha1", sha256: "sha256", md5: "md5", fast: "fast", xx: "xx", uuid: "uuid", none: "none" };
  if (Object.hasOwn(styles, v)) {
    s.options.buildId = styles[v] as LinkOptions["buildId"];
  } else if (/^0[xX]/.test(v)) {
    const hex = parseHexBytes(v.slice(2));
    if (hex) s.options.buildId = { hex };
    else s.errors.push(`not a hexadecimal value: ${v}`);
  } else {
    s.errors.push(`unknown --build-id style: ${v} (one of ${Object.keys(styles).filter((style) => style !== "").join(", ")}, 0xHEX)`);
  }
}

/** GNU ld allows - and : between the bytes. */
function parseHexBytes(text: ByteString): Uint8Array | undefined {
  let digits = text.replace(/[-:]/g, "");
  if (!/^[0-9a-fA-F]+$/.test(digits)) return undefined;
  if (digits.length % 2) digits = "0" + digits;
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/** Names that GNU ld has for characters that mean something to drivers and shells. */
const NAMED_CHARACTERS: Record<string, string> = { comma: ",", lbrace: "{", quot: '"', rbrace: "}", space: " " };

function setPackageMetadata(s: ParseState, v: ByteString): void {
  s.options.packageMetadata = v.replace(/%(?:([0-9a-fA-F]{2})|\[(\w+)\])?/g, (text: string, digits?: string, name?: string) => {
    if (digits !== undefined) return String.fromCharCode(parseInt(digits, 16));
    if (name !== undefined && Object.hasOwn(NAMED_CHARACTERS, name)) return NAMED_CHARACTERS[name]!;
    s.errors.push(`--package-metadata=: invalid % escape: ${text === "%" ? v : text}; supports only %[0-9a-fA-F][0-9a-fA-F]`);
    return text;
  });
}

function setOptimize(s: ParseState, v: ByteString, spelling: ByteString): void {
  s.options.optimize = count(s, v, spelling);
}
