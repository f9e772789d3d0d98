/**
 * A table of any number of rows, of which only those in sight exist: search, sorting by column, arrow keys.
 *
 * To screen readers a grid that says how many rows there are. Rows are numbers; what is in a cell is asked for when it is drawn.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

export interface Column {
  title: string;
  /** CSS width in the grid. */
  width: string;
  right?: boolean;
  mono?: boolean;
  cell(row: number): ComponentChildren;
  /** What sorting compares; default: not sortable. */
  sortBy?(row: number): string | number | bigint;
}

export interface TableProps {
  label: string;
  columns: readonly Column[];
  count: number;
  /** What search looks through. */
  textOf(row: number): string;
  selected: number;
  onSelect(row: number): void;
  /** Sets the search from outside. */
  initialQuery?: string;
  empty?: string;
}

const ROW = 25;
const MORE = 8;

function matching(count: number, query: string, textOf: (row: number) => string): number[] {
  const wanted = query.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const rows: number[] = [];
  for (let row = 0; row < count; row++) {
    if (wanted.length === 0) rows.push(row);
    else {
      const text = textOf(row).toLowerCase();
      if (wanted.every((word) => text.includes(word))) rows.push(row);
    }
  }
  return rows;
}

function sorted(rows: number[], by: ((row: number) => string | number | bigint) | undefined, down: boolean): number[] {
  if (by === undefined) return rows;
  const keys = new Map(rows.map((row) => [row, by(row)]));
  const sign = down ? -1 : 1;
  return rows.sort((a, b) => {
    const [x, y] = [keys.get(a)!, keys.get(b)!];
    return (x < y ? -sign : x > y ? sign : a - b);
  });
}

export function VirtualTable({ label, columns, count, textOf, selected, onSelect, initialQuery = "", empty = "nothing" }: TableProps) {
  const [query, setQuery] = useState(initialQuery);
  const [sort, setSort] = useState<{ column: number; down: boolean }>({ column: -1, down: false });
  const [view, setView] = useState({ top: 0, height: 400 });
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => setQuery(initialQuery), [initialQuery]);
  const rows = useMemo(() => sorted(matching(count, query, textOf), columns[sort.column]?.sortBy, sort.down), [columns, count, query, sort, textOf]);
  useLayoutEffect(() => {
    const element = body.current!;
    const observer = new ResizeObserver(() => setView((old) => ({ ...old, height: element.clientHeight })));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const place = rows.indexOf(selected);
  const select = (next: number): void => {
    const to = Math.min(Math.max(next, 0), rows.length - 1);
    if (rows[to] !== undefined) onSelect(rows[to]);
  };
  // Wherever it was chosen: by a key, a click, or a link in another view.
  useLayoutEffect(() => {
    const to = rows.indexOf(selected);
    if (to < 0) return;
    const element = body.current!;
    if (to * ROW < element.scrollTop) element.scrollTop = to * ROW;
    else if ((to + 1) * ROW > element.scrollTop + element.clientHeight) element.scrollTop = (to + 1) * ROW - element.clientHeight;
  }, [selected, rows]);
  useEffect(() => {
    if (selected >= 0 && selected < count && !rows.includes(selected)) setQuery("");
  }, [selected]);
  const onKey = (event: KeyboardEvent): void => {
    if ((event.target as Element).tagName === "BUTTON") return;
    const page = Math.max(1, Math.floor(view.height / ROW) - 1);
    const to = { ArrowDown: place + 1, ArrowUp: place - 1, PageDown: place + page, PageUp: place - page, Home: 0, End: rows.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    select(to);
  };
  const first = Math.max(0, Math.floor(view.top / ROW) - MORE);
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / ROW) + MORE);
  const template = { gridTemplateColumns: columns.map(({ width }) => width).join(" ") };
  const id = `table-${label.replace(/\W/g, "-")}`;
  return (
    <div class="table">
      <div class="table-tools">
        <input type="search" placeholder={`Search ${label.toLowerCase()}`} aria-label={`Search ${label.toLowerCase()}`} value={query} onInput={(event) => setQuery(event.currentTarget.value)} />
        <span class="dim" aria-live="polite">{rows.length === count ? `${count.toLocaleString("en")}` : `${rows.length.toLocaleString("en")} of ${count.toLocaleString("en")}`}</span>
      </div>
      <div class="grid" role="grid" aria-label={label} aria-rowcount={rows.length + 1} aria-colcount={columns.length} tabIndex={0} aria-activedescendant={place >= first && place < last ? `${id}-${selected}` : undefined} onKeyDown={onKey}>
        <div class="grid-head" role="row" aria-rowindex={1} style={template}>
          {columns.map(({ title, right, sortBy }, i) => (
            <span role="columnheader" class={right ? "right" : ""} aria-sort={sort.column === i ? (sort.down ? "descending" : "ascending") : undefined}>
              {sortBy === undefined ? title : <button type="button" onClick={() => setSort({ column: i, down: sort.column === i && !sort.down })}>{title}{sort.column === i ? (sort.down ? " ↓" : " ↑") : ""}</button>}
            </span>
          ))}
        </div>
        <div class="grid-body" ref={body} role="rowgroup" tabIndex={-1} onScroll={(event) => setView({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}>
          {rows.length === 0 && <p class="dim pad">{empty}</p>}
          <div style={{ height: `${rows.length * ROW}px`, position: "relative" }} role="presentation">
            {rows.slice(first, last).map((row, i) => (
              <div key={row} id={`${id}-${row}`} role="row" aria-rowindex={first + i + 2} aria-selected={row === selected} class={row === selected ? "row selected" : "row"} style={{ ...template, top: `${(first + i) * ROW}px`, height: `${ROW}px` }} onClick={() => onSelect(row)}>
                {columns.map(({ cell, right, mono }) => <span role="gridcell" class={`${right ? "right " : ""}${mono ? "mono" : ""}`}>{cell(row)}</span>)}
              </div>
            ))}
          </div>
        </div>
      </div>
    </div>
  );
}
