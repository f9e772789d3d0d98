# What the start files of a C library and a compiler's objects have besides code. Built with: as -o runtime.o runtime.s
        .section .note.ABI-tag,"a",@note
        .long   4, 16, 1
        .asciz  "GNU"
        .long   0, 3, 2, 0

        .text
        .globl  runtime
        .type   runtime, @function
runtime:
        .cfi_startproc
        pushq   %rbx
        .cfi_def_cfa_offset 16
        movq    __gmon_start__@GOTPCREL(%rip), %rax
        testq   %rax, %rax
        je      .Lnone
        call    *%rax
.Lnone: leaq    .Ltext(%rip), %rdi
        call    print@PLT
        movq    steps@GOTPCREL(%rip), %rax
        movss   .Lfour(%rip), %xmm0
        movq    counter@GOTPCREL(%rip), %rcx
        leaq    .Llong(%rip), %rdi
        movq    own@GOTTPOFF(%rip), %rdx
        call    inlined@PLT
        popq    %rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
        .size   runtime, .-runtime
        .weak   __gmon_start__

        .section .text.startup,"ax",@progbits
begin:  .cfi_startproc
        jmp     runtime@PLT
        .cfi_endproc

        .section .init,"ax",@progbits
        nop
        .section .init_array.00200,"aw",@init_array
        .p2align 3
        .quad   begin
        .section .init_array,"aw",@init_array
        .p2align 3
        .quad   begin
        .section .fini_array,"aw",@fini_array
        .p2align 3
        .quad   begin

        .section .rodata.str1.1,"aMS",@progbits,1
.Ltext: .string "a runtime\n"
.Llong: .rept   40
        .ascii  "long and "
        .endr
        .string "longer\n"
        .section .rodata.cst4,"aM",@progbits,4
.Lfour: .float  4
        .data
        .globl  pointer
pointer:
        .quad   counter
        .comm   counter, 4, 4
        .ident  "by hand"
        .section .tdata,"awT",@progbits
        .globl  own
        .type   own, @tls_object
own:    .long   1
        .section .text.inlined,"axG",@progbits,inlined,comdat
        .weak   inlined
        .type   inlined, @function
inlined:
        ret
        .section .note.GNU-stack,"",@progbits
