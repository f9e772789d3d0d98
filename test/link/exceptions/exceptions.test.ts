/**
 * C++ programs: exceptions through .eh_frame and .eh_frame_hdr, static and dynamic, across modules, with COMDAT and RTTI.
 *
 * Not about the shape of .eh_frame beyond what verifyElf checks on every output.
 */

import { readEhFrame } from "../../helpers/verify-eh-frame.ts";
import { assert, behaviour } from "../../helpers/link.ts";

const cxx = behaviour("exceptions", "g++");

const THROWER = `
  #include <stdexcept>
  #include <string>
  struct Guard { std::string &log; ~Guard() { log += "~"; } };
  std::string thrower(int n) {
    std::string log;
    try { Guard g{log}; if (n == 1) throw std::runtime_error("one"); if (n == 2) throw 2; if (n > 9) throw std::out_of_range("nine"); log += "fine"; }
    catch (const std::runtime_error &e) { log += e.what(); }
    catch (int i) { log += std::to_string(i); }
    return log;
  }`;
const MAIN = `
  #include <iostream>
  #include <stdexcept>
  #include <string>
  #include <vector>
  #include <typeinfo>
  std::string thrower(int);
  struct Base { virtual ~Base() = default; virtual int f() const { return 1; } };
  struct Derived : Base { int f() const override { return 2; } };
  inline int counter() { static int n = 0; return ++n; }
  int main() {
    std::cout << thrower(0) << ' ' << thrower(1) << ' ' << thrower(2) << ' ';
    try { thrower(10); } catch (const std::logic_error &e) { std::cout << typeid(e).name() << ':' << e.what() << ' '; }
    Base *b = new Derived; std::cout << b->f() << dynamic_cast<Derived *>(b)->f() << counter() << counter() << '\\n';
    std::vector<int> v(3); try { v.at(7) = 1; } catch (const std::exception &) { std::cout << "at\\n"; }
    delete b;
  }`;
const EXPECTED = "fine~ ~one ~2 St12out_of_range:nine 2212\nat\n";

cxx("static, static-pie, PIE and position dependent", (w) => {
  w.write({ "a.cc": THROWER, "b.cc": MAIN }).sh("g++ -O1 -fPIE -c a.cc b.cc");
  for (const [name, flags] of [["static", "-static"], ["spie", "-static-pie"], ["pie", "-pie"], ["exec", "-no-pie"]] as const) {
    w.sh(`g++ -B$B ${flags} a.o b.o -o ${name}`);
    assert.is(w.sh(`./${name}`), EXPECTED, name);
    const elf = w.elf(name);
    // gcc -static does not pass --eh-frame-hdr
    if (name !== "static") assert.ok(elf.segment(0x6474e550), "PT_GNU_EH_FRAME");
    assert.ok(readEhFrame(elf).fdes.length > 0);
  }
});

cxx("an exception crosses from a shared object into the program", (w) => {
  w.write({ "a.cc": THROWER, "b.cc": MAIN });
  w.sh("g++ -O1 -fPIC -c a.cc && g++ -B$B -shared a.o -o liba.so && g++ -O1 b.cc -B$B -L. -la -Wl,-rpath,. -o main");
  assert.is(w.sh("./main"), EXPECTED);
  w.elf("liba.so");
  w.elf("main");
  w.sh("g++ -O1 b.cc -fno-pie -no-pie -B$B -L. -la -Wl,-rpath,. -Wl,-z,now -o main2");
  assert.is(w.sh("./main2"), EXPECTED);
  w.elf("main2");
});

cxx("libstdc++ and libgcc linked statically into a dynamic program", (w) => {
  w.write({ "a.cc": THROWER, "b.cc": MAIN }).sh("g++ -O1 a.cc b.cc -B$B -static-libstdc++ -static-libgcc -o main");
  assert.is(w.sh("./main"), EXPECTED);
  assert.not(w.elf("main").needed().some((n) => /stdc|gcc/.test(n)));
});

cxx("one CIE serves equal functions, and dead functions lose their FDEs", (w) => {
  const functions = (n: number): string => Array.from({ length: 8 }, (_, i) => `int f${n}_${i}(int x) { return x * ${i}; }`).join("\n");
  w.write({ "a.c": functions(1), "b.c": functions(2), "m.c": "int f1_1(int), f2_2(int); int main(void) { return f1_1(0) + f2_2(0); }" });
  w.sh("gcc -O1 -ffunction-sections -c a.c b.c m.c && gcc -B$B -Wl,--gc-sections a.o b.o m.o -o gc && gcc -B$B a.o b.o m.o -o all && ./gc && ./all");
  const all = readEhFrame(w.elf("all"));
  const gc = readEhFrame(w.elf("gc"));
  assert.is(all.fdes.length - gc.fdes.length >= 14, true, `${all.fdes.length} and ${gc.fdes.length} FDEs`);
  assert.ok(all.cies <= 4, `${all.cies} CIEs`);
});

cxx("threads, TLS destructors and std::call_once", (w) => {
  w.write({ "t.cc": `
    #include <thread>
    #include <mutex>
    #include <cstdio>
    std::once_flag flag; std::mutex m; int total;
    struct Bye { ~Bye() { std::lock_guard<std::mutex> l(m); total += 10; } };
    thread_local Bye bye; thread_local int mine = 3;
    int main() {
      auto work = [] { std::call_once(flag, [] { total += 1000; }); (void)&bye; mine++; std::lock_guard<std::mutex> l(m); total += mine; };
      std::thread a(work), b(work); a.join(); b.join(); std::printf("%d\\n", total);
    }` });
  w.sh("g++ -O1 -pthread -c t.cc && g++ -B$B -pthread t.o -o t && g++ -B$B -pthread -static t.o -o ts");
  assert.is(w.sh("./t"), "1028\n");
  assert.is(w.sh("./ts"), "1028\n");
  w.elf("t");
  w.elf("ts");
});

cxx("COMDAT: one copy of inline functions, statics and vtables over many objects", (w) => {
  w.write({
    "h.h": "struct S { virtual int v() { return 7; } static inline int n = 0; }; inline int &once() { static int x = S::n++; return x; } template <class T> T twice(T t) { return t + t; }",
    "a.cc": '#include "h.h"\nint a() { S s; S *p = &s; once(); return p->v() + twice(1); } const void *pa = (void *)&once; ',
    "b.cc": '#include "h.h"\nint b() { S s; S *p = &s; once(); return p->v() + twice(2); } const void *pb = (void *)&once; ',
    "m.cc": '#include "h.h"\n#include <cstdio>\nint a(); int b(); extern const void *pa, *pb; int main() { int x = a(), y = b(); std::printf("%d %d %d %d\\n", x, y, S::n, pa == pb); }',
  });
  w.sh("g++ -O0 -c a.cc b.cc m.cc && g++ -B$B a.o b.o m.o -o m");
  assert.is(w.sh("./m"), "9 11 1 1\n");
  const elf = w.elf("m");
  assert.is(elf.symtab().filter((s) => s.name === "_ZTV1S").length, 1);
  assert.is(elf.symtab().filter((s) => s.name === "_Z4oncev").length, 1);
});

cxx("clang with libstdc++", (w) => {
  w.write({ "a.cc": THROWER, "b.cc": MAIN }).sh("$CLANGXX -O1 -c a.cc b.cc && $CLANGXX --ld-path=$LD a.o b.o -o main && $CLANGXX -B$B -static a.o b.o -o mains");
  assert.is(w.sh("./main"), EXPECTED);
  assert.is(w.sh("./mains"), EXPECTED);
  w.elf("main");
  w.elf("mains");
}, "clang++");

cxx.run();
