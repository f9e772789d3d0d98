/**
 * What ended a phase on a worker, as a message carries it.
 *
 * Errors arrive on the main thread without their class, and by that it tells what is the user's to mend (a full disk, too little memory, a file
 * that was cut while it was read) from a bug of ours.
 */
import { HandOver } from "../host/hand-over.ts";
import { HostError } from "../host/host.ts";
import { OutOfMemory } from "./arena.ts";

/** Thrown when a file that was readable before no longer gives its bytes. */
export class ReadFailed extends Error {}

export interface Failure {
  kind: "memory" | "read" | "host" | "needs" | "bug";
  message: string;
  /** HostError.code, HandOver.needed, else "". */
  code: string;
  /** Where a bug is. */
  stack: string;
}

export function failureOf(error: unknown): Failure {
  const kind = error instanceof OutOfMemory ? "memory" : error instanceof ReadFailed ? "read" : error instanceof HostError ? "host" : error instanceof HandOver ? "needs" : "bug";
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { kind, message, code: error instanceof HostError ? error.code : error instanceof HandOver ? error.needed : "", stack: stack ?? "" };
}

export function errorOf({ kind, message, code, stack }: Failure): Error {
  if (kind === "memory") return new OutOfMemory(message);
  if (kind === "read") return new ReadFailed(message);
  if (kind === "host") return new HostError(code, message);
  if (kind === "needs") return new HandOver(code);
  return Object.assign(new Error(message), { stack });
}
