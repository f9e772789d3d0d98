/**
 * A message: its text, and the same as data, for whoever does not want to read it out of the text (the API, --vs-diagnostics,
 * --error-handling-script). Both are made in one place (messages.ts, input-messages.ts, layout-messages.ts), so that the wording is free.
 *
 * Types only: saying nothing costs nothing. Strings are bytes here, as in the whole linker; the API decodes them.
 */
import type { DiagnosticCode, SourceRef } from "../api/types.ts";
import type { ByteString } from "../args/link-options.ts";

export type { DiagnosticCode, SourceRef };

export interface Message {
  /** Lines without prefix; those behind the first begin with `>>>`. */
  text: ByteString;
  code: DiagnosticCode;
  /** As it is shown. */
  symbol?: ByteString;
  /** As in the symbol table. */
  rawSymbol?: ByteString;
  /** The X of -lX. */
  library?: ByteString;
  at?: SourceRef;
  references?: readonly SourceRef[];
  hint?: ByteString;
  /** The same as one message for each place it is about, where there are several. */
  parts?: readonly Message[];
}

/** A text alone has the code OTHER. */
export type Said = ByteString | Message;

/** A place as it is shown, and as data. */
export interface Place {
  text: ByteString;
  ref: SourceRef;
}

/** A place in an object and where that is in the source: `source` is "" when it is not known. */
export interface SourcePlace extends Place {
  source: ByteString;
}
