/** All relocations, and of the chosen one: what is computed, and the bytes before and after. */
import { useEffect, useMemo, useState } from "preact/hooks";
import type { GraphIndex } from "../link/graph-index.ts";
import { FORMULAS } from "../link/relocation-words.ts";
import type { Contents, Linked } from "../link/state.ts";
import { VirtualTable, type Column } from "../ui/virtual-table.tsx";
import { hex } from "./symbols-pane.tsx";

interface Props {
  index: GraphIndex;
  linked: Linked;
  selected: number;
  onSelect(row: number): void;
  onSymbol(symbol: number): void;
}

const signed = (value: bigint): string => (value === 0n ? "" : value < 0n ? `−${(-value).toString()}` : `+${value}`);

export function RelocationsPane({ index, linked, selected, onSelect, onSymbol }: Props) {
  const { relocations, symbols, sections } = index.graph;
  const { section, offset, type, symbol, addend, names } = relocations;
  const typeOf = (row: number): string => names.get(type[row]!) ?? String(type[row]);
  const target = (row: number): string => symbols[symbol[row]!]?.name ?? "";
  const place = (row: number): string => index.within(section[row]!, offset[row]!);
  const columns = useMemo<Column[]>(() => [
    { title: "Place", width: "minmax(120px, 1.6fr)", mono: true, cell: (row) => <span class={sections[section[row]!]!.live ? "" : "dead"}>{place(row)}</span>, sortBy: (row) => section[row]! * 2 ** 24 + offset[row]! },
    { title: "Type", width: "minmax(90px, 1fr)", cell: (row) => typeOf(row).replace("R_X86_64_", ""), sortBy: typeOf },
    { title: "Refers to", width: "minmax(120px, 1.6fr)", mono: true, cell: (row) => <>{target(row)}<span class="dim">{signed(addend[row]!)}</span></>, sortBy: target },
    { title: "In", width: "minmax(90px, 1.2fr)", cell: (row) => index.file(sections[section[row]!]!.object), sortBy: (row) => index.file(sections[section[row]!]!.object) },
  ], [index]);
  const textOf = useMemo(() => (row: number) => `${place(row)} ${typeOf(row)} ${target(row)} ${index.file(sections[section[row]!]!.object)} ${sections[section[row]!]!.name}`, [index]);
  return (
    <div class="pane split">
      <VirtualTable label="Relocations" columns={columns} count={section.length} textOf={textOf} selected={selected} onSelect={onSelect} empty="No relocation fits." />
      {selected >= 0 && selected < section.length && <Detail index={index} linked={linked} row={selected} onSymbol={onSymbol} />}
    </div>
  );
}

function Detail({ index, linked, row, onSymbol }: { index: GraphIndex; linked: Linked; row: number; onSymbol(symbol: number): void }) {
  const { relocations, symbols, sections } = index.graph;
  const section = sections[relocations.section[row]!]!;
  const offset = relocations.offset[row]!;
  const name = relocations.names.get(relocations.type[row]!) ?? "";
  const { formula = "", bytes = 4 } = FORMULAS[name] ?? {};
  const symbol = symbols[relocations.symbol[row]!];
  const input = linked.inputs.get(index.graph.objects[section.object]!.input);
  const P = section.address === undefined ? undefined : section.address + BigInt(offset);
  const before = useWindow(section.inputOffset < 0 ? undefined : input, section.inputOffset, section.size, offset, bytes);
  const after = useWindow(section.outputOffset < 0 ? undefined : linked.result.output, section.outputOffset, section.size, offset, bytes);
  return (
    <aside class="details" tabIndex={0} aria-label="Relocation">
      <h2 class="mono">{name}</h2>
      <p>at <span class="mono">{index.within(relocations.section[row]!, offset)}</span> in {index.place(relocations.section[row]!)}, refers to {symbol === undefined ? "nothing" : <button type="button" class="link mono" onClick={() => onSymbol(relocations.symbol[row]!)}>{symbol.name}</button>}</p>
      <table class="letters" aria-label="What is computed">
        <tbody>
          {formula !== "" && <tr><th scope="row">computes</th><td class="mono">{formula}, {bytes} bytes</td></tr>}
          <tr><th scope="row"><abbr title="value of the symbol">S</abbr></th><td class="mono">{symbol?.address !== undefined ? hex(symbol.address) : symbol === undefined ? "0: it names no symbol" : symbol.defined ? "none: it was left out" : "0: nobody defines it, and it is weak"}</td></tr>
          <tr><th scope="row"><abbr title="addend">A</abbr></th><td class="mono">{relocations.addend[row]!.toString()}</td></tr>
          <tr><th scope="row"><abbr title="place that is changed">P</abbr></th><td class="mono">{P === undefined ? "in a section that is taken apart or left out" : hex(P)}</td></tr>
        </tbody>
      </table>
      <h3>Bytes in the input</h3>
      {before === null ? <p class="dim">Not stored as they are.</p> : <Bytes {...before} other={null} />}
      <h3>Bytes in the output</h3>
      {after === null ? <p class="dim">{section.live ? "The section is taken apart." : "The section was left out."}</p> : <Bytes {...after} other={before} />}
      {relaxed(name, before, after) && <p class="dim">Relaxed: the address is known, so the load from the GOT became <b class="mono">{relaxed(name, before, after)}</b>, and S + A − P is stored.</p>}
      {after !== null && before !== null && relaxed(name, before, after) === "" && after.shown.some((byte, i) => byte !== before.shown[i] && (i < after.from || i >= after.from + after.count)) && <p class="dim">More than the field differs: the linker rewrote the instruction, or the neighbours have relocations, too.</p>}
    </aside>
  );
}

/** Opcodes in front of the field of R_X86_64_(REX_)GOTPCRELX, before and after (x86-64 psABI, B.2): the new instruction, "" = as it was. */
function relaxed(name: string, before: Shown | null, after: Shown | null): string {
  if (!/GOTPCRELX$/.test(name) || before === null || after === null) return "";
  const [from, to] = [before.shown[before.from - 2], after.shown[after.from - 2]];
  if (from === 0x8b && to === 0x8d) return "lea";
  if (from === 0x8b && to === 0xc7) return "mov of a constant";
  if (from === 0xff && (to === 0x67 || after.shown[after.from - 1] === 0xe8)) return "direct call";
  return "";
}

interface Shown {
  shown: Uint8Array;
  /** The field in `shown`. */
  from: number;
  count: number;
}

const AROUND = 8;

/** Bytes of a section around the field; those of a large file come later. null = none. */
function useWindow(file: Contents | undefined, start: number, size: number, offset: number, count: number): Shown | null {
  const from = Math.max(0, offset - AROUND);
  const [first, end] = [start + from, start + Math.min(size, offset + count + AROUND)];
  const [late, setLate] = useState<{ of: Contents; first: number; shown: Uint8Array } | null>(null);
  useEffect(() => {
    if (file instanceof File) void file.slice(first, end).arrayBuffer().then((bytes) => setLate({ of: file, first, shown: new Uint8Array(bytes) }), () => setLate(null));
  }, [file, first, end]);
  if (file === undefined) return null;
  const shown = file instanceof File ? (late?.of === file && late.first === first ? late.shown : null) : file.subarray(first, end);
  return shown === null ? null : { shown, from: offset - from, count };
}

function Bytes({ shown, from, count, other }: Shown & { other: Shown | null }) {
  return (
    <p class="bytes mono">
      {[...shown].map((byte, i) => (
        <span class={`${i >= from && i < from + count ? "field" : ""} ${other !== null && other.shown[i] !== byte ? "changed" : ""}`}>{byte.toString(16).padStart(2, "0")}</span>
      ))}
    </p>
  );
}
