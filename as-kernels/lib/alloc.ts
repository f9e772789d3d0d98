/** Memory that kernels take while a phase runs, as the worker context does in TypeScript (WorkerContext.alloc). */
import { CTL_ARENA_TOP, CTL_WINDOW_TOP, WINDOW_UNIT } from "../shared/abi.ts";

/** Address of `bytes` new bytes that stay for the rest of the link, 16-aligned; contents are undefined. 0 = no room. */
export function alloc(bytes: u32): u32 {
  const size = (<u64>bytes + 15) & ~15;
  // Nothing is taken where there is no room: the top says what has been used (Arena.release), and has 32 bits.
  while (true) {
    const at = atomic.load<u32>(CTL_ARENA_TOP);
    const end = <u64>at + size;
    if (end > <u64>load<u32>(CTL_WINDOW_TOP) * WINDOW_UNIT) return 0;
    if (atomic.cmpxchg<u32>(CTL_ARENA_TOP, at, <u32>end) == at) return at;
  }
}
