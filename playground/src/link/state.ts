/**
 * What the page knows, as signals: files, the command line, the last link. Everything on screen is made of these.
 *
 * Linking happens in the engine's worker; here it is only decided when. While one link runs, at most one more is waiting.
 */
import { batch, computed, signal } from "@preact/signals";
import { createEngine, memoryFS, type Diagnostic, type LinkContext, type LinkResult } from "wield";
import { assemble, type Assembled } from "../assembler/assemble.ts";
import { addFile, linkerWords, removeFile, joinWords, splitWords } from "../command-line.ts";
import { isInput, lookAt, refusal, remark } from "./dropped-file.ts";
import { EXAMPLES, exampleFile, type Example } from "../examples.ts";

/** A Blob is read by the linker's worker alone: copying it there would keep the page waiting. */
export type Contents = Uint8Array | File;
const LARGE_BYTES = 4_000_000;
export const sizeOf = (contents: Contents): number => (contents instanceof File ? contents.size : contents.length);

/** A file in the page. */
export interface PageFile {
  name: string;
  /** Contents, of large files where they are; of assembly: none, its object is made for every link. */
  bytes: Contents | null;
  /** Assembly. */
  text: string;
  /** C that it was compiled from. */
  source: string;
}

export interface Linked {
  result: LinkResult;
  /** Contents of the inputs by name, as they were linked. */
  inputs: ReadonlyMap<string, Contents>;
  /** By name of the assembly. */
  assembled: ReadonlyMap<string, Assembled>;
  words: readonly string[];
  /** Milliseconds from asking for the link to its result. */
  milliseconds: number;
}

export const files = signal<readonly PageFile[]>([]);
export const command = signal("");
export const words = computed(() => splitWords(command.value));
export const example = signal(EXAMPLES[0]!.id);
/** File whose text is shown. */
export const shown = signal("");
export const linked = signal<Linked | null>(null);
/** The last link that worked: what is looked at while the newest fails. */
export const good = signal<Linked | null>(null);
const busy = signal(false);
/** A change waits to be linked. */
const waiting = signal(false);
/** Files of an example are on their way. */
const opening = signal(false);
/** What was linked last is not what stands in the page. */
export const pending = computed(() => busy.value || waiting.value || opening.value);
/** Something other than a link failed. */
export const trouble = signal("");
export const threads = signal(0);
/** About files that were brought, or the program that was taken. */
export const told = signal("");

export const objectName = (name: string): string => name.replace(/\.(?:s|S|asm)$/, ".o");
export const isAssembly = (name: string): boolean => /\.(?:s|S|asm)$/.test(name);

const engine = createEngine();

// ---- assembling ----

const assembledTexts = new Map<string, { text: string; made: Assembled }>();

function assembled({ name, text }: PageFile): Assembled {
  const known = assembledTexts.get(name);
  if (known?.text === text) return known.made;
  const made = assemble(text);
  assembledTexts.set(name, { text, made });
  return made;
}

// ---- linking ----

let again = false;

/** As soon as the running link is over. */
async function relink(): Promise<void> {
  again = true;
  if (busy.value) return;
  busy.value = true;
  try {
    while (again) {
      again = false;
      await linkOnce();
    }
  } catch (error) {
    kept = null;
    trouble.value = `The linker cannot run: ${(error as Error).message}`;
  } finally {
    busy.value = false;
  }
}

/** Links of one command line: only files that have changed are read again. */
let kept: { line: string; context: LinkContext; inputs: ReadonlyMap<string, Contents> } | null = null;

async function contextFor(args: readonly string[], inputs: ReadonlyMap<string, Contents>): Promise<LinkContext> {
  const line = args.join("\0");
  if (kept?.line === line) {
    const names = new Set([...kept.inputs.keys(), ...inputs.keys()]);
    const changes = Object.fromEntries([...names].filter((name) => kept!.inputs.get(name) !== inputs.get(name)).map((name) => [name, inputs.get(name) ?? null]));
    kept.context.update(changes);
    kept.inputs = inputs;
    return kept.context;
  }
  await kept?.context.dispose();
  kept = null;
  const context = await engine.createContext({ args, fs: memoryFS(inputs), map: true, graph: true, throwOnError: false });
  threads.value ||= await engine.threads;
  kept = { line, context, inputs };
  return context;
}

async function linkOnce(): Promise<void> {
  const began = performance.now();
  const made = new Map<string, Assembled>();
  const inputs = new Map<string, Contents>();
  for (const file of files.value) {
    if (isAssembly(file.name)) {
      const object = assembled(file);
      made.set(file.name, object);
      inputs.set(objectName(file.name), object.bytes);
    } else if (file.bytes !== null) inputs.set(file.name, file.bytes);
  }
  const args = linkerWords(command.value);
  const result = await (await contextFor(args, inputs)).relink({ throwOnError: false });
  const all: Linked = { result, inputs, assembled: made, words: args, milliseconds: performance.now() - began };
  batch(() => {
    trouble.value = "";
    linked.value = all;
    if (result.ok && result.map !== undefined) good.value = all;
  });
}

/** Typing does not start a link with every key. */
const QUIET = 40;
let timer: ReturnType<typeof setTimeout> | undefined;

export function changed(): void {
  clearTimeout(timer);
  waiting.value = true;
  timer = setTimeout(() => {
    void relink();
    waiting.value = false;
  }, QUIET);
}

// ---- changes ----

export function setCommand(text: string): void {
  command.value = text;
  changed();
}

export const setWords = (changedWords: readonly string[]): void => setCommand(joinWords(changedWords));

export function setText(name: string, text: string): void {
  const old = files.value.find((file) => file.name === name);
  if (old === undefined || old.text === text) return;
  files.value = files.value.map((file) => (file === old ? { ...file, text } : file));
  changed();
}

export async function addFiles(list: Iterable<File>): Promise<void> {
  const remarks: string[] = [];
  for (const file of [...list]) {
    try {
      remarks.push(await addOne(file));
    } catch (error) {
      remarks.push(`${file.name} cannot be read: ${file.size % 4096 === 0 && file.type === "" ? "folders cannot be dropped, only the files in them" : (error as Error).message}`);
    }
  }
  told.value = remarks.filter((text) => text !== "").join("\n");
}

async function addOne(file: File): Promise<string> {
  const known = await lookAt(file);
  const refused = refusal(known, file);
  if (refused !== "") return refused;
  const { kind } = known;
  const name = file.name.replace(/\s/g, "_");
  const isText = kind === "assembly";
  const bytes = isText ? null : file.size > LARGE_BYTES ? file : new Uint8Array(await file.arrayBuffer());
  const made: PageFile = { name, bytes, text: isText ? await file.text() : "", source: "" };
  files.value = [...files.value.filter((each) => each.name !== name), made];
  if (isText) shown.value = name;
  if (isInput(kind, name)) setWords(addFile(objectName(name), words.value));
  else changed();
  return remark(known, file);
}

export function newAssembly(): void {
  let name = "new.s";
  for (let i = 2; files.value.some((file) => file.name === name); i++) name = `new${i}.s`;
  files.value = [...files.value, { name, bytes: null, source: "", text: `        .globl  f\n        .text\nf:\n        ret\n` }];
  shown.value = name;
  setWords(addFile(objectName(name), words.value));
}

export function dropFile(name: string): void {
  told.value = "";
  files.value = files.value.filter((file) => file.name !== name);
  if (shown.value === name) shown.value = firstShown(files.value);
  setWords(removeFile(objectName(name), words.value));
}

const firstShown = (all: readonly PageFile[]): string => (all.find(({ name }) => isAssembly(name)) ?? all.find(({ source }) => source !== ""))?.name ?? "";

interface Opened {
  id: string;
  files: readonly PageFile[];
  command: string;
  shown: string;
}

/** How examples are given and how they were left, by id: arrow keys walk through them, and nobody loses what they wrote on the way. */
const given = new Map<string, Opened>();
const left = new Map<string, Opened>();
/** Counts what was opened: files of one may come after those of the next. */
let openings = 0;

const same = (a: readonly PageFile[], b: readonly PageFile[]): boolean => a.length === b.length && a.every(({ name, text, bytes }, i) => b[i]!.name === name && b[i]!.text === text && b[i]!.bytes === bytes);

/** It is not what was given. */
export const edited = computed(() => {
  const now = given.get(example.value);
  return files.value.length > 0 && now !== undefined && (now.command !== command.value || !same(now.files, files.value));
});

async function show(opened: Opened): Promise<void> {
  batch(() => {
    files.value = opened.files;
    example.value = opened.id;
    told.value = "";
    good.value = null;
    shown.value = opened.shown;
    command.value = opened.command;
  });
  await relink();
}

/** As it was left, or else as it is given. */
export async function openExample(wanted: Example): Promise<void> {
  if (files.value.length > 0) left.set(example.value, { id: example.value, files: files.value, command: command.value, shown: shown.value });
  const mine = ++openings;
  opening.value = true;
  try {
    const opened = left.get(wanted.id) ?? (await fetchExample(wanted));
    if (mine === openings) await show(opened);
  } catch (error) {
    trouble.value = `The example cannot be loaded: ${(error as Error).message}`;
  } finally {
    if (mine === openings) opening.value = false;
  }
}

/** As the example is given. */
export const startOver = (): Promise<void> => show(given.get(example.value)!);

async function fetchExample({ id, files: names, assembly, sources = [], command: line }: Example): Promise<Opened> {
  const fetched = await Promise.all(names.map(async (name): Promise<PageFile> => {
    const source = sources.find((each) => each.replace(/\.c$/, ".o") === name);
    return { name, bytes: await exampleFile(name), text: "", source: source === undefined ? "" : new TextDecoder().decode(await exampleFile(source)) };
  }));
  const all = [...(assembly === undefined ? [] : [{ ...assembly, bytes: null, source: "" }]), ...fetched];
  const opened = { id, files: all, command: line, shown: firstShown(all) };
  given.set(id, opened);
  return opened;
}

// ---- what was said ----

/** A message, with the place in the page's assembly that it is about. */
export interface Message {
  severity: Diagnostic["severity"];
  text: string;
  hint: string;
  file: string;
  line: number;
}

/** Messages of the assembler, then of the linker, one for every line that is meant. */
export const messages = computed<Message[]>(() => {
  const current = linked.value;
  if (current === null) return [];
  const found: Message[] = [];
  for (const [file, { errors }] of current.assembled) for (const { line, message } of errors) found.push({ severity: "error", text: message, hint: "", file, line });
  for (const diagnostic of current.result.diagnostics) found.push(...placed(diagnostic, current));
  return found;
});

export const errors = computed(() => messages.value.filter(({ severity }) => severity === "error").length);

/** A program of everything that stands in the page: the assembler passes over lines that it does not understand. */
export const whole = computed(() => {
  const result = linked.value?.result;
  return result?.ok === true && errors.value === 0 ? result : null;
});

function placed({ severity, message, hint = "", code, rawSymbol, symbol }: Diagnostic, { assembled: all }: Linked): Message[] {
  const name = rawSymbol ?? symbol ?? "";
  const places: { file: string; line: number }[] = [];
  for (const [file, { references, definitions }] of all) {
    if (code === "UNDEFINED_SYMBOL" || code === "RELOCATION" || code === "RELOCATION_OVERFLOW" || code === "DISCARDED_SECTION") for (const line of references.get(name) ?? []) places.push({ file, line });
    else if (code === "DUPLICATE_SYMBOL" && definitions.has(name)) places.push({ file, line: definitions.get(name)! });
  }
  const text = { severity, text: message, hint };
  return places.length === 0 ? [{ ...text, file: "", line: 0 }] : places.map((place) => ({ ...text, ...place }));
}

export const outputName = computed(() => {
  const { value } = words;
  const at = value.lastIndexOf("-o");
  return (at >= 0 ? (value[at + 1] ?? "") : "").replace(/^.*\//, "") || "a.out";
});

/** Puts the output where downloads go. */
export function download(): void {
  const output = whole.value?.output;
  if (output === undefined) return;
  const url = URL.createObjectURL(new Blob([output], { type: "application/octet-stream" }));
  const link = Object.assign(document.createElement("a"), { href: url, download: outputName.value });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  told.value = runs(output) ? `To run it on Linux (x86-64, or WSL): chmod +x ${outputName.value} && ./${outputName.value}` : "";
}

/** Is it a program: ET_EXEC, or ET_DYN with an entry point? */
const runs = (output: Uint8Array): boolean => output[16] === 2 || (output[16] === 3 && output.subarray(24, 32).some((byte) => byte !== 0));
