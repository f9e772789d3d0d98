/** Questions about section names, which are NUL-terminated bytes. */

/** Is the name at `name` a C identifier? Such sections can be walked through __start_ and __stop_ symbols. */
export function isIdentifier(name: u32): bool {
  let at = name;
  let c = load<u8>(at);
  if (c == 46 || c == 0 || (c >= 48 && c <= 57)) return false;
  while ((c >= 97 && c <= 122) || (c >= 65 && c <= 90) || (c >= 48 && c <= 57) || c == 95) c = load<u8>(++at);
  return c == 0;
}

/** ".ctors" or ".dtors" and longer */
// @ts-ignore: decorator
@inline
export function isOldArray(name: u32): bool {
  const six = load<u64>(name) & 0xffffffffffff;
  return six == 0x73726f74632e || six == 0x73726f74642e;
}

/**
 * Sections the C runtime runs: ".init", ".fini", ".jcr"; ".ctors", ".dtors", ".init_array" and longer (as lld). And ".stapsdt.base", by whose place
 * debuggers find SystemTap's probes: only notes that are not loaded refer to it.
 */
// @ts-ignore: decorator
@inline
export function isReservedName(name: u32): bool {
  const word = load<u64>(name);
  const six = word & 0xffffffffffff;
  if (six == 0x73726f74632e || six == 0x73726f74642e || six == 0x74696e692e || six == 0x696e69662e) return true;
  if (word == 0x746473706174732e) return load<u64>(name, 6) == 0x657361622e7464;
  return word == 0x72615f74696e692e ? (load<u32>(name, 8) & 0xffffff) == 0x796172 : (word & 0xffffffffff) == 0x72636a2e;
}

/** ".gnu.warning." and longer */
// @ts-ignore: decorator
@inline
export function isWarning(name: u32): bool {
  return load<u64>(name) == 0x7261772e756e672e && load<u64>(name, 5) == 0x2e676e696e726177;
}

/** Does the name of the section header at `header` begin with ".gnu.linkonce."? */
// @ts-ignore: decorator
@inline
export function isLinkonce(header: u32, names: u32, namesBytes: u32): bool {
  const name = load<u32>(header);
  if (<u64>name + 15 > <u64>namesBytes || load<u64>(names + name) != 0x6e696c2e756e672e) return false;
  return (load<u64>(names + name, 8) & 0xffffffffffff) == 0x2e65636e6f6b;
}
