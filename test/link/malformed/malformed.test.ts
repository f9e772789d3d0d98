/**
 * Damaged inputs: every header byte of a small object, thousands of seeded mutations of real objects, archives, shared objects and scripts.
 *
 * Each is linked in one process; none may crash, hang, or leave an output behind a failure. What the message says is not
 * checked here. The surprising choice: children run test/helpers/mutate-child.ts, and a child whose heartbeat stops is killed and blamed.
 * WIELD_MUTATIONS multiplies the number of seeds (default 1), WIELD_FIRST_SEED moves them.
 */

import * as fs from "node:fs";
import * as path from "node:path";
import { spawn } from "node:child_process";
import { ObjectBuilder, archive } from "../../helpers/object.ts";
import { assert, behaviour, ld, linkerName, type Workspace } from "../../helpers/link.ts";
import type { Job } from "../../helpers/mutate-child.ts";
import { byteValues } from "../../helpers/mutate.ts";
import { repoRoot, run, temporaryFolder } from "../../helpers/tools.ts";

const malformed = behaviour("malformed inputs");
const scale = Number(process.env.WIELD_MUTATIONS ?? "1");
const firstSeed = Number(process.env.WIELD_FIRST_SEED ?? "1");
const LINES = [
  ["MUTANT", "rest.o", "-o", "OUT"],
  ["rest.o", "MUTANT", "--gc-sections", "--eh-frame-hdr", "--build-id", "-o", "OUT"],
  ["-shared", "MUTANT", "rest.o", "-o", "OUT"],
  ["-pie", "rest.o", "MUTANT", "--icf=none", "-z", "pack-relative-relocs", "-O2", "-o", "OUT"],
];

let child = "";
/** The bundled child, made once. */
function childScript(): string {
  if (child !== "") return child;
  const esbuild = path.join(repoRoot(), "node_modules", ".bin", "esbuild");
  const outfile = path.join(temporaryFolder("mutate"), "mutate-child.mjs");
  const dist = path.join(repoRoot(), "dist");
  const options = ["--bundle", "--platform=node", "--format=esm", "--main-fields=module,main", `--define:import.meta.dirname=${JSON.stringify(dist)}`, `--outfile=${outfile}`, "--log-level=warning"];
  const require = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';
  const done = run(esbuild, ["test/helpers/mutate-child.ts", ...options, `--banner:js=${require}`], { cwd: repoRoot() });
  if (done.status !== 0) throw new Error(done.stderr);
  child = outfile;
  return child;
}

/** Runs a job; throws with the first complaints. A case may take `patience` milliseconds. */
async function runJob(w: Workspace, job: Omit<Job, "dir">, patience = 40_000): Promise<void> {
  const file = w.path("job.json");
  fs.writeFileSync(file, JSON.stringify({ ...job, dir: w.dir }));
  const node = spawn(process.execPath, [childScript(), file], { cwd: w.dir, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let errors = "";
  let current = "start";
  let hung = "";
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => { hung = current; node.kill("SIGKILL"); }, patience);
  };
  arm();
  node.stderr.on("data", (data: Buffer) => { errors = (errors + data.toString("latin1")).slice(-4000); });
  node.stdout.on("data", (data: Buffer) => {
    for (const line of data.toString("latin1").split("\n")) {
      if (line.startsWith("@")) current = line.slice(1);
      else if (line !== "") output += line + "\n";
    }
    arm();
  });
  const [status, signal] = await new Promise<[number | null, string | null]>((resolve) => node.on("close", (code, sig) => resolve([code, sig])));
  clearTimeout(timer!);
  const complaints = `\n${output}`.split("\n!").slice(1);
  if (hung !== "") throw new Error(`hang in case: ${hung}\n${output.slice(0, 3000)}`);
  if (status !== 0) throw new Error(`child ended with ${status ?? signal} in case ${current}\n${errors}\n${output.slice(0, 3000)}`);
  if (complaints.length > 0) throw new Error(summary(complaints));
  if (process.env.WIELD_TEST_VERBOSE) console.log(output);
}

/** One example of each different complaint, with the number of its likes. */
function summary(complaints: string[]): string {
  const kinds = new Map<string, string[]>();
  for (const text of complaints) {
    const kind = text.split("\n")[0]!.replace(/^[^:]*: /, "").replace(/\d+/g, "N");
    kinds.set(kind, [...(kinds.get(kind) ?? []), text]);
  }
  const parts = [...kinds.values()].map((list) => `${list.length} like: ${list[0]!.trim().slice(0, 1200)}`);
  return `${complaints.length} complaints of ${kinds.size} kinds\n${parts.slice(0, 12).join("\n")}`;
}

/** A small object with text, data, bss, strings, a group, relocations and unwind data. */
function small(): Uint8Array {
  const o = new ObjectBuilder();
  const text = o.text([0xe8, 0, 0, 0, 0, 0x48, 0x8b, 0x05, 0, 0, 0, 0, 0xc3]);
  const data = o.data(new Uint8Array(16));
  const bss = o.section(".bss", { size: 32, flags: 3, align: 8 });
  const strings = o.section(".rodata.str1.1", { flags: 0x32, entsize: 1, data: "hello\0world\0" });
  const inline = o.section(".text.inline", { flags: 6, data: [0xc3] });
  const frame = o.section(".eh_frame", {
    flags: 2, align: 8,
    data: [20, 0, 0, 0, 0, 0, 0, 0, 1, 0x7a, 0x52, 0, 1, 0x78, 0x10, 1, 0x1b, 0x0c, 7, 8, 0x90, 1, 0, 0, 20, 0, 0, 0, 28, 0, 0, 0, 0, 0, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  });
  const start = o.symbol("_start", { in: text, type: 2, size: 13 });
  o.symbol("inline_function", { in: inline, type: 2, bind: 2 });
  o.group(o.symbols[1]!, [inline]);
  o.symbol("buffer", { in: bss, type: 1, size: 32 });
  o.common("shared_buffer", 64, 16);
  const other = o.symbol("other");
  o.reloc(text, 1, 4, other, -4);
  o.reloc(text, 8, 42, other, -4);
  o.reloc(data, 0, 1, start);
  o.reloc(data, 8, 1, o.sectionSymbol(strings), 6);
  o.reloc(frame, 32, 2, o.sectionSymbol(text), 0);
  return o.bytes();
}

function rest(): Uint8Array {
  const o = new ObjectBuilder();
  const text = o.text([0xc3]);
  o.symbol("other", { in: text, type: 2, size: 1 });
  o.symbol("_start", { in: text, bind: 2 });
  return o.bytes();
}

const inProcess = linkerName === "wield";

malformed("every byte of a small object's headers, symbols and relocations", async (w) => {
  w.write({ "small.o": small(), "rest.o": rest() });
  const bytes = w.bytes("small.o");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shoff = Number(view.getBigUint64(40, true));
  if (!inProcess) {
    // another linker: a sample through its command line, which checks this test rather than that linker
    for (let at = 0; at < 64; at += 9) {
      w.write({ "mutant.o": byteValues(bytes, at)[0]! });
      const done = run(ld, ["mutant.o", "rest.o", "-o", "mutant.out"], { cwd: w.dir, timeout: 10_000 });
      assert.ok(done.status !== null, `byte ${at}: ${done.signal}`);
    }
    return;
  }
  await runJob(w, { file: "small.o", kind: "bytes", from: 0, to: 64, lines: LINES });
  await runJob(w, { file: "small.o", kind: "bytes", from: shoff, to: bytes.length, lines: LINES });
  await runJob(w, { file: "small.o", kind: "bytes", from: 64, to: shoff, lines: LINES });
});

const mutations = (title: string, prepare: (w: Workspace) => string, seeds: number, lines: string[][], kind: "mutate" | "text" = "mutate", ...tools: string[]): void => {
  malformed(title, async (w) => {
    w.write({ "rest.o": rest() });
    const file = prepare(w);
    if (!inProcess) return;
    await runJob(w, { file, kind: "intact", from: 0, to: 1, lines });
    await runJob(w, { file, kind, from: firstSeed, to: firstSeed + Math.round(seeds * scale), lines });
  }, ...tools);
};

mutations("a small object", (w) => { w.write({ "s.o": small() }); return "s.o"; }, 1500, LINES);

mutations("a C++ object with exceptions, debug information, COMDAT and TLS", (w) => {
  w.write({ "a.cc": "#include <stdexcept>\n#include <string>\nthread_local int t; template <class T> struct S { T v; S(T x) : v(x) {} ~S() { t++; } }; static int f(int n) { S<int> s(n); if (n > 2) throw std::runtime_error(\"x\"); return s.v; } extern \"C\" int other(); int main_like(int n) { try { return f(n) + other(); } catch (const std::exception &e) { return e.what()[0]; } }" });
  w.sh("g++ -g -O1 -ffunction-sections -fdata-sections -c a.cc");
  return "a.o";
}, 600, LINES.map((line) => [...line, "--unresolved-symbols=ignore-all"]), "mutate", "g++");

mutations("an object with compressed debug sections", (w) => {
  w.write({ "a.c": "struct s { int a, b; }; struct s v; int other(void); int f(struct s *p) { return p->a + other(); }" }).sh("gcc -g -gz -O1 -c a.c");
  return "a.o";
}, 300, LINES);

/** Everything that is diagnosed by kind: thread-local, unique, weak and common symbols, lost COMDAT copies, warnings, libraries, orders. */
const ODD = `.globl _start
_start: .cfi_startproc
 .cfi_personality 0x9b, DW.ref
 .cfi_lsda 0x1b, .Lmerged
 call other
 movq %fs:tls@tpoff, %rax
 movq tls@gottpoff(%rip), %rcx
 .byte 0x66
 leaq tls@tlsgd(%rip), %rdi
 .value 0x6666
 rex64
 call __tls_get_addr@plt
 movl lost(%rip), %eax
 .cfi_endproc
 .weak weak
 weak: ret
 .globl __tls_get_addr
 __tls_get_addr: ret
 .data
 .type unique,@gnu_unique_object
 .globl unique
 unique: .quad .Lmerged + 4, weak, common
 DW.ref: .quad weak
 .comm common,64,32
 .section .tdata,"awT",@progbits
 .globl tls
 tls: .quad 1
 .section .rodata.str1.1,"aMS",@progbits,1
 .Lmerged: .asciz "merged"
 .asciz "strings"
 .section .text.lost,"axG",@progbits,group,comdat
 .globl lost
 lost: ret
 .section .ordered,"ao",@progbits,.text
 .quad 0
 .section .gnu.warning.other,"",@progbits
 .ascii "other is odd"
 .section .deplibs,"MS",@0x6fff4c04,1
 .asciz "empty"
 .section .init_array,"aw",@init_array
 .quad _start
 .section .ctors,"aw"
 .quad _start
`;
const LENIENT = ["-L.", "--noinhibit-exec", "--unresolved-symbols=ignore-all", "--no-warn-mismatch", "--eh-frame-hdr"];
mutations("an object with one of each kind of symbol and section, strictly and leniently", (w) => {
  w.write({ "odd.s": ODD, "first.s": ".section .text.lost,\"axG\",@progbits,group,comdat\n.weak lost\nlost: ret\n", "libempty.a": archive([]) });
  w.sh("as odd.s -o odd.o && as first.s -o first.o");
  return "odd.o";
}, 1500, [
  ["rest.o", "MUTANT", "-L.", "--warn-common", "--eh-frame-hdr", "-z", "muldefs", "-o", "OUT"],
  ["MUTANT", "first.o", "rest.o", ...LENIENT, "--icf=all", "--gc-sections", "-o", "OUT"],
  ["-shared", "rest.o", "MUTANT", ...LENIENT, "-z", "muldefs", "-o", "OUT"],
  ["-pie", "rest.o", "MUTANT", ...LENIENT, "--emit-relocs", "-z", "pack-relative-relocs", "-o", "OUT"],
  ["-r", "rest.o", "MUTANT", "-z", "muldefs", "--gc-sections", "-e", "_start", "-o", "OUT"],
], "mutate", "as");

mutations("archives", (w) => {
  w.write({ "lib.a": archive([{ name: "a_member_with_a_long_name.o", data: small(), symbols: ["_start", "buffer"] }, { name: "b.o", data: rest(), symbols: ["other"] }]) });
  return "lib.a";
}, 600, [["-u", "buffer", "MUTANT", "-o", "OUT"], ["--whole-archive", "MUTANT", "-o", "OUT"], ["-shared", "rest.o", "MUTANT", "-u", "buffer", "-o", "OUT"]]);

mutations("thin archives", (w) => {
  w.write({ "s.o": small(), "t.a": archive([{ name: "s.o", data: small(), symbols: ["_start", "buffer"] }, { name: "rest.o", data: rest(), symbols: ["other"] }], { thin: true }) });
  return "t.a";
}, 200, [["-u", "buffer", "MUTANT", "-o", "OUT"], ["--whole-archive", "MUTANT", "-o", "OUT"]]);

mutations("shared objects", (w) => {
  w.write({ "l.c": 'int a(void) { return 1; } int b(void) { return 2; } __asm__(".symver a, other@@V1"); int data = 3; __thread int tls;', "v.map": "V1 { global: *; };" });
  w.sh("gcc -O1 -fPIC -shared -nostdlib l.c -Wl,--version-script=v.map,-soname,libl.so.1 -o l.so");
  w.write({ "s.o": small() });
  return "l.so";
}, 500, [["s.o", "MUTANT", "-o", "OUT"], ["-pie", "s.o", "MUTANT", "--as-needed", "MUTANT", "-o", "OUT"]]);

const TEXT = "/* GNU ld script */\nOUTPUT_FORMAT(elf64-x86-64)\nSEARCH_DIR(\"/lib\") ENTRY(_start)\nGROUP ( rest.o AS_NEEDED ( libempty.a ) )\nEXTERN(a b c)\nVERSION { V1 { global: f*; local: *; }; }\n";
mutations("linker scripts", (w) => { w.write({ "s.ld": TEXT, "s.o": small(), "libempty.a": archive([]) }); return "s.ld"; }, 400, [["s.o", "MUTANT", "-o", "OUT"]], "text");

const LAYOUT = "ENTRY(_start)\nMEMORY { rom (rx) : ORIGIN = 0x10000, LENGTH = 64K ram : o = 0x20000, l = 1M }\nPHDRS { text PT_LOAD FLAGS(5); data PT_LOAD FLAGS(6); }\nSECTIONS {\n  . = 0x10000 + SIZEOF_HEADERS;\n  .text : ALIGN(16) { start = .; *(.text .text.*) KEEP(*(SORT(.init*))) BYTE(1) . = ALIGN(8); } >rom :text =0x90\n  .data 0x20000 : AT(0x20000) { *(EXCLUDE_FILE(*x.o) .data*) PROVIDE(edge = . ? 1 << 2 : MAX(3, 4)); } >ram :data\n  .bss (NOLOAD) : { *(COMMON) *(.bss*) } >ram\n  /DISCARD/ : { *(.comment) }\n  ASSERT(. > 0, \"big\")\n}\n";
mutations("layout scripts", (w) => { w.write({ "s.ld": LAYOUT, "s.o": small() }); return "s.ld"; }, 500, [["s.o", "rest.o", "-T", "MUTANT", "-o", "OUT"], ["-pie", "rest.o", "s.o", "--script=MUTANT", "--gc-sections", "-o", "OUT"]], "text");

mutations("version scripts and dynamic lists", (w) => {
  w.write({ "v.map": "V1 { global: other; f*; extern \"C++\" { ns::*; \"ns::x(int)\"; }; local: *; };\nV2 { global: [a-c]?; } V1;\n" });
  return "v.map";
}, 400, [["-shared", "rest.o", "--undefined-version", "--version-script=MUTANT", "-o", "OUT"], ["-shared", "rest.o", "--dynamic-list=MUTANT", "-o", "OUT"]], "text");

mutations("response files", (w) => {
  w.write({ "r.rsp": "rest.o -e 'other' \"-z\" now --defsym=x=1 \r\n -u other --build-id=0x12 --hash-style=both @r2\n", r2: "-O2 --gc-sections" });
  return "r.rsp";
}, 300, [["-o", "OUT", "@MUTANT", "-o", "OUT"]], "text");

malformed.run();
