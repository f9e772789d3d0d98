# A table of pointers into mergeable strings. Built with: as -o steps.o steps.s
        .section .data.rel.ro.steps,"aw",@progbits
        .globl  steps
        .type   steps, @object
        .p2align 3
steps:  .quad   .Lone
        .quad   .Ltwo
        .quad   .Lthree
        .size   steps, .-steps

        .section .rodata.str1.1,"aMS",@progbits,1
.Lone:  .string "  its strings were merged\n"
.Ltwo:  .string "  its GOT load was relaxed to a lea\n"
.Lthree:
        .string "  its unused code is gone\n"
        .section .note.GNU-stack,"",@progbits
