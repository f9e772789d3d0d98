/** Questions about sym.flags that several kernels ask alike. */
import {
  SYM_COMMON, SYM_DEFINED, SYM_IN_OSEC, SYM_KIND_MASK, SYM_LAZY, SYM_NEEDS_COPY, SYM_NEEDS_CPLT, SYM_NEEDS_GOT, SYM_NEEDS_GOTTP, SYM_NEEDS_PLT, SYM_NEEDS_TLSDESC,
  SYM_NEEDS_TLSGD, SYM_UNDEF,
} from "../shared/abi.ts";

/** All entries in linker-made sections that scan-relocs can find a symbol to need. */
export const SYM_NEEDS: u32 =
  SYM_NEEDS_GOT | SYM_NEEDS_PLT | SYM_NEEDS_COPY | SYM_NEEDS_CPLT | SYM_NEEDS_TLSGD | SYM_NEEDS_GOTTP | SYM_NEEDS_TLSDESC;

/** Is a symbol of this kind defined in the output? */
// @ts-ignore: decorator
@inline
export function isDefinedKind(kind: u32): bool {
  return kind == SYM_DEFINED || kind == SYM_COMMON || kind == SYM_IN_OSEC;
}

/** Does nothing in the link define the symbol? */
// @ts-ignore: decorator
@inline
export function isUndefined(flags: u32): bool {
  const kind = flags & SYM_KIND_MASK;
  return kind == SYM_UNDEF || kind == SYM_LAZY;
}
