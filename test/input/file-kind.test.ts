import { suite } from "uvu";
import * as assert from "uvu/assert";
import { EM_X86_64 } from "../../as-kernels/shared/elf.ts";
import { fileKind } from "../../ts/input/file-kind.ts";
import { ObjectBuilder } from "../helpers/object.ts";
import { latin1 } from "./fixture.ts";

const test = suite("file-kind");

function kindOf(bytes: Uint8Array | string): string {
  const data = typeof bytes === "string" ? latin1(bytes) : bytes;
  return fileKind(data, 0, data.length, EM_X86_64);
}

function object(patch: Record<number, number> = {}): Uint8Array {
  const bytes = new ObjectBuilder().bytes();
  for (const [at, value] of Object.entries(patch)) bytes[Number(at)] = value;
  return bytes;
}

test("tells objects, shared objects and executables apart", () => {
  assert.is(kindOf(object()), "relocatable");
  assert.is(kindOf(object({ 16: 3 })), "shared");
  assert.is(kindOf(object({ 16: 2 })), "elf");
});

test("does not take ELF of another class, byte order or machine", () => {
  assert.is(kindOf(object({ 4: 1 })), "incompatible");
  assert.is(kindOf(object({ 5: 2 })), "incompatible");
  assert.is(kindOf(object({ 18: 183 })), "incompatible");
});

test("knows archives, bitcode and scripts", () => {
  assert.is(kindOf("!<arch>\n"), "archive");
  assert.is(kindOf("!<thin>\n"), "thin");
  assert.is(kindOf("BC\xc0\xde\x35\x14\0\0"), "bitcode");
  assert.is(kindOf("\xde\xc0\x17\x0b\0\0\0\0"), "bitcode");
  assert.is(kindOf("/* GNU ld script */\nINPUT(a.o)\n"), "text");
});

test("says what cannot be linked", () => {
  assert.is(kindOf(""), "empty");
  assert.is(kindOf("\x7fELF\x02\x01\x01"), "truncated");
  assert.is(kindOf("\0\0\0\0"), "other");
  assert.is(kindOf("text\x01"), "other");
});

test("looks only at its stretch of the buffer", () => {
  const data = latin1("xx!<arch>\nyy");
  assert.is(fileKind(data, 2, 10, EM_X86_64), "archive");
  assert.is(fileKind(data, 2, 9, EM_X86_64), "text");
  assert.is(fileKind(data, 5, 5, EM_X86_64), "empty");
});

test.run();
