/** Memory that kernels take while a phase runs, as the worker context does in TypeScript (WorkerContext.alloc). */
import { CTL_ARENA_TOP, CTL_WINDOW_TOP } from "../shared/abi.ts";

/** Address of `bytes` new bytes that stay for the rest of the link, 16-aligned; contents are undefined. 0 = no room. */
export function alloc(bytes: u32): u32 {
  const size = (bytes + 15) & ~15;
  const at = atomic.add<u32>(CTL_ARENA_TOP, size);
  return (<u64>at + size) >> 12 > <u64>load<u32>(CTL_WINDOW_TOP) ? 0 : at;
}
