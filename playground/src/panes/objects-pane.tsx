/** The objects in the link: how large each is in the output, and which reference brought archive members in. Of the chosen one: its sections. */
import { useMemo, useState } from "preact/hooks";
import { isLoaded, type GraphIndex } from "../link/graph-index.ts";
import { VirtualTable, type Column } from "../ui/virtual-table.tsx";

export function ObjectsPane({ index, onObject }: { index: GraphIndex; onObject(file: string): void }) {
  const { objects, sections } = index.graph;
  const [selected, setSelected] = useState(-1);
  const sizes = useMemo(() => {
    const kept = objects.map(() => 0);
    const dropped = objects.map(() => 0);
    for (const section of sections) if (isLoaded(section)) (section.live ? kept : dropped)[section.object]! += section.size;
    return { kept, dropped };
  }, [index]);
  const rows = useMemo(() => objects.map((_, i) => i).filter((i) => objects[i]!.input !== "<internal>"), [index]);
  const by = (row: number): string => {
    const extracted = objects[rows[row]!]!.extracted;
    return extracted === undefined ? "" : index.file(extracted.by) || "an option";
  };
  const columns = useMemo<Column[]>(() => [
    { title: "Object", width: "minmax(140px, 1.6fr)", cell: (row) => index.file(rows[row]!), sortBy: (row) => index.file(rows[row]!) },
    { title: "Kept B", width: "70px", right: true, cell: (row) => sizes.kept[rows[row]!]!.toLocaleString("en"), sortBy: (row) => sizes.kept[rows[row]!]! },
    { title: "Dropped B", width: "70px", right: true, cell: (row) => sizes.dropped[rows[row]!]! || "", sortBy: (row) => sizes.dropped[rows[row]!]! },
    { title: "Needed for", width: "minmax(110px, 1fr)", mono: true, cell: (row) => objects[rows[row]!]!.extracted?.symbol ?? <span class="dim">command line</span>, sortBy: (row) => objects[rows[row]!]!.extracted?.symbol ?? "" },
    { title: "By", width: "minmax(110px, 1.2fr)", cell: by, sortBy: by },
  ], [index, rows, sizes]);
  const textOf = useMemo(() => (row: number) => `${index.file(rows[row]!)} ${objects[rows[row]!]!.extracted?.symbol ?? ""}`, [index, rows]);
  const object = rows[selected];
  return (
    <div class="pane split">
      <VirtualTable label="Objects" columns={columns} count={rows.length} textOf={textOf} selected={selected} onSelect={setSelected} empty="No object fits." />
      {object !== undefined && (
        <aside class="details" tabIndex={0} aria-label={`Object ${index.file(object)}`}>
          <h2 class="mono">{index.file(object)}</h2>
          <p class="dim">{objects[object]!.extracted === undefined ? "Named on the command line." : `In the link because ${by(selected)} refers to ${objects[object]!.extracted!.symbol}.`} <button type="button" class="link" onClick={() => onObject(index.file(object))}>Its symbols</button></p>
          <h3>Sections</h3>
          <ul class="links">
            {sections.map((section) => section.object === object && section.size > 0 && <li><span class={`mono ${section.live ? "" : "dead"}`}>{section.name}</span> <span class="dim">{section.size.toLocaleString("en")} B{section.live ? (section.address === undefined ? "" : ` at 0x${section.address.toString(16)}`) : ", left out"}</span></li>)}
          </ul>
        </aside>
      )}
    </div>
  );
}
