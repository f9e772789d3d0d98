/** In place of compress-sections.ts in pages: what compresses there answers later, which a link cannot wait for. */
import type { Context } from "../context.ts";
import { noCompression, wantedSections, type Wanted } from "./wanted-compression.ts";

export const COMPRESS_PHASES = {};

export function compressSections(ctx: Context): void {
  compressInMemory(ctx, wantedSections(ctx, ctx.osecs));
}

export function compressInMemory({ diag }: Context, [first]: Wanted[]): void {
  if (first !== undefined) noCompression(diag, first);
}
