import { suite } from "uvu";
import * as assert from "uvu/assert";
import { BadArchive, memberAt, walkArchive, type ByteSource } from "../../ts/input/archive.ts";
import { archive } from "../helpers/object.ts";
import { prng } from "../helpers/prng.ts";
import { latin1 } from "./fixture.ts";

const test = suite("archive");

function source(bytes: Uint8Array): ByteSource & { reads: number; bytesRead: number } {
  return {
    size: bytes.length,
    reads: 0,
    bytesRead: 0,
    read(target, position) {
      const part = bytes.subarray(position, position + target.length);
      target.set(part);
      this.reads++;
      this.bytesRead += part.length;
      return part.length;
    },
  };
}

function members(bytes: Uint8Array | string, thin = false): string[] {
  const data = typeof bytes === "string" ? latin1(bytes) : bytes;
  const list: string[] = [];
  walkArchive(source(data), thin, (m) => {
    const contents = thin ? "" : String.fromCharCode(...data.subarray(m.offset, m.offset + Math.min(m.bytes, 20)));
    list.push(`${m.name}:${m.bytes}${m.nested < 0 ? "" : `@${m.nested}`}:${contents}`);
  });
  return list;
}

function header(name: string, size: number | string): string {
  return `${name.padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"644".padEnd(8)}${String(size).padEnd(10)}\`\n`;
}

function problem(bytes: Uint8Array | string, thin = false): string {
  try {
    members(bytes, thin);
  } catch (error) {
    if (error instanceof BadArchive) return error.message;
    throw error;
  }
  return "";
}

test("lists members behind indexes and name tables", () => {
  for (const index64 of [false, true]) {
    const bytes = archive(
      [
        { name: "a.o", data: latin1("AAA"), symbols: ["a"] },
        { name: "a-name-longer-than-fifteen.o", data: latin1("BB"), symbols: ["b"] },
        { name: "c.o", data: latin1(""), symbols: [] },
      ],
      { index64 },
    );
    assert.equal(members(bytes), ["a.o:3:AAA", "a-name-longer-than-fifteen.o:2:BB", "c.o:0:"]);
  }
});

test("an empty archive has no members", () => {
  assert.equal(members("!<arch>\n"), []);
});

test("reads BSD names, and skips BSD indexes", () => {
  const text =
    `!<arch>\n${header("#1/20", 20 + 4)}__.SYMDEF SORTED\0\0\0\0....` +
    `${header("#1/8", 8 + 3)}long.o\0\0XYZ\n${header("short.o", 2)}..`;
  assert.equal(members(text), ["long.o:3:XYZ", "short.o:2:.."]);
});

test("a last member may lack its padding", () => {
  assert.equal(members(`!<arch>\n${header("a.o/", 3)}AAA`), ["a.o:3:AAA"]);
});

test("thin archives name files and members of archives", () => {
  const names = "dir/a.o/\nsub/lib.a/\n";
  const text = `!<thin>\n${header("//", names.length)}${names}${names.length % 2 ? "\n" : ""}${header("/0", 1000)}${header("/9:128", 50)}`;
  assert.equal(members(text, true), ["dir/a.o:1000:", "sub/lib.a:50@128:"]);
  assert.equal(members(text.replace("/0              ", "/0             /").replace("/9:128          ", "/9:128         /"), true), ["dir/a.o:1000:", "sub/lib.a:50@128:"]);
});

test("finds the member of a nested archive by its header", () => {
  const bytes = latin1(`!<arch>\n${header("a.o/", 2)}AA${header("b.o/", 3)}BBB`);
  const member = memberAt(source(bytes), 8 + 62);
  assert.is(member.offset, 8 + 62 + 60);
  assert.is(member.bytes, 3);
  assert.throws(() => memberAt(source(bytes), 9), (error: unknown) => error instanceof BadArchive);
});

test("says what is wrong and where", () => {
  assert.match(problem("!<arch>\nshort"), "too small for next archive member header at offset 8");
  assert.match(problem(`!<arch>\n${header("a.o/", 100)}AA`), "reach behind the end");
  assert.match(problem(`!<arch>\n${header("a.o/", "1x")}AA`), "size is not a number");
  assert.match(problem(`!<arch>\n${header("a.o/", "")}AA`), "size is not a number");
  assert.match(problem(`!<arch>\n${header("a.o/", 2).slice(0, -2)}xxAA`), "does not end in");
  assert.match(problem(`!<arch>\n${header("/5", 2)}AA`), "outside of the name table");
  assert.match(problem(`!<arch>\n${header("//", 4)}a.o/${header("/9", 2)}AA`), "outside of the name table");
  assert.match(problem(`!<arch>\n${header("//", 4)}abcd${header("/0", 2)}AA`), "has no end");
  assert.match(problem(`!<arch>\n${header("#1/90", 2)}AA`), "length of its name");
  assert.is(problem(`!<arch>\n${header("a.o/", 2)}AA\n\n\n`), "");
});

test("reads a large archive's headers, not its contents", () => {
  const big = new Uint8Array(1 << 20).fill(7);
  const file = source(archive(["a.o", "b.o", "c.o", "d.o"].map((name) => ({ name, data: big }))));
  const names: string[] = [];
  walkArchive(file, false, (m) => names.push(`${m.name} ${m.bytes} ${m.head[m.headAt]} ${m.headEnd - m.headAt >= 64}`));
  assert.equal(names, ["a.o", "b.o", "c.o", "d.o"].map((name) => `${name} 1048576 7 true`));
  assert.ok(file.bytesRead < 200_000, `${file.bytesRead}`);
});

test("reads many small members in few reads", () => {
  const list = Array.from({ length: 4000 }, (_, i) => ({ name: `m${i}.o`, data: latin1("x".repeat(300 + (i % 7))) }));
  const file = source(archive(list));
  let count = 0;
  walkArchive(file, false, (m) => {
    assert.is(m.name, `m${count}.o`);
    assert.is(m.bytes, 300 + (count++ % 7));
    assert.ok(m.headEnd - m.headAt >= 64);
  });
  assert.is(count, 4000);
  assert.ok(file.reads < 100, `${file.reads} reads`);
});

test("never crashes on mutated archives", () => {
  const random = prng(1);
  const names = "a-name-longer-than-fifteen.o/\n";
  const good = latin1(
    `!<arch>\n${header("/", 8)}\0\0\0\x01\0\0\0\0${header("//", names.length)}${names}${header("/0", 5)}12345\n${header("#1/8", 11)}long.o\0\0XYZ\n${header("b.o/", 2)}BB`,
  );
  for (let round = 0; round < 20000; round++) {
    const bytes = good.slice(0, random.below(8) === 0 ? 8 + random.below(good.length - 7) : good.length);
    for (let n = random.below(4); n >= 0; n--) bytes[8 + random.below(bytes.length - 7)] = random.below(256);
    problem(bytes.slice(), (round & 1) === 1);
  }
});

test.run();
