/**
 * Objects that contradict each other or themselves: thread-local and not, defined twice, defined in a COMDAT copy that is not kept,
 * relocations against symbols that are not there.
 */
import { assert, behaviour, contains, lacks, linkerName } from "../../helpers/link.ts";

const conflicts = behaviour("conflicts");
const wield = linkerName === "wield";
const lld = wield || linkerName === "lld";

const TLS = ".section .tdata,\"awT\",@progbits\n.globl x\nx: .quad 1\n";
const START = ".text\n.globl _start\n_start:\n";

conflicts("ordinary relocations against a thread-local variable, and thread-local ones against an ordinary variable", (w) => {
  if (!wield) return;
  w.write({ "tls.s": TLS, "data.s": ".data\n.globl x\nx: .quad 1\n" });
  w.sh("as tls.s -o tls.o && as data.s -o data.o");
  const uses = {
    R_X86_64_PC32: "movl x(%rip), %eax", R_X86_64_PLT32: "call x@plt", R_X86_64_GOTPCREL: "movl x@gotpcrel(%rip), %eax; leaq x@gotpcrel(%rip), %rax",
    R_X86_64_64: ".data; .quad x", R_X86_64_32S: "movl $0, x",
  };
  const tlsUses = {
    R_X86_64_TPOFF32: "movl %fs:x@tpoff, %eax", R_X86_64_GOTTPOFF: "movq x@gottpoff(%rip), %rax", R_X86_64_DTPOFF64: ".data; .quad x@dtpoff",
  };
  for (const output of ["", "-pie", "-shared"]) {
    for (const [type, code] of Object.entries(uses)) {
      w.write({ "u.s": START + code + "\n" }).sh("as u.s -o u.o");
      contains(w.fails(`$LD ${output} u.o tls.o -o u`), `relocation ${type} cannot be used against TLS symbol 'x'\n>>> defined in tls.o\n>>> referenced by u.o:(`);
      // Beside a definition that is not thread-local there is nothing to say of threads.
      lacks(w.try(`$LD ${output} u.o data.o -o u`).stderr, "TLS");
    }
    for (const [type, code] of Object.entries(tlsUses)) {
      if (output === "-shared" && type === "R_X86_64_TPOFF32") continue;
      w.write({ "u.s": START + code + "\n" }).sh("as u.s -o u.o");
      contains(w.fails(`$LD ${output} u.o data.o -o u`), `relocation ${type} cannot be used against non-TLS symbol 'x'\n>>> defined in data.o\n`);
      w.sh(`$LD ${output} u.o tls.o -o u`);
    }
  }
  // Debug sections say where in the TLS block the variable is; sizes are sizes.
  w.write({ "d.s": START + "nop\n.section .debug_info,\"\",@progbits\n.quad x@dtpoff\n.data\n.quad x@size\n" }).sh("as d.s -o d.o && $LD d.o tls.o -o d");
}, "as");

conflicts("initial exec code that is not of the psABI's forms", (w) => {
  if (!lld) return;
  w.write({ "x.s": START + "xorq x@gottpoff(%rip), %rax\n" + TLS }).sh("as x.s -o x.o");
  contains(w.fails("$LD x.o -o x"), /x\.o:\(.*text\+0x0\): R_X86_64_GOTTPOFF must be used in MOVQ or ADDQ instructions only/);
  w.sh("$LD -shared x.o -o x.so");
}, "as");

conflicts("a symbol one object calls thread-local and another a function or object", (w) => {
  if (!lld) return;
  w.write({ "tls.s": TLS, "ref.s": START + ".type x,@object\n.data\n.quad x\n", "untyped.s": START + "movq %fs:x@tpoff, %rax\n" });
  w.sh("for i in tls ref untyped; do as $i.s -o $i.o; done");
  contains(w.fails("$LD tls.o ref.o -o t"), "TLS attribute mismatch: x\n>>> in tls.o\n>>> in ref.o");
  contains(w.fails("$LD ref.o tls.o -o t"), "TLS attribute mismatch: x\n>>> in tls.o\n>>> in ref.o");
  w.sh("$LD untyped.o tls.o -o t");
  w.write({ "odd.s": ".data\n.globl x\n.type x,@tls_object\nx: .quad 1\n" }).sh("as odd.s -o odd.o");
  contains(w.fails("$LD untyped.o odd.o -o t"), "odd.o has an STT_TLS symbol but doesn't have an SHF_TLS section");
}, "as");

conflicts("weak, unique and strong definitions: duplicates are what lld calls duplicates", (w) => {
  if (!lld) return;
  const data = (how: string): string => `.data\n${how}\n.type x,@object\n.size x,8\nx: .quad 1\n`;
  w.write({ "w.s": data(".weak x"), "u.s": data(".globl x\n.type x,@gnu_unique_object"), "s.s": data(".globl x"), "m.s": START });
  w.write({ "u.s": ".data\n.globl x\n.type x,@gnu_unique_object\n.size x,8\nx: .quad 1\n" });
  w.sh("for i in w u s m; do as $i.s -o $i.o; done; cp u.o u2.o; cp s.o s2.o");
  const cases: Record<string, string[]> = {
    "w u s": ["u.o"], "u w s": ["u.o"], "w s u": ["u.o"], "s w u": ["u.o"], "u s w": ["u.o"], "s u u2": ["u.o", "u2.o"],
    "w u": [], "u w": [], "w u u2": [], "u u2": ["u2.o"], "s s2": ["s2.o"], "w s": [], "s w": [],
  };
  for (const [order, blamed] of Object.entries(cases)) {
    const objects = order.split(" ").map((name) => `${name}.o`).join(" ");
    const done = w.try(`$LD m.o ${objects} -o t`);
    const found = [...done.stderr.matchAll(/duplicate symbol: x\n>>> defined at (?:.*\n>>> +)?(\S+?):\(.*\n>>> defined at (?:.*\n>>> +)?(\S+?):\(/g)];
    assert.equal(found.map((hit) => hit[2]).sort(), blamed, `${order}: ${done.stderr}`);
    assert.is(done.status, blamed.length > 0 ? 1 : 0, order);
    w.sh(`$LD -z muldefs m.o ${objects} -o t`);
  }
}, "as");

conflicts("equal absolute definitions are one, but for 0", (w) => {
  if (!lld) return;
  w.write({ "a.s": ".globl x\nx = 7\n", "b.s": ".globl x\nx = 8\n", "z.s": ".globl x\nx = 0\n", "m.s": START }).sh("for i in a b z m; do as $i.s -o $i.o; cp $i.o ${i}2.o; done");
  w.sh("$LD m.o a.o a2.o -o t");
  contains(w.fails("$LD m.o a.o b.o -o t"), "duplicate symbol: x\n>>> defined in a.o\n>>> defined in b.o");
  contains(w.fails("$LD m.o z.o z2.o -o t"), "duplicate symbol: x");
  contains(w.try("$LD --noinhibit-exec m.o a.o b.o -o t").stderr, "warning: duplicate symbol: x");
}, "as");

conflicts("a definition in a COMDAT copy that is not kept is not looked for elsewhere", (w) => {
  if (!lld) return;
  w.write({
    "first.s": START + "call f\n.section .text.f,\"axG\",@progbits,f,comdat\n.globl f\nf: ret\n",
    "second.s": ".globl g\ng: call only\n.section .text.f,\"axG\",@progbits,f,comdat\n.globl f, only\nf: ret\nonly: ret\n",
    "third.s": ".globl h\nh: call only\n", "def.s": ".globl only\nonly: ret\n",
  });
  w.sh("for i in first second third def; do as $i.s -o $i.o; done; ar rc def.a def.o");
  for (const line of ["first.o second.o", "first.o second.o def.a", "first.o def.a second.o", "first.o second.o def.o", "first.o second.o third.o def.a"]) {
    const said = w.fails(`$LD ${line} -o t`);
    contains(said, "relocation refers to a symbol in a discarded section: only\n>>> defined in second.o\n");
    if (wield) contains(said, "\n>>> section group signature: f\n>>> prevailing definition is in first.o\n>>> or the symbol in the prevailing group ");
    contains(said, /\n>>> referenced by second\.o:\(.*text\+0x1\)/);
    if (line.includes("third")) contains(said, /\n>>> referenced by third\.o:\(.*text\+0x1\)/);
    lacks(said, "undefined symbol", "duplicate symbol");
  }
  // Kept in another object before: that one counts.
  w.sh("$LD first.o def.o second.o -o t");
}, "as", "ar");

conflicts("commons: alignments that are none, and --warn-common", (w) => {
  if (!lld) return;
  w.write({ "a.s": START + ".comm x,4,4\n", "b.s": ".comm x,8,8\n", "d.s": ".data\n.globl x\nx: .quad 0\n" }).sh("for i in a b d; do as $i.s -o $i.o; done");
  contains(w.try("$LD --warn-common a.o b.o -o t").stderr, "warning: multiple common of x");
  contains(w.try("$LD --warn-common a.o d.o -o t").stderr, "warning: common x is overridden");
  contains(w.try("$LD --warn-common d.o a.o -o t").stderr, "warning: common x is overridden");
  assert.is(w.try("$LD --warn-common --no-warn-common a.o b.o -o t").stderr, "");
  contains(w.fails("$LD --warn-common --fatal-warnings a.o b.o -o t"), "error: multiple common of x");
  const bytes = w.bytes("a.o").slice();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const at = symbolAt(view, 0xfff2);
  view.setBigUint64(at + 8, 0n, true);
  w.write({ "bad.o": bytes });
  contains(w.fails("$LD bad.o -o t"), "bad.o: common symbol 'x' has invalid alignment: 0");
  view.setUint16(at + 6, 0xfff1, true);
  view.setUint8(at + 4, 0x91);
  w.write({ "bad.o": bytes });
  contains(w.fails("$LD bad.o -o t"), /bad\.o: symbol \(\d+\) has invalid binding: 9/);
}, "as");

conflicts("relocations whose symbol index is out of range are reported wherever they are", (w) => {
  if (!wield) return;
  const sections: Record<string, string> = {
    text: ".text\n.quad y\n", data: ".data\n.quad y\n", debug: ".section .debug_info,\"\",@progbits\n.quad y\n", note: ".section .x,\"\",@progbits\n.quad y\n",
    merged: ".section .m,\"aM\",@progbits,8\n.quad y\n", unwind: ".text\n.cfi_startproc\nnop\n.cfi_endproc\n", init: ".section .init_array,\"aw\"\n.quad y\n",
    dead: ".section .text.dead,\"ax\",@progbits\n.quad y\n",
  };
  for (const [name, code] of Object.entries(sections)) {
    w.write({ "r.s": START + "nop\n" + code }).sh("as r.s -o r.o");
    const bytes = w.bytes("r.o").slice();
    breakSymbolIndex(bytes);
    w.write({ "r.o": bytes });
    for (const options of ["", "-pie", "-shared", "-r", "--gc-sections"]) {
      if (options === "--gc-sections" && ["dead", "data", "merged"].includes(name)) continue; // gone before anybody looks
      contains(w.fails(`$LD ${options} r.o -o r --unresolved-symbols=ignore-all`), /r\.o: invalid symbol index 999999/);
    }
  }
}, "as");

conflicts("an object without a section header table is told so", (w) => {
  if (!wield) return;
  w.write({ "m.s": START + "nop\n" }).sh("as m.s -o m.o");
  const bytes = w.bytes("m.o").slice();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  view.setBigUint64(0x28, 0n, true);
  w.write({ "none.o": bytes });
  contains(w.fails("$LD m.o none.o -o t"), /none\.o: section header string table index \d+ does not exist: there is no section header table \(e_shoff is 0\)/);
  view.setUint32(0x3c, 0, true);
  w.write({ "none.o": bytes }).sh("$LD m.o none.o -o t");
}, "as");

/** Offset in the file of the first symbol whose st_shndx is `shndx`. */
function symbolAt(view: DataView, shndx: number): number {
  const table = sections(view).find(({ type }) => type === 2)!;
  for (let at = table.offset; at < table.offset + table.size; at += 24) if (view.getUint16(at + 6, true) === shndx) return at;
  throw new Error(`no symbol with st_shndx ${shndx}`);
}

/** The first relocation refers to a symbol far outside of the table. */
function breakSymbolIndex(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  view.setUint32(sections(view).find(({ type }) => type === 4)!.offset + 12, 999999, true);
}

function sections(view: DataView): { type: number; offset: number; size: number }[] {
  const shoff = Number(view.getBigUint64(0x28, true));
  return Array.from({ length: view.getUint16(0x3c, true) }, (_, i) => {
    const at = shoff + 64 * i;
    return { type: view.getUint32(at + 4, true), offset: Number(view.getBigUint64(at + 24, true)), size: Number(view.getBigUint64(at + 32, true)) };
  });
}

conflicts.run();
