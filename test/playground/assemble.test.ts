/** The playground's assembler makes the objects that GNU as makes, but for section order and padding. */
import * as fs from "node:fs";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { need } from "../helpers/skip.ts";
import { repoRoot, run, temporaryFolder } from "../helpers/tools.ts";

const test = suite("playground/assemble");

/** As in playground/src/assembler/assemble.ts, which cannot be read where its packages are missing. */
interface Assembled {
  bytes: Uint8Array;
  errors: { line: number; message: string }[];
  references: Map<string, number[]>;
  definitions: Map<string, number>;
}

const bash = (text: string, cwd: string) => run("bash", ["-c", text], { cwd });
const dir = temporaryFolder("assemble");
const missing = fs.existsSync(path.join(repoRoot(), "node_modules/@defasm/core")) ? "" : "needs @defasm/core: npm ci";

function when(reason: string, name: string, body: () => Promise<void>): void {
  if (reason === "") return void test(name, body);
  console.log(`skipped: playground/assemble: ${name} (${reason})`);
  test.skip(name, () => {});
}

/** Bundled here: the package may not be installed. */
async function assembler(): Promise<(text: string) => Assembled> {
  const outfile = path.join(dir, "assemble.mjs");
  if (!fs.existsSync(outfile)) {
    const done = run(path.join(repoRoot(), "node_modules/.bin/esbuild"), ["playground/src/assembler/assemble.ts", "--bundle", "--format=esm", "--platform=node", "--log-level=warning", `--outfile=${outfile}`], { cwd: repoRoot() });
    if (done.status !== 0) throw new Error(done.stderr);
  }
  return ((await import(pathToFileURL(outfile).href)) as { assemble(text: string): Assembled }).assemble;
}

const PROGRAM = `
  .globl _start, main
  .section .rodata
message: .ascii "Hi\\n"
  .text
_start:
  mov $1, %edi
  lea message(%rip), %rsi
  mov $3, %edx
  mov $1, %eax
  syscall
  call helper@PLT
  call local
  mov $table, %eax
  movq table(,%rbx,8), %rcx
  cmpl $3, counter(%rip)
  jne .Lend
  jmp elsewhere
.Lend:
  mov $60, %eax
  xor %edi, %edi
  syscall
local: ret
  .balign 16
main:
  lea .Lx(%rip), %rax
  ret
  .data
  .byte 1
  .balign 8
table: .quad _start, main, .Lx, 7
counter: .long 3
.Lx: .long 5
  .bss
buffer: .zero 64
`;

/** Instructions and relocations as objdump shows them, with padding as one word. */
function shown(object: string): string {
  const text = bash(`objdump -drw --no-show-raw-insn -j .text ${object} | tail -n +7; objdump -rw -j .data ${object} | tail -n +5; objdump -s -j .data -j .rodata ${object} | grep '^ '; nm ${object}`, dir);
  assert.is(text.status, 0, text.stderr);
  return text.stdout.replace(/^\s*[0-9a-f]+:\s+(?:data16|cs|nop|xchg {3}%ax,%ax).*\n/gm, "");
}

when(missing || need("as", "objdump", "nm"), "instructions, data, symbols and relocations are those of GNU as", async () => {
  const { bytes, errors } = (await assembler())(PROGRAM);
  assert.equal(errors, []);
  fs.writeFileSync(path.join(dir, "ours.o"), bytes);
  fs.writeFileSync(path.join(dir, "program.s"), PROGRAM);
  assert.is(bash("as program.s -o theirs.o", dir).status, 0);
  assert.is(shown("ours.o"), shown("theirs.o"));
});

when(missing, "lines of references, definitions and errors are those of the text", async () => {
  const { references, definitions, errors } = (await assembler())(".globl f\nf: call g\n.balign 16\n  lea g(%rip), %rax\n  bogus %rax\n  .quad g, h\n");
  assert.equal(references.get("g"), [2, 4, 6]);
  assert.equal(references.get("h"), [6]);
  assert.equal([...definitions], [["f", 2]]);
  assert.equal(errors.map(({ line }) => line), [5]);
});

when(missing, "alignment settles, whatever is between", async () => {
  const lines = Array.from({ length: 12 }, (_, i) => `l${i}: .byte 1\n .p2align ${1 + (i % 5)}`);
  const { errors, bytes } = (await assembler())(`.data\n${lines.join("\n")}\nend: .byte 2`);
  assert.equal(errors, []);
  assert.ok(bytes.length > 0);
});

when(missing, "anything that can be typed makes an object", async () => {
  const assemble = await assembler();
  for (const text of ["", "\n\n", ":", ".section", ".zero", ".zero 99999999", ".balign 3", "mov", 'x: .ascii "', "jmp x\nx = y\ny = x", ".comm a, 8, 8", "movabs $x, %rax", "\u0000", ".globl é"]) {
    assert.ok(assemble(text).bytes.length >= 64, JSON.stringify(text));
  }
});

test.run();
