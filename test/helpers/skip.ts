/**
 * Which tests cannot run here, and why, by the name of the missing tool.
 *
 * Not a test runner. The surprising choice: `need` gives a reason instead of throwing, so the caller decides at registration time and
 * the skipped test is counted as one.
 */

import { tool } from "./tools.ts";

/** "" when every tool is installed, otherwise the sentence to print beside the skipped test. */
export function need(...tools: string[]): string {
  const missing = tools.filter((name) => tool(name) === "");
  return missing.length === 0 ? "" : `needs ${missing.join(", ")}: not installed`;
}
