/** What the page can start with: files that are served beside it, assembly, and a command line. */

export interface Example {
  id: string;
  title: string;
  about: string;
  /** Served under examples/, by name. `x.z` is deflated. */
  files: readonly string[];
  /** C files whose objects are among them, to read. */
  sources?: readonly string[];
  /** What is in the editor: it becomes NAME.o. */
  assembly?: { name: string; text: string };
  command: string;
}

const MUSL = ["crt1.o", "crti.o", "crtn.o", "libc.a"];

const PUTS = `# A program in assembly that calls musl's libc.
# Change anything: it is linked as you type.

        .globl  main
        .section .rodata
message:
        .asciz  "Hello from the editor, linked by wield"

        .text
main:
        push    %rbx
        mov     $3, %ebx
again:
        lea     message(%rip), %rdi
        call    puts
        dec     %ebx
        jnz     again
        xor     %eax, %eax
        pop     %rbx
        ret
`;

const SYSCALLS = `# Nothing but the kernel: no libc, no start files.

        .globl  _start
        .data
message:
        .ascii  "Hello, kernel\\n"
        length = . - message

        .text
_start:
        mov     $1, %eax            # write
        mov     $1, %edi
        lea     message(%rip), %rsi
        mov     $length, %edx
        syscall
        mov     $60, %eax           # exit
        xor     %edi, %edi
        syscall
`;

const TYPO = `# greet.o defines print_greeting; below, a letter is
# missing. The message stands at its line, with a hint.

        .globl  main
        .section .rodata
name:   .asciz  "linker"

        .text
main:
        push    %rbx
        lea     name(%rip), %rdi
        call    print_greting
        xor     %eax, %eax
        pop     %rbx
        ret
`;

const command = (output: string, objects: string, options = "--gc-sections "): string => `ld -static ${options}-o ${output} crt1.o crti.o ${objects} libc.a crtn.o`;

export const EXAMPLES: readonly Example[] = [
  { id: "puts", title: "Assembly that calls libc", about: "main in the editor, puts from musl's libc.a", files: MUSL, assembly: { name: "main.s", text: PUTS }, command: command("hello", "main.o") },
  { id: "syscalls", title: "Assembly alone", about: "a program of two system calls", files: [], assembly: { name: "main.s", text: SYSCALLS }, command: "ld -static -o hello main.o" },
  { id: "mandelbrot", title: "C: Mandelbrot set", about: "draws in the terminal; compiled from C", files: ["mandelbrot.o", ...MUSL], sources: ["mandelbrot.c"], command: command("mandelbrot", "mandelbrot.o") },
  { id: "unused", title: "C: unused functions", about: "what --gc-sections drops, and why not more", files: ["area.o", "shapes.o", ...MUSL], sources: ["area.c", "shapes.c"], command: command("area", "area.o shapes.o") },
  { id: "typo", title: "An undefined symbol", about: "a misspelt name, and the linker's hint", files: ["greet.o", ...MUSL], sources: ["greet.c"], assembly: { name: "main.s", text: TYPO }, command: command("greet", "main.o greet.o") },
  { id: "two", title: "C: two objects, no libc", about: "how a symbol of one object is used by another", files: ["count.o", "counter.o"], sources: ["count.c", "counter.c"], command: "ld -static -o count count.o counter.o" },
];

const cache = new Map<string, Promise<Uint8Array>>();

async function fetchBytes(name: string): Promise<Uint8Array> {
  const deflated = name === "libc.a";
  const answer = await fetch(`${import.meta.env.BASE_URL}examples/${name}${deflated ? ".z" : ""}`);
  if (!answer.ok || answer.body === null) throw new Error(`${name}: ${answer.status} ${answer.statusText}`);
  const stream = deflated ? answer.body.pipeThrough(new DecompressionStream("deflate")) : answer.body;
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Fetched once. */
export function exampleFile(name: string): Promise<Uint8Array> {
  let bytes = cache.get(name);
  if (bytes === undefined) cache.set(name, (bytes = fetchBytes(name)));
  bytes.catch(() => cache.delete(name));
  return bytes;
}
