/** The host on Node: byte paths, reads into shared memory, and the life of an output file. */
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import * as path from "node:path";
import { deflateSync, inflateRawSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { HostError } from "../../ts/host/host.ts";
import { KEPT_FROM, NodeFiles } from "../../ts/host/node-files.ts";
import { createNodeHost } from "../../ts/host/node.ts";
import { temporaryName } from "../../ts/host/output-base.ts";
import { temporaryFolder } from "../helpers/tools.ts";

const host = suite("host/node");
const latin1 = (text: string): Uint8Array => Buffer.from(text, "latin1");

function hostErrorOf(action: () => unknown): HostError {
  try {
    action();
  } catch (error) {
    assert.instance(error, HostError);
    return error as HostError;
  }
  throw new Error("did not throw");
}

host("paths are bytes", () => {
  const dir = temporaryFolder("bytes");
  const name = "caf\xe9.o";
  fs.writeFileSync(Buffer.from(`${dir}/${name}`, "latin1"), "x");
  const h = createNodeHost();
  assert.equal(h.readdir(dir), [name]);
  assert.ok(h.exists(`${dir}/${name}`));
  assert.is(h.stat(`${dir}/${name}`)!.bytes, 1);
  assert.is(h.readAll(`${dir}/${name}`)[0], 0x78);
});

host("reads land in shared memory at any position", () => {
  const file = path.join(temporaryFolder("reads"), "f");
  fs.writeFileSync(file, "0123456789");
  const h = createNodeHost();
  const memory = new Uint8Array(new SharedArrayBuffer(16));
  assert.is(h.readAt(file, memory.subarray(4, 8), 3), 4);
  assert.is(Buffer.from(memory.slice()).toString("latin1", 4, 8), "3456");
  const fd = h.open(file);
  assert.is(h.size(fd), 10);
  assert.is(h.read(fd, memory, 8), 2);
  assert.is(h.read(fd, memory, 10), 0);
  h.close(fd);
  h.release();
});

host("many inputs are read with few descriptors", () => {
  const dir = temporaryFolder("many");
  const files = Array.from({ length: 300 }, (_, i) => path.join(dir, String(i)));
  files.forEach((file, i) => fs.writeFileSync(file, String(i)));
  for (const limit of [8, 100]) {
    const few = new NodeFiles(limit);
    const memory = new Uint8Array(8);
    const before = fs.readdirSync("/proc/self/fd").length;
    for (let round = 0; round < 2; round++) {
      files.forEach((file, i) => {
        const got = few.readAt(file, memory, 0);
        assert.is(Buffer.from(memory).toString("latin1", 0, got), String(i));
      });
    }
    assert.ok(fs.readdirSync("/proc/self/fd").length <= before + limit);
    few.reset();
    assert.is(fs.readdirSync("/proc/self/fd").length, before);
  }
});

/** What `action` asks of stat(2), by name of file. */
function statted(action: () => void): string[] {
  // The namespace is frozen, what `require` gives is not.
  const builtin = (fs as unknown as { default: { statSync: typeof fs.statSync } }).default;
  const { statSync } = builtin;
  const asked: string[] = [];
  builtin.statSync = ((file: string, options: object) => {
    asked.push(path.basename(String(file)));
    return statSync(file, options);
  }) as typeof statSync;
  syncBuiltinESMExports();
  try {
    action();
  } finally {
    builtin.statSync = statSync;
    syncBuiltinESMExports();
  }
  return asked;
}

host("of thousands of short objects those beyond the first are opened and read, and nothing else is asked", () => {
  const dir = temporaryFolder("thousands");
  const count = KEPT_FROM + 500;
  const names = Array.from({ length: count }, (_, i) => path.join(dir, `${i}.o`));
  names.forEach((name, i) => fs.writeFileSync(name, i === count - 2 ? "x".repeat(20_000) : String(i)));
  fs.mkdirSync(path.join(dir, "folder.o"));
  const fifo = path.join(dir, "fifo.o");
  if (spawnSync("mkfifo", [fifo]).status !== 0) throw new Error("no mkfifo");
  const files = new NodeFiles(64, true);
  const memory = new Uint8Array(32_000);
  const contents = (name: string): string => Buffer.from(memory.subarray(0, files.readAt(name, memory, 0))).toString("latin1");
  const asked = statted(() => names.forEach((name, i) => assert.is(contents(name), i === count - 2 ? "x".repeat(20_000) : String(i))));
  assert.equal(asked.slice(KEPT_FROM), [`${count - 2}.o`], "the one that is long");
  for (const i of [0, count - 2, count - 1]) {
    const fd = files.open(names[i]!);
    assert.is(files.size(fd), i === count - 2 ? 20_000 : String(i).length);
    assert.is(files.read(fd, memory, 1), files.size(fd) - 1);
    assert.ok(files.isInput(fs.statSync(names[i]!)), "no output takes its place");
  }
  fs.writeFileSync(path.join(dir, "other"), String(count - 1));
  assert.not(files.isInput(fs.statSync(path.join(dir, "other"))));
  assert.is(hostErrorOf(() => files.open(path.join(dir, "folder.o"))).code, "EISDIR");
  assert.is(hostErrorOf(() => files.open(path.join(dir, "none.o"))).code, "ENOENT");
  const writer = spawn("sh", ["-c", `printf 'from a pipe' > ${fifo}`]);
  assert.is(contents(fifo), "from a pipe");
  writer.kill();
  const before = fs.readdirSync("/proc/self/fd").length;
  files.reset();
  assert.ok(fs.readdirSync("/proc/self/fd").length < before);
});

host("files are read into the middle of a memory", () => {
  const dir = temporaryFolder("middle");
  const file = path.join(dir, "f");
  fs.writeFileSync(file, Uint8Array.from({ length: 40_000 }, (_, i) => i * 13));
  const h = createNodeHost();
  const memory = new Uint8Array(new SharedArrayBuffer(1 << 16));
  for (const [address, bytes, position] of [[5, 100, 7], [200, 50, 107], [300, 30_000, 150], [40_000, 9_000, 31_500]] as const) {
    const got = h.readMemory!(file, memory, address, bytes, position);
    assert.is(got, Math.min(bytes, 40_000 - position));
    assert.equal(memory.slice(address, address + got), Uint8Array.from({ length: got }, (_, i) => (position + i) * 13));
  }
  assert.throws(() => h.readMemory!(`${dir}/none`, memory, 0, 1, 0), /No such file/);
  h.release();
});

host("a file that is read here and there is read as a whole in the end", () => {
  const dir = temporaryFolder("jumps");
  const file = path.join(dir, "f");
  const bytes = Uint8Array.from({ length: 400_000 }, (_, i) => i * 13 + (i >>> 8));
  fs.writeFileSync(file, bytes);
  const files = new NodeFiles(20);
  const memory = new Uint8Array(20);
  const calls = (): number => Number(/^syscr: (\d+)/m.exec(fs.readFileSync("/proc/self/io", "latin1"))![1]);
  const before = [calls(), fs.readdirSync("/proc/self/fd").length] as const;
  for (let i = 0; i < 2000; i++) {
    const at = (i * 148_273) % 400_000;
    const got = files.readAt(file, memory, at);
    assert.equal(memory.slice(0, got), bytes.slice(at, at + 20));
  }
  assert.ok(calls() - before[0] < 500, `${calls() - before[0]} calls`);
  assert.ok(files.isInput(fs.statSync(file)));
  files.reset();
  assert.is(fs.readdirSync("/proc/self/fd").length, before[1]);
});

host("another thread reads by descriptors that are shared, and they stay open", () => {
  const dir = temporaryFolder("shared");
  const files = Array.from({ length: 40 }, (_, i) => path.join(dir, String(i)));
  files.forEach((file, i) => fs.writeFileSync(file, String(i)));
  const [main, other] = [new NodeFiles(20), new NodeFiles(2)];
  const memory = new Uint8Array(8);
  const readBy = (reader: NodeFiles): void => files.forEach((file, i) => {
    const got = reader.readAt(file, memory, 0);
    assert.is(Buffer.from(memory).toString("latin1", 0, got), String(i));
  });
  readBy(main);
  const descriptors = main.share(files);
  const shared = descriptors.filter((fd) => fd >= 0).length;
  assert.ok(shared > 0 && shared <= 10, "at most half, or none could be closed for others");
  other.adopt(files, descriptors);
  readBy(main);
  const before = fs.readdirSync("/proc/self/fd").length;
  readBy(other);
  assert.ok(fs.readdirSync("/proc/self/fd").length <= before + 2);
  main.reset();
  other.reset();
});

host("failures are worded as the system words them", () => {
  const dir = temporaryFolder("errors");
  const h = createNodeHost();
  assert.is(hostErrorOf(() => h.open(`${dir}/none`)).message, "No such file or directory");
  assert.is(hostErrorOf(() => h.open(dir)).message, "Is a directory");
  assert.is(hostErrorOf(() => h.createOutput(`${dir}/none/out`, { mode: 0o777 })).message, "No such file or directory");
  assert.is(hostErrorOf(() => h.createOutput(dir, { mode: 0o777 })).message, "Is a directory");
  fs.writeFileSync(`${dir}/file`, "");
  assert.is(hostErrorOf(() => h.writeText(`${dir}/file/x`, (write) => write(""))).message, "Not a directory");
  assert.is(hostErrorOf(() => h.open("a\0b")).message, "Invalid argument");
  assert.is(h.exists("a\0b"), false);
  assert.is(h.exists("x".repeat(5000)), false);
  assert.is(h.exists(dir), false);
  assert.equal(h.stat(`${dir}/none`), undefined);
});

host("an output appears at commit with the mode that the umask leaves", () => {
  const dir = temporaryFolder("commit");
  const h = createNodeHost();
  for (const [mode, expected] of [[0o777, 0o777 & ~process.umask()], [0o666, 0o666 & ~process.umask()]] as const) {
    const out = `${dir}/out${mode}`;
    const file = h.createOutput(out, { mode });
    file.truncate(8);
    file.write(latin1("late"), 4);
    file.write(latin1("head"), 0);
    h.writeAt(file.fd, latin1("w"), 7);
    assert.not.ok(fs.existsSync(out));
    assert.equal(fs.readdirSync(dir).filter((name) => name.endsWith(".tmp")), [`.out${mode}.${process.pid}.tmp`]);
    file.commit();
    assert.is(fs.readFileSync(out, "latin1"), "headlatw");
    assert.is(fs.statSync(out).mode & 0o777, expected);
  }
  assert.is(fs.readdirSync(dir).length, 2);
});

host("abort leaves the old output and no temporary file", () => {
  const dir = temporaryFolder("abort");
  fs.writeFileSync(`${dir}/out`, "old");
  const h = createNodeHost();
  const file = h.createOutput(`${dir}/out`, { mode: 0o777 });
  file.write(latin1("new"), 0);
  file.abort();
  file.abort();
  assert.equal(fs.readdirSync(dir), ["out"]);
  assert.is(fs.readFileSync(`${dir}/out`, "latin1"), "old");
});

host("a left-over temporary file of the same name is in nobody's way", () => {
  const dir = temporaryFolder("stale");
  fs.writeFileSync(path.join(dir, `.out.${process.pid}.tmp`), "stale");
  const file = createNodeHost().createOutput(`${dir}/out`, { mode: 0o777 });
  file.write(latin1("new"), 0);
  file.commit();
  assert.is(fs.readFileSync(`${dir}/out`, "latin1"), "new");
});

host("a link that ends leaves no descriptor, no file and no signal handler behind", () => {
  const dir = temporaryFolder("release");
  const descriptors = (): number => fs.readdirSync("/proc/self/fd").length;
  const handlers = (): number => process.listenerCount("SIGINT") + process.listenerCount("SIGTERM") + process.listenerCount("SIGHUP");
  const before = [descriptors(), handlers()];
  const h = createNodeHost();
  fs.writeFileSync(`${dir}/in`, "1");
  fs.writeFileSync(`${dir}/made`, "1");
  h.open(`${dir}/in`);
  h.createOutput(`${dir}/a`, { mode: 0o777 });
  h.createOutput(`${dir}/b`, { mode: 0o777 }).write(latin1("x"), 0);
  h.removeAtEnd([`${dir}/made`, `${dir}/never`]);
  assert.is(handlers(), before[1]! + 3);
  h.release();
  assert.equal([descriptors(), handlers()], before);
  assert.equal(fs.readdirSync(dir), ["in"]);
});

host("hard links and symbolic links to the old output stay what they were", () => {
  const dir = temporaryFolder("links");
  fs.writeFileSync(`${dir}/out`, "old");
  fs.linkSync(`${dir}/out`, `${dir}/hard`);
  fs.symlinkSync("hard", `${dir}/soft`);
  const h = createNodeHost();
  for (const name of ["out", "soft"]) {
    const file = h.createOutput(`${dir}/${name}`, { mode: 0o777 });
    file.write(latin1("new"), 0);
    file.commit();
  }
  assert.is(fs.readFileSync(`${dir}/hard`, "latin1"), "old");
  assert.ok(fs.lstatSync(`${dir}/soft`).isFile());
});

host("devices are written directly", () => {
  const h = createNodeHost();
  const before = fs.statSync("/dev/null");
  const file = h.createOutput("/dev/null", { mode: 0o777 });
  file.truncate(100);
  file.write(latin1("x"), 50);
  file.commit();
  assert.is(fs.statSync("/dev/null").ino, before.ino);
  const full = h.createOutput("/dev/full", { mode: 0o777 });
  full.write(latin1("x"), 0);
  assert.is(hostErrorOf(() => full.commit()).message, "No space left on device");
});

host("a fifo gets the bytes in order", async () => {
  const fifo = path.join(temporaryFolder("fifo"), "pipe");
  if (spawnSync("mkfifo", [fifo]).status !== 0) throw new Error("no mkfifo");
  const reader = spawn("cat", [fifo]);
  const got: Buffer[] = [];
  reader.stdout.on("data", (chunk: Buffer) => got.push(chunk));
  const file = createNodeHost().createOutput(fifo, { mode: 0o777 });
  file.write(latin1("second"), 5);
  file.write(latin1("first"), 0);
  file.commit();
  await new Promise((done) => reader.on("close", done));
  assert.is(Buffer.concat(got).toString(), "firstsecond");
});

host("no descriptor is lost where there is no room for the contents of a pipe", () => {
  const fifo = path.join(temporaryFolder("spool"), "pipe");
  if (spawnSync("mkfifo", [fifo]).status !== 0) throw new Error("no mkfifo");
  const h = createNodeHost();
  const before = fs.readdirSync("/proc/self/fd").length;
  const { TMPDIR } = process.env;
  process.env["TMPDIR"] = "/nowhere";
  try {
    const writer = spawn("sh", ["-c", `exec 3> ${fifo}`]);
    assert.match(hostErrorOf(() => h.open(fifo)).message, "cannot make a temporary file in /nowhere: No such file");
    assert.match(hostErrorOf(() => h.createOutput("-", { mode: 0o777 })).message, "cannot make a temporary file in /nowhere: No such file");
    for (const stream of writer.stdio) stream?.destroy();
  } finally {
    process.env["TMPDIR"] = TMPDIR;
    if (TMPDIR === undefined) delete process.env["TMPDIR"];
  }
  assert.is(fs.readdirSync("/proc/self/fd").length, before);
});

host("an input that changes during the link is noticed", () => {
  const dir = temporaryFolder("changed");
  fs.writeFileSync(`${dir}/in`, "1");
  const h = createNodeHost();
  h.close(h.open(`${dir}/in`));
  const file = h.createOutput(`${dir}/out`, { mode: 0o777 });
  fs.writeFileSync(`${dir}/in`, "22");
  assert.match(hostErrorOf(() => file.commit()).message, "input file changed");
  assert.equal(fs.readdirSync(dir), ["in"]);
});

host("an output that is an input is refused", () => {
  const dir = temporaryFolder("same");
  fs.writeFileSync(`${dir}/in`, "1");
  fs.symlinkSync("in", `${dir}/alias`);
  const h = createNodeHost();
  h.close(h.open(`${dir}/in`));
  for (const name of ["in", "alias"]) assert.match(hostErrorOf(() => h.createOutput(`${dir}/${name}`, { mode: 0o777 })).message, "also an input");
  assert.is(fs.readFileSync(`${dir}/in`, "latin1"), "1");
  h.release();
});

host("a large old output goes, and comes back when the new one cannot take its place", () => {
  const dir = temporaryFolder("aside");
  const [out, other] = [path.join(dir, "out"), path.join(dir, "other")];
  const h = createNodeHost();
  for (const file of [out, other]) {
    fs.writeFileSync(file, "old");
    fs.truncateSync(file, 32 << 20);
  }
  const good = h.createOutput(out, { mode: 0o755 });
  good.write(latin1("new"), 0);
  good.commit();
  assert.is(fs.readFileSync(out, "latin1"), "new");

  const bad = h.createOutput(other, { mode: 0o755 });
  for (const name of fs.readdirSync(dir)) if (name.startsWith(".other")) fs.unlinkSync(path.join(dir, name));
  assert.is(hostErrorOf(() => bad.commit()).code, "ENOENT");
  assert.is(fs.statSync(other).size, 32 << 20);
  assert.equal(fs.readdirSync(dir).sort(), ["other", "out"]);
  h.release();
});

host("temporary names fit into a file name", () => {
  assert.is(temporaryName("dir/a.out", 7, 0), "dir/.a.out.7.tmp");
  assert.is(temporaryName("a.out", 7, 2), ".a.out.7.2.tmp");
  const long = temporaryName(`/d/${"x".repeat(255)}`, 1234567, 3);
  assert.is(path.basename(long).length, 255);
  assert.is.not(temporaryName("x".repeat(254) + "a", 1, 0), temporaryName("x".repeat(254) + "b", 1, 0));
});

host("compressed bytes must inflate to what they promise", () => {
  const h = createNodeHost();
  const packed = deflateSync(latin1("hello hello"));
  assert.is(Buffer.from(h.inflate(1, packed, 11)).toString(), "hello hello");
  for (const size of [10, 12]) assert.is(hostErrorOf(() => h.inflate(1, packed, size)).message, "corrupted compressed data");
  assert.is(hostErrorOf(() => h.inflate(1, latin1("nonsense"), 5)).message, "corrupted compressed data");
  assert.match(hostErrorOf(() => h.inflate(9, packed, 11)).message, "unknown compression type 9");
});

host("pieces that are compressed one by one make one stream", () => {
  const h = createNodeHost();
  const pieces = ["hello ", "hello ", "world"].map((text, i) => h.deflate(1, latin1(text), i, i === 2)!);
  assert.is(inflateRawSync(Buffer.concat(pieces)).toString(), "hello hello world");
});

host("at least one processor, at most the machine's", () => {
  const { cpus } = createNodeHost();
  assert.ok(Number.isInteger(cpus) && cpus >= 1);
  assert.ok(cpus <= Number(spawnSync("nproc", ["--all"]).stdout.toString()));
});

host.run();
