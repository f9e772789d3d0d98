/**
 * What helps when a value does not fit into 32 bits: which code model the compiler has to be told (x86-64 psABI ch. 3.5.1, Architectural Constraints).
 *
 * Nothing is said of fields of 8 and 16 bits, which only assembly has, nor of thread-local offsets.
 */

/** One line, "" when there is nothing to advise. */
export function rangeAdvice(type: string, value: bigint): string {
  if (/^R_X86_64_(PC32|PLT32|\w*GOTPCREL\w*|GOTPC32)$/.test(type)) {
    return `${gibibytes(value)} GiB apart, and 2 is the limit: compile with -mcmodel=medium (much data) or -mcmodel=large (much code), or link with less`;
  }
  if (/^R_X86_64_(32|32S)$/.test(type)) return "32 bits cannot hold this address: compile with -fPIE or -mcmodel=large, or link at a lower address (--image-base)";
  return "";
}

function gibibytes(bytes: bigint): string {
  return (Number(bytes < 0n ? -bytes : bytes) / 2 ** 30).toFixed(1);
}
