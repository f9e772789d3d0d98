/** All symbols, and of the chosen one: where it is, who refers to it, what it refers to, why it is there. */
import { useMemo } from "preact/hooks";
import { bindName, isOwnSymbol, typeName, type GraphIndex } from "../link/graph-index.ts";
import { VirtualTable, type Column } from "../ui/virtual-table.tsx";
import { WhyLive } from "./why-live.tsx";

export const hex = (value: bigint | undefined): string => (value === undefined ? "" : `0x${value.toString(16)}`);

interface Props {
  index: GraphIndex;
  selected: number;
  /** What is searched for to begin with. */
  query: string;
  onSelect(symbol: number): void;
  onRelocation(row: number): void;
}

export function SymbolsPane({ index, selected, query, onSelect, onRelocation }: Props) {
  const { symbols, sections } = index.graph;
  const rows = useMemo(() => symbols.map((_, i) => i).filter((i) => isOwnSymbol(symbols[i]!)), [symbols]);
  const of = (row: number) => symbols[rows[row]!]!;
  const columns = useMemo<Column[]>(() => [
    { title: "Name", width: "minmax(140px, 2.2fr)", mono: true, cell: (row) => <span title={of(row).rawName} class={of(row).address === undefined ? "dead" : ""}>{of(row).name}</span>, sortBy: (row) => of(row).name },
    { title: "Address", width: "84px", right: true, mono: true, cell: (row) => hex(of(row).address), sortBy: (row) => of(row).address ?? -1n },
    { title: "Size", width: "60px", right: true, cell: (row) => of(row).size || "", sortBy: (row) => of(row).size },
    { title: "Kind", width: "76px", cell: (row) => typeName(of(row).type), sortBy: (row) => typeName(of(row).type) },
    { title: "Binding", width: "60px", cell: (row) => bindName(of(row).bind), sortBy: (row) => of(row).bind },
    { title: "Uses", width: "48px", right: true, cell: (row) => index.relocationsTo(rows[row]!).length || "", sortBy: (row) => index.relocationsTo(rows[row]!).length },
    { title: "From", width: "minmax(90px, 1.4fr)", cell: (row) => index.file(of(row).object), sortBy: (row) => index.file(of(row).object) },
  ], [index, rows]);
  const textOf = useMemo(() => (row: number) => `${of(row).name} ${of(row).rawName} ${index.file(of(row).object)} ${hex(of(row).address)}`, [index, rows]);
  const symbol = symbols[selected];
  return (
    <div class="pane split">
      <VirtualTable label="Symbols" initialQuery={query} columns={columns} count={rows.length} textOf={textOf} selected={rows.indexOf(selected)} onSelect={(row) => onSelect(rows[row]!)} empty="No symbol fits." />
      {symbol !== undefined && (
        <aside class="details" tabIndex={0} aria-label={`Symbol ${symbol.name}`}>
          <h2 class="mono">{symbol.name}</h2>
          <p class="dim">{[typeName(symbol.type), bindName(symbol.bind), symbol.size > 0 ? `${symbol.size} bytes` : "", symbol.address === undefined ? (symbol.defined ? "left out" : "undefined") : hex(symbol.address), symbol.section < 0 ? index.file(symbol.object) : index.place(symbol.section)].filter(Boolean).join(" · ")}</p>
          <h3>Referred to by</h3>
          <References index={index} rows={index.relocationsTo(selected)} text={(row) => index.within(index.graph.relocations.section[row]!, index.graph.relocations.offset[row]!)} onRelocation={onRelocation} />
          <h3>Its section refers to</h3>
          <Outgoing index={index} section={symbol.section} onSelect={onSelect} />
          <h3>Why it is there</h3>
          <WhyLive index={index} section={symbol.section} object={symbol.object} onSymbol={onSelect} live={symbol.section < 0 || sections[symbol.section]!.live} />
        </aside>
      )}
    </div>
  );
}

const FEW = 60;

function References({ index, rows, text, onRelocation }: { index: GraphIndex; rows: readonly number[]; text(row: number): string; onRelocation(row: number): void }) {
  const { relocations, sections } = index.graph;
  if (rows.length === 0) return <p class="dim">No relocation names it.</p>;
  return (
    <ul class="links">
      {rows.slice(0, FEW).map((row) => {
        const section = sections[relocations.section[row]!]!;
        return <li><button type="button" class={`link mono ${section.live ? "" : "dead"}`} onClick={() => onRelocation(row)}>{text(row)}</button> <span class="dim">{index.file(section.object)}</span></li>;
      })}
      {rows.length > FEW && <li class="dim">and {rows.length - FEW} more</li>}
    </ul>
  );
}

function Outgoing({ index, section, onSelect }: { index: GraphIndex; section: number; onSelect(symbol: number): void }) {
  const { symbols, relocations } = index.graph;
  const targets = [...new Set(index.relocationsOf(section).map((row) => relocations.symbol[row]!))].filter((symbol) => symbol >= 0);
  if (targets.length === 0) return <p class="dim">Nothing.</p>;
  return <ul class="links inline">{targets.slice(0, FEW).map((symbol) => <li><button type="button" class="link mono" onClick={() => onSelect(symbol)}>{symbols[symbol]!.name}</button></li>)}</ul>;
}
