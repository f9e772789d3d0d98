/**
 * Archives of large links, which threads walk and read at once: the result must be that of a link with one thread, which looks at every
 * member header before it reads anything. WIELD_ALL_THREADS=1 (test/helpers/tools.ts) makes small links with --threads=N do the same.
 */

import { createHash } from "node:crypto";
import { archive, type Member } from "../../helpers/object.ts";
import { assert, behaviour, contains, linkerName, type Workspace } from "../../helpers/link.ts";
import { prng } from "../../helpers/prng.ts";
import { member, object, randomArchive, type Spec } from "../../helpers/random-archives.ts";

const walked = behaviour("walked archives");

/** Opens all archives, as large links do. */
const OPEN = "--require-defined=_start";

/** Status, messages, symbols and bytes of a link. */
function link(w: Workspace, args: string, threads: number): string {
  const name = `out${threads}`;
  const { status, stdout, stderr } = w.try(`rm -f ${name}; timeout 60 $LD ${args} ${OPEN} --threads=${threads} -o ${name}`);
  const symbols = w.exists(name) ? w.elf(name).symtab().map((symbol) => `${symbol.name} ${symbol.bind} ${symbol.value}`) : [];
  const digest = w.exists(name) ? createHash("sha256").update(w.bytes(name)).digest("hex") : "";
  return [status, stdout, stderr, ...symbols, digest].join("\n");
}

function check(w: Workspace, args: string, place: string, threads = [2]): string {
  const one = link(w, args, 1);
  for (const n of threads) assert.is(link(w, args, n), one, `${place}, ${n} threads`);
  return one;
}

/** Members that refer to one another, with sizes on both sides of what is read whole; those without a definition are in no index. */
const SPECS: Spec[] = [
  { defines: ["one"], refers: ["two"] },
  { defines: [], refers: ["nowhere"] },
  { defines: ["two"], refers: ["three"], bytes: 100_000 },
  { defines: ["unwanted"], refers: ["nowhere"], bytes: 200_000 },
  { defines: [], refers: [], bytes: 90_001 },
  { defines: ["three"], refers: ["four"] },
  { defines: ["four"], refers: [], bytes: 65_437 },
  { defines: [], refers: ["nothing"] },
];

const named = (specs: readonly Spec[], name = (i: number): string => (i % 2 === 0 ? `m${i}.o` : `a_name_of_many_letters_${i}.o`)): Member[] => specs.map((spec, i) => ({ ...member(name(i), spec), symbols: spec.defines }));

walked("one thread or more, small members or large, in an index or not: the same bytes", (w) => {
  w.write({ "main.o": object({ defines: ["_start"], refers: ["one"] }), "lib.a": archive(named(SPECS)) });
  for (const options of ["", "--gc-sections", "--whole-archive --warn-unresolved-symbols", "-shared", "-r", "--exclude-libs=ALL -pie"]) {
    const args = options.startsWith("--whole") ? `main.o ${options} lib.a` : `main.o lib.a ${options}`;
    contains(check(w, args, options, [2, 3]), "three");
  }
  contains(check(w, "-L. -l:lib.a main.o", "found by name"), "three");
});

walked("archives among objects and scripts: ids are given in command-line order", (w) => {
  const random = prng(20261123);
  const names = [..."abc"].flatMap((letter) => Array.from({ length: 12 }, (_, i) => `${letter}_${i}`));
  for (let round = 0; round < 6; round++) {
    for (const letter of "abc") {
      const members = randomArchive(random, letter, names).map((each) => ({ ...each, symbols: random.chance(0.9) ? [`${letter}_0`] : [] }));
      w.write({ [`lib${letter}.a`]: archive(members, { index64: random.chance(0.2) }) });
    }
    w.write({ "main.o": object({ defines: ["_start"], refers: [random.pick(names), random.pick(names)] }), "other.o": object({ defines: ["other"], refers: [random.pick(names)] }), "both.ld": "INPUT(other.o libb.a)" });
    const order = random.pick(["main.o liba.a both.ld libc.a", "libc.a both.ld main.o liba.a", "liba.a libc.a both.ld main.o", "--whole-archive liba.a --no-whole-archive main.o both.ld libc.a liba.a"]);
    check(w, `${order} --noinhibit-exec --allow-multiple-definition --warn-unresolved-symbols`, `round ${round}`, [2, 3]);
  }
});

walked("what an index says of places changes nothing", (w) => {
  const whole = archive(named(SPECS));
  const count = new DataView(whole.buffer).getUint32(68);
  const random = prng(5);
  w.write({ "main.o": object({ defines: ["_start"], refers: ["one"] }), "lib.a": whole });
  const right = check(w, "main.o lib.a", "right");
  const lies: [string, (i: number, place: number) => number][] = [
    ["zero", () => 0], ["far", () => 0xfffffff0], ["in the middle", (_, place) => place + 30], ["behind", (i) => whole.length + i], ["first", () => 68 + 4],
    ["any", () => random.below(whole.length)], ["dense", (i) => 200 + i],
  ];
  for (const [name, place] of lies) {
    const bytes = whole.slice();
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < count; i++) view.setUint32(72 + 4 * i, place(i, view.getUint32(72 + 4 * i)));
    w.write({ "lib.a": bytes });
    assert.is(check(w, "main.o lib.a", name), right, name);
  }
});

walked("an archive with more members than its index lets expect", (w) => {
  const hidden = Array.from({ length: 40 }, (): Spec => ({ defines: [], refers: ["nowhere"] }));
  w.write({ "main.o": object({ defines: ["_start"], refers: ["one"] }), "lib.a": archive(named([...SPECS, ...hidden])) });
  contains(check(w, "main.o lib.a", "hidden"), "three");
  w.write({ "lib.a": archive(named([{ defines: ["one"], refers: [] }, ...hidden])) });
  check(w, "main.o lib.a", "one and hidden");
});

walked("members that are no objects of this link are spoken of, in their order", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "main.o": object({ defines: ["_start"], refers: ["one"] }) });
  const foreign = object({ defines: ["foreign"], refers: [] });
  foreign[18] = 183;
  const text = new TextEncoder().encode("plain text\n");
  for (const data of [text, foreign, foreign.slice(0, 30), new Uint8Array(0), new TextEncoder().encode("BC\xc0\xde")]) {
    const members = named(SPECS);
    members.splice(3, 0, { name: "odd.o", data });
    w.write({ "odd.a": archive(members), "lib.a": archive(named(SPECS)) });
    contains(check(w, "main.o odd.a lib.a", "odd"), "odd.o");
  }
  // A library for another machine is passed over when it is looked for.
  w.write({ "a/libx.a": archive([{ name: "odd.o", data: foreign, symbols: ["foreign"] }]), "b/libx.a": archive(named(SPECS)) });
  contains(check(w, "main.o -La -Lb -lx", "passed over"), "three");
});

walked("an archive that is broken is refused as with one thread", (w) => {
  const whole = archive(named(SPECS, (i) => `a_name_of_many_letters_${i}.o`));
  const members = named(SPECS);
  const starts: number[] = [];
  for (let at = 8; at < whole.length; ) {
    starts.push(at);
    at += 60 + Number(String.fromCharCode(...whole.subarray(at + 48, at + 58)));
    at += at & 1;
  }
  assert.is(starts.length, members.length + 2);
  w.write({ "main.o": object({ defines: ["_start"], refers: ["one"] }) });
  const random = prng(11);
  const broken: [string, Uint8Array][] = [70, 100, starts[1]! + 30, starts[1]! + 100, starts[3]! + 10, starts[4]! + 30_000, whole.length - 1].map((end) => [`cut at ${end}`, whole.slice(0, end)]);
  for (let i = 0; i < 14; i++) {
    const bytes = whole.slice();
    // Archive headers, ELF headers and section headers.
    const k = 2 + random.below(members.length);
    const at = random.chance(0.5) ? starts[k]! + random.below(124) : (starts[k + 1] ?? bytes.length) - 1 - random.below(600);
    bytes[at] = random.chance(0.3) ? 255 : random.below(256);
    broken.push([`byte ${at} of ${whole.length}`, bytes]);
  }
  for (const [name, bytes] of broken) {
    w.write({ "lib.a": bytes });
    const out = check(w, "main.o lib.a", name);
    assert.not(/Error:|    at |RangeError/.test(out), `${name}: ${out}`);
  }
});

walked.run();
