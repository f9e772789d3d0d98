import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as abi from "../../as-kernels/shared/abi.ts";
import * as elf from "../../as-kernels/shared/elf.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { kernelMemory, type KernelMemory } from "../helpers/kernel-memory.ts";
import { ObjectBuilder } from "../helpers/object.ts";
import { prng } from "../helpers/prng.ts";
import { BINDS, damage, NAMES, randomObject, SHNUM, SHOFF, SHSTRNDX } from "../helpers/random-object.ts";
import { parseTwin, readHeaders, scanTwin, sharedTwin, type DynamicSymbol, type Failure, type Header, type Parsed, type Scan } from "../helpers/twin/parse-object.ts";

/** Object o = 1, its rows from base on, so that wrong bases show. */
const BASES = { slot: 5, esym: 7, group: 3, record: 11 };

interface Given {
  file: Uint8Array;
  headers: Header[];
  shstrndx: number;
  at: number;
  shdrs: number;
  out: number;
}

function place(memory: KernelMemory, file: Uint8Array): Given {
  const { arena } = memory;
  const view = new DataView(file.buffer);
  const at = arena.allocZeroed(file.length + 64);
  arena.u8.set(file, at);
  const shoff = Number(view.getBigUint64(SHOFF, true));
  const headers = readHeaders(file, shoff, view.getUint16(SHNUM, true));
  return { file, headers, shstrndx: view.getUint16(SHSTRNDX, true), at, shdrs: at + shoff, out: arena.alloc(256) };
}

function scan({ arena, kernels }: KernelMemory, { headers, at, shdrs, shstrndx, file, out }: Given): Scan | Failure {
  arena.u8.fill(0xaa, out, out + 256);
  const error = kernels.scanHeaders(shdrs, headers.length, shstrndx, file.length, out);
  const word = (i: number): number => arena.u32[(out >>> 2) + i]!;
  const cell = (i: number): number => arena.f64[(out >>> 3) + i]!;
  if (error !== 0) return { error, index: word(0) };
  const now = Buffer.from(arena.bytes(shdrs, 64 * headers.length));
  const freed = readHeaders(file, shdrs - at, headers.length).flatMap(({ type }, i) => (now.readUInt32LE(64 * i + 4) === type ? [] : [i]));
  return {
    freed, symtab: word(1), groups: word(2), firstGlobal: word(3), localSignatures: cell(12),
    parts: { symtab: [cell(2), cell(3)], strtab: [cell(4), cell(5)], shndx: [cell(6), cell(7)], names: [cell(10), cell(11)] },
    groupRange: [cell(8), cell(9)],
  };
}

/** Loads tables where the pass would and reads them. `shndxWords`: an SHT_SYMTAB_SHNDX table. */
function parse(memory: KernelMemory, given: Given, scanned: Scan): { result: Parsed | Failure; linkonce: number } {
  const { arena, tables, kernels } = memory;
  const obj = allocTable(arena, tables, "obj", 2);
  const keep = ([offset, size]: [number, number]): number => {
    const to = arena.allocZeroed(size + 32);
    arena.u8.copyWithin(to, given.at + offset, given.at + offset + size);
    return to;
  };
  const { parts } = scanned;
  const symbols = parts.symtab[1] / elf.SYM_BYTES;
  const names = keep(parts.names);
  const linkonce = kernels.countLinkonce(given.shdrs, given.headers.length, names, parts.names[1]);
  const groups = scanned.groups + linkonce;
  const records = symbols - scanned.firstGlobal + scanned.localSignatures + linkonce;
  Object.entries({ ...BASES }).forEach(([name, base]) => {
    const rows = { slot: given.headers.length, esym: symbols, group: groups, record: records }[name]!;
    allocTable(arena, tables, name as keyof typeof BASES, base + rows);
  });
  const fields = {
    e_shnum: given.headers.length, slotBase: BASES.slot, esymBase: BASES.esym, esymCount: symbols, firstGlobal: scanned.firstGlobal, symtab: keep(parts.symtab),
    strtab: keep(parts.strtab), strtabBytes: parts.strtab[1], shndxTab: parts.shndx[1] === 0 ? 0 : keep(parts.shndx), groupBase: BASES.group, recordBase: BASES.record,
  };
  for (const [name, value] of Object.entries(fields)) (obj[name as "symtab"] as Uint32Array)[1] = value;
  const from = scanned.groupRange[0];
  const error = kernels.readSymbols(1, given.shdrs, given.at + from, from, names, parts.names[1], given.out);
  if (error !== 0) return { result: { error, index: arena.u32[given.out >>> 2]! }, linkonce };
  const { slot, group, record } = tables;
  const list = <T>(count: number, of: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => of(i));
  return {
    linkonce,
    result: {
      slots: list(given.headers.length, (i) => ({ kind: slot.kind[BASES.slot + i]!, group: slot.group[BASES.slot + i] === 0 ? -1 : slot.group[BASES.slot + i]! - BASES.group })),
      groups: list(groups, (g) => ({
        comdat: group.comdat[BASES.group + g] === 1, shndx: group.shndx[BASES.group + g]!, record: group.record[BASES.group + g]! - BASES.record,
      })),
      records: list(records, (r) => {
        const i = BASES.record + r;
        return {
          hash: [record.h0[i]!, record.h1[i]!], stem: arena.string(record.name[i]!, record.nameBytes[i]!), flags: record.flags[i]!,
          symbol: record.esym[i] === 0 ? -1 : record.esym[i]! - BASES.esym,
        };
      }),
    },
  };
}

const isFailure = (result: object): result is Failure => "error" in result;
const asText = (value: unknown): string => JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? String(each) : each));

for (const debug of [false, true]) {
  const test = suite(`kernel parse-object ${debug ? "debug" : "release"}`);
  const memory = kernelMemory(debug);
  const { arena, tables, kernels, params } = memory;

  /** Runs both kernels and twins over a file; the error code, 0 = fine. */
  function check(file: Uint8Array, where: string): number {
    const mark = arena.mark();
    try {
      const given = place(memory, file);
      const wanted = scanTwin(given.headers, given.shstrndx, file.length);
      const scanned = scan(memory, given);
      if (isFailure(wanted) || isFailure(scanned)) {
        assert.equal(scanned, wanted, `headers, ${where}`);
        return (wanted as Failure).error;
      }
      assert.is(asText(scanned), asText(wanted), `headers, ${where}`);
      const relocatableOutput = params.get("outputKind") === abi.OUT_RELOCATABLE;
      const twin = parseTwin({ whole: file, headers: given.headers, scan: wanted, relocatableOutput });
      const { result } = parse(memory, given, scanned);
      if (isFailure(twin) || isFailure(result)) {
        assert.equal(result, twin, `symbols, ${where}`);
        return (twin as Failure).error;
      }
      for (const [i, part] of [twin.slots, twin.groups, twin.records].entries()) assert.is(asText([result.slots, result.groups, result.records][i]), asText(part), where);
      return 0;
    } finally {
      arena.release(mark);
    }
  }

  test("reads seeded objects as its twin does", () => {
    for (let seed = 1; seed <= (debug ? 200 : 700); seed++) {
      params.set("outputKind", seed % 5 === 0 ? abi.OUT_RELOCATABLE : abi.OUT_EXEC);
      assert.is(check(randomObject(prng(seed)), `seed ${seed}`), 0, `seed ${seed}`);
    }
  });

  test("finds what is wrong with damaged objects, first fault first", () => {
    const errors = new Map<number, number>();
    for (let seed = 1; seed <= (debug ? 1000 : 4000); seed++) {
      const random = prng(seed);
      const file = randomObject(random);
      damage(random, file);
      const error = check(file, `seed ${seed}`);
      errors.set(error, (errors.get(error) ?? 0) + 1);
    }
    assert.ok(errors.size > 12 && errors.get(0)! > 100, `errors that came up: ${[...errors.keys()].sort((a, b) => a - b)}`);
  });

  test("takes section indexes beyond SHN_LORESERVE from SHT_SYMTAB_SHNDX", () => {
    for (const [index, wanted] of [[1, 0], [5, 0], [6, abi.ERR_SYMBOL_SHNDX], [0xffff_ffff, abi.ERR_SYMBOL_SHNDX]] as const) {
      const object = new ObjectBuilder();
      const text = object.text([0x90]);
      object.symbol("f", { in: elf.SHN_XINDEX });
      object.section(".symtab_shndx", { type: elf.SHT_SYMTAB_SHNDX, align: 4, data: new Uint8Array(Uint32Array.of(0, index).buffer), link: text });
      assert.is(check(object.bytes(), `index ${index}`), wanted);
    }
    const short = new ObjectBuilder();
    short.symbol("f", { in: elf.SHN_XINDEX });
    short.section(".symtab_shndx", { type: elf.SHT_SYMTAB_SHNDX, align: 4, data: new Uint8Array(4) });
    assert.is(check(short.bytes(), "short"), abi.ERR_SYMTAB_INFO);
  });

  test("no sections, no symbols", () => {
    assert.is(check(new ObjectBuilder().bytes(), "empty"), 0);
    assert.is(kernels.scanHeaders(arena.allocZeroed(64), 0, 0, 64, arena.alloc(128)), 0, "no section header at all");
    assert.is(kernels.scanHeaders(arena.allocZeroed(64), 0, 3, 64, arena.alloc(128)), abi.ERR_SHSTRNDX, "nor one that e_shstrndx names");
  });

  test("shared objects bring name and name@version, on seeded symbols", () => {
    const versions = ["", "", "V1", "", "GLIBC_2.2.5"];
    for (let seed = 1; seed <= 300; seed++) {
      const mark = arena.mark();
      const random = prng(seed);
      const hasVersions = random.chance(0.8);
      const symbols = Array.from({ length: random.below(30) }, (): DynamicSymbol => ({
        name: random.pick(NAMES), bind: random.pick([elf.STB_LOCAL, ...BINDS]), defined: random.chance(0.6),
        versym: hasVersions ? random.below(6) | (random.chance(0.3) ? elf.VERSYM_HIDDEN : 0) : undefined,
      }));
      const first = random.pick([0, 1, 3]);
      const count = symbols.length + first;
      const obj = allocTable(arena, tables, "obj", 2);
      const record = allocTable(arena, tables, "record", BASES.record + 2 * symbols.length);
      const strtab = "\0" + NAMES.map((name) => name + "\0").join("");
      const pairs = arena.allocZeroed(8 * versions.length);
      versions.forEach((name, v) => arena.u32.set([name === "" ? 0 : arena.put(name), name.length], (pairs >>> 2) + 2 * v));
      const defines = seed % 3 > 0;
      if (defines) arena.u32[(pairs >>> 2) + 1] = 1;
      const fields = {
        symtab: arena.allocZeroed(count * 24 + 16), strtab: arena.put(strtab), strtabBytes: strtab.length, esymBase: BASES.esym, esymCount: count, firstGlobal: first,
        recordBase: BASES.record, versym: hasVersions ? arena.allocZeroed(2 * count + 16) : 0, verNames: pairs, verCount: versions.length,
      };
      for (const [name, value] of Object.entries(fields)) (obj[name as "symtab"] as Uint32Array)[1] = value;
      symbols.forEach(({ name, bind, defined, versym }, k) => {
        const at = fields.symtab + 24 * (k + first);
        arena.u32[at >>> 2] = strtab.indexOf("\0" + name + "\0") + 1;
        arena.u8[at + 4] = (bind << 4) | 1;
        arena.u16[(at + 6) >>> 1] = defined ? random.pick([1, elf.SHN_ABS, 0xffff]) : 0;
        if (hasVersions) arena.u16[(fields.versym >>> 1) + k + first] = versym!;
      });
      const out = arena.alloc(64);
      assert.is(kernels.readShared(1, out), 0);
      symbols.forEach((symbol, k) => {
        sharedTwin(symbol, versions, defines).forEach((wanted, second) => {
          const i = BASES.record + 2 * k + second;
          const where = `seed ${seed}, ${asText(symbol)}, record ${second}`;
          assert.is(record.esym[i], BASES.esym + first + k, where);
          const got = record.flags[i] === abi.REC_UNUSED ? null : { hash: [record.h0[i], record.h1[i]], stem: arena.string(record.name[i]!, record.nameBytes[i]!), flags: record.flags[i] };
          assert.is(asText(got), asText(wanted), where);
        });
      });
      if (symbols.length > 0) {
        const bad = random.below(symbols.length);
        arena.u32[(fields.symtab + 24 * (bad + first)) >>> 2] = random.pick([strtab.length, 0xffff_ffff]);
        assert.is(kernels.readShared(1, out), abi.ERR_SYMBOL_NAME);
        assert.is(arena.u32[out >>> 2], bad + first);
      }
      arena.release(mark);
    }
  });

  test("rows are numbered in input order, records of the linker's own object last", () => {
    const mark = arena.mark();
    const obj = allocTable(arena, tables, "obj", 4);
    const fill = (o: number, kind: number, e_shnum: number, esymCount: number, groupCount: number, recordCount: number) =>
      Object.entries({ kind, e_shnum, esymCount, groupCount, recordCount }).forEach(([name, value]) => ((obj[name as "kind"] as Uint8Array)[o] = value));
    fill(1, abi.OBJ_INTERNAL, 0, 3, 0, 2);
    fill(2, abi.OBJ_RELOCATABLE, 9, 5, 2, 4);
    fill(3, abi.OBJ_SHARED, 0, 7, 0, 0);
    obj.firstGlobal[3] = 1;
    const out = arena.alloc(16);
    kernels.numberRows(out);
    assert.equal([...arena.u32.subarray(out >>> 2, (out >>> 2) + 4)], [10, 16, 3, 19]);
    assert.equal([...obj.esymBase.subarray(1)], [1, 4, 9]);
    assert.equal([...obj.slotBase.subarray(1)], [1, 1, 10]);
    assert.equal([...obj.groupBase.subarray(1)], [1, 1, 3]);
    assert.equal([...obj.recordBase.subarray(1)], [17, 1, 5]);
    arena.release(mark);
  });

  test.run();
}
