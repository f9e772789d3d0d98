/**
 * A string table built one name at a time: SHT_STRTAB contents with equal strings stored once.
 *
 * For the few names that TypeScript knows (libraries, versions, section names). Symbol names, of which there may be millions,
 * are laid out by kernels behind it; they are unique already. Suffixes are not shared: it saves little in these tables.
 */
import type { ByteString } from "../args/link-options.ts";

export class StringTable {
  private readonly offsets = new Map<ByteString, number>([["", 0]]);
  private readonly parts: ByteString[] = ["\0"];
  /** So far, the leading NUL included. */
  bytes = 1;

  /** Offset of `text`; added when it is new. */
  add(text: ByteString): number {
    const known = this.offsets.get(text);
    if (known !== undefined) return known;
    const offset = this.bytes;
    this.offsets.set(text, offset);
    this.parts.push(text, "\0");
    this.bytes += text.length + 1;
    return offset;
  }

  /** Offset of a name that was added; a missing one is a bug. */
  get(text: ByteString): number {
    const offset = this.offsets.get(text);
    if (offset === undefined) throw new Error(`string table: ${text} was never added`);
    return offset;
  }

  write(out: Uint8Array): void {
    let at = 0;
    for (const part of this.parts) {
      for (let i = 0; i < part.length; i++) out[at++] = part.charCodeAt(i);
    }
  }
}
