/**
 * --dependency-file: what the output was made from, as a makefile rule, with an empty rule per input so that a deleted file
 * does not stop make.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";

/**
 * Quoting as make, ninja and lld understand it: spaces and # take a backslash, backslashes before a space are doubled, $ becomes
 * $$. (Other backslashes stay as they are.)
 */
export function quoteForMake(path: ByteString): ByteString {
  let text = "";
  let slashes = 0;
  for (const char of path) {
    if (char === " ") text += "\\".repeat(slashes + 1);
    else if (char === "#") text += "\\";
    else if (char === "$") text += "$";
    text += char;
    slashes = char === "\\" ? slashes + 1 : 0;
  }
  return text;
}

export function dependencyFile(output: ByteString, inputs: readonly ByteString[]): ByteString {
  const quoted = [...new Set(inputs)].map(quoteForMake);
  const rule = [`${quoteForMake(output)}:`, ...quoted.map((path) => `  ${path}`)].join(" \\\n");
  return `${rule}\n${quoted.map((path) => `\n${path}:\n`).join("")}`;
}

export function dependencyFileOf(ctx: Context): ByteString {
  return dependencyFile(ctx.options.output, ctx.loadedFiles);
}
