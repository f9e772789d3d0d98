/**
 * A program without the functions that ordinary links do not call: what a page loads before its first link (web.ts).
 *
 * Which they are is found out by linking with the program itself while V8 counts calls. What is not called hands over to the
 * complete program. That goes for the linker proper: the API, and what threads and messages do, stay whole.
 */
import * as inspector from "node:inspector";
import { promisify } from "node:util";
import { parse } from "acorn";

/**
 * Modules whose functions may be left out, as esbuild names them before what it has of them. Passes stay that go about large
 * inputs and changed objects in ways of their own.
 */
const LINKER = /^ts\/(args|arch|diagnostics|elf|input\/(?!search\.)|link\.|lto|new-context\.|resolve-inputs\.|passes\/(?!patch-|replace-|input-rows\.|stream-strings\.|read-headers\.|relocate-objects\.|write-output\.|warning-sections\.)|report|script|synthetic)/;

/** Bodies with fewer characters are not worth it. */
const FEW = 24;

/** Of acorn. */
export interface Tree {
  type: string;
  start: number;
  end: number;
  [child: string]: unknown;
}

/** Where functions end that `run` calls in the script of `url`. */
export async function endsOfCalled(url: string, run: () => Promise<void>): Promise<Set<number>> {
  const session = new inspector.Session();
  session.connect();
  const post = promisify(session.post.bind(session) as (method: string, parameters: object, done: (error: Error | null, result?: object) => void) => void);
  await post("Profiler.enable", {});
  await post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
  await run();
  const { result } = (await post("Profiler.takePreciseCoverage", {})) as inspector.Profiler.TakePreciseCoverageReturnType;
  session.disconnect();
  const { functions } = result.find((script) => script.url === url)!;
  return new Set(functions.filter(({ ranges }) => ranges[0]!.count > 0).map(({ ranges }) => ranges[0]!.endOffset));
}

/** The outermost bodies of functions for which `isSeldom`, in order. */
function bodies(tree: Tree, isSeldom: (node: Tree) => boolean): Tree[] {
  const body = tree["body"] as Tree | undefined;
  if (/Function/.test(tree.type) && body?.type === "BlockStatement" && body.end - body.start >= FEW && isSeldom(tree)) return [body];
  const children = Object.values(tree).flat().filter((child) => typeof (child as Tree | null)?.type === "string") as Tree[];
  return children.flatMap((child) => bodies(child, isSeldom)).sort((a, b) => a.start - b.start);
}

/** `text` (a module at `url`, bundled and not minified) without the bodies of what `run` does not call. */
export async function calledOnly(text: string, url: string, run: () => Promise<void>): Promise<string> {
  const called = await endsOfCalled(url, run);
  const modules = [...text.matchAll(/^\/\/ (\S+)$/gm)].map(({ index, 1: name }) => ({ index, isLinker: LINKER.test(name!) }));
  const isLinker = (at: number): boolean => modules.findLast(({ index }) => index < at)?.isLinker === true;
  const left = bodies(parse(text, { ecmaVersion: "latest", sourceType: "module" }) as unknown as Tree, ({ start, end }) => !called.has(end) && isLinker(start));
  let kept = "";
  let at = 0;
  for (const { start, end } of left) {
    kept += `${text.slice(at, start)}{ handOver$(); }`;
    at = end;
  }
  return `${kept}${text.slice(at)}\nfunction handOver$() { throw new HandOver("what is called"); }\n`;
}
