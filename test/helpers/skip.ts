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

type Body = () => void | Promise<void>;

interface Suite {
  (name: string, body: Body): void;
  skip(name: string, body: Body): void;
}

/** Registers tests of `suite`, called `suiteName`; with a `reason` not to run them, they are skipped and say so. */
export function testOrSkip(suite: Suite, suiteName: string, reason: string): (name: string, body: Body) => void {
  if (reason === "") return suite;
  return (name) => {
    console.log(`skipped: ${suiteName}: ${name} (${reason})`);
    suite.skip(name, () => undefined);
  };
}
