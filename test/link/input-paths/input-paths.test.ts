/**
 * Where inputs are really read from: --remap-inputs, --remap-inputs-file, --chroot, fifos; and empty files.
 */
import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";

const paths = behaviour("input-paths");
const wield = linkerName === "wield";
const SOURCES = { "a.s": ".globl _start\n_start: call f\n", "f.s": ".globl f\nf: ret\n" };
const ASSEMBLE = "as a.s -o a.o; as f.s -o f.o; ";

paths("--remap-inputs: exact names before patterns, from options and files", (w) => {
  if (linkerName === "bfd") return;
  w.write({ ...SOURCES, "1.map": "## a comment\nx.o=a.o\n[xy]?.o=nowhere.o\n", "2.map": "y*=f.o\nempty=/dev/null\n" });
  w.sh(`${ASSEMBLE} $LD x.o --remap-inputs-file=1.map --remap-inputs-file 2.map yyy empty -o p && $LD a.o f.o -o q && cmp p q`);
  w.sh("$LD --remap-inputs 'n*.o=a.o' --remap-inputs=f=f.o none.o f -o p && cmp p q");
});

paths("a line of --remap-inputs that is none", (w) => {
  if (linkerName === "bfd") return;
  w.write({ ...SOURCES, "1.map": "a=b\nbroken\n", "2.map": "x[=y\n" }).sh(ASSEMBLE);
  if (wield) contains(w.fails("$LD a.o --remap-inputs-file=1.map --remap-inputs-file=2.map -o p"), "1.map:2: parse error, not 'from-glob=to-file'", "2.map:1: invalid glob pattern, unmatched '['");
  contains(w.fails("$LD a.o --remap-inputs=a.o= -o p"), "--remap-inputs: parse error");
});

paths("--chroot stands before absolute paths, those of scripts too", (w) => {
  if (!wield) return;
  w.write({ ...SOURCES, "root/lib/libf.so": "INPUT(/obj/f.o)" });
  w.sh(`${ASSEMBLE} mkdir -p root/obj && cp a.o f.o root/obj && cd root && $LD --chroot . /obj/a.o -L /lib -lf -o ../p && cd .. && $LD a.o f.o -o q && cmp p q`);
});

paths("objects, archives and scripts may come from pipes, with threads too", (w) => {
  if (!wield) return;
  w.write({ ...SOURCES, "s.ld": "SECTIONS { .text : { *(.text) } }" }).sh(`${ASSEMBLE} ar rcs f.a f.o`);
  w.sh("$LD a.o f.o -o q; $LD <(cat a.o) <(cat f.a) -o p && cmp p q; cat a.o | $LD --threads=4 /dev/stdin f.o -o p && cmp p q");
  w.sh("mkfifo pipe; cat f.o > pipe & $LD a.o pipe -o p && cmp p q; $LD -T s.ld a.o f.o -o q && $LD -T <(cat s.ld) a.o f.o -o p && cmp p q");
}, "ar");

paths("an empty file is a script that says nothing, as in GNU ld and lld", (w) => {
  w.write({ ...SOURCES, "empty.o": "" }).sh(`${ASSEMBLE} $LD a.o /dev/null f.o -o p`);
  w.sh("cp empty.o libnothing.a && $LD a.o empty.o f.o -L. -lnothing --whole-archive empty.o -o q && cmp p q");
  if (wield) contains(w.fails("$LD empty.o -o q"), "no input files\n>>> what was given is empty, or scripts that name none\n");
  assert.is(w.elf("p").symbol("f")!.name, "f");
});

paths.run();
