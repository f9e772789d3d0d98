/**
 * A tar archive, written entry by entry: ustar headers (POSIX.1-1988), pax headers for paths that do not fit (POSIX.1-2001).
 *
 * Only regular files, no owners, no times: the same files give the same archive.
 */

const BLOCK = 512;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
/** Largest size that 11 octal digits can say. */
const SIZE_MAX = 8 ** 11 - 1;

/** Takes the archive's bytes in order. */
export type TarSink = (bytes: Uint8Array) => void;

export class TarWriter {
  private readonly sink: TarSink;
  private readonly names = new Set<string>();

  constructor(sink: TarSink) {
    this.sink = sink;
  }

  has(path: string): boolean {
    return this.names.has(path);
  }

  /** Begins a file of `bytes` bytes; the chunks of `contents` follow. `path`: one character per byte. */
  add(path: string, bytes: number, contents: Iterable<Uint8Array>): void {
    this.names.add(path);
    const split = splitPath(path);
    const records = (split === null ? paxRecord("path", path) : "") + (bytes > SIZE_MAX ? paxRecord("size", String(bytes)) : "");
    if (records !== "") {
      this.sink(header("", "PaxHeader", records.length, "x"));
      this.body(records.length, [ascii(records)]);
    }
    const [prefix, name] = split ?? ["", path.slice(-NAME_BYTES)];
    this.sink(header(prefix, name, bytes, "0"));
    this.body(bytes, contents);
  }

  /** Exactly `bytes` bytes, whatever comes (a file may change while it is read), and padding to a whole block. */
  private body(bytes: number, contents: Iterable<Uint8Array>): void {
    let left = bytes;
    for (const chunk of contents) {
      const part = chunk.subarray(0, left);
      this.sink(part);
      left -= part.length;
    }
    const padding = Math.ceil(bytes / BLOCK) * BLOCK - bytes;
    for (left += padding; left > 0; left -= BLOCK) this.sink(new Uint8Array(Math.min(left, BLOCK)));
  }

  /** Two empty blocks end an archive. */
  end(): void {
    this.sink(new Uint8Array(2 * BLOCK));
  }
}

/** [prefix, name] that fit a ustar header, null when there is no such split. */
function splitPath(path: string): [string, string] | null {
  if (path.length <= NAME_BYTES) return ["", path];
  const slash = path.indexOf("/", path.length - NAME_BYTES - 1);
  return slash > 0 && slash <= PREFIX_BYTES ? [path.slice(0, slash), path.slice(slash + 1)] : null;
}

/** `LENGTH KEY=VALUE\n`, LENGTH counting itself. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

function header(prefix: string, name: string, bytes: number, type: string): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (at: number, text: string): void => block.set(ascii(text), at);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");
  put(0, name);
  put(100, octal(0o664, 7)); // mode
  put(108, octal(0, 7)); // uid
  put(116, octal(0, 7)); // gid
  put(124, octal(bytes > SIZE_MAX ? 0 : bytes, 11));
  put(136, octal(0, 11)); // mtime
  put(148, " ".repeat(8)); // checksum counts as blanks
  put(156, type);
  put(257, "ustar\0" + "00");
  put(345, prefix);
  put(148, `${octal(block.reduce((sum, byte) => sum + byte, 0), 6)}\0 `);
  return block;
}
