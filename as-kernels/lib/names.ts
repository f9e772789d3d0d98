/** Questions about section names, which are NUL-terminated bytes. */

/** Is the name at `name` a C identifier? Such sections can be walked through __start_ and __stop_ symbols. */
export function isIdentifier(name: u32): bool {
  let at = name;
  let c = load<u8>(at);
  if (c == 46 || c == 0 || (c >= 48 && c <= 57)) return false;
  while ((c >= 97 && c <= 122) || (c >= 65 && c <= 90) || (c >= 48 && c <= 57) || c == 95) c = load<u8>(++at);
  return c == 0;
}
