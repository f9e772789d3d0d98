# What a C library brings besides ordinary code. Built with: as -mx86-used-note=no -o library.o library.s
        .section .note.gnu.property,"a",@note
        .p2align 3
        .long   4, 2f - 1f, 5
        .asciz  "GNU"
1:      .long   0xc0000002, 4, 3, 0             # features: IBT, SHSTK
        .long   0xc0008002, 4, 1, 0             # needs no more than a baseline processor
2:
        .section .init,"ax",@progbits
        .globl  _init
_init:  ret
        .section .fini,"ax",@progbits
        .globl  _fini
_fini:  ret

        .text
        .globl  length
        .type   length, @gnu_indirect_function
length: leaq    .Llength(%rip), %rax
        ret
        .size   length, .-length
        .type   .Llength, @function
.Llength:
        movq    __stop_hooks@GOTPCREL(%rip), %rax
        movq    __start_hooks@GOTPCREL(%rip), %rcx
        subq    %rcx, %rax
        ret
        .globl  library
        .type   library, @function
library:
        .cfi_startproc
        call    length
        leaq    __ehdr_start(%rip), %rax
        leaq    __init_array_start(%rip), %rax
        leaq    __init_array_end(%rip), %rax
        leaq    _end(%rip), %rax
        leaq    _etext(%rip), %rax
        leaq    _edata(%rip), %rax
        leaq    __bss_start(%rip), %rax
        ret
        .cfi_endproc
        .size   library, .-library

        .section hooks,"a",@progbits
        .p2align 3
        .quad   0
        .section .tbss,"awT",@nobits
        .zero   8
        .section .data.rel,"aw",@progbits
        .p2align 3
        .quad   length
        .section .gnu.warning.never,"",@progbits
        .ascii  "nobody calls it, so this is not said"
        .section .text._copy,"axG",@progbits,_copy,comdat
        .weak   _copy
        .type   _copy, @function
_copy:  ret
        .size   _copy, .-_copy
        .ident  "by hand"
        .section .note.GNU-stack,"",@progbits
