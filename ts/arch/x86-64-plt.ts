/**
 * x86-64: the machine code of procedure linkage tables, beside its disassembly, in all styles.
 *
 * Only bytes and where their fields are; which style a link gets is in ts/synthetic/plt.ts. Sources: psABI ch. 5.2 "Procedure
 * Linkage Table" (plain), CET "Linkage" (IBT: entries that indirect branches may reach begin with endbr64, so a call goes to
 * .plt.sec and the lazy half stays in .plt), LLVM's retpoline note (the loop that speculation is caught in).
 */
import type { PltCode, PltStyle, PltStyleName } from "./arch.ts";

const GOT_ENTRY: PltCode = {
  // prettier-ignore
  bytes: Uint8Array.of(
    0xff, 0x25, 0, 0, 0, 0, //        jmpq   *slot(%rip)          field at 2
    0x66, 0x90, //                    xchg   %ax, %ax
  ),
  slot: 2,
  index: 0,
  header: [],
};

const LAZY_ENTRY: PltCode = {
  // prettier-ignore
  bytes: Uint8Array.of(
    0xff, 0x25, 0, 0, 0, 0, //        jmpq   *slot(%rip)          field at 2
    0x68, 0, 0, 0, 0, //              pushq  $index               field at 7
    0xe9, 0, 0, 0, 0, //              jmpq   .plt                 field at 12
  ),
  slot: 2,
  index: 7,
  header: [12],
};

export const PLAIN: PltStyle = {
  header: {
    // prettier-ignore
    bytes: Uint8Array.of(
      0xff, 0x35, 0, 0, 0, 0, //      pushq  .got.plt+8(%rip)     field at 2
      0xff, 0x25, 0, 0, 0, 0, //      jmpq   *.got.plt+16(%rip)   field at 8
      0x0f, 0x1f, 0x40, 0x00, //      nopl   0(%rax)
    ),
    link: 2,
    resolver: 8,
  },
  entry: LAZY_ENTRY,
  second: null,
  lazy: 6,
  got: GOT_ENTRY,
  // Its lower half never runs; tools know the shape (lld).
  iplt: LAZY_ENTRY,
};

/** An entry of .plt.sec; so are those of .plt.got and .iplt. */
function endbrJump(): PltCode {
  return {
    // prettier-ignore
    bytes: Uint8Array.of(
      0xf3, 0x0f, 0x1e, 0xfa, //          endbr64
      0xff, 0x25, 0, 0, 0, 0, //          jmpq   *slot(%rip)      field at 6
      0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00, // nopw 0(%rax,%rax,1)
    ),
    slot: 6,
    index: 0,
    header: [],
  };
}

function ibt(): PltStyle {
  return {
    header: PLAIN.header,
    entry: {
      // prettier-ignore
      bytes: Uint8Array.of(
        0xf3, 0x0f, 0x1e, 0xfa, //    endbr64
        0x68, 0, 0, 0, 0, //          pushq  $index               field at 5
        0xe9, 0, 0, 0, 0, //          jmpq   .plt                 field at 10
        0x66, 0x90, //                xchg   %ax, %ax
      ),
      slot: 0,
      index: 5,
      header: [10],
    },
    second: endbrJump(),
    lazy: 0,
    got: endbrJump(),
    iplt: endbrJump(),
  };
}

function retpoline(): PltStyle {
  const entry: PltCode = {
    // prettier-ignore
    bytes: Uint8Array.of(
      0x4c, 0x8b, 0x1d, 0, 0, 0, 0, //      movq   slot(%rip), %r11   field at 3
      0xe8, 0x20, 0, 0, 0, //               callq  .plt+0x20          field at 8
      0xe9, 0x12, 0, 0, 0, //               jmpq   .plt+0x12          field at 13
      0x68, 0, 0, 0, 0, //                  pushq  $index             field at 18: the lazy half
      0xe9, 0, 0, 0, 0, //                  jmpq   .plt               field at 23
      0xcc, 0xcc, 0xcc, 0xcc, 0xcc,
    ),
    slot: 3,
    index: 18,
    header: [8, 13, 23],
  };
  return {
    header: {
      // prettier-ignore
      bytes: Uint8Array.of(
        0xff, 0x35, 0, 0, 0, 0, //          pushq  .got.plt+8(%rip)   field at 2
        0x4c, 0x8b, 0x1d, 0, 0, 0, 0, //    movq   .got.plt+16(%rip), %r11   field at 9
        0xe8, 0x0e, 0, 0, 0, //             callq  .plt+0x20
        0xf3, 0x90, //                      pause                     .plt+0x12
        0x0f, 0xae, 0xe8, //                lfence
        0xeb, 0xf9, //                      jmp    .plt+0x12
        0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc,
        0x4c, 0x89, 0x1c, 0x24, //          movq   %r11, (%rsp)       .plt+0x20
        0xc3, //                            retq
        0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc,
      ),
      link: 2,
      resolver: 9,
    },
    entry,
    second: null,
    lazy: 17,
    got: GOT_ENTRY,
    iplt: entry,
  };
}

/** Nothing is bound lazily, so the header is only the thunk. */
function retpolineNow(): PltStyle {
  const entry: PltCode = {
    // prettier-ignore
    bytes: Uint8Array.of(
      0x4c, 0x8b, 0x1d, 0, 0, 0, 0, //      movq   slot(%rip), %r11   field at 3
      0xe9, 0, 0, 0, 0, //                  jmpq   .plt               field at 8
      0xcc, 0xcc, 0xcc, 0xcc,
    ),
    slot: 3,
    index: 0,
    header: [8],
  };
  return {
    header: {
      // prettier-ignore
      bytes: Uint8Array.of(
        0xe8, 0x0b, 0, 0, 0, //             callq  .plt+0x10
        0xf3, 0x90, //                      pause                     .plt+0x5
        0x0f, 0xae, 0xe8, //                lfence
        0xeb, 0xf9, //                      jmp    .plt+0x5
        0xcc, 0xcc, 0xcc, 0xcc,
        0x4c, 0x89, 0x1c, 0x24, //          movq   %r11, (%rsp)       .plt+0x10
        0xc3, //                            retq
        0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc,
      ),
      link: 0,
      resolver: 0,
    },
    entry,
    second: null,
    lazy: -1,
    got: GOT_ENTRY,
    iplt: entry,
  };
}

export function pltOf(style: PltStyleName): PltStyle {
  if (style === "ibt") return ibt();
  if (style === "retpoline") return retpoline();
  return style === "retpoline-now" ? retpolineNow() : PLAIN;
}
