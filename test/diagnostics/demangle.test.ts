/** Demangled names: a fixed list by language feature, everything in libstdc++ against c++filt, and hostile names. */
import { execFileSync } from "node:child_process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { demangle } from "../../ts/diagnostics/demangle.ts";
import { prng } from "../helpers/prng.ts";
import { need } from "../helpers/skip.ts";
import { tool } from "../helpers/tools.ts";

const NAMES: Record<string, [mangled: string, source: string][]> = {
  "functions and types": [
    ["_Z1fv", "f()"],
    ["_Z1fPKcS0_", "f(char const*, char const*)"],
    ["_Z1fPFivE", "f(int (*)())"],
    ["_Z1fRA3_i", "f(int (&) [3])"],
    ["_Z1fM1AFivE", "f(int (A::*)())"],
    ["_Z1fM1Ai", "f(int A::*)"],
    ["_Z1fOKi", "f(int const&&)"],
    ["_Z1fPVKi", "f(int const volatile*)"],
    ["_Z1fiz", "f(int, ...)"],
    ["_Z1fDn", "f(std::nullptr_t)"],
    ["_Z1fDv4_f", "f(float vector[4])"],
    ["_ZNKO1A1fEv", "A::f() const &&"],
    ["_ZN1AC1B5cxx11Ev", "A::A[abi:cxx11]()"],
    ["_ZN3FooD0Ev", "Foo::~Foo()"],
    ["_ZN12_GLOBAL__N_11fEv", "(anonymous namespace)::f()"],
  ],
  operators: [
    ["_ZplR1XS0_", "operator+(X&, X&)"],
    ["_ZnwmSt11align_val_t", "operator new(unsigned long, std::align_val_t)"],
    ["_Zli2_wPKc", 'operator"" _w(char const*)'],
    ["_ZlsRSoRK1A", "operator<<(std::ostream&, A const&)"],
    ["_ZNKSt8functionIFvvEEcvbEv", "std::function<void ()>::operator bool() const"],
    ["_ZN3FooIiEcvT_IdEEv", "Foo<int>::operator double<double>()"],
  ],
  templates: [
    ["_Z1fIJicEEvDpT_", "void f<int, char>(int, char)"],
    ["_Z1fIJEEvDpT_", "void f<>()"],
    ["_Z3fooILi5ELb1ELc97EEvv", "void foo<5, true, (char)97>()"],
    ["_Z1fILin5EEvv", "void f<-5>()"],
    ["_Z1fIXadL_Z1gvEEEvv", "void f<&g()>()"],
    ["_Z4funcILi3EEvRAT__Kc", "void func<3>(char const (&) [3])"],
    ["_ZN1SIXgtLi1ELi2EEE1fEv", "S<(1 > 2)>::f()"],
    ["_ZNSt6vectorISsSaISsEEC1Ev", "std::vector<std::string, std::allocator<std::string>>::vector()"],
    ["_ZNSsC1EPKcRKSaIcE", "std::basic_string<char, std::char_traits<char>, std::allocator<char>>::basic_string(char const*, std::allocator<char> const&)"],
    ["_Z3addIiiEDTplfp_fp0_ET_T0_", "decltype(fp + fp0) add<int, int>(int, int)"],
  ],
  "local names": [
    ["_ZZ4mainENKUlvE_clEv", "main::'lambda'()::operator()() const"],
    ["_ZZ4mainENKUlT_E_clIiEEDaS_", "auto main::'lambda'(auto)::operator()<int>(auto) const"],
    ["_ZZN1A1fEvE1x_0", "A::f()::x"],
    ["_ZZ1fvEs", "f()::string literal"],
  ],
  "special names": [
    ["_ZTV1A", "vtable for A"],
    ["_ZTIA5_i", "typeinfo for int [5]"],
    ["_ZThn16_N1A1fEv", "non-virtual thunk to A::f()"],
    ["_ZTCN1DE0_N1BE", "construction vtable for B-in-D"],
    ["_ZGVZ1fvE1x", "guard variable for f()::x"],
    ["_Z3foov.llvm.1234", "foo() (.llvm.1234)"],
  ],
  Rust: [
    ["_RNvC6_123foo3bar", "123foo::bar"],
    ["_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar"],
    ["_RNCINvC6_123foo3barEs_0B5_", "123foo::bar::<>::{closure#1}"],
    ["_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE", "core::fmt::Write::write_fmt::h0123456789abcdef"],
    ["_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE", "<Test + 'static as foo::Bar<Test>>::bar::h930b740aa94f1d3a"],
  ],
  "names that stay": [
    ["main", "main"],
    ["_Z", "_Z"],
    ["_Zq", "_Zq"],
    ["_ZN1A", "_ZN1A"],
    ["_Z1fS5_", "_Z1fS5_"],
    ["_RNv", "_RNv"],
    ["_init", "_init"],
  ],
};

for (const [group, names] of Object.entries(NAMES)) {
  test(group, () => {
    for (const [mangled, source] of names) assert.is(demangle(mangled), source);
  });
}

/** Where GNU's style is another: clones, std::string in full, bounds written `3ul`, transaction clones, lambdas. */
const OTHER_STYLE = /\.|S[siod]|AT_|^_ZGT|Ul|Ut/;

const library = tool("g++") === "" ? "" : execFileSync(tool("g++"), ["-print-file-name=libstdc++.a"], { encoding: "latin1" }).trim();
const missing = need("g++", "nm", "c++filt") || (library.includes("/") ? "" : "needs libstdc++.a: not installed");
(missing === "" ? test : test.skip)(`the symbols of libstdc++ read as c++filt shows them${missing && ` (${missing})`}`, () => {
  const listing = execFileSync("nm", [library], { encoding: "latin1", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "ignore"] });
  const names = [...new Set([...listing.matchAll(/\s(_Z\S+)$/gm)].map((match) => match[1]!))].filter((name) => !OTHER_STYLE.test(name));
  const shown = execFileSync("c++filt", { input: names.join("\n"), encoding: "latin1", maxBuffer: 1 << 28 }).split("\n");
  const expected = shown.map((name) => name.replace(/>(?: >)+/g, (run) => run.replaceAll(" ", "")).replaceAll("decltype(nullptr)", "std::nullptr_t").replaceAll("operator<< <", "operator<<<"));
  assert.ok(names.length > 3000, `${names.length} names`);
  const wrong = names.filter((name, i) => demangle(name) !== expected[i]);
  assert.ok(wrong.length < names.length / 200, `${wrong.length} of ${names.length}, such as ${wrong.slice(0, 3)}`);
});

test("hostile names end quickly and unchanged or in bounded text", () => {
  const doubling = `_Z1f${"N1aIS_S_E".repeat(3)}${Array.from({ length: 60 }, (_, i) => `1bIS${i.toString(36).toUpperCase()}_S${i.toString(36).toUpperCase()}_E`).join("")}`;
  const names = [`_Z1f${"P".repeat(60000)}i`, `_Z1f${"F".repeat(5000)}`, `_ZN${"1a".repeat(20000)}E`, `_Z${"N".repeat(9999)}`, doubling, `_R${"I".repeat(9999)}C1a`, "_Z99999999999999999999a", `_RYB${"_".repeat(9)}`];
  for (const name of names) assert.type(demangle(name), "string");
  const random = prng(3);
  const seeds = Object.values(NAMES).flatMap((list) => list.map(([mangled]) => mangled));
  const began = performance.now();
  for (let round = 0; round < 30000; round++) {
    const chars = [...random.pick(seeds)];
    for (let i = 0; i <= round % 4; i++) chars[2 + random.below(chars.length)] = random.chance(0.5) ? String.fromCharCode(33 + random.below(94)) : random.pick(["S_", "T_", "I", "E", "J", "Dp", "N", "X", "L", "cv", "sr", ""]);
    assert.type(demangle(chars.join("")), "string");
  }
  assert.ok(performance.now() - began < 60_000);
});

test.run();
