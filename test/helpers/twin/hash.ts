/** The 128-bit hash of lib/hash in BigInt arithmetic, and the identities of names with versions that parse-object builds on it. */

const MASK = (1n << 64n) - 1n;
const K1 = 0x9e3779b97f4a7c15n;
const K2 = 0xc2b2ae3d27d4eb4fn;
const K3 = 0xd6e8feb86659fd93n;

export type Hash = [bigint, bigint];

export function rotl(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK;
}

export function mix(value: bigint): bigint {
  let h = value & MASK;
  h ^= h >> 32n;
  h = (h * K3) & MASK;
  h ^= h >> 29n;
  h = (h * K1) & MASK;
  return h ^ (h >> 32n);
}

/** Little-endian words of 8 bytes, the last one padded with zeros. */
function words(text: string): bigint[] {
  const list: bigint[] = [];
  for (let at = 0; at < text.length; at += 8) {
    let word = 0n;
    for (let i = Math.min(7, text.length - at - 1); i >= 0; i--) word = (word << 8n) | BigInt(text.charCodeAt(at + i));
    list.push(word);
  }
  return list;
}

export function hashTwin(text: string): Hash {
  const length = BigInt(text.length);
  let a = (length * K2 + K1) & MASK;
  let b = length ^ K3;
  for (const word of words(text)) {
    a = (rotl(a ^ word, 29n) * K1) & MASK;
    b = ((rotl(b, 23n) + word) * K2) & MASK;
  }
  return [mix(a), mix(b ^ rotl(a, 17n))];
}

/** Identity of `stem` in version `version`. */
export function versionedTwin(stem: string, version: string): Hash {
  const [a, b] = hashTwin(stem);
  const [va, vb] = hashTwin(version);
  return [mix(a ^ rotl(va, 1n)), mix(b + rotl(vb, 7n))];
}

export interface Name {
  hash: Hash;
  /** Bytes before the first '@'. */
  stem: string;
  version: "none" | "versioned" | "default";
}

/** A name as a relocatable object's symbol table has it: foo, foo@V (a name of its own), foo@@V (means foo). */
export function nameTwin(text: string): Name {
  const at = text.indexOf("@");
  // A name that begins with @ has no version: its stem is empty, and so is what it is known by.
  if (at <= 0) return { hash: hashTwin(at === 0 ? "" : text), stem: at === 0 ? "" : text, version: "none" };
  const stem = text.slice(0, at);
  if (text[at + 1] === "@") return { hash: hashTwin(stem), stem, version: "default" };
  return { hash: versionedTwin(stem, text.slice(at + 1)), stem, version: "versioned" };
}
