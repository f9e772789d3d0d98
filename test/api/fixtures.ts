/** The files that the API's cases link: the demo's objects, and a static hello world with musl where it is installed. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { deflateSync } from "node:zlib";
import { ELFCOMPRESS_ZLIB, ELFCOMPRESS_ZSTD, SHF_COMPRESSED } from "../../as-kernels/shared/elf.ts";
import { ObjectBuilder } from "../helpers/object.ts";
import { repoRoot, temporaryFolder } from "../helpers/tools.ts";
import type { Fixtures } from "./case.ts";

const DEBUG_TEXT = Buffer.from("a section that is not loaded. ".repeat(40));
/** RFC 8878: a frame of one segment with a two-byte size (less 256), holding one last raw block. */
const ZSTD_HEAD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x60, (DEBUG_TEXT.length - 256) & 0xff, (DEBUG_TEXT.length - 256) >> 8, ...[0, 8, 16].map((bits) => (((DEBUG_TEXT.length << 3) | 1) >> bits) & 0xff)]);

/** An object with DEBUG_TEXT compressed (gABI ch. 4, Elf64_Chdr: type, reserved, size, alignment). */
function compressedObject(type: number, contents: Uint8Array): Uint8Array {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(type, 0);
  head.writeBigUInt64LE(BigInt(DEBUG_TEXT.length), 8);
  head.writeBigUInt64LE(1n, 16);
  const object = new ObjectBuilder();
  object.section(".debug_note", { flags: SHF_COMPRESSED, data: Buffer.concat([head, contents]) });
  return object.bytes();
}

const MUSL = "/usr/lib/x86_64-linux-musl";

export function fixtures(): Fixtures {
  const files: Fixtures = {};
  for (const name of ["start.o", "print.o", "steps.o"]) files[name] = new Uint8Array(fs.readFileSync(path.join(repoRoot(), "build/demo", name)));
  files["zlib.o"] = compressedObject(ELFCOMPRESS_ZLIB, deflateSync(DEBUG_TEXT));
  files["bomb.o"] = compressedObject(ELFCOMPRESS_ZLIB, deflateSync(new Uint8Array(1 << 24)));
  files["zstd.o"] = compressedObject(ELFCOMPRESS_ZSTD, Buffer.concat([ZSTD_HEAD, DEBUG_TEXT]));
  if (!fs.existsSync(`${MUSL}/libc.a`)) return files;
  const dir = temporaryFolder("musl-hello");
  fs.writeFileSync(path.join(dir, "hello.c"), '#include <stdio.h>\nint main(int argc, char **argv) { printf("hello from %s, %d\\n", "musl", argc); return 0; }\n');
  if (spawnSync("gcc", ["-O1", "-fno-pie", "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-nostdinc", "-isystem", "/usr/include/x86_64-linux-musl", "-c", "hello.c"], { cwd: dir }).status !== 0) return files;
  files["hello.o"] = new Uint8Array(fs.readFileSync(path.join(dir, "hello.o")));
  for (const name of ["crt1.o", "crti.o", "crtn.o", "libc.a"]) files[name] = new Uint8Array(fs.readFileSync(`${MUSL}/${name}`));
  return files;
}
