/**
 * Symbol names as their source wrote them: C++ (Itanium ABI) and Rust (legacy and v0).
 *
 * Names that are not mangled, or not in a way that is understood, come back unchanged; nothing here throws. The style is that of
 * lld's messages (`char const*`, `a<b<c>>`), which is also what `extern "C++"` patterns of version scripts are matched against.
 */
import type { ByteString } from "../args/link-options.ts";
import { encoding } from "./demangle/names.ts";
import { NotMangled, Out } from "./demangle/nodes.ts";
import { demangleRust, decodeRustLegacy } from "./demangle/rust.ts";
import { State } from "./demangle/state.ts";

const MAX_LENGTH = 1 << 16;

export function demangle(name: ByteString): ByteString {
  if (name.length < 3 || name.length > MAX_LENGTH || name[0] !== "_") return name;
  const kind = name[1];
  if (kind === "Z") return attempt(name, itanium);
  if (kind === "R") return attempt(name, demangleRust);
  return name.startsWith("___Z") ? attempt(name, (text) => `invocation function for block in ${itanium(text.slice(2))}`) : name;
}

function attempt(name: ByteString, parse: (name: ByteString) => ByteString): ByteString {
  try {
    return parse(name);
  } catch (error) {
    // Deep nesting can exhaust the stack before our own bounds do.
    if (error instanceof NotMangled || error instanceof RangeError) return name;
    throw error;
  }
}

function itanium(name: ByteString): ByteString {
  const rust = decodeRustLegacy(name);
  if (rust !== null) return rust;
  const p = new State(name);
  p.i = 2;
  const node = encoding(p);
  if (!p.done && p.peek() !== ".") throw new NotMangled();
  const out = new Out();
  node.print(out);
  if (!p.done) out.write(` (${name.slice(p.i)})`);
  // Makes it one string: a tree of its parts has five times its bytes, and long reports keep hundreds of thousands of names.
  out.text.charCodeAt(0);
  return out.text;
}
