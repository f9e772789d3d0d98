/**
 * x86-64 instructions that the linker may change: recognising them and rewriting them. Bits only.
 *
 * `at` is the address in memory of the relocated 4-byte field where nothing else is said; the opcode lies before it. Nothing here knows symbols or
 * sections: callers make sure that the bytes named in each comment are inside the section. Sources: psABI ch. 4.4 "Relaxation",
 * B.2 "Optimize GOTPCRELX Relocations"; "ELF Handling For Thread-Local Storage" 5.5; TLSDESC: psABI 4.6; Intel APX (REX2, EVEX).
 */
import {
  R_X86_64_CODE_4_GOTPCRELX, R_X86_64_CODE_4_GOTPC32_TLSDESC, R_X86_64_CODE_4_GOTTPOFF, R_X86_64_CODE_5_GOTPC32_TLSDESC, R_X86_64_CODE_5_GOTTPOFF,
  R_X86_64_CODE_6_GOTPC32_TLSDESC, R_X86_64_CODE_6_GOTTPOFF, R_X86_64_GOTPCRELX,
} from "../shared/elf.ts";

// ---- GOTPCRELX forms ----
export const FORM_NONE: u32 = 0;
/** mov foo@GOTPCREL(%rip), %reg → lea foo(%rip), %reg */
const FORM_LEA: u32 = 1;
/** call *foo@GOTPCREL(%rip) → addr32 call foo; or another byte before or behind it (-z call-nop) */
const FORM_CALL: u32 = 2;
/** jmp *foo@GOTPCREL(%rip) → jmp foo; nop */
const FORM_JMP: u32 = 3;
/** test %reg, foo@GOTPCREL(%rip) → test $foo, %reg */
const FORM_TEST: u32 = 4;
/** adc add and cmp or sbb sub xor foo@GOTPCREL(%rip), %reg → op $foo, %reg */
const FORM_BINOP: u32 = 5;

/** Bytes before the field that the type's instruction forms take: opcode, ModRM and the prefix the type promises. */
// @ts-ignore: decorator
@inline
export function gotPrefixBytes(type: u32): u64 {
  return type == R_X86_64_GOTPCRELX ? 2 : type == R_X86_64_CODE_4_GOTPCRELX ? 4 : 3;
}

/** What the instruction at a GOTPCRELX field can become. `abs32`: addresses fit in an immediate and do not move. */
export function gotForm(at: u32, type: u32, abs32: u32): u32 {
  const op = <u32>load<u8>(at - 2);
  const modrm = <u32>load<u8>(at - 1);
  if (type == R_X86_64_CODE_4_GOTPCRELX && load<u8>(at - 4) != 0xd5) return FORM_NONE;
  if ((modrm & 0xc7) != 0x05) return FORM_NONE;
  if (op == 0x8b) return FORM_LEA;
  if (op == 0xff && type != R_X86_64_CODE_4_GOTPCRELX) {
    if (modrm == 0x15) return FORM_CALL;
    if (modrm == 0x25) return FORM_JMP;
    return FORM_NONE;
  }
  // Without a REX prefix the operation has 32 bits and compares a part of the address: left alone, as lld does.
  if (type == R_X86_64_GOTPCRELX || !abs32) return FORM_NONE;
  if (op == 0x85) return FORM_TEST;
  return (op & 0xc7) == 0x03 ? FORM_BINOP : FORM_NONE; // 03 0b 13 1b 23 2b 33 3b
}

/** Moves the register number of ModRM.reg (with its extension bit) to ModRM.rm, for an instruction that now takes an immediate. */
// @ts-ignore: decorator
@inline
function registerToRm(at: u32, type: u32, extension: u32): void {
  const modrm = <u32>load<u8>(at - 1);
  store<u8>(at - 1, <u8>(0xc0 | (extension << 3) | ((modrm >> 3) & 7)));
  const prefix = <u32>load<u8>(at - 3);
  if (type == R_X86_64_CODE_4_GOTPCRELX || type == R_X86_64_CODE_4_GOTTPOFF || type == R_X86_64_CODE_4_GOTPC32_TLSDESC) {
    // REX2 payload M0 R4 X4 B4 W R3 X3 B3: R4 → B4, R3 → B3
    store<u8>(at - 3, <u8>((prefix & ~0x55) | ((prefix & 0x44) >> 2)));
  } else {
    // REX 0100WRXB: R → B
    store<u8>(at - 3, <u8>((prefix & ~5) | ((prefix & 4) >> 2)));
  }
}

/**
 * Rewrites the instruction for `form`. `SA`: S + A + 4, the address that was loaded from the GOT; `P`: address of the field.
 * `callNop`: the byte that pads a call, bit 8 = behind it. Returns 0, or 1 when the value does not fit (nothing is written then).
 */
export function relaxGot(at: u32, type: u32, form: u32, SA: u64, P: u64, callNop: u32): u32 {
  if (form == FORM_LEA || form == FORM_CALL) {
    const V = <i64>(SA - 4 - P);
    if (V != <i64><i32>V) return 1;
    if (form == FORM_LEA) store<u8>(at - 2, 0x8d);
    else if (callNop >> 8) {
      store<u8>(at - 2, 0xe8); // e8 rel32 begins one byte earlier
      store<u32>(at - 1, <u32>(V + 1));
      store<u8>(at + 3, <u8>callNop);
      return 0;
    } else store<u16>(at - 2, <u16>(0xe800 | callNop)); // 67 e8: addr32 call
    store<u32>(at, <u32>V);
    return 0;
  }
  if (form == FORM_JMP) {
    const V = <i64>(SA - 4 - (P - 1)); // e9 rel32 begins one byte earlier than the field did
    if (V != <i64><i32>V) return 1;
    store<u8>(at - 2, 0xe9);
    store<u32>(at - 1, <u32>V);
    store<u8>(at + 3, 0x90);
    return 0;
  }
  const V = <i64>SA;
  if (V != <i64><i32>V) return 1;
  if (form == FORM_TEST) {
    store<u8>(at - 2, 0xf7); // f7 /0 id
    registerToRm(at, type, 0);
  } else {
    const op = <u32>load<u8>(at - 2);
    store<u8>(at - 2, 0x81); // 81 /n id, n = bits 3-5 of the opcode
    registerToRm(at, type, op >> 3);
  }
  store<u32>(at, <u32>V);
  return 0;
}

// ---- TLS: general and local dynamic ----
export const TLS_BAD: u32 = 0;
/** 66 48 8d 3d (lea x@tlsgd(%rip),%rdi) [field] then 66 66 48 e8 or 66 48 ff 15 and 4 bytes: 16 bytes. */
const GD_SMALL: u32 = 1;
/** 48 8d 3d [field] 48 b8 [8 bytes] 48 01 d8 | 4c 01 f8, ff d0: 22 bytes, large code model. */
const GD_LARGE: u32 = 2;
/** 48 8d 3d [field] e8 [4 bytes]: 12 bytes. */
const LD_CALL: u32 = 3;
/** 48 8d 3d [field] ff 15 [4 bytes]: 13 bytes. */
const LD_CALL_GOT: u32 = 4;
const LD_LARGE: u32 = 5;

/** lea disp(%rip), %rdi before the field. */
// @ts-ignore: decorator
@inline
function isLeaRdi(at: u32): bool {
  return (load<u32>(at - 4) >> 8) == 0x3d8d48;
}

/** movabs $…, %rax; add %rbx or %r15, %rax; call *%rax after the field. */
// @ts-ignore: decorator
@inline
function isLargeCall(at: u32): bool {
  const add = load<u32>(at + 14) & 0xffffff;
  return load<u16>(at + 4) == 0xb848 && (add == 0xd80148 || add == 0xf8014c) && load<u16>(at + 17) == 0xd0ff;
}

/** Which general dynamic sequence surrounds the field. `before`: bytes of the section before the field, `after`: from its start on. */
export function gdForm(at: u32, before: u64, after: u64): u32 {
  if (before < 3 || !isLeaRdi(at)) return TLS_BAD;
  if (before >= 4 && after >= 12 && load<u8>(at - 4) == 0x66) {
    const call = load<u32>(at + 4);
    if (call == 0xe8486666 || call == 0x15ff4866) return GD_SMALL;
  }
  return after >= 19 && isLargeCall(at) ? GD_LARGE : TLS_BAD;
}

export function ldForm(at: u32, before: u64, after: u64): u32 {
  if (before < 3 || !isLeaRdi(at)) return TLS_BAD;
  if (after >= 9 && load<u8>(at + 4) == 0xe8) return LD_CALL;
  if (after >= 10 && load<u16>(at + 4) == 0x15ff) return LD_CALL_GOT;
  return after >= 19 && isLargeCall(at) ? LD_LARGE : TLS_BAD;
}

/** 64 48 8b 04 25 00 00 00 00: mov %fs:0, %rax */
// @ts-ignore: decorator
@inline
function putMovFs0(at: u32): void {
  store<u32>(at, 0x048b4864);
  store<u32>(at + 4, 0x00000025);
  store<u8>(at + 8, 0);
}

/** Second instruction of a relaxed general dynamic sequence; returns the address of its 4-byte field. */
// @ts-ignore: decorator
@inline
function relaxGd(at: u32, form: u32, instruction: u32): u32 {
  const start = form == GD_SMALL ? at - 4 : at - 3;
  putMovFs0(start);
  store<u16>(start + 9, <u16>instruction);
  store<u8>(start + 11, <u8>(instruction >> 16));
  if (form == GD_LARGE) {
    store<u32>(start + 16, 0x441f0f66); // 66 0f 1f 44 00 00: nopw 0(%rax,%rax,1)
    store<u16>(start + 20, 0);
  }
  return start + 12;
}

/** General dynamic → local exec: mov %fs:0,%rax; lea tpoff(%rax),%rax. Returns where the 32-bit TP offset goes. */
export function relaxGdToLe(at: u32, form: u32): u32 {
  return relaxGd(at, form, 0x808d48); // 48 8d 80 id
}

/** General dynamic → initial exec: mov %fs:0,%rax; add gottpoff(%rip),%rax. Returns where the 32-bit displacement goes. */
export function relaxGdToIe(at: u32, form: u32): u32 {
  return relaxGd(at, form, 0x050348); // 48 03 05 id
}

/** Local dynamic → local exec: padding, then mov %fs:0,%rax. */
export function relaxLdToLe(at: u32, form: u32): void {
  const start = at - 3;
  if (form == LD_LARGE) {
    // 66 66 66 66 2e 0f 1f 84 00 00 00 00 00: one 13-byte nop
    store<u64>(start, 0x841f0f2e66666666);
    store<u32>(start + 8, 0);
    store<u8>(start + 12, 0);
    putMovFs0(start + 13);
    return;
  }
  store<u32>(start, 0x66666666);
  putMovFs0(form == LD_CALL ? start + 3 : start + 4);
}

// ---- TLS: initial exec, descriptors ----
/**
 * Initial exec → local exec of the instruction before the field: mov and add take the offset as an immediate.
 * `before`: bytes of the section before the field. Returns false when it is another instruction.
 */
export function relaxIeToLe(at: u32, type: u32, before: u64): bool {
  if (before < 3) return false;
  const op = <u32>load<u8>(at - 2);
  const modrm = <u32>load<u8>(at - 1);
  if ((modrm & 0xc7) != 0x05 || type == R_X86_64_CODE_5_GOTTPOFF) return false;
  if (type == R_X86_64_CODE_6_GOTTPOFF) return before >= 6 && relaxIeEvex(at, op, modrm);
  if (op != 0x8b && op != 0x03) return false;
  if (type == R_X86_64_CODE_4_GOTTPOFF) {
    if (before < 4 || load<u8>(at - 4) != 0xd5) return false;
    store<u8>(at - 2, op == 0x8b ? 0xc7 : 0x81); // mov $imm / add $imm
    registerToRm(at, type, 0);
    return true;
  }
  const rex = <u32>load<u8>(at - 3);
  if ((rex & 0xfb) != 0x48) return false;
  const reg = (modrm >> 3) & 7;
  if (op == 0x8b || reg == 4) {
    // lea with base %rsp or %r12 would need a SIB byte, so add stays add: 48 c7 c0+reg (mov), 48 81 c4 (add)
    store<u8>(at - 2, op == 0x8b ? 0xc7 : 0x81);
    registerToRm(at, type, 0);
    return true;
  }
  // add x(%rip), %reg → lea x(%reg), %reg: the extension bit names both registers
  store<u8>(at - 3, <u8>(rex & 4 ? 0x4d : 0x48));
  store<u8>(at - 2, 0x8d);
  store<u8>(at - 1, <u8>(0x80 | (reg << 3) | reg));
  return true;
}

/** add x@gottpoff(%rip) with EVEX (new data destination or no flags): 62 P0 P1 P2 op modrm → 62 P0 P1 P2 81 /0 id. */
function relaxIeEvex(at: u32, op: u32, modrm: u32): bool {
  const p0 = <u32>load<u8>(at - 5);
  // P0: X3 inverted = 1, map 4; P1: W = 1, X4 inverted = 1, pp = 0; P2: ND or NF
  if (load<u8>(at - 6) != 0x62 || (p0 & 0x47) != 0x44 || (load<u8>(at - 4) & 0x87) != 0x84) return false;
  if ((load<u8>(at - 3) & 0x14) == 0 || (op != 0x01 && op != 0x03)) return false;
  // R3 (bit 7, inverted) → B3 (bit 5, inverted); R4 (bit 4, inverted) → B4 (bit 3, not inverted); R3 = R4 = 0
  const b3 = (p0 >> 7) & 1;
  const b4 = ((p0 >> 4) & 1) ^ 1;
  store<u8>(at - 5, <u8>((p0 & 0x47) | 0x90 | (b3 << 5) | (b4 << 3)));
  store<u8>(at - 2, 0x81);
  store<u8>(at - 1, <u8>(0xc0 | ((modrm >> 3) & 7)));
  return true;
}

/** Is the instruction before the field lea x@tlsdesc(%rip), %reg? */
export function isTlsDescLea(at: u32, type: u32, before: u64): bool {
  if (before < 3 || load<u8>(at - 2) != 0x8d || (load<u8>(at - 1) & 0xc7) != 0x05) return false;
  if (type == R_X86_64_CODE_5_GOTPC32_TLSDESC || type == R_X86_64_CODE_6_GOTPC32_TLSDESC) return false; // the psABI shows no such code
  if (type == R_X86_64_CODE_4_GOTPC32_TLSDESC) return before >= 4 && load<u8>(at - 4) == 0xd5;
  return (load<u8>(at - 3) & 0xfb) == 0x48;
}

/** TLS descriptor → local exec: lea → mov $tpoff, %reg (c7 /0 id). */
export function relaxTlsDescToLe(at: u32, type: u32): void {
  store<u8>(at - 2, 0xc7);
  registerToRm(at, type, 0);
}

/** TLS descriptor → initial exec: lea → mov gottpoff(%rip), %reg. */
export function relaxTlsDescToIe(at: u32): void {
  store<u8>(at - 2, 0x8b);
}

/** call *x@tlscall(%rax) → xchg %ax, %ax. */
export function relaxTlsDescCall(at: u32): void {
  store<u16>(at, 0x9066);
}

// ---- split stacks ----
/**
 * Makes the prologue at `at`, `after` bytes before the end of the section, ask for `more` bytes of stack than it does, or always; false
 * when it is none that is known (gcc's documentation of split stacks).
 */
export function adjustPrologue(at: u32, after: u64, more: u32): bool {
  if (after <= 8) return false;
  if ((load<u64>(at) & 0xffffffffff) == 0x25243b4864) {
    // 64 48 3b 24 25: cmp %fs:x, %rsp → stc; nopl 0(%rax,%rax): the branch after it sees "too little" always
    store<u64>(at, 0x0000000000841f0ff9);
    return true;
  }
  const lea = load<u32>(at);
  if (lea != 0x24948d4c && lea != 0x249c8d4c) return false;
  // 4c 8d 94|9c 24: lea -x(%rsp), %r10|%r11, x bytes of frame
  store<u32>(at, load<u32>(at, 4) - more, 4);
  return true;
}

// ---- branches at the end of a section (--optimize-bb-jumps): e9 rel32 (jmp), 0f 80+cc rel32 (jcc) ----
export const JMP_BYTES: u32 = 5;
export const JCC_BYTES: u32 = 6;

/** Does a jump end before `end`? */
// @ts-ignore: decorator
@inline
export function isJmpBefore(end: u32): bool {
  return load<u8>(end - JMP_BYTES) == 0xe9;
}

/** Does a conditional jump end before `end`? */
// @ts-ignore: decorator
@inline
export function isJccBefore(end: u32): bool {
  return load<u8>(end - JCC_BYTES) == 0x0f && (load<u8>(end - JCC_BYTES + 1) & 0xf0) == 0x80;
}

/** Negates the condition of the jcc whose field is at `at`: the lowest bit of cc. */
// @ts-ignore: decorator
@inline
export function negateJcc(at: u32): void {
  store<u8>(at - 1, load<u8>(at - 1) ^ 1);
}
