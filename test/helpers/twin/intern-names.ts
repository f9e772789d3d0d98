/** Dense ids by first mention, those that only the linker mentions last, with a Map: the oracle of intern-names. */

export interface Mention {
  h0: bigint;
  h1: bigint;
  unused: boolean;
  /** By the linker itself. */
  own?: boolean;
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
  const key = ({ h0, h1 }: Mention): string => `${h0}/${h1}`;
  const number = (own: boolean): void =>
    mentions.forEach((mention, i) => {
      if (mention.unused || (mention.own ?? false) !== own || known.has(key(mention))) return;
      first.push(i);
      known.set(key(mention), first.length);
    });
  number(false);
  number(true);
  return { ids: mentions.map((mention) => (mention.unused ? 0 : known.get(key(mention))!)), first };
}
