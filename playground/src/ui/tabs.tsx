/** Tabs as the ARIA practices describe them: one stop for Tab, arrow keys between them. */
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";

export interface Tab {
  id: string;
  title: string;
  /** Shown beside the title. */
  count?: number | undefined;
  panel(): ComponentChildren;
}

export function Tabs({ tabs, current, onChange, label }: { tabs: readonly Tab[]; current: string; onChange(id: string): void; label: string }) {
  const list = useRef<HTMLDivElement>(null);
  const at = Math.max(0, tabs.findIndex(({ id }) => id === current));
  const onKey = (event: KeyboardEvent): void => {
    const to = { ArrowRight: (at + 1) % tabs.length, ArrowLeft: (at + tabs.length - 1) % tabs.length, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    onChange(tabs[to]!.id);
    (list.current!.children[to] as HTMLElement).focus();
  };
  return (
    <section class="tabs">
      <div class="tab-list" role="tablist" aria-label={label} ref={list} onKeyDown={onKey}>
        {tabs.map(({ id, title, count }, i) => (
          <button type="button" role="tab" id={`tab-${id}`} aria-selected={i === at} aria-controls={`panel-${id}`} tabIndex={i === at ? 0 : -1} onClick={() => onChange(id)}>
            {title}{count !== undefined && " "}{count !== undefined && <span class="count">{count.toLocaleString("en")}</span>}
          </button>
        ))}
      </div>
      <div class="tab-panel" role="tabpanel" id={`panel-${tabs[at]!.id}`} aria-labelledby={`tab-${tabs[at]!.id}`}>{tabs[at]!.panel()}</div>
    </section>
  );
}
