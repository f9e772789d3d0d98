/**
 * What runs in the file that --report writes: unpacks the data, draws the map, lists what was left out.
 *
 * Data is `ReportData` in an element of its own, so that the file needs nothing but itself.
 */
import "./map.css";
import "./report.css";
import { treeOf, type LayoutSource, type Part } from "./layout-tree.ts";
import { bytesText, MapView } from "./map-view.ts";
import { DATA_ELEMENT, readData, summed, type InputColumns, type ReportData } from "./report-data.ts";

/** Browsers inflate in a thread of their own. */
async function read(): Promise<ReportData> {
  const chars = atob(document.getElementById(DATA_ELEMENT)!.textContent!);
  const packed = new Uint8Array(chars.length);
  for (let i = 0; i < chars.length; i++) packed[i] = chars.charCodeAt(i);
  return readData(await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).text());
}

/** Names of inputs, by row. */
function inputs(strings: readonly string[], columns: InputColumns): (i: number) => Pick<Part, "input" | "member" | "section"> {
  const [input, member, prefix, section] = [columns.input, columns.member, columns.prefix, columns.section].map(summed);
  return (i) => {
    const [from, name] = [strings[input![i]!]!, strings[prefix![i]!]! + strings[section![i]!]!];
    return member![i]! < 0 ? { input: from, section: name } : { input: from, member: strings[member![i]!]!, section: name };
  };
}

function unpack({ strings, sections, segments, parts, symbols }: ReportData): LayoutSource {
  const text = (index: number): string => strings[index]!;
  const from = inputs(strings, parts);
  const [names, partOffsets, symbolOffsets] = [symbols.name, parts.offset, symbols.offset].map(summed);
  let [firstPart, firstSymbol] = [0, 0];
  return {
    segments: segments.map(([type, flags, own]) => ({ type, flags, sections: own.map(text) })),
    sections: sections.map(([name, type, flags, address, size, partCount, symbolCount]) => {
      const [part, symbol] = [firstPart, firstSymbol];
      firstPart += partCount;
      firstSymbol += symbolCount;
      return {
        name: text(name), type, flags, address: BigInt(`0x${address}`), size,
        parts: () => Array.from({ length: partCount }, (_, i) => Object.assign(from(part + i), { offset: partOffsets![part + i]!, size: parts.size[part + i]! })),
        symbols: () => ({ offset: symbolOffsets!.slice(symbol, symbol + symbolCount), size: symbols.size.slice(symbol, symbol + symbolCount), name: (i) => text(names![symbol + i]!) }),
      };
    }),
  };
}

/** Rows of the table of what was left out. */
const MOST = 500;

function list({ strings, discarded }: ReportData): void {
  const sizes = discarded.size;
  const details = document.querySelector("details")!;
  details.hidden = sizes.length === 0;
  document.querySelector("summary")!.textContent = `${sizes.length.toLocaleString("en")} sections, ${bytesText(sizes.reduce((sum, size) => sum + size, 0))}, were left out by --gc-sections`;
  const body = document.querySelector("tbody")!;
  details.addEventListener("toggle", () => {
    if (body.childElementCount > 0) return;
    const from = inputs(strings, discarded);
    for (const i of sizes.map((_, row) => row).sort((a, b) => sizes[b]! - sizes[a]!).slice(0, MOST)) {
      const { input, member, section } = from(i);
      const row = body.insertRow();
      row.insertCell().textContent = sizes[i]!.toLocaleString("en");
      row.insertCell().textContent = section;
      row.insertCell().textContent = member === undefined ? input : `${input}(${member})`;
    }
  });
}

const about = document.querySelector(".about")!;
try {
  const data = await read();
  document.title = `${data.output}: layout`;
  document.querySelector("h1")!.textContent = data.output;
  about.textContent = data.about;
  list(data);
  new MapView(document.getElementById("map")!).show(treeOf(unpack(data), data.output));
} catch (error) {
  about.textContent = `This report cannot be shown: ${String(error)}`;
}
