/**
 * Contexts load archives as a whole where a link loads only members that can have a say (scanned-archives): the bytes are the same all the
 * same, names are in the order of all members.
 */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { R_X86_64_PLT32, SHF_ALLOC, SHF_WRITE, STV_HIDDEN } from "../../as-kernels/shared/elf.ts";
import type { LinkOptions } from "../../ts/api/types.ts";
import { memoryFS } from "../../ts/index.ts";
import { archive, ObjectBuilder } from "../helpers/object.ts";
import { prng } from "../helpers/prng.ts";
import { member, object, randomArchive } from "../helpers/random-archives.ts";
import { contextOf, disposeContexts, sameAsCold, type Files } from "../helpers/relinks.ts";

const test = suite("api/relink-archives");
test.after.each(disposeContexts);

async function check(files: Files, args: string[], what: string): Promise<boolean> {
  const options: LinkOptions = { args, output: "out", fs: memoryFS(files) };
  const warm = await (await contextOf(options)).relink({ throwOnError: false });
  await sameAsCold(warm, options, files, what);
  return warm.ok;
}

test("whatever refers to whatever, a context links what a link does", async () => {
  const random = prng(20261122);
  const names = [..."abc"].flatMap((letter) => Array.from({ length: 12 }, (_, i) => `${letter}_${i}`));
  const orders = ["main.o liba.a libb.a libc.a", "libc.a main.o libb.a liba.a", "liba.a libb.a libc.a main.o"];
  let linked = 0;
  for (let round = 0; round < 30; round++) {
    const files: Files = { "main.o": object({ defines: ["_start"], refers: [random.pick(names), random.pick(names)], common: random.chance(0.5) ? ["common0"] : [] }) };
    for (const letter of "abc") files[`lib${letter}.a`] = archive(randomArchive(random, letter, names), { index: true, index64: random.chance(0.3) });
    const kind = random.pick([["--noinhibit-exec"], ["-shared"], ["-pie", "--unresolved-symbols=ignore-all"]]);
    const ok = await check(files, [...kind, "--allow-multiple-definition", ...random.pick(orders).split(" ")], `round ${round}, ${kind.join(" ")}`);
    linked += Number(ok);
  }
  assert.ok(linked > 20, `${linked} links`);
});

test("archives that nobody refers to stay closed for both, also where a symbol is missing or an index is stale", async () => {
  const unwanted = archive([member("u.o", { defines: ["unwanted"], refers: ["b", "a"] })], { index: true });
  const stale = archive([{ ...member("s.o", { defines: ["other"], refers: ["b", "a"] }), symbols: ["missing"] }], { index: true });
  const files = { "m.o": object({ defines: ["_start", "a", "b"], refers: ["missing"] }), "u.a": unwanted, "s.a": stale };
  for (const args of [["-shared", "u.a", "m.o"], ["--noinhibit-exec", "u.a", "m.o"], ["-shared", "s.a", "u.a", "m.o"], ["u.a", "s.a", "m.o"]]) await check(files, args, args.join(" "));
});

test("the OS/ABI is that of what is linked, also when an object comes with another one", async () => {
  const of = (osabi: number, data: Uint8Array): Uint8Array => data.with(7, osabi);
  const lib = archive([{ ...member("u.o", { defines: ["unwanted"], refers: ["b"] }) }, member("a.o", { defines: ["a"], refers: ["missing"] })].map((each) => ({ ...each, data: of(3, each.data) })), { index: true });
  const [plain, grown] = [object({ defines: ["_start", "b"], refers: [] }), object({ defines: ["_start", "b", "more"], refers: [] })];
  const files: Files = { "m.o": plain, "u.a": lib };
  const options: LinkOptions = { args: ["u.a", "m.o"], output: "out", fs: memoryFS(files) };
  const context = await contextOf(options);
  assert.is((await context.relink()).output[7], 0);
  for (const [data, osabi] of [[of(12, plain), 12], [of(9, plain), 9], [of(9, grown), 9], [of(0, grown), 0], [of(6, grown), 6]] as const) {
    context.update({ "m.o": data });
    const warm = await context.relink();
    await sameAsCold(warm, options, { ...files, "m.o": data }, `OS/ABI ${osabi}`);
    assert.is(warm.output[7], osabi);
  }
});

test("a definition that comes with an edit opens the archive that has the name, too", async () => {
  const lib = archive([member("s.o", { defines: ["spare"], refers: ["b"] })], { index: true });
  const contents = (names: string[]): Uint8Array => {
    const made = new ObjectBuilder();
    made.symbol("_start", { in: made.text(new Uint8Array(16)) });
    for (const name of ["a", "b"]) made.common(name, 16, 8);
    for (const name of names) made.symbol(name, { in: made.section(`.data.${name}`, { flags: SHF_ALLOC | SHF_WRITE, data: [1] }) });
    return made.bytes();
  };
  const files: Files = { "m.o": contents([]), "lib.a": lib };
  const options: LinkOptions = { args: ["--allow-multiple-definition", "lib.a", "m.o"], output: "out", fs: memoryFS(files) };
  const context = await contextOf(options);
  await context.relink();
  for (const names of [["other"], ["other", "spare"], ["spare"]]) {
    context.update({ "m.o": contents(names) });
    await sameAsCold(await context.relink(), options, { ...files, "m.o": contents(names) }, names.join());
  }
});

test("an archive with a member that is broken is opened by both; names like one that is missing are looked for in all members", async () => {
  const broken = member("broken.o", { defines: ["c"], refers: [] });
  new DataView(broken.data.buffer).setUint16(60, 0xffff, true);
  const files = { "m.o": object({ defines: ["_start"], refers: ["a"] }), "o.a": archive([member("a.o", { defines: ["a"], refers: [] }), broken], { index: true }) };
  assert.ok(await check(files, ["m.o", "o.a"], "a broken member"));
  const hidden = new ObjectBuilder();
  hidden.reloc(hidden.text(new Uint8Array(8)), 0, R_X86_64_PLT32, hidden.symbol("recieve", { visibility: STV_HIDDEN }));
  const near = archive([member("a.o", { defines: ["a"], refers: [] }), member("r.o", { defines: ["receive"], refers: [] })], { index: true });
  await check({ ...files, "h.o": hidden.bytes(), "o.a": near }, ["--unresolved-symbols=ignore-all", "m.o", "h.o", "o.a"], "a near name");
});

test.run();
