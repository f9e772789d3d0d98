/** What tests of contexts share: a relink beside a link from nothing, and how it was done. */
import * as assert from "uvu/assert";
import type { LinkContext, LinkOptions, LinkResult } from "../../ts/api/types.ts";
import { createContext, link, memoryFS } from "../../ts/index.ts";

export type Files = Record<string, Uint8Array>;

/** Contexts of tests that failed would keep the program alive. */
const contexts: LinkContext[] = [];

export async function contextOf(options: LinkOptions): Promise<LinkContext> {
  const context = await createContext(options);
  contexts.push(context);
  return context;
}

export async function disposeContexts(): Promise<void> {
  for (const context of contexts.splice(0)) await context.dispose();
}

/** How a link was done: from the beginning, from resolved symbols on, from the layout on, or only what has changed. */
export function wayOf({ timings }: LinkResult): "all" | "sections" | "sizes" | "contents" {
  const ran = (name: string): boolean => timings.passes.some((pass) => pass.name === name);
  return ran("load-inputs") || timings.passes.length === 0 ? "all" : ran("mark-live") ? "sections" : ran("assign-addresses") ? "sizes" : "contents";
}

const digest = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

/** Throws unless a relink came to what a link of `files` from nothing comes to. */
export async function sameAsCold(warm: LinkResult, options: LinkOptions, files: Files, what: string): Promise<void> {
  const cold = await link({ ...options, fs: memoryFS(files), throwOnError: false });
  assert.is(warm.ok, cold.ok, `${what}: ok`);
  assert.equal(warm.diagnostics.map(({ message }) => message), cold.diagnostics.map(({ message }) => message), `${what}: diagnostics`);
  assert.ok(digest(warm.output) === digest(cold.output), `${what}: other bytes (${warm.output.length}, ${cold.output.length})`);
  for (const name of ["objects", "members", "relocations", "symbols"] as const) assert.is(warm.stats[name], cold.stats[name], `${what}: stats.${name}`);
  assert.equal(warm.map, cold.map, `${what}: map`);
}
