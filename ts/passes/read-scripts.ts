/**
 * Version scripts, dynamic lists, options that mean the same, and ordering files: files and options → ctx.versionNodes,
 * ctx.dynamicList, ctx.sectionOrder, ctx.symbolOrder, ctx.callGraph.
 *
 * Only reads; which symbols the patterns touch is decided by set-visibility.
 */
import type { ByteString, SymbolPattern } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { cannotOpen, noScript } from "../diagnostics/input-messages.ts";
import { HostError, readText } from "../host/host.ts";
import { Search } from "../input/search.ts";
import { parseDynamicList } from "../script/dynamic-list.ts";
import { ScriptError } from "../script/lexer.ts";
import { parseSectionOrder } from "../script/section-ordering.ts";
import { orderingLines } from "../script/ordering-file.ts";
import { parseVersionScript } from "../script/version-script.ts";
import { ownName } from "../synthetic/version.ts";
import { outputName } from "./bind-sections.ts";

const ANY: SymbolPattern = { pattern: "*", cxx: false, exact: false };

function read<T>(ctx: Context, path: ByteString, parse: (text: ByteString, name: ByteString) => T[]): T[] {
  try {
    const text = readText(ctx.host, path);
    ctx.loadedFiles.push(path);
    // Most often of C++: for that symbols are demangled, which is late to notice.
    if (text.includes("extern")) ctx.host.beComplete?.();
    return parse(text, path);
  } catch (error) {
    if (error instanceof ScriptError) ctx.diag.error(error.said);
    else if (error instanceof HostError) ctx.diag.error(cannotOpen(path, error));
    else throw error;
    return [];
  }
}

/** Scripts and lists are also looked for along -L (version scripts by lld, lists by GNU ld); "" = nowhere. */
function findScript({ host, options }: Context, name: ByteString): ByteString {
  const exists = (path: ByteString): boolean => host.exists(path);
  return exists(name) || host.stat(name)?.kind === "directory" ? name : new Search(options, exists).file(name);
}

function readVersionScript(ctx: Context, name: ByteString): void {
  const path = findScript(ctx, name);
  if (path === "") ctx.diag.error(noScript("version", name));
  else ctx.versionNodes.push(...read(ctx, path, parseVersionScript));
}

/** --retain-symbols-file: .symtab keeps these names (GNU ld), and they are an anonymous version with these globals and nothing else (lld). */
function retainSymbols(ctx: Context, path: ByteString): void {
  const lines = (text: ByteString): ByteString[] => text.split("\n").map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
  const names = read(ctx, path, lines);
  ctx.retained = new Set(names);
  const globals = names.map((pattern) => ({ pattern, cxx: false, exact: true }));
  ctx.versionNodes.unshift({ name: "", globals, locals: [ANY], parents: [], implied: true });
}

/** --default-symver: whatever is exported and has no version has the file's own name as one. */
function defaultSymver(ctx: Context): void {
  ctx.versionNodes.unshift({ name: ownName(ctx.options), globals: [ANY], locals: [], parents: [], implied: true });
}

export function readScripts(ctx: Context): void {
  const { options } = ctx;
  for (const name of options.versionScripts) readVersionScript(ctx, name);
  if (options.retainSymbols !== "") retainSymbols(ctx, options.retainSymbols);
  if (options.defaultSymver && options.shared) defaultSymver(ctx);
  if (options.symbolOrderingFile !== "") {
    if (options.callGraphOrderingFile !== "") ctx.diag.error({ code: "BAD_OPTION", text: "--symbol-ordering-file and --call-graph-order-file may not be used together" });
    ctx.symbolOrder = read(ctx, options.symbolOrderingFile, (text) => [text]).join("");
  } else if (options.callGraphOrderingFile !== "" && options.callGraphSort !== "none") {
    ctx.callGraph = read(ctx, options.callGraphOrderingFile, orderingLines);
  }
  ctx.sectionOrder = options.sectionOrderingFiles.flatMap((path) => read(ctx, path, (text, name) => parseSectionOrder(text, name, (section) => outputName(ctx, section))));
  const lists = [...options.dynamicLists, ...options.exportDynamicSymbolLists];
  ctx.dynamicList = [
    ...lists.flatMap((name) => read(ctx, findScript(ctx, name) || name, parseDynamicList)),
    ...options.exportDynamicSymbols.map((pattern) => ({ pattern, cxx: false, exact: !/[*?[\\]/.test(pattern) })),
    ...options.dynamicListCpp.map((pattern) => ({ pattern, cxx: true, exact: false })),
  ];
  if (options.inputs.length === 0 && options.scripts.length === 0 && !ctx.diag.hasErrors) ctx.diag.error({ code: "NO_INPUT", text: "no input files" });
}
