/** .dynsym, .dynstr, .gnu.hash, .hash, .gnu.version*, .dynamic: written together, read back as the dynamic linker reads them. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { SYM_EXPORTED, SYM_IN_OSEC, SYM_NEEDS_COPY, SYM_NEEDS_CPLT, SYM_REF_LIVE, SYM_WEAK } from "../../as-kernels/shared/abi.ts";
import { STB_GLOBAL, STB_GNU_UNIQUE, STB_WEAK, STT_FUNC, STT_GNU_IFUNC, STT_OBJECT, STT_TLS, STV_PROTECTED, VERSYM_HIDDEN } from "../../as-kernels/shared/elf.ts";
import { readSym } from "../../ts/elf/sym.ts";
import * as dyn from "../../ts/elf/dyn.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { setVisibility } from "../../ts/passes/set-visibility.ts";
import { parseVersionScript } from "../../ts/script/version-script.ts";
import { sysvHash } from "../../ts/synthetic/hash.ts";
import { createDynamic } from "../../ts/synthetic/index.ts";
import type { SyntheticSection } from "../../ts/synthetic/section.ts";
import { prng } from "../helpers/prng.ts";
import { makeWorld, outputSection, type SymbolSpec, type World, type WorldSpec } from "./world.ts";

const test = suite("dynamic tables");

const FILES = { "a.o": null, "lib.so": { versions: ["V1", "V2", "V3"], soname: "lib.so.1" }, "libm.so": { versions: ["M"] }, "plain.so": {} };
const own = (name: string, rest: Partial<SymbolSpec> = {}): SymbolSpec => ({ name, file: "a.o", isec: 1, addr: 0x1000n, ...rest });

/** isec 1 is in osec 1 (.text, index 1 at 0x1000), isec 2 in osec 2 (.tdata at 0x3000); osec 3 is .bss at 0x4000. */
function link(spec: Partial<WorldSpec> & { symbols: SymbolSpec[] }, debug = false): World {
  const world = makeWorld({ files: FILES, ...spec }, debug);
  const { ctx } = world;
  const { arena, tables } = ctx;
  const isec = allocTable(arena, tables, "isec", 4);
  isec.osec.set([0, 1, 2, 0]);
  isec.live.set([0, 1, 1, 0]);
  const osec = allocTable(arena, tables, "osec", 4);
  const places: [string, bigint, number][] = [[".text", 0x1000n, 0x1000], [".tdata", 0x3000n, 0x100], [".bss", 0x4000n, 0x100]];
  places.forEach(([name, address, size], i) => {
    osec.addr[i + 1] = address;
    osec.size[i + 1] = size;
    osec.sh_flags[i + 1] = 2;
    osec.index[i + 1] = i + 1;
    ctx.osecs.push(outputSection(i + 1, name, address, size));
  });
  allocTable(arena, tables, "aux", 1);
  ctx.params.set("tlsAddr", 0x3000n);
  setVisibility(ctx);
  createDynamic(ctx);
  return world;
}

function bytesOf({ ctx }: World, section: SyntheticSection): Uint8Array {
  const size = section.size(ctx);
  const at = ctx.arena.allocZeroed(size + 16);
  section.write(ctx, ctx.arena.bytes(at, size), at);
  return ctx.arena.bytes(at, size).slice();
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer);

function text(bytes: Uint8Array, at: number): string {
  let out = "";
  while (bytes[at] !== 0) out += String.fromCharCode(bytes[at++]!);
  return out;
}

interface DynSym {
  name: string;
  bind: number;
  type: number;
  vis: number;
  shndx: number;
  value: bigint;
  size: bigint;
}

function symbolsOf(world: World): DynSym[] {
  const view = viewOf(bytesOf(world, world.ctx.synthetics.dynsym!));
  const names = bytesOf(world, world.ctx.synthetics.dynstr!);
  return Array.from({ length: view.byteLength / 24 }, (_, i) => {
    const sym = readSym(view, i * 24);
    return {
      name: text(names, sym.st_name), bind: sym.st_info >> 4, type: sym.st_info & 15, vis: sym.st_other, shndx: sym.st_shndx, value: sym.st_value, size: sym.st_size,
    };
  });
}

function gnuHash(name: string): number {
  let hash = 5381;
  for (const char of name) hash = (Math.imul(hash, 33) + char.charCodeAt(0)) >>> 0;
  return hash;
}

/** The dynamic linker's search: filter, bucket, chain. Index or 0. */
function findGnu(table: DataView, symbols: DynSym[], name: string): number {
  const [buckets, first, words, shift] = [0, 4, 8, 12].map((at) => table.getUint32(at, true)) as [number, number, number, number];
  const hash = gnuHash(name);
  const word = table.getBigUint64(16 + 8 * ((hash >>> 6) & (words - 1)), true);
  const bits = (1n << BigInt(hash & 63)) | (1n << BigInt((hash >>> shift) & 63));
  if ((word & bits) !== bits) return 0;
  const chain = 16 + 8 * words + 4 * buckets;
  let index = table.getUint32(16 + 8 * words + 4 * (hash % buckets), true);
  if (index === 0) return 0;
  for (; ; index++) {
    const link = table.getUint32(chain + 4 * (index - first), true);
    if ((link | 1) === (hash | 1) && symbols[index]!.name === name) return index;
    if ((link & 1) !== 0) return 0;
  }
}

function findSysv(table: DataView, symbols: DynSym[], name: string): number {
  const buckets = table.getUint32(0, true);
  let index = table.getUint32(8 + 4 * (sysvHash(name) % buckets), true);
  while (index !== 0 && symbols[index]!.name !== name) index = table.getUint32(8 + 4 * buckets + 4 * index, true);
  return index;
}

/** [tag, value] pairs up to and including DT_NULL. */
function dynamicOf(world: World): [number, bigint][] {
  const view = viewOf(bytesOf(world, world.ctx.synthetics.dynamic!));
  return Array.from({ length: view.byteLength / 16 }, (_, i) => [Number(view.getBigUint64(i * 16, true)), view.getBigUint64(i * 16 + 8, true)]);
}

function versymOf(world: World): number[] {
  const view = viewOf(bytesOf(world, world.ctx.synthetics.versym!));
  return Array.from({ length: view.byteLength / 2 }, (_, i) => view.getUint16(i * 2, true));
}

for (const debug of [false, true]) {
  test(`every definition is found through both hash tables, references through .hash only (${debug ? "debug" : "release"})`, () => {
    for (const count of [0, 1, 2, 7, 100, 1000]) {
      const random = prng(count + 1);
      const names = Array.from({ length: count }, (_, i) => `f${random.u32().toString(36)}_${i}`);
      const references = Array.from({ length: 5 }, (_, i) => `r${i}`);
      const world = link({ options: { shared: true }, symbols: [...names.map((name) => own(name)), ...references.map((name) => ({ name }))] }, debug);
      const { gnuHash: gnu, hash } = world.ctx.synthetics;
      const symbols = symbolsOf(world);
      const tables = [viewOf(bytesOf(world, gnu!)), viewOf(bytesOf(world, hash!))] as const;
      assert.is(symbols.length, count + 6);
      for (const name of names) {
        const index = findGnu(tables[0], symbols, name);
        assert.ok(index > 5, name);
        assert.is(symbols[index]!.name, name);
        assert.is(findSysv(tables[1], symbols, name), index);
        assert.is(world.ctx.tables.gsym.dynsym[world.row(name)], index);
      }
      references.forEach((name, i) => {
        assert.is(findSysv(tables[1], symbols, name), i + 1);
        assert.is(findGnu(tables[0], symbols, name), 0);
      });
      for (const name of ["nothing", "", "f"]) assert.is(findGnu(tables[0], symbols, name), 0);
      const buckets = tables[0].getUint32(0, true);
      const chains = tables[0].byteLength - 4 * count;
      names.forEach((_, i) => {
        const [hash, next] = [symbols[6 + i], symbols[7 + i]].map((symbol) => symbol && gnuHash(symbol.name));
        const isLast = next === undefined || next % buckets !== hash! % buckets;
        assert.is(tables[0].getUint32(chains + 4 * i, true), ((hash! & ~1) | Number(isLast)) >>> 0, symbols[6 + i]!.name);
      });
    }
  });
}

test("entries say value, size, section, binding, type and visibility", () => {
  const world = link({
    options: { shared: true },
    symbols: [
      own("f", { type: STT_FUNC, size: 8, addr: 0x1010n }), own("p", { vis: STV_PROTECTED, type: STT_OBJECT }), own("t", { type: STT_TLS, isec: 2, addr: 0x3010n }),
      own("abs", { isec: 0, addr: 42n }), own("u", { bind: STB_GNU_UNIQUE }), own("i", { type: STT_GNU_IFUNC }), own("end", { kind: SYM_IN_OSEC, isec: 3, addr: 0x4100n }),
      { name: "ext", file: "lib.so", type: STT_FUNC, size: 99, addr: 5n, ver: 1 }, { name: "w", bind: STB_WEAK },
    ],
  });
  const found = new Map(symbolsOf(world).map(({ name, ...rest }) => [name, rest]));
  assert.equal(found.get(""), { bind: 0, type: 0, vis: 0, shndx: 0, value: 0n, size: 0n });
  assert.equal(found.get("f"), { bind: STB_GLOBAL, type: STT_FUNC, vis: 0, shndx: 1, value: 0x1010n, size: 8n });
  assert.equal(found.get("p"), { bind: STB_GLOBAL, type: STT_OBJECT, vis: STV_PROTECTED, shndx: 1, value: 0x1000n, size: 0n });
  assert.equal(found.get("t"), { bind: STB_GLOBAL, type: STT_TLS, vis: 0, shndx: 2, value: 0x10n, size: 0n });
  assert.equal(found.get("abs"), { bind: STB_GLOBAL, type: 0, vis: 0, shndx: 0xfff1, value: 42n, size: 0n });
  assert.is(found.get("u")!.bind, STB_GNU_UNIQUE);
  assert.is(found.get("i")!.type, STT_GNU_IFUNC);
  assert.equal(found.get("end"), { bind: STB_GLOBAL, type: 0, vis: 0, shndx: 3, value: 0x4100n, size: 0n });
  assert.equal(found.get("ext"), { bind: STB_GLOBAL, type: STT_FUNC, vis: 0, shndx: 0, value: 0n, size: 0n });
  assert.equal(found.get("w"), { bind: STB_WEAK, type: 0, vis: 0, shndx: 0, value: 0n, size: 0n });
});

test("--no-gnu-unique makes unique symbols global", () => {
  const world = link({ options: { shared: true, noGnuUnique: true }, symbols: [own("u", { bind: STB_GNU_UNIQUE })] });
  assert.is(symbolsOf(world)[1]!.bind, STB_GLOBAL);
});

test("copied data and functions whose PLT entry is their address are definitions to the hash table", () => {
  const world = link({
    symbols: [
      { name: "environ", file: "lib.so", type: STT_OBJECT, size: 8, addr: 0x4010n, flags: SYM_NEEDS_COPY, ver: 2 },
      { name: "puts", file: "lib.so", type: STT_FUNC, addr: 0x1040n, flags: SYM_NEEDS_CPLT, ver: 3 },
      { name: "exit", file: "lib.so", type: STT_FUNC, ver: 3 },
    ],
  });
  const symbols = symbolsOf(world);
  const table = viewOf(bytesOf(world, world.ctx.synthetics.gnuHash!));
  assert.is(symbols[1]!.name, "exit");
  const environ = symbols[findGnu(table, symbols, "environ")]!;
  assert.equal([environ.shndx, environ.value, environ.size], [3, 0x4010n, 8n]);
  const puts = symbols[findGnu(table, symbols, "puts")]!;
  assert.equal([puts.shndx, puts.value, puts.size], [0, 0x1040n, 0n]);
  assert.equal(versymOf(world).toSorted(), [0, 2, 3, 3]);
});

test("with --gc-sections, references only dead code makes and dead definitions are left out", () => {
  const world = link({
    options: { shared: true, gcSections: true },
    symbols: [own("live"), own("dead", { isec: 3 }), { name: "used", flags: SYM_REF_LIVE }, { name: "unused" }, { name: "weak", bind: STB_WEAK, flags: SYM_REF_LIVE | SYM_WEAK }],
  });
  assert.equal(symbolsOf(world).map(({ name }) => name), ["", "used", "weak", "live"]);
  assert.is(world.ctx.tables.gsym.dynsym[world.row("unused")], 0);
  assert.ok(world.ctx.tables.sym.flags[world.row("unused")]! & SYM_EXPORTED);
});

test("needed versions are numbered by first use, after the defined ones, and listed by shared object and version", () => {
  const world = link({
    options: { shared: true, soname: "me.so", output: "dir/out" },
    versionNodes: parseVersionScript("A { global: a; }; B { global: b; } A;", "v"),
    symbols: [
      { name: "m", file: "libm.so", ver: 2 }, { name: "c", file: "lib.so", ver: 4 }, { name: "e", file: "lib.so", ver: 1 }, { name: "d", file: "lib.so", ver: 2 },
      { name: "q", file: "plain.so" }, own("a"), own("b"), own("old@A"), own("rest"), { name: "u" },
    ],
  });
  const { versym: _, verdef, verneed } = world.ctx.synthetics;
  const names = bytesOf(world, world.ctx.synthetics.dynstr!);
  const versions = new Map(symbolsOf(world).map(({ name }, i) => [name, versymOf(world)[i]]));
  assert.equal(Object.fromEntries(versions), { "": 0, m: 4, c: 5, d: 6, e: 1, q: 1, a: 2, b: 3, old: 2 | VERSYM_HIDDEN, rest: 1, u: 1 });

  const defs = viewOf(bytesOf(world, verdef!));
  assert.is(verdef!.info, 3);
  const defined: [string, number, number, number][] = [];
  for (let at = 0, next = -1; next !== 0; at += next) {
    next = defs.getUint32(at + 16, true);
    const name = text(names, defs.getUint32(at + defs.getUint32(at + 12, true), true));
    defined.push([name, defs.getUint16(at + 4, true), defs.getUint16(at + 2, true), defs.getUint32(at + 8, true)]);
  }
  assert.equal(defined, [["me.so", 1, 1, sysvHash("me.so")], ["A", 2, 0, sysvHash("A")], ["B", 3, 0, sysvHash("B")]]);

  const needs = viewOf(bytesOf(world, verneed!));
  assert.is(verneed!.info, 2);
  const needed: [string, string, number, number][] = [];
  for (let at = 0, next = -1; next !== 0; at += next) {
    next = needs.getUint32(at + 12, true);
    let aux = at + needs.getUint32(at + 8, true);
    for (let i = 0; i < needs.getUint16(at + 2, true); i++, aux += needs.getUint32(aux + 12, true)) {
      const name = text(names, needs.getUint32(aux + 8, true));
      assert.is(needs.getUint32(aux, true), sysvHash(name));
      needed.push([text(names, needs.getUint32(at + 4, true)), name, needs.getUint16(aux + 6, true), needs.getUint16(aux + 4, true)]);
    }
  }
  assert.equal(needed, [["lib.so.1", "V1", 6, 0], ["lib.so.1", "V3", 5, 0], ["libm.so", "M", 4, 0]]);
});

test("-z pack-relative-relocs needs a glibc that knows DT_RELR", () => {
  const files = { "a.o": null, "libc.so.6": { versions: ["GLIBC_2.2.5"] } };
  const symbols = [{ name: "puts", file: "libc.so.6", ver: 2 }];
  const plain = link({ files, symbols });
  const packed = link({ files, symbols, options: { packRelr: true, packRelrGlibc: true } });
  assert.is(packed.ctx.synthetics.verneed!.size(), plain.ctx.synthetics.verneed!.size() + 16);
  const names = bytesOf(packed, packed.ctx.synthetics.dynstr!);
  assert.ok(String.fromCharCode(...names).includes("GLIBC_ABI_DT_RELR\0"));
});

test("without versions there are no version sections", () => {
  const { ctx } = link({ symbols: [{ name: "q", file: "plain.so" }] });
  assert.not(ctx.synthetics.versym!.isNeeded(ctx));
  assert.not(ctx.synthetics.verdef!.isNeeded(ctx));
  assert.not(ctx.synthetics.verneed!.isNeeded());
});

test(".dynamic of an executable: needed libraries in order and once, flags, tables", () => {
  const files = { ...FILES, "again.so": { soname: "lib.so.1" }, "dropped.so": { needed: false } };
  const world = link({
    files, symbols: [own("_init"), { name: "c", file: "lib.so", ver: 2 }],
    options: { pie: true, rpath: ["/a", "/b", "/a"], init: "_init", fini: "_fini", hashStyle: "gnu", z: { ...makeWorld({ symbols: [] }).ctx.options.z, now: true } },
  });
  world.ctx.osecs.push(outputSection(4, ".init_array", 0x5000n, 16));
  world.ctx.synthetics.gnuHash!.address = 0x700n;
  const names = bytesOf(world, world.ctx.synthetics.dynstr!);
  const entries = dynamicOf(world);
  const value = (tag: number): bigint => entries.find(([each]) => each === tag)![1];
  assert.equal(entries.map(([tag]) => tag), [
    dyn.DT_RUNPATH, dyn.DT_NEEDED, dyn.DT_NEEDED, dyn.DT_NEEDED, dyn.DT_FLAGS, dyn.DT_FLAGS_1, dyn.DT_DEBUG, dyn.DT_SYMTAB, dyn.DT_SYMENT, dyn.DT_STRTAB,
    dyn.DT_STRSZ, dyn.DT_GNU_HASH, dyn.DT_INIT_ARRAY, dyn.DT_INIT_ARRAYSZ, dyn.DT_INIT, dyn.DT_VERSYM, dyn.DT_VERNEED, dyn.DT_VERNEEDNUM, dyn.DT_NULL,
  ]);
  const needed = entries.filter(([tag]) => tag === dyn.DT_NEEDED).map(([, at]) => text(names, Number(at)));
  assert.equal(needed, ["lib.so.1", "libm.so", "plain.so"]);
  assert.is(text(names, Number(value(dyn.DT_RUNPATH))), "/a:/b");
  assert.is(value(dyn.DT_FLAGS), BigInt(dyn.DF_BIND_NOW));
  assert.is(value(dyn.DT_FLAGS_1), BigInt(dyn.DF_1_NOW | dyn.DF_1_PIE));
  assert.is(value(dyn.DT_GNU_HASH), 0x700n);
  assert.is(value(dyn.DT_INIT_ARRAY), 0x5000n);
  assert.is(value(dyn.DT_INIT_ARRAYSZ), 16n);
  assert.is(value(dyn.DT_INIT), 0x1000n);
  assert.is(value(dyn.DT_STRSZ), BigInt(names.length));
});

test(".dynamic of a shared object: name, no DT_DEBUG, -z flags, static TLS for initial exec, filters", () => {
  const z = { ...makeWorld({ symbols: [] }).ctx.options.z, nodelete: true, initfirst: true, interpose: true, origin: true };
  const world = link({
    symbols: [own("f")], files: { "a.o": null },
    options: { shared: true, soname: "x.so", filter: ["fil"], auxiliary: ["aux"], bsymbolic: "all", newDtags: false, rpath: ["/r"], z },
  });
  world.ctx.synthetics.gnuHash!.address = 1n;
  world.ctx.params.set("hasStaticTls", 1);
  const entries = dynamicOf(world);
  const value = (tag: number): bigint | undefined => entries.find(([each]) => each === tag)?.[1];
  assert.equal(entries.slice(0, 4).map(([tag]) => tag), [dyn.DT_FILTER, dyn.DT_AUXILIARY, dyn.DT_RPATH, dyn.DT_SONAME]);
  assert.is(value(dyn.DT_DEBUG), undefined);
  assert.is(value(dyn.DT_FLAGS), BigInt(dyn.DF_SYMBOLIC | dyn.DF_ORIGIN | dyn.DF_STATIC_TLS));
  assert.is(value(dyn.DT_FLAGS_1), BigInt(dyn.DF_1_NODELETE | dyn.DF_1_INITFIRST | dyn.DF_1_INTERPOSE | dyn.DF_1_ORIGIN));
  assert.ok(value(dyn.DT_HASH) !== undefined && value(dyn.DT_GNU_HASH) !== undefined);
});

test.run();
