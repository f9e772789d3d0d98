/**
 * ELF numbers, spelled as the gABI, the x86-64 psABI and the GNU extensions spell them.
 * Only `export const NAME = integer`, so that tsc and asc both read this file.
 */

// gABI ch. 4 ELF Header
export const ET_REL = 1;
export const ET_EXEC = 2;
export const ET_DYN = 3;
export const EM_X86_64 = 62;
/** 0x7f "ELF" as a little-endian word, and EI_CLASS and EI_DATA as another: 64-bit, little-endian. */
export const ELF_MAGIC = 0x464c457f;
export const ELF_CLASS64_LSB = 0x0102;
export const ELFCLASS64 = 2;
export const ELFCLASS32 = 1;
export const ELFDATA2LSB = 1;
export const ELFDATA2MSB = 2;
export const EV_CURRENT = 1;
export const ELFOSABI_GNU = 3;
export const ELFOSABI_FREEBSD = 9;
export const ELFOSABI_OPENBSD = 12;
export const EHDR_BYTES = 64;
// Fields of the ELF header, in bytes from its start (gABI ch. 4, Elf64_Ehdr), and of e_ident
export const EI_CLASS = 4;
export const EI_OSABI = 7;
export const E_TYPE = 16;
export const E_MACHINE = 18;
export const E_SHOFF = 40;
export const E_FLAGS = 48;
export const E_SHENTSIZE = 58;
export const E_SHNUM = 60;
export const E_SHSTRNDX = 62;
export const SHDR_BYTES = 64;
export const PHDR_BYTES = 56;
export const SYM_BYTES = 24;
export const RELA_BYTES = 24;
export const REL_BYTES = 16;

// Special section indexes
export const SHN_UNDEF = 0;
export const SHN_LORESERVE = 0xff00;
export const SHN_X86_64_LCOMMON = 0xff02;
export const SHN_ABS = 0xfff1;
export const SHN_COMMON = 0xfff2;
export const SHN_XINDEX = 0xffff;
export const PN_XNUM = 0xffff;

// sh_type
export const SHT_NULL = 0;
export const SHT_PROGBITS = 1;
export const SHT_SYMTAB = 2;
export const SHT_STRTAB = 3;
export const SHT_RELA = 4;
export const SHT_HASH = 5;
export const SHT_DYNAMIC = 6;
export const SHT_NOTE = 7;
export const SHT_NOBITS = 8;
export const SHT_REL = 9;
export const SHT_DYNSYM = 11;
export const SHT_INIT_ARRAY = 14;
export const SHT_FINI_ARRAY = 15;
export const SHT_PREINIT_ARRAY = 16;
export const SHT_GROUP = 17;
export const SHT_SYMTAB_SHNDX = 18;
export const SHT_RELR = 19;
export const SHT_CREL = 0x40000014;
/** First type that this version of the gABI does not know. */
export const SHT_UNKNOWN = 19;
export const SHT_LOOS = 0x60000000;
export const SHT_HIOS = 0x6fffffff;
export const SHT_LOUSER = 0x80000000;
export const SHT_ANDROID_RELA = 0x60000002;
export const SHT_ANDROID_RELR = 0x6fffff00;
export const SHT_LLVM_ADDRSIG = 0x6fff4c03;
export const SHT_LLVM_DEPENDENT_LIBRARIES = 0x6fff4c04;
export const SHT_LLVM_CALL_GRAPH_PROFILE = 0x6fff4c09;
export const SHT_GNU_SFRAME = 0x6ffffff4;
export const SHT_GNU_HASH = 0x6ffffff6;
export const SHT_GNU_verdef = 0x6ffffffd;
export const SHT_GNU_verneed = 0x6ffffffe;
export const SHT_GNU_versym = 0x6fffffff;
export const SHT_X86_64_UNWIND = 0x70000001;

// sh_flags
export const SHF_WRITE = 0x1;
export const SHF_ALLOC = 0x2;
export const SHF_EXECINSTR = 0x4;
export const SHF_MERGE = 0x10;
export const SHF_STRINGS = 0x20;
export const SHF_INFO_LINK = 0x40;
export const SHF_LINK_ORDER = 0x80;
export const SHF_OS_NONCONFORMING = 0x100;
export const SHF_GROUP = 0x200;
export const SHF_TLS = 0x400;
export const SHF_COMPRESSED = 0x800;
export const SHF_GNU_RETAIN = 0x200000;
export const SHF_X86_64_LARGE = 0x10000000;
export const SHF_EXCLUDE = 0x80000000;

export const GRP_COMDAT = 1;
export const ELFCOMPRESS_ZLIB = 1;
export const ELFCOMPRESS_ZSTD = 2;
// ---- sizes of structures that have no fields here ----
/** Elf64_Chdr: ch_type, reserved, ch_size, ch_addralign; and what .zdebug sections begin with instead: "ZLIB", the size in big-endian order. */
export const CHDR_BYTES = 24;
export const ZDEBUG_BYTES = 12;
/** Elf64_Verdef, Verdaux, Verneed, Vernaux (LSB core, Symbol Versioning). */
export const VERDEF_BYTES = 20;
export const VERDAUX_BYTES = 8;
export const VERNEED_BYTES = 16;
export const VERNAUX_BYTES = 16;
/** What an archive begins with, and struct ar_hdr (ar.h; gABI ch. 7, Archive File). */
export const AR_MAGIC_BYTES = 8;
export const AR_HEADER_BYTES = 60;

// Symbols
export const STB_LOCAL = 0;
export const STB_GLOBAL = 1;
export const STB_WEAK = 2;
export const STB_GNU_UNIQUE = 10;
export const STT_NOTYPE = 0;
export const STT_OBJECT = 1;
export const STT_FUNC = 2;
export const STT_SECTION = 3;
export const STT_FILE = 4;
export const STT_COMMON = 5;
export const STT_TLS = 6;
export const STT_GNU_IFUNC = 10;
export const STV_DEFAULT = 0;
export const STV_INTERNAL = 1;
export const STV_HIDDEN = 2;
export const STV_PROTECTED = 3;

// Program headers
export const PT_NULL = 0;
export const PT_LOAD = 1;
export const PT_DYNAMIC = 2;
export const PT_INTERP = 3;
export const PT_NOTE = 4;
export const PT_PHDR = 6;
export const PT_TLS = 7;
export const PT_GNU_EH_FRAME = 0x6474e550;
export const PT_GNU_STACK = 0x6474e551;
export const PT_GNU_RELRO = 0x6474e552;
export const PT_GNU_PROPERTY = 0x6474e553;
export const PT_GNU_SFRAME = 0x6474e554;
export const PT_OPENBSD_MUTABLE = 0x65a3dbe5;
export const PT_OPENBSD_RANDOMIZE = 0x65a3dbe6;
export const PT_OPENBSD_WXNEEDED = 0x65a3dbe7;
export const PT_OPENBSD_NOBTCFI = 0x65a3dbe8;
export const PT_OPENBSD_SYSCALLS = 0x65a3dbe9;
export const PF_X = 1;
export const PF_W = 2;
export const PF_R = 4;

// Symbol versions (LSB core, Symbol Versioning)
export const VER_NDX_LOCAL = 0;
export const VER_NDX_GLOBAL = 1;
export const VERSYM_HIDDEN = 0x8000;

// x86-64 psABI table 4.9, Relocation types
export const R_X86_64_NONE = 0;
export const R_X86_64_64 = 1;
export const R_X86_64_PC32 = 2;
export const R_X86_64_GOT32 = 3;
export const R_X86_64_PLT32 = 4;
export const R_X86_64_COPY = 5;
export const R_X86_64_GLOB_DAT = 6;
export const R_X86_64_JUMP_SLOT = 7;
export const R_X86_64_RELATIVE = 8;
export const R_X86_64_GOTPCREL = 9;
export const R_X86_64_32 = 10;
export const R_X86_64_32S = 11;
export const R_X86_64_16 = 12;
export const R_X86_64_PC16 = 13;
export const R_X86_64_8 = 14;
export const R_X86_64_PC8 = 15;
export const R_X86_64_DTPMOD64 = 16;
export const R_X86_64_DTPOFF64 = 17;
export const R_X86_64_TPOFF64 = 18;
export const R_X86_64_TLSGD = 19;
export const R_X86_64_TLSLD = 20;
export const R_X86_64_DTPOFF32 = 21;
export const R_X86_64_GOTTPOFF = 22;
export const R_X86_64_TPOFF32 = 23;
export const R_X86_64_PC64 = 24;
export const R_X86_64_GOTOFF64 = 25;
export const R_X86_64_GOTPC32 = 26;
export const R_X86_64_GOT64 = 27;
export const R_X86_64_GOTPCREL64 = 28;
export const R_X86_64_GOTPC64 = 29;
export const R_X86_64_GOTPLT64 = 30;
export const R_X86_64_PLTOFF64 = 31;
export const R_X86_64_SIZE32 = 32;
export const R_X86_64_SIZE64 = 33;
export const R_X86_64_GOTPC32_TLSDESC = 34;
export const R_X86_64_TLSDESC_CALL = 35;
export const R_X86_64_TLSDESC = 36;
export const R_X86_64_IRELATIVE = 37;
export const R_X86_64_GOTPCRELX = 41;
export const R_X86_64_REX_GOTPCRELX = 42;
export const R_X86_64_CODE_4_GOTPCRELX = 43;
export const R_X86_64_CODE_4_GOTTPOFF = 44;
export const R_X86_64_CODE_4_GOTPC32_TLSDESC = 45;
export const R_X86_64_CODE_5_GOTPCRELX = 46;
export const R_X86_64_CODE_5_GOTTPOFF = 47;
export const R_X86_64_CODE_5_GOTPC32_TLSDESC = 48;
export const R_X86_64_CODE_6_GOTPCRELX = 49;
export const R_X86_64_CODE_6_GOTTPOFF = 50;
export const R_X86_64_CODE_6_GOTPC32_TLSDESC = 51;

// ---- Elf64_Shdr: offsets of fields (gABI ch. 4, Section Header) ----
export const SH_TYPE = 4;
export const SH_FLAGS = 8;
export const SH_ADDR = 16;
export const SH_OFFSET = 24;
export const SH_SIZE = 32;
export const SH_LINK = 40;
export const SH_INFO = 44;
export const SH_ADDRALIGN = 48;
export const SH_ENTSIZE = 56;

// ---- Elf64_Sym: offsets of fields behind st_name (gABI ch. 4, Symbol Table) ----
export const ST_INFO = 4;
export const ST_OTHER = 5;
export const ST_SHNDX = 6;
export const ST_VALUE = 8;
export const ST_SIZE = 16;

// ---- Elf64_Rela: offsets of fields behind r_offset (gABI ch. 4, Relocation) ----
/** r_info as one number, or its halves: the type, then the symbol. */
export const R_INFO = 8;
export const R_TYPE = 8;
export const R_SYM = 12;
export const R_ADDEND = 16;
