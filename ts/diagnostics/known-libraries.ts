/**
 * Libraries that people forget, by names that are theirs: said beside an undefined symbol when no such library is in the link.
 *
 * Only for people: nothing is decided by it, and what no pattern knows gets no hint.
 */
import type { ByteString } from "../args/link-options.ts";

interface KnownLibrary {
  /** Its names, as they stand in symbol tables. */
  symbols: RegExp;
  /** Paths of files that are this library. */
  files: RegExp;
  hint: string;
}

const LIBRARIES: KnownLibrary[] = [
  {
    // Of namespace std, of the C++ ABI, operator new and delete.
    symbols: /^(_Z(N?K?St|N?K?S[absiod]|T[VIS]St|TVN10__cxxabiv1|n[wa]m|d[la]Pv)|__cxa_(?!atexit|finalize)|__gxx_personality_v0$)/,
    files: /\/lib(std)?c\+\+[^/]*$/,
    hint: "the C++ standard library has it: link with g++ or clang++, or with -lstdc++",
  },
  {
    symbols: /^(a?(sin|cos|tan)h?|atan2|exp(2|m1)?|log(2|10|1p|b)?|pow|sqrt|cbrt|hypot|fmod|remainder|fma|erfc?|[lt]gamma|floor|ceil|round|trunc|l?lr(int|ound)|(nearby|r)int)[fl]?$/,
    files: /\/libm[.-][^/]*$/,
    hint: "the mathematical library has it: link with -lm",
  },
  {
    symbols: /^(v?f?printf|__printf_chk|puts|putchar|fopen|malloc|calloc|realloc|free|mem(cpy|set|move|cmp)|str(len|cmp|cpy|dup)|exit|abort|__libc_start_main|__stack_chk_fail|__errno_location)$/,
    files: /\/(libc|ld-musl)[.-][^/]*$/,
    hint: "no C library is in the link: compilers add it when they start the linker (gcc -B DIR, clang --ld-path=FILE)",
  },
];

/** The hint for an undefined symbol, null = none is known; `files`: paths of all that is in the link. */
export function libraryHint(symbol: ByteString, files: readonly ByteString[]): string | null {
  const library = LIBRARIES.find(({ symbols }) => symbols.test(symbol));
  return library === undefined || files.some((path) => library.files.test(`/${path}`)) ? null : library.hint;
}
