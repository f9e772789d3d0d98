/** Prefix, limits, colour and counts of messages. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Diagnostics, LinkFailed, type DiagnosticSettings } from "../../ts/diagnostics/print.ts";

function make(settings: Partial<DiagnosticSettings> = {}, terminal = false): { diag: Diagnostics; err: () => string; out: () => string } {
  const text = { stdout: "", stderr: "" };
  const diag = new Diagnostics((stream, more) => (text[stream] += more), () => terminal);
  diag.configure(settings);
  return { diag, err: () => text.stderr, out: () => text.stdout };
}

test("errors and warnings carry the program's name", () => {
  const { diag, err } = make();
  diag.error("no input files");
  diag.warn("unknown -z keyword");
  assert.is(err(), "wield: error: no input files\nwield: warning: unknown -z keyword\n");
  assert.is(diag.errorCount, 1);
  assert.is(diag.warningCount, 1);
  assert.throws(() => diag.throwIfErrors(), (error: unknown) => error instanceof LinkFailed);
});

test("an empty line parts a message of several lines from the next", () => {
  const { diag, err } = make({ programName: "ld" });
  diag.error("a\n>>> b");
  diag.error("c");
  diag.error("d");
  assert.is(err(), "ld: error: a\n>>> b\n\nld: error: c\nld: error: d\n");
});

test("the limit stops the link after as many errors", () => {
  const { diag, err } = make({ errorLimit: 2 });
  diag.error("1");
  diag.error("2");
  assert.throws(() => diag.error("3"), (error: unknown) => error instanceof LinkFailed);
  assert.is(err(), "wield: error: 1\nwield: error: 2\nwield: error: too many errors emitted, stopping now (use --error-limit=0 to see all errors)\n");
});

test("limit 0 is no limit", () => {
  const { diag } = make({ errorLimit: 0 });
  for (let i = 0; i < 100; i++) diag.error("x");
  assert.is(diag.errorCount, 100);
});

test("--fatal-warnings makes errors of warnings, -w drops them", () => {
  const fatal = make({ fatalWarnings: true });
  fatal.diag.warn("w");
  assert.is(fatal.err(), "wield: error: w\n");
  assert.ok(fatal.diag.hasErrors);
  const quiet = make({ noWarnings: true });
  quiet.diag.warn("w");
  assert.is(quiet.err(), "");
});

test("--noinhibit-exec turns errors of relocations into warnings", () => {
  const { diag, err } = make({ noinhibitExec: true });
  diag.errorOrWarn("x");
  assert.is(err(), "wield: warning: x\n");
  assert.not(diag.hasErrors);
});

test("colour on a terminal, or when asked for", () => {
  for (const [color, terminal, colored] of [["auto", true, true], ["auto", false, false], ["always", false, true], ["never", true, false]] as const) {
    const { diag, err } = make({ color }, terminal);
    diag.error("x");
    assert.is(err().includes("\x1b["), colored, `${color} ${terminal}`);
  }
});

test("fatal prints and throws; requested lines go to stdout", () => {
  const { diag, err, out } = make();
  diag.message("a.o");
  assert.throws(() => diag.fatal("gone"), (error: unknown) => error instanceof LinkFailed);
  assert.is(out(), "a.o\n");
  assert.is(err(), "wield: error: gone\n");
});

test.run();
