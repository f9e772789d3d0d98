/** Why a section is in the output: the way back to a root, and for members of archives who asked for them. */
import type { GraphIndex } from "../link/graph-index.ts";

interface Props {
  index: GraphIndex;
  section: number;
  object: number;
  live: boolean;
  onSymbol(symbol: number): void;
}

export function WhyLive({ index, section, object, live, onSymbol }: Props) {
  const { graph } = index;
  const steps = section < 0 ? [] : index.why(section);
  const chain = extraction(index, object);
  return (
    <>
      {!live && <p class="dim">It is not: --gc-sections left its section out.</p>}
      {live && steps.length === 0 && <p class="dim">{section < 0 ? "The linker makes it." : "Without --gc-sections every section of a loaded object is kept."}</p>}
      {steps.length > 0 && (
        <ol class="steps">
          {steps.map(({ section: at, text, symbol }, i) => (
            <li>
              <span class="mono">{symbol >= 0 && i > 0 ? <button type="button" class="link" onClick={() => onSymbol(symbol)}>{index.place(at)}</button> : index.place(at)}</span>
              <span class="dim"> {text}{i + 1 < steps.length ? " by" : ""}</span>
            </li>
          ))}
        </ol>
      )}
      {chain.length > 0 && (
        <p class="dim">
          {chain.map(({ name, symbol, by }) => <><b>{name}</b> is in the link because {by} refers to <b>{symbol}</b>. </>)}
        </p>
      )}
      {graph.objects[object]?.extracted === undefined && graph.objects[object] !== undefined && object > 0 && <p class="dim"><b>{index.file(object)}</b> is named on the command line.</p>}
    </>
  );
}

function extraction({ graph, file }: GraphIndex, object: number): { name: string; symbol: string; by: string }[] {
  const chain = [];
  const seen = new Set<number>();
  const name = (at: number): string => {
    const found = graph.objects[at];
    return found === undefined ? "an option" : (found.member ?? found.input);
  };
  void file;
  for (let at = object; at >= 0 && !seen.has(at) && chain.length < 12; ) {
    seen.add(at);
    const extracted = graph.objects[at]?.extracted;
    if (extracted === undefined) break;
    chain.push({ name: name(at), symbol: extracted.symbol, by: name(extracted.by) });
    at = extracted.by;
  }
  return chain;
}
