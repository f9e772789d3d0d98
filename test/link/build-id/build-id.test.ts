/**
 * --build-id in every kind: lengths, stability, dependence on contents, that the last option wins, and -r.
 */

import { assert, behaviour, linkerName } from "../../helpers/link.ts";

const build = behaviour("build id");

build("kinds and lengths", (w) => {
  w.write({ "m.c": "int main(void) { return 0; }", "n.c": "int main(void) { return 1 - 1 + 0 * sizeof(int); } int extra = 3;" }).sh("gcc -c m.c n.c");
  const id = (flags: string, object = "m.o"): string | undefined => {
    w.sh(`gcc -B$B ${object} ${flags} -o m && ./m`);
    return w.elf("m").buildId();
  };
  const sha1 = id("-Wl,--build-id=sha1")!;
  assert.is(sha1.length, 40);
  assert.is(id("-Wl,--build-id=sha1"), sha1, "stable");
  assert.not.equal(id("-Wl,--build-id=sha1", "n.o"), sha1, "of the contents");
  assert.is(id("-Wl,--build-id=md5")!.length, 32);
  assert.is(id("-Wl,--build-id=0xdeadBEEF01"), "deadbeef01");
  assert.is(id("-Wl,--build-id=none"), undefined);
  const uuid = id("-Wl,--build-id=uuid")!;
  assert.is(uuid.length, 32);
  assert.not.equal(id("-Wl,--build-id=uuid"), uuid);
  const usual = id("-Wl,--build-id")!;
  assert.is(usual.length, 40);
  assert.is(id("-Wl,--build-id"), usual, "stable");
  const other = id("-Wl,--build-id", "n.o")!;
  assert.not.equal(other, usual, "of the contents");
  assert.ok([0, 16, 32].every((at) => other.slice(at, at + 8) !== usual.slice(at, at + 8)), "in all its bytes");
  if (linkerName === "wield" || linkerName === "lld") assert.is(id("-Wl,--build-id=fast")!.length, 16);
  if (linkerName === "wield") assert.is(id("-Wl,--build-id -Wl,--no-build-id"), undefined);
  assert.is(id("-Wl,--build-id=sha1 -Wl,--build-id=none"), undefined);
  w.fails("gcc -B$B m.o -Wl,--build-id=nonsense -o bad");
});

build("a note segment holds it", (w) => {
  w.write({ "m.c": "int main(void) { return 0; }" }).sh("gcc m.c -B$B -Wl,--build-id=sha1 -o m && gcc m.c -B$B -static -Wl,--build-id=sha1 -o s");
  for (const name of ["m", "s"]) {
    const elf = w.elf(name);
    const note = elf.need(".note.gnu.build-id");
    assert.ok(elf.segments(4).some((p) => note.addr >= p.vaddr && note.addr + note.size <= p.vaddr + p.memsz));
  }
  assert.match(w.sh("readelf -n m"), /Build ID: [0-9a-f]{40}/);
}, "readelf");

build("-r writes one as well, as kernel modules have it; that of an input is gone from the output", (w) => {
  w.write({ "a.s": ".globl _start\n_start: ret\n.data\n.quad _start\n", "module.lds": "SECTIONS { .text : { *(.text) } .data : { *(.data) } }" }).sh("as a.s -o a.o");
  const id = (flags: string, from = "a.o"): string | undefined => (w.sh(`$LD ${from} ${flags} -o m`), w.elf("m").buildId());
  for (const [kind, length] of [["sha1", 40], ["md5", 32]] as const) assert.is(id(`-r --build-id=${kind}`)!.length, length);
  assert.is(id("-r --build-id=0x1234"), "1234");
  assert.is(id("-r"), undefined);
  const script = id("-r --build-id=sha1 -T module.lds");
  assert.is(script!.length, 40);
  assert.is(id("-r --build-id=sha1 -T module.lds"), script, "stable");
  w.sh("$LD -r --build-id=0x1234 a.o -o r.o");
  assert.is(id("", "r.o"), undefined);
  assert.is(id("--build-id=0x5678", "r.o"), "5678");
  assert.is(w.elf("m").need(".note.gnu.build-id").size, 18 + 2);
  if (linkerName !== "wield") return;
  assert.is(id("-r --build-id=0x5678", "r.o"), "5678");
  const [one, two] = [1, 3].map((threads) => (w.sh(`$LD -r --build-id --threads=${threads} a.o -o t${threads}.o`), w.elf(`t${threads}.o`).buildId()));
  assert.is(one, two);
  assert.is(one!.length, 40);
});

build.run();
