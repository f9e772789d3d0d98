/**
 * How a kernel says that an input is wrong: a row in the issue table. TypeScript sorts and words the rows.
 * The table has a fixed capacity; what comes after is only counted, so a flood of errors stays cheap.
 */
import { tables } from "../shared/tables.ts";
import { CTL_ISSUES, ISSUE_BAD_OBJECT } from "../shared/abi.ts";

export function report(code: u32, obj: u32, isec: u32, index: u32, a: u64, b: u64): void {
  const issue = tables().issue;
  const row = atomic.add<u32>(CTL_ISSUES, 1) + 1;
  if (row >= issue.rows) return;
  issue.code[row] = code;
  issue.obj[row] = obj;
  issue.isec[row] = isec;
  issue.index[row] = index;
  issue.a[row] = a;
  issue.b[row] = b;
}

/** A broken object, with the number that is wrong. */
export function reportObject(obj: u32, index: u32, error: u32, value: u32): void {
  report(ISSUE_BAD_OBJECT, obj, 0, index, <u64>error, <u64>value);
}

/** The same for TypeScript phases that find something wrong while they read. */
export function reportIssue(code: u32, obj: u32, isec: u32, index: u32, a: u32): void {
  report(code, obj, isec, index, <u64>a, 0);
}

/** For kernels that return ERR_*: leaves the culprit's index at `out`. */
// @ts-ignore: decorator
@inline
export function fail(out: u32, index: u32, error: u32): u32 {
  store<u32>(out, index);
  return error;
}
