/**
 * Every option the linker knows: one row per option.
 *
 * Not here: the syntax of argv (parse.ts), -z keywords (z-options.ts). The surprise: what is not in this table is refused even when
 * ignoring it would look harmless, because configure scripts probe options and believe an exit status of 0.
 * Longer than the 300 lines we like because one table in one place is the point.
 */
import type { ByteString, LinkOptions } from "./link-options.ts";
import { accept, choice, count, into, must, parseHex, parseNumber, push, put, should } from "./option-row.ts";
import type { OptionRow, ParseState, Setter } from "./option-row.ts";
import { Glob, GlobError } from "../script/glob.ts";
import { setZ } from "./z-options.ts";

const INPUTS: OptionRow[] = [
  must("--library -l", "=NAME", "Search libNAME.so and libNAME.a; :FILE searches the exact name", (s, v) => addInput(s, "library", v)),
  must("--library-path -L", "=DIR", "Add a library search directory; a leading = or $SYSROOT is the sysroot", push("libraryPaths")),
  must("--sysroot", "=DIR", "Directory that stands for / in search directories and scripts", into("sysroot")),
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
  should("--just-symbols", "=FILE", "Take the addresses of symbols from an ELF file, and nothing else", (s, v) => void s.options.justSymbols.push({ path: v, mayBeFolder: false })),
  must("--script -T", "=FILE", "Read a linker script", (s, v) => void s.options.scripts.push({ path: v, place: s.options.inputs.length })),
  should("--default-script --dT", "=FILE", "Read a linker script unless -T gives one", into("defaultScript")),
];

const OUTPUT: OptionRow[] = [
  must("--output -o", "=FILE", "Name of the output file (default a.out)", into("output")),
  must("-m", "=EMULATION", "What to link for: see supported emulations", setEmulation),
  must("--EL", "", "Little-endian output (the only kind)", () => {}),
  must("--pie --pic-executable", "", "Make a position-independent executable", put("pie", true)),
  must("--no-pie --no-pic-executable", "", "Make an executable with fixed addresses (default)", put("pie", false)),
  must("--shared --Bshareable", "", "Make a shared object", put("shared", true)),
  must("--relocatable -r -i --Ur", "", "Make an object file that can be linked again", put("relocatable", true)),
  should("-d --dc --dp", "", "Give common symbols space with -r too", put("defineCommon", true)),
  must("--entry -e", "=SYMBOL", "Entry point: a symbol or an address", into("entry")),
  must("--dynamic-linker -I", "=FILE", "Dynamic linker of the output", into("dynamicLinker")),
  must("--no-dynamic-linker", "", "Do not write .interp", put("dynamicLinker", "")),
  must("--build-id", "[=STYLE]", "Write a build ID: fast (default, as lld 19), sha1, md5, uuid, none or 0xHEX", setBuildId),
  must("--no-build-id", "", "Do not write a build ID (default)", put("buildId", "none")),
  must("--hash-style", "=STYLE", "Hash tables of the dynamic symbols: gnu, sysv or both (default)", choice("hashStyle", { gnu: "gnu", sysv: "sysv", both: "both" }, "--hash-style")),
  must("--eh-frame-hdr", "", "Write .eh_frame_hdr", put("ehFrameHdr", true)),
  must("--no-eh-frame-hdr", "", "Do not write .eh_frame_hdr (default)", put("ehFrameHdr", false)),
  must("--soname -h", "=NAME", "DT_SONAME of the shared object", into("soname")),
  must("--rpath", "=DIR", "Add to the run-time search path", push("rpath")),
  must("-R", "=DIR", "As --rpath; as --just-symbols when it is a file", setRunPathOrSymbols),
  must("--rpath-link", "=DIR", "Where to find the shared objects that shared objects need", push("rpathLink")),
  must("--enable-new-dtags", "", "Write DT_RUNPATH (default)", put("newDtags", true)),
  must("--disable-new-dtags", "", "Write DT_RPATH", put("newDtags", false)),
  must("--strip-all -s", "", "Leave out the symbol table and debug sections", put("strip", "all")),
  must("--strip-debug -S", "", "Leave out debug sections", (s) => void (s.options.strip === "none" && (s.options.strip = "debug"))),
  must("--discard-all -x", "", "Leave out local symbols", put("discard", "all")),
  must("--discard-locals -X", "", "Leave out temporary local symbols (.L)", put("discard", "locals")),
  must("--discard-none", "", "Keep every symbol", put("discard", "none")),
  must("--compress-debug-sections", "=KIND", "Compress debug sections: none, zlib or zstd", choice("compressDebug", { none: "none", zlib: "zlib", "zlib-gabi": "zlib", zstd: "zstd" }, "--compress-debug-sections value")),
  should("--unique", "", "Give every input section that no script names an output section of its own", put("unique", true)),
  should("--gdb-index", "", "Write .gdb_index, from objects compiled with -ggnu-pubnames", put("gdbIndex", true)),
  should("--no-gdb-index", "", "Write no .gdb_index (default)", put("gdbIndex", false)),
  should("--debug-names", "", "Merge .debug_names of the inputs into one", put("debugNames", true)),
  should("--no-debug-names", "", "Keep .debug_names of the inputs side by side (default)", put("debugNames", false)),
  should("--compress-sections", "=GLOB=KIND[:LEVEL]", "Compress output sections that are not loaded and match GLOB: none, zlib or zstd", addCompression),
  must("-O", "=LEVEL", "Optimisation level: 0 keeps mergeable strings apart, 2 merges string tails (default 1)", setOptimize),
  must("--pack-dyn-relocs", "=FORMAT", "Packed dynamic relocations: none, relr, android or android+relr", setPackedRelocs),
  should("--use-android-relr-tags", "", "Tags and section type of .relr.dyn as Android had them first", put("androidRelrTags", true)),
  should("--no-use-android-relr-tags", "", "Those of the gABI (default)", put("androidRelrTags", false)),
  must("-z", "=KEYWORD", "Keywords, see below", (s, v) => setZ(s, v)),
  should("--package-metadata", "=JSON", "Write a .note.package section; %XX and %[comma] stand for characters", setPackageMetadata),
  should("--apply-dynamic-relocs", "", "Also write the addends of dynamic relocations in place", put("applyDynamicRelocs", true)),
  should("--no-apply-dynamic-relocs", "", "Addends live in the relocations only (default)", put("applyDynamicRelocs", false)),
  should("--gnu-unique", "", "Keep STB_GNU_UNIQUE (default)", put("noGnuUnique", false)),
  should("--no-gnu-unique", "", "Turn STB_GNU_UNIQUE into STB_GLOBAL", put("noGnuUnique", true)),
  should("--auxiliary -f", "=NAME", "DT_AUXILIARY", push("auxiliary")),
  should("--filter -F", "=NAME", "DT_FILTER", push("filter")),
  should("--audit", "=LIB", "DT_AUDIT", push("audit")),
  should("--depaudit -P", "=LIB", "DT_DEPAUDIT", push("depaudit")),
  should("--init", "=SYMBOL", "DT_INIT is the address of SYMBOL (default _init)", into("init")),
  should("--fini", "=SYMBOL", "DT_FINI is the address of SYMBOL (default _fini)", into("fini")),
  should("--spare-dynamic-tags", "=N", "Leave room for N more entries in .dynamic (default 0)", (s, v) => void (s.options.spareDynamicTags = Math.min(count(s, v, "--spare-dynamic-tags"), 65536))),
  should("--emit-relocs -q", "", "Keep the relocations in the output", put("emitRelocs", true)),
  should("--oformat", "=FORMAT", "Output format: elf; binary: the bytes as they are loaded, without headers; srec or ihex: those as text", setOutputFormat),
];

const SYMBOLS: OptionRow[] = [
  must("--export-dynamic -E", "", "Put all global symbols of an executable into the dynamic symbol table", put("exportDynamic", true)),
  must("--no-export-dynamic", "", "Only those that shared objects use (default)", put("exportDynamic", false)),
  must("--export-dynamic-symbol", "=GLOB", "Put matching symbols into the dynamic symbol table", pushGlob("exportDynamicSymbols")),
  must("--export-dynamic-symbol-list", "=FILE", "File of --export-dynamic-symbol patterns", push("exportDynamicSymbolLists")),
  must("--dynamic-list", "=FILE", "File of symbols that are exported, and stay preemptible in a shared object", push("dynamicLists")),
  should("--dynamic-list-data", "", "Put all variables on the dynamic list", put("dynamicListData", true)),
  should("--dynamic-list-cpp-new", "", "Put operator new and delete on the dynamic list", (s) => void s.options.dynamicListCpp.push("operator new*", "operator delete*")),
  should("--dynamic-list-cpp-typeinfo", "", "Put C++ type information on the dynamic list", (s) => void s.options.dynamicListCpp.push("typeinfo for *", "typeinfo name for *")),
  should("--retain-symbols-file", "=FILE", "Export only the symbols that FILE lists, one a line", (s, v) => void (s.options.retainSymbols = v)),
  should("--default-symver", "", "Exported symbols without a version get the soname as version", put("defaultSymver", true)),
  must("--version-script", "=FILE", "File of symbol versions", push("versionScripts")),
  must("--exclude-libs", "=LIBS", "Hide the symbols of these archives (comma-separated, or ALL)", (s, v) => void s.options.excludeLibs.push(...v.split(/[,:]/).filter(Boolean))),
  must("--Bsymbolic", "", "Bind references to own definitions when linking", put("bsymbolic", "all")),
  must("--Bsymbolic-functions", "", "As -Bsymbolic for functions", put("bsymbolic", "functions")),
  must("--Bsymbolic-non-weak", "", "As -Bsymbolic for symbols that are not weak", put("bsymbolic", "non-weak")),
  must("--Bsymbolic-non-weak-functions", "", "As -Bsymbolic for functions that are not weak", put("bsymbolic", "non-weak-functions")),
  should("--Bgroup", "", "The shared object and those it needs resolve symbols among themselves", (s) => void ((s.options.z.group = true), setZ(s, "defs"))),
  must("--Bno-symbolic", "", "Undo -Bsymbolic (default)", put("bsymbolic", "none")),
  must("--undefined -u", "=SYMBOL", "Start with an undefined symbol", push("undefined")),
  should("--undefined-glob", "=GLOB", "As --undefined for every matching name in an archive", pushGlob("undefinedGlobs")),
  should("--require-defined", "=SYMBOL", "As --undefined, and an error when nobody defines it", push("requireDefined")),
  must("--defsym", "=SYMBOL=EXPR", "Define a symbol", setDefsym),
  must("--wrap", "=SYMBOL", "References to SYMBOL go to __wrap_SYMBOL, those to __real_SYMBOL to SYMBOL", push("wrap")),
  must("--no-undefined", "", "Undefined symbols are errors in shared objects too", (s) => setZ(s, "defs")),
  must("--allow-shlib-undefined", "", "Shared objects may have undefined symbols", put("reportShlibUndefined", false)),
  must("--no-allow-shlib-undefined", "", "Undefined symbols of shared objects are errors", put("reportShlibUndefined", true)),
  must("--unresolved-symbols", "=WHAT", "report-all, ignore-all, ignore-in-object-files or ignore-in-shared-libs", setUnresolved),
  must("--warn-unresolved-symbols", "", "Undefined symbols are warnings", put("unresolvedAreWarnings", true)),
  must("--error-unresolved-symbols", "", "Undefined symbols are errors (default)", put("unresolvedAreWarnings", false)),
  must("--allow-multiple-definition", "", "The first of several definitions wins", put("allowMultipleDefinition", true)),
  must("--no-allow-multiple-definition", "", "Several definitions are an error (default)", put("allowMultipleDefinition", false)),
  must("--undefined-version", "", "Version scripts may name symbols that nobody defines", put("undefinedVersion", true)),
  must("--no-undefined-version", "", "They may not (default)", put("undefinedVersion", false)),
];

const LAYOUT: OptionRow[] = [
  must("--gc-sections", "", "Leave out sections that nothing refers to", put("gcSections", true)),
  must("--no-gc-sections", "", "Keep every section (default)", put("gcSections", false)),
  must("--print-gc-sections", "[=FILE]", "List the sections that were left out, in FILE or on standard output", (s, v) => void ((s.options.printGcSections = true), (s.options.printGcSectionsFile = v))),
  must("--no-print-gc-sections", "", "Do not list them (default)", put("printGcSections", false)),
  must("--relax", "", "Shorten code where the psABI allows it (default)", put("relax", true)),
  must("--no-relax", "", "Do not", put("relax", false)),
  should("--fix-cortex-a53-843419", "", "AArch64 only", onlyFor("AArch64")),
  should("--fix-cortex-a8", "", "ARM only", onlyFor("ARM")),
  should("--be8", "", "ARM only", onlyFor("ARM")),
  should("--toc-optimize", "", "PowerPC64 only", onlyFor("PowerPC64")),
  should("--pcrel-optimize", "", "PowerPC64 only", onlyFor("PowerPC64")),
  should("--relax-gp", "", "RISC-V only", onlyFor("RISC-V")),
  should("--execute-only", "", "AArch64 only", onlyFor("AArch64")),
  accept("--fix-cortex-a53-835769", "", "Ignored: AArch64 only"),
  should("--Ttext", "=ADDR", "Address of .text, hexadecimal", sectionStart(".text")),
  should("--Tdata", "=ADDR", "Address of .data", sectionStart(".data")),
  should("--Tbss", "=ADDR", "Address of .bss", sectionStart(".bss")),
  should("--section-start", "=NAME=ADDR", "Address of a section", setSectionStart),
  should("--Ttext-segment", "=ADDR", "As --image-base, hexadecimal", (s, v, spelling) => setImageBase(s, parseHex(v), v, spelling)),
  should("--image-base", "=ADDR", "Address of the first byte of the output", (s, v, spelling) => setImageBase(s, parseNumber(v), v, spelling)),
  should("--omagic -N", "", "Writable code, no page alignment, no shared objects", (s) => void ((s.options.omagic = true), (s.now.static = true))),
  should("--no-omagic", "", "Undo --omagic (default)", (s) => void ((s.options.omagic = false), (s.now.static = false))),
  should("--nmagic -n", "", "No page alignment, no shared objects", (s) => void ((s.options.nmagic = true), (s.now.static = true))),
  should("--no-nmagic", "", "Undo --nmagic (default)", (s) => void ((s.options.nmagic = false), (s.now.static = false))),
  should("--rosegment", "", "Read-only data in a segment of its own (default)", put("rosegment", true)),
  should("--no-rosegment", "", "Read-only data may share the segment of the code", put("rosegment", false)),
  should("--check-sections", "", "Sections may not overlap (default)", put("checkSections", true)),
  should("--no-check-sections", "", "They may", put("checkSections", false)),
  should("--icf", "=KIND", "Fold identical sections: none, safe or all", choice("icf", { none: "none", safe: "safe", all: "all" }, "--icf value")),
  should("--keep-unique", "=SYMBOL", "Do not fold the section SYMBOL is defined in", push("keepUnique")),
  should("--ignore-data-address-equality", "", "Fold data whose address may be compared", put("ignoreDataAddressEquality", true)),
  should("--ignore-function-address-equality", "", "Addresses of functions need not be equal among modules", put("ignoreFunctionAddressEquality", true)),
  should("--print-icf-sections", "", "List the sections that were folded", put("printIcfSections", true)),
  should("--no-print-icf-sections", "", "Do not list them (default)", put("printIcfSections", false)),
  should("--shuffle-sections", "=GLOB=SEED", "Put matching input sections into a random order; -1 reverses them, 0 is another order each time", setShuffle),
  should("--symbol-ordering-file", "=FILE", "Place the sections of symbols in the order of FILE", into("symbolOrderingFile")),
  should("--warn-symbol-ordering", "", "Warn when a symbol cannot be ordered (default)", put("warnSymbolOrdering", true)),
  should("--no-warn-symbol-ordering", "", "Do not", put("warnSymbolOrdering", false)),
  should("--call-graph-ordering-file", "=FILE", "Place functions that call each other together: CALLER CALLEE COUNT a line", into("callGraphOrderingFile")),
  should("--call-graph-profile-sort", "=KIND", "How call graphs order functions: none, hfsort or cdsort (default)", setCallGraphSort),
  should("--no-call-graph-profile-sort", "", "As --call-graph-profile-sort=none", put("callGraphSort", "none")),
  should("--optimize-bb-jumps", "", "Leave out jumps at the end of a section to the one behind it (clang -fbasic-block-sections)", put("optimizeBbJumps", true)),
  should("--no-optimize-bb-jumps", "", "Keep them (default)", put("optimizeBbJumps", false)),
  should("--print-symbol-order", "=FILE", "Write the symbols in the order the call graph gave them", into("printSymbolOrder")),
  should("--enable-non-contiguous-regions", "", "Input sections that do not fit may go to a later description that matches them", put("nonContiguousRegions", true)),
  should("--orphan-handling", "=MODE", "Sections a script does not name: place, warn, error or discard", choice("orphanHandling", { place: "place", warn: "warn", error: "error", discard: "discard" }, "--orphan-handling mode")),
  should("--sort-section", "=RULE", "Order of sections under a script: none, name or alignment", choice("sortSection", { none: "none", name: "name", alignment: "alignment" }, "--sort-section rule")),
];

const REPORTS: OptionRow[] = [
  must("-v", "", "Print the version, and link when there are inputs", (s) => void (s.showVersion ||= 1)),
  must("-V", "", "As -v, with the supported emulations", (s) => void (s.showVersion = 2)),
  must("--version", "", "Print the version and stop", (s) => void (s.stop ||= "version")),
  should("--print-output-format", "", "Print the output format and stop", (s) => void ((s.stop ||= "print"), (s.printed += "elf64-x86-64\n"))),
  should("--print-sysroot", "", "Print the sysroot and stop", (s) => void ((s.stop ||= "print"), (s.printed += `${s.options.sysroot}\n`))),
  should("--rsp-quoting", "=STYLE", "Quoting in @files: posix (default) or windows", setQuoting),
  must("--help", "", "Print this text and stop", (s) => void (s.stop ||= "help")),
  must("--verbose", "[=LEVEL]", "Say what is done, and print the default layout as a script", put("verbose", true)),
  must("--trace -t", "", "Print the names of the input files", put("trace", true)),
  must("--trace-symbol -y", "=SYMBOL", "Print who mentions SYMBOL", push("traceSymbols")),
  must("--Map", "=FILE", "Write a link map", into("mapFile")),
  must("--print-map -M", "", "Print a link map", put("mapFile", "-")),
  must("--cref", "", "Print a cross reference table", put("cref", true)),
  should("--print-memory-usage", "", "Print how full each memory region of the script is", put("printMemoryUsage", true)),
  must("--dependency-file", "=FILE", "Write the inputs as a Makefile rule", into("dependencyFile")),
  must("--fatal-warnings", "", "Warnings are errors", put("fatalWarnings", true)),
  must("--no-fatal-warnings", "", "They are not (default)", put("fatalWarnings", false)),
  should("--no-warnings -w", "", "Print no warnings", put("noWarnings", true)),
  must("--demangle", "[=STYLE]", "Print C++ names as written in the source (default)", put("demangle", true)),
  must("--no-demangle", "", "Print them as in the symbol table", put("demangle", false)),
  must("--color-diagnostics", "[=WHEN]", "Colours: auto (default), always or never", setColor),
  must("--no-color-diagnostics", "", "No colours", put("color", "never")),
  must("--error-limit", "=N", "Stop after N errors, 0 = never (default 20)", (s, v, spelling) => void (s.options.errorLimit = count(s, v, spelling))),
  should("--vs-diagnostics", "", "Begin messages with file(line), as Visual Studio wants them", put("vsDiagnostics", true)),
  should("--error-handling-script", "=FILE", "Run FILE with missing-lib LIBRARY or undefined-symbol NAME before such an error is printed", into("errorHandlingScript")),
  must("--warn-common", "", "Warn when a common symbol meets another definition", put("warnCommon", true)),
  should("--no-warn-common", "", "Do not (default)", put("warnCommon", false)),
  should("--warn-backrefs", "", "Warn when an archive only resolves names of files after it", put("warnBackrefs", true)),
  should("--warn-backrefs-exclude", "=GLOB", "Do not when the member, as lib.a(member.o), matches", pushGlob("warnBackrefsExclude")),
  should("--no-warn-backrefs", "", "Do not (default)", put("warnBackrefs", false)),
  must("--no-warn-mismatch", "", "Do not complain about unknown section types", put("warnMismatch", false)),
  should("--warn-mismatch", "", "Complain (default)", put("warnMismatch", true)),
  should("--noinhibit-exec", "", "Write the output in spite of errors", put("noinhibitExec", true)),
  should("--why-extract", "=FILE", "Write why each archive member is in the link", into("whyExtract")),
  should("--reproduce", "=FILE", "Write a tar archive of the inputs and a response file that links them again (also LLD_REPRODUCE)", into("reproduce")),
  should("--why-live", "=GLOB", "Print what keeps the symbols that match GLOB under --gc-sections", pushGlob("whyLive")),
  should("--print-archive-stats", "=FILE", "Write how many members of each archive are in the link", into("printArchiveStats")),
  must("--threads", "[=N]", "Number of threads, 1 to 256 (default: what the machine and the inputs allow)", setThreads),
  must("--no-threads", "", "One thread", put("threads", 1)),
  must("--time", "", "Print the passes with their milliseconds", put("time", true)),
  must("--stats", "", "Print counts", put("stats", true)),
  must("--time-trace", "[=FILE]", "Write Chrome trace events (default OUTPUT.time-trace)", (s, v) => void (s.options.timeTrace = v === "" ? "\0" : v)),
  should("--time-trace-granularity", "=N", "Leave passes shorter than N microseconds out of it (default 500)", (s, v, spelling) => void (s.options.timeTraceGranularity = count(s, v, spelling))),
  must("--verify-hashes", "", "Compare the bytes behind equal hashes", put("verifyHashes", true)),
  must("--compat-version", "=TEXT", "First line of --version, for scripts that only know GNU ld (also WIELD_COMPAT_VERSION)", into("compatVersion")),
  must("--plugin", "=FILE", "The compiler's LTO plugin; only named when an LTO object is met", into("plugin")),
  must("--plugin-opt", "=OPTION", "An option of the plugin", push("pluginOpts")),
];

const ACCEPTED: OptionRow[] = [
  accept("--sort-common", "[=ORDER]", "Ignored: common symbols are placed as they come"),
  accept("--no-keep-memory", "", "Ignored: memory use does not depend on it"),
  accept("-g", "", "Ignored: debug information is kept anyway"),
  accept("-G", "=SIZE", "Ignored: there are no small data sections"),
  accept("--Qy", "", "Ignored: SVR4 compatibility"),
  accept("-Y", "=PATHS", "Ignored: SVR4 default search path"),
  accept("--warn-execstack", "", "Ignored: an executable stack is only made with -z execstack"),
  accept("--no-warn-execstack", "", "Ignored: as --warn-execstack"),
  accept("--warn-rwx-segments", "", "Ignored: such segments are only made with --omagic"),
  accept("--no-warn-rwx-segments", "", "Ignored: as --warn-rwx-segments"),
  accept("--warn-once", "", "Ignored: undefined symbols are reported once anyway"),
  accept("--warn-shared-textrel", "", "Ignored: text relocations are errors unless -z notext"),
  accept("--enable-non-contiguous-regions-warnings", "", "Ignored: the link map shows where sections went"),
  accept("--long-plt", "", "Ignored: ARM only"),
  accept("--secure-plt", "", "Ignored: PowerPC only"),
  accept("--no-ctors-in-init-array", "", "Ignored: as lld"),
  accept("--ld-generated-unwind-info --no-ld-generated-unwind-info", "", "Ignored: unwind records of the PLT are never made, as in lld"),
  accept("--gpsize", "=SIZE", "Ignored: as -G"),
  accept("--target2", "=KIND", "Ignored: ARM only"),
  accept("--no-toc-optimize --no-pcrel-optimize --no-power10-stubs", "", "Ignored: PowerPC64 only"),
  accept("--architecture -A", "=NAME", "Ignored: the machine is that of -m and the inputs"),
  accept("-a", "=KEYWORD", "Ignored: HP/UX compatibility"),
  accept("--assert", "=KEYWORD", "Ignored: SunOS compatibility"),
  accept("--qmagic", "", "Ignored: Linux a.out compatibility"),
  accept("--ctf-variables --no-ctf-variables", "", "Ignored: CTF sections are copied as they are"),
  accept("--ctf-share-types", "=METHOD", "Ignored: as --ctf-variables"),
  accept("--no-fortran-common", "", "Ignored: common symbols never extract members"),
  accept("--no-define-common", "", "Ignored unless -d: common symbols of shared objects always have space"),
  accept("--reduce-memory-overheads", "", "Ignored: as --no-keep-memory"),
  accept("--hash-size", "=N", "Ignored: tables are as large as they have to be"),
  accept("--traditional-format", "", "Ignored: debug strings are merged as their sections allow"),
  accept("--accept-unknown-input-arch --no-accept-unknown-input-arch", "", "Ignored: inputs for other machines are refused"),
  accept("--warn-constructors --warn-multiple-gp --warn-section-align --warn-alternate-em", "", "Ignored: there is nothing of the kind to warn about"),
  accept("--warn-textrel", "", "Ignored: as --warn-shared-textrel"),
  accept("--force-exe-suffix", "", "Ignored: Windows only"),
  accept("--map-whole-files --no-map-whole-files", "", "Ignored: gold only"),
  accept("--strip-discarded", "", "Ignored: symbols of discarded sections are always left out"),
  accept("--save-temps", "[=WHAT]", "Ignored: used for LLVM bitcode only"),
  accept("--lto-sample-profile", "=FILE", "Ignored: as --save-temps"),
  accept("--thinlto-jobs --thinlto-cache-dir --thinlto-cache-policy --lto-partitions --lto-cs-profile-file --lto-obj-path", "=VALUE", "Ignored: as --save-temps"),
  accept("--lto-O0 --lto-O1 --lto-O2 --lto-O3 --lto-CGO0 --lto-CGO1 --lto-CGO2 --lto-CGO3", "", "Ignored: as --save-temps"),
  accept("--lto", "=KIND", "Ignored: as --save-temps"),
  accept("--lto-whole-program-visibility --no-lto-whole-program-visibility --lto-debug-pass-manager --lto-pgo-warn-mismatch --no-lto-pgo-warn-mismatch", "", "Ignored: as --save-temps"),
  accept("--lto-aa-pipeline --lto-newpm-passes --load-pass-plugin --thinlto-object-suffix-replace --thinlto-single-module", "=VALUE", "Ignored: as --save-temps"),
  accept("--disable-verify --lto-unique-basic-block-section-names", "", "Ignored: as --save-temps"),
  accept("--fat-lto-objects --no-fat-lto-objects", "", "Ignored: fat objects are linked from their machine code"),
  accept("--no-warn-ifunc-textrel --no-check-dynamic-relocations", "", "Ignored: the default"),
  accept("--mllvm", "=OPTION", "Ignored: an option of LLVM, which is not part of the link"),
  accept("--mmap-output-file", "", "Ignored: the output is written, not mapped"),
  accept("--no-mmap-output-file", "", "Ignored: as --mmap-output-file"),
];

/** In the order of --help. */
export const OPTION_GROUPS: readonly (readonly [string, readonly OptionRow[]])[] = [
  ["Inputs", INPUTS],
  ["Output", OUTPUT],
  ["Symbols", SYMBOLS],
  ["Sections and layout", LAYOUT],
  ["Reports", REPORTS],
  ["Accepted without effect", ACCEPTED],
];

/**
 * Options of GNU ld and lld we have not built: refused as unknown, but by their full name, so that `-mllvm` is not read as
 * `-m llvm` and the message can say that the option is real.
 */
export const KNOWN_ELSEWHERE: readonly string[] = (
  "EB " +
  "section-ordering-file repro " +
  "split-by-file split-by-reloc task-link init-array " +
  "out-implib in-implib lto-emit-asm lto-emit-llvm thinlto-index-only thinlto-emit-index-files thinlto-emit-imports-files opt-remarks-filename"
).split(" ");

/** GLOB=KIND or GLOB=KIND:LEVEL (lld). */
function addCompression(s: ParseState, v: ByteString): void {
  const parts = v.split("=");
  const [kind = "", level] = (parts[1] ?? "").split(/:(.*)/s);
  if (parts.length !== 2 || parts[1] === "") s.errors.push(`--compress-sections: parse error, not 'section-glob=[none|zlib|zstd]'`);
  else if (kind !== "none" && kind !== "zlib" && kind !== "zstd") s.errors.push(`unknown --compress-sections value: ${kind}`);
  else if (level !== undefined && !/^[0-9]{1,9}$/.test(level)) s.errors.push(`--compress-sections: expected a non-negative integer compression level, but got '${level}'`);
  else s.options.compressSections.push({ glob: parts[0]!, kind, level: Number(level ?? 0) });
}

export function addInput(s: ParseState, kind: "file" | "library", name: ByteString): void {
  s.options.inputs.push({ kind, name, ...s.now, group: s.inGroup ? s.groups : 0, lib: s.inLib ? s.libs : 0, format: s.format });
}

/** An option that only means something on another machine. */
function onlyFor(machine: LinkOptions["machineOptions"][number]["machine"]): Setter {
  return (s, _, spelling) => void s.options.machineOptions.push({ option: spelling, machine });
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

function setQuoting(s: ParseState, v: ByteString): void {
  if (v !== "posix" && v !== "windows") s.errors.push(`invalid response file quoting: ${v}`);
}

function setRunPathOrSymbols(s: ParseState, v: ByteString): void {
  s.options.rpath.push(v);
  s.options.justSymbols.push({ path: v, mayBeFolder: true });
}

function setFormat(s: ParseState, v: ByteString): void {
  if (v === "binary") s.format = "binary";
  else if (v === "default" || /^elf(32|64)?(-|$)/.test(v)) s.format = "elf";
  else s.errors.push(`unknown --format value: ${v} (supported formats: elf, default, binary)`);
}

function setOutputFormat(s: ParseState, v: ByteString): void {
  s.options.hexFormat = v === "srec" || v === "ihex" ? v : "";
  s.options.binary = v === "binary" || s.options.hexFormat !== "";
  if (!s.options.binary && !/^(elf(-|$)|elf64-x86-64|default$)/.test(v)) s.errors.push(`unknown --oformat value: ${v}`);
}

/** `_fbsd` names the same layout with another OS ABI. */
function setEmulation(s: ParseState, v: ByteString): void {
  const name = v.replace(/_fbsd$/, "");
  s.options.freebsd = name !== v;
  if (s.emulations.includes(name)) s.options.emulation = name;
  else s.errors.push(`unknown emulation: ${v} (supported: ${s.emulations.join(" ")})`);
}

function setPackedRelocs(s: ParseState, v: ByteString): void {
  if (v !== "none" && v !== "relr" && v !== "android" && v !== "android+relr") s.errors.push(`unknown --pack-dyn-relocs format: ${v}`);
  s.options.packRelr = v.endsWith("relr");
  s.options.packAndroid = v.startsWith("android");
}

function setBuildId(s: ParseState, v: ByteString): void {
  const styles: Record<string, LinkOptions["buildId"]> = { "": "fast", sha1: "sha1", tree: "sha1", md5: "md5", fast: "fast", uuid: "uuid", none: "none" };
  if (Object.hasOwn(styles, v)) {
    s.options.buildId = styles[v] as LinkOptions["buildId"];
  } else if (/^0[xX]/.test(v)) {
    const hex = parseHexBytes(v.slice(2));
    if (hex) s.options.buildId = { hex };
    else s.errors.push(`not a hexadecimal value: ${v.slice(2)}`);
  } else {
    s.errors.push(`unknown --build-id style: ${v}`);
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

function setDefsym(s: ParseState, v: ByteString): void {
  const equals = v.indexOf("=");
  if (equals > 0 && equals < v.length - 1) s.options.defsyms.push({ name: v.slice(0, equals).trim(), expression: v.slice(equals + 1) });
  else s.errors.push(`--defsym: syntax error: ${v}`);
}

function setCallGraphSort(s: ParseState, v: ByteString): void {
  if (v === "none" || v === "hfsort" || v === "cdsort") s.options.callGraphSort = v;
  else s.errors.push(`unknown --call-graph-profile-sort= value: ${v}`);
}

/** Which undefined symbols are reported: [those of objects, those of shared objects]. The last option that speaks of them counts (lld). */
const UNRESOLVED: Record<string, readonly [boolean, boolean]> = {
  "report-all": [true, true], "ignore-all": [false, false], "ignore-in-object-files": [false, true], "ignore-in-shared-libs": [true, false],
};

function setUnresolved(s: ParseState, v: ByteString): void {
  const what = Object.hasOwn(UNRESOLVED, v) ? UNRESOLVED[v] : undefined;
  if (what === undefined) s.errors.push(`unknown --unresolved-symbols value: ${v}`);
  else [s.options.reportUndefined, s.options.reportShlibUndefined] = what;
}

function setShuffle(s: ParseState, v: ByteString): void {
  const equals = v.indexOf("=");
  const [pattern, seed] = [v.slice(0, equals), v.slice(equals + 1)];
  if (equals <= 0 || seed === "") s.errors.push(`--shuffle-sections=: expected <section_glob>=<seed>, but got '${v}'`);
  else if (!/^-?(0[xX][0-9a-fA-F]{1,8}|[0-9]{1,15})$/.test(seed)) s.errors.push(`--shuffle-sections=: expected an integer, but got '${seed}'`);
  else {
    try {
      new Glob(pattern);
      s.options.shuffleSections.push({ pattern, seed: (seed.startsWith("-") ? -Number(seed.slice(1)) : Number(seed)) >>> 0 });
    } catch (error) {
      if (!(error instanceof GlobError)) throw error;
      s.errors.push(`--shuffle-sections=: ${error.message}`);
    }
  }
}

/** An option and its value as the user wrote them. */
function asWritten(spelling: ByteString, v: ByteString): ByteString {
  return spelling.includes("=") ? spelling : `${spelling} ${v}`;
}

function sectionStart(name: string): Setter {
  return (s, v, spelling) => {
    const address = parseHex(v);
    if (address === undefined) s.errors.push(`invalid argument: ${asWritten(spelling, v)}`);
    else s.options.sectionStarts.set(name, address);
  };
}

function setSectionStart(s: ParseState, v: ByteString, spelling: ByteString): void {
  const equals = v.lastIndexOf("=");
  const address = equals > 0 ? parseHex(v.slice(equals + 1)) : undefined;
  if (address === undefined) s.errors.push(`invalid argument: ${asWritten(spelling, v)}`);
  else s.options.sectionStarts.set(v.slice(0, equals), address);
}

function setImageBase(s: ParseState, address: bigint | undefined, v: ByteString, spelling: ByteString): void {
  const equals = spelling.indexOf("=");
  if (address === undefined) s.errors.push(`${equals < 0 ? spelling : spelling.slice(0, equals)}: number expected, but got ${v}`);
  else s.options.imageBase = address;
}

function setColor(s: ParseState, v: ByteString): void {
  if (v === "" || v === "always") s.options.color = "always";
  else if (v === "auto" || v === "never") s.options.color = v;
  else s.errors.push(`unknown option '--color-diagnostics=${v}': expected auto, always or never`);
}

/** Checked here so that the passes may compile it without care. */
function pushGlob(key: "exportDynamicSymbols" | "undefinedGlobs" | "whyLive" | "warnBackrefsExclude"): Setter {
  return (s, v, spelling) => {
    try {
      new Glob(v);
      s.options[key].push(v);
    } catch (error) {
      if (!(error instanceof GlobError)) throw error;
      s.errors.push(`${spelling.split("=")[0]}: ${error.message}`);
    }
  };
}

/** A bare --threads asks for threads, which is the default. */
function setThreads(s: ParseState, v: ByteString, spelling: ByteString): void {
  if (v === "" && !spelling.includes("=")) s.options.threads = 0;
  else if (!/^[0-9]+$/.test(v) || Number(v) === 0) s.errors.push(`--threads: expected a positive integer, but got '${v}'`);
  else if (Number(v) > 256) s.errors.push(`--threads: expected a number from 1 to 256, but got '${v}'`);
  else s.options.threads = Number(v);
}
