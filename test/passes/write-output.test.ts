/** What threads write side by side must not overlap, or the last one wins: in each phase every byte of the output is written once at most. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { R_X86_64_32, R_X86_64_GOTPCREL, SHF_ALLOC, SHF_EXECINSTR, SHF_MERGE, SHF_STRINGS, SHF_WRITE } from "../../as-kernels/shared/elf.ts";
import type { LinkOptions } from "../../ts/api/types.ts";
import { VirtualHost } from "../../ts/host/virtual.ts";
import { link, memoryFS } from "../../ts/index.ts";
import { Pool } from "../../ts/memory/pool.ts";
import { ObjectBuilder } from "../helpers/object.ts";

const test = suite("write-output");

interface Write {
  phase: number;
  from: number;
  to: number;
}

/** Links, and returns what was written while phases ran: by them or beside them. */
async function writesOf(options: LinkOptions): Promise<Write[]> {
  const { run, runWhile } = Pool.prototype;
  const { writeAt } = VirtualHost.prototype;
  const writes: Write[] = [];
  let phases = 0;
  let running = 0;
  const within = async (phase: Promise<void>): Promise<void> => phase.finally(() => void (running = 0));
  Pool.prototype.run = function (...args) {
    running = ++phases;
    return within(run.apply(this, args));
  };
  Pool.prototype.runWhile = function (...args) {
    running = ++phases;
    return within(runWhile.apply(this, args));
  };
  VirtualHost.prototype.writeAt = function (fd, bytes, position) {
    if (running > 0 && bytes.length > 0) writes.push({ phase: running, from: position, to: position + bytes.length });
    return writeAt.call(this, fd, bytes, position);
  };
  try {
    await link(options);
  } finally {
    Object.assign(Pool.prototype, { run, runWhile });
    VirtualHost.prototype.writeAt = writeAt;
  }
  return writes;
}

function object(): Uint8Array {
  const b = new ObjectBuilder();
  const text = b.section(".text", { flags: SHF_ALLOC | SHF_EXECINSTR, data: new Uint8Array(64) });
  b.symbol("_start", { in: text });
  b.reloc(text, 8, R_X86_64_GOTPCREL, b.symbol("elsewhere", {}), -4);
  b.section(".rodata.first", { flags: SHF_ALLOC, data: "contents in front" });
  const strings = b.section(".rodata.str1.1", { flags: SHF_ALLOC | SHF_MERGE | SHF_STRINGS, entsize: 1, data: "a string\0and another one\0" });
  b.section(".rodata.last", { flags: SHF_ALLOC, data: "contents behind" });
  b.reloc(text, 16, R_X86_64_32, b.sectionSymbol(strings), 0);
  b.section(".data.first", { flags: SHF_ALLOC | SHF_WRITE, data: "data in front" });
  b.section(".data.last", { flags: SHF_ALLOC | SHF_WRITE, data: "data behind" });
  return b.bytes();
}

const SCRIPT = "SECTIONS { .text : { *(.text) } .mixed : { *(.rodata.first) *(.rodata.str*) *(.data.first) *(.got) *(.got.plt) *(.rodata.last) *(.data.last) } }";

for (const [name, options] of Object.entries<Partial<LinkOptions>>({ "without a script": {}, "linker-made sections and strings among others": { script: "layout.lds", fs: memoryFS({ "layout.lds": new TextEncoder().encode(SCRIPT) }) } })) {
  test(`no two writes of a phase overlap: ${name}`, async () => {
    const writes = await writesOf({ inputs: [{ name: "a.o", data: object() }], args: ["--unresolved-symbols=ignore-all", "--build-id"], ...options });
    assert.ok(writes.length > 3);
    for (const a of writes) {
      for (const b of writes) assert.ok(a === b || a.phase !== b.phase || a.to <= b.from || b.to <= a.from, `${JSON.stringify(a)} and ${JSON.stringify(b)}`);
    }
  });
}

test.run();
