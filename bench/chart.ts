/**
 * The latest run as a picture: processor time of each link beside ld.lld's, one bar a linker, as SVG without scripts or fonts.
 *
 * Bars are ratios to ld.lld at one thread (1 = the line), because absolute times differ from machine to machine.
 */
import type { LinkResult } from "./links.ts";

export interface ChartRecord {
  date: string;
  node: string;
  cpu: string;
  links: LinkResult[];
}

const BAR = 14;
const LEFT = 150;
const WIDTH = 760;
/** Longer bars are cut, and say so. */
const MOST = 4;
const UNIT = (WIDTH - LEFT - 140) / MOST;
const COLORS: Record<string, string> = { wield: "#c2410c", "ld.bfd": "#64748b", "ld.gold": "#a16207", mold: "#0f766e", wild: "#7c3aed" };

const escape = (text: string): string => text.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`);

function bars({ workload, rows }: LinkResult, top: number): { svg: string; height: number } {
  const single = rows.filter(({ threads, linker }) => threads === 1 && linker !== "node");
  const lld = single.find(({ linker }) => linker.startsWith("ld.lld"));
  if (lld === undefined) return { svg: "", height: 0 };
  const lines = single.map(({ linker, cpu }, i) => {
    const y = top + 22 + i * (BAR + 4);
    const ratio = cpu / lld.cpu;
    const length = Math.min(ratio, MOST) * UNIT;
    const note = `${ratio.toFixed(2)}${ratio > MOST ? " →" : ""} (${cpu < 1000 ? `${cpu.toFixed(0)} ms` : `${(cpu / 1000).toFixed(2)} s`})`;
    return (
      `<text x="${LEFT - 8}" y="${y + BAR - 3}" text-anchor="end">${escape(linker)}</text>` +
      `<rect x="${LEFT}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" fill="${COLORS[linker] ?? "#1d4ed8"}"/>` +
      `<text x="${(LEFT + length + 6).toFixed(1)}" y="${y + BAR - 3}">${note}</text>`
    );
  });
  const height = 22 + single.length * (BAR + 4) + 12;
  const line = `<line x1="${LEFT + UNIT}" y1="${top + 18}" x2="${LEFT + UNIT}" y2="${top + height - 12}" stroke="#94a3b8" stroke-dasharray="3 3"/>`;
  return { svg: `<text x="8" y="${top + 14}" font-weight="bold">${escape(workload)}</text>${line}${lines.join("")}`, height };
}

export function chart({ date, node, cpu, links }: ChartRecord): string {
  let top = 40;
  const groups = links.map((link) => {
    const group = bars(link, top);
    top += group.height;
    return group.svg;
  });
  const title = `CPU time of a link at one thread, as a multiple of ld.lld's (${date.slice(0, 10)}, ${cpu}, Node ${node})`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${top + 8}" font-family="sans-serif" font-size="12" role="img" aria-label="${escape(title)}">` +
    `<rect width="100%" height="100%" fill="#ffffff"/><text x="8" y="20">${escape(title)}</text>${groups.join("")}</svg>\n`
  );
}
