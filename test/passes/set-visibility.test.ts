import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  SYM_COMMON, SYM_EXPORTED, SYM_FORCED_LOCAL, SYM_IN_OSEC, SYM_LAZY, SYM_PREEMPTIBLE, SYM_USED_REGULAR, SYM_USED_SHARED,
} from "../../as-kernels/shared/abi.ts";
import { STB_WEAK, STT_FUNC, STT_GNU_IFUNC, STT_OBJECT, STT_TLS, STV_HIDDEN, STV_INTERNAL, STV_PROTECTED, VERSYM_HIDDEN } from "../../as-kernels/shared/elf.ts";
import type { SymbolPattern, VersionNode } from "../../ts/args/link-options.ts";
import { setVisibility } from "../../ts/passes/set-visibility.ts";
import { parseVersionScript } from "../../ts/script/version-script.ts";
import { makeWorld, type SymbolSpec, type World, type WorldSpec } from "../synthetic/world.ts";

const test = suite("set-visibility");

/** Relocatable a.o, shared libraries lib.so and libm.so with versions V1 (2) and V2 (3). */
const FILES = { "a.o": null, "lib.so": { versions: ["V1", "V2"] } };

function run(spec: Partial<WorldSpec> & { symbols: SymbolSpec[] }): World {
  const world = makeWorld({ files: FILES, ...spec });
  setVisibility(world.ctx);
  return world;
}

const script = (text: string): VersionNode[] => parseVersionScript(text, "v.ver");
const pattern = (text: string): SymbolPattern => ({ pattern: text, cxx: false, exact: !/[*?[]/.test(text) });
const own = (name: string, rest: Partial<SymbolSpec> = {}): SymbolSpec => ({ name, file: "a.o", ...rest });

/** `name` → "exported preemptible local", what applies. */
function facts({ ctx, row }: World, ...names: string[]): string[] {
  return names.map((name) => {
    const flags = ctx.tables.sym.flags[row(name)]!;
    const words = [flags & SYM_EXPORTED ? "exported" : "", flags & SYM_PREEMPTIBLE ? "preemptible" : "", flags & SYM_FORCED_LOCAL ? "local" : ""];
    return [name, ...words.filter((word) => word !== "")].join(" ");
  });
}

const versions = ({ ctx, row }: World, ...names: string[]): number[] => names.map((name) => ctx.tables.gsym.ver[row(name)]!);

test("a shared object exports default and protected definitions, and only default ones are preemptible", () => {
  const world = run({
    options: { shared: true },
    symbols: [own("d"), own("p", { vis: STV_PROTECTED }), own("h", { vis: STV_HIDDEN }), own("i", { vis: STV_INTERNAL }), own("c", { kind: SYM_COMMON }), { name: "u" }],
  });
  assert.equal(facts(world, "d", "p", "h", "i", "c", "u"), ["d exported preemptible", "p exported", "h", "i", "c exported preemptible", "u exported preemptible"]);
});

test("an executable exports what a shared object mentions, and everything under --export-dynamic", () => {
  const symbols = [own("f"), own("g", { flags: SYM_USED_SHARED }), own("h", { flags: SYM_USED_SHARED, vis: STV_HIDDEN })];
  assert.equal(facts(run({ symbols }), "f", "g", "h"), ["f", "g exported", "h"]);
  assert.equal(facts(run({ symbols, options: { exportDynamic: true } }), "f", "g", "h"), ["f exported", "g exported", "h"]);
});

test("references to shared objects are dynamic, unless only shared objects make them", () => {
  const world = run({ symbols: [{ name: "s", file: "lib.so", ver: 1 }, { name: "t", file: "lib.so", ver: 1, flags: 0 }] });
  world.ctx.tables.sym.flags[world.row("t")]! &= ~SYM_USED_REGULAR;
  setVisibility(world.ctx);
  assert.equal(facts(world, "s", "t"), ["s exported preemptible", "t"]);
});

test("a static executable has no dynamic symbols", () => {
  const world = run({ files: { "a.o": null }, symbols: [own("f", { flags: SYM_USED_SHARED }), { name: "w", bind: STB_WEAK }] });
  assert.equal(facts(world, "f", "w"), ["f", "w"]);
  assert.is(world.ctx.params.get("dynamic"), 0);
});

test("an undefined symbol of a static-pie is 0, not dynamic", () => {
  const symbols = [{ name: "w", bind: STB_WEAK }, { name: "u" }];
  assert.equal(facts(run({ files: {}, symbols, options: { pie: true, dynamicLinker: "" } }), "w", "u"), ["w", "u"]);
  assert.equal(facts(run({ files: {}, symbols, options: { pie: true } }), "w"), ["w exported preemptible"]);
});

test("-Bsymbolic-functions binds functions, a dynamic list keeps what it names preemptible", () => {
  const symbols = [own("f", { type: STT_FUNC }), own("v", { type: STT_OBJECT }), own("k", { type: STT_FUNC })];
  const options = { shared: true, bsymbolic: "functions" as const };
  assert.equal(facts(run({ symbols, options, dynamicList: [pattern("k")] }), "f", "v", "k"), ["f exported", "v exported preemptible", "k exported preemptible"]);
});

test("-Bsymbolic-functions binds what has no type, but no data, no thread-local variable, no IFUNC", () => {
  const symbols = [own("label"), own("common", { kind: SYM_COMMON }), own("t", { type: STT_TLS }), own("i", { type: STT_GNU_IFUNC })];
  for (const bsymbolic of ["functions", "non-weak-functions"] as const) {
    assert.equal(facts(run({ symbols, options: { shared: true, bsymbolic } }), "label", "common", "t", "i"), [
      "label exported", "common exported preemptible", "t exported preemptible", "i exported preemptible",
    ]);
  }
});

test("--dynamic-list binds everything else, with wildcards", () => {
  const symbols = [own("get_a"), own("set_a"), own("x")];
  const options = { shared: true, dynamicLists: ["l"] };
  assert.equal(facts(run({ symbols, options, dynamicList: [pattern("get_*"), pattern("x")] }), "get_a", "set_a", "x"), [
    "get_a exported preemptible", "set_a exported", "x exported preemptible",
  ]);
});

test("a dynamic list exports from an executable", () => {
  assert.equal(facts(run({ symbols: [own("a1"), own("b1")], dynamicList: [pattern("a?")] }), "a1", "b1"), ["a1 exported", "b1"]);
});

test("--exclude-libs makes an archive member's definitions local", () => {
  const world = run({ options: { shared: true }, excluded: ["a.o"], symbols: [own("f"), { name: "u" }] });
  assert.equal(facts(world, "f", "u"), ["f local", "u exported preemptible"]);
});

test("no pattern of a version script brings back what --exclude-libs hides", () => {
  const world = run({ options: { shared: true }, excluded: ["a.o"], versionNodes: script("V1 { global: f; g*; };"), symbols: [own("f"), own("g1")] });
  assert.equal(facts(world, "f", "g1"), ["f local", "g1 local"]);
  assert.equal(world.messages(), []);
});

test("exact names beat wildcards, later nodes' wildcards beat earlier ones, * comes last", () => {
  const world = run({
    options: { shared: true },
    versionNodes: script("V1 { global: foo; a*; local: *; }; V2 { global: ab*; b*; *; } V1;"),
    symbols: ["foo", "aa", "abc", "bar", "zzz"].map((name) => own(name)),
  });
  assert.equal(versions(world, "foo", "aa", "abc", "bar", "zzz"), [2, 2, 3, 3, 3]);
});

test("wildcards match to the end of a name, whatever they end with", () => {
  const names = ["x_1", "x_]", "x_*", "x_q", "x_", "[", "x[q", "x\\"];
  const matched = (pattern: string): string[] => {
    const world = run({ options: { shared: true }, versionNodes: [{ name: "V", globals: [{ pattern, cxx: false, exact: false }], locals: [], parents: [] }], symbols: names.map((name) => own(name)) });
    return names.filter((_, i) => versions(world, ...names)[i] === 2);
  };
  assert.equal(matched("*_1"), ["x_1"]);
  assert.equal(matched("*_[1q]"), ["x_1", "x_q"]);
  assert.equal(matched("*_]"), ["x_]"]);
  assert.equal(matched("?_\\*"), ["x_*"]);
  assert.equal(matched("*_\\q"), ["x_q"]);
  assert.equal(matched("*_?"), ["x_1", "x_]", "x_*", "x_q"]);
  assert.equal(matched("*["), ["["]);
  assert.equal(matched("*[q"), ["x[q"]);
  assert.equal(matched("*\\"), ["x\\"]);
  assert.equal(matched("x*_"), ["x_"]);
});

test("local: hides, in the anonymous node too", () => {
  const world = run({ options: { shared: true }, versionNodes: script("{ global: api_*; main; local: *; };"), symbols: [own("api_a"), own("helper"), own("main")] });
  assert.equal(facts(world, "api_a", "helper", "main"), ["api_a exported preemptible", "helper local", "main exported preemptible"]);
  assert.equal(versions(world, "api_a", "helper"), [1, 0]);
});

test("definitions that name their version keep it; name@V is hidden", () => {
  const world = run({
    options: { shared: true },
    versionNodes: script("V1 { global: bar; }; V2 { local: gone; *x; };"),
    symbols: [own("foo@V1"), own("foo@@V2"), own("bar"), own("gone@@V2"), own("bax@@V1")],
  });
  assert.equal(versions(world, "foo@V1", "foo", "bar", "gone", "bax"), [2 | VERSYM_HIDDEN, 3, 2, 0, 2]);
  assert.equal(world.messages(), []);
});

test("name@ and name@@ are of no version and never hidden", () => {
  const world = run({
    options: { shared: true },
    versionNodes: script("V1 { global: foo; bar; local: *; };"),
    symbols: [own("foo@"), own("foo@@V1"), own("bar@@"), own("baz@@"), own("gone")],
  });
  assert.equal(versions(world, "foo@", "foo", "bar", "baz", "gone"), [1 | VERSYM_HIDDEN, 2, 1, 1, 0]);
  assert.equal(world.messages(), []);
});

test("patterns mean name@V where their node has the whole name V", () => {
  const world = run({
    options: { shared: true },
    versionNodes: script("V10 { local: f*; }; V1 { global: g; };"),
    symbols: [own("foo@V1"), own("far@V10"), own("g")],
  });
  assert.equal(versions(world, "foo@V1", "far@V10", "g"), [3 | VERSYM_HIDDEN, 0, 3]);
});

test("an unknown version of a definition is an error in a shared object only", () => {
  const symbols = [own("foo@@V9")];
  assert.equal(run({ options: { shared: true }, symbols }).messages(), ["error: a.o: symbol foo@@V9 has undefined version V9"]);
  assert.equal(run({ symbols }).messages(), []);
});

test("a name in the script that nobody defines is an error under --no-undefined-version", () => {
  const spec = { versionNodes: script("V1 { global: nope; lazy; foo; local: gone; };"), symbols: [own("foo"), { name: "lazy", kind: SYM_LAZY, file: "a.o" }] };
  const options = { shared: true, undefinedVersion: false };
  assert.equal(run({ ...spec, options }).messages(), [
    "error: version script assignment of 'V1' to symbol 'nope' failed: symbol not defined",
    "error: version script assignment of 'local' to symbol 'gone' failed: symbol not defined",
  ]);
  assert.equal(run({ ...spec, options: { ...options, undefinedVersion: true } }).messages(), []);
});

test("assigning a name to a second version is a warning and changes nothing", () => {
  const world = run({ options: { shared: true }, versionNodes: script("V1 { global: foo; }; V2 { global: foo; };"), symbols: [own("foo")] });
  assert.equal(versions(world, "foo"), [2]);
  assert.equal(world.messages(), ["warning: attempt to reassign symbol 'foo' of version 'V1' to version 'V2'"]);
});

test("extern C++ patterns match demangled names", () => {
  const world = run({
    options: { shared: true },
    versionNodes: script('V1 { global: extern "C++" { "ns::f(int)"; ns::g*; }; local: *; };'),
    symbols: ["_ZN2ns1fEi", "_ZN2ns1gEv", "_ZN2ns1hEv"].map((name) => own(name)),
  });
  assert.equal(facts(world, "_ZN2ns1fEi", "_ZN2ns1gEv", "_ZN2ns1hEv"), [
    "_ZN2ns1fEi exported preemptible", "_ZN2ns1gEv exported preemptible", "_ZN2ns1hEv local",
  ]);
});

test("symbols of shared objects carry that object's version index", () => {
  const world = run({ symbols: [{ name: "a", file: "lib.so", ver: 3 }, { name: "b", file: "lib.so", ver: 2 | VERSYM_HIDDEN }, { name: "c", file: "lib.so", ver: 1 }] });
  assert.equal(versions(world, "a", "b", "c"), [3, 2, 1]);
});

test("symbols the linker defines are exported like others", () => {
  const world = run({ options: { shared: true }, symbols: [{ name: "_end", kind: SYM_IN_OSEC }, { name: "__dso_handle", kind: SYM_IN_OSEC, vis: STV_HIDDEN }] });
  assert.equal(facts(world, "_end", "__dso_handle"), ["_end exported preemptible", "__dso_handle"]);
});

test("a reference to name@V means the definition that has version V", () => {
  const world = makeWorld({
    files: FILES, options: { shared: true }, versionNodes: script("V1 { global: foo; };"), symbols: [{ name: "foo@V1" }, own("foo"), { name: "foo@V2" }],
  });
  const { ctx, row } = world;
  ctx.tables.obj.seq[2] = 1;
  setVisibility(ctx);
  assert.is(ctx.tables.esym.sym[row("foo@V1")], row("foo"));
  assert.is(ctx.tables.esym.sym[row("foo@V2")], row("foo@V2"));
});

test.run();
