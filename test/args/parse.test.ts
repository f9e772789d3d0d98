import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { VERSION } from "../../ts/args/identity.ts";
import { namesOf } from "../../ts/args/option-row.ts";
import { KNOWN_ELSEWHERE, OPTION_GROUPS } from "../../ts/args/options.ts";
import { parseArgs } from "../../ts/args/parse.ts";
import type { ParsedArgs, ParseEnv } from "../../ts/args/parse.ts";
import { DRIVER_LINES } from "./driver-lines.ts";

function parse(text: string, env?: ParseEnv): ParsedArgs {
  return parseArgs(text.split(" ").filter(Boolean), env);
}

function errors(text: string): string[] {
  return parse(text).errors.map((error) => error.text);
}

function firstError(text: string): string {
  return errors(text)[0] ?? "";
}

for (const { name, argv, check } of DRIVER_LINES) {
  test(`accepts the line of ${name}`, () => {
    const parsed = parseArgs(argv);
    assert.equal(parsed.errors, []);
    assert.equal(parsed.warnings, []);
    assert.is(parsed.action, "link");
    if (check) assert.ok(check(parsed.options), "what the line asks for");
  });
}

test("@file is the whole line of gcc @rsp", () => {
  const parsed = parse("@/tmp/ccABCD", { readFile: (path) => (path === "/tmp/ccABCD" ? "-o\nOUT\n-pie\nx.o\n-lc\n" : undefined) });
  assert.equal(parsed.errors, []);
  assert.is(parsed.options.output, "OUT");
  assert.equal(parsed.options.inputs.map((i) => i.name), ["x.o", "c"]);
  assert.equal(parsed.args, ["-o", "OUT", "-pie", "x.o", "-lc"]);
});

test("--rsp-quoting holds for response files before it, --print-output-format and --print-sysroot stop", () => {
  const readFile = () => "-o c:\\x\\y";
  assert.is(parse("@f a.o --rsp-quoting=windows", { readFile }).options.output, "c:\\x\\y");
  assert.is(parse("@f a.o --rsp-quoting=posix", { readFile }).options.output, "c:xy");
  assert.match(firstError("--rsp-quoting=dos a.o"), "invalid response file quoting: dos");
  assert.is(parse("--print-output-format").text, "elf64-x86-64\n");
  assert.is(parse("--sysroot=/s --print-sysroot nothing.o").text, "/s\n");
  assert.is(parse("--print-sysroot").action, "version");
});

test("--package-metadata decodes %XX and GNU ld's names of characters", () => {
  assert.is(parse("--package-metadata=%7b%22a%22:1%[comma]x%[rbrace] a.o").options.packageMetadata, '{"a":1,x}');
  assert.match(firstError("--package-metadata=%7x a.o"), "invalid % escape");
  assert.match(firstError("--package-metadata=%[x] a.o"), "invalid % escape");
});

test("a missing @file is the name of an input", () => {
  assert.is(parse("@nofile").options.inputs[0]?.name, "@nofile");
});

test("of a compiler's options for another target only the target is an error", () => {
  const errors = (line: string): string[] => parse(line).errors.map(({ text }) => text);
  assert.equal(errors("-X -EL -maarch64linux --fix-cortex-a53-843419 -fix-cortex-a53-835769 -Bstatic x.o"), ["unknown emulation: aarch64linux (supported: elf_x86_64)"]);
  assert.equal(errors("-EL -m aarch64linux x.o"), ["unknown emulation: aarch64linux (supported: elf_x86_64)"]);
  const riscv = parse("-hash-style=gnu -melf64lriscv -X x.o");
  assert.is(riscv.errors.length, 1);
  assert.is(riscv.options.hashStyle, "gnu");
});

test("long options take one or two dashes, names in o only two", () => {
  assert.is(parse("-soname a x.o").options.soname, "a");
  assert.is(parse("--soname=a x.o").options.soname, "a");
  assert.is(parse("-outfoo x.o").options.output, "utfoo");
  assert.is(parse("--output=foo x.o").options.output, "foo");
  assert.is(parse("-omagic x.o").options.output, "magic");
  assert.is(parse("--omagic x.o").options.omagic, true);
  assert.match(firstError("--o x"), /^unknown argument '--o'/);
});

test("letters take their value joined or apart", () => {
  const o = parse("-lm -l m -La -L a -hs -Rr -emain -uU -yY -Tt -oo -I/ld -znow x.o").options;
  assert.equal(o.inputs.map((i) => i.name), ["m", "m", "x.o"]);
  assert.equal(o.libraryPaths, ["a", "a"]);
  assert.equal([o.soname, o.rpath[0], o.entry, o.undefined[0], o.traceSymbols[0], o.scripts[0]!.path, o.output, o.dynamicLinker, o.z.now], ["s", "r", "main", "U", "Y", "t", "o", "/ld", true]);
  assert.is(parse("-L=/x -L$SYSROOT/y -l:libz.a").options.libraryPaths[0], "=/x");
  assert.is(parse("-l:libz.a").options.inputs[0]?.name, ":libz.a");
});

test("addresses", () => {
  const o = parse("-Ttext 0x1000 -Tdata=2000 --section-start=.foo=0x30 --image-base=0x400000 -Ttext-segment=500000 x.o").options;
  assert.is(o.sectionStarts.get(".text"), 0x1000n);
  assert.is(o.sectionStarts.get(".data"), 0x2000n);
  assert.is(o.sectionStarts.get(".foo"), 0x30n);
  assert.is(o.imageBase, 0x500000n);
  assert.is(errors("--section-start=foo x.o").length, 1);
  assert.is(errors("-Ttext=xyz x.o").length, 1);
});

test("--defsym", () => {
  assert.equal(parse("--defsym a=b+1 --defsym=c=2 x.o").options.defsyms, [{ name: "a", expression: "b+1", place: 0 }, { name: "c", expression: "2", place: 0 }]);
  assert.equal(parse("-T one.ld --defsym a=1 x.o").options.defsyms, [{ name: "a", expression: "1", place: 1 }]);
  assert.is(errors("--defsym=foo x.o").length, 1);
});

test("an unknown option is an error, also beside -v", () => {
  for (const line of ["--nosuch x.o", "-v --nosuch", "--version --nosuch", "--help --nosuch"]) {
    assert.ok(errors(line).some((e) => e.startsWith("unknown argument '--nosuch'")), line);
  }
  assert.match(firstError("-shared=4 x.o"), /unknown argument '-shared=4'[^]*unknown option/);
  assert.match(firstError("--init-array x.o"), /unknown argument '--init-array': not supported yet/);
  assert.match(firstError("-fPIC x.o"), /unknown argument '-fPIC'/);
});

test("an unknown option names the nearest one", () => {
  const first = (line: string): string => firstError(line).split("\n")[0]!;
  assert.is(first("--gc-sectoins x.o"), "unknown argument '--gc-sectoins', did you mean '--gc-sections'");
  assert.is(first("-hash-stile=gnu --utput=x x.o --xyzzy"), "unknown argument '--utput=x', did you mean '--output=x'");
});

test("an unknown -z keyword is a warning", () => {
  const parsed = parse("-z foo -zbar=1 x.o");
  assert.equal(parsed.errors, []);
  assert.equal(parsed.warnings.map(({ text }) => text), ["unknown -z value: foo", "unknown -z value: bar=1"]);
});

test("-z values are checked", () => {
  assert.match(firstError("-z max-page-size=3 x.o"), /power of 2/);
  assert.match(firstError("-z stack-size=foo x.o"), /invalid stack-size: foo/);
  assert.is(parse("-z stack-size=0x10000 -z start-stop-visibility=hidden x.o").options.z.stackSize, 65536);
});

test("empty words mean nothing, but as values", () => {
  const { options, errors } = parseArgs(["", "a.o", "", "-soname", "", "-shared", "@r"], { readFile: () => '"" b.o' });
  assert.equal([errors, options.inputs.map(({ name }) => name), options.soname, options.shared], [[], ["a.o", "b.o"], "", true]);
});

test("of -s and -S the last counts", () => {
  assert.equal(["-s -S", "-S -s", "-S -S", "--strip-all"].map((words) => parse(`${words} x.o`).options.strip), ["debug", "all", "debug", "all"]);
});

test("of -z execstack, noexecstack and nognustack the last counts", () => {
  const { z } = parse("-z nognustack -z noexecstack x.o").options;
  assert.equal([z.gnustack, z.execstack], [true, false]);
  assert.equal(["-z nognustack -z execstack", "-z execstack -z nognustack"].map((words) => parse(`${words} x.o`).options.z.gnustack), [true, false]);
});

test("files that are read have names", () => {
  for (const option of ["--symbol-ordering-file", "--call-graph-ordering-file", "--retain-symbols-file", "--default-script"]) {
    assert.equal(errors(`${option}= x.o`), [`${option}: the name of the file is empty`]);
  }
});

test("--threads is at most 256, whoever asks for more, and names what is no number", () => {
  assert.is(parse("--threads=1 x.o").options.threads, 1);
  assert.is(parse("--threads=256 x.o").options.threads, 256);
  for (const many of ["257", "384", "4294967295"]) assert.is(parse(`--threads=${many} x.o`).options.threads, 256);
  assert.is(parse("--threads x.o").options.threads, 0);
  assert.is(parse("--threads=8 --no-threads x.o").options.threads, 1);
  for (const bad of ["0", "-1", "x", "", "1.5", "0x4", "99999999999"]) {
    const found = errors(`--threads=${bad} x.o`);
    assert.is(found.length, 1, bad);
    assert.match(found[0] ?? "", new RegExp(`^--threads: expected .*'${bad}'$`));
  }
});

test("positional options hold for what follows", () => {
  const i = parse("a.o --push-state --as-needed --whole-archive -Bstatic -lb --pop-state -lc --start-lib d.o e.o --end-lib --start-lib f.o --end-lib -b binary g --format=default h.o").options.inputs;
  assert.equal(i.map((x) => [x.name, x.asNeeded, x.wholeArchive, x.static, x.lib, x.format]), [
    ["a.o", false, false, false, 0, "elf"],
    ["b", true, true, true, 0, "elf"],
    ["c", false, false, false, 0, "elf"],
    ["d.o", false, false, false, 1, "elf"],
    ["e.o", false, false, false, 1, "elf"],
    ["f.o", false, false, false, 2, "elf"],
    ["g", false, false, false, 0, "binary"],
    ["h.o", false, false, false, 0, "elf"],
  ]);
});

test("pairs that do not match are errors", () => {
  assert.equal(errors("--pop-state x.o"), ["unbalanced --push-state/--pop-state"]);
  assert.equal(errors("--end-lib x.o"), ["stray --end-lib"]);
  assert.equal(errors("--start-lib --start-lib x.o --end-lib"), ["nested --start-lib"]);
  assert.equal(errors("-) x.o"), ["stray --end-group"]);
  assert.equal(errors("-( -( x.o -) y.o -) -)"), ["stray --end-group"]); // one within another, as with GNU ld
  assert.equal(parse("-( -( x.o -) y.o -) z.o").options.inputs.map(({ group }) => group), [1, 1, 0]);
  assert.equal(parse("-( -( x.o -)", { programName: "ld.lld" }).errors.map((error) => error.text), ["nested --start-group"]);
});

test("missing and malformed values", () => {
  assert.equal(errors("x.o -o"), ["-o: missing argument"]);
  assert.equal(errors("x.o --wrap"), ["--wrap: missing argument"]);
  assert.equal(errors("x.o --build-id=0xzz"), ["not a hexadecimal value: 0xzz"]);
  assert.equal(errors("x.o --build-id=foo"), ["unknown --build-id style: foo (one of sha1, tree, sha256, md5, fast, xx, uuid, none, 0xHEX)"]);
  assert.match(firstError("x.o --hash-style=foo"), /^unknown --hash-style: foo/);
  assert.equal(errors("x.o -m foo -m elf_x86_64"), [], "the last one counts");
  assert.match(firstError("x.o -m foo"), /^unknown emulation: foo/);
  for (const name of ["elf_amd64", "elf_amd64_fbsd"]) assert.equal(parse(`x.o -m ${name}`).errors, []);
  assert.match(firstError("x.o -m__proto__"), /^unknown emulation/);
  assert.match(firstError("x.o --icf=toString"), /^unknown --icf value/);
  assert.match(firstError("x.o --error-limit=a"), /^--error-limit=a: number expected, but got 'a'/);
  assert.match(firstError("x.o -Ofast"), /^-Ofast: number expected, but got 'fast'/);
  assert.match(firstError("--export-dynamic-symbol=a[ x.o"), /unmatched '\['/);
  assert.equal(errors("-shared -pie x.o"), ["-shared and -pie may not be used together"]);
});

test("no input files", () => {
  assert.match(errors("")[0]!, /^no input files\n>>> usage: wield .*--help/);
  assert.equal(errors("-o x"), ["no input files"]);
  assert.equal(errors("--push-state --pop-state"), ["no input files"]);
});

test("-v stops without inputs and goes on with them", () => {
  assert.is(parse("-v").action, "version");
  assert.equal(parse("-v").errors, []);
  assert.is(parse("-v -shared --build-id").action, "version");
  assert.is(parse("-v x.o").action, "link");
  assert.match(parse("-v x.o").text, /GNU/);
  assert.is(parse("--version x.o").action, "version");
  assert.match(parse("-V").text, /Supported emulations:\n   elf_x86_64\n/);
});

test("probes of libtool, meson, cmake and glibc", () => {
  assert.match(parse("-v").text, /GNU/);
  assert.match(parse("--version").text.split("\n")[0] as string, /^wield v\d+\.\d+\.\d+, as LLD \d+\.\d+\.\d+ \(compatible with GNU ld \d+\.\d+\)$/);
  assert.is(parse("--version").text.split("\n")[0]!.replace(/^.*GNU ld.* ([0-9]+\.[0-9.]*).*$/, "$1"), "2.40");
  const help = parse("--help").text;
  for (const word of ["no-whole-archive", "--dependency-file", "--push-state"]) assert.ok(help.includes(word), word);
  assert.match(help, /: supported targets:.* elf/);
  assert.match(help, /supported emulations: elf_x86_64\n$/);
  assert.match(parse("--compat-version=X --version").text, /^X\n/);
  assert.match(parse("--version", { compatVersion: "GNU ld (wield) 2.46" }).text, /^GNU ld \(wield\) 2\.46\n/);
});

test("the version is the package's", () => {
  assert.is(JSON.parse(readFileSync("package.json", "utf8")).version, VERSION);
});

test("a linker started as a compiler says how to do it", () => {
  for (const line of ["-m64 a.o -Wl,--as-needed", "a.o -Wl,-x", "a.o -nodefaultlibs", "-pthread a.o"]) {
    const parsed = parse(line);
    assert.is(parsed.errors.length, 1, line);
    assert.match(parsed.errors[0]!.text, /^unknown option .*compiler driver[^]*>>> .*gcc -B/);
  }
});

test("an input named like a prototype member is an input", () => {
  assert.equal(parse("-z __proto__ constructor").warnings, [{ code: "BAD_OPTION", text: "unknown -z value: __proto__" }]);
});

test("every name is in the table once, and every row says what it is for", () => {
  const seen = new Set<string>(KNOWN_ELSEWHERE.map((name) => "--" + name));
  assert.is(seen.size, KNOWN_ELSEWHERE.length);
  for (const [, rows] of OPTION_GROUPS) {
    for (const row of rows) {
      assert.ok(row.help.length > 5);
      for (const name of namesOf(row)) {
        assert.not(seen.has(name), name);
        assert.match(name, /^(--[A-Za-z][\w-]+|-[A-Za-z()])$/);
        seen.add(name);
      }
    }
  }
});

test("options that are accepted change nothing", () => {
  const line = "--no-add-needed --no-copy-dt-needed-entries --no-keep-memory -g -G 8 -G8 -Qy -Y P,x --warn-once --long-plt --mmap-output-file --no-mmap-output-file --rosegment-gap=0x200000 --rosegment-gap 4096 x.o";
  const parsed = parse(line);
  assert.equal(parsed.errors, []);
  assert.equal(parsed.options, parse("x.o").options);
});

test("-d and its other names", () => {
  for (const name of ["-d", "-dc", "-dp", "--dc"]) assert.is(parse(`-r ${name} x.o`).options.defineCommon, true, name);
});

test("reports", () => {
  const o = parse("-t --verbose --cref -Map=m --dependency-file d --time --stats --time-trace --verify-hashes --error-limit=0 --color-diagnostics=always --no-demangle -o q x.o").options;
  assert.equal([o.trace, o.verbose, o.cref, o.mapFile, o.dependencyFile, o.time, o.stats, o.timeTrace, o.verifyHashes, o.errorLimit, o.color, o.demangle], [true, true, true, "m", "d", true, "-", "q.time-trace", true, 0, "always", false]);
  assert.is(parse("-M x.o").options.mapFile, "-");
  assert.is(parse("-o a$&b -Map=%.m x.o").options.mapFile, "a$&b.m");
});

test.run();
