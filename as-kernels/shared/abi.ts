/**
 * Numbers both languages share that are ours, not ELF's: ids, flag bits, addresses of fixed blocks.
 * Only `export const NAME = integer`, so that tsc and asc both read this file.
 */

// ---- memory map: the first 64 KiB ----
/** Phase control words (pool.ts). Memory below this address stays unused so that null pointers are harmless. */
export const CTL_ADDR = 1024;
/** u32: next chunk to claim. */
export const CTL_NEXT = 1024;
/** u32: chunks of the running phase. */
export const CTL_CHUNKS = 1088;
/** u32: 1 = a chunk failed, stop claiming. */
export const CTL_STOP = 1092;
/** u32: rows reported to the issue table (may exceed its capacity). */
export const CTL_ISSUES = 1152;
/** u32: lowest address handed out to windows and kept files (they grow down from the guard page), in units of WINDOW_UNIT bytes. */
export const CTL_WINDOW_TOP = 1156;
export const WINDOW_UNIT = 4096;
/** u32: the arena's top, so that windows do not grow into it. */
export const CTL_ARENA_TOP = 1160;
/**
 * u32: next free byte of the region, and its end: a part of the arena for what only some passes need. Section headers lie there until
 * load-sections has read them, then relocations.
 */
export const CTL_REGION_TOP = 1164;
export const CTL_REGION_END = 1168;
/** Eight u32 of scratch that a phase may count in with atomic adds. */
export const CTL_COUNTERS = 1216;
/** 256 u32, one per worker: 1 = it has attached. */
export const CTL_READY = 2048;
/** Table directory: one u32 header address per table, in schema order. */
export const TABLES_ADDR = 4096;
/** Link parameters (schema.ts PARAMS). */
export const PARAMS_ADDR = 8192;
/** Arena starts here. */
export const ARENA_ADDR = 65536;
/** The last 64 KiB are never handed out: vector over-reads may run into them. */
export const GUARD_BYTES = 65536;

// ---- obj.kind ----
export const OBJ_RELOCATABLE = 1;
export const OBJ_SHARED = 2;
/** The linker's own object: names from options, linker-defined symbols. Always row 1. */
export const OBJ_INTERNAL = 3;

// ---- obj.needed: 0 = gets no DT_NEEDED, 1 = gets one ----
/** Gets none, as far as is known: perhaps only dead code refers to it, or a library that gets one asks for it. */
export const NEEDED_PERHAPS = 2;

// ---- obj.flags ----
/** Archive member or between --start-lib and --end-lib: part of the link only when it defines something wanted. */
export const OBJF_LAZY = 1;
/** Shared object met under --as-needed. */
export const OBJF_AS_NEEDED = 2;
/** --exclude-libs applies: its symbols become hidden. */
export const OBJF_EXCLUDE_LIBS = 4;
/** Has its .note.GNU-stack section / asks for an executable stack. */
export const OBJF_HAS_STACK_NOTE = 8;
export const OBJF_EXEC_STACK = 16;
/** Has a call graph profile. */
export const OBJF_CALL_GRAPH = 32;
/** Has relocations in the compact form (SHT_CREL). */
export const OBJF_CREL = 64;
/** Asks for libraries (SHT_LLVM_DEPENDENT_LIBRARIES). */
export const OBJF_DEPENDENT_LIBRARIES = 128;

// ---- obj.splitStack ----
/** Compiled with -fsplit-stack. */
export const SPLIT_STACK = 1;
/** Some of its functions are not, on purpose. */
export const SPLIT_STACK_SOME_NOT = 2;

// ---- slot.kind: what a section header is for us ----
export const SLOT_NONE = 0;
/** Becomes an isec when its object is included and its group won. */
export const SLOT_REGULAR = 1;
export const SLOT_RELA = 2;
export const SLOT_GROUP = 3;

// ---- record.flags ----
export const REC_DEFINED = 1; // defines (also common)
export const REC_WEAK = 2;
export const REC_COMMON = 4;
/** name@version: the version is part of the identity. */
export const REC_VERSIONED = 8;
/** name@@version: the default version, identity is the stem. */
export const REC_DEFAULT_VERSION = 16;
/** A COMDAT signature whose symbol is local: only names the group. */
export const REC_SIGNATURE = 32;
/** Row not used. */
export const REC_UNUSED = 64;
/** Second name of a shared object's symbol (name@version beside name): esym.sym keeps the other. */
export const REC_ALIAS = 128;
/** The linker's own mention of a name: neither defines nor refers. */
export const REC_MENTION = 256;
/** A mention by an archive member that is not loaded: it gives a name its place in the order, and nothing else. */
export const REC_PASSED = 512;
/** Such a record that leads others: somebody who is part of the link mentions the name, too. */
export const REC_CALLED = 1024;
/** Shards that names, and sections that look alike (--icf), are partitioned into by the top bits of their hash: fixed, so that order never depends on threads. */
export const SHARDS = 64;
/** Parts that merged strings and constants are deduplicated in: as many as lld has, so that merged sections read as lld's do. */
export const MERGE_SHARDS = 32;
/** Symbol type the internal object uses for such mentions. */
export const STT_MENTION = 15;

// ---- names of an object that was replaced (patch-symbols) ----
/** The object mentions the name for the first time, or no longer; as one that it defines. */
export const NAME_COMES = 1;
export const NAME_GOES = 2;
export const NAME_IS_DEFINED = 4;
/** Another object mentions it; one that is extracted when it is wanted, a shared one. */
export const NAME_OTHER = 8;
export const NAME_LAZY = 16;
export const NAME_SHARED = 32;
/** Another object of the link refers to it, and not weakly. */
export const NAME_STRONG = 128;
/** Somebody mentions it. */
export const NAME_SEEN = 64;

// ---- sym.flags ----
export const SYM_KIND_MASK = 7;
export const SYM_UNDEF = 0;
/** Defined in an input section (sym.isec), or absolute (sym.isec = 0). */
export const SYM_DEFINED = 1;
/** Defined in a shared object. */
export const SYM_SHARED = 2;
/** An archive member that is not part of the link would define it; behaves as undefined. */
export const SYM_LAZY = 3;
export const SYM_COMMON = 4;
/** Defined by the linker relative to output section sym.isec. */
export const SYM_IN_OSEC = 5;
/** Local symbol or section symbol of a discarded section (lost COMDAT copy). */
export const SYM_DISCARDED = 6;

export const SYM_LOCAL = 1 << 3;
export const SYM_WEAK = 1 << 4;
export const SYM_FUNC = 1 << 5; // STT_FUNC or STT_GNU_IFUNC
export const SYM_IFUNC = 1 << 6;
export const SYM_TLS = 1 << 7;
export const SYM_SECTION = 1 << 8; // STT_SECTION
/** May be bound to another module's definition at run time. */
export const SYM_PREEMPTIBLE = 1 << 9;
/** In .dynsym (as definition or as reference). */
export const SYM_EXPORTED = 1 << 10;
/** Mentioned by an included relocatable object. */
export const SYM_USED_REGULAR = 1 << 11;
/** Undefined in some shared object. */
export const SYM_USED_SHARED = 1 << 12;
/** Referenced by a non-weak undefined symbol of an included object. */
export const SYM_REF_STRONG = 1 << 13;
/** A live section's relocation refers to it (set by scan-relocs). */
export const SYM_REF_LIVE = 1 << 14;
/** -u, --entry, exported …: gc root and keeps its symbol. */
export const SYM_ROOT = 1 << 15;
/** Absolute value that does not move with the image (sym.isec = 0, or an undefined weak that resolves to 0). */
export const SYM_ABSOLUTE = 1 << 16;
// needs, set by scan-relocs with load-check-then-or
export const SYM_NEEDS_GOT = 1 << 17;
export const SYM_NEEDS_PLT = 1 << 18;
export const SYM_NEEDS_COPY = 1 << 19;
/** The PLT entry is the symbol's address (its address is taken in a non-PIC executable). */
export const SYM_NEEDS_CPLT = 1 << 20;
export const SYM_NEEDS_TLSGD = 1 << 21;
export const SYM_NEEDS_GOTTP = 1 << 22;
export const SYM_NEEDS_TLSDESC = 1 << 23;
/** The definition came from a section group or the like that --exclude-libs / version script made local. */
export const SYM_FORCED_LOCAL = 1 << 25;
export const SYM_OBJECT = 1 << 26; // STT_OBJECT
/** Non-PLT, non-GOT use of a function symbol seen (address taken): decides IFUNC and PLT forms. */
export const SYM_ADDRESS_TAKEN = 1 << 27;

/** --icf: the section it was defined in has been folded into another, whose symbol it now is. */
export const SYM_FOLDED = 1 << 30;

// ---- isec.kind ----
export const ISEC_REGULAR = 0;
export const ISEC_MERGE = 1;
export const ISEC_EH_FRAME = 2;
/** Made by the linker (commons, copy relocation space): no file contents. */
export const ISEC_SYNTHETIC = 4;
/** Parsed for its meaning, not copied (.note.gnu.property and the like). */
export const ISEC_CONSUMED = 5;

// ---- What becomes of SHF_MERGE sections ----
export const MERGE_NONE = 0;
/** Those that can be merged are. */
export const MERGE_SOME = 1;
/** Others are errors (lld). */
export const MERGE_OR_REFUSE = 2;

// ---- --unique, for each isec ----
/** Gets an output section for itself, named by the rules. */
export const ALONE = 1;
/** Was asked for by its name, and keeps it. */
export const ALONE_BY_NAME = 2;

// ---- what differs in a section of a replaced object (u8 per isec) ----
/** Contents that are copied and relocated, or what they refer to. */
export const DIRTY = 1;
/** Pieces, which end where they ended. */
export const DIRTY_PIECES = 2;

// ---- piece.live bits ----
export const PIECE_LIVE = 1;
/** The piece's bytes are written; equal pieces share its place (set by merge-pieces). */
export const PIECE_WINNER = 2;
/** -O2: the piece has its own place, but inside a longer string's bytes. */
export const PIECE_TAIL = 4;

// ---- ehrec.flags ----
export const EHREC_CIE = 1;
/** FDE that covers no code: written, but not in .eh_frame_hdr. */
export const EHREC_EMPTY = 2;

// ---- outputKind ----
export const OUT_EXEC = 1; // ET_EXEC, static or dynamic
export const OUT_PIE = 2; // ET_DYN with an entry
export const OUT_SHARED = 3;
export const OUT_RELOCATABLE = 4;

// ---- bsymbolic ----
export const BSYM_NONE = 0;
export const BSYM_FUNCTIONS = 1;
export const BSYM_ALL = 2;
export const BSYM_NON_WEAK_FUNCTIONS = 3;
export const BSYM_NON_WEAK = 4;

// ---- params.ignoreEquality: addresses that may differ between the program and the shared object that protects the symbol ----
export const IGNORE_FUNCTION_EQUALITY = 1;
export const IGNORE_DATA_EQUALITY = 2;

// ---- osec.tombstone ----
export const TOMB_NONE = 0; // allocated section: no tombstone, value is computed with S = 0
export const TOMB_ZERO = 1; // non-alloc: 0
export const TOMB_ONE = 2; // .debug_loc, .debug_ranges: 1
export const TOMB_ADDEND = 3; // other non-debug non-alloc sections: the addend, as lld
export const TOMB_MAX = 4; // .debug_names: all ones

export const TOMB_VALUE = 6; // osec.dead (-z dead-reloc-in-nonalloc)
export const TOMB_LINE = 5; // .debug_line: osec.dead, but lines of folded functions stay where the code went

/** Relocation type of our own: the branch at its place is negated, its field is as that of a call. */
export const RELOC_TURNED = 0xffff0001;

// ---- fold.state bits ----
/** Must keep an address of its own. */
export const FOLD_UNIQUE = 1;
/** Is folded if another section is identical. */
export const FOLD_CANDIDATE = 2;

// ---- names of an ordering file (as-kernels/passes/ordered-names.ts): bits, and one that was there before ----
export const NAME_FOUND = 1;
export const NAME_OBSTACLE = 2;
export const NAME_AGAIN = 4;

// ---- set-visibility: one mark byte per global ----
/** A version script has spoken. */
export const MARK_ASSIGNED = 1;
export const MARK_DYNAMIC_LIST = 2;
/** Its definition is called name@V. */
export const MARK_VERSIONED = 4;
/** Its definition is called name@@V. */
export const MARK_VERSIONED_DEFAULT = 8;
/** Bytes of one pattern row: address, bytes, version index, address and bytes of the version's name, number + 1 of the next in its chain. */
export const GLOB_BYTES = 24;
/**
 * Index of a pattern table by literal start: 8 words of a bit per length of start that occurs, then the longest, the mask of the
 * slots, the chain of the patterns that start with a wildcard, and from here on a chain per slot (first pattern's number + 1).
 */
export const GLOB_INDEX_SLOTS = 44;
/** Longer literal starts are cut for the index. */
export const GLOB_START_MAX = 255;
/** Hash of a literal start: FNV-1a, folded. */
export const FNV_BASIS = 0x811c9dc5;
export const FNV_PRIME = 0x01000193;
// what the options say, as bits
export const VIS_HAS_DYNSYM = 1;
export const VIS_EXPORT_ALL = 2;
export const VIS_SHARED = 4;
export const VIS_NO_DYNAMIC_LINKER = 8;
export const VIS_READ_SUFFIX = 16;
/** --dynamic-list: definitions that are not listed are bound locally. */
export const VIS_DYNAMIC_LIST_BINDS = 32;
/** A static-pie: what is undefined stays so. */
export const VIS_NOTHING_AT_RUN_TIME = 64;
/** --gc-keep-exported: what others may see is not garbage. */
export const VIS_KEEP_EXPORTED = 128;

// ---- params.suspects ----
/** Two definitions, or mentions of different type, may contradict each other. */
export const SUSPECT_CONFLICT = 1;
/** A definition in a COMDAT copy that lost has been taken for a while. */
export const SUSPECT_LOST = 2;

// ---- issue.code: who words it is ts/diagnostics/messages.ts ----
export const ISSUE_BAD_OBJECT = 1; // a = ERR_* detail
export const ISSUE_RELOC_RANGE = 2; // index = relocation, a = value, b = r_type
export const ISSUE_RELOC_UNKNOWN = 3; // index = relocation, a = r_type
export const ISSUE_RELOC_BAD_OFFSET = 4; // index = relocation
export const ISSUE_RELOC_NEEDS_PIC = 5; // index = relocation, a = r_type, b = sym: "recompile with -fPIC"
export const ISSUE_RELOC_TEXTREL = 6; // index = relocation, b = sym: text relocation under -z text
export const ISSUE_RELOC_BAD_SYMBOL = 7; // index = relocation: symbol index out of range
export const ISSUE_UNDEFINED = 8; // index = relocation, a = sym
export const ISSUE_DISCARDED_REF = 9; // index = relocation, a = symbol index: refers to a discarded section
export const ISSUE_RELOC_TLS_MISMATCH = 10; // index = relocation, b = sym: TLS relocation against non-TLS symbol or the reverse
export const ISSUE_RELOC_BAD_RELAX = 11; // index = relocation: TLS sequence not as the psABI says
export const ISSUE_DUPLICATE = 12; // a = sym, b = second esym
export const ISSUE_BAD_EH_FRAME = 13; // index = offset in the section, a = ERR_* detail
export const ISSUE_BAD_MERGE = 14; // a = ERR_* detail: string not terminated, size no multiple of sh_entsize
export const ISSUE_COPY_PROTECTED = 15; // b = sym: cannot preempt symbol / copy relocation against a protected symbol
export const ISSUE_MERGE_OFFSET = 16; // index = relocation or symbol: offset is outside the section
export const ISSUE_NO_COPYRELOC = 17; // index = relocation, b = sym
export const ISSUE_RELOC_ABSOLUTE = 18; // index = relocation, a = r_type, b = sym: "cannot refer to absolute symbol"
export const ISSUE_RELOC_NON_ABS = 19; // index = relocation, a = r_type, b = sym: not absolute, in a section that is not loaded
export const ISSUE_RELOC_SHARED_TLS = 20; // index = relocation, a = r_type, b = sym: "cannot be used with -shared"
export const ISSUE_COPY_SIZE = 21; // b = sym: no copy relocation without a size
export const ISSUE_UNDEFINED_SHLIB = 22; // obj = shared object, index = symbol, a = sym: --no-allow-shlib-undefined
export const ISSUE_WARN_COMMON = 23; // index = symbol, a = sym, b = 1: --warn-common, a definition overrides it; 0: another common
export const ISSUE_TLS_ATTRIBUTE = 24; // index = symbol, a = sym: thread-local, but this object says it is something else
export const ISSUE_TLS_SECTION = 25; // index = symbol: thread-local, but its section is not
export const ISSUE_COPIED_DISCARDED = 40; // index = relocation, a = symbol index: -r keeps a reference to a discarded section (a warning)
export const ISSUE_HDR_DISTANCE = 27; // index = offset of an FDE, a = distance of .eh_frame_hdr to the code (b = 1: to the FDE)
export const ISSUE_SHARED_VERSION = 28; // index = symbol of a shared object, a = its version index, which means nothing, b = 1: defined
export const ISSUE_SHARED_LOCAL = 26; // index = symbol of a shared object that is local, but among the globals
export const ISSUE_SPLIT_STACK = 41; // index = relocation, a = symbol index of the function: its prologue cannot be adjusted
export const ISSUE_NO_MORESTACK = 42; // __morestack_non_split is not there

// ---- ERR_*: details of ISSUE_BAD_OBJECT, ISSUE_BAD_EH_FRAME, ISSUE_BAD_MERGE ----
export const ERR_TRUNCATED = 1;
export const ERR_SHENTSIZE = 2;
export const ERR_SECTION_BOUNDS = 3; // index = section: sh_offset + sh_size outside the file
export const ERR_STRTAB_LINK = 4;
export const ERR_SYMTAB_ENTSIZE = 5;
export const ERR_SYMTAB_INFO = 6;
export const ERR_SYMBOL_NAME = 7; // index = symbol: st_name outside the string table
export const ERR_SYMBOL_SHNDX = 8; // index = symbol
export const ERR_MULTIPLE_SYMTABS = 9;
export const ERR_GROUP = 10; // index = section
export const ERR_GROUP_EMPTY = 72; // index = section
export const ERR_GROUP_FORMAT = 73; // index = section: flags nobody knows
export const ERR_HEADERS_START = 74; // b = e_shoff
export const ERR_HEADERS_END = 75;
export const ERR_SHSTRNDX = 76; // index = e_shstrndx: no string table
export const ERR_GROUP_MEMBER = 11; // index = section
export const ERR_RELA_TARGET = 12; // index = section
export const ERR_RELA_ENTSIZE = 13;
export const ERR_REL_UNSUPPORTED = 14;
export const ERR_CREL = 59; // index = section: SHT_CREL contents end too early, or claim what cannot be
export const ERR_MULTIPLE_RELA = 15;
export const ERR_SECTION_NAME = 16;
export const ERR_ALIGN = 17;
export const ERR_STRTAB_END = 18; // string table does not end in NUL
export const ERR_LOCAL_AFTER_GLOBAL = 19;
export const ERR_FDE = 21;
export const ERR_MERGE_ENTSIZE = 22;
export const ERR_MERGE_UNTERMINATED = 23;
export const ERR_COMPRESSED = 24;
export const ERR_LINK_ORDER = 25;
export const ERR_LINK_ORDER_KIND = 40; // an SHF_LINK_ORDER section follows one that is taken apart
export const ERR_MERGE_WRITABLE = 26;
export const ERR_COMMON_ALIGN = 27; // index = symbol, b = alignment
export const ERR_BINDING = 28; // index = symbol
export const ERR_NO_SECTIONS = 29; // e_shoff is 0
export const ERR_ALIGN_LARGE = 30; // index = section
export const ERR_EH_SMALL = 60; // of .eh_frame records from here on
export const ERR_EH_LARGE = 61;
export const ERR_CIE_SMALL = 62;
export const ERR_CIE_END = 63;
export const ERR_CIE_VERSION = 64; // b = version
export const ERR_CIE_STRING = 65;
export const ERR_CIE_LEB = 66;
export const ERR_CIE_ALIGNED = 67;
export const ERR_CIE_ENCODING = 68;
export const ERR_CIE_CUT = 69;
export const ERR_CIE_LETTER = 70; // b = first bytes of the augmentation string
export const ERR_FDE_ENCODING = 71;
export const ERR_SECTION_TYPE = 41; // index = section, b = sh_type

// ---- in place of an ERR_*: what must be read first ----
/** checkHeader: section header 0. */
export const NEEDS_FIRST = 1001;
/** readObjects: the contents of the object's groups. */
export const NEEDS_GROUPS = 1002;

// ---- first word of a gsym.startStop list (then a count and isec rows) ----
/** A live reference holds on to all sections of the list. */
export const START_STOP_RETAINS = 1;
/** References do not retain (-z start-stop-gc); none has been seen. */
export const START_STOP_WAITS = 2;
/** As before, and a live section refers to it. */
export const START_STOP_WANTED = 3;

// ---- what happens to local symbols in .symtab; under -r those that relocations use stay anyway ----
/** Those that begin with .L go where their section is merged. */
export const DISCARD_DEFAULT = 0;
/** -X: those that begin with .L */
export const DISCARD_LOCALS = 1;
/** -x */
export const DISCARD_ALL = 2;
/** --discard-none */
export const DISCARD_NONE = 3;

// ---- scanned archives (as-kernels/passes/scan-archives.ts) ----
/** What scanMembers returns: the next header is not there as a whole, the member before it is large, this archive is not one to scan. */
export const SCAN_MORE = 0;
export const SCAN_LARGE = 1;
export const SCAN_ODD = 2;
/** What it is given, and leaves for the next call: u32, and f64 from SCAN_NEXT to SCAN_NAMES_BYTES. */
export const SCAN_CURSOR = 0; // address of the next row of SCANNED_*
export const SCAN_LIMIT = 4; // where there is no more room for rows
export const SCAN_MACHINE = 8; // e_machine
export const SCAN_ARCHIVE = 12; // number of the archive
export const SCAN_NEXT = 16; // position of the next header
export const SCAN_NAMES = 24; // place of the table of long names
export const SCAN_NAMES_BYTES = 32; // and its size
export const SCAN_MEMBER = 40; // the last member
export const SCAN_STATE_BYTES = 48;
/** A member: f64, the 16 bytes of SCANNED_NAME, then u32. */
export const SCANNED_AT = 0; // position of its header
export const SCANNED_BYTES = 8; // size of its contents
export const SCANNED_NAME = 16; // as the header has it
export const SCANNED_NEEDED = 32; // needed or not
export const SCANNED_DEFINED = 36; // names it defines
export const SCANNED_ARCHIVE = 40; // number of its archive
export const SCANNED_OTHERS = 44; // names it only refers to
export const SCANNED_SIZE = 48;

// ---- archives that are walked in parse-object (as-kernels/passes/walk-archives.ts) ----
/** What walkMembers returns: all members have rows, more bytes are needed, the last member is large, this archive is not one to walk, no memory. */
export const WALK_DONE = 0;
export const WALK_MORE = 1;
export const WALK_LARGE = 2;
export const WALK_ODD = 3;
export const WALK_NO_ROOM = 4;

/** Argument `relas` of keepWhole: objects stay in memory with all that is in them. */
export const KEEP_ALL = 2;
/** In place of the number of parts that placeTables misses. */
export const PLACE_BROKEN = 0xffffffff;
export const PLACE_NO_ROOM = 0xfffffffe;
/** A walked archive: three f64, then u32. */
export const WALKED_NEXT = 0; // position of the next header
export const WALKED_SIZE = 8; // bytes of the file
export const WALKED_NEED = 16; // bytes needed from that header on; after WALK_LARGE: where to read the last member from
export const WALKED_ROW = 24; // obj row of the next member
export const WALKED_END_ROW = 28; // first obj row behind those that are reserved
export const WALKED_SOURCE = 32; // row of ctx.sources
export const WALKED_FLAGS = 36; // OBJF_*
export const WALKED_PLACES = 40; // address of the ordered positions of members (u32 each)
export const WALKED_PLACE_COUNT = 44; // how many
export const WALKED_FIELDS = 48; // where the 16 bytes of the next name go
export const WALKED_DONE = 52; // 1 = done
export const WALKED_BYTES = 56;

// ---- globals as set-visibility left them (as-kernels/passes/replace-object.ts): a column each, in bytes per global from the start of all ----
export const SAVED_VALUE = 0;
export const SAVED_SIZE = 8;
export const SAVED_FLAGS = 16;
export const SAVED_ISEC = 20;
export const SAVED_OBJ = 24;
export const SAVED_ESYM = 28;
export const SAVED_VER = 32;
export const SAVED_BIND = 34;
export const SAVED_TYPE = 35;
export const SAVED_VIS = 36;
export const SAVED_ALIGN = 37;
export const SAVED_BYTES = 38;

// ---- bytes of what TypeScript makes room for and kernels fill, each laid out where it says ----
/** A rule that names output sections (as-kernels/lib/name-rules.ts). */
export const NAME_RULE_BYTES = 16;
/** A piece on its way to its shard (merge-pieces), a string that may live in another one's tail (tail-merge). */
export const PIECE_RECORD_BYTES = 24;
export const TAIL_ITEM_BYTES = 12;
/** Of strings that are not loaded (as-kernels/lib/streams.ts). */
export const STREAM_RUN_BYTES = 32;
export const STREAM_GROUP_BYTES = 16;
export const STREAM_SLICE_BYTES = 16;
export const STREAM_ITEM_BYTES = 12;
/** Of an object that is replaced: what a symbol leads to (patch-symbols), a set of references (patch-object), a group (replace-object), a name (kept-needs). */
export const SYMBOL_KEY_BYTES = 16;
export const REFERENCE_CELL_BYTES = 32;
export const GROUP_CELL_BYTES = 8;
export const NEEDED_NAME_BYTES = 12;

// ---- what was known of the tables of a replaced object (patch-objects.ts, patch-object, patch-symbols): u32 cells ----
export const OLD_SHDRS = 0; // address of its section headers
export const OLD_SYMTAB = 4; // of its symbol table
export const OLD_SYMBOLS = 8; // how many symbols that has
export const OLD_FIRST_GLOBAL = 12;
export const OLD_ESYM_BASE = 16;
export const OLD_NAMES = 20; // address of its section names
export const OLD_NAMES_BYTES = 24;
export const OLD_KEYS = 28; // address of the keys of its symbols (symbolKeys)
export const NEW_KEYS = 32; // of those of the new object
export const NEW_SYMBOLS = 36; // how many symbols that has
export const OLD_SAME = 40; // 1 = the symbols are the same but for values and sizes
export const OLD_BYTES = 48;
