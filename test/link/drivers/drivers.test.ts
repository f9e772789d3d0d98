/**
 * The compilers that start the linker: gcc -B, clang --ld-path and -fuse-ld, rustc -Clink-arg, go -extldflags; and NODE_OPTIONS left alone.
 */

import * as path from "node:path";
import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";

const drivers = behaviour("drivers");

drivers("gcc -B, also with NODE_OPTIONS set and from another folder", (w) => {
  w.write({ "m.c": "int main(void) { return 0; }", "pre.cjs": "console.log('must not load'); process.exit(3);" });
  w.sh("gcc -c m.c && NODE_OPTIONS=\"--require $PWD/pre.cjs\" gcc -B$B m.o -o m && ./m && O=$PWD && cd / && gcc -B$B $O/m.o -o $O/n && $O/n && env -i PATH=/usr/bin:/bin gcc -B$B $O/m.o -o $O/p && $O/p");
});

drivers("ordinary small links are over in the quick program; a warning needs the complete one", (w) => {
  if (linkerName !== "wield") return;
  w.write({
    "m.c": '#include <stdio.h>\n#include <math.h>\nextern __thread int t;\nint f(int);\nint main(int c, char **v) { t = c; printf("%f\\n", sqrt(f(c))); return t - 1; }',
    "f.c": "__thread int t; static int g(int x) { return x; } static int h(int x) { return x; } int f(int x) { int (*p)(int) = x > 5 ? g : h; return p(x); }",
    "x.cc": '#include <iostream>\n#include <map>\n#include <stdexcept>\nint main() { try { std::map<std::string, int> m; m["a"] = 1; throw std::runtime_error("x"); } catch (std::exception &e) { std::cout << e.what(); } }',
    "v.map": "V1 { global: f; local: *; };",
  });
  const quick = (command: string): void => assert.is(w.sh(`WIELD_DEBUG=1 ${command} 2>&1`), "", command);
  w.sh("gcc -O1 -g -fPIC -ffunction-sections -c m.c f.c && g++ -O1 -g -c x.cc && ar rcs libf.a f.o");
  quick("gcc -B$B m.o f.o -lm -o a && ./a >/dev/null");
  quick("gcc -B$B -Wl,--gc-sections m.o -L. -lf -lm -o b && ./b >/dev/null");
  quick("gcc -B$B -static m.o f.o -lm -o c && ./c >/dev/null");
  quick("gcc -B$B -shared -Wl,--version-script=v.map -Wl,-soname,libg.so f.o -o libg.so");
  quick("gcc -B$B -no-pie -Wl,-z,now -Wl,-O1 -Wl,--hash-style=gnu -Wl,--build-id m.o f.o -lm -o d && ./d >/dev/null");
  quick("g++ -B$B x.o -o e && ./e >/dev/null");
  contains(w.sh("WIELD_DEBUG=1 gcc -B$B m.o f.o -lm -Wl,-z,unknown -o g 2>&1"), "handing over", "unknown -z value");
  // What a long response file names is large: the complete program from the first. Short ones are not looked into.
  w.write({ "big.s": ".globl big\n.data\nbig: .quad 1\n.zero 50331648\n", args: `-shared -z unknown big.o -o libbig.so ${"-L/nowhere ".repeat(100)}` });
  assert.not.match(w.sh("gcc -c big.s && WIELD_DEBUG=1 $LD @args 2>&1"), "handing over");
  // Which loads nothing that a link without --run or LTO can do without: sockets take longer than a small link.
  w.write({ "list.cjs": 'process.on("exit", () => console.log(process.moduleLoadList.join("\\n")));' });
  assert.not.match(w.sh("node -r ./list.cjs $B/../cli.cjs @args --threads=1 2>said"), /NativeModule (net|child_process|worker_threads)$/m);
  // Looking never takes a pipe's contents nor fails: that is for the program to say.
  w.sh("$LD @<(cat args)");
  contains(w.fails("$LD $(printf 'a%.0s' {1..300}).o x{1..70}.o"), /cannot open a+\.o: File name too long/);
}, "g++");

drivers("the objects of a small link are read once, after a look at what they are", (w) => {
  if (linkerName !== "wield") return;
  w.write({
    "count.cjs": 'const fs = require("fs"), read = fs.readSync;\nfs.readSync = (fd, ...rest) => {\n  fs.appendFileSync("reads", fs.readlinkSync("/proc/self/fd/" + fd) + "\\n");\n  return read(fd, ...rest);\n};',
    "m.c": 'extern int f(const char *);\nint (*p)(const char *) = f;\nint main(void) { return f("some text") + p("another text") - 21; }',
    "f.c": '#include <string.h>\nextern int one;\nint f(const char *s) { return strlen(s) + strlen("more text") - one * 9; }',
    "g.c": "int one = 1;",
  });
  w.sh("gcc -g -O1 -fPIC -ffunction-sections -c m.c f.c g.c && gcc -B$B m.o f.o g.o -o a -### 2>&1 | grep -o '[^ ]*collect2.*' | tr -d '\"' | sed 's/[^ ]* //' > args");
  w.sh("node -r ./count.cjs $B/../cli.cjs @args && ./a");
  for (const name of ["m.o", "f.o", "g.o"]) assert.is(w.sh(`grep -c /${name}$ reads`), "2\n", name);
});

drivers("clang: -B, --ld-path, -fuse-ld with a path; static and PIE; C++ with threads", (w) => {
  w.write({ "m.cc": "#include <thread>\n#include <vector>\n#include <numeric>\nint main() { std::vector<int> v(10); std::thread t([&] { std::iota(v.begin(), v.end(), 0); }); t.join(); return std::accumulate(v.begin(), v.end(), 0) - 45; }" });
  w.sh("$CLANGXX -O1 -c m.cc && $CLANGXX --ld-path=$LD m.o -o a && ./a && $CLANGXX -B$B m.o -static -o b && ./b && $CLANGXX -fuse-ld=$LD m.o -o c 2>/dev/null && ./c && $CLANGXX -B$B -no-pie m.o -o d && ./d");
  for (const name of ["a", "b", "c", "d"]) w.elf(name);
}, "clang++");

drivers("rustc: a program, a cdylib with its version script, panic and backtrace", (w) => {
  w.write({
    "m.rs": 'use std::collections::HashMap; fn main() { let mut m = HashMap::new(); m.insert("a", 1); let h = std::thread::spawn(|| 40); let r = std::panic::catch_unwind(|| { if std::env::args().count() > 0 { panic!("boom") } }); println!("{} {} {}", m["a"], h.join().unwrap(), r.is_err()); }',
    "c.rs": '#![crate_type = "cdylib"]\n#[no_mangle] pub extern "C" fn triple(x: i32) -> i32 { let v = vec![x; 3]; v.iter().sum() }',
    "use.c": "int triple(int); int main(void) { return triple(4) - 12; }",
  });
  const flags = "-Clinker=gcc -Clink-arg=-B$B -Clinker-features=-lld";
  w.sh(`rustc ${flags} m.rs -o m 2>err || { rustc -Clinker=gcc -Clink-arg=-B$B m.rs -o m; }`, 300_000);
  assert.is(w.sh("./m 2>/dev/null"), "1 40 true\n");
  w.elf("m");
  w.sh(`rustc ${flags} -O -g m.rs -o mg 2>/dev/null || rustc -Clinker=gcc -Clink-arg=-B$B -O -g m.rs -o mg`, 300_000);
  assert.is(w.sh("./mg 2>/dev/null"), "1 40 true\n");
  w.sh(`rustc ${flags} c.rs -o libc1.so 2>/dev/null || rustc -Clinker=gcc -Clink-arg=-B$B c.rs -o libc1.so`, 300_000);
  assert.ok(w.elf("libc1.so").exports().includes("triple"));
  w.sh("gcc use.c ./libc1.so -o use && ./use");
}, "rustc");

drivers("go: external linking of a cgo program", (w) => {
  w.write({ "p/go.mod": "module example\n\ngo 1.19\n", "p/main.go": 'package main\n\n// #include <math.h>\n// #cgo LDFLAGS: -lm\n// static double root(double x) { return sqrt(x); }\nimport "C"\nimport "fmt"\n\nfunc main() { c := make(chan int); go func() { c <- 42 }(); fmt.Println(<-c, float64(C.root(16))) }\n' });
  const env = "HOME=$PWD GOFLAGS=-mod=mod GOCACHE=${GOCACHE:-" + path.resolve("node_modules/.cache/wield-go") + "} CGO_ENABLED=1";
  w.sh(`cd p && ${env} go build -ldflags "-linkmode=external -extldflags=-B$B" -o ../m . && cd .. && ./m > out`, 600_000);
  assert.is(w.read("out"), "42 4\n");
  if (linkerName === "wield") w.elf("m");
  w.sh(`cd p && ${env} go build -buildmode=pie -ldflags "-linkmode=external -extldflags=-B$B" -o ../pie . && cd .. && ./pie > out`, 600_000);
  assert.is(w.read("out"), "42 4\n");
}, "go");

drivers.run();
