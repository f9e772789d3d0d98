/**
 * Archives of small links, of which only the members are loaded that can have a say in the link: the result must be that of a link which
 * loads all members, as every link with --trace-symbol does. Archives are made here, whole and broken.
 */

import { createHash } from "node:crypto";
import { archive } from "../../helpers/object.ts";
import { assert, behaviour, contains, linkerName, type Workspace } from "../../helpers/link.ts";
import { prng } from "../../helpers/prng.ts";
import { member, object, randomArchive, type Spec } from "../../helpers/random-archives.ts";

const scanned = behaviour("scanned archives");

/** Both ways of linking: status, messages, symbols and bytes of the output: names come in the same order, whoever is loaded. */
function both(w: Workspace, args: string): [string, string] {
  const link = (name: string, more: string): string => {
    const { status, stdout, stderr } = w.try(`rm -f ${name}; timeout 60 $LD ${args} ${more} -o ${name}`);
    const symbols = w.exists(name) ? w.elf(name).symtab().map((symbol) => `${symbol.name} ${symbol.bind} ${symbol.value}`) : [];
    const digest = w.exists(name) ? createHash("sha256").update(w.bytes(name)).digest("hex") : "";
    return [status, stdout, stderr, ...symbols, digest].join("\n");
  };
  return [link("few", ""), link("all", "--trace-symbol=not_there")];
}

function check(w: Workspace, args: string, place: string): string {
  const [few, all] = both(w, args);
  assert.is(few, all, place);
  return few;
}

scanned("whatever refers to whatever, the same members are taken as when all are loaded", (w) => {
  if (linkerName !== "wield") return;
  const random = prng(20261122);
  const names = [..."abc"].flatMap((letter) => Array.from({ length: 12 }, (_, i) => `${letter}_${i}`));
  for (let round = 0; round < 8; round++) {
    for (const letter of "abc") w.write({ [`lib${letter}.a`]: archive(randomArchive(random, letter, names), { index: true, index64: random.chance(0.3) }) });
    w.write({ "main.o": object({ defines: ["_start"], refers: [random.pick(names), random.pick(names)], common: random.chance(0.5) ? ["common0"] : [] }) });
    const order = random.pick(["main.o liba.a libb.a libc.a", "libc.a main.o libb.a liba.a", "liba.a libb.a libc.a main.o"]);
    check(w, `${order} --noinhibit-exec --allow-multiple-definition --warn-unresolved-symbols`, `round ${round}`);
  }
});

const CHAIN: Spec[] = [
  { defines: ["one"], refers: ["two"] },
  { defines: ["unwanted"], refers: ["nowhere"] },
  { defines: ["two"], refers: ["three"], bytes: 100_000 },
  { defines: [], refers: ["nowhere"] },
  { defines: ["three"], refers: [] },
];

scanned("members that nobody can want are not loaded, wanted ones are, large or small", (w) => {
  w.write({ "main.o": object({ defines: ["_start"], refers: ["one"] }), "lib.a": archive(CHAIN.map((spec, i) => member(`m${i}.o`, spec))) });
  const out = check(w, "main.o lib.a", "chain");
  contains(out, "one", "two", "three");
  assert.not(/unwanted|nowhere/.test(out));
});

scanned("an index that says nothing, or something else, costs no symbol", (w) => {
  if (linkerName === "bfd") return;
  const members = CHAIN.map((spec, i) => member(`m${i}.o`, spec));
  const indexed = (symbols: (i: number) => string[]): Uint8Array => archive(members.map((each, i) => ({ ...each, symbols: symbols(i) })), { index: true });
  w.write({ "main.o": object({ defines: ["_start"], refers: ["one"] }) });
  const stale = { silent: () => [], lying: () => ["main"], partial: (i: number) => (i === 0 ? ["one"] : []), swapped: (i: number) => (i === 1 ? ["one"] : ["nothing"]) };
  for (const [name, symbols] of Object.entries(stale)) {
    w.write({ "lib.a": indexed(symbols) });
    const out = check(w, "main.o lib.a", name);
    contains(out, "one", "two", "three");
  }
});

scanned("options that name symbols find them in members: -u, --entry, --wrap, --defsym", (w) => {
  w.write({ "main.o": object({ defines: ["_start"], refers: ["one"] }), "lib.a": archive([...CHAIN, { defines: ["__wrap_three"], refers: ["__real_three"] }].map((spec, i) => member(`m${i}.o`, spec))) });
  for (const options of ["-u unwanted --warn-unresolved-symbols", "--entry=two", "--wrap=three", "--defsym=alias=two", "--undefined=three --exclude-libs=ALL", "-pie", "-shared", "-r"]) check(w, `main.o lib.a ${options}`, options);
});

scanned("an archive that is broken is refused as it ever was", (w) => {
  const whole = archive(CHAIN.map((spec, i) => member(`a_name_of_many_letters_${i}.o`, spec)));
  w.write({ "main.o": object({ defines: ["_start"], refers: ["one"] }) });
  const random = prng(7);
  const broken: [string, Uint8Array][] = [100, 1000, 1500, whole.length - 500, whole.length - 1].map((end) => [`cut at ${end}`, whole.slice(0, end)]);
  for (let i = 0; i < 8; i++) {
    const bytes = whole.slice();
    // Headers rather than code: what is in front, and what follows the large member.
    for (let k = 0; k < 3; k++) bytes[random.chance(0.6) ? 68 + random.below(2200) : whole.length - 1 - random.below(3000)] = random.below(256);
    broken.push([`bytes ${i}`, bytes]);
  }
  for (const [name, bytes] of broken) {
    w.write({ "lib.a": bytes });
    const [few, all] = both(w, "main.o lib.a");
    assert.not(/Error:|    at |RangeError/.test(few), `${name}: ${few}`);
    // A member that nobody wants may be broken inside.
    if (!few.startsWith("0\n")) assert.is(few, all, name);
  }
});

scanned("members that are no objects are spoken of", (w) => {
  if (linkerName !== "wield") return;
  const members = [...CHAIN.map((spec, i) => member(`m${i}.o`, spec)), { name: "readme.txt", data: new TextEncoder().encode("plain text\n") }];
  w.write({ "main.o": object({ defines: ["_start"], refers: ["one"] }), "lib.a": archive(members) });
  contains(check(w, "main.o lib.a", "text"), "readme.txt", "three");
});

scanned.run();
