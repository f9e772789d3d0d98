/**
 * How errors, warnings and notes leave the linker: prefix, colour, limits, counts.
 *
 * Knows no wording (messages.ts), no tables and no memory, so that it works while the command line is still being read.
 * The surprising choice: a message of several lines is followed by an empty line, but only when another message comes
 * after it (lld's way), so single-line messages stay dense.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Message, Said } from "./message.ts";
import { vsLocation } from "./vs-style.ts";

/** Where text goes; one character per byte, line ends included. */
export type DiagnosticSink = (stream: "stdout" | "stderr", text: ByteString) => void;

/** Told of each message before it is printed. */
export type DiagnosticListener = (severity: "error" | "warning" | "note", message: Message) => void;

/** The text of a message. */
export const textOf = (said: Said): ByteString => (typeof said === "string" ? said : said.text);

/** Messages without those that have the text of another. */
export const distinct = (said: readonly Said[]): Said[] => [...new Map(said.map((each) => [textOf(each), each])).values()];

/** The options that shape messages; LinkOptions has all of them. */
export interface DiagnosticSettings {
  programName: string;
  fatalWarnings: boolean;
  noWarnings: boolean;
  noinhibitExec: boolean;
  /** Errors printed before the link stops; 0 = no limit. */
  errorLimit: number;
  color: "auto" | "always" | "never";
  vsDiagnostics: boolean;
}

/** The link cannot go on; everything there is to say has been printed. */
export class LinkFailed extends Error {
  constructor(message = "link failed") {
    super(message);
    this.name = "LinkFailed";
  }
}

const RED = "\x1b[0;31m";
const MAGENTA = "\x1b[0;35m";
const RESET = "\x1b[0m";

const LIMIT_EXCEEDED: Message = { code: "TOO_MANY_ERRORS", text: "too many errors emitted, stopping now (use --error-limit=0 to see all errors)" };

export class Diagnostics {
  errorCount = 0;
  warningCount = 0;
  listener: DiagnosticListener | null = null;
  private readonly warned = new Set<ByteString>();
  private readonly sink: DiagnosticSink;
  private readonly isTerminal: () => boolean;
  private settings: DiagnosticSettings = {
    programName: "wield",
    fatalWarnings: false,
    noWarnings: false,
    noinhibitExec: false,
    errorLimit: 20,
    color: "auto",
    vsDiagnostics: false,
  };
  /** Goes before the next message: an empty line after a message of several lines. */
  private separator = "";

  /** `isTerminal`: is stderr a terminal that shows colours? Asked only when there is something to print. */
  constructor(sink: DiagnosticSink, isTerminal = (): boolean => false) {
    this.sink = sink;
    this.isTerminal = isTerminal;
  }

  /** Takes over what the command line says about messages; may be called with what is known so far. */
  configure(settings: Partial<DiagnosticSettings>): void {
    const now = this.settings;
    this.settings = {
      programName: settings.programName ?? now.programName,
      fatalWarnings: settings.fatalWarnings ?? now.fatalWarnings,
      noWarnings: settings.noWarnings ?? now.noWarnings,
      noinhibitExec: settings.noinhibitExec ?? now.noinhibitExec,
      errorLimit: settings.errorLimit ?? now.errorLimit,
      color: settings.color ?? now.color,
      vsDiagnostics: settings.vsDiagnostics ?? now.vsDiagnostics,
    };
  }

  get hasErrors(): boolean {
    return this.errorCount > 0;
  }

  /** An input or the command line is wrong: say so and go on to find more. */
  error(message: Said): void {
    const parts = typeof message === "string" || !this.settings.vsDiagnostics ? undefined : message.parts;
    if (parts !== undefined) return parts.forEach((part) => this.error(part));
    const limit = this.settings.errorLimit;
    this.errorCount++;
    if (limit === 0 || this.errorCount <= limit) {
      this.print("error", RED, message);
      return;
    }
    this.print("error", RED, LIMIT_EXCEEDED);
    throw new LinkFailed(LIMIT_EXCEEDED.text);
  }

  /** Belongs to the error before and does not count. */
  alsoError(message: Said): void {
    this.print("error", RED, message);
  }

  warn(message: Said): void {
    if (this.settings.noWarnings) return;
    if (this.settings.fatalWarnings) {
      this.error(message);
      return;
    }
    this.warningCount++;
    this.print("warning", MAGENTA, message);
  }

  /** A warning that may come up again when inputs are read again. */
  warnOnce(message: Said): void {
    const text = textOf(message);
    if (this.warned.has(text)) return;
    this.warned.add(text);
    this.warn(message);
  }

  /** A warning that --fatal-warnings leaves one: what an input says about its own use. */
  remark(message: Said): void {
    if (this.settings.noWarnings) return;
    this.warningCount++;
    this.print("warning", MAGENTA, message);
  }

  /** An error that --noinhibit-exec turns into a warning: the output can still be made. */
  errorOrWarn(message: Said): void {
    if (this.settings.noinhibitExec) this.warn(message);
    else this.error(message);
  }

  fatal(message: Said): never {
    this.error(message);
    throw new LinkFailed(textOf(message));
  }

  /** A line of requested output on stdout (--trace, --print-gc-sections). */
  message(line: ByteString): void {
    this.sink("stdout", `${line}\n`);
  }

  /** Requested output of many lines that already end in newlines. */
  text(lines: ByteString): void {
    if (lines !== "") this.sink("stdout", lines);
  }

  /** A line on stderr without a severity (what -v prints of the version goes to stdout: use message). */
  note(line: ByteString): void {
    this.listener?.("note", { code: "OTHER", text: line });
    this.sink("stderr", `${line}\n`);
  }

  /** End of a pass: go no further on inputs that were found wrong. */
  throwIfErrors(): void {
    if (this.errorCount > 0) throw new LinkFailed();
  }

  private print(severity: "error" | "warning", color: string, said: Said): void {
    const message: Message = typeof said === "string" ? { code: "OTHER", text: said } : said;
    this.listener?.(severity, message);
    const { programName } = this.settings;
    const label = this.colored() ? `${color}${severity}: ${RESET}` : `${severity}: `;
    const place = this.settings.vsDiagnostics ? vsLocation(message) : "";
    this.sink("stderr", `${this.separator}${place === "" ? programName : place}: ${label}${message.text}\n`);
    this.separator = message.text.includes("\n") ? "\n" : "";
  }

  private colored(): boolean {
    return this.settings.color === "always" || (this.settings.color === "auto" && this.isTerminal());
  }
}
