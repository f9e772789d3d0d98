/**
 * How the quick program ends when a link needs more than it has: before anything is printed or an output is in place, so that
 * the complete program can start from the beginning.
 */

export class HandOver extends Error {
  /** The function that only the complete program has. */
  readonly needed: string;

  constructor(needed: string) {
    super(`${needed} is in the complete program`);
    this.needed = needed;
  }
}
