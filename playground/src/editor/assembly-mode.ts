/** Colours of assembly and C in the editor. Tokens only: what is an instruction is not checked here. */
import { HighlightStyle, StreamLanguage, syntaxHighlighting, type StreamParser } from "@codemirror/language";
import { tags } from "@lezer/highlight";

const assembly: StreamParser<{ atStart: boolean }> = {
  name: "assembly",
  startState: () => ({ atStart: true }),
  token(stream, state) {
    if (stream.sol()) state.atStart = true;
    if (stream.eatSpace()) return null;
    if (stream.match(/^#.*/) || stream.match(/^\/\/.*/) || stream.match(/^\/\*.*?\*\//)) return "comment";
    if (stream.match(/^"(?:\\.|[^"\\])*"?/)) return "string";
    if (stream.match(/^;/)) {
      state.atStart = true;
      return "punctuation";
    }
    if (state.atStart && stream.match(/^[\w.$]+(?=\s*:)/)) return "labelName";
    if (stream.match(/^:/)) return "punctuation";
    if (stream.match(/^\.[\w.]+/)) {
      const isFirst = state.atStart;
      state.atStart = false;
      return isFirst ? "meta" : "variableName";
    }
    if (stream.match(/^%\w+/)) return "atom";
    if (stream.match(/^\$?-?(?:0x[\da-f]+|\d+)/i)) return "number";
    if (stream.match(/^\$?[A-Za-z_.][\w.$@]*/)) {
      const isFirst = state.atStart;
      state.atStart = false;
      return isFirst ? "keyword" : "variableName";
    }
    stream.next();
    return "punctuation";
  },
  languageData: { commentTokens: { line: "#" } },
};

const C_WORDS = /^(?:static|const|char|int|long|unsigned|double|float|void|return|for|while|if|else|struct|extern|volatile|__asm__|sizeof)\b/;

const c: StreamParser<object> = {
  name: "c",
  startState: () => ({}),
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match(/^\/\*.*?\*\//) || stream.match(/^\/\/.*/)) return "comment";
    if (stream.match(/^#.*/)) return "meta";
    if (stream.match(/^"(?:\\.|[^"\\])*"?/) || stream.match(/^'(?:\\.|[^'\\])*'?/)) return "string";
    if (stream.match(C_WORDS)) return "keyword";
    if (stream.match(/^[A-Za-z_]\w*(?=\s*\()/)) return "labelName";
    if (stream.match(/^\d[\w.]*/)) return "number";
    if (stream.match(/^\w+/)) return "variableName";
    stream.next();
    return "punctuation";
  },
};

const colours = HighlightStyle.define([
  { tag: tags.comment, color: "var(--code-comment)", fontStyle: "italic" },
  { tag: tags.keyword, color: "var(--code-keyword)", fontWeight: "550" },
  { tag: tags.labelName, color: "var(--code-label)", fontWeight: "600" },
  { tag: tags.meta, color: "var(--code-meta)" },
  { tag: tags.string, color: "var(--code-string)" },
  { tag: tags.number, color: "var(--code-number)" },
  { tag: tags.atom, color: "var(--code-register)" },
  { tag: tags.variableName, color: "var(--text)" },
]);

export const languageOf = (name: string) => [StreamLanguage.define(name.endsWith(".c") ? c : assembly), syntaxHighlighting(colours)];
