/**
 * Linker scripts: those that stand for libraries (libc.so, libm.a, libncurses.so), and the commands of -T scripts that need no layout.
 *
 * Not here: finding the files (input/search.ts), SECTIONS and what belongs to it (layout-script.ts). The surprise:
 * a text file that is no script at all also ends up here, because nothing marks a script; so errors must stay readable on junk.
 */
import type { ByteString, VersionNode } from "../args/link-options.ts";
import { newLayout, type LayoutScript, type Regions } from "./layout.ts";
import { parseLayoutCommand } from "./layout-script.ts";
import { Lexer, ScriptError } from "./lexer.ts";
import type { Message } from "../diagnostics/message.ts";
import type { Token } from "./lexer.ts";
import type { ReadInclude } from "./script-text.ts";
import { parseVersionScript } from "./version-script.ts";

export interface ScriptInput {
  /** `library`: the X of -lX; `file`: a path, perhaps with a leading `=` or `$SYSROOT`. */
  kind: "file" | "library";
  name: ByteString;
  /** Inside AS_NEEDED( … ). */
  asNeeded: boolean;
  /** Inside LIB( … ): as between --start-lib and --end-lib. */
  lib?: true;
  /** After TARGET(binary): as after -b binary. */
  binary?: boolean;
  /** Says where it stands: the whole message. */
  wrong(message: string): Message;
}

export interface InputScript {
  inputs: ScriptInput[];
  /** SEARCH_DIR, in order. */
  searchDirs: ByteString[];
  /** ENTRY, "" = not given. The command line wins. */
  entry: ByteString;
  /** EXTERN: as -u. */
  externs: ByteString[];
  /** OUTPUT, "" = not given. The command line wins. */
  output: ByteString;
  /** OUTPUT_FORMAT: default, big-endian, little-endian; one or three names, or none. */
  outputFormat: ByteString[];
  /** STARTUP: a file linked first, null = not given. */
  startup: ScriptInput | null;
  versionNodes: VersionNode[];
  /** FORCE_COMMON_ALLOCATION: as -d. FORCE_GROUP_ALLOCATION: as the option. */
  forceCommons: boolean;
  forceGroups: boolean;
  /** SECTIONS, MEMORY, PHDRS, assignments; null = none of these. */
  layout: LayoutScript | null;
}

/** As GNU ld. */
const INCLUDE_DEPTH = 10;

/** Commands of GNU ld that are not obeyed. */
const LATER = new Set("INSERT CONSTRUCTORS SECTION_FLAGS".split(" "));
/** What they ask for is how it is here. */
const NOTHING = new Set(["INHIBIT_COMMON_ALLOCATION"]);

interface Reader {
  lexer: Lexer;
  script: InputScript;
  include: ReadInclude | undefined;
  /** Memory regions of scripts before it. */
  regions: Regions | undefined;
  /** Files being read, from the first to the one whose INCLUDE led here. */
  open: readonly ByteString[];
  /** TARGET(binary) holds. */
  binary?: boolean;
}

/** Throws ScriptError. */
export function parseInputScript(text: ByteString, name: ByteString, include?: ReadInclude, regions?: Regions): InputScript {
  const script: InputScript = {
    inputs: [],
    searchDirs: [],
    entry: "",
    externs: [],
    output: "",
    outputFormat: [],
    startup: null,
    versionNodes: [],
    forceCommons: false,
    forceGroups: false,
    layout: null,
  };
  readScript({ lexer: new Lexer(text, name, "script"), script, include, regions, open: [name] });
  return script;
}

function readScript(r: Reader): void {
  while (!r.lexer.atEnd()) {
    if (!r.lexer.take(";")) readCommand(r, r.lexer.next());
  }
}

function readCommand(r: Reader, command: Token): void {
  const { lexer, script } = r;
  switch (command.quoted ? "" : command.text) {
    case "FORCE_COMMON_ALLOCATION":
      script.forceCommons = true;
      return;
    case "FORCE_GROUP_ALLOCATION":
      script.forceGroups = true;
      return;
    // Archives are searched in any order, so a group is only a list.
    case "INPUT":
    case "GROUP":
      return readInputs(r);
    case "AS_NEEDED":
      return readAsNeeded(r);
    case "LIB":
      for (const token of words(lexer)) script.inputs.push({ ...input(lexer, token, false), lib: true });
      return;
    case "OUTPUT_FORMAT":
      return readOutputFormat(r, command);
    case "OUTPUT_ARCH":
      return void argument(lexer); // follows from the inputs
    case "TARGET":
      r.binary = argument(lexer) === "binary";
      return;
    case "SEARCH_DIR":
      script.searchDirs.push(argument(lexer));
      return;
    case "ENTRY":
      script.entry = argument(lexer);
      return;
    case "OUTPUT":
      script.output = argument(lexer);
      return;
    case "STARTUP":
      script.startup = { ...input(lexer, argumentToken(lexer), false), kind: "file" };
      return;
    case "EXTERN":
      script.externs = script.externs.concat(words(lexer).map((token) => token.text));
      return;
    case "VERSION":
      return readVersion(r, command);
    case "INCLUDE":
      return readInclude(r);
    default:
      if (command.text === "LD_FEATURE") argument(lexer);
      else if (!NOTHING.has(command.text) && !readLayout(r, command)) throw unknownCommand(lexer, command);
  }
}

/** A layout command is read from the text, not from tokens. */
function readLayout(r: Reader, command: Token): boolean {
  const { lexer, script } = r;
  const layout = script.layout ?? newLayout(lexer.text, lexer.name, r.regions);
  const end = parseLayoutCommand(layout, lexer.text, lexer.name, command.offset, r.include);
  if (end < 0) return false;
  script.layout = layout;
  if (layout.entry !== "") script.entry = layout.entry;
  layout.entry = "";
  lexer.seek(end);
  return true;
}

function unknownCommand(lexer: Lexer, command: Token): ScriptError {
  if (LATER.has(command.text)) return lexer.error(`linker script command ${command.text} is not supported yet`, command);
  return lexer.error(`unknown directive: ${command.text}`, command);
}

/** `( name )` */
function argumentToken(lexer: Lexer): Token {
  lexer.expect("(");
  const token = word(lexer);
  lexer.expect(")");
  return token;
}

const argument = (lexer: Lexer): ByteString => argumentToken(lexer).text;

function word(lexer: Lexer): Token {
  const token = lexer.next();
  if (!token.quoted && token.text.length === 1 && "(){};,".includes(token.text)) throw lexer.error(`name expected, but got ${token.text}`, token);
  return token;
}

/** `( a b, c )` */
function words(lexer: Lexer): Token[] {
  const list: Token[] = [];
  lexer.expect("(");
  while (!lexer.take(")")) {
    if (!lexer.take(",")) list.push(word(lexer));
  }
  return list;
}

function readOutputFormat(r: Reader, command: Token): void {
  const names = words(r.lexer).map((token) => token.text);
  if (names.length !== 1 && names.length !== 3) throw r.lexer.error("OUTPUT_FORMAT takes one or three names", command);
  const unknown = names.find((name) => !name.startsWith("elf64-") && !/^(elf32-|(binary|srec|ihex)$)/.test(name));
  if (unknown !== undefined) throw r.lexer.error(`unknown output format name: ${unknown}`, command);
  // Further ones mean nothing (lld).
  if (r.script.outputFormat.length === 0) r.script.outputFormat = names;
}

/** `( file -lname AS_NEEDED ( … ) )` */
function readInputs(r: Reader): void {
  const { lexer } = r;
  lexer.expect("(");
  while (!lexer.take(")")) {
    if (lexer.take(",")) continue;
    if (lexer.take("AS_NEEDED")) readAsNeeded(r);
    else r.script.inputs.push({ ...input(lexer, word(lexer), false), ...(r.binary && { binary: true }) });
  }
}

function readAsNeeded(r: Reader): void {
  for (const token of words(r.lexer)) r.script.inputs.push(input(r.lexer, token, true));
}

function input(lexer: Lexer, token: Token, asNeeded: boolean): ScriptInput {
  const library = !token.quoted && token.text.startsWith("-l");
  const wrong = (message: string): Message => lexer.error(message, token).said;
  return { kind: library ? "library" : "file", name: library ? token.text.slice(2) : token.text, asNeeded, wrong };
}

/** The text between the braces has the version script's words, so it is cut out and parsed as one, at its own lines. */
function readVersion(r: Reader, command: Token): void {
  const { lexer } = r;
  const open = lexer.expect("{");
  let depth = 1;
  let close = open;
  while (depth > 0) {
    close = lexer.next();
    if (!close.quoted && close.text === "{") depth++;
    if (!close.quoted && close.text === "}") depth--;
  }
  if (r.script.versionNodes.length > 0) throw lexer.error("VERSION is given twice", command);
  const before = lexer.text.slice(0, open.end).replace(/[^\n]/g, " ");
  r.script.versionNodes = parseVersionScript(before + lexer.text.slice(open.end, close.offset), lexer.name);
}

function readInclude(r: Reader): void {
  const token = word(r.lexer);
  const text = r.include?.(token.text);
  if (text === undefined) throw r.lexer.error(`cannot find linker script ${token.text}`, token);
  if (r.open.includes(token.text)) throw r.lexer.error("there is a cycle in linker script INCLUDEs", token);
  if (r.open.length > INCLUDE_DEPTH) throw r.lexer.error("INCLUDE is nested too deeply", token);
  readScript({ ...r, lexer: new Lexer(text, token.text, "script"), open: [...r.open, token.text] });
}
