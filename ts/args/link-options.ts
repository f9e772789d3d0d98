/**
 * What a command line means: the record that options.ts rows land in and every pass reads.
 *
 * All names and paths are byte strings: one character per byte (latin1), because file, symbol and section names are bytes.
 * Nothing here reads files or decides defaults that depend on inputs.
 */

export type ByteString = string;

/** One input of the command line, in order, with the state of the positional options at that place. */
export interface InputArgument {
  /** `file`: a path; `library`: the X of -lX (`:name` for an exact file name). */
  kind: "file" | "library";
  name: ByteString;
  asNeeded: boolean;
  wholeArchive: boolean;
  /** -Bstatic: shared objects are not considered for -l. */
  static: boolean;
  /** --copy-dt-needed-entries: the libraries that a shared object needs are looked into as well. */
  copyNeeded: boolean;
  /** Between --start-group and --end-group: 1-based number of the pair, 0 = not inside one. */
  group: number;
  /** Between --start-lib and --end-lib: 1-based number of the pair, 0 = not inside one. */
  lib: number;
  /** -b / --format: "elf" (default, also "default") or "binary". */
  format: "elf" | "binary";
}

/** An option, or an input file, as --reproduce writes it. */
export interface WrittenOption {
  /** The option's main name; "" = an input file. */
  name: string;
  takes: "none" | "required" | "optional";
  /** Without the value. */
  spelling: ByteString;
  value: ByteString;
}

/** Options that hold at an input's place on the command line. */
export type InputPosition = Pick<InputArgument, "asNeeded" | "wholeArchive" | "static" | "lib" | "copyNeeded">;

/** One word of --section-order. */
export interface OutputOrderItem {
  kind: "headers" | "section" | "group" | "address" | "align" | "symbol";
  name: ByteString;
  /** The address or alignment. */
  value: bigint;
}

export interface SymbolPattern {
  pattern: ByteString;
  /** extern "C++": matches the demangled name. */
  cxx: boolean;
  /** Quoted in the script: no wildcards. */
  exact: boolean;
}

/** One node of a version script; the anonymous node has an empty name. */
export interface VersionNode {
  name: ByteString;
  globals: SymbolPattern[];
  locals: SymbolPattern[];
  /** Inherited versions. */
  parents: ByteString[];
  /** Not from a script: an option's meaning in these terms. */
  implied?: boolean;
}

/** How an output section is stored; level 0 = the default. */
export interface Compression {
  kind: "none" | "zlib" | "zstd";
  level: number;
}

export interface LinkOptions {
  /** argv[0]'s base name or "wield": the prefix of messages. */
  programName: string;
  inputs: InputArgument[];
  directories: ByteString[]; // -C, one inside the other
  /** With --reproduce: the command line, @files expanded. */
  written: WrittenOption[];
  output: ByteString; // "a.out"
  /** May the old output be written over? undefined: if it is a program. */
  updateInPlace: boolean | undefined;
  shared: boolean;
  pie: boolean;
  relocatable: boolean;
  dissolveGroups: boolean;
  relocatableMerge: boolean;
  defineCommon: boolean; // -d: common symbols get space under -r as well
  /** -static given: no dynamic linker by itself; with pie: static-pie. */
  static: boolean;
  emulation: ByteString; // -m, "" = from the first object; may be one that nobody knows (that is said)
  freebsd: boolean; // -m …_fbsd
  entry: ByteString; // "" = not given
  soname: ByteString;
  rpath: ByteString[]; // joined with ':' in DT_RUNPATH
  rpathLink: ByteString[];
  newDtags: boolean; // true
  dynamicLinker: ByteString | undefined; // undefined = not given; "" = --no-dynamic-linker
  libraryPaths: ByteString[]; // -L in order, sysroot prefixes not yet replaced
  noStdlib: boolean;
  dependentLibraries: boolean; // true: load the libraries that objects ask for
  sysroot: ByteString;
  chroot: ByteString; // --chroot: stands before absolute paths of inputs
  /** --remap-inputs, --remap-inputs-file: GLOB=FILE lines and where they come from. */
  remapInputs: { line: ByteString; from: ByteString }[];
  remapInputsFiles: ByteString[];
  /** --just-symbols; -R may name a folder, which is a run path then. */
  justSymbols: { path: ByteString; mayBeFolder: boolean }[];
  /** -T, and how many inputs stand before it. */
  scripts: { path: ByteString; place: number; mri?: true }[];
  defaultScript: ByteString;
  versionScripts: ByteString[];
  dynamicLists: ByteString[];
  dynamicListData: boolean;
  dynamicListCpp: ByteString[]; // demangled patterns of --dynamic-list-cpp-new, -typeinfo
  retainSymbols: ByteString; // file of --retain-symbols-file, "" = none
  defaultSymver: boolean;
  defaultImportedSymver: boolean;
  exportDynamicSymbols: ByteString[]; // --export-dynamic-symbol globs
  exportDynamicSymbolLists: ByteString[];
  exportDynamic: boolean;
  bsymbolic: "none" | "functions" | "all" | "non-weak-functions" | "non-weak";
  excludeLibs: ByteString[]; // "ALL" or archive base names
  undefined: ByteString[]; // -u
  undefinedGlobs: ByteString[];
  requireDefined: ByteString[];
  defsyms: { name: ByteString; expression: ByteString; place: number }[]; // place: scripts before it
  wrap: ByteString[];
  traceSymbols: ByteString[]; // -y
  init: ByteString; // "_init"
  fini: ByteString; // "_fini"
  auxiliary: ByteString[];
  filter: ByteString[];
  audit: ByteString[];
  depaudit: ByteString[];
  /** Are undefined symbols of objects, and of shared objects, reported? undefined: for executables, not for shared objects. */
  reportUndefined: boolean | undefined; // -z defs, --no-undefined, --unresolved-symbols
  reportShlibUndefined: boolean | undefined; // --[no-]allow-shlib-undefined, --unresolved-symbols
  unresolvedAreWarnings: boolean; // --warn-unresolved-symbols
  allowMultipleDefinition: boolean;
  undefinedVersion: boolean | undefined; // undefined = a warning, as ld.lld an error
  warnCommon: boolean;
  fortranCommon: boolean | undefined; // undefined = true, as ld.lld false
  warnTextrel: "" | "shared" | "any";
  warnBackrefs: boolean;
  warnBackrefsExclude: ByteString[];
  vsDiagnostics: boolean;
  errorHandlingScript: ByteString;
  gcSections: boolean;
  gcKeepExported: boolean;
  printGcSections: ByteString; // file, "-" = standard output, "" = no
  whyLive: ByteString[]; // --why-live globs
  startStop: boolean; // --start-stop
  startStopGc: boolean; // -z start-stop-gc (lld default true)
  startStopVisibility: number; // STV_PROTECTED
  strip: "none" | "debug" | "all";
  discard: "default" | "locals" | "all" | "none"; // -X, -x, --discard-none
  optimize: number; // -O, default 1
  mergeStrings: boolean; // true
  icf: "none" | "safe" | "all";
  symbolOrderingFile: ByteString; // "" = none
  sectionOrderingFiles: ByteString[];
  callGraphOrderingFile: ByteString; // "" = none
  callGraphSort: "none" | "hfsort" | "cdsort"; // cdsort
  printSymbolOrder: ByteString; // file, "" = none
  warnSymbolOrdering: boolean; // true
  optimizeBbJumps: boolean; // --optimize-bb-jumps
  keepUnique: ByteString[]; // --keep-unique
  ignoreDataAddressEquality: boolean;
  ignoreFunctionAddressEquality: boolean;
  printIcfSections: ByteString; // as printGcSections
  buildId: "none" | "usual" | "fast" | "xx" | "md5" | "sha1" | "sha256" | "uuid" | { hex: Uint8Array };
  hashStyle: "gnu" | "sysv" | "both" | "none"; // both
  ehFrameHdr: boolean;
  compressDebug: Compression;
  gdbIndex: boolean;
  unique: boolean;
  uniqueGlobs: ByteString[]; // --unique=GLOB
  rwxSegments: "none" | "warn" | "error";
  discardSections: RegExp[]; // names of input sections that are left out
  execstackNotice: "refused" | "none" | "warn" | "objects" | "error";
  /** .comment names the linker. */
  linkerVersion: boolean;
  /** --split-stack-adjust-size, bytes. */
  splitStackBytes: number;
  ignoredSymbols: ByteString[]; // --ignore-unresolved-symbol
  weakUnresolved: boolean; // --weak-unresolved-symbols
  debugNames: boolean;
  /** --compress-sections, in order: the last pattern that fits a section decides. */
  compressSections: (Compression & { glob: ByteString })[];
  packRelr: boolean; // --pack-dyn-relocs=relr or -z pack-relative-relocs
  packAndroid: boolean; // --pack-dyn-relocs=android, android+relr
  androidRelrTags: boolean;
  packRelrGlibc: boolean; // -z pack-relative-relocs: also requires GLIBC_ABI_DT_RELR
  gnu2TlsTag: boolean; // --gnu2-tls-tag
  relax: boolean;
  applyDynamicRelocs: boolean | undefined; // undefined: with --emit-relocs
  noGnuUnique: boolean;
  imageBase: bigint | undefined;
  outputOrder: OutputOrderItem[]; // --section-order; [] = the usual layout
  outImplib: ByteString; // --out-implib
  nonContiguousWarnings: boolean;
  warnSectionAlign: boolean;
  zeroToBss: boolean;
  sortCommon: "none" | "descending" | "ascending";
  paddingSeed: number; // --randomize-section-padding: seed + 1, 0 = none
  filler: number; // --filler: byte for what no section covers; -1 = the usual ones
  physicalBase: bigint | undefined; // --physical-image-base
  sectionStarts: Map<ByteString, bigint>; // -Ttext …, --section-start
  sectionAligns: Map<ByteString, number>; // --section-align: powers of 2
  segmentStarts: Map<ByteString, bigint>; // what SEGMENT_START means in scripts
  omagic: boolean;
  nmagic: boolean;
  rosegment: boolean; // true
  spareDynamicTags: number;
  spareProgramHeaders: number;
  nonContiguousRegions: boolean;
  shuffleSections: { pattern: ByteString; seed: number }[];
  checkSections: boolean; // true
  /** --oformat binary: no headers, only what is loaded. */
  binary: boolean;
  /** --oformat srec, ihex: the raw image as text. */
  hexFormat: "" | "srec" | "ihex";
  emitRelocs: boolean;
  gotPltSymbols: boolean; // --got-plt-syms
  z: {
    relro: boolean; // true
    now: boolean;
    text: boolean; // true (lld)
    execstack: boolean | undefined; // undefined = not given
    nodelete: boolean;
    copyreloc: boolean; // true
    origin: boolean;
    initfirst: boolean;
    interpose: boolean;
    nodlopen: boolean;
    nodefaultlib: boolean;
    nodump: boolean;
    /** Without -z execstack or noexecstack: the stack is executable when an object asks for it. */
    execstackIfNeeded: boolean;
    /** -r: common symbols have the type STT_COMMON. */
    sttCommon: boolean;
    global: boolean;
    group: boolean;
    combreloc: boolean; // true
    rodynamic: boolean;
    separateCode: "none" | "code" | "loadable-segments";
    maxPageSize: number; // 0 = of the architecture
    commonPageSize: number;
    stackSize: number;
    keepTextSectionPrefix: boolean;
    gnustack: boolean; // true
    ibt: boolean;
    shstk: boolean;
    forceIbt: boolean;
    ibtplt: boolean; // the PLT as with IBT, without promising it
    retpolineplt: boolean;
    ifuncNoplt: boolean;
    lrodataAfterBss: boolean;
    markPlt: boolean;
    callNop: number; // -z call-nop: the byte; bit 8: behind the call

    uniqueSymbol: boolean;
    reportRelative: boolean; // -z report-relative-reloc
    ignoreOverflow: boolean; // -z noreloc-overflow
    deadRelocs: { glob: ByteString; value: bigint }[]; // what references to dead code become in sections that are not loaded
    rel: boolean; // dynamic relocations without addend fields; addends are in place
    globalaudit: boolean;
    loadfltr: boolean;
    unique: boolean;
    features: number; // GNU_PROPERTY_X86_FEATURE_1_* bits that are promised whatever the inputs say
    isa: number; // GNU_PROPERTY_X86_ISA_1_* bits that are needed besides
    cetReport: "none" | "warning" | "error";
    lamReports: { bit: number; option: string; how: "warning" | "error" }[]; // GNU_PROPERTY_X86_FEATURE_1_* bits that every object should promise
    isaReport: number; // -z isa-level-report: 1 = what is needed, 2 = what is used
    indirectExternAccess: boolean;
    memorySeal: boolean;
    rewriteEndbr: boolean;
    dynamicUndefinedWeak: boolean | undefined;
    nosectionheader: boolean;
    wxneeded: boolean;
    nobtcfi: boolean;
  };
  /** --separate-debug-file: its path, "\0" = beside the output, "" = debug information stays in the output. */
  separateDebug: ByteString;
  /** With it, --strip-all. */
  stripsOutput: boolean;
  // reports
  mapFile: ByteString; // "-" = stdout, "" = none
  mapDiscarded: boolean;
  mapLocals: boolean; // true
  reportFile: ByteString; // --report: the layout map as a page
  metafile: ByteString;
  cref: boolean;
  printMemoryUsage: boolean;
  trace: boolean; // -t
  verbose: boolean;
  dependencyFile: ByteString;
  time: boolean;
  stats: ByteString; // as printGcSections
  timeTrace: ByteString;
  verifyHashes: boolean; // --verify-hashes: compare the bytes behind equal name and string hashes
  timeTraceGranularity: number; // microseconds: shorter passes are left out
  whyExtract: ByteString;
  printArchiveStats: ByteString;
  printDependencies: boolean;
  printSymbolCounts: ByteString;
  reproduce: ByteString;
  fatalWarnings: boolean;
  noWarnings: boolean;
  warnMismatch: boolean;
  noinhibitExec: boolean;
  errorLimit: number; // 20, 0 = no limit
  color: "auto" | "always" | "never";
  demangle: boolean; // true
  /** 0 = choose from machine and input size. */
  threads: number;
  /** -plugin / -plugin-opt values, kept for LTO diagnostics. */
  plugin: ByteString;
  pluginOpts: ByteString[];
  packageMetadata: ByteString;
  orphanHandling: "place" | "warn" | "error" | "discard";
  sortSection: "none" | "name" | "alignment";
  /** --compat-version or WIELD_COMPAT_VERSION: first line of --version for scripts that only know GNU ld; "" = our own. */
  compatVersion: ByteString;
  /** Options that only mean something on one machine. */
  machineOptions: { option: ByteString; machine: "AArch64" | "ARM" | "PowerPC64" | "RISC-V" }[];
}
