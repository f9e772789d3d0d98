/**
 * A report of very many lines: maps of large links have hundreds of megabytes, which is more than one string may have.
 *
 * Lines are joined to parts of about a megabyte as they come: a line is made of many small strings, which stay in memory as long as it does.
 */
import type { ByteString } from "../args/link-options.ts";

const PART_CHARACTERS = 1 << 16;

export class LongText {
  readonly parts: ByteString[] = [];
  private lines: ByteString[] = [];
  private characters = 0;

  /** `line` without its end. */
  push(line: ByteString): void {
    this.lines.push(line);
    this.characters += line.length;
    if (this.characters >= PART_CHARACTERS) this.close();
  }

  /** All of it. */
  end(): readonly ByteString[] {
    if (this.lines.length > 0) this.close();
    return this.parts;
  }

  private close(): void {
    this.parts.push(`${this.lines.join("\n")}\n`);
    this.lines = [];
    this.characters = 0;
  }
}
