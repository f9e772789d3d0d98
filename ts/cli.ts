/**
 * The program: arguments in, exit code out.
 *
 * Ends at once, which leaves out the milliseconds that Node takes to dismantle itself; everything said has been
 * written by then. What is thrown up to here is a bug of ours and is said in one line; WIELD_DEBUG=1 shows the stack.
 */
import { HandOver } from "./host/hand-over.ts";
import { argumentBytes, createNodeHost } from "./host/node.ts";
import { run } from "./run.ts";

/** What dist/cli.cjs has seen named on the command line of a large link, in bytes. */
declare const inputBytes: number | undefined;

/** V8's flags that it or the launcher has set. */
declare const v8Flags: readonly string[] | undefined;

const host = createNodeHost(true, typeof inputBytes === "number" ? inputBytes : 0, typeof v8Flags === "object" ? v8Flags : []);

/** What process.exit ends with when listeners, of which there are none, have been told: for that Node compiles functions for 0.2 ms. */
const reallyExit = (process as { reallyExit?: (status: number) => never }).reallyExit;

function exit(status: number): void {
  if (reallyExit !== undefined) reallyExit.call(process, status);
  else process.exit(status);
}

function internalError(error: unknown): void {
  const shown = error instanceof Error ? (process.env["WIELD_DEBUG"] ? error.stack : error.message) : String(error);
  host.print("err", Buffer.from(`wield: internal error: ${shown}\n`, "utf8").toString("latin1"));
  exit(1);
}

/** In the quick program: starts the complete one. dist/cli.cjs hands it in. */
declare const complete: (() => void) | undefined;

/** In the quick program, which cannot say it: the complete one meets the same bug. */
function onBug(error: unknown): void {
  host.release();
  process.off("uncaughtException", onBug);
  if (typeof complete === "function") complete();
  else internalError(error);
}

/** Nothing has been said and no output is in place yet (host/hand-over.ts). */
function handOver(error: HandOver): void {
  if (process.env["WIELD_DEBUG"] || typeof complete !== "function") console.error(`wield: handing over: ${error.message}`);
  process.off("uncaughtException", onBug);
  complete!();
}

process.on("uncaughtException", onBug);
// The complete program has what makes many messages and long reports.
if (typeof complete !== "function") host.expectReports?.();
run(argumentBytes(), host).then(
  (status) => exit(status),
  (error: unknown) => (error instanceof HandOver ? handOver(error) : onBug(error)),
);
