/**
 * The output as a file: mode, symbolic and hard links, devices, full disk, running programs, failed and interrupted links, unchanged inputs.
 */

import * as fs from "node:fs";
import { spawn } from "node:child_process";
import { assert, behaviour, contains, ld, linkerName } from "../../helpers/link.ts";

const output = behaviour("output file");
const MAIN = { "m.c": "int main(void) { return 0; }", "bad.c": "int missing(void); int main(void) { return missing(); }" };
const wield = linkerName === "wield";

output("mode 0777 without the umask, also over an existing file", (w) => {
  w.write(MAIN).sh("gcc -c m.c");
  const mode = (file: string): string => (fs.statSync(w.path(file)).mode & 0o7777).toString(8);
  w.sh("umask 022; gcc -B$B m.o -o a; umask 077; gcc -B$B m.o -o b; umask 022; touch c; chmod 600 c; gcc -B$B m.o -o c");
  assert.is(mode("a"), "755");
  assert.is(mode("b"), "700");
  if (linkerName !== "bfd") assert.is(mode("c"), "755");
});

output("a symbolic link and a hard link are replaced, not written through", (w) => {
  w.write({ ...MAIN, target: "old", other: "old" }).sh("gcc -c m.c && ln -s target link && ln other hard && gcc -B$B m.o -o link && gcc -B$B m.o -o hard && ./link && ./hard");
  assert.is(w.read("target"), "old");
  assert.is(w.read("other"), "old");
  assert.not(fs.lstatSync(w.path("link")).isSymbolicLink());
});

output("/dev/null stays a device, -o names it", (w) => {
  w.write(MAIN).sh("gcc -c m.c && gcc -B$B m.o -o /dev/null && gcc -B$B m.o -Wl,--build-id=sha1 -o /dev/null");
  if (wield) w.sh("gcc -B$B m.o -Wl,--build-id=sha1,--threads=3 -o /dev/null");
  assert.ok(fs.statSync("/dev/null").isCharacterDevice());
});

output("a running program can be replaced", (w) => {
  w.write({ "s.c": "#include <unistd.h>\nint main(int c, char **v) { if (c > 1) sleep(2); return 0; }" });
  w.sh("gcc -c s.c && gcc -B$B s.o -o s && (./s wait & echo $! > pid; sleep 0.1; gcc -B$B s.o -o s; ./s; kill $(cat pid))");
});

output("the old output survives a failed link, and nothing else is left behind", (w) => {
  if (linkerName === "bfd") return;
  w.write({ ...MAIN, out: "precious" }).sh("gcc -c m.c bad.c");
  w.fails("gcc -B$B bad.o -o out");
  assert.is(w.read("out"), "precious");
  w.fails("gcc -B$B m.o not-there.o -o out");
  assert.is(w.read("out"), "precious");
  assert.equal(fs.readdirSync(w.dir).sort(), ["bad.c", "bad.o", "m.c", "m.o", "out"]);
});

output("a folder that does not exist, a folder in the way, no permission", (w) => {
  w.write(MAIN).sh("gcc -c m.c && mkdir folder");
  contains(w.fails("gcc -B$B m.o -o nowhere/out"), "nowhere/out");
  contains(w.fails("gcc -B$B m.o -o folder"), "folder");
  assert.equal(fs.readdirSync(w.dir).sort(), ["bad.c", "folder", "m.c", "m.o"]);
});

output("a full disk is an error, and leaves nothing", (w) => {
  if (linkerName === "lld") return; // crashes
  w.write({ "m.c": "char big[300000] = { 1 }; int main(void) { return 0; }", old: "old" }).sh("gcc -c m.c");
  const files = fs.readdirSync(w.dir).sort();
  for (const out of ["out", "old"]) contains(w.fails(`ulimit -f 64; trap '' XFSZ; gcc -B$B m.o -o ${out}`), wield ? `cannot write output file ${out}: File too large` : /large|write/i);
  if (!wield) return;
  assert.equal(fs.readdirSync(w.dir).sort(), files);
  assert.is(w.read("old"), "old");
  contains(w.fails("gcc -B$B m.o -o /dev/full"), "cannot write output file /dev/full: No space left on device");
  contains(w.fails("gcc -B$B m.o -Wl,-Map=/dev/full -o out"), "cannot write -Map file /dev/full: No space left on device");
  contains(w.fails("$LD m.o -e main -Map=- -o out >/dev/full"), "cannot write standard output: No space left on device");
  assert.equal(fs.readdirSync(w.dir).sort(), files);
});

output("an output that is an input is refused", (w) => {
  if (!wield) return;
  w.write({ "s.c": 'void _start(void) { __asm__("mov $60, %eax; xor %edi, %edi; syscall"); }' }).sh("gcc -fno-pie -c s.c && cp s.o keep.o");
  w.fails("$LD s.o -o s.o");
  w.sh("cmp s.o keep.o");
});

output("a report does not take the place of an input", (w) => {
  if (!wield) return;
  w.write({ "s.s": ".globl _start\n_start: ret\n" }).sh("as s.s -o s.o && cp s.o keep.o");
  contains(w.fails("$LD s.o -o s -Map=s.o"), "s.o: it is also an input file");
  w.sh("cmp s.o keep.o && test ! -e s");
});

output("a pipe's reader gets the output, and a signal ends the wait for one", async (w) => {
  if (!wield) return;
  w.write({ "s.s": ".globl _start\n_start: ret\n" }).sh("as s.s -o s.o && $LD s.o -o s && mkfifo pipe && { timeout 20 cat pipe > got & } && timeout 20 $LD s.o -o pipe && wait && cmp s got");
  const child = spawn(ld, ["s.o", "-o", "pipe"], { cwd: w.dir, stdio: "ignore" });
  const ended = new Promise((resolve) => child.on("exit", (_, signal) => resolve(signal)));
  await new Promise((resolve) => setTimeout(resolve, 1500));
  child.kill("SIGTERM");
  assert.is(await ended, "SIGTERM");
});

output("standard output that cannot be written is an error in one line", (w) => {
  if (!wield) return;
  w.write({ "s.s": ".globl _start\n_start: ret\n" }).sh("as s.s -o s.o");
  for (const what of ["--help", "--version", "s.o -t -o s"]) contains(w.fails(`$LD ${what} > /dev/full`), /^wield: error: cannot write to standard output: No space left on device\n$/);
});

output("a signal removes the temporary file and keeps the old output", async (w) => {
  if (!wield) return;
  w.write({ "s.s": ".globl _start\n_start: ret\n.data\n.fill 50000000, 1, 1\n", out: "precious" }).sh("as s.s -o s.o");
  const temporary = (): boolean => fs.readdirSync(w.dir).some((name) => name.endsWith(".tmp"));
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    const child = spawn(ld, ["s.o", "-o", "out"], { cwd: w.dir, stdio: "ignore" });
    const ended = new Promise((resolve) => child.on("exit", (_, by) => resolve(by)));
    while (!temporary() && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 1));
    child.kill(signal);
    const by = await ended;
    assert.equal(fs.readdirSync(w.dir).sort(), ["out", "s.o", "s.s"], signal);
    // Who is too late finds the new one.
    assert.ok(by === signal ? w.read("out") === "precious" : w.bytes("out")[0] === 0x7f, signal);
    w.write({ out: "precious" });
  }
}, "as");

output("what --run starts is told of signals, and its folder goes with it", async (w) => {
  if (!wield) return;
  w.sh("mkdir tmp");
  for (const [signal, status] of [["SIGTERM", 3], ["SIGHUP", 3], ["SIGINT", 4]] as const) {
    const child = spawn(ld, ["--run", "sh", "-c", "trap 'exit 3' TERM HUP; echo ready; sleep 1 & wait; exit 4"], { env: { ...process.env, TMPDIR: w.path("tmp") }, stdio: ["ignore", "pipe", "inherit"] });
    const ended = new Promise((resolve) => child.on("exit", resolve));
    await new Promise((resolve) => child.stdout!.once("data", resolve));
    assert.is(fs.readdirSync(w.path("tmp")).length, 1);
    child.kill(signal);
    assert.is(await ended, status, signal);
    assert.equal(fs.readdirSync(w.path("tmp")), [], signal);
  }
});

output("inputs are not written to", (w) => {
  w.write({ ...MAIN, "a.c": "int a;" }).sh("gcc -c m.c a.c && ar rc lib.a a.o && chmod a-w m.o lib.a && md5sum m.o lib.a > sums && gcc -B$B m.o -Wl,--whole-archive lib.a -Wl,--no-whole-archive -o m && md5sum -c sums");
}, "ar");

output("names of open descriptors are written through, whatever they lead to", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "s.s": ".globl _start\n_start: ret\n" }).sh("as s.s -o s.o && $LD s.o -o s && $LD s.o -o /proc/self/fd/3 3> three && cmp s three && $LD s.o -o /dev/fd/4 4> four && cmp s four && $LD s.o -o /proc/self/fd/1 | cat > one && cmp s one");
  // Only where it could not be lost if this went wrong.
  if (process.getuid?.() !== 0) w.sh("$LD s.o -o /dev/stdout > out && cmp s out");
});

output("-o - is standard output", (w) => {
  if (linkerName === "bfd") return;
  w.write({ "s.c": 'void _start(void) { __asm__("mov $60, %eax; xor %edi, %edi; syscall"); }' }).sh("gcc -fno-pie -c s.c && $LD s.o -o - > s && chmod +x s && ./s");
  assert.not(w.exists("-"));
});

output.run();
