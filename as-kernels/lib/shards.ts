/** Which shard a 128-bit hash belongs to: the top bits of its first half say so (`h0` columns). A shard is one thread's work. */
import { MERGE_SHARDS, SHARDS } from "../shared/abi.ts";

/** One of SHARDS. */
// @ts-ignore: decorator
@inline
export function shardOf(h0: u64): u32 {
  return <u32>(h0 >> (64 - ctz<u64>(SHARDS)));
}

/** Of a piece (split-pieces puts lld's shard into its hash): one of MERGE_SHARDS. */
// @ts-ignore: decorator
@inline
export function mergeShardOf(h0: u64): u32 {
  return <u32>(h0 >> (64 - ctz<u64>(MERGE_SHARDS)));
}
