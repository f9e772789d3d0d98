/**
 * Version scripts, dynamic lists and --export-dynamic-symbol: files and options → ctx.versionNodes, ctx.dynamicList.
 *
 * Only reads; which symbols the patterns touch is decided by set-visibility.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { HostError } from "../host/host.ts";
import { parseDynamicList } from "../script/dynamic-list.ts";
import { ScriptError } from "../script/lexer.ts";
import { parseVersionScript } from "../script/version-script.ts";

function read<T>(ctx: Context, path: ByteString, parse: (text: ByteString, name: ByteString) => T[]): T[] {
  try {
    const text = Buffer.from(ctx.host.readAll(path)).toString("latin1");
    ctx.loadedFiles.push(path);
    return parse(text, path);
  } catch (error) {
    if (error instanceof ScriptError) ctx.diag.error(error.message);
    else if (error instanceof HostError) ctx.diag.error(`cannot open ${path}: ${error.message}`);
    else throw error;
    return [];
  }
}

export function readScripts(ctx: Context): void {
  const { options } = ctx;
  ctx.versionNodes.push(...options.versionScripts.flatMap((path) => read(ctx, path, parseVersionScript)));
  const lists = [...options.dynamicLists, ...options.exportDynamicSymbolLists];
  ctx.dynamicList.push(...lists.flatMap((path) => read(ctx, path, parseDynamicList)));
  ctx.dynamicList.push(...options.exportDynamicSymbols.map((pattern) => ({ pattern, cxx: false, exact: false })));
  ctx.diag.throwIfErrors();
}
