/**
 * Every table in shared linear memory, declared once.
 *
 * TypeScript derives its typed-array views from this file (table.ts), and build/gen-tables.ts prints the AssemblyScript
 * classes (as-kernels/shared/tables.ts). A table's header in memory is `[rows, column address, …]`, all u32, in the order
 * written here, so the class is the layout. Address 0 in a header means the column has not been allocated.
 *
 * Offsets and sizes are f64 columns: exact to 2^53 and plain numbers in TypeScript. Addresses are u64 columns: bigint in
 * TypeScript and only touched there at output-section granularity.
 *
 * Row 0 of every table means "none", so ids can be tested for truth.
 */

export type ColumnType = "u8" | "u16" | "u32" | "u64" | "i64" | "f64";

export const TABLES = {
  /** One row per file that brings symbols: relocatable objects (archive members too), shared objects; row 1 is the linker's own. */
  obj: {
    kind: "u8", // OBJ_*
    flags: "u8", // OBJF_*
    osabi: "u8", // EI_OSABI
    seq: "u32", // 1-based place in inclusion order (lld's objectFiles order); 0 = not part of the link
    fileId: "u32", // row of ctx.inputs (TypeScript side: name, member)
    source: "u32", // row of ctx.sources: the file to open
    offset: "f64", // bytes from the start of the source to the ELF header
    bytes: "f64", // size of the object
    e_shnum: "u32",
    shoff: "f64", // bytes from the start of the object to its section headers
    shdrs: "u32", // address of the section headers in memory, 0 = none
    whole: "u32", // address of the object when all of it stays in memory, else 0
    relas: "u32", // address of the relocations of its loaded sections when they were kept with the headers, else 0
    relasFrom: "f64", // where they begin, in bytes from the start of the object
    slotBase: "u32", // slot row of section header 0
    esymBase: "u32", // esym row of symbol 0
    esymCount: "u32",
    firstGlobal: "u32", // sh_info of the symbol table
    symtab: "u32", // address of the Elf64_Sym array in memory
    strtab: "u32", // address of the string table of the symbols
    strtabBytes: "u32",
    shndxTab: "u32", // address of SHT_SYMTAB_SHNDX words, 0 = none
    names: "u32", // address of the section name table; 0 = the names have been looked at and did not stay (settleNames)
    namesBytes: "u32",
    groupFrom: "f64", // bytes from the start of the object: where the contents of SHT_GROUP sections begin
    groupTo: "f64",
    groups: "u32", // address of those bytes in memory, 0 = none or too scattered to stay there
    groupBase: "u32", // first row of `group`
    groupCount: "u32",
    recordBase: "u32", // first row of `record`
    recordCount: "u32",
    passed: "u32", // rows of `record` before recordBase: mentions by archive members in front of it that are not loaded
    versym: "u32", // shared objects: address of the Elf64_Versym array, 0 = none
    verNames: "u32", // shared objects: address of u32 pairs (string address, length) by version index; the length at 0 is 1 when it defines versions
    verCount: "u32", // shared objects: how many pairs
    isecBase: "u32", // first isec row (included objects)
    isecCount: "u32",
    localBase: "u32", // sym row of local symbol 0 (included objects)
    splitStack: "u8", // SPLIT_STACK bits
    needed: "u8", // shared objects: 1 = gets a DT_NEEDED
    whyObj: "u32", // extracted members: object whose reference brought it in; 0 = an option did
    whySym: "u32", // extracted members: sym row that was referred to; 0 = not extracted
    done: "u32", // 1-based rank in which resolve-symbols finished with the object, the members its references extracted included
  },
  /** One row per input section header (all objects, included or not). */
  slot: {
    isec: "u32", // isec row; 0 = carries no section of ours (symbol table, relocations, group, discarded copy)
    group: "u32", // group row the section is a member of; 0 = none
    kind: "u8", // SLOT_*
  },
  /** One row per COMDAT SHT_GROUP section of an input object. */
  group: {
    obj: "u32",
    name: "u32", // signature: sym row
    record: "u32", // record row that carries the signature until names are interned
    comdat: "u8", // 0 = GRP_COMDAT not set: only ties its members together
    won: "u8", // 1 = this copy is the one kept
    shndx: "u32", // header index of the SHT_GROUP section in its object; 0 = .gnu.linkonce section, no such header
    signature: "u32", // its sh_info: symbol index of the signature
    words: "u32", // -r: sections it holds in the output
    index: "u32", // -r: section header index in the output, 0 = not there
    outOffset: "f64", // -r: bytes from the start of the groups' part of the file
  },
  /** One row per symbol-table entry of every input (all objects, local and global). */
  esym: {
    sym: "u32", // sym row it means: global (1 ≤ sym < globals) or local (≥ ctx.localSymBase)
  },
  /** Transient: one row per mention of a global name, in command-line order. */
  record: {
    h0: "u64",
    h1: "u64",
    esym: "u32", // symbol-table entry the mention came from
    name: "u32", // address of the first byte
    nameBytes: "u32", // length of the stem (up to the first '@')
    flags: "u32", // REC_*
    leader: "u32", // first record of the same name
    sym: "u32", // dense global id, set in the leader first
  },
  /**
   * One row per symbol that relocations can mean: globals first (one per interned name), then the local symbols of the
   * included objects (localBase[obj] + index).
   */
  sym: {
    flags: "u32", // SYM_* kind, type and need bits
    isec: "u32", // SYM_DEFINED: section it lives in, 0 = absolute; SYM_IN_OSEC: osec row
    value: "u64", // offset from the start of that section; absolute value; st_value in the shared object
    addr: "u64", // virtual address, after resolve-addresses
    aux: "u32", // row of `aux`, 0 = needs nothing
    piece: "u32", // merge sections: 1 + piece row that st_value falls in; 0 = not in a merge section
  },
  /** Globals only, same row numbers as `sym`. */
  gsym: {
    h0: "u64", // 128-bit identity of the name
    h1: "u64",
    obj: "u32", // object that defines it
    esym: "u32", // defining symbol-table entry, 0 = none
    name: "u32", // address of the name's bytes (as first mentioned)
    nameBytes: "u32", // length of the stem
    firstEsym: "u32", // first mention, for diagnostics
    size: "f64", // st_size of the definition (largest for commons)
    bind: "u8", // STB_* of the definition, or the strongest reference
    type: "u8", // STT_*
    vis: "u8", // STV_*, most constraining of all mentions
    align: "u8", // commons and copy relocations: log2 of the alignment
    ver: "u16", // version index for .gnu.version (VER_NDX_*, VERSYM_HIDDEN may be set)
    dynsym: "u32", // index in .dynsym, 0 = not there
    groupOwner: "u32", // as COMDAT signature: 1 + group row that won
    startStop: "u32", // __start_X/__stop_X that retain: address of START_STOP_*, a count and the isecs named X; 0 = none
    lazy: "u32", // object (archive member) that would define it, 0 = none
    refObj: "u32", // first included regular object with an undefined reference
  },
  /** One row per symbol that needs entries in linker-made sections. Index columns are 1-based, 0 = no entry. */
  aux: {
    sym: "u32",
    got: "u32", // slot in .got, in words
    gotTp: "u32", // slot in .got that holds the TP offset (initial exec)
    tlsGd: "u32", // first of two slots in .got (general dynamic)
    tlsDesc: "u32", // first of two slots in .got (TLS descriptor)
    plt: "u32", // entry in .plt (and .got.plt and .rela.plt)
    pltGot: "u32", // entry in .plt.got (jumps through .got)
    iplt: "u32", // entry in .iplt
    target: "u64", // where the symbol really is; sym.addr may be its PLT entry
  },
  /** Kept input sections of the included objects, in link order. */
  isec: {
    obj: "u32",
    shndx: "u32", // index in the object's section header table
    name: "u32", // address of the NUL-terminated section name; where names did not stay and a rule fits, of the rule's prefix
    rule: "u8", // 1 + the rule of params.nameRules that fits the name, if it says no more than where the section goes; 0 = the name is to be read
    sh_type: "u32",
    sh_flags: "u32",
    sh_offset: "f64", // bytes from the start of the file that holds the object (archive offset included)
    size: "f64", // bytes it brings (uncompressed)
    compressed: "u32", // SHF_COMPRESSED: 1 + stored bytes (Elf64_Chdr included); 0 = stored as it is
    sh_entsize: "u32",
    align: "u8", // log2
    kind: "u8", // ISEC_*
    live: "u8",
    rela: "u32", // address of the Elf64_Rela array when resident, else 0
    relaCount: "u32",
    relaOffset: "f64", // where the relocations are in the file
    osec: "u32", // osec row; 0 = discarded
    outOffset: "f64", // bytes from the start of the osec (regular sections)
    link: "u32", // SHF_LINK_ORDER: isec it is linked to
    dependent: "u32", // first isec that is SHF_LINK_ORDER-linked to this one
    nextDependent: "u32", // next one with the same link
    nextInGroup: "u32", // ring of the members of a group, 0 = not in a group
    kept: "u32", // address of its contents if they stay in memory (obj.whole, split-pieces, ordered-contents), else 0
    pieceBase: "u32", // first piece row (ISEC_MERGE), first ehrec row (ISEC_EH_FRAME)
    pieceCount: "u32",
    blockIndex: "u32", // ISEC_MERGE of strings: address of u32 per 64 bytes: first piece that ends after that byte
    fde: "u32", // first ehrec row (FDE) that describes code in this section; chained by ehrec.nextFde
    msec: "u32", // ISEC_MERGE: merged output part it belongs to
    dynRel: "u32", // R_*_RELATIVE relocations of the section; after create-synthetic: index of the first in .rela.dyn
    dynSym: "u32", // symbolic dynamic relocations of the section; after create-synthetic: index of the first, counted behind the RELATIVE ones
    relr: "u32", // how many relative relocations go to .relr.dyn
  },
  /**
   * Pieces of SHF_MERGE sections, in section order. One more row ends every section (inOffset = its size, never live), so
   * that a piece's length is always the difference to the next row.
   */
  piece: {
    inOffset: "u32", // bytes from the start of its isec
    out: "u32", // bytes from the start of the msec's output (after merge-pieces)
    live: "u8", // PIECE_* bits; mark-live stores 1
  },
  /** Same rows, but for those of streamed strings: identity of the piece, a 128-bit hash of the bytes; the top five bits are lld's shard. */
  pieceHash: {
    h0: "u64",
    h1: "u64",
  },
  /** Groups of merge sections that are deduplicated together: same output section, flags, entsize, alignment. */
  msec: {
    osec: "u32",
    outOffset: "f64", // bytes from the start of the osec
    size: "f64",
    sh_entsize: "u32",
    sh_flags: "u32", // without those that do not keep pieces apart
    strings: "u8",
    placed: "u8", // assign-addresses: has its place in this layout round
    align: "u8",
    next: "u32", // next msec of the same osec (osec.msec starts the chain)
    memberBase: "u32", // first row of `mmember`
    memberCount: "u32",
    pieces: "u32", // pieces of all members, dead ones included
    bytes: "u32", // address of the finished contents, 0 = made window by window
    room: "f64", // bytes that there are for them
    stream: "u32", // stream-strings: address of its strings (as-kernels/lib/streams.ts, STREAM_*); 0 = it has nothing to do with this one, or has not kept them
  },
  /** Sections of the msecs: one run per msec, in link order. */
  mmember: {
    isec: "u32",
    before: "u32", // pieces of the msec's members before this one
    winners: "u32", // pieces of this section that are written
  },
  /** Records (CIE and FDE) of the .eh_frame sections. */
  ehrec: {
    isec: "u32", // .eh_frame section it is in
    inOffset: "u32",
    size: "u32", // with the length word
    cie: "u32", // FDE: its CIE's row; CIE: 0
    rela: "u32", // address of the first relocation inside the record, 0 = none
    relaCount: "u32",
    func: "u32", // FDE: isec that holds the code it describes, 0 = none
    nextFde: "u32", // next FDE for the same func
    leader: "u32", // CIE: row of the first identical CIE, the only one that can be written (maybe itself)
    out: "f64", // bytes from the start of the output .eh_frame; -1 = dropped
    live: "u8", // after layoutEhFrame: 1 = is written, its relocations count
    flags: "u8", // EHREC_*
    enc: "u8", // CIE: DW_EH_PE_* encoding of the code addresses in its FDEs
  },
  /** The CIEs among `ehrec`, in its order. */
  cie: {
    rec: "u32",
    h0: "u64", // identity: bytes and personality
    h1: "u64",
  },
  /** The .eh_frame input sections in link order; one more row ends the list. */
  ehsec: {
    isec: "u32",
    out: "f64", // start of its records in the output .eh_frame
  },
  /** Output sections, as far as kernels need them. */
  osec: {
    addr: "u64", // sh_addr
    offset: "f64", // sh_offset
    size: "f64",
    sh_flags: "u32",
    sh_type: "u32",
    name: "u32", // address of the first input section's name
    nameBytes: "u32", // bytes of it that are the output section's name
    sh_entsize: "u32",
    align: "u8", // log2, largest of the members
    memberBase: "u32", // first row of `member`
    memberCount: "u32",
    index: "u32", // section header index in the output
    memory: "u32", // where contents go instead of the file (sections that are compressed afterwards); 0 = the file
    dead: "u64", // TOMB_VALUE, TOMB_LINE: the value
    tombstone: "u8", // TOMB_* what a reference to dead code becomes in it
    msec: "u32", // first msec that goes to it, chained by msec.next
  },
  /** -r: what an output section has besides its `osec` row (same row numbers). */
  rout: {
    link: "u32", // SHF_LINK_ORDER: osec it is linked to
    sym: "u32", // index of its section symbol, 0 = has none
    apart: "u8", // 1 = takes no other input section in
    relaCount: "u32", // relocations of its members
    relaIndex: "u32", // section header index of its relocation section, 0 = none
    relaOffset: "f64", // bytes from the start of the file to them
    sh_name: "u32", // the name of its relocation section follows
  },
  /** --icf: one row per isec while identical sections are looked for. */
  fold: {
    state: "u8", // FOLD_*
    cls: "u32", // equivalence class: its first isec row; a section that cannot be folded is a class of its own
    members: "u32", // of the class that this row leads
    h0: "u64", // identity of everything but the classes of what it refers to
    h1: "u64",
  },
  /** isec rows in output order, one run per osec. */
  member: {
    isec: "u32",
  },
  /** What kernels and workers found wrong; TypeScript sorts and words it. */
  issue: {
    code: "u32", // ISSUE_*
    obj: "u32",
    isec: "u32",
    index: "u32", // relocation index, symbol index or section index, by code
    a: "u64",
    b: "u64",
  },
} as const satisfies Record<string, Record<string, ColumnType>>;

export type TableName = keyof typeof TABLES;

/**
 * Facts of one link that kernels need besides the tables: scalars, at a fixed address (PARAMS_ADDR in abi.ts).
 * u64 fields are addresses; they are valid after assign-addresses.
 */
export const PARAMS = {
  machine: "u32", // e_machine
  outputKind: "u32", // OUT_*
  pic: "u32", // 1 = position independent output (pie or shared)
  shared: "u32", // 1 = shared object
  dynamic: "u32", // 1 = has a .dynamic section
  bsymbolic: "u32", // BSYM_*
  relax: "u32", // 1 = relax GOTPCRELX
  zText: "u32", // 1 = text relocations are errors
  ignoreEquality: "u32", // 1 = addresses of functions need not be equal among modules, 2 = those of data
  zCopyreloc: "u32", // 1 = copy relocations allowed
  packRelr: "u32", // 1 = relative relocations go to .relr.dyn where they can
  writeAddends: "u32", // 1 = the addend of a dynamic relocation is also written in place
  gcSections: "u32",
  stripDebug: "u32", // 1 = sections .debug* are dropped
  gnuUnique: "u32", // 1 = STB_GNU_UNIQUE is kept
  digests: "u32", // 1 = what is written is added to `digest` (--build-id=fast)
  digest: "u64", // sum of the hashes of all writes
  writesNoted: "u32", // 1 = WorkerContext.written is kept
  replaced: "u32", // with digests: address of an earlier output whose writes are replaced and leave `digest`; 0 = all is new
  callGraph: "u32", // set by parse-object: an object has a call graph profile
  dependentLibraries: "u32", // set by parse-object: some object asks for libraries
  shortened: "u32", // --optimize-bb-jumps: address of u8 per isec, bytes its end has lost; 0 = nothing has
  xxh3Secret: "u32", // address of what xxh3 needs
  streams: "u32", // 1 = strings that are not loaded are cut by stream-strings, not by split-pieces
  streamSymbols: "u32", // set by bind-symbol-pieces: some symbol is defined in such a string
  symRows: "u32",
  globalSyms: "u32", // sym rows below this are globals
  gotAddr: "u64", // .got
  gotPltAddr: "u64", // .got.plt (= _GLOBAL_OFFSET_TABLE_ on x86-64)
  ehFrameAddr: "u64", // the records of .eh_frame
  ehFrameHdrAddr: "u64",
  pltAddr: "u64", // .plt: its header
  pltFirst: "u64", // entry 0 of the PLT as calls see it: in .plt, or .plt.sec
  pltLazy: "u64", // what the .got.plt word of entry 0 holds at first, 0 = nothing is bound lazily
  pltBytes: "u32", // from one entry to the next
  pltGotAddr: "u64",
  pltGotBytes: "u32",
  ipltAddr: "u64",
  ipltBytes: "u32",
  tlsAddr: "u64", // start of PT_TLS
  tlsEnd: "u64", // end of PT_TLS, aligned: the thread pointer on x86-64
  tlsModuleGot: "u32", // 1-based .got slot pair for local dynamic (R_X86_64_DTPMOD64), 0 = none
  needsTlsModule: "u32", // set by scan-relocs: some live section uses local dynamic
  needsGotBase: "u32", // set by scan-relocs: something is relative to _GLOBAL_OFFSET_TABLE_
  relaDyn: "u32", // address in memory of the .rela.dyn slice that relocate fills
  hasTextRel: "u32", // set by scan-relocs: a dynamic relocation lands in a read-only section (-z notext)
  relocTypes: "u32", // address: 4 bytes per relocation type (shared/reloc.ts)
  scanPolicy: "u32", // address: decision table of scan-relocs (shared/reloc.ts)
  undefinedPolicy: "u32", // UNDEFINED_*
  splitStack: "u32", // set by load-sections: some object is compiled with -fsplit-stack
  splitStackBytes: "u32", // stack that code without -fsplit-stack may take for granted
  callNop: "u32", // -z call-nop: the byte that fills up a call that was indirect; bit 8: behind it
  markPlt: "u32", // -z mark-plt: addends of JUMP_SLOT are PLT entries
  ignoreOverflow: "u32", // -z noreloc-overflow: fields take what fits of a value
  paddingSeed: "u32", // --randomize-section-padding: 0 = members stand next to each other
  filler: "u32", // --filler: the byte between members of data
  codeFill: "u32", // the byte between members of code
  morestack: "u32", // sym row of __morestack, 0 = nobody mentions it
  morestackNonSplit: "u32", // sym row of __morestack_non_split
  sttCommon: "u32", // -r: common symbols have the type STT_COMMON
  rel: "u32", // 1 = dynamic relocations have no addend fields (-z rel)
  ifuncNoplt: "u32", // 1 = references to IFUNCs become dynamic relocations of the same type
  bssKiB: "u32", // of sections without contents, but for large ones, as bind-sections has found them
  relaxAbs32: "u32", // 1 = every address of the output fits in 31 bits and does not move: operands may become immediates
  hasStaticTls: "u32", // set by scan-relocs: a shared object uses the initial exec model
  usePltGot: "u32", // 1 = a symbol with a GOT entry gets its PLT entry in .plt.got
  auxRows: "u32", // create-synthetic counts: rows of `aux` in use, without row 0
  gotWords: "u32", // words of .got
  pltCount: "u32", // entries of .plt
  pltGotCount: "u32",
  ipltCount: "u32",
  gotPltHeader: "u32", // words before the first entry of .got.plt
  relativeCount: "u32", // R_*_RELATIVE relocations in .rela.dyn
  symbolicCount: "u32", // dynamic relocations that follow them, without IRELATIVE
  relrCount: "u32", // addresses in .relr.dyn
  gotRelative: "u32", // index of the first RELATIVE relocation of .got; grows while they are written
  symIndex: "u32", // -r and --emit-relocs: address of a u32 per sym row, its index in the output's symbol table; 0 = not wanted
  symList: "u32", // address of the globals that .symtab has (u32, from place 0 on), in its order
  symNames: "u32", // address of where their names begin among those of their stretch (u32 each)
  symtabAt: "u32", // with symIndex: address of the output's symbol table while it is written
  gotSymbolic: "u32", // index of the first symbolic relocation of .got
  nameRules: "u32", // address of the rules that name output sections (as-kernels/lib/name-rules.ts)
  nameRuleCount: "u32", // 0 = names are not looked at: a script decides
  warningSections: "u32", // set by load-sections: there are .gnu.warning.SYMBOL sections
  sframes: "u32", // set by load-sections: there are .sframe sections to merge
  ehFrameHdr: "u32", // 1 = --eh-frame-hdr or --optimize-bb-jumps: records of .eh_frame are looked into
  warnCommon: "u32", // 1 = --warn-common
  fortranCommon: "u32", // --fortran-common
  suspects: "u32", // SUSPECT_*: what settle-symbols must look at
  keptMembers: "u32", // 1 = regular sections have isec.kept, too, where their contents are in memory (obj.whole, ordered-contents)
} as const satisfies Record<string, "u32" | "u64">;
