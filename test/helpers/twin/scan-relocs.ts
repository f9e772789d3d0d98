/**
 * What relocations ask for: the oracle of scan-relocs, with thread-local models and instructions that are changed.
 *
 * Written as one decision after the other, from the psABI's table of relocations, its chapters on relaxation and "ELF Handling For
 * Thread-Local Storage", and what lld's scanner is known to do; not as a table, which the kernel has.
 */
import * as abi from "../../../as-kernels/shared/abi.ts";
import * as elf from "../../../as-kernels/shared/elf.ts";
import { UNDEFINED_ERROR, UNDEFINED_IGNORE } from "../../../as-kernels/shared/reloc.ts";
import type { RelocWorldSpec, RelSpec, SecSpec, SymSpec } from "../reloc-world.ts";

export interface ScanIssue {
  code: number;
  section: number;
  index: number;
  a: bigint;
  b: bigint;
}

export interface ScanResult {
  /** SYM_* bits every symbol gets. */
  bits: number[];
  /** Dynamic relocations of every section. */
  sections: { relative: number; relr: number; symbolic: number }[];
  /** Link-wide facts. */
  gotBase: boolean;
  tlsModule: boolean;
  staticTls: boolean;
  textRel: boolean;
  issues: ScanIssue[];
}

type Meaning =
  | "none" | "word" | "narrow" | "pc word" | "pc" | "call" | "got" | "got?" | "size" | "got base" | "gd" | "ld" | "ie" | "le" | "le word" | "dtpoff" | "desc" | "desc call";

const each = (bytes: number, meaning: Meaning, ...types: number[]) => types.map((type): [number, [number, Meaning]] => [type, [bytes, meaning]]);

/** psABI table 4.9: bytes of the field, and what is computed. */
const TYPES = new Map<number, [bytes: number, meaning: Meaning]>([
  [elf.R_X86_64_NONE, [0, "none"]],
  [elf.R_X86_64_64, [8, "word"]],
  ...each(4, "narrow", elf.R_X86_64_32, elf.R_X86_64_32S),
  [elf.R_X86_64_16, [2, "narrow"]],
  [elf.R_X86_64_8, [1, "narrow"]],
  [elf.R_X86_64_PC64, [8, "pc word"]],
  [elf.R_X86_64_PC32, [4, "pc"]],
  [elf.R_X86_64_PC16, [2, "pc"]],
  [elf.R_X86_64_PC8, [1, "pc"]],
  [elf.R_X86_64_GOTOFF64, [8, "pc"]],
  [elf.R_X86_64_PLT32, [4, "call"]],
  [elf.R_X86_64_PLTOFF64, [8, "call"]],
  ...each(4, "got", elf.R_X86_64_GOT32, elf.R_X86_64_GOTPCREL, elf.R_X86_64_CODE_5_GOTPCRELX, elf.R_X86_64_CODE_6_GOTPCRELX),
  ...each(8, "got", elf.R_X86_64_GOT64, elf.R_X86_64_GOTPCREL64, elf.R_X86_64_GOTPLT64),
  ...each(4, "got?", elf.R_X86_64_GOTPCRELX, elf.R_X86_64_REX_GOTPCRELX, elf.R_X86_64_CODE_4_GOTPCRELX),
  [elf.R_X86_64_SIZE32, [4, "size"]],
  [elf.R_X86_64_SIZE64, [8, "size"]],
  [elf.R_X86_64_GOTPC32, [4, "got base"]],
  [elf.R_X86_64_GOTPC64, [8, "got base"]],
  [elf.R_X86_64_TLSGD, [4, "gd"]],
  [elf.R_X86_64_TLSLD, [4, "ld"]],
  ...each(4, "ie", elf.R_X86_64_GOTTPOFF, elf.R_X86_64_CODE_4_GOTTPOFF, elf.R_X86_64_CODE_5_GOTTPOFF, elf.R_X86_64_CODE_6_GOTTPOFF),
  [elf.R_X86_64_TPOFF32, [4, "le"]],
  [elf.R_X86_64_TPOFF64, [8, "le word"]],
  [elf.R_X86_64_DTPOFF32, [4, "dtpoff"]],
  [elf.R_X86_64_DTPOFF64, [8, "dtpoff"]],
  ...each(4, "desc", elf.R_X86_64_GOTPC32_TLSDESC, elf.R_X86_64_CODE_4_GOTPC32_TLSDESC, elf.R_X86_64_CODE_5_GOTPC32_TLSDESC, elf.R_X86_64_CODE_6_GOTPC32_TLSDESC),
  [elf.R_X86_64_TLSDESC_CALL, [2, "desc call"]],
]);
/** Their value counts from _GLOBAL_OFFSET_TABLE_. */
const FROM_GOT_BASE = new Set<number>([
  elf.R_X86_64_GOT32, elf.R_X86_64_GOT64, elf.R_X86_64_GOTPLT64, elf.R_X86_64_GOTOFF64, elf.R_X86_64_PLTOFF64, elf.R_X86_64_GOTPC32, elf.R_X86_64_GOTPC64,
]);
const THREAD_LOCAL = new Set<Meaning>(["gd", "ld", "ie", "le", "le word", "dtpoff", "desc", "desc call"]);
/** Relocations of the call that ends a general or local dynamic sequence: call, call *, and movabs of the large model. */
const CALLS = new Set<number>([
  elf.R_X86_64_PLT32, elf.R_X86_64_PC32, elf.R_X86_64_GOTPCRELX, elf.R_X86_64_REX_GOTPCRELX, elf.R_X86_64_GOTPCREL, elf.R_X86_64_PLTOFF64,
]);

const kindOf = ({ flags }: SymSpec): number => flags & abi.SYM_KIND_MASK;
const has = ({ flags }: SymSpec, bits: number): boolean => (flags & bits) !== 0;
const isUndefined = (sym: SymSpec): boolean => kindOf(sym) === abi.SYM_UNDEF || kindOf(sym) === abi.SYM_LAZY;
const isShared = (sym: SymSpec): boolean => kindOf(sym) === abi.SYM_SHARED;

/** What a relocation comes to, if nothing is wrong with it. */
type Outcome =
  | "nothing" | "relative" | "symbolic" | "got" | "relaxed or got" | "plt" | "ifunc address" | "relative ifunc" | "copy" | "canonical" | "tls pair" | "tls module" | "tls offset" | "tls descriptor"
  | { code: number };

class Scan {
  readonly result: ScanResult;
  readonly spec: RelocWorldSpec;
  readonly pic: boolean;
  readonly shared: boolean;

  constructor(spec: RelocWorldSpec) {
    this.spec = spec;
    this.pic = spec.output !== "exec";
    this.shared = spec.output === "shared";
    this.result = {
      bits: spec.symbols.map(() => 0), sections: spec.sections.map(() => ({ relative: 0, relr: 0, symbolic: 0 })),
      gotBase: false, tlsModule: false, staticTls: false, textRel: false, issues: [],
    };
  }

  param(name: keyof NonNullable<RelocWorldSpec["params"]>, usual: number): number {
    return this.spec.params?.[name] ?? usual;
  }

  section(section: SecSpec, s: number): void {
    if (section.live === false || (section.flags & elf.SHF_ALLOC) === 0) return;
    for (let index = 0; index < section.relocs.length; index++) index += this.relocation(section, s, index);
  }

  /** Returns how many of the relocations behind it belong to it. */
  relocation(section: SecSpec, s: number, index: number): number {
    const rel = section.relocs[index]!;
    const { type, offset } = rel;
    const row = 2 + rel.sym;
    const issue = (code: number, a: number, b: number): 0 => {
      this.result.issues.push({ code, section: s, index, a: BigInt(a), b: BigInt(b) });
      return 0;
    };
    if (rel.sym >= this.spec.symbols.length) return issue(abi.ISSUE_RELOC_BAD_SYMBOL, rel.sym + 1, type);
    const sym = rel.sym < 0 ? null : this.spec.symbols[rel.sym]!;
    const known = TYPES.get(type);
    if (known === undefined) return issue(abi.ISSUE_RELOC_UNKNOWN, type, sym === null ? 1 : row);
    const [bytes, meaning] = known;
    if (meaning === "none") return 0;
    if (offset + bytes > section.bytes.length) return issue(abi.ISSUE_RELOC_BAD_OFFSET, offset, type);
    if (sym !== null) {
      if (kindOf(sym) === abi.SYM_DISCARDED) return issue(abi.ISSUE_DISCARDED_REF, rel.sym + 1, row);
      if (!has(sym, abi.SYM_LOCAL)) this.add(rel, abi.SYM_REF_LIVE);
      const verdict = this.undefinedVerdict(sym);
      if (verdict !== "fine") issue(abi.ISSUE_UNDEFINED, row, 0);
      if (verdict === "fatal") return 0;
    }
    if (FROM_GOT_BASE.has(type)) this.result.gotBase = true;
    const outcome = this.decide(section, rel, meaning, sym);
    if (typeof outcome === "object") return issue(outcome.code, type, sym === null ? 1 : row);
    this.note(section, s, rel, meaning, outcome);
    if (this.shared || (meaning !== "gd" && meaning !== "ld")) return 0;
    return this.takeCall(section, index) ? 1 : issue(abi.ISSUE_RELOC_BAD_RELAX, type, 0);
  }

  /** An undefined symbol is wrong unless it is weak or left to other modules; a version nobody provides is always wrong. */
  undefinedVerdict(sym: SymSpec): "fine" | "reported" | "fatal" {
    if (kindOf(sym) !== abi.SYM_UNDEF) return "fine";
    const policy = this.param("undefinedPolicy", UNDEFINED_ERROR);
    const lax = policy !== UNDEFINED_ERROR;
    if (sym.name?.includes("@")) return lax ? "reported" : "fatal";
    if (has(sym, abi.SYM_WEAK)) return "fine";
    if ((sym.vis ?? 0) !== elf.STV_DEFAULT) return "fatal";
    return policy === UNDEFINED_IGNORE ? "fine" : lax ? "reported" : "fatal";
  }

  decide(section: SecSpec, { type }: RelSpec, meaning: Meaning, sym: SymSpec | null): Outcome {
    const none: SymSpec = { flags: abi.SYM_UNDEF | abi.SYM_WEAK };
    const target = sym ?? none;
    const threadLocal = has(target, abi.SYM_TLS);
    if (THREAD_LOCAL.has(meaning)) {
      // A section symbol has no type of its own, and what is not defined in an object none to rely on.
      const other = kindOf(target) === abi.SYM_DEFINED && (target.section ?? -1) >= 0 && !threadLocal && !has(target, abi.SYM_SECTION);
      return other ? { code: abi.ISSUE_RELOC_TLS_MISMATCH } : this.decideThreadLocal(section, meaning, target);
    }
    if (meaning === "got base") return "nothing";
    if (threadLocal && meaning !== "size" && (kindOf(target) === abi.SYM_DEFINED || isShared(target))) return { code: abi.ISSUE_RELOC_TLS_MISMATCH };
    const preemptible = has(target, abi.SYM_PREEMPTIBLE);
    const ifunc = has(target, abi.SYM_IFUNC) && !preemptible;
    if (ifunc && this.spec.ifuncNoplt) return "symbolic";
    if (meaning === "got") return "got";
    if (meaning === "got?") return preemptible || ifunc || this.isAbsolute(target) ? "got" : "relaxed or got";
    if (meaning === "call" && (preemptible || ifunc)) return "plt";
    return preemptible ? this.decidePreemptible(section, meaning, target, type) : this.decideBound(section, meaning, target, ifunc);
  }

  isAbsolute(sym: SymSpec): boolean {
    return isUndefined(sym) || has(sym, abi.SYM_ABSOLUTE) || (kindOf(sym) === abi.SYM_DEFINED && (sym.section ?? -1) < 0);
  }

  /** Its address is that in the output, or a number. */
  decideBound(section: SecSpec, meaning: Meaning, sym: SymSpec, ifunc: boolean): Outcome {
    if (meaning === "size") return "nothing";
    const relative = meaning === "pc" || meaning === "pc word" || meaning === "call";
    const constant = !this.pic || this.isAbsolute(sym) !== relative;
    if (constant) return ifunc ? "ifunc address" : "nothing";
    // Code that calls an undefined weak function tests its address first; what a script assigns is taken as it is.
    if (relative) return isUndefined(sym) || kindOf(sym) === abi.SYM_IN_OSEC ? "nothing" : { code: abi.ISSUE_RELOC_ABSOLUTE };
    if (meaning === "narrow") return { code: abi.ISSUE_RELOC_NEEDS_PIC };
    if (!this.mayWrite(section)) return { code: abi.ISSUE_RELOC_TEXTREL };
    return ifunc ? "relative ifunc" : "relative";
  }

  decidePreemptible(section: SecSpec, meaning: Meaning, sym: SymSpec, type: number): Outcome {
    // Dynamic linkers fill no relative words in: they are left to them only where all is, -z notext.
    const wordy = meaning === "word" || meaning === "size" || (meaning === "pc word" && this.param("zText", 1) === 0);
    if (!this.pic && (isUndefined(sym) || kindOf(sym) === abi.SYM_LAZY)) return "nothing";
    if (wordy && this.mayWrite(section)) return "symbolic";
    // An executable knows how large things were when it was linked.
    if (meaning === "size") return this.shared ? { code: abi.ISSUE_RELOC_NEEDS_PIC } : "nothing";
    const absolute = meaning === "word" || meaning === "narrow";
    if (!this.shared && isShared(sym) && !has(sym, abi.SYM_TLS)) {
      const protectedThere = this.isProtectedThere(sym);
      if (!(this.pic && absolute)) {
        if (has(sym, abi.SYM_OBJECT | abi.SYM_FUNC) && protectedThere) return { code: abi.ISSUE_COPY_PROTECTED };
        if (has(sym, abi.SYM_OBJECT)) return this.param("zCopyreloc", 1) ? "copy" : { code: abi.ISSUE_NO_COPYRELOC };
        if (has(sym, abi.SYM_FUNC)) return "canonical";
      }
      if (protectedThere) return { code: abi.ISSUE_COPY_PROTECTED };
    }
    return { code: this.pic && type === elf.R_X86_64_64 ? abi.ISSUE_RELOC_TEXTREL : abi.ISSUE_RELOC_NEEDS_PIC };
  }

  decideThreadLocal(section: SecSpec, meaning: Meaning, sym: SymSpec): Outcome {
    const elsewhere = has(sym, abi.SYM_PREEMPTIBLE);
    if (meaning === "desc call") return "nothing";
    if (meaning === "dtpoff") {
      const here = this.shared || !elsewhere || (isUndefined(sym) && (!this.pic || has(sym, abi.SYM_WEAK)));
      return here ? "nothing" : { code: abi.ISSUE_RELOC_NEEDS_PIC };
    }
    if (this.shared) {
      if (meaning === "gd") return "tls pair";
      if (meaning === "ld") return "tls module";
      if (meaning === "desc") return "tls descriptor";
      if (meaning === "ie") return "tls offset";
      // A word of data may hold a TP offset that the dynamic linker computes.
      return meaning === "le word" && this.mayWrite(section) ? "symbolic" : { code: abi.ISSUE_RELOC_SHARED_TLS };
    }
    if (meaning === "ld" || !elsewhere) return "nothing"; // becomes local exec
    if (meaning !== "le" && meaning !== "le word") return "tls offset"; // becomes initial exec
    if (!this.pic && isUndefined(sym)) return "nothing";
    return meaning === "le word" && this.mayWrite(section) ? "symbolic" : { code: abi.ISSUE_RELOC_NEEDS_PIC };
  }

  mayWrite({ flags }: SecSpec): boolean {
    return (flags & elf.SHF_WRITE) !== 0 || this.param("zText", 1) === 0;
  }

  isProtectedThere(sym: SymSpec): boolean {
    const ignored = this.param("ignoreEquality", 0);
    if (has(sym, abi.SYM_FUNC) && (ignored & abi.IGNORE_FUNCTION_EQUALITY) !== 0) return false;
    if (has(sym, abi.SYM_OBJECT) && (ignored & abi.IGNORE_DATA_EQUALITY) !== 0) return false;
    return (sym.other ?? 0) === elf.STV_PROTECTED;
  }

  add(rel: RelSpec, bits: number): void {
    if (rel.sym >= 0) this.result.bits[rel.sym]! |= bits;
  }

  note(section: SecSpec, s: number, rel: RelSpec, meaning: Meaning, outcome: Outcome): void {
    const counts = this.result.sections[s]!;
    const dynamic = outcome === "relative" || outcome === "relative ifunc" || outcome === "symbolic";
    if (dynamic && (section.flags & elf.SHF_WRITE) === 0) this.result.textRel = true;
    if (outcome === "ifunc address" || outcome === "relative ifunc") this.add(rel, abi.SYM_ADDRESS_TAKEN);
    if (outcome === "relative" || outcome === "relative ifunc") {
      // .relr.dyn marks its bitmaps by an odd number, and its addresses are even only in sections that are aligned.
      if (this.param("packRelr", 0) && rel.offset % 2 === 0 && (section.align ?? 3) > 0) counts.relr++;
      else counts.relative++;
    } else if (outcome === "symbolic") {
      counts.symbolic++;
      const sym = this.spec.symbols[rel.sym];
      if (sym !== undefined && this.spec.ifuncNoplt && has(sym, abi.SYM_IFUNC) && !has(sym, abi.SYM_PREEMPTIBLE)) this.add(rel, abi.SYM_EXPORTED);
    } else if (outcome === "got") this.add(rel, abi.SYM_NEEDS_GOT);
    else if (outcome === "relaxed or got") {
      if (!this.isRelaxed(section, rel)) this.add(rel, abi.SYM_NEEDS_GOT);
    } else if (outcome === "plt") this.add(rel, abi.SYM_NEEDS_PLT);
    else if (outcome === "copy") this.add(rel, abi.SYM_NEEDS_COPY);
    else if (outcome === "canonical") this.add(rel, abi.SYM_NEEDS_PLT | abi.SYM_NEEDS_CPLT);
    else if (outcome === "tls pair") this.add(rel, abi.SYM_NEEDS_TLSGD);
    else if (outcome === "tls module") this.result.tlsModule = true;
    else if (outcome === "tls descriptor") this.add(rel, abi.SYM_NEEDS_TLSDESC);
    else if (outcome === "tls offset") {
      this.add(rel, abi.SYM_NEEDS_GOTTP);
      if (this.shared && meaning === "ie") this.result.staticTls = true;
    }
  }

  /** psABI B.2: may the instruction do without the GOT entry? */
  isRelaxed(section: SecSpec, { type, offset, addend, sym: index }: RelSpec): boolean {
    const sym = this.spec.symbols[index]!;
    if (this.param("relax", 1) === 0 || addend !== -4n) return false;
    if (kindOf(sym) === abi.SYM_DEFINED && (this.spec.sections[sym.section!]!.flags & elf.SHF_X86_64_LARGE) !== 0) return false;
    const prefix = type === elf.R_X86_64_GOTPCRELX ? 0 : type === elf.R_X86_64_REX_GOTPCRELX ? 1 : 2;
    if (offset < prefix + 2) return false;
    const byte = (back: number): number => section.bytes[offset - back]!;
    if (prefix === 2 && byte(4) !== 0xd5) return false;
    const [opcode, modrm] = [byte(2), byte(1)];
    if (modrm >>> 6 !== 0 || (modrm & 7) !== 5) return false; // not relative to the instruction pointer
    const operation = (modrm >>> 3) & 7;
    if (opcode === 0x8b) return true; // mov
    if (opcode === 0xff && prefix < 2) return operation === 2 || operation === 4; // call *, jmp *
    const lowImage = this.param("relaxAbs32", this.pic ? 0 : 1) === 1;
    const arithmetic = [0x03, 0x0b, 0x13, 0x1b, 0x23, 0x2b, 0x33, 0x3b, 0x85];
    return prefix > 0 && lowImage && arithmetic.includes(opcode);
  }

  /** The call of a dynamic sequence that has been changed is no longer there; what it refers to stays referred to. */
  takeCall(section: SecSpec, index: number): boolean {
    const call = section.relocs[index + 1];
    if (call === undefined || !CALLS.has(call.type)) return false;
    const distance = call.offset - section.relocs[index]!.offset;
    if (distance < 5 || distance > 8) return false;
    const callee = this.spec.symbols[call.sym];
    if (callee !== undefined && !has(callee, abi.SYM_LOCAL)) this.add(call, abi.SYM_REF_LIVE);
    return true;
  }
}

export function scanTwin(spec: RelocWorldSpec): ScanResult {
  const scan = new Scan(spec);
  spec.sections.forEach((section, s) => scan.section(section, s));
  return scan.result;
}
