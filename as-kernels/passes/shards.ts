/** Putting rows into shards, by chunks of rows: what intern-names and merge-pieces have in common. */

/**
 * Turns the counts of all chunks (a row of `shards` u32 per chunk, at `counts`) into places, shard by shard and chunk by chunk, so that each
 * shard keeps the order of its rows. Writes each shard's first place to `starts` (shards + 1 u32, the last one is the sum). Returns the sum.
 */
export function prefixShards(counts: u32, chunks: u32, shards: u32, starts: u32): u32 {
  let at: u32 = 0;
  for (let s: u32 = 0; s < shards; s++) {
    store<u32>(starts + (s << 2), at);
    for (let c: u32 = 0; c < chunks; c++) {
      const slot = counts + ((c * shards + s) << 2);
      const here = load<u32>(slot);
      store<u32>(slot, at);
      at += here;
    }
  }
  store<u32>(starts + (shards << 2), at);
  return at;
}
