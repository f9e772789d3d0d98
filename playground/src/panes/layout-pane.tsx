/** The layout map of the last link that worked. */
import { useEffect, useRef } from "preact/hooks";
import type { LinkMap } from "wield";
import "../../../ts/report/view/map.css";
import { layoutTree } from "../../../ts/report/view/layout-tree.ts";
import { MapView } from "../../../ts/report/view/map-view.ts";

const LEGEND = [["code", "code"], ["constant", "read-only data"], ["data", "data"], ["zero", "zeros"], ["unloaded", "not loaded"]] as const;

export function LayoutPane({ map, name, onSymbol }: { map: LinkMap; name: string; onSymbol(name: string): void }) {
  const parent = useRef<HTMLDivElement>(null);
  const view = useRef<MapView | null>(null);
  const symbol = useRef(onSymbol);
  symbol.current = onSymbol;
  useEffect(() => {
    view.current = new MapView(parent.current!, { onSelect: (node) => void (node.kind === "symbol" && symbol.current(node.name)) });
    return () => view.current?.dispose();
  }, []);
  useEffect(() => view.current?.show(layoutTree(map, name)), [map, name]);
  return (
    <div class="pane layout-pane">
      <div class="fill" ref={parent} />
      <ul class="legend" aria-label="Colours">{LEGEND.map(([tone, text]) => <li><i class={`tone-${tone}`} aria-hidden="true" />{text}</li>)}<li class="dim">Enter or click: zoom in; Escape: out; arrows: move</li></ul>
    </div>
  );
}
