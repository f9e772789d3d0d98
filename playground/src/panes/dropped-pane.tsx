/** Sections that --gc-sections left out, and who would have needed them. */
import { useMemo, useState } from "preact/hooks";
import type { GraphIndex } from "../link/graph-index.ts";
import { VirtualTable, type Column } from "../ui/virtual-table.tsx";

export function droppedSections({ graph }: GraphIndex): number[] {
  return graph.sections.map((_, i) => i).filter((i) => !graph.sections[i]!.live && graph.sections[i]!.size > 0);
}

export function DroppedPane({ index, collects, onCollect, onSymbol }: { index: GraphIndex; collects: boolean; onCollect(): void; onSymbol(symbol: number): void }) {
  const rows = useMemo(() => droppedSections(index), [index]);
  const [selected, setSelected] = useState(-1);
  const { sections, symbols } = index.graph;
  const of = (row: number) => sections[rows[row]!]!;
  const columns = useMemo<Column[]>(() => [
    { title: "Section", width: "minmax(140px, 1.5fr)", mono: true, cell: (row) => of(row).name, sortBy: (row) => of(row).name },
    { title: "Size", width: "70px", right: true, cell: (row) => of(row).size, sortBy: (row) => of(row).size },
    { title: "Object", width: "minmax(110px, 1.2fr)", cell: (row) => index.file(of(row).object), sortBy: (row) => index.file(of(row).object) },
    { title: "Defines", width: "minmax(110px, 1.5fr)", mono: true, cell: (row) => index.symbolsIn(rows[row]!).map((i) => symbols[i]!.name).join(", ") },
  ], [index, rows]);
  const textOf = useMemo(() => (row: number) => `${of(row).name} ${index.file(of(row).object)} ${index.symbolsIn(rows[row]!).map((i) => symbols[i]!.name).join(" ")}`, [index, rows]);
  if (!collects) {
    return (
      <div class="pane pad">
        <p>Nothing is dropped: every section of every loaded object is kept.</p>
        <button type="button" class="button" onClick={onCollect}>Drop unused sections (--gc-sections)</button>
      </div>
    );
  }
  const section = rows[selected];
  const referrers = section === undefined ? [] : index.referrers(section);
  const total = rows.reduce((sum, row) => sum + sections[row]!.size, 0);
  return (
    <div class="pane split">
      <VirtualTable label="Dropped sections" columns={columns} count={rows.length} textOf={textOf} selected={selected} onSelect={setSelected} empty="Everything that was loaded is used." />
      <aside class="details" tabIndex={0} aria-label="Why it was dropped">
        {section === undefined ? (
          <p class="dim">{rows.length} sections, {total.toLocaleString("en")} bytes, are not in the output: nothing that is kept leads to them. Choose one to see who refers to it.</p>
        ) : (
          <>
            <h2 class="mono">{index.place(section)}</h2>
            <p>{referrers.length === 0 ? "Nothing refers to it, and nothing else keeps it: it is not where the program starts, is not exported and has no name that the system looks for." : "Only sections that were left out as well refer to it:"}</p>
            <ul class="links">{referrers.slice(0, 40).map(({ row, from }) => <li><button type="button" class="link mono" onClick={() => onSymbol(index.graph.relocations.symbol[row]!)}>{index.place(from)}</button></li>)}</ul>
          </>
        )}
      </aside>
    </div>
  );
}
