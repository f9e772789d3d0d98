# dist/driver/ld on Linux x86-64: execve of Node, as launcher.ts describes, without the millisecond that a shell takes to do so. It is linked by
# wield where wield is installed, with a file of words, each ended by a zero: Node's path, then its flags.
# Built with: as -o launcher.o launcher.s
        .set    SYS_write, 1
        .set    SYS_execve, 59
        .set    SYS_exit, 60
        .set    SYS_readlink, 89
        .set    AT_EXECFN, 31                   # the path that execve was given
        .set    PATH_MAX, 4096
        .set    NAME_MAX, 255

        .text
        .globl  _start
        .type   _start, @function
_start: movq    (%rsp), %r12                    # argc
        leaq    8(%rsp), %r13                   # argv
        leaq    16(%rsp,%r12,8), %r14           # envp

# The name that we were called by, while there is an auxiliary vector.
        movq    (%r13), %rbx
        movq    %r14, %rsi
.Lenvp: lodsq
        testq   %rax, %rax
        jnz     .Lenvp
.Lauxv: lodsq
        movq    %rax, %rcx
        lodsq
        cmpq    $AT_EXECFN, %rcx
        cmoveq  %rax, %rbx
        testq   %rcx, %rcx
        jnz     .Lauxv

# The environment without Node's, and with that name; the end of envp moves over the auxiliary vector, which execve makes anew.
        movq    %r14, %rsi
        movq    %r14, %rdi
.Lkeep: lodsq
        testq   %rax, %rax
        jz      .Lset
        leaq    dropped(%rip), %rdx
        movq    %rsi, %r8
.Lone:  movq    %rax, %rsi
.Lsame: movb    (%rdx), %cl
        cmpb    (%rsi), %cl
        jne     .Lother
        incq    %rdx
        incq    %rsi
        cmpb    $'=', %cl
        jne     .Lsame
        movq    %r8, %rsi
        jmp     .Lkeep
.Lother:
        cmpb    $'=', (%rdx)
        leaq    1(%rdx), %rdx
        jne     .Lother
        cmpb    $0, (%rdx)
        jne     .Lone
        movq    %r8, %rsi
        stosq
        jmp     .Lkeep
.Lset:  leaq    called(%rip), %rax
        stosq
        xorl    %eax, %eax
        stosq
        movq    %rbx, %rsi
.Lbase: movq    %rsi, %rdx                      # behind the last slash
.Lnext: lodsb
        cmpb    $'/', %al
        je      .Lbase
        testb   %al, %al
        jnz     .Lnext
        movq    %rdx, %rsi
        leaq    called_name(%rip), %rdi
        movl    $NAME_MAX, %ecx
.Lcopy: lodsb
        stosb
        testb   %al, %al
        loopnz  .Lcopy

# cli.cjs is beside the folder that we are in, whatever links led here.
        leaq    self(%rip), %rdi
        leaq    cli(%rip), %rsi
        movl    $PATH_MAX, %edx
        movl    $SYS_readlink, %eax
        syscall
        testq   %rax, %rax
        jns     .Lfile
        movq    %rbx, %rsi                      # no /proc
        leaq    cli(%rip), %rdi
        movl    $PATH_MAX, %ecx
.Lpath: lodsb
        stosb
        testb   %al, %al
        loopnz  .Lpath
        leaq    cli(%rip), %rax
        subq    %rax, %rdi
        movq    %rdi, %rax
.Lfile: leaq    cli(%rip), %rdi
        addq    %rax, %rdi
.Ldir:  cmpb    $'/', -1(%rdi)
        je      .Lbeside
        decq    %rdi
        leaq    cli(%rip), %rax
        cmpq    %rax, %rdi
        ja      .Ldir
.Lbeside:
        leaq    beside(%rip), %rsi
        movl    $beside_size, %ecx
        rep movsb

# Node's words, cli.cjs, our arguments: not more of them than bytes of words and arguments, and an end.
        leaq    _binary_words_end(%rip), %rdx
        leaq    _binary_words_start(%rip), %rsi
        movq    %rdx, %rax
        subq    %rsi, %rax
        leaq    4(%rax,%r12), %rax
        shlq    $3, %rax
        subq    %rax, %rsp
        andq    $-16, %rsp
        movq    %rsp, %rdi
.Lword: movq    %rsi, %rax
        stosq
.Lend:  lodsb
        testb   %al, %al
        jnz     .Lend
        cmpq    %rdx, %rsi
        jb      .Lword
        leaq    -8(%rdi), %rbp                  # the place before cli.cjs
        leaq    cli(%rip), %rax
        stosq
        leaq    8(%r13), %rsi
.Larg:  lodsq                                   # as far as its null
        stosq
        testq   %rax, %rax
        jnz     .Larg
        leaq    _binary_words_start(%rip), %rdi
        movq    %rsp, %rsi
        call    .Lexec

# That Node is gone: the one on PATH, which the shell finds: sh -c 'exec node "$0" "$@"' cli.cjs …
        leaq    -16(%rbp), %rsi
        leaq    sh(%rip), %rdi
        movq    %rdi, (%rsi)
        leaq    option(%rip), %rax
        movq    %rax, 8(%rsi)
        leaq    command(%rip), %rax
        movq    %rax, 16(%rsi)
        call    .Lexec
        movl    $2, %edi
        leaq    failed(%rip), %rsi
        movl    $failed_size, %edx
        movl    $SYS_write, %eax
        syscall
        movl    $127, %edi
        movl    $SYS_exit, %eax
        syscall

.Lexec: movq    %r14, %rdx
        movl    $SYS_execve, %eax
        syscall
        ret
        .size   _start, .-_start

        .section .rodata,"a",@progbits
dropped:
        .asciz  "NODE_OPTIONS=NODE_EXTRA_CA_CERTS=WIELD_CALLED="
self:   .asciz  "/proc/self/exe"
beside: .asciz  "../cli.cjs"
        .set    beside_size, .-beside
sh:     .asciz  "/bin/sh"
option: .asciz  "-c"
command:
        .asciz  "exec node \"$0\" \"$@\""
failed: .ascii  "wield: error: cannot start node\n"
        .set    failed_size, .-failed

        .data
called: .ascii  "WIELD_CALLED="
called_name:
        .zero   NAME_MAX + 1

        .bss
cli:    .zero   PATH_MAX + beside_size
        .section .note.GNU-stack,"",@progbits
