# write(1, text, strlen(text)). Built with: as -o print.o print.s
        .section .text.print,"ax",@progbits
        .globl  print
        .type   print, @function
print:
        movq    %rdi, %rsi
        xorl    %edx, %edx
.Lscan: cmpb    $0, (%rsi,%rdx)
        je      .Ldone
        incq    %rdx
        jmp     .Lscan
.Ldone: movl    $1, %edi
        movl    $1, %eax
        syscall
        ret
        .size   print, .-print

        .section .text.unused,"ax",@progbits
        .globl  unused                          # nobody calls it: --gc-sections drops it
        .type   unused, @function
unused: jmp     does_not_exist
        .size   unused, .-unused
        .section .note.GNU-stack,"",@progbits
