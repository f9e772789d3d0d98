/** The page: what is where, and how what is chosen in one view leads to another. */
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { CHOICES, choose } from "./command-line.ts";
import { Editor } from "./editor/editor.tsx";
import { EXAMPLES } from "./examples.ts";
import { GraphIndex } from "./link/graph-index.ts";
import { addFiles, download, edited, errors, example, files, good, linked, openExample, outputName, pending, setWords, shown, startOver, threads, trouble, whole, words } from "./link/state.ts";
import { CommandPane } from "./panes/command-pane.tsx";
import { DroppedPane, droppedSections } from "./panes/dropped-pane.tsx";
import { FilesPane } from "./panes/files-pane.tsx";
import { LayoutPane } from "./panes/layout-pane.tsx";
import { MessagesPane } from "./panes/messages-pane.tsx";
import { ObjectsPane } from "./panes/objects-pane.tsx";
import { PassesPane } from "./panes/passes-pane.tsx";
import { RelocationsPane } from "./panes/relocations-pane.tsx";
import { SymbolsPane } from "./panes/symbols-pane.tsx";
import { Tabs, type Tab } from "./ui/tabs.tsx";
import { ThemeButton } from "./ui/theme.tsx";

export function App() {
  const over = useSignal(false);
  useEffect(() => void openExample(EXAMPLES[0]!), []);
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    over.value = false;
    void addFiles(event.dataTransfer?.files ?? []);
  };
  return (
    <div class={`app ${over.value ? "over" : ""}`} onDragOver={(event) => (event.preventDefault(), void (over.value = true))} onDragLeave={(event) => void (event.relatedTarget === null && (over.value = false))} onDrop={drop}>
      <Header />
      <CommandPane />
      <main>
        <section class="left" aria-label="Inputs">
          <FilesPane />
          <SourceNote />
          <div class="sheet">{shown.value === "" ? <p class="dim pad">Only compiled files here. Add assembly to write some.</p> : null}<Editor /></div>
          <MessagesPane />
        </section>
        <Results />
      </main>
      <Status />
      {over.value && <div class="drop-here" aria-hidden="true">Drop objects, archives, linker scripts or assembly</div>}
    </div>
  );
}

/** C is shown, not compiled. */
function SourceNote() {
  const file = files.value.find(({ name }) => name === shown.value);
  return file === undefined || file.source === "" ? null : <p class="note">C source of {file.name}, to read: it was compiled with gcc -O1 -ffunction-sections.</p>;
}

function Header() {
  const bytes = whole.value?.output.length ?? 0;
  return (
    <header>
      <h1><img src="./icon.svg" alt="" width="22" height="22" />wield <span>playground</span></h1>
      <label class="example">Example
        <select value={example.value} onChange={(event) => void openExample(EXAMPLES.find(({ id }) => id === event.currentTarget.value)!)}>
          {EXAMPLES.map(({ id, title, about }) => <option value={id} title={about}>{title}</option>)}
        </select>
      </label>
      {edited.value && <button type="button" class="button" onClick={() => void startOver()} title="The example as it is given; what you wrote is gone">Start over</button>}
      <p class="about dim">{EXAMPLES.find(({ id }) => id === example.value)?.about}</p>
      <ThemeButton />
      <button type="button" class="button primary" disabled={bytes === 0} onClick={download} title={`Linux x86-64: chmod +x ${outputName.value} && ./${outputName.value}`}>
        Download <b class="mono">{outputName.value}</b>{bytes > 0 && <span> {bytes.toLocaleString("en")} B</span>}
      </button>
    </header>
  );
}

/** The link that led here is gone with its pane: the keyboard goes on in the table, at the chosen row. */
function focusTable(): void {
  setTimeout(() => document.querySelector<HTMLElement>(".tab-panel .grid")?.focus({ preventScroll: true }));
}

function Results() {
  const tab = useSignal("layout");
  const symbol = useSignal(-1);
  const relocation = useSignal(-1);
  const object = useSignal("");
  const current = good.value;
  const graph = current?.result.graph;
  const index = useMemo(() => (graph === undefined ? null : new GraphIndex(graph)), [graph]);
  useEffect(() => {
    symbol.value = -1;
    relocation.value = -1;
    object.value = "";
  }, [index]);
  if (current === null || index === null || current.result.map === undefined) {
    return <section class="right empty"><p class="dim">{pending.value ? "Linking…" : linked.value === null ? "" : "Nothing has been linked yet: see the messages."}</p></section>;
  }
  const toSymbol = (to: number): void => {
    object.value = "";
    symbol.value = to;
    tab.value = "symbols";
    focusTable();
  };
  const toRelocation = (to: number): void => {
    relocation.value = to;
    tab.value = "relocations";
    focusTable();
  };
  const toObject = (file: string): void => {
    object.value = file;
    symbol.value = -1;
    tab.value = "symbols";
    focusTable();
  };
  const collects = current.words.includes("--gc-sections");
  const gc = CHOICES.find(({ id }) => id === "gc")!;
  const tabs: Tab[] = [
    { id: "layout", title: "Layout", panel: () => <LayoutPane map={current.result.map!} name={outputName.value} onSymbol={(name) => toSymbol(index.graph.symbols.findIndex((each) => each.name === name && each.address !== undefined))} /> },
    { id: "symbols", title: "Symbols", count: index.graph.symbols.filter(({ type }) => type !== 3).length, panel: () => <SymbolsPane index={index} selected={symbol.value} query={object.value} onSelect={(to) => ((symbol.value = to), focusTable())} onRelocation={toRelocation} /> },
    { id: "relocations", title: "Relocations", count: index.graph.relocations.section.length, panel: () => <RelocationsPane index={index} linked={current} selected={relocation.value} onSelect={(to) => void (relocation.value = to)} onSymbol={toSymbol} /> },
    { id: "dropped", title: "Dropped", count: collects ? droppedSections(index).length : undefined, panel: () => <DroppedPane index={index} collects={collects} onCollect={() => (setWords(choose(gc, 1, words.value)), document.getElementById("tab-dropped")?.focus())} onSymbol={toSymbol} /> },
    { id: "objects", title: "Objects", count: index.graph.objects.length - 1, panel: () => <ObjectsPane index={index} onObject={toObject} /> },
    { id: "passes", title: "Passes", panel: () => <PassesPane linked={current} /> },
  ];
  const stale = linked.value !== current;
  return (
    <section class={`right ${stale ? "stale" : ""}`} aria-label="What was linked">
      {stale && <p class="note">The last link failed; this is the one before.</p>}
      <Tabs tabs={tabs} current={tab.value} onChange={(id) => ((object.value = ""), (tab.value = id))} label="Views" />
    </section>
  );
}

const counted = (count: number, noun: string): string => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

function Status() {
  const result = whole.value;
  const isolated = globalThis.crossOriginIsolated;
  const state = trouble.value !== "" ? "trouble" : linked.value === null ? "starting" : result === null ? "failed" : "ok";
  const text = linked.value === null ? "starting the linker" : result === null ? counted(errors.value, "error") : `linked in ${result.timings.total.toFixed(1)} ms`;
  return (
    <footer class={state} data-state={pending.value ? "pending" : state}>
      <span class="state" aria-hidden="true">{text}</span>
      <span class="heard" role="status">{linked.value === null ? "" : result === null ? text : "linked"}</span>
      {result !== null && <span>{counted(result.output.length, "byte")}, {counted(result.stats.objects, "object")}, {counted(result.stats.relocations, "relocation")}</span>}
      <span class="isolation" title={isolated ? "Cross-origin isolated: large links use several threads" : "Not cross-origin isolated: memory cannot be shared, so one thread links. The bytes are the same."}>
        {isolated ? `isolated, up to ${threads.value || "…"} threads` : "not isolated, one thread"}
      </span>
      <span class="dim">nothing leaves this page · examples use <a href="./examples/COPYRIGHT">musl 1.2.3</a></span>
    </footer>
  );
}
