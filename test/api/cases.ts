/**
 * What the API must do, in every runtime: each case links something and returns the bytes that it got.
 *
 * Not a test file itself: it knows no runtime, so that Node, Bun, Deno and pages run the same code (runtimes/ compares what
 * they return). Fixtures are the demo's objects and, where there is a musl, a static hello world.
 */
import type { Api, Case, Fixtures, Outputs } from "./case.ts";
import { contextCases } from "./context-cases.ts";
import { functionCases } from "./function-cases.ts";
import { linkCases } from "./link-cases.ts";

export const cases: Record<string, Case> = { ...linkCases, ...functionCases, ...contextCases };

export interface CaseResult {
  error: string;
  milliseconds: number;
  outputs: Outputs;
}

/** Runs all cases, one after another. */
export async function runCases(api: Api, fixtures: Fixtures): Promise<Record<string, CaseResult>> {
  const results: Record<string, CaseResult> = {};
  for (const [name, body] of Object.entries(cases)) {
    const start = performance.now();
    let outputs: Outputs = {};
    let error = "";
    try {
      outputs = (await body(api, fixtures)) ?? {};
    } catch (thrown) {
      error = `${String(thrown)}\n${(thrown as Error).stack}`;
    }
    results[name] = { error, outputs, milliseconds: performance.now() - start };
  }
  return results;
}
