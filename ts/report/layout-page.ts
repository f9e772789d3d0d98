/**
 * --report: the layout of a link as one HTML file that needs nothing else: data, and the map that the playground draws.
 *
 * Loops over sections and symbols in TypeScript, because it runs only when it is asked for. Everything that comes from inputs is
 * data in JSON, where `<` is written so that no name can end the element.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { decoded, utf8 } from "../memory/text.ts";
import { layoutOf } from "./layout.ts";
import type { ReportData } from "./view/report-data.ts";
import { viewerText } from "./viewer-text.ts";

const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>layout</title></head>
<body>
<header><h1></h1><p class="about"></p></header>
<main id="map"></main>
<footer><span><i class="tone-code"></i>code</span><span><i class="tone-constant"></i>read-only data</span><span><i class="tone-data"></i>data</span><span><i class="tone-zero"></i>zeros</span><span><i class="tone-unloaded"></i>not loaded</span><span>Enter or click: zoom in; Escape: out; arrows: move</span></footer>
<details hidden><summary></summary><table><thead><tr><th scope="col">bytes</th><th scope="col">section</th><th scope="col">object</th></tr></thead><tbody></tbody></table></details>
`;

export function reportPage(ctx: Context): ByteString {
  const json = JSON.stringify(reportData(ctx)).replaceAll("<", "\\u003c");
  return utf8(`${PAGE}<script type="application/json" id="data">${json}</script>\n${viewerText()}\n</body>\n</html>\n`);
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

function reportData(ctx: Context): ReportData {
  const { sections, segments, symbols, discarded } = layoutOf(ctx);
  const strings = new Strings();
  const place = new Map(sections.map((section, i) => [section.name, { i, address: section.address }]));
  return {
    output: decoded(ctx.options.output),
    about: `${ctx.objects.length.toLocaleString("en")} objects, ${sections.length} sections, ${symbols.length.toLocaleString("en")} symbols`,
    strings: strings.list,
    sections: sections.map(({ name, type, flags, address, size, inputs }) => [
      strings.of(name), type, flags, address.toString(16), size,
      inputs.map(({ input, member, section, offset, size: bytes }) => [strings.of(input), strings.of(member), strings.of(section), offset, bytes]),
    ]),
    segments: segments.map(({ type, flags, sections: own }) => [type, flags, own.map((name) => strings.of(name))]),
    symbols: symbols.flatMap(({ name, section, address, size }): ReportData["symbols"] => {
      const at = place.get(section);
      return at === undefined || size === 0 || address < at.address ? [] : [[strings.of(name), at.i, Number(address - at.address), size]];
    }),
    discarded: discarded.filter(({ size }) => size > 0).map(({ input, member, section, size }) => [strings.of(input), strings.of(member), strings.of(section), size]),
  };
}
