/** Large programs are written over the old ones, where nobody can notice; the bytes are those of a new file. */
import * as fs from "node:fs";
import { spawn } from "node:child_process";
import { assert, behaviour, contains, ld, linkerName, type Workspace } from "../../helpers/link.ts";

const place = behaviour("update in place", "as");
const BYTES = 20_000_000;

/** Gaps inside sections and between them, at windows' ends and at the file's. */
const SOURCES = {
  "s.s": `.globl _start\n_start: mov $60, %eax; xor %edi, %edi; syscall\n.data\n.fill ${BYTES}, 1, 1\n.section .text.far,"ax"\n.balign 4096\nret\n.section .rodata\n.balign 64\n.byte 1\n.comm zeros, 5000`,
  "t.s": `.section .text.t,"ax"\n.balign 8192\nret\n.section .rodata.t,"a"\n.balign 512\n.byte 2\n.data\n.balign 65536\n.fill 3000000, 1, 2\n.section .rodata.str,"aMS",@progbits,1\n.balign 32\n.asciz "text"\n.section .debug_x,"",@progbits\n.balign 16\n.fill 3000001, 1, 3\n.quad _start`,
  "lds": "SECTIONS { . = 0x400000; .text : { *(.text*) } . = ALIGN(0x100000); .rodata : { *(.rodata*) . = ALIGN(4096) + 0x500; } .data : { *(.data) } }",
};

/** An old output without a zero byte, of `bytes` bytes. */
function old(w: Workspace, name = "out", bytes = BYTES): number {
  w.write({ [name]: Buffer.alloc(bytes, 0xee) });
  return inode(w, name);
}

const inode = (w: Workspace, name = "out"): number => fs.statSync(w.path(name)).ino;

place("the bytes are those of a new file", (w) => {
  if (linkerName !== "wield") return;
  w.write(SOURCES).sh("as s.s -o s.o && as t.s -o t.o");
  for (const options of ["", "--build-id", "--build-id=sha1", "-T lds", "-z noseparate-code --gc-sections", "--emit-relocs", "--separate-debug-file=debug", "--filler=7", "--oformat=binary", "--compress-debug-sections=zlib", "-z separate-loadable-segments --spare-program-headers=3"]) {
    w.sh(`$LD s.o t.o ${options} --threads=1 --no-update-in-place -o new`);
    for (const threads of [1, 2]) {
      const before = old(w, "out", threads * BYTES);
      w.sh(`$LD s.o t.o ${options} --threads=${threads} -o out && cmp out new`);
      assert.is(inode(w), before, options);
    }
  }
  assert.equal(fs.readdirSync(w.dir).filter((name) => name.startsWith(".")), []);
});

place("mode and length are those of a new file", (w) => {
  if (linkerName !== "wield") return;
  w.write(SOURCES).sh("as s.s -o s.o");
  const before = old(w, "out", 3 * BYTES);
  fs.chmodSync(w.path("out"), 0o4640);
  w.sh("umask 027; $LD s.o -o out; ./out; $LD s.o -o new");
  assert.is(inode(w), before);
  assert.equal([fs.statSync(w.path("out")).mode & 0o7777, fs.statSync(w.path("out")).size], [0o750, fs.statSync(w.path("new")).size]);
});

place("not where somebody may notice", (w) => {
  if (linkerName !== "wield") return;
  w.write(SOURCES).sh("as s.s -o s.o && as t.s -o t.o");
  const replaced = (options: string, name = "out"): void => {
    const before = inode(w, name);
    w.sh(`$LD s.o ${options} -o ${name}`);
    assert.is.not(inode(w, name), before, options);
  };
  for (const options of ["-shared", "-r", "--no-update-in-place", "-z rewrite-endbr"]) {
    old(w);
    replaced(options);
  }
  old(w);
  w.sh("ln out hard && ln -s out soft");
  replaced("");
  replaced("", "soft");
  assert.ok(w.bytes("hard").every((byte) => byte === 0xee));
});

place("a library where it is asked for", (w) => {
  if (linkerName !== "wield") return;
  w.write(SOURCES).sh("as s.s -o s.o");
  const before = old(w);
  w.sh("$LD s.o -shared --update-in-place -o out && $LD s.o -shared -o new && cmp out new");
  assert.is(inode(w), before);
});

place("a program that runs is replaced", async (w) => {
  if (linkerName !== "wield") return;
  w.write({ ...SOURCES, "r.s": `.globl _start\n_start: mov $34, %eax; syscall\n.data\n.fill ${BYTES}, 1, 1\n` }).sh("as r.s -o r.o && as s.s -o s.o && $LD r.o -o out");
  const before = inode(w);
  const child = spawn(w.path("out"));
  await new Promise((resolve) => child.once("spawn", resolve));
  w.sh("$LD s.o -o out && ./out");
  assert.is.not(inode(w), before);
  assert.is(child.exitCode, null);
  child.kill("SIGKILL");
});

place("a sparse file is replaced", (w) => {
  if (linkerName !== "wield") return;
  w.write({ ...SOURCES, out: "" }).sh("as s.s -o s.o");
  fs.truncateSync(w.path("out"), BYTES);
  const before = inode(w);
  w.sh("$LD s.o -o out");
  assert.is.not(inode(w), before);
});

place("errors found before anything is written leave the old output; later ones and signals leave none, and nothing else", async (w) => {
  if (linkerName !== "wield") return;
  w.write({ ...SOURCES, "far.s": ".globl _start\n_start: nop\n.data\n.byte _start\n" }).sh("as s.s -o s.o && as far.s -o far.o");
  old(w);
  w.fails("$LD s.o s.o -o out");
  assert.ok(w.bytes("out").every((byte) => byte === 0xee));
  const files = fs.readdirSync(w.dir).filter((name) => name !== "out").sort();
  contains(w.fails("$LD far.o -o out"), "R_X86_64_8");
  assert.equal(fs.readdirSync(w.dir).sort(), files);
  old(w);
  const child = spawn(ld, ["s.o", "-o", "out"], { cwd: w.dir, stdio: "ignore" });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  while (fs.existsSync(w.path("out")) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 0));
  child.kill("SIGTERM");
  await ended;
  const left = fs.readdirSync(w.dir).filter((name) => !files.includes(name));
  // Who is too late finds the new one.
  if (left.length > 0) assert.equal([left, w.bytes("out")[0]], [["out"], 0x7f]);
});

place.run();
