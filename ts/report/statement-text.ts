/**
 * A statement of a linker script as the link map shows it: its words with one space between them, without comments.
 */
import type { ByteString } from "../args/link-options.ts";

const WORDS = /\/\*[^]*?(?:\*\/|$)|\s+|"[^"]*"?|[\w.$@\x80-\xff\\]+|<<=|>>=|<<|>>|&&|\|\||[-+*/&|^<>=!]=|[^]/gy;

/** The statement that begins at `start` of a script: up to `;`, `,` or a bracket that is not its own; PROVIDE up to its bracket. */
export function statementText(text: ByteString, start: number): ByteString {
  const words: ByteString[] = [];
  let depth = 0;
  WORDS.lastIndex = start;
  for (let match = WORDS.exec(text); match !== null; match = WORDS.exec(text)) {
    const word = match[0];
    if (/^(\s|\/\*)/.test(word)) continue;
    if (depth === 0 && /^[;,)}]$/.test(word)) break;
    words.push(word);
    if (word === "(") depth++;
    if (word === ")" && --depth === 0 && /^(PROVIDE|PROVIDE_HIDDEN|HIDDEN)$/.test(words[0]!) && words[1] === "(") break;
  }
  return words.join(" ");
}
