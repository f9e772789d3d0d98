/** Options that only one of gold, mold and wild has, and that mean something here: each does what its help says. */
import { ElfFile } from "../../helpers/dump.ts";
import { assert, behaviour, contains, lacks, linkerName } from "../../helpers/link.ts";

const peers = behaviour("options of gold, mold and wild");
const wield = linkerName === "wield";

const FUNCTIONS = '.globl _start\n_start: ret\n.section .text.a,"ax"\n.globl a\na: ret\n.section .text.b,"ax"\n.globl b\nb: ret; nop\n.section .text.c,"ax"\n.globl c\nc: ret\n';

peers("--reverse-sections, --shuffle-sections with a seed alone or none, --no-icf, --thread-count, --perf", (w) => {
  if (!wield) return;
  w.write({ "a.s": FUNCTIONS }).sh("as a.s -o a.o");
  const order = (flags: string): string => w.sh(`$LD a.o ${flags} -o o && nm -n o | sed -n 's/.* [Tt] //p' | grep -v _start | tr '\\n' ' '`).trim();
  assert.is(order(""), "a b c");
  assert.is(order("--reverse-sections"), "c b a");
  assert.is(order("--shuffle-sections=5"), order("--shuffle-sections='*=5'"));
  assert.is(order("--shuffle-sections").split(" ").sort().join(" "), "a b c");
  const size = (flags: string): number => (w.sh(`$LD a.o ${flags} -o o`), w.elf("o").need(".text").size);
  assert.ok(size("--icf=all") < size("--icf=all --no-icf"));
  w.sh("$LD a.o -o one --thread-count=1 && $LD a.o -o two --thread-count 2 && cmp one two");
  contains(w.fails("$LD a.o --thread-count=0 -o x"), "expected a positive integer");
  contains(w.sh("$LD a.o --perf -o x"), "relocate");
}, "nm");

peers("--hash-style=none, --build-id=sha256, -z nodefs", (w) => {
  if (!wield) return;
  w.write({ "a.s": ".globl f\nf: call missing@plt\n" }).sh("as a.s -o a.o && $LD -shared a.o -o a.so --hash-style=none --build-id=sha256 -z defs -z nodefs && $LD -shared a.o -o b.so --build-id=sha256 --hash-style=both");
  const none = new ElfFile(w.bytes("a.so"));
  lacks(none.sectionNames().join(), "hash");
  contains(w.elf("b.so").sectionNames().join(), ".gnu.hash,.hash");
  assert.is(none.content(".note.gnu.build-id").length, 16 + 32);
  assert.not.equal(none.content(".note.gnu.build-id"), w.elf("b.so").content(".note.gnu.build-id"));
});

peers.run();
