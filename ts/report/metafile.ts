/**
 * --metafile: inputs and output in the form of esbuild's metafile, so that analysers of bundles open it.
 *
 * An object is an input, an archive a folder of them; it "imports" the objects that define what it refers to. What the linker
 * makes itself is under `<internal>`.
 */
import { OBJ_INTERNAL, SYM_DEFINED, SYM_KIND_MASK, SYM_SHARED } from "../../as-kernels/shared/abi.ts";
import { SHT_NOBITS } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { decoded, utf8 } from "../memory/text.ts";
import { layoutOf } from "./layout.ts";

interface Input {
  bytes: number;
  imports: { path: string; kind: "import-statement"; original: string }[];
}

interface Output {
  bytes: number;
  inputs: Record<string, { bytesInOutput: number }>;
  imports: { path: string; kind: "import-statement"; external: true }[];
  exports: string[];
  entryPoint?: string;
}

/** `bytes`: size of the output. */
export function metafile(ctx: Context, bytes: number): ByteString {
  const inputs: Record<string, Input> = Object.create(null) as Record<string, Input>;
  const names = objectNames(ctx);
  for (const [obj, name] of names) {
    const input = (inputs[name] ??= { bytes: 0, imports: [] });
    input.bytes += ctx.tables.obj.bytes[obj]!;
    input.imports.push(...importsOf(ctx, obj, names));
  }
  const output = outputOf(ctx, bytes, inputs, names);
  return utf8(`${JSON.stringify({ inputs, outputs: { [decoded(ctx.options.output)]: output } }, null, 1)}\n`);
}

const pathOf = (input: string, member: string | undefined): string => (member === undefined ? input : `${input}/${member}`);

function objectNames({ objects, inputs, tables }: Context): Map<number, string> {
  const names = new Map<number, string>();
  for (const obj of objects) {
    const input = inputs[tables.obj.fileId[obj]!];
    if (tables.obj.kind[obj] !== OBJ_INTERNAL && input !== undefined) names.set(obj, pathOf(decoded(input.path), input.member === "" ? undefined : decoded(input.member)));
  }
  return names;
}

/** Each object that defines something it refers to, once. */
function importsOf({ tables, symbolName }: Context, obj: number, names: ReadonlyMap<number, string>): Input["imports"] {
  const { obj: objects, esym, gsym, sym } = tables;
  const found = new Map<number, string>();
  for (let i = objects.firstGlobal[obj]!; i < objects.esymCount[obj]!; i++) {
    const id = esym.sym[objects.esymBase[obj]! + i]!;
    const from = gsym.obj[id]!;
    if (id === 0 || from === obj || found.has(from) || !names.has(from) || (sym.flags[id]! & SYM_KIND_MASK) !== SYM_DEFINED) continue;
    found.set(from, decoded(symbolName(id)));
  }
  return [...found].map(([from, original]) => ({ path: names.get(from)!, kind: "import-statement", original }));
}

function outputOf(ctx: Context, bytes: number, inputs: Record<string, Input>, names: ReadonlyMap<number, string>): Output {
  const { sections, symbols } = layoutOf(ctx);
  const parts: Output["inputs"] = Object.create(null) as Output["inputs"];
  for (const { type, inputs: own } of sections) {
    if (type === SHT_NOBITS) continue;
    for (const { input, member, section, size } of own) {
      const name = input === "<internal>" ? pathOf(input, section) : pathOf(input, member);
      (parts[name] ??= { bytesInOutput: 0 }).bytesInOutput += size;
      // What the linker made is as large as it is in the output.
      if (input === "<internal>") (inputs[name] ??= { bytes: 0, imports: [] }).bytes += size;
      else inputs[name] ??= { bytes: size, imports: [] };
    }
  }
  const entry = ctx.lookup(ctx.options.entry || "_start");
  const start = entry === 0 ? undefined : names.get(ctx.tables.gsym.obj[entry]!);
  return {
    bytes, inputs: parts,
    imports: ctx.sharedObjects.map(({ path }) => ({ path: decoded(path), kind: "import-statement", external: true })),
    exports: ctx.params.get("dynamic") === 0 ? [] : symbols.filter(({ section }) => section !== "").map(({ name }) => name).filter((name) => exported(ctx, name)),
    ...(start === undefined ? {} : { entryPoint: start }),
  };
}

function exported(ctx: Context, name: string): boolean {
  const id = ctx.lookup(utf8(name));
  return id !== 0 && ctx.tables.gsym.dynsym[id] !== 0 && (ctx.tables.sym.flags[id]! & SYM_KIND_MASK) !== SYM_SHARED;
}
