/**
 * What runs in the file that --report writes: unpacks the data, draws the map, lists what was left out.
 *
 * Data is `ReportData` in an element of its own, so that the file needs nothing but itself.
 */
import "./map.css";
import "./report.css";
import { layoutTree, type LayoutSource } from "./layout-tree.ts";
import { bytesText, MapView } from "./map-view.ts";
import type { ReportData } from "./report-data.ts";

function unpack({ strings, sections, segments, symbols }: ReportData): LayoutSource {
  const text = (index: number): string => strings[index]!;
  const starts = sections.map(([, , , address]) => BigInt(`0x${address}`));
  return {
    segments: segments.map(([type, flags, own]) => ({ type, flags, sections: own.map(text) })),
    sections: sections.map(([name, type, flags, , size, inputs], i) => ({
      name: text(name), type, flags, address: starts[i]!, size,
      inputs: inputs.map(([input, member, section, offset, bytes]) => ({ input: text(input), ...(member < 0 ? {} : { member: text(member) }), section: text(section), address: starts[i]! + BigInt(offset), size: bytes })),
    })),
    symbols: symbols.map(([name, section, offset, size]) => ({ name: text(name), section: text(sections[section]![0]), address: starts[section]! + BigInt(offset), size })),
  };
}

/** Rows of the table of what was left out. */
const MOST = 500;

function list(data: ReportData): void {
  const { strings, discarded } = data;
  const bytes = discarded.reduce((sum, [, , , size]) => sum + size, 0);
  const details = document.querySelector("details")!;
  details.hidden = discarded.length === 0;
  document.querySelector("summary")!.textContent = `${discarded.length.toLocaleString("en")} sections, ${bytesText(bytes)}, were left out by --gc-sections`;
  const body = document.querySelector("tbody")!;
  details.addEventListener("toggle", () => {
    if (body.childElementCount > 0) return;
    for (const [input, member, section, size] of [...discarded].sort((a, b) => b[3] - a[3]).slice(0, MOST)) {
      const row = body.insertRow();
      row.insertCell().textContent = size.toLocaleString("en");
      row.insertCell().textContent = strings[section]!;
      row.insertCell().textContent = member < 0 ? strings[input]! : `${strings[input]}(${strings[member]})`;
    }
  });
}

const data = JSON.parse(document.getElementById("data")!.textContent!) as ReportData;
document.title = `${data.output}: layout`;
document.querySelector("h1")!.textContent = data.output;
document.querySelector(".about")!.textContent = data.about;
list(data);
new MapView(document.getElementById("map")!).show(layoutTree(unpack(data), data.output));
