/**
 * -t for archive members: load-inputs names files as it opens them, but which members join the link is only known once symbols
 * are resolved.
 */
import { OBJF_LAZY } from "../../as-kernels/shared/abi.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { fileName } from "../diagnostics/place.ts";

/** `lib.a(member.o)` for every lazy object that was taken, in link order. */
export function extractedMembers(ctx: Context): ByteString[] {
  const { flags } = ctx.tables.obj;
  return [...ctx.objects].filter((obj) => (flags[obj]! & OBJF_LAZY) !== 0).map((obj) => fileName(ctx, obj));
}
