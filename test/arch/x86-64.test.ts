import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as abi from "../../as-kernels/shared/abi.ts";
import * as elf from "../../as-kernels/shared/elf.ts";
import * as R from "../../as-kernels/shared/reloc.ts";
import { architectureOf, relocationBytes } from "../../ts/arch/index.ts";
import { x86_64 } from "../../ts/arch/x86-64.ts";
import { relocationName } from "../../ts/arch/x86-64-words.ts";
import { policyBytes } from "../../ts/passes/scan-policy.ts";
import { DATA, relocWorld, TEXT, type RelocWorld, type RelocWorldSpec, type RelSpec, type SymSpec } from "../helpers/reloc-world.ts";

const test = suite("x86-64");

// Symbols of all code tests. Section 0 is code at 0x200000, section 1 data at 0x210000; the TLS block ends at 0x350400.
const VAR = 0; // 0x210008
const TLV = 1; // TP offset -0x3f0
const THEIRS = 2; // a shared object's thread-local variable
const CALLEE = 3; // __tls_get_addr
const SYMBOLS: SymSpec[] = [
  { flags: abi.SYM_DEFINED, section: 1, value: 8n },
  { flags: abi.SYM_DEFINED | abi.SYM_TLS, addr: 0x350010n },
  { flags: abi.SYM_SHARED | abi.SYM_TLS | abi.SYM_PREEMPTIBLE },
  { flags: abi.SYM_SHARED | abi.SYM_FUNC | abi.SYM_PREEMPTIBLE },
];

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
const fromHex = (text: string): Uint8Array => Uint8Array.from(text.trim().split(/\s+/), (byte) => parseInt(byte, 16));
/** A 32-bit field, little endian. */
const le32 = (value: number): string => hex(new Uint8Array(new Int32Array([value]).buffer));

function code(text: string, relocs: RelSpec[], output: "exec" | "pie" | "shared" = "pie", params: RelocWorldSpec["params"] = {}): { text: string; world: RelocWorld } {
  const world = relocWorld({
    output, symbols: SYMBOLS, params,
    sections: [{ bytes: fromHex(text), flags: TEXT, relocs }, { bytes: new Uint8Array(16), flags: DATA, relocs: [] }],
  });
  return { text: hex(world.link()[0]!), world };
}

const at = (offset: number, type: number, sym: number): RelSpec => ({ offset, type, sym, addend: -4n });

/** Checks one instruction: `before` with its field (00 00 00 00) at `offset` becomes `after`. */
function becomes(name: string, before: string, offset: number, type: number, sym: number, after: string, output: "exec" | "pie" | "shared" = "pie"): void {
  const result = code(before, [at(offset, type, sym)], output);
  assert.equal(result.world.issues(), [], name);
  assert.is(result.text, after.replace(/\s+/g, " ").trim(), name);
}

test("every static type of the psABI has a row with its name, and no dynamic one", () => {
  const types = new Set(x86_64.relocations.map((relocation) => relocation.r_type));
  const dynamic = [5, 6, 7, 8, 16, 36, 37, 38];
  const withoutObjects = [39, 40];
  for (let type = 0; type <= 51; type++) {
    const wanted = !dynamic.includes(type) && !withoutObjects.includes(type);
    assert.is(types.has(type), wanted, `type ${type}`);
  }
  assert.is(types.size, x86_64.relocations.length, "no type twice");
});

test("tables in memory: four bytes per type, zero for unknown ones, and a cell for every choice", () => {
  const bytes = relocationBytes(x86_64);
  assert.equal([...bytes.subarray(4 * elf.R_X86_64_PC32, 4 * elf.R_X86_64_PC32 + 4)], [R.VALUE_PC, 4, R.RANGE_SIGNED, R.SCAN_PC]);
  assert.equal([...bytes.subarray(4 * elf.R_X86_64_COPY, 4 * elf.R_X86_64_COPY + 4)], [0, 0, 0, 0]);
  assert.is(policyBytes(false, true).length, R.SCAN_ROWS * R.CELLS_PER_ROW);
});

test("relocation types have names", () => {
  for (const [name, r_type] of Object.entries(elf)) if (name.startsWith("R_X86_64_")) assert.is(relocationName(elf.EM_X86_64, r_type), name);
  assert.is(relocationName(elf.EM_X86_64, 39), "Unknown (39)");
  assert.is(relocationName(elf.EM_X86_64, 99), "Unknown (99)");
});

test("is found by emulation", () => {
  assert.is(architectureOf("elf_x86_64"), x86_64);
  assert.is(architectureOf(""), x86_64);
});

test("PLT code has its fields where it says, in every style", () => {
  const opcode = (bytes: Uint8Array, field: number, count: number): string => hex(bytes.subarray(field - count, field));
  const jumps = ["ff 25", "4c 8b 1d"]; // jmpq *x(%rip); movq x(%rip), %r11
  for (const name of ["plain", "ibt", "retpoline", "retpoline-now"] as const) {
    const { header, entry, second, lazy, got, iplt } = x86_64.plt(name);
    assert.is(header.bytes.length % 16, 0, name);
    if (header.link > 0) {
      assert.is(opcode(header.bytes, header.link, 2), "ff 35");
      assert.ok(jumps.some((jump) => jump === opcode(header.bytes, header.resolver, jump.length > 5 ? 3 : 2)), name);
    }
    for (const code of [entry, second, got, iplt]) {
      if (code === null) continue;
      assert.is(code.bytes.length % 8, 0);
      if (code.slot > 0) assert.ok(jumps.some((jump) => jump === opcode(code.bytes, code.slot, jump.length > 5 ? 3 : 2)), name);
      if (code.index > 0) assert.is(code.bytes[code.index - 1], 0x68);
      for (const field of code.header) {
        assert.ok([0xe8, 0xe9].includes(code.bytes[field - 1]!), name);
        assert.ok(code.bytes[field]! < header.bytes.length, `${name}: a place in the header`);
      }
    }
    // The lazy half pushes the number and jumps to the header.
    if (lazy >= 0) assert.ok(entry.index - 1 - lazy === 0 || hex(entry.bytes.subarray(lazy, lazy + 4)) === "f3 0f 1e fa", name);
    else assert.is(entry.index, 0);
    if (name === "ibt") for (const code of [entry, second!, got, iplt]) assert.is(hex(code.bytes.subarray(0, 4)), "f3 0f 1e fa");
  }
});

test("loads of addresses from the GOT become lea", () => {
  // the variable is at 0x210008, the next instruction at 0x200007
  becomes("mov %rax", "48 8b 05 00 00 00 00", 3, elf.R_X86_64_REX_GOTPCRELX, VAR, `48 8d 05 ${le32(0x10001)}`);
  becomes("mov %r15", "4c 8b 3d 00 00 00 00", 3, elf.R_X86_64_REX_GOTPCRELX, VAR, `4c 8d 3d ${le32(0x10001)}`);
  becomes("mov %edi", "8b 3d 00 00 00 00", 2, elf.R_X86_64_GOTPCRELX, VAR, `8d 3d ${le32(0x10002)}`);
  becomes("REX2 mov", "d5 48 8b 05 00 00 00 00", 4, elf.R_X86_64_CODE_4_GOTPCRELX, VAR, `d5 48 8d 05 ${le32(0x10000)}`);
});

test("what is no instruction of the type's form keeps its GOT entry", () => {
  const entry = le32(0x300000 - 0x200008);
  becomes("a prefix that is not REX2's", "66 48 8b 05 00 00 00 00", 4, elf.R_X86_64_CODE_4_GOTPCRELX, VAR, `66 48 8b 05 ${entry}`);
  becomes("a call with REX2", "d5 00 ff 15 00 00 00 00", 4, elf.R_X86_64_CODE_4_GOTPCRELX, VAR, `d5 00 ff 15 ${entry}`);
  becomes("no address relative to %rip", "90 48 8b 80 00 00 00 00", 4, elf.R_X86_64_REX_GOTPCRELX, VAR, `90 48 8b 80 ${entry}`);
  becomes("an address relative to %rbp", "90 48 8b 85 00 00 00 00", 4, elf.R_X86_64_REX_GOTPCRELX, VAR, `90 48 8b 85 ${entry}`);
});

test("calls and jumps through the GOT become direct", () => {
  becomes("call", "ff 15 00 00 00 00", 2, elf.R_X86_64_GOTPCRELX, VAR, `67 e8 ${le32(0x10002)}`);
  becomes("jmp", "ff 25 00 00 00 00", 2, elf.R_X86_64_GOTPCRELX, VAR, `e9 ${le32(0x10003)} 90`);
  // -z call-nop=suffix-0x90: the call begins where the old one did.
  const behind = code("ff 15 00 00 00 00", [at(2, elf.R_X86_64_GOTPCRELX, VAR)], "pie", { callNop: 0x190 });
  assert.is(behind.text, `e8 ${le32(0x10003)} 90`);
});

test("operations on the GOT entry take an immediate where addresses are fixed", () => {
  const address = le32(0x210008);
  const rex = elf.R_X86_64_REX_GOTPCRELX;
  becomes("test %rax", "48 85 05 00 00 00 00", 3, rex, VAR, `48 f7 c0 ${address}`, "exec");
  becomes("test %r9", "4c 85 0d 00 00 00 00", 3, rex, VAR, `49 f7 c1 ${address}`, "exec");
  const operations: [string, string][] = [["03", "c0"], ["0b", "c8"], ["13", "d0"], ["1b", "d8"], ["23", "e0"], ["2b", "e8"], ["33", "f0"], ["3b", "f8"]];
  for (const [opcode, modrm] of operations) {
    becomes(`${opcode} %rax`, `48 ${opcode} 05 00 00 00 00`, 3, rex, VAR, `48 81 ${modrm} ${address}`, "exec");
  }
  becomes("cmp %r12", "4c 3b 25 00 00 00 00", 3, rex, VAR, `49 81 fc ${address}`, "exec");
  becomes("REX2 add %r16", "d5 48 03 05 00 00 00 00", 4, elf.R_X86_64_CODE_4_GOTPCRELX, VAR, `d5 18 81 c0 ${address}`, "exec");
  becomes("REX2 add %r24", "d5 4c 03 05 00 00 00 00", 4, elf.R_X86_64_CODE_4_GOTPCRELX, VAR, `d5 19 81 c0 ${address}`, "exec");
  becomes("test %rax, with a REX.B that means nothing", "49 85 05 00 00 00 00", 3, rex, VAR, `48 f7 c0 ${address}`, "exec");
  becomes("add, moving image", "48 03 05 00 00 00 00", 3, rex, VAR, `48 03 05 ${le32(0x300000 - 0x200007)}`);
});

const GD = "66 48 8d 3d 00 00 00 00";
const MOV_FS = "64 48 8b 04 25 00 00 00 00";
const gdCall = (sym: number, type: number, where: number): RelSpec[] => [at(4, elf.R_X86_64_TLSGD, sym), at(where, type, CALLEE)];

test("general dynamic becomes local exec, initial exec, or stays", () => {
  for (const [call, type] of [["66 66 48 e8", elf.R_X86_64_PLT32], ["66 48 ff 15", elf.R_X86_64_GOTPCRELX]] as const) {
    const text = `${GD} ${call} 00 00 00 00`;
    assert.is(code(text, gdCall(TLV, type, 12)).text, `${MOV_FS} 48 8d 80 ${le32(-0x3f0)}`);
    assert.is(code(text, gdCall(THEIRS, type, 12)).text, `${MOV_FS} 48 03 05 ${le32(0x300000 - 0x200010)}`);
  }
  const shared = code(`${GD} 66 66 48 e8 00 00 00 00`, gdCall(THEIRS, elf.R_X86_64_PLT32, 12), "shared");
  assert.is(shared.text, `66 48 8d 3d ${le32(0x300000 - 0x200008)} 66 66 48 e8 ${le32(0x320010 - 0x200010)}`);
});

test("large model general and local dynamic", () => {
  for (const add of ["48 01 d8", "4c 01 f8"]) {
    const text = `48 8d 3d 00 00 00 00 48 b8 00 00 00 00 00 00 00 00 ${add} ff d0`;
    const relocs = (type: number, sym: number): RelSpec[] => [at(3, type, sym), { offset: 9, type: elf.R_X86_64_PLTOFF64, sym: CALLEE, addend: 0n }];
    assert.is(code(text, relocs(elf.R_X86_64_TLSGD, TLV)).text, `${MOV_FS} 48 8d 80 ${le32(-0x3f0)} 66 0f 1f 44 00 00`);
    assert.is(code(text, relocs(elf.R_X86_64_TLSGD, THEIRS)).text, `${MOV_FS} 48 03 05 ${le32(0x300000 - 0x200010)} 66 0f 1f 44 00 00`);
    assert.is(code(text, relocs(elf.R_X86_64_TLSLD, TLV)).text, `66 66 66 66 2e 0f 1f 84 00 00 00 00 00 ${MOV_FS}`);
  }
});

test("local dynamic becomes local exec, and its offsets with it", () => {
  const relocs = (type: number, where: number): RelSpec[] => [at(3, elf.R_X86_64_TLSLD, TLV), at(where, type, CALLEE)];
  assert.is(code("48 8d 3d 00 00 00 00 e8 00 00 00 00", relocs(elf.R_X86_64_PLT32, 8)).text, `66 66 66 ${MOV_FS}`);
  assert.is(code("48 8d 3d 00 00 00 00 ff 15 00 00 00 00", relocs(elf.R_X86_64_GOTPCRELX, 9)).text, `66 66 66 66 ${MOV_FS}`);
  const offset: RelSpec = { offset: 0, type: elf.R_X86_64_DTPOFF32, sym: TLV, addend: 0n };
  assert.is(code("00 00 00 00", [offset]).text, le32(-0x3f0));
  assert.is(code("00 00 00 00", [offset], "shared").text, le32(0x10));
  const shared = code("48 8d 3d 00 00 00 00 e8 00 00 00 00", relocs(elf.R_X86_64_PLT32, 8), "shared");
  assert.is(shared.text, `48 8d 3d ${le32(0x300000 - 0x200007)} e8 ${le32(0x320010 - 0x20000c)}`);
});

test("initial exec becomes local exec, by instruction", () => {
  const offset = le32(-0x3f0);
  const type = elf.R_X86_64_GOTTPOFF;
  becomes("mov %rax", "48 8b 05 00 00 00 00", 3, type, TLV, `48 c7 c0 ${offset}`);
  becomes("mov %r11", "4c 8b 1d 00 00 00 00", 3, type, TLV, `49 c7 c3 ${offset}`);
  becomes("add %rbx", "48 03 1d 00 00 00 00", 3, type, TLV, `48 8d 9b ${offset}`);
  becomes("add %r13", "4c 03 2d 00 00 00 00", 3, type, TLV, `4d 8d ad ${offset}`);
  becomes("add %rsp", "48 03 25 00 00 00 00", 3, type, TLV, `48 81 c4 ${offset}`);
  becomes("add %r12", "4c 03 25 00 00 00 00", 3, type, TLV, `49 81 c4 ${offset}`);
  becomes("REX2 mov %r16", "d5 48 8b 05 00 00 00 00", 4, elf.R_X86_64_CODE_4_GOTTPOFF, TLV, `d5 18 c7 c0 ${offset}`);
  becomes("REX2 add %r20", "d5 48 03 25 00 00 00 00", 4, elf.R_X86_64_CODE_4_GOTTPOFF, TLV, `d5 18 81 c4 ${offset}`);
  becomes("EVEX {nf} add %r8", "62 74 fc 0c 03 05 00 00 00 00", 6, elf.R_X86_64_CODE_6_GOTTPOFF, TLV, `62 d4 fc 0c 81 c0 ${offset}`);
  becomes("EVEX add to %r16 (ND)", "62 e4 fc 10 03 05 00 00 00 00", 6, elf.R_X86_64_CODE_6_GOTTPOFF, TLV, `62 fc fc 10 81 c0 ${offset}`);
  const text = { bytes: fromHex("48 8b 05 00 00 00 00"), flags: TEXT, relocs: [at(3, type, 0)] };
  const far = relocWorld({ output: "exec", symbols: [{ flags: abi.SYM_DEFINED | abi.SYM_TLS, addr: 0x9_0000_0000n }], sections: [text, { bytes: new Uint8Array(16), flags: DATA, relocs: [] }] });
  far.link();
  assert.equal(far.issues().map((issue) => issue.code), [abi.ISSUE_RELOC_RANGE], "an offset beyond 32 bits");
  becomes("another module's", "48 8b 05 00 00 00 00", 3, type, THEIRS, `48 8b 05 ${le32(0x300000 - 0x200007)}`);
});

test("TLS descriptors become local exec or initial exec, or stay", () => {
  const relocs = (sym: number): RelSpec[] => [at(3, elf.R_X86_64_GOTPC32_TLSDESC, sym), { offset: 7, type: elf.R_X86_64_TLSDESC_CALL, sym, addend: 0n }];
  const text = "48 8d 05 00 00 00 00 ff 10";
  assert.is(code(text, relocs(TLV)).text, `48 c7 c0 ${le32(-0x3f0)} 66 90`);
  assert.is(code(text, relocs(THEIRS)).text, `48 8b 05 ${le32(0x300000 - 0x200007)} 66 90`);
  assert.is(code(text, relocs(THEIRS), "shared").text, `48 8d 05 ${le32(0x300000 - 0x200007)} ff 10`);
  assert.is(code("4c 8d 15 00 00 00 00 ff 10", relocs(TLV)).text, `49 c7 c2 ${le32(-0x3f0)} 66 90`);
});

test("instructions that do not belong to a thread-local model are errors, and nothing is written", () => {
  const bad: [string, RelSpec[]][] = [
    ["48 33 05 00 00 00 00", [at(3, elf.R_X86_64_GOTTPOFF, TLV)]],
    ["00 8b 05 00 00 00 00", [at(3, elf.R_X86_64_GOTTPOFF, TLV)]],
    ["05 00 00 00 00", [at(1, elf.R_X86_64_GOTTPOFF, TLV)]],
    ["48 8b 05 00 00 00 00", [at(3, elf.R_X86_64_GOTPC32_TLSDESC, TLV)]],
    ["00 8d 05 00 00 00 00", [at(3, elf.R_X86_64_GOTPC32_TLSDESC, TLV)]],
    ["48 48 8b 05 00 00 00 00", [at(4, elf.R_X86_64_CODE_4_GOTTPOFF, TLV)]],
    [`${GD} 66 66 48 e9 00 00 00 00`, gdCall(TLV, elf.R_X86_64_PLT32, 12)],
    ["48 8d 35 00 00 00 00 e8 00 00 00 00", [at(3, elf.R_X86_64_TLSLD, TLV), at(8, elf.R_X86_64_PLT32, CALLEE)]],
    ["62 f4 7c 0c 03 05 00 00 00 00", [at(6, elf.R_X86_64_CODE_6_GOTTPOFF, TLV)]],
    ["62 f4 fc 08 03 05 00 00 00 00", [at(6, elf.R_X86_64_CODE_6_GOTTPOFF, TLV)]],
  ];
  for (const [text, relocs] of bad) {
    const result = code(text, relocs);
    assert.equal(result.world.issues().map((issue) => issue.code), [abi.ISSUE_RELOC_BAD_RELAX], text);
    assert.is(result.text.slice(0, 23), text.slice(0, 23), "the sequence stays as it was");
  }
});

test.run();
