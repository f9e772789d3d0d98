import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  ISSUE_DUPLICATE, ISSUE_TLS_ATTRIBUTE, OBJF_LAZY, OBJ_RELOCATABLE, OBJ_SHARED, REC_ALIAS, REC_COMMON, REC_DEFINED, REC_MENTION, REC_SIGNATURE, REC_UNUSED, REC_VERSIONED, REC_WEAK,
  SUSPECT_LOST, SYM_COMMON, SYM_DEFINED, SYM_KIND_MASK, SYM_LAZY, SYM_REF_STRONG, SYM_SHARED, SYM_UNDEF, SYM_USED_REGULAR, SYM_USED_SHARED, SYM_WEAK,
} from "../../as-kernels/shared/abi.ts";
import {
  SHN_ABS, SHN_COMMON, SHN_UNDEF, SHN_XINDEX, STB_GLOBAL, STB_GNU_UNIQUE, STB_WEAK, STT_FUNC, STT_GNU_IFUNC, STT_OBJECT, STT_TLS, STV_DEFAULT, STV_HIDDEN, STV_PROTECTED, SYM_BYTES,
} from "../../as-kernels/shared/elf.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { kernelMemory, takeIssues, type KernelMemory } from "../helpers/kernel-memory.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { resolveTwin, type TwinEntry, type TwinFile, type TwinLink, type TwinSymbol } from "../helpers/twin/resolve-symbols.ts";

const KINDS: Record<TwinSymbol["kind"], number> = {
  placeholder: SYM_UNDEF, undefined: SYM_UNDEF, lazy: SYM_LAZY, defined: SYM_DEFINED, common: SYM_COMMON, shared: SYM_SHARED,
};

/** What the kernel left, in the twin's words. File f is obj row f + 1, entry e is symbol e + 1 of its table. */
interface Outcome {
  ids: Map<string, number>;
  included: number[];
  kept: string[];
  duplicates: string[];
  placeOf: (esym: number, obj: number) => number;
}

const sum = (files: TwinFile[], of: (file: TwinFile) => number): number => files.reduce((total, file) => total + of(file), 0);

/** Reports of ISSUE_TLS_ATTRIBUTE in the last replay. */
let lastAttributes = 0;

/** Writes the tables parse-object and intern-names would leave, and replays them in calls of `step` objects. */
function replay(memory: KernelMemory, files: TwinFile[], demands: string[], step: number, allowMultiple = 0): Outcome {
  const { arena, tables, kernels, params } = memory;
  params.set("suspects", 0);
  const ids = new Map<string, number>();
  const idOf = (name: string): number => {
    if (!ids.has(name)) ids.set(name, ids.size + 1);
    return ids.get(name)!;
  };
  const entries = sum(files, (file) => file.entries.length);
  const groups = sum(files, (file) => file.groups.length);
  const obj = allocTable(arena, tables, "obj", files.length + 1);
  const record = allocTable(arena, tables, "record", 1 + 2 * entries + groups);
  const slot = allocTable(arena, tables, "slot", 1 + groups + 2 * files.length);
  const group = allocTable(arena, tables, "group", 1 + groups);
  let row = 1;
  let esym = 1;
  let slotRow = 1;
  let groupRow = 1;
  files.forEach((file, f) => {
    const o = f + 1;
    const shared = file.kind === "shared";
    obj.kind[o] = shared ? OBJ_SHARED : OBJ_RELOCATABLE;
    obj.flags[o] = file.kind === "lazy" ? OBJF_LAZY : 0;
    obj.slotBase[o] = slotRow;
    obj.groupBase[o] = groupRow;
    obj.groupCount[o] = file.groups.length;
    obj.recordBase[o] = row;
    obj.esymBase[o] = esym;
    obj.esymCount[o] = file.entries.length + 1;
    obj.firstGlobal[o] = 1;
    obj.symtab[o] = arena.allocZeroed((file.entries.length + 1) * SYM_BYTES);
    // Odd files tell their section indexes through SHT_SYMTAB_SHNDX.
    if (f % 2 === 1) obj.shndxTab[o] = arena.allocZeroed((file.entries.length + 1) * 4);
    file.entries.forEach((entry, e) => {
      const at = obj.symtab[o]! + (e + 1) * SYM_BYTES;
      const section = entry.group >= 0 ? entry.group + 1 : file.groups.length + 1;
      const special = { undef: SHN_UNDEF, abs: SHN_ABS, common: SHN_COMMON, def: f % 2 === 1 ? SHN_XINDEX : section };
      if (obj.shndxTab[o] !== 0 && entry.is === "def") arena.u32[(obj.shndxTab[o]! >>> 2) + e + 1] = section;
      arena.u8[at + 4] = (entry.bind << 4) | entry.type;
      arena.u8[at + 5] = entry.vis;
      arena.u16[(at + 6) >>> 1] = special[entry.is];
      arena.u64[(at + 8) >>> 3] = entry.value;
      arena.u64[(at + 16) >>> 3] = BigInt(entry.size);
      let flags = entry.is === "undef" ? 0 : REC_DEFINED;
      if (entry.is === "common") flags |= REC_COMMON;
      if (entry.bind === STB_WEAK) flags |= REC_WEAK;
      if (entry.mention === true) flags = REC_MENTION;
      const put = (name: string, bits: number): void => {
        record.sym[row] = idOf(name);
        record.esym[row] = esym + e + 1;
        record.flags[row++] = bits;
      };
      put(entry.name, flags);
      if (!shared) return;
      if (entry.alias === undefined) put(entry.name, REC_UNUSED);
      else put(entry.alias, flags | REC_VERSIONED | REC_ALIAS);
    });
    file.groups.forEach(({ signature, comdat }, g) => {
      group.obj[groupRow] = o;
      group.comdat[groupRow] = comdat ? 1 : 0;
      slot.group[slotRow + g + 1] = groupRow;
      group.record[groupRow++] = row;
      record.sym[row] = idOf(signature);
      record.flags[row++] = REC_SIGNATURE;
    });
    obj.recordCount[o] = row - obj.recordBase[o]!;
    esym += file.entries.length + 1;
    slotRow += file.groups.length + 2;
  });
  for (const name of demands) idOf(name);
  allocTable(arena, tables, "sym", ids.size + 1);
  allocTable(arena, tables, "gsym", ids.size + 1);
  params.set("globalSyms", ids.size + 1);
  const state = arena.allocZeroed(16) >>> 2;
  arena.u32[state + 1] = arena.allocZeroed((files.length + 1) * 4);
  arena.u32[state + 2] = arena.allocZeroed(files.length * 8);
  for (let o = 1; o <= files.length; o += step) kernels.resolveObjects(o, Math.min(o + step, files.length + 1), state * 4);
  for (const name of demands) kernels.demand(ids.get(name)!, state * 4);
  const list = arena.u32[state + 1]! >>> 2;
  const suspects = params.get("suspects");
  if (suspects !== 0) for (let seq = 1; seq <= arena.u32[state]!; seq++) kernels.findConflicts(arena.u32[list + seq]!, allowMultiple);
  if ((suspects & SUSPECT_LOST) !== 0) kernels.takeBackLost(1, ids.size + 1);
  const placeOf = (esymRow: number, o: number): number => (esymRow === 0 ? -1 : esymRow - obj.esymBase[o]! - 1);
  const found = takeIssues(memory);
  lastAttributes = found.filter(({ code }) => code === ISSUE_TLS_ATTRIBUTE).length;
  return {
    ids,
    included: Array.from({ length: arena.u32[state]! }, (_, k) => arena.u32[list + k + 1]! - 1),
    kept: files.flatMap((file, f) => file.groups.flatMap((_, g) => (group.won[obj.groupBase[f + 1]! + g] === 1 ? [`${f}/${g}`] : []))),
    duplicates: found.filter(({ code }) => code === ISSUE_DUPLICATE).map(({ obj: o, index }) => `${o - 1}/${index - 1}`).sort(),
    placeOf,
  };
}

/** Everything later passes read of a symbol. */
function compare({ tables: { sym, gsym } }: KernelMemory, outcome: Outcome, twin: TwinLink, place: string): void {
  assert.equal(outcome.included, twin.included, `inclusion order, ${place}`);
  assert.equal(outcome.kept, outcome.kept.filter((copy) => twin.kept.has(copy)), `kept groups, ${place}`);
  assert.is(outcome.kept.length, twin.kept.size, `kept groups, ${place}`);
  assert.equal(outcome.duplicates, twin.duplicates, `duplicates, ${place}`);
  for (const [name, wanted] of twin.symbols) {
    const id = outcome.ids.get(name)!;
    const flags = sym.flags[id]!;
    const is = (got: unknown, want: unknown, what: string): void => {
      if (got !== want) assert.is(got, want, `${what} of ${name}, ${place}`);
    };
    const has = (bit: number): boolean => (flags & bit) !== 0;
    is(flags & SYM_KIND_MASK, KINDS[wanted.kind], "kind");
    is(has(SYM_USED_REGULAR), wanted.usedRegular, "used by an object");
    is(has(SYM_REF_STRONG), wanted.strongRef, "strong reference");
    is(gsym.vis[id], wanted.vis, "visibility");
    is(gsym.refObj[id]! - 1, wanted.firstRef, "first reference");
    if (wanted.kind !== "shared" && wanted.vis !== STV_HIDDEN) is(has(SYM_USED_SHARED), wanted.exportDynamic, "used by a shared object");
    if (wanted.kind === "shared" ? wanted.referenced : wanted.usedRegular) is(has(SYM_WEAK), wanted.bind === STB_WEAK, "weak");
    const isDefined = wanted.kind === "defined" || wanted.kind === "common";
    if (!isDefined && wanted.kind !== "shared") continue;
    is(gsym.obj[id]! - 1, wanted.file, "file");
    is(outcome.placeOf(gsym.esym[id]!, gsym.obj[id]!), wanted.entry, "entry");
    is(gsym.type[id], wanted.type, "type");
    is(gsym.size[id], wanted.size, "size");
    if (isDefined || wanted.referenced) is(gsym.bind[id], wanted.bind, "binding");
    if (wanted.kind === "common") is(gsym.align[id], wanted.align, "alignment");
  }
}

function check(memory: KernelMemory, files: TwinFile[], demands: string[], place: string, step = 64): TwinLink {
  const mark = memory.arena.mark();
  const twin = resolveTwin(files, demands);
  try {
    compare(memory, replay(memory, files, demands, step), twin, place);
  } finally {
    memory.arena.release(mark);
  }
  return twin;
}

const undef = (name: string, more: Partial<TwinEntry> = {}): TwinEntry => ({
  name, is: "undef", bind: STB_GLOBAL, vis: STV_DEFAULT, type: 0, value: 0n, size: 0, group: -1, ...more,
});
const def = (name: string, more: Partial<TwinEntry> = {}): TwinEntry => undef(name, { is: "def", type: 2, size: 8, ...more });
const common = (name: string, size: number, align: number): TwinEntry => undef(name, { is: "common", type: 1, size, value: BigInt(align) });
const object = (...entries: TwinEntry[]): TwinFile => ({ kind: "object", entries, groups: [] });
const member = (...entries: TwinEntry[]): TwinFile => ({ kind: "lazy", entries, groups: [] });
const library = (...entries: TwinEntry[]): TwinFile => ({ kind: "shared", entries, groups: [] });
const weak = { bind: STB_WEAK };
const unique = { bind: STB_GNU_UNIQUE };

/** A graph of a few files over a few names, so that they meet often. */
function randomFiles(random: Prng): TwinFile[] {
  const names = Array.from({ length: random.between(1, 12) }, (_, i) => `n${i}`);
  const rare = random.chance(0.3);
  return Array.from({ length: random.between(1, 10) }, (): TwinFile => {
    const kind = random.pick(["object", "lazy", "lazy", "shared"] as const);
    const groups =
      kind === "shared" ? [] : Array.from({ length: random.below(3) }, () => ({ signature: random.pick([...names, "sig"]), comdat: random.chance(0.9) }));
    // A symbol table has a name once.
    const entries = random.shuffle([...names]).slice(0, random.between(0, Math.min(names.length, 6))).map((name): TwinEntry => {
      const is = random.pick(["undef", "undef", "undef", "def", "def", "common", "abs"] as const);
      const bind = random.chance(0.35) ? (rare && random.chance(0.4) ? STB_GNU_UNIQUE : STB_WEAK) : STB_GLOBAL;
      const entry: TwinEntry = {
        name,
        is: kind === "shared" && is === "common" ? "def" : is,
        bind: is === "common" || (is === "undef" && bind === STB_GNU_UNIQUE) ? STB_GLOBAL : bind,
        vis: rare && kind !== "shared" && random.chance(0.2) ? random.between(1, 3) : STV_DEFAULT,
        type: is === "def" ? random.pick([0, 1, STT_FUNC, STT_GNU_IFUNC]) : random.below(3),
        value: is === "abs" ? BigInt(random.below(2)) : is === "common" ? (random.chance(0.8) ? 1n << BigInt(random.below(7)) : BigInt(random.between(1, 100))) : random.u64(),
        size: random.below(20),
        group: is === "def" && groups.length > 0 && random.chance(0.5) ? random.below(groups.length) : -1,
      };
      if (kind === "shared" && entry.is !== "undef" && random.chance(0.2)) entry.alias = `${name}@V`;
      if (kind !== "shared" && rare && random.chance(0.05)) entry.mention = true;
      return entry;
    });
    return { kind, entries, groups };
  });
}

for (const debug of [false, true]) {
  const test = suite(`kernel resolve-symbols ${debug ? "debug" : "release"}`);
  const memory = kernelMemory(debug, 1024);

  test("extracts what lld extracts, on thousands of random archive graphs", () => {
    let extracted = 0;
    let duplicates = 0;
    for (let seed = 1; seed <= (debug ? 1000 : 6000); seed++) {
      const random = prng(seed);
      const files = randomFiles(random);
      const demands = Array.from({ length: random.below(3) }, () => `n${random.below(14)}`);
      const twin = check(memory, files, demands, `seed ${seed}`, random.pick([1, 3, 64]));
      extracted += twin.included.filter((f) => files[f]!.kind === "lazy").length;
      duplicates += twin.duplicates.length;
    }
    assert.ok(extracted > 400 && duplicates > 100, `${extracted} members extracted, ${duplicates} duplicates`);
  });

  test("follows chains of members as deep as they go", () => {
    const random = prng(1);
    const chain = (count: number): TwinFile[] => [
      ...Array.from({ length: count }, (_, k) => member(undef(`m${k + 1}`), def(`m${k}`))), object(undef("m0")),
    ];
    for (const count of [1, 2, 3, 500]) assert.is(check(memory, random.shuffle(chain(count)), [], `${count} members`).included.length, count + 1);
    // Deeper than a recursion could go.
    const mark = memory.arena.mark();
    assert.equal(replay(memory, chain(50_000), [], 64).included, [50_000, ...Array.from({ length: 50_000 }, (_, k) => k)]);
    memory.arena.release(mark);
  });

  test("decides the pairs of definitions as lld does", () => {
    const kinds: Record<string, TwinEntry> = {
      strong: def("x"), weak: def("x", weak), unique: def("x", unique), small: common("x", 4, 32), big: common("x", 16, 8),
      abs: def("x", { is: "abs", value: 7n }), undef: undef("x"), weakUndef: undef("x", weak), hidden: undef("x", { vis: STV_HIDDEN }),
      protectedUndef: undef("x", { vis: STV_PROTECTED }),
    };
    // A dynamic symbol table has neither commons nor hidden symbols.
    const makers = (entry: TwinEntry) => (entry.is === "common" || entry.vis !== STV_DEFAULT ? [object, member] : [object, member, library]);
    const files = Object.entries(kinds).flatMap(([name, entry]) => makers(entry).map((make) => ({ name: `${make.name} ${name}`, file: make(entry) })));
    for (const a of files) {
      for (const b of files) {
        check(memory, [a.file, b.file], [], `${a.name}, ${b.name}`);
        for (const c of files) check(memory, [a.file, b.file, c.file], [], `${a.name}, ${b.name}, ${c.name}`);
      }
    }
  });

  test("a weak reference of a shared object does not extract a member that comes later", () => {
    const twin = check(memory, [library(undef("x", weak)), member(def("x"))], [], "weak, member");
    assert.equal(twin.included, []);
    check(memory, [library(undef("x")), member(def("x"))], [], "strong, member");
    check(memory, [library(undef("x", weak)), library(undef("x")), member(def("x"))], [], "weak, strong, member");
    check(memory, [library(undef("x", weak)), object(undef("x")), member(def("x"))], [], "weak, strong reference of an object, member");
  });

  test("definitions of a member come before its references", () => {
    // b.o both defines and needs; the copy in c.o must not be extracted for a name that b.o is about to define.
    const files = [member(undef("y"), def("x"), def("z")), member(def("y"), undef("z"), undef("x")), member(def("z"), def("w")), object(undef("x"))];
    assert.equal(check(memory, files, [], "order").included, [3, 0, 1]);
  });

  test("the first included copy of a COMDAT group counts, not the first on the command line", () => {
    const copy = (make: typeof object, ...more: TwinEntry[]): TwinFile => ({
      ...make(def("f", { ...weak, group: 0 }), ...more), groups: [{ signature: "f", comdat: true }],
    });
    const twin = check(memory, [copy(member, def("late")), copy(object, undef("late"))], [], "comdat");
    assert.equal([...twin.kept], ["1/0"]);
    assert.is(twin.symbols.get("f")!.file, 1);
  });

  test("a definition in a lost COMDAT copy counts until the end: no member is extracted for it, and nothing else defines it", () => {
    const loser: TwinFile = { ...object(def("f", { ...weak, group: 0 }), def("only", { group: 0 }), undef("only")), groups: [{ signature: "f", comdat: true }] };
    const winner: TwinFile = { ...object(def("f", { ...weak, group: 0 })), groups: [{ signature: "f", comdat: true }] };
    for (const files of [[winner, loser, member(def("only"))], [winner, member(def("only")), loser], [winner, loser, object(def("only"))]]) {
      const twin = check(memory, files, [], "lost definition");
      assert.is(twin.symbols.get("only")!.kind, "undefined");
      assert.equal(twin.duplicates, []);
    }
    // Defined before, it stays.
    assert.is(check(memory, [winner, object(def("only")), loser], [], "kept definition").symbols.get("only")!.kind, "defined");
  });

  test("reports a thread-local symbol that another object takes for something else", () => {
    const tls = def("x", { type: STT_TLS });
    const conflicts = (files: TwinFile[]): number => {
      const mark = memory.arena.mark();
      replay(memory, files, [], 64);
      memory.arena.release(mark);
      return lastAttributes;
    };
    for (const other of [undef("x", { type: STT_FUNC }), undef("x", { type: STT_OBJECT }), def("x", { ...weak, type: STT_OBJECT })]) {
      assert.is(conflicts([object(tls), object(other)]), 1, "after");
      assert.is(conflicts([object(other), object(tls)]), 1, "before");
      assert.is(conflicts([member(tls), object(undef("x")), object(other)]), 1, "member");
    }
    for (const same of [undef("x"), undef("x", { type: STT_TLS }), def("x", { ...weak, type: STT_TLS })]) {
      assert.is(conflicts([object(tls), object(same)]), 0);
      assert.is(conflicts([object(same), object(tls)]), 0);
    }
  });

  test("--allow-multiple-definition keeps the first and says nothing", () => {
    const mark = memory.arena.mark();
    const outcome = replay(memory, [object(def("x")), object(def("x"))], [], 64, 1);
    assert.equal(outcome.duplicates, []);
    assert.is(memory.tables.gsym.obj[outcome.ids.get("x")!], 1);
    memory.arena.release(mark);
  });

  test("lists globals by kind and finds and marks those that an object mentions", () => {
    const mark = memory.arena.mark();
    const outcome = replay(memory, [member(def("a")), member(def("b")), object(def("c"), undef("b"))], [], 64);
    const out = memory.arena.alloc(64);
    assert.is(memory.kernels.listKind(SYM_LAZY, out), 1);
    assert.is(memory.arena.u32[out >>> 2], outcome.ids.get("a"));
    const { esym } = { esym: allocTable(memory.arena, memory.tables, "esym", 16) };
    esym.sym[memory.tables.obj.esymBase[3]! + 2] = outcome.ids.get("b")!;
    const marks = (o: number): number[] => {
      const at = memory.arena.allocZeroed(16);
      memory.kernels.markMentions(o, at);
      return ["a", "b", "c"].map((name) => memory.arena.u8[at + outcome.ids.get(name)!]!);
    };
    assert.equal([2, 3].map((o) => marks(o)[1]), [0, 1]);
    assert.equal([1, 2, 3].map((o) => memory.kernels.mentions(o, outcome.ids.get("b")!)), [0, 0, 1]);
    memory.arena.release(mark);
  });

  test("the output is for the system that the first object of the link names, or shared object; what stays in archives has no say, nor counts", () => {
    const mark = memory.arena.mark();
    for (let seed = 1; seed <= 200; seed++) {
      const inner = memory.arena.mark();
      const random = prng(seed);
      const files = randomFiles(random);
      const outcome = replay(memory, files, [], 64);
      const abis = files.map(() => (random.chance(0.4) ? 1 + random.below(12) : 0));
      abis.forEach((abi, f) => void (memory.tables.obj.osabi[f + 1] = abi));
      const counts = (f: number): boolean => files[f]!.kind === "shared" || outcome.included.includes(f);
      const { gsym, sym } = memory.tables;
      const mentioned = Array.from({ length: gsym.rows }, (_, id) => sym.flags[id]! & SYM_USED_REGULAR).filter((flag) => flag !== 0);
      assert.is(memory.kernels.mentionedSymbols(), mentioned.length, `seed ${seed}`);
      assert.is(memory.kernels.firstAbi(files.length + 1), abis.find((abi, f) => abi !== 0 && counts(f)) ?? 0, `seed ${seed}`);
      memory.arena.release(inner);
    }
    memory.arena.release(mark);
  });

  test.run();
}

