/**
 * What ties a code cache to its bundle and to a Node: V8 refuses a cache of other flags, but does not tell builds of one V8 apart, nor a
 * damaged cache from a good one. So the last bytes of a cache name the bundle and the Node that it is for.
 */

/** A bundle ends with so many characters of its own digest. */
export const DIGEST_CHARACTERS = 16;

/** The last bytes of the cache for the bundle `text`, in this Node. */
export const tieOf = (text: string): string => text.slice(-DIGEST_CHARACTERS) + process.version + process.versions.v8 + process.arch;
