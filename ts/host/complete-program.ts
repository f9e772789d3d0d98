/**
 * Where a link says that it will need the complete program: the quick one has another function of this name, which hands over.
 *
 * Before the inputs are read, because what only the complete program has is often called at the end of a link.
 */

export function beComplete(): void {}
