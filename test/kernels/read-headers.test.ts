import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as abi from "../../as-kernels/shared/abi.ts";
import * as elf from "../../as-kernels/shared/elf.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { kernelMemory, takeIssues } from "../helpers/kernel-memory.ts";
import { ObjectBuilder } from "../helpers/object.ts";
import { prng } from "../helpers/prng.ts";
import { damage, randomObject, SHNUM, SHOFF, SHSTRNDX } from "../helpers/random-object.ts";
import { readHeaders, scanTwin, type Failure, type Scan } from "../helpers/twin/parse-object.ts";

const EHSIZE = 64;
const SHENTSIZE = 58;

/** What the ELF header of `file` says, by the gABI: its section headers, or what is wrong. */
function headerTwin(file: Uint8Array): { shoff: number; count: number; shstrndx: number } | Failure {
  if (file.length < EHSIZE) return { error: abi.ERR_TRUNCATED, index: 0 };
  const view = new DataView(file.buffer);
  const shoff = view.getBigUint64(SHOFF, true);
  let count = BigInt(view.getUint16(SHNUM, true));
  let shstrndx = view.getUint16(SHSTRNDX, true);
  if (shoff === 0n) return count === 0n && shstrndx === 0 ? { shoff: 0, count: 0, shstrndx: 0 } : { error: abi.ERR_NO_SECTIONS, index: shstrndx };
  if (view.getUint16(SHENTSIZE, true) !== 64) return { error: abi.ERR_SHENTSIZE, index: 0 };
  if (shoff + 64n > BigInt(file.length)) return { error: abi.ERR_HEADERS_START, index: 0 };
  const first = readHeaders(file, Number(shoff), 1)[0]!;
  if (count === 0n) count = first.size;
  if (shstrndx === elf.SHN_XINDEX) shstrndx = first.link;
  if (shoff + count * 64n > BigInt(file.length)) return { error: abi.ERR_HEADERS_END, index: 0 };
  return { shoff: Number(shoff), count: Number(count), shstrndx };
}

function objectTwin(file: Uint8Array): { shoff: number; count: number; scan: Scan } | Failure {
  const header = headerTwin(file);
  if ("error" in header) return header;
  const scan = scanTwin(readHeaders(file, header.shoff, header.count), header.shstrndx, file.length);
  return "error" in scan ? scan : { ...header, scan };
}

/** The section headers as they stay in memory. */
function headersOf(file: Uint8Array, shoff: number, count: number, { freed }: Scan): Buffer {
  const headers = Buffer.from(file.subarray(shoff, shoff + count * 64));
  for (const i of freed) headers.writeUInt32LE(elf.SHT_PROGBITS, 64 * i + 4);
  return headers;
}

for (const debug of [false, true]) {
  const test = suite(`kernel read-headers ${debug ? "debug" : "release"}`);
  const memory = kernelMemory(debug, 1024);
  const { arena, tables, kernels } = memory;
  arena.u32[abi.CTL_WINDOW_TOP >>> 2] = 1024 * 16;

  /** Rows 1… for `files`, one behind the other with `gap` bytes between them. */
  function rowsFor(files: Uint8Array[], gap: number): number {
    const obj = allocTable(arena, tables, "obj", files.length + 1);
    let offset = 0;
    files.forEach((file, i) => {
      obj.kind[i + 1] = abi.OBJ_RELOCATABLE;
      obj.source[i + 1] = 1;
      obj.offset[i + 1] = offset;
      obj.bytes[i + 1] = file.length;
      offset += file.length + gap;
    });
    return offset;
  }

  const RULES = [".text", ".data"];
  const rules = arena.alloc(16 * RULES.length);
  RULES.forEach((prefix, i) => arena.u32.set([arena.put(prefix), prefix.length, 0, 0], (rules + 16 * i) >>> 2));
  memory.params.set("nameRules", rules);
  memory.params.set("nameRuleCount", RULES.length);

  /** Headers of an object whose names did not stay: rules or copies of names. Returns how many of each. */
  function compareNames(o: number, file: Uint8Array, { shoff, count, scan }: { shoff: number; count: number; scan: Scan }, where: string): [number, number] {
    const headers = readHeaders(file, shoff, count);
    const own = new Set<number>([elf.SHT_SYMTAB, elf.SHT_STRTAB, elf.SHT_RELA, elf.SHT_GROUP, elf.SHT_SYMTAB_SHNDX]);
    const kinds: [number, number] = [0, 0];
    const kept = headersOf(file, shoff, count, scan);
    headers.forEach(({ type, name }, i) => {
      const at = tables.obj.shdrs[o]! + 64 * i;
      assert.equal(Buffer.from(arena.bytes(at + 4, 60)), kept.subarray(64 * i + 4, 64 * i + 64), `section header ${i}, ${where}`);
      if (i === 0 || (own.has(type) && !scan.freed.includes(i))) return;
      const from = scan.parts.names[0] + name;
      const text = Buffer.from(file.subarray(from, file.indexOf(0, from))).toString("latin1");
      const found = arena.u32[at >>> 2]!;
      const rule = 1 + RULES.findIndex((prefix) => text === prefix || text.startsWith(prefix + "."));
      if (rule !== 0) assert.is(found, rule, `${text}, ${where}`);
      else assert.is(arena.cstring(found), text, where);
      kinds[rule === 0 ? 1 : 0]++;
    });
    return kinds;
  }

  /** Are the tables of object `o` in memory what they are in the file? */
  function compare(o: number, file: Uint8Array, { shoff, count, scan }: { shoff: number; count: number; scan: Scan }, where: string): void {
    const { obj } = tables;
    const { symtab, strtab, shndx, names } = scan.parts;
    const same = (address: number, [offset, bytes]: [number, number], what: string) =>
      assert.equal(Buffer.from(arena.bytes(address, bytes)), Buffer.from(file.subarray(offset, offset + bytes)), `${what}, ${where}`);
    assert.is(obj.e_shnum[o], count, where);
    const dropped = obj.names[o] === 0 && count > 0;
    if (!dropped) assert.equal(Buffer.from(arena.bytes(obj.shdrs[o]!, count * 64)), headersOf(file, shoff, count, scan), `section headers, ${where}`);
    if (scan.symtab !== 0) {
      same(obj.symtab[o]!, symtab, "symbol table");
      same(obj.strtab[o]!, strtab, "string table");
    }
    assert.is(obj.esymCount[o], symtab[1] / elf.SYM_BYTES, where);
    assert.is(obj.firstGlobal[o], scan.firstGlobal, where);
    assert.is(obj.strtabBytes[o], strtab[1], where);
    if (!dropped) same(obj.names[o]!, names, "section names");
    if (shndx[1] !== 0) same(obj.shndxTab[o]!, shndx, "extended indexes");
    const [from, to] = scan.groupRange;
    if (obj.groups[o] !== 0) same(obj.groups[o]!, [from, to - from], "groups");
    else assert.ok(to === from, `groups are in memory, ${where}`);
  }

  /** All of an object stays when that was asked for and its tables are at places that suit words. Returns whether it does. */
  function compareWhole(o: number, file: Uint8Array, { shoff, count, scan }: { shoff: number; count: number; scan: Scan }, asked: number, where: string): boolean {
    const { relas, relasFrom, shdrs, symtab, whole } = tables.obj;
    const aligns = new Map<number, bigint>([[elf.SHT_SYMTAB, 8n], [elf.SHT_RELA, 8n], [elf.SHT_GROUP, 4n], [elf.SHT_SYMTAB_SHNDX, 4n]]);
    const suits = readHeaders(file, shoff, count).slice(1).every(({ type, offset }) => offset % (aligns.get(type) ?? 1n) === 0n);
    assert.is(whole[o] !== 0, asked === abi.KEEP_ALL && suits && shoff % 8 === 0, where);
    if (whole[o] === 0) return false;
    const copy = Buffer.from(arena.bytes(whole[o]!, file.length + 16));
    const without = (bytes: Uint8Array): Buffer => Buffer.concat([bytes.subarray(0, shoff), bytes.subarray(shoff + 64 * count)]);
    assert.equal(without(copy), Buffer.concat([without(file), Buffer.alloc(16)]), `all but section headers, ${where}`);
    assert.is(whole[o]! % 16, 0, where);
    assert.is(shdrs[o], whole[o]! + shoff, where);
    if (scan.symtab !== 0) assert.is(symtab[o], whole[o]! + scan.parts.symtab[0], where);
    assert.equal([relas[o], relasFrom[o]], [whole[o], 0], where);
    return true;
  }

  /** Relocations of loaded sections are kept when they were asked for and lie close together. Returns whether they were. */
  function compareRelas(o: number, file: Uint8Array, { shoff, count }: { shoff: number; count: number }, asked: number, where: string): boolean {
    const { relas, relasFrom } = tables.obj;
    const headers = readHeaders(file, shoff, count);
    const loaded = headers.filter(({ type, info, size }) => type === elf.SHT_RELA && size > 0n && (headers[info]!.flags & BigInt(elf.SHF_ALLOC)) !== 0n);
    const from = loaded.reduce((least, { offset }) => (offset < least ? offset : least), BigInt(file.length));
    const to = loaded.reduce((most, { offset, size }) => (offset + size > most ? offset + size : most), 0n);
    const sum = loaded.reduce((all, { size }) => all + size, 0n);
    assert.is(relas[o] !== 0, asked !== 0 && sum > 0n && to - from <= 2n * sum, where);
    if (relas[o] === 0) return false;
    assert.is(relasFrom[o], Number(from), where);
    assert.equal(Buffer.from(arena.bytes(relas[o]!, Number(to - from))), Buffer.from(file.subarray(Number(from), Number(to))), `relocations, ${where}`);
    return true;
  }

  test("keeps the tables of all objects in a span, and says what is wrong with the others", () => {
    let broken = 0;
    let withRelas = 0;
    let whole = 0;
    let [ruled, copied] = [0, 0];
    for (let seed = 1; seed <= (debug ? 100 : 400); seed++) {
      const random = prng(seed);
      const mark = arena.mark();
      const files = Array.from({ length: random.between(1, 5) }, () => randomObject(random));
      for (const file of files) {
        if (random.chance(0.3)) damage(random, file);
        const view = new DataView(file.buffer);
        if (random.chance(0.1)) view.setUint16(SHENTSIZE, 63, true);
        if (random.chance(0.1)) view.setBigUint64(SHOFF, random.pick([0n, 1n, BigInt(file.length) - 63n, 1n << 63n, (1n << 64n) - 1n]), true);
      }
      const gap = random.pick([0, 60]);
      const bytes = rowsFor(files, gap);
      const span = arena.alloc(bytes + 16);
      const inside = random.between(1, files.length);
      files.forEach((file, i) => arena.u8.set(file, span + tables.obj.offset[i + 1]!));
      const end = tables.obj.offset[inside]! + files[inside - 1]!.length;
      const relas = random.pick([0, 1, abi.KEEP_ALL]);
      const drop = random.pick([0, 1]);
      arena.openRegion(random.pick([0, 640, 1 << 16]));
      assert.is(kernels.keepSpan(1, files.length + 1, span, 0, end, relas, drop, arena.alloc(512)), inside + 1, `seed ${seed}: stops behind the span`);
      const issues = takeIssues(memory);
      for (let o = 1; o <= inside; o++) {
        const where = `seed ${seed}, object ${o}`;
        const wanted = objectTwin(files[o - 1]!);
        const said = issues.filter((issue) => issue.obj === o).map(({ code, index, a }) => ({ code, index, error: Number(a) }));
        if ("error" in wanted) {
          broken++;
          assert.equal(said, [{ code: abi.ISSUE_BAD_OBJECT, index: wanted.index, error: wanted.error }], where);
          assert.is(tables.obj.esymCount[o], 0, where);
        } else {
          assert.equal(said, [], where);
          compare(o, files[o - 1]!, wanted, where);
          assert.ok(drop === 1 || tables.obj.names[o] !== 0 || wanted.count === 0, where);
          if (tables.obj.names[o] === 0 && wanted.count > 0) {
            const [rule, copy] = compareNames(o, files[o - 1]!, wanted, where);
            [ruled, copied] = [ruled + rule, copied + copy];
          }
          if (compareWhole(o, files[o - 1]!, wanted, relas, where)) whole++;
          else withRelas += Number(compareRelas(o, files[o - 1]!, wanted, relas, where));
        }
      }
      arena.release(mark);
    }
    assert.ok(broken > 20, `${broken} broken objects`);
    assert.ok(ruled > 3 && copied > 10, `${ruled} sections with rules, ${copied} names`);
    assert.ok(withRelas > 5, `${withRelas} objects with relocations`);
    assert.ok(whole > 10, `${whole} objects stayed`);
  });

  test("counts beyond 16 bits are in section header 0", () => {
    const mark = arena.mark();
    const object = new ObjectBuilder();
    object.symbol("f", { in: object.text([0x90]) });
    const file = object.bytes();
    const view = new DataView(file.buffer);
    const shoff = Number(view.getBigUint64(SHOFF, true));
    view.setBigUint64(shoff + 32, BigInt(view.getUint16(SHNUM, true)), true);
    view.setUint32(shoff + 40, view.getUint16(SHSTRNDX, true), true);
    view.setUint16(SHNUM, 0, true);
    view.setUint16(SHSTRNDX, elf.SHN_XINDEX, true);
    rowsFor([file], 0);
    const at = arena.alloc(file.length + 16);
    arena.u8.set(file, at);
    const out = arena.alloc(512);
    assert.is(kernels.checkHeader(1, at, 0, out), abi.NEEDS_FIRST);
    assert.is(kernels.keepSpan(1, 2, at, 0, file.length, 0, 0, out), 2);
    assert.equal(takeIssues(memory), []);
    compare(1, file, objectTwin(file) as { shoff: number; count: number; scan: Scan }, "large counts");
    arena.release(mark);
  });

  test("an ELF header alone is an empty object; less is cut off", () => {
    for (const [bytes, errors] of [[64, []], [63, [abi.ERR_TRUNCATED]]] as const) {
      const mark = arena.mark();
      rowsFor([new Uint8Array(bytes)], 0);
      assert.is(kernels.keepSpan(1, 2, arena.allocZeroed(64), 0, bytes, 0, 0, arena.alloc(512)), 2);
      assert.equal(takeIssues(memory).map(({ a }) => Number(a)), errors);
      arena.release(mark);
    }
  });

  test("an unused section header has no name, whatever its sh_name is: nobody looks for one", () => {
    const mark = arena.mark();
    const object = new ObjectBuilder();
    object.symbol("f", { in: object.text([0x90]) });
    object.section(".gone", { type: elf.SHT_PROGBITS, data: [1, 2, 3] });
    const file = object.bytes();
    const view = new DataView(file.buffer);
    const shoff = Number(view.getBigUint64(SHOFF, true));
    const gone = shoff + 64 * readHeaders(file, shoff, view.getUint16(SHNUM, true)).findIndex(({ type, size }) => type === elf.SHT_PROGBITS && size === 3n);
    view.setUint32(gone + 4, elf.SHT_NULL, true);
    view.setUint32(gone, 0x7fffffff, true);
    rowsFor([file], 0);
    const at = arena.alloc(file.length + 16);
    arena.u8.set(file, at);
    assert.is(kernels.keepSpan(1, 2, at, 0, file.length, 0, 1, arena.alloc(512)), 2);
    assert.equal(takeIssues(memory), []);
    assert.is(tables.obj.names[1], 0, "names went");
    assert.is(arena.u32[(tables.obj.shdrs[1]! + gone - shoff) >>> 2], 0x7fffffff, "as it was");
    arena.release(mark);
  });

  test.run();
}
