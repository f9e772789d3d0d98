/** Texts of reports that need no link: dependency files, pass times. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { dependencyFile, quoteForMake } from "../../ts/report/dependency-file.ts";
import { timeTable, timeTrace } from "../../ts/report/time.ts";

test("a dependency file has one rule and an empty rule per input", () => {
  assert.is(dependencyFile("out", ["a.o", "lib b.a", "a.o"]), "out: \\\n  a.o \\\n  lib\\ b.a\n\na.o:\n\nlib\\ b.a:\n");
});

test("quoting for make", () => {
  assert.is(quoteForMake("a b"), "a\\ b");
  assert.is(quoteForMake("a\\ b"), "a\\\\\\ b");
  assert.is(quoteForMake("a\\b"), "a\\b");
  assert.is(quoteForMake("a#b$c"), "a\\#b$$c");
});

const CTX = {
  passes: [
    { name: "load-inputs", start: 10, end: 12.5 },
    { name: "relocate", start: 12.5, end: 20 },
  ],
  host: { now: () => 20 },
  options: { programName: "wield", timeTraceGranularity: 3000 },
};

test("--time lists passes in order and the total", () => {
  assert.is(timeTable(CTX), "      2.50 ms  25.0%  load-inputs\n      7.50 ms  75.0%  relocate\n     10.00 ms 100.0%  total\n");
});

test("--time-trace is complete Chrome events in microseconds from the first pass, short ones left out", () => {
  const { traceEvents, beginningOfTime } = JSON.parse(timeTrace(CTX));
  assert.equal(traceEvents[0], { name: "relocate", ph: "X", ts: 2500, dur: 7500, pid: 1, tid: 1 });
  assert.equal(traceEvents[1], { name: "ExecuteLinker", ph: "X", ts: 0, dur: 10000, pid: 1, tid: 1 });
  assert.equal(traceEvents.slice(2).map((event: { name: string }) => event.name), ["process_name", "thread_name"]);
  assert.ok(Math.abs(beginningOfTime / 1000 - Date.now()) < 60_000);
});

test.run();
