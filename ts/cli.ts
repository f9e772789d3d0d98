/**
 * The program: arguments in, exit code out.
 *
 * Ends with process.exit, which leaves out the milliseconds that Node takes to dismantle itself; everything said has been
 * written by then. What is thrown up to here is a bug of ours and is said in one line; WIELD_DEBUG=1 shows the stack.
 */
import { argumentBytes, createNodeHost } from "./host/node.ts";
import { run } from "./run.ts";

const host = createNodeHost(true);

function internalError(error: unknown): void {
  const shown = error instanceof Error ? (process.env["WIELD_DEBUG"] ? error.stack : error.message) : String(error);
  host.print("err", Buffer.from(`wield: internal error: ${shown}\n`, "utf8").toString("latin1"));
  process.exit(1);
}

process.on("uncaughtException", (error) => {
  host.release();
  internalError(error);
});

run(argumentBytes(), host).then((status) => process.exit(status), internalError);
