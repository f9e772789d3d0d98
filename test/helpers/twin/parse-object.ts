/** Reading of section headers and symbol tables with DataView and strings: the oracle of parse-object. Written from the gABI. */
import * as abi from "../../../as-kernels/shared/abi.ts";
import * as elf from "../../../as-kernels/shared/elf.ts";
import { hashTwin, nameTwin, versionedTwin, type Hash } from "./hash.ts";

export interface Header {
  name: number;
  type: number;
  flags: bigint;
  offset: bigint;
  size: bigint;
  link: number;
  info: number;
  align: bigint;
  entsize: bigint;
}

/** Elf64_Shdr × count at `from`. */
export function readHeaders(file: Uint8Array, from: number, count: number): Header[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  return Array.from({ length: count }, (_, i) => {
    const at = from + 64 * i;
    return {
      name: view.getUint32(at, true), type: view.getUint32(at + 4, true), flags: view.getBigUint64(at + 8, true), offset: view.getBigUint64(at + 24, true),
      size: view.getBigUint64(at + 32, true), link: view.getUint32(at + 40, true), info: view.getUint32(at + 44, true),
      align: view.getBigUint64(at + 48, true), entsize: view.getBigUint64(at + 56, true),
    };
  });
}

export interface Failure {
  error: number;
  index: number;
}

export interface Scan {
  symtab: number;
  groups: number;
  firstGlobal: number;
  localSignatures: number;
  /** [offset, bytes] in the object. */
  parts: Record<"symtab" | "strtab" | "shndx" | "names", [number, number]>;
  /** Extent of all SHT_GROUP contents. */
  groupRange: [number, number];
  /** String tables that hold names of neither sections nor symbols. */
  freed: number[];
}

const failure = (index: number, error: number): Failure => ({ error, index });
const partOf = (header: Header | undefined): [number, number] => (header === undefined ? [0, 0] : [Number(header.offset), Number(header.size)]);

function checkHeader(header: Header, index: number, all: Header[], bytes: number): Failure | null {
  const { type, offset, size, align } = header;
  if (type !== elf.SHT_NOBITS && offset + size > BigInt(bytes)) return failure(index, abi.ERR_SECTION_BOUNDS);
  const ownTable = [elf.SHT_SYMTAB, elf.SHT_STRTAB, elf.SHT_RELA, elf.SHT_GROUP, elf.SHT_SYMTAB_SHNDX].includes(type);
  if (!ownTable && align >= 1n << 32n) return failure(index, abi.ERR_ALIGN_LARGE);
  if (!ownTable && (align & (align - 1n)) !== 0n) return failure(index, abi.ERR_ALIGN);
  if (type === elf.SHT_SYMTAB && all.slice(1, index).some((other) => other.type === elf.SHT_SYMTAB)) return failure(index, abi.ERR_MULTIPLE_SYMTABS);
  if (type === elf.SHT_GROUP && size < 4n) return failure(index, abi.ERR_GROUP_EMPTY);
  if (type === elf.SHT_GROUP && (size % 4n !== 0n || offset % 4n !== 0n)) return failure(index, abi.ERR_GROUP);
  if (type !== elf.SHT_RELA) return null;
  if (header.entsize !== 24n || size % 24n !== 0n) return failure(index, abi.ERR_RELA_ENTSIZE);
  return header.info >= all.length ? failure(index, abi.ERR_RELA_TARGET) : null;
}

export function scanTwin(headers: Header[], shstrndx: number, bytes: number): Scan | Failure {
  const used = headers.map((header, i) => ({ header, i })).filter(({ header, i }) => i > 0 && header.type !== elf.SHT_NULL);
  for (const { header, i } of used) {
    const bad = checkHeader(header, i, headers, bytes);
    if (bad !== null) return bad;
  }
  const symtab = used.find(({ header }) => header.type === elf.SHT_SYMTAB)?.i ?? 0;
  const groups = used.filter(({ header }) => header.type === elf.SHT_GROUP);
  const shndx = used.filter(({ header }) => header.type === elf.SHT_SYMTAB_SHNDX).at(-1)?.i ?? 0;
  const names = headers[shstrndx];
  if (shstrndx !== 0 && names?.type !== elf.SHT_STRTAB) return failure(shstrndx, abi.ERR_SHSTRNDX);
  const scan: Scan = {
    freed: [], symtab, groups: groups.length, firstGlobal: 0, localSignatures: 0,
    parts: { symtab: [0, 0], strtab: [0, 0], shndx: [0, 0], names: shstrndx === 0 || names === undefined ? [0, 0] : partOf(names) },
    groupRange: groups.length === 0 ? [0, 0] : [
      Math.min(...groups.map(({ header }) => Number(header.offset))), Math.max(...groups.map(({ header }) => Number(header.offset + header.size))),
    ],
  };
  if (symtab === 0) return groups.length > 0 ? failure(0, abi.ERR_GROUP) : freeStrings(used, [shstrndx], scan);
  const table = headers[symtab]!;
  const symbols = table.size / 24n;
  if (table.entsize !== 24n || table.size % 24n !== 0n) return failure(symtab, abi.ERR_SYMTAB_ENTSIZE);
  if (BigInt(table.info) > symbols || (table.info === 0 && symbols > 0n)) return failure(symtab, abi.ERR_SYMTAB_INFO);
  if (table.link === 0 || headers[table.link]?.type !== elf.SHT_STRTAB) return failure(symtab, abi.ERR_STRTAB_LINK);
  if (shndx !== 0 && headers[shndx]!.size < symbols * 4n) return failure(shndx, abi.ERR_SYMTAB_INFO);
  const freed = freeStrings(used, [shstrndx, table.link], scan);
  if ("error" in freed) return freed;
  for (const { header, i } of groups) if (header.link !== symtab || BigInt(header.info) >= symbols) return failure(i, abi.ERR_GROUP);
  scan.firstGlobal = table.info;
  scan.localSignatures = groups.filter(({ header }) => header.info < table.info).length;
  Object.assign(scan.parts, { symtab: partOf(table), strtab: partOf(headers[table.link]), shndx: shndx === 0 ? [0, 0] : partOf(headers[shndx]) });
  return scan;
}

/** String tables of nobody become contents like others: in the headers, and in scan.freed. */
function freeStrings(headers: { header: Header; i: number }[], taken: number[], scan: Scan): Scan | Failure {
  for (const { header, i } of headers) {
    if (header.type !== elf.SHT_STRTAB || taken.includes(i)) continue;
    if (header.align > 0xffffffffn) return failure(i, abi.ERR_ALIGN_LARGE);
    if ((header.align & (header.align - 1n)) !== 0n) return failure(i, abi.ERR_ALIGN);
    header.type = elf.SHT_PROGBITS;
    scan.freed.push(i);
  }
  return scan;
}

export interface TwinRecord {
  hash: Hash;
  stem: string;
  flags: number;
  /** Symbol index; -1 = a signature. */
  symbol: number;
}

export interface Parsed {
  /** SLOT_* and 0-based group by section header, -1 = none. */
  slots: { kind: number; group: number }[];
  groups: { comdat: boolean; shndx: number; record: number }[];
  records: TwinRecord[];
}

/** What an object's file says; `whole` is all of it. */
export interface ObjectBytes {
  whole: Uint8Array;
  headers: Header[];
  scan: Scan;
  relocatableOutput: boolean;
}

const UNLOADED: number[] = [
  elf.SHT_NULL, elf.SHT_SYMTAB, elf.SHT_STRTAB, elf.SHT_SYMTAB_SHNDX, elf.SHT_LLVM_CALL_GRAPH_PROFILE,
];
/** Only of use to a final link. */
const KEPT_BY_R: number[] = [elf.SHT_LLVM_ADDRSIG, elf.SHT_LLVM_DEPENDENT_LIBRARIES];

function slotKind({ type, flags }: Header, relocatableOutput: boolean): number {
  if (UNLOADED.includes(type) || (KEPT_BY_R.includes(type) && !relocatableOutput)) return abi.SLOT_NONE;
  if (type === elf.SHT_RELA || type === elf.SHT_REL || type === elf.SHT_CREL) return abi.SLOT_RELA;
  if (type === elf.SHT_GROUP) return abi.SLOT_GROUP;
  const excluded = (flags & BigInt(elf.SHF_EXCLUDE)) !== 0n;
  return excluded && !relocatableOutput ? abi.SLOT_NONE : abi.SLOT_REGULAR;
}

export function cstring(bytes: Uint8Array, at: number): string {
  const end = bytes.indexOf(0, at);
  return String.fromCharCode(...bytes.subarray(at, end < 0 ? bytes.length : end));
}

export function parseTwin({ whole, headers, scan, relocatableOutput }: ObjectBytes): Parsed | Failure {
  const part = (name: keyof Scan["parts"]): Uint8Array => whole.subarray(scan.parts[name][0], scan.parts[name][0] + scan.parts[name][1]);
  const [symtab, strtab, shndxTab, names] = [part("symtab"), part("strtab"), part("shndx"), part("names")];
  const symbols = new DataView(symtab.buffer, symtab.byteOffset, symtab.length);
  const count = symtab.length / 24;
  for (const table of [strtab, names]) if (table.length > 0 && table[table.length - 1] !== 0) return failure(0, abi.ERR_STRTAB_END);
  const slots = headers.map(() => ({ kind: 0, group: -1 }));
  const groups: Parsed["groups"] = [];
  const records: TwinRecord[] = Array.from({ length: count - scan.firstGlobal });
  const addSignature = (name: string): number => records.push({ hash: hashTwin(name), stem: name, flags: abi.REC_SIGNATURE, symbol: -1 }) - 1;

  for (let i = 1; i < headers.length; i++) {
    const header = headers[i]!;
    if (header.type !== elf.SHT_NULL && header.name >= names.length) return failure(i, abi.ERR_SECTION_NAME);
    slots[i]!.kind = slotKind(header, relocatableOutput);
    if (header.type !== elf.SHT_GROUP) continue;
    const content = new DataView(whole.buffer, whole.byteOffset + Number(header.offset), Number(header.size));
    const word = (w: number): number => content.getUint32(4 * w, true);
    if (word(0) > 1) return failure(i, abi.ERR_GROUP_FORMAT);
    const id = groups.length;
    slots[i]!.group = id;
    let record = header.info - scan.firstGlobal;
    if (record < 0) {
      // A local signature names the group by its own name; a section symbol by the name of its section.
      const at = 24 * header.info;
      let [name, table] = [symbols.getUint32(at, true), strtab];
      if ((symtab[at + 4]! & 15) === elf.STT_SECTION && name === 0) {
        const section = headers[symbols.getUint16(at + 6, true)];
        if (section === undefined) return failure(i, abi.ERR_GROUP);
        [name, table] = [section.name, names];
      }
      if (name >= table.length) return failure(header.info, abi.ERR_SYMBOL_NAME);
      record = addSignature(cstring(table, name));
    }
    groups.push({ comdat: word(0) === elf.GRP_COMDAT, shndx: i, record });
    for (let w = 1; w < content.byteLength / 4; w++) {
      const slot = word(w) === 0 ? undefined : slots[word(w)];
      if (slot === undefined || slot.group >= 0) return failure(i, abi.ERR_GROUP_MEMBER);
      slot.group = id;
    }
  }
  headers.forEach(({ name }, i) => {
    const text = i === 0 || name >= names.length ? "" : cstring(names, name);
    if (!text.startsWith(".gnu.linkonce.")) return;
    const slot = slots[i]!;
    const record = addSignature(text.replace(/^\.gnu\.linkonce\.t\.(?=.)/s, ""));
    const alone = slot.group < 0 && slot.kind === abi.SLOT_REGULAR;
    if (alone) slot.group = groups.length;
    else records[record] = { hash: [0n, 0n], stem: "", flags: abi.REC_UNUSED, symbol: -1 };
    groups.push({ comdat: alone, shndx: 0, record });
  });

  const wide = new DataView(shndxTab.buffer, shndxTab.byteOffset, shndxTab.length);
  for (let i = 0; i < count; i++) {
    const name = symbols.getUint32(24 * i, true);
    const info = symtab[24 * i + 4]!;
    const shndx = symbols.getUint16(24 * i + 6, true);
    if (name >= strtab.length && !(name === 0 && strtab.length === 0)) return failure(i, abi.ERR_SYMBOL_NAME);
    const section = shndx === elf.SHN_XINDEX && shndxTab.length > 0 ? wide.getUint32(4 * i, true) : shndx >= elf.SHN_LORESERVE ? 0 : shndx;
    if (section !== 0 && section >= headers.length) return failure(i, abi.ERR_SYMBOL_SHNDX);
    if (i < scan.firstGlobal) continue;
    if (info >> 4 === elf.STB_LOCAL) return failure(i, abi.ERR_LOCAL_AFTER_GLOBAL);
    if (info >> 4 !== elf.STB_GLOBAL && info >> 4 !== elf.STB_WEAK && info >> 4 !== elf.STB_GNU_UNIQUE) return failure(i, abi.ERR_BINDING);
    const { hash, stem, version } = nameTwin(cstring(strtab, name));
    let flags = shndx === elf.SHN_UNDEF ? 0 : abi.REC_DEFINED;
    if (shndx === elf.SHN_COMMON || shndx === elf.SHN_X86_64_LCOMMON) flags |= abi.REC_COMMON;
    if ((info & 15) === abi.STT_MENTION) flags = abi.REC_MENTION;
    if (info >> 4 === elf.STB_WEAK) flags |= abi.REC_WEAK;
    flags |= { none: 0, versioned: abi.REC_VERSIONED, default: abi.REC_DEFAULT_VERSION }[version];
    records[i - scan.firstGlobal] = { hash, stem, flags, symbol: i };
  }
  return { slots, groups, records };
}

export interface DynamicSymbol {
  name: string;
  bind: number;
  defined: boolean;
  /** Elf64_Versym; undefined = the object has no such table. */
  versym?: number;
}

/** Two records per symbol, null = unused; `versions`: names by version index; `defines`: some are the object's own. */
export function sharedTwin(symbol: DynamicSymbol, versions: string[], defines: boolean): [Omit<TwinRecord, "symbol"> | null, Omit<TwinRecord, "symbol"> | null] {
  const { name, bind, defined } = symbol;
  if (bind === elf.STB_LOCAL) return [null, null];
  const index = (symbol.versym ?? 1) & 0x7fff;
  const hidden = ((symbol.versym ?? 1) & elf.VERSYM_HIDDEN) !== 0;
  if (defined && ((index === 0 && defines) || (index === 1 && hidden))) return [null, null];
  const version = index > 1 ? (versions[index] ?? "") : "";
  if (index > 1 && version === "") return [null, null]; // an index that means nothing: reported
  const flags = (defined ? abi.REC_DEFINED : 0) | (bind === elf.STB_WEAK ? abi.REC_WEAK : 0);
  const plain = { hash: hashTwin(name), stem: name, flags };
  // A reference to a version is to name@version only; a hidden definition is known by that name only.
  if (version === "") return [hidden ? null : plain, null];
  const alias = !hidden && defined ? abi.REC_ALIAS : 0;
  const named = { hash: versionedTwin(name, version), stem: name, flags: flags | abi.REC_VERSIONED | alias };
  return [!hidden && defined ? plain : null, named];
}
