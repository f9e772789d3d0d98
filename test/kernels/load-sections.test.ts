import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ERR_COMPRESSED, ISEC_CONSUMED, ISEC_SYNTHETIC, ISSUE_BAD_OBJECT, SYM_COMMON, SYM_DEFINED, SYM_EXPORTED, SYM_OBJECT, SYM_TLS } from "../../as-kernels/shared/abi.ts";
import { ELFCOMPRESS_ZLIB, ELFCOMPRESS_ZSTD, SHF_ALLOC, SHF_COMPRESSED, SHF_TLS, SHF_WRITE, SHF_X86_64_LARGE, SHN_X86_64_LCOMMON, SHT_NOBITS, ST_INFO, STT_NOTYPE, STT_OBJECT, STT_TLS, SYM_BYTES } from "../../as-kernels/shared/elf.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { kernelMemory, takeIssues } from "../helpers/kernel-memory.ts";

/** Bytes of the section in the file, its Elf64_Chdr included. */
const STORED = 2 << 20;

/** Type, size and alignment in an Elf64_Chdr; whether they can be (gABI ch. 4, SHF_COMPRESSED; deflate makes at most 1032 of one). */
const HEADERS: [number, bigint, bigint, boolean][] = [
  [ELFCOMPRESS_ZLIB, 100n, 8n, true],
  [ELFCOMPRESS_ZLIB, 0n, 0n, true],
  [ELFCOMPRESS_ZSTD, 1n << 30n, 1n, true],
  [ELFCOMPRESS_ZSTD, (1n << 30n) + 1n, 1n, false],
  [ELFCOMPRESS_ZSTD, 1n << 63n, 1n, false],
  [ELFCOMPRESS_ZLIB, 100n, 12n, false],
  [7, 100n, 1n, false],
  [0, 100n, 1n, false],
];

for (const debug of [false, true]) {
  const test = suite(`kernel load-sections ${debug ? "debug" : "release"}`);
  const memory = kernelMemory(debug);
  const { arena, tables, kernels } = memory;

  function set(stored: number, type: number, size: bigint, align: bigint): { size: number; align: number } {
    const isec = allocTable(arena, tables, "isec", 4);
    isec.sh_flags[2] = SHF_COMPRESSED;
    isec.compressed[2] = 1 + stored;
    isec.size[2] = stored;
    const chdr = arena.allocZeroed(24);
    arena.u32[chdr >>> 2] = type;
    arena.u64[(chdr >>> 3) + 1] = size;
    arena.u64[(chdr >>> 3) + 2] = align;
    kernels.setUncompressed(2, chdr);
    return { size: isec.size[2]!, align: isec.align[2]! };
  }

  test("compressed sections have the size and alignment of their header, or say that it cannot be", () => {
    for (const [type, size, align, possible] of HEADERS) {
      const found = set(STORED, type, size, align);
      assert.equal(found, possible ? { size: Number(size), align: align > 1n ? Math.log2(Number(align)) : 0 } : { size: 0, align: 0 }, `${type} ${size} ${align}`);
      assert.equal(takeIssues(memory).map(({ code, a }) => [code, Number(a)]), possible ? [] : [[ISSUE_BAD_OBJECT, ERR_COMPRESSED]]);
    }
    assert.is(set(41, ELFCOMPRESS_ZLIB, 41n * 1032n, 1n).size, 41 * 1032);
    assert.is(set(41, ELFCOMPRESS_ZLIB, 41n * 1032n + 1n, 1n).size, 0);
    assert.is(takeIssues(memory).length, 1);
  });

  test("common symbols get a section each, in the order of the list", () => {
    const isec = allocTable(arena, tables, "isec", 5);
    const gsym = allocTable(arena, tables, "gsym", 6);
    const sym = allocTable(arena, tables, "sym", 6);
    const obj = allocTable(arena, tables, "obj", 10);
    gsym.type.set([0, STT_NOTYPE, STT_OBJECT, STT_TLS, STT_NOTYPE, STT_OBJECT]);
    gsym.obj.set([0, 5, 6, 7, 8, 9]);
    gsym.size.set([0, 10, 20, 30, 40, 50]);
    gsym.align.set([0, 1, 2, 3, 4, 5]);
    obj.symtab.fill(arena.allocZeroed(SYM_BYTES));
    obj.symtab[9] = arena.allocZeroed(SYM_BYTES);
    arena.u32[(obj.symtab[9]! + ST_INFO) >>> 2] = SHN_X86_64_LCOMMON << 16;
    sym.flags.fill(SYM_COMMON | SYM_EXPORTED);
    sym.isec.fill(0);
    isec.live.fill(9);
    const list = arena.alloc(16);
    arena.u32.set([4, 3, 1, 5], list >>> 2);
    kernels.placeCommons(list, 4, 100, 200, 300);
    const row = (i: number): number[] => [isec.obj[i]!, isec.name[i]!, isec.sh_type[i]!, isec.sh_flags[i]!, isec.size[i]!, isec.align[i]!, isec.kind[i]!, isec.live[i]!];
    const at = (name: number, id: number, flags: number): number[] => [4 + id, name, SHT_NOBITS, SHF_ALLOC | SHF_WRITE | flags, 10 * id, id, ISEC_SYNTHETIC, 0];
    assert.equal([1, 2, 3, 4].map(row), [at(100, 4, 0), at(200, 3, SHF_TLS), at(100, 1, 0), at(300, 5, SHF_X86_64_LARGE)]);
    assert.equal([...sym.isec], [0, 3, 0, 2, 1, 4]);
    assert.equal([1, 2, 3, 4, 5].map((id) => gsym.type[id]), [STT_OBJECT, STT_OBJECT, STT_TLS, STT_OBJECT, STT_OBJECT]);
    const common = SYM_COMMON | SYM_EXPORTED;
    const data = SYM_DEFINED | SYM_EXPORTED | SYM_OBJECT;
    assert.equal([...sym.flags], [common, data, common, SYM_DEFINED | SYM_EXPORTED | SYM_TLS, data, data]);
  });

  test("the next .sframe that is to be merged, or the end", () => {
    const { kind, name, sh_flags } = allocTable(arena, tables, "isec", 6);
    kind.set([0, ISEC_CONSUMED, ISEC_CONSUMED, 0, ISEC_CONSUMED, ISEC_CONSUMED]);
    name.set([0, 0, arena.put(".sframe\0"), arena.put(".sframe\0"), arena.put(".sframes\0"), arena.put(".sframe\0")]);
    sh_flags.fill(SHF_ALLOC);
    assert.equal([1, 2, 3, 5].map((from) => kernels.nextSframe(from, 6)), [2, 2, 5, 5]);
    sh_flags.fill(0);
    assert.is(kernels.nextSframe(1, 6), 6);
  });

  test("the next compressed section, or the end", () => {
    const { compressed } = allocTable(arena, tables, "isec", 6);
    compressed.set([0, 0, 9, 0, 9, 0]);
    assert.equal([1, 2, 3, 5].map((from) => kernels.nextCompressed(from, 6)), [2, 2, 4, 6]);
  });

  test.run();
}
