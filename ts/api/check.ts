/**
 * What programs say to the API, looked at before anything is done with it: a wrong type is a TypeError that names the place.
 *
 * Only types: what a value means (is there such a file? is it an address?) the linker inside tells with a diagnostic. The table
 * is words rather than functions, because every page loads it.
 */
import { nearest } from "../args/suggest.ts";
import { isBlob, isBuffer, shown } from "./byte-source.ts";

/** What a field may be: a name of TYPES; `x[]` = an array of those. */
type Fields = Record<string, string>;
type Test = (value: any) => unknown;

const hasMethods = (value: any, ...names: string[]): boolean => value !== null && typeof value === "object" && names.every((name) => typeof value[name] === "function");
const KINDS = ["exec", "pie", "shared", "relocatable"];
const ONE_KIND = `one of ${KINDS.join(", ")}`;

const TYPES: Record<string, Test> = {
  "a string": (value) => typeof value === "string",
  "a boolean": (value) => typeof value === "boolean",
  "a function": (value) => typeof value === "function",
  "an object": (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "a path or an object": (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "an array": Array.isArray,
  [ONE_KIND]: (value) => KINDS.includes(value),
  'a number or "auto"': (value) => typeof value === "number" || value === "auto",
  "a Uint8Array": (value) => Object.prototype.toString.call(value) === "[object Uint8Array]",
  "a string or a Uint8Array": (value) => typeof value === "string" || ArrayBuffer.isView(value),
  "an AbortSignal": (value) => hasMethods(value, "addEventListener", "removeEventListener"),
  "an object with stat and read": (value) => hasMethods(value, "stat", "read"),
  "a RegExp": (value) => Object.prototype.toString.call(value) === "[object RegExp]",
  "an object with setup": (value) => hasMethods(value, "setup"),
  "bytes, a Blob or a function": (value) => typeof value === "function" || ArrayBuffer.isView(value) || isBuffer(value) || isBlob(value),
};

const WATCHING: Fields = { signal: "an AbortSignal", onProgress: "a function", throwOnError: "a boolean" };
const OPTIONS: Fields = {
  args: "a string[]", inputs: "input[]", fs: "an object with stat and read", output: "a string", kind: ONE_KIND, entry: "a string", script: "input",
  libraryPaths: "a string[]", gcSections: "a boolean", buildId: "a string or a Uint8Array", threads: 'a number or "auto"', map: "a boolean",
  graph: "a boolean", write: "a boolean", plugins: "an object with setup[]", ...WATCHING,
};
const INPUT: Fields = { name: "a string", data: "bytes, a Blob or a function", lib: "a string", static: "a boolean", group: "input[]", wholeArchive: "input" };
/** What says which kind of input an object is. */
const INPUT_KINDS = ["data", "lib", "group", "wholeArchive"];

/** `name`: the place, for messages. */
function demand(name: string, value: unknown, type: string): void {
  if (type.endsWith("[]")) {
    demand(name, value, "an array");
    (value as unknown[]).forEach((each, i) => demand(`${name}[${i}]`, each, type.slice(0, -2)));
  } else if (type !== "input") {
    if (!TYPES[type]!(value)) throw new TypeError(`${name}: expected ${type}, but got ${shown(value)}`);
  } else if (typeof value !== "string") {
    demand(name, value, "a path or an object");
    checkFields(name, value, INPUT);
    if (!INPUT_KINDS.some((kind) => kind in (value as object))) throw new TypeError(`${name}: expected a path or an object with one of ${INPUT_KINDS.join(", ")}`);
    if ("data" in (value as object)) demand(`${name}.name`, (value as { name: unknown }).name, "a string");
  }
}

function checkFields(name: string, value: unknown, fields: Fields): void {
  demand(name, value, "an object");
  for (const [key, field] of Object.entries(value as object)) {
    const type = Object.hasOwn(fields, key) ? fields[key]! : "";
    if (fields !== INPUT && type === "") {
      const near = nearest(key, Object.keys(fields));
      throw new TypeError(`there is no option ${key}${near && `: did you mean ${near}`}`);
    }
    // Bytes that did not come are no input without bytes.
    if (type !== "" && (field !== undefined || INPUT_KINDS.includes(key))) demand(fields === INPUT ? `${name}.${key}` : key, field, type);
  }
}

/** How programs call what plugins ask for. */
const named = (kind: string): string => `on${kind[0]!.toUpperCase()}${kind.slice(1)}`;

/** What a plugin's set-up says to onResolve, onLoad, onUndefined, onEnd. */
export function checkHook(kind: string, options: { filter: unknown; namespace?: unknown }, callback: unknown): void {
  demand(named(kind), options, "an object");
  demand(`${named(kind)}: filter`, options.filter, "a RegExp");
  if (options.namespace !== undefined) demand(`${named(kind)}: namespace`, options.namespace, "a string");
  demand(`${named(kind)}: callback`, callback, "a function");
}

/** What a hook answers: nothing (undefined, null, false), or what it is for. */
export function checkAnswer(kind: string, answer: unknown): unknown {
  const place = `${named(kind)}'s answer`;
  if (!answer) return answer;
  if (kind === "undefined") demand(place, answer, "input[]");
  else demand(place, answer, "an object");
  if (kind === "resolve") {
    const { path, namespace } = answer as { path: unknown; namespace: unknown };
    demand(`${place}: path`, path, "a string");
    if (namespace !== undefined) demand(`${place}: namespace`, namespace, "a string");
  }
  if (kind === "load") demand(`${place}: data`, (answer as { data: unknown }).data, "bytes, a Blob or a function");
  return answer;
}

export const checkOptions = (options: unknown): void => checkFields("options", options, OPTIONS);
export const checkWatching = (options: unknown): void => checkFields("options", options, { ...WATCHING, recycle: "a Uint8Array" });
export const checkWords = (argv: unknown): void => demand("argv", argv, "a string[]");
export const checkLayers = (layers: unknown): void => demand("layers", layers, "an object with stat and read[]");

/** Contents by path, in a plain object or a Map; `gone`: null and undefined are answers, too. */
export function checkSources<Source>(name: string, files: Readonly<Record<string, Source>> | ReadonlyMap<string, Source>, gone: boolean): [path: string, source: Source][] {
  demand(name, files, "an object");
  const sources = Symbol.iterator in files ? [...(files as ReadonlyMap<string, Source>)] : Object.entries(files);
  for (const [path, value] of sources) if (!gone || value != null) demand(`${name}: ${path}`, value, "bytes, a Blob or a function");
  return sources;
}
