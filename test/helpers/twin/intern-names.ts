/** Dense ids by first mention, with a Map: the oracle of intern-names. */

export interface Mention {
  h0: bigint;
  h1: bigint;
  unused: boolean;
}

export interface Interned {
  /** Id of every mention; 0 = unused. Ids count from 1. */
  ids: number[];
  /** Index of the first mention of each id - 1. */
  first: number[];
}

export function internTwin(mentions: Mention[]): Interned {
  const known = new Map<string, number>();
  const first: number[] = [];
  const ids = mentions.map(({ h0, h1, unused }, i) => {
    if (unused) return 0;
    const key = `${h0}/${h1}`;
    let id = known.get(key);
    if (id === undefined) {
      first.push(i);
      id = first.length;
      known.set(key, id);
    }
    return id;
  });
  return { ids, first };
}
