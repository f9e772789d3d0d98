/**
 * What kind of file stat(2) speaks of. The methods of Stats say the same, but Node compiles each of them, and what they call, at the first
 * use, for which every small link would wait.
 */

/** POSIX leaves the values open; all systems that Node runs on have these. */
const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFIFO = 0o010000;
const S_IFREG = 0o100000;
const S_IFSOCK = 0o140000;

interface Mode {
  readonly mode: number;
}

export const isFile = ({ mode }: Mode): boolean => (mode & S_IFMT) === S_IFREG;
export const isDirectory = ({ mode }: Mode): boolean => (mode & S_IFMT) === S_IFDIR;
export const isFifo = ({ mode }: Mode): boolean => (mode & S_IFMT) === S_IFIFO;
export const isSocket = ({ mode }: Mode): boolean => (mode & S_IFMT) === S_IFSOCK;
