/**
 * A report of very many lines: maps of large links have hundreds of megabytes, which is more than one string may have, and more than should
 * stay in memory. Lines are handed on in parts.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Write } from "../memory/text.ts";

const PART_CHARACTERS = 1 << 16;

export class LongText {
  private readonly write: Write;
  private lines: ByteString[] = [];
  private characters = 0;

  constructor(write: Write) {
    this.write = write;
  }

  /** `line` without its end. */
  push(line: ByteString): void {
    this.lines.push(line);
    this.characters += line.length;
    if (this.characters >= PART_CHARACTERS) this.close();
  }

  end(): void {
    if (this.lines.length > 0) this.close();
  }

  private close(): void {
    this.write(`${this.lines.join("\n")}\n`);
    this.lines = [];
    this.characters = 0;
  }
}
