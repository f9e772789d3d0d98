/**
 * What is in .symtab: -s, -S, -x, -X, local symbols, file symbols, and that .dynsym never shrinks.
 */

import { assert, behaviour, linkerName } from "../../helpers/link.ts";

const strip = behaviour("symbol table");

const SOURCE = `
  static int local_data = 3; __attribute__((noinline)) static int local_function(int x) { return x + local_data++; }
  int exported(int x) { return local_function(x); } __attribute__((visibility("hidden"))) int hidden_one = 2;
  int main(void) { return exported(hidden_one) - 5; }`;
const ASM = '.text\n.globl from_asm\n.Lkeep: ret\nfrom_asm: jmp .Lkeep@PLT\nplain_local: ret\n.section .note.GNU-stack,"",@progbits\n';

strip("levels", (w) => {
  w.write({ "m.c": SOURCE, "a.s": ASM }).sh("gcc -O1 -g -c m.c && gcc -c -Wa,-L a.s");
  const link = (flags: string): ReturnType<typeof w.elf> => {
    w.sh(`gcc -B$B m.o a.o ${flags} -rdynamic -o m && ./m`);
    return w.elf("m");
  };
  const all = link("");
  for (const name of ["local_data", "local_function", "exported", "hidden_one", "main", "m.c", "from_asm", "plain_local"]) assert.ok(all.symbol(name), name);
  assert.is(all.symtab().find((s) => s.name === "m.c")!.type, 4);
  assert.ok(all.section(".debug_info"));

  const s = link("-s");
  assert.is(s.section(".symtab"), undefined);
  assert.is(s.section(".strtab"), undefined);
  assert.is(s.section(".debug_info"), undefined);
  assert.ok(s.dynamicSymbol("exported"));

  const S = link("-Wl,-S");
  assert.ok(S.symbol("local_function"));
  assert.is(S.section(".debug_info"), undefined);
  assert.is(S.section(".debug_line"), undefined);

  const x = link("-Wl,-x");
  assert.is(x.symbol("local_function"), undefined);
  assert.ok(x.symbol("exported"));
  assert.ok(x.section(".debug_info"));

  const X = link("-Wl,-X");
  assert.is(X.symbol(".Lkeep"), undefined);
  assert.ok(X.symbol("local_function"));
  assert.ok(link("-Wl,--strip-debug").symbol("local_function"));
  assert.is(link("-Wl,--strip-all").section(".symtab"), undefined);
});

strip("symbols point at their sections, sizes and types survive", (w) => {
  w.write({ "m.c": SOURCE }).sh("gcc -O0 -c m.c && gcc -B$B m.o -o m");
  const elf = w.elf("m");
  const f = elf.symbol("exported")!;
  assert.is(elf.shdrs[f.shndx]!.name, ".text");
  assert.is(f.type, 2);
  assert.ok(f.size > 0);
  assert.is(elf.symbol("local_data")!.type, 1);
  assert.is(elf.symbol("hidden_one")!.visibility, 2);
  assert.match(w.sh("nm m"), /[0-9a-f]+ T exported/);
}, "nm");

strip.run();

strip("--retain-symbols-file: .symtab has what the file lists, .dynsym of a program what it always has", (w) => {
  if (linkerName === "lld") return;
  w.write({ "m.c": SOURCE, "list": "main\nexported\nnobody\n" }).sh("gcc -O1 -c m.c && gcc -B$B m.o -Wl,--retain-symbols-file=list -o m && ./m");
  assert.equal(w.elf("m").symtab().map(({ name }) => name).filter((name) => name !== "").sort(), ["exported", "main"]);
  assert.ok(w.elf("m").dynsym().some(({ name }) => name === "__libc_start_main"));
  if (linkerName !== "wield") return;
  // What kept relocations refer to stays.
  w.sh("gcc -B$B m.o -Wl,--retain-symbols-file=list,-q -o q && ./q");
  assert.ok(w.elf("q").symbol("hidden_one"));
  assert.not(w.elf("q").symbol("_IO_stdin_used"));
});
