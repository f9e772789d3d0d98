import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  SCANNED_ARCHIVE, SCANNED_AT, SCANNED_BYTES, SCANNED_DEFINED, SCANNED_NAME, SCANNED_OTHERS, SCANNED_SIZE, SCAN_ARCHIVE, SCAN_CURSOR, SCAN_LARGE, SCAN_LIMIT, SCAN_MACHINE,
  SCAN_MORE, SCAN_NAMES, SCAN_NAMES_BYTES, SCAN_NEXT, SCAN_ODD, SCAN_STATE_BYTES, SYM_DEFINED, SYM_UNDEF, SYM_USED_REGULAR, SYM_WEAK,
} from "../../as-kernels/shared/abi.ts";
import { EM_X86_64 } from "../../as-kernels/shared/elf.ts";
import { memberName } from "../../ts/input/archive.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { kernelMemory, type KernelMemory } from "../helpers/kernel-memory.ts";
import { ObjectBuilder, archive, type Member } from "../helpers/object.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { nameTwin } from "../helpers/twin/hash.ts";
import { neededTwin, type Scanned } from "../helpers/twin/scan-archives.ts";

const LARGE = 4000;
const NAME_BYTES = 24;

interface Known extends Scanned, Member {
}

function randomMember(random: Prng, names: readonly string[], i: number): Known {
  const object = new ObjectBuilder();
  const text = object.text(new Uint8Array(random.chance(0.1) ? LARGE : random.below(40)));
  const pick = (chance: number): string[] => names.filter(() => random.chance(chance));
  const defines = pick(0.08);
  const refers = pick(0.08).filter((name) => !defines.includes(name));
  for (const name of defines) random.chance(0.2) ? object.common(name, 4, 4) : object.symbol(name, { in: text });
  for (const name of refers) object.symbol(name);
  return { name: random.chance(0.4) ? `a member with a long name ${i}.o` : `m${i}.o`, data: object.bytes(), symbols: [...defines], defines, refers };
}

/** Rows of all members of the archive, read in pieces of `span` bytes; null = it is odd. */
function scan({ arena, kernels }: KernelMemory, bytes: Uint8Array, span: number, number = 0): { from: number; to: number; names: Uint8Array; large: number } | null {
  const state = arena.allocZeroed(SCAN_STATE_BYTES);
  const out = arena.alloc(128);
  const window = arena.alloc(span + 64);
  const from = arena.alloc(bytes.length + 64);
  arena.u32[(state + SCAN_CURSOR) >>> 2] = from;
  arena.u32[(state + SCAN_LIMIT) >>> 2] = from + bytes.length;
  arena.u32[(state + SCAN_MACHINE) >>> 2] = EM_X86_64;
  arena.u32[(state + SCAN_ARCHIVE) >>> 2] = number;
  let large = 0;
  for (let at = 8; at < bytes.length; ) {
    const part = bytes.subarray(at, at + span);
    arena.u8.set(part, window);
    const status = kernels.scanMembers(window, part.length, at, bytes.length, LARGE, state, out);
    const next = arena.f64[(state + SCAN_NEXT) >>> 3]!;
    if (status === SCAN_ODD || next <= at) return null;
    assert.ok(status === SCAN_MORE || status === SCAN_LARGE);
    large += Number(status === SCAN_LARGE);
    at = next;
  }
  const place = arena.f64[(state + SCAN_NAMES) >>> 3]!;
  return { from, to: arena.u32[(state + SCAN_CURSOR) >>> 2]!, names: bytes.slice(place, place + arena.f64[(state + SCAN_NAMES_BYTES) >>> 3]!), large };
}

/** Makes `names` the globals, with `flags` each. */
function mention({ arena, tables }: KernelMemory, names: readonly string[], flags: (name: string) => number): void {
  allocTable(arena, tables, "gsym", names.length + 1);
  allocTable(arena, tables, "sym", names.length + 1);
  names.forEach((name, i) => {
    [tables.gsym.h0[i + 1], tables.gsym.h1[i + 1]] = nameTwin(name).hash;
    tables.sym.flags[i + 1] = flags(name);
  });
}

for (const debug of [false, true]) {
  const test = suite(`kernel scan-archives ${debug ? "debug" : "release"}`);
  const memory = kernelMemory(debug);
  const { arena, kernels } = memory;
  const NAMES = Array.from({ length: 24 }, (_, i) => `${i % 5 === 0 ? "a_rather_long_name_of_" : ""}n${i}${i % 7 === 0 ? "@@V1" : i % 11 === 0 ? "@V2" : ""}`);

  test("lists members and their names, however the archive is cut into pieces", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const mark = arena.mark();
      const random = prng(seed);
      // Contents of large members are not looked at here: they have no names.
      const members = Array.from({ length: random.below(9) }, (_, i) => randomMember(random, NAMES, i));
      const found = scan(memory, archive(members, { index: random.chance(0.7), index64: random.chance(0.5) }), random.pick([LARGE + 124, 10_000, 100_000]), 3)!;
      let row = found.from;
      for (const { name, data, defines, refers } of members) {
        const known = data.length > LARGE ? [0, 0] : [defines.length, refers.length];
        assert.is(memberName(arena.u8, row + SCANNED_NAME, found.names, 0), name);
        assert.equal([SCANNED_DEFINED, SCANNED_OTHERS].map((at) => arena.u32[(row + at) >>> 2]), known, `seed ${seed}, ${name}`);
        assert.equal([arena.f64[(row + SCANNED_BYTES) >>> 3], arena.u32[(row + SCANNED_ARCHIVE) >>> 2]], [data.length, 3]);
        assert.is(arena.f64[(row + SCANNED_AT) >>> 3]! % 2, 0);
        const hashes = [...(known[0]! + known[1]! > 0 ? [...defines, ...refers] : [])].map((each) => nameTwin(each).hash.join()).sort();
        const rows = hashes.map((_, i) => (row + SCANNED_SIZE + NAME_BYTES * i) >>> 3).map((at) => [arena.u64[at], arena.u64[at + 1]].join());
        assert.equal(rows.sort(), hashes);
        row += SCANNED_SIZE + NAME_BYTES * hashes.length;
      }
      assert.is(row, found.to);
      assert.is(found.large, members.filter(({ data }) => data.length > LARGE).length);
      arena.release(mark);
    }
  });

  test("needs the members that its twin needs, and more when more is mentioned", () => {
    for (let seed = 1; seed <= 80; seed++) {
      const mark = arena.mark();
      const random = prng(seed);
      const members = Array.from({ length: 1 + random.below(14) }, (_, i) => randomMember(random, NAMES, i)).filter(({ data }) => data.length <= LARGE);
      const roots = NAMES.filter(() => random.chance(0.08));
      const later = NAMES.filter((name) => roots.includes(name) || random.chance(0.08));
      const { from, to } = scan(memory, archive(members), 100_000)!;
      const out = arena.alloc(8);
      kernels.countScanned(from, to, out);
      assert.equal([arena.u32[out >>> 2], arena.u32[(out >>> 2) + 1]], [members.length, members.reduce((sum, { defines }) => sum + defines.length, 0)]);
      const slots = 2 ** Math.ceil(Math.log2(2 * arena.u32[(out >>> 2) + 1]! + 2));
      const table = arena.allocZeroed(slots * 4);
      const list = arena.alloc(4 * members.length + 16);
      kernels.indexScanned(from, to, table, slots);
      let before = 0;
      for (const referred of [roots, later]) {
        mention(memory, NAMES, (name) => (referred.includes(name) ? SYM_USED_REGULAR : 0));
        const added = kernels.needScanned(SYM_USED_REGULAR, table, slots, list);
        const count = kernels.listScanned(from, to, 0, list);
        const needed = Array.from(arena.u32.subarray(list >>> 2, (list >>> 2) + count), (row) => memberIndex(memory, from, row));
        assert.equal(needed, neededTwin(members, referred), `seed ${seed}`);
        assert.is(count, before + added);
        before = count;
      }
      assert.is(kernels.listScanned(from, to, 1, list), 0);
      arena.release(mark);
    }
  });

  test("an archive that is cut or has other bytes is odd or has the rows it seems to have: nothing is read outside of it", () => {
    const random = prng(11);
    const whole = archive(Array.from({ length: 6 }, (_, i) => randomMember(random, NAMES, i)));
    let odd = 0;
    for (let round = 0; round < 400; round++) {
      const mark = arena.mark();
      const bytes = whole.slice(0, random.chance(0.3) ? random.between(9, whole.length) : whole.length);
      for (let k = random.below(4); k > 0; k--) bytes[random.below(bytes.length)] = random.below(256);
      const found = scan(memory, bytes, 100_000);
      if (found === null) odd++;
      else assert.ok(found.to - found.from <= bytes.length);
      arena.release(mark);
    }
    assert.ok(odd > 50);
  });

  test("a member whose tables are not as they should be makes the archive odd, so that it is opened and the member described", () => {
    const object = new ObjectBuilder();
    object.symbol("f", { in: object.text(new Uint8Array(4)) });
    object.symbol("g");
    const good = object.bytes();
    const view = new DataView(good.buffer, good.byteOffset);
    const header = (type: number): number => Array.from({ length: view.getUint16(60, true) }, (_, i) => Number(view.getBigUint64(40, true)) + 64 * i).find((at) => view.getUint32(at + 4, true) === type)!;
    const [symtab, strtab] = [header(2), 64 * view.getUint32(header(2) + 40, true) + Number(view.getBigUint64(40, true))];
    const place = (at: number): number => Number(view.getBigUint64(at + 24, true));
    const size = (at: number): number => Number(view.getBigUint64(at + 32, true));
    const global = place(symtab) + 24 * view.getUint32(symtab + 44, true);
    const changes: Record<string, [at: number, bytes: number[]]> = {
      "a local symbol among the global ones": [global + 4, [0]],
      "a name outside of the string table": [global, [0, 0, 1, 0]],
      "strings without an end": [place(strtab) + size(strtab) - 1, [120]],
      "section names in header 0": [62, [0xff, 0xff]],
      "headers of another size": [58, [65]],
      "another machine": [18, [183]],
      "another type": [16, [2]],
    };
    const scanned = (data: Uint8Array): boolean => scan(memory, archive([{ name: "m.o", data, symbols: ["f"] }]), 100_000) !== null;
    assert.ok(scanned(good));
    const common = (name: string): Uint8Array => {
      const other = new ObjectBuilder();
      other.common(name, 1, 1);
      return other.bytes();
    };
    assert.ok(scanned(common("__gnu_lto_slimm")) && scanned(common("_gnu_lto_slim")));
    assert.not(scanned(common("__gnu_lto_slim")), "an object without machine code");
    for (const [what, [at, bytes]] of Object.entries(changes)) {
      const mark = arena.mark();
      const changed = good.slice();
      changed.set(bytes, at);
      assert.not(scanned(changed), what);
      arena.release(mark);
    }
  });

  test("an index is in use when one of its names is, or when it has fewer than it says", () => {
    mention(memory, ["used", "unused", "slim"], (name) => (name === "used" ? SYM_USED_REGULAR : 0));
    const slots = 8;
    const table = arena.allocZeroed(slots * 4);
    kernels.indexNames(1, 4, table, slots);
    const out = arena.alloc(16);
    const referred = (names: string[], count = names.length): number => {
      const text = names.map((name) => `${name}\0`).join("");
      const at = arena.put(text);
      return kernels.indexReferred(at, text.length, count, SYM_USED_REGULAR, 3, table, slots, out);
    };
    assert.equal([referred(["other", "unused"]), referred(["other", "used"]), referred(["slim"]), referred([]), referred(["other"], 2)], [0, 1, 1, 0, 1]);
  });

  test("what must be there and is missing is found, one after the other", () => {
    const flags: Record<string, number> = { a: SYM_UNDEF, b: SYM_UNDEF | SYM_USED_REGULAR, c: SYM_DEFINED | SYM_USED_REGULAR, d: SYM_UNDEF | SYM_WEAK | SYM_USED_REGULAR, e: SYM_UNDEF | SYM_USED_REGULAR };
    mention(memory, Object.keys(flags), (name) => flags[name]!);
    assert.equal([kernels.nextMissing(1, SYM_USED_REGULAR), kernels.nextMissing(3, SYM_USED_REGULAR), kernels.nextMissing(6, SYM_USED_REGULAR)], [2, 5, 0]);
  });

  test.run();
}

/** Which member of those from `from` on has its row there. */
function memberIndex({ arena }: KernelMemory, from: number, row: number): number {
  let index = 0;
  for (let at = from; at < row; index++) at += SCANNED_SIZE + NAME_BYTES * (arena.u32[(at + SCANNED_DEFINED) >>> 2]! + arena.u32[(at + SCANNED_OTHERS) >>> 2]!);
  return index;
}
