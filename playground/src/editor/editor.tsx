/** The editor: CodeMirror with the shown file, messages at their lines. */
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { files, isAssembly, messages, setText, shown, type Message } from "../link/state.ts";
import { languageOf } from "./assembly-mode.ts";

const theme = EditorView.theme({
  "&": { height: "100%", fontSize: "13px", backgroundColor: "var(--surface)", color: "var(--text)" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--dim)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
  "&.cm-focused": { outline: "none" },
  ".cm-cursor": { borderLeftColor: "var(--accent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--selected) !important" },
  ".cm-diagnostic": { fontFamily: "var(--mono)", fontSize: "12px", whiteSpace: "pre-wrap", borderLeftWidth: "3px" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", border: "1px solid var(--line)", borderRadius: "6px" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad) 1px", textUnderlineOffset: "3px" },
});

/** Tab indents, so it has to be said how the editor is left: CodeMirror's Escape gives the next Tab back to the page. */
const LEAVE = "leave-editor";

/** Views by file name of the last visit: history and cursor stay. */
const kept = new Map<string, { document: string; state: EditorState }>();
let view: EditorView | null = null;

function at(state: EditorState, { line, text, hint, severity }: Message): Diagnostic {
  const own = state.doc.line(Math.min(Math.max(line, 1), state.doc.lines));
  const indent = own.text.length - own.text.trimStart().length;
  const code = own.text.replace(/\s*#.*$/, "");
  return { from: Math.min(own.from + indent, own.to), to: Math.max(own.from + indent, own.from + code.length), severity: severity === "note" ? "info" : severity, message: hint === "" || text.includes(hint) ? text : `${text}\n${hint}` };
}

function stateOf(name: string, text: string, editable: boolean): EditorState {
  const old = kept.get(name);
  if (old?.document === text) return old.state;
  return EditorState.create({
    doc: text,
    extensions: [
      lineNumbers(), lintGutter(), history(), drawSelection(), highlightActiveLine(), highlightActiveLineGutter(), bracketMatching(),
      languageOf(editable ? name : `${name}.c`), theme,
      EditorView.contentAttributes.of({ "aria-label": editable ? `Assembly of ${name}` : `C source of ${name}, not compiled here`, "aria-describedby": LEAVE }),
      EditorState.readOnly.of(!editable),
      keymap.of([...lintKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) setText(name, update.state.doc.toString());
      }),
    ],
  });
}

/** Goes to a line of a file. */
export function reveal(file: string, line: number): void {
  shown.value = file;
  queueMicrotask(() => {
    if (view === null) return;
    const place = view.state.doc.line(Math.min(line, view.state.doc.lines)).from;
    view.dispatch({ selection: { anchor: place }, effects: EditorView.scrollIntoView(place, { y: "center" }) });
    view.focus();
  });
}

export function Editor() {
  const parent = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const own = new EditorView({ parent: parent.current! });
    view = own;
    let name = "";
    const mark = (file: string, all: readonly Message[]): void => {
      const here = all.filter((message) => message.file === file && message.line > 0);
      own.dispatch(setDiagnostics(own.state, here.map((message) => at(own.state, message))));
    };
    const stopShowing = effect(() => {
      const file = files.value.find((each) => each.name === shown.value);
      const editable = file !== undefined && isAssembly(file.name);
      const text = file === undefined ? "" : editable ? file.text : file.source;
      if (file !== undefined && name === file.name && own.state.doc.toString() === text) return;
      if (name !== "") kept.set(name, { document: own.state.doc.toString(), state: own.state });
      name = file?.name ?? "";
      own.setState(stateOf(name, text, editable));
      mark(name, messages.peek());
    });
    const stopLinting = effect(() => mark(name, messages.value));
    return () => {
      stopShowing();
      stopLinting();
      own.destroy();
      view = null;
    };
  }, []);
  return <><div class="editor" ref={parent} /><span class="leave" id={LEAVE}>Esc, then Tab: leave the editor</span></>;
}
