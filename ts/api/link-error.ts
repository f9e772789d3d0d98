/** The error that `link` rejects with. */
import type { Diagnostic, LinkErrorCode } from "./types.ts";

export class LinkError extends Error {
  /** Bundles have short names for classes, and Node shows a class that is called otherwise than its errors. */
  static override readonly name = "LinkError";
  readonly code: LinkErrorCode;
  /** All that was said, warnings included. */
  readonly diagnostics: readonly Diagnostic[];

  constructor(code: LinkErrorCode, message: string, diagnostics: readonly Diagnostic[] = [], options?: ErrorOptions) {
    super(message, options);
    this.name = "LinkError";
    this.code = code;
    this.diagnostics = diagnostics;
  }

  /** The message of a failed link: its first error, and how many there are. */
  static of(diagnostics: readonly Diagnostic[]): LinkError {
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    const more = errors.length > 1 ? `\n(and ${errors.length - 1} more errors: see .diagnostics)` : "";
    return new LinkError("LINK_FAILED", `${errors[0]?.message ?? "link failed"}${more}`, diagnostics);
  }
}
