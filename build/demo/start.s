# The demo's entry: no C library, so that it links anywhere. Built with: as -mx86-used-note=yes -o start.o start.s
        .text
        .globl  _start
        .type   _start, @function
_start:
        leaq    greeting(%rip), %rdi
        call    print
        movq    steps@GOTPCREL(%rip), %rbx      # relaxed by the linker: lea steps(%rip), %rbx
        leaq    steps(%rip), %rcx               # out of a shared object: a copy relocation
        xorl    %r12d, %r12d
.Lnext: movq    (%rbx,%r12,8), %rdi
        call    print
        incl    %r12d
        cmpl    $3, %r12d
        jne     .Lnext
        call    hook                            # weak: the default below, unless another object has one
        movl    %eax, %edi
        movl    $60, %eax                       # exit(hook())
        syscall
        .size   _start, .-_start

        .weak   hook
        .type   hook, @function
hook:   .cfi_startproc                          # with unwind information
        xorl    %eax, %eax
        ret
        .cfi_endproc
        .size   hook, .-hook

        .section .rodata.str1.1,"aMS",@progbits,1
greeting:
        .string "hello from a program that wield linked\n"
        .section .note.GNU-stack,"",@progbits
