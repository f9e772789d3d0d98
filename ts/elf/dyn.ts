/**
 * The dynamic section (gABI ch. 5, Dynamic Section; GNU and Solaris extensions): tags, flags, one entry.
 *
 * Numbers only; which tags an output has is ts/synthetic/dynamic.ts.
 */

export const DYN_BYTES = 16;

export const DT_NULL = 0;
export const DT_NEEDED = 1;
export const DT_PLTRELSZ = 2;
export const DT_PLTGOT = 3;
export const DT_HASH = 4;
export const DT_STRTAB = 5;
export const DT_SYMTAB = 6;
export const DT_RELA = 7;
export const DT_RELASZ = 8;
export const DT_RELAENT = 9;
export const DT_STRSZ = 10;
export const DT_SYMENT = 11;
export const DT_INIT = 12;
export const DT_FINI = 13;
export const DT_SONAME = 14;
export const DT_RPATH = 15;
export const DT_PLTREL = 20;
export const DT_DEBUG = 21;
export const DT_TEXTREL = 22;
export const DT_JMPREL = 23;
export const DT_INIT_ARRAY = 25;
export const DT_FINI_ARRAY = 26;
export const DT_INIT_ARRAYSZ = 27;
export const DT_FINI_ARRAYSZ = 28;
export const DT_RUNPATH = 29;
export const DT_FLAGS = 30;
export const DT_PREINIT_ARRAY = 32;
export const DT_PREINIT_ARRAYSZ = 33;
export const DT_RELRSZ = 35;
export const DT_RELR = 36;
export const DT_RELRENT = 37;
export const DT_REL = 17;
export const DT_RELSZ = 18;
export const DT_RELENT = 19;
export const DT_ANDROID_RELA = 0x60000011;
export const DT_ANDROID_RELASZ = 0x60000012;
export const DT_ANDROID_RELR = 0x6fffe000;
export const DT_ANDROID_RELRSZ = 0x6fffe001;
export const DT_ANDROID_RELRENT = 0x6fffe003;
export const DT_GNU_FLAGS_1 = 0x6ffffdf4;
export const DT_RELCOUNT = 0x6ffffffa;
export const DT_GNU_HASH = 0x6ffffef5;
export const DT_DEPAUDIT = 0x6ffffefb;
export const DT_AUDIT = 0x6ffffefc;
export const DT_VERSYM = 0x6ffffff0;
export const DT_RELACOUNT = 0x6ffffff9;
export const DT_FLAGS_1 = 0x6ffffffb;
export const DT_VERDEF = 0x6ffffffc;
export const DT_VERDEFNUM = 0x6ffffffd;
export const DT_VERNEED = 0x6ffffffe;
export const DT_VERNEEDNUM = 0x6fffffff;
// x86-64 psABI
export const DT_X86_64_PLT = 0x70000000;
export const DT_X86_64_PLTSZ = 0x70000001;
export const DT_X86_64_PLTENT = 0x70000003;
export const DT_AUXILIARY = 0x7ffffffd;
export const DT_FILTER = 0x7fffffff;

// DT_FLAGS
export const DF_ORIGIN = 0x1;
export const DF_SYMBOLIC = 0x2;
export const DF_TEXTREL = 0x4;
export const DF_BIND_NOW = 0x8;
export const DF_STATIC_TLS = 0x10;

// DT_FLAGS_1
export const DF_1_NOW = 0x1;
export const DF_1_GLOBAL = 0x2;
export const DF_1_GROUP = 0x4;
export const DF_1_NODELETE = 0x8;
export const DF_1_LOADFLTR = 0x10;
export const DF_1_INITFIRST = 0x20;
export const DF_1_NOOPEN = 0x40;
export const DF_1_ORIGIN = 0x80;
export const DF_1_INTERPOSE = 0x400;
export const DF_1_NODEFLIB = 0x800;
export const DF_1_NODUMP = 0x1000;
export const DF_1_GLOBAUDIT = 0x01000000;
export const DF_1_PIE = 0x08000000;

// DT_GNU_FLAGS_1
export const DF_GNU_1_UNIQUE = 0x1;

/** One entry at `at`. */
export function writeDyn(view: DataView, at: number, tag: number, value: bigint): void {
  view.setBigUint64(at, BigInt(tag), true);
  view.setBigUint64(at + 8, BigInt.asUintN(64, value), true);
}
