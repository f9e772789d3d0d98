/**
 * --report: the layout of a link as one HTML file that needs nothing else: data, and the map that the playground draws.
 *
 * Loops over sections and symbols in TypeScript, because it runs only when it is asked for. Everything that comes from inputs is
 * deflated data in base64, so that no name can end the element, and so that the file of a large program is small.
 */
import { ELFCOMPRESS_ZLIB } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { demangle } from "../diagnostics/demangle.ts";
import { decoded, latin1Of, utf8 } from "../memory/text.ts";
import { layoutOf } from "./layout.ts";
import { DATA_ELEMENT, writtenData, type InputColumns, type ReportData } from "./view/report-data.ts";
import { viewerText } from "./viewer-text.ts";

/** Of zlib: higher ones take twice as long and save a hundredth. */
const LEVEL = 6;

const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>layout</title></head>
<body>
<header><h1></h1><p class="about" role="status">Loading …</p></header>
<main id="map"></main>
<footer><span><i class="tone-code"></i>code</span><span><i class="tone-constant"></i>read-only data</span><span><i class="tone-data"></i>data</span><span><i class="tone-zero"></i>zeros</span><span><i class="tone-unloaded"></i>not loaded</span><span>Enter or click: zoom in; Escape: out; arrows: move</span></footer>
<details hidden><summary></summary><table><thead><tr><th scope="col">bytes</th><th scope="col">section</th><th scope="col">object</th></tr></thead><tbody></tbody></table></details>
`;

export function reportPage(ctx: Context): ByteString {
  const data = new TextEncoder().encode(writtenData(reportData(ctx)));
  const packed = ctx.host.deflate(ELFCOMPRESS_ZLIB, data, LEVEL, true)!;
  return `${utf8(PAGE)}<script type="text/plain" id="${DATA_ELEMENT}">${btoa(latin1Of(packed))}</script>\n${viewerText()}\n</body>\n</html>\n`;
}

/** Every name once. */
class Strings {
  readonly list: string[] = [];
  private readonly known = new Map<string, number>();

  of(text: string | undefined): number {
    if (text === undefined) return -1;
    let index = this.known.get(text);
    if (index === undefined) this.known.set(text, (index = this.list.push(text) - 1));
    return index;
  }
}

/** Differences of the numbers that are added. */
class Column {
  readonly differences: number[] = [];
  private last = 0;

  add(value: number): void {
    this.differences.push(value - this.last);
    this.last = value;
  }
}

/** Parts of names that compilers put before what a section is for: `.text.unlikely.`, `.data.rel.ro.`; `.rodata.str1.` with its size. */
const PREFIX = /^\.(?:text|rodata|data|bss|tdata|tbss|ldata|lrodata|lbss|init_array|fini_array|gcc_except_table|debug_\w+)(?:\.(?:hot|cold|unlikely|startup|exit|split|rel|ro|local|str\d+|cst\d+)(?=\.))*\./;

/** Where sections come from: InputColumns. */
class Inputs {
  private readonly strings: Strings;
  private readonly columns = [new Column(), new Column(), new Column(), new Column()] as const;
  private readonly demangled: boolean;

  constructor(strings: Strings, demangled: boolean) {
    this.strings = strings;
    this.demangled = demangled;
  }

  add({ input, member, section }: { input: string; member?: string; section: string }): void {
    const prefix = PREFIX.exec(section)?.[0] ?? "";
    const rest = section.slice(prefix.length);
    const of = [input, member, prefix, this.demangled ? demangle(rest) : rest];
    this.columns.forEach((column, i) => column.add(this.strings.of(of[i])));
  }

  get data(): InputColumns {
    const [input, member, prefix, section] = this.columns.map(({ differences }) => differences);
    return { input: input!, member: member!, prefix: prefix!, section: section! };
  }
}

/** In this order, so that numbers of names go up: a section's parts come before its symbols, whose names they have. */
function reportData(ctx: Context): ReportData {
  const { sections, segments, symbols, discarded } = layoutOf(ctx);
  const strings = new Strings();
  const place = new Map(sections.map((section, i) => [section.name, { i, address: section.address }]));
  const parts = new Inputs(strings, ctx.options.demangle);
  const left = new Inputs(strings, ctx.options.demangle);
  const [partOffsets, symbolOffsets, symbolNames] = [new Column(), new Column(), new Column()];
  const perSection = sections.map(() => 0);
  const named = symbols.flatMap(({ name, section, address, size }) => {
    const at = place.get(section);
    return at === undefined || size === 0 || address < at.address ? [] : [{ name, section: at.i, offset: Number(address - at.address), size }];
  });
  for (const { inputs } of sections) {
    for (const part of inputs) {
      parts.add(part);
      partOffsets.add(part.offset);
    }
  }
  named.sort((a, b) => a.section - b.section || a.offset - b.offset);
  for (const { name, section, offset } of named) {
    perSection[section]!++;
    symbolNames.add(strings.of(name));
    symbolOffsets.add(offset);
  }
  const dead = discarded.filter(({ size }) => size > 0);
  for (const each of dead) left.add(each);
  return {
    output: decoded(ctx.options.output),
    about: `${ctx.objects.length.toLocaleString("en")} objects, ${sections.length} sections, ${symbols.length.toLocaleString("en")} symbols`,
    strings: strings.list,
    sections: sections.map(({ name, type, flags, address, size, inputs }, i) => [strings.of(name), type, flags, address.toString(16), size, inputs.length, perSection[i]!]),
    segments: segments.map(({ type, flags, sections: own }) => [type, flags, own.map((name) => strings.of(name))]),
    parts: { ...parts.data, offset: partOffsets.differences, size: sections.flatMap(({ inputs }) => inputs.map(({ size }) => size)) },
    symbols: { name: symbolNames.differences, offset: symbolOffsets.differences, size: named.map(({ size }) => size) },
    discarded: { ...left.data, size: dead.map(({ size }) => size) },
  };
}
