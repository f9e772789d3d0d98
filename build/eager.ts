/**
 * Tells V8 which functions of a script to compile at once: those in parentheses. It compiles any other one when it is called, for
 * which it reads the text a second time, and `//# allFunctionsCalledOnLoad` is for all or none: a third of what a page loads is not
 * called by its first link.
 *
 * Declared functions become variables for that, in front of everything, because others may use them from there on; methods are
 * put into their classes by ADD.
 */
import { parse } from "acorn";
import { endsOfCalled, type Tree } from "./called.ts";

const ADD = "eager$";
const ADDING = `var ${ADD}=(c,m)=>(Object.assign(c.prototype,m),c);`;

/** What takes the place of characters from `start` to `end`; `by` is given what it would be otherwise, in which edits inside are done. */
interface Edit {
  start: number;
  end: number;
  by(text: (from: number, to: number) => string): string;
}

type Method = Tree & { key: Tree; value: Tree & { async: boolean; generator: boolean } };

function eachNode(tree: Tree, parent: Tree | null, visit: (node: Tree, parent: Tree | null) => void): void {
  visit(tree, parent);
  for (const child of Object.values(tree).flat()) if (typeof (child as Tree | null)?.type === "string") eachNode(child as Tree, tree, visit);
}

/** Methods that could as well be functions. */
const isPlain = (node: Tree, text: string): boolean => (node["key"] as Tree).type === "Identifier" && node["computed"] === false && !/\bsuper\b/.test(text.slice(node.start, node.end));

/** `key:(function(){…})` for a method. */
function property({ key, value }: Method, text: (from: number, to: number) => string): string {
  return `${text(key.start, key.end)}:(${value.async ? "async " : ""}function${value.generator ? "*" : ""}${text(value.start, value.end)})`;
}

/** A class without those of its methods that are called, and these. */
function classEdit(node: Tree, methods: ReadonlySet<Tree>): Edit {
  const body = node["body"] as Tree & { body: Tree[] };
  const kept = body.body.filter((member) => !methods.has(member));
  return {
    start: node.start, end: node.end,
    by: (text) => `${ADD}(${text(node.start, body.start)}{${kept.map(({ start, end }) => text(start, end)).join(";")}},{${[...methods].map((method) => property(method as Method, text)).join(",")}})`,
  };
}

/** What is done about the functions that are called, but for declared ones. */
function editsOf(tree: Tree, text: string, isCalled: (node: Tree) => boolean): Edit[] {
  const edits: Edit[] = [];
  eachNode(tree, null, (node, parent) => {
    const { type, start, end } = node;
    if (type === "ClassExpression" && parent!.type === "VariableDeclarator") {
      const methods = (node["body"] as Tree & { body: Tree[] }).body.filter((member) => member["kind"] === "method" && member["static"] === false && isCalled(member) && isPlain(member, text));
      if (methods.length > 0) edits.push(classEdit(node, new Set(methods)));
    } else if (type === "Property" && node["method"] === true && isCalled(node) && isPlain(node, text)) edits.push({ start, end, by: (inside) => property(node as Method, inside) });
    else if (/^(Arrow)?FunctionExpression$/.test(type) && isCalled(node) && parent!.type !== "MethodDefinition" && !(parent!.type === "Property" && (parent!["method"] === true || parent!["kind"] !== "init"))) {
      edits.push({ start, end, by: (inside) => `(${inside(start, end)})` });
    }
  });
  return edits.sort((a, b) => a.start - b.start || b.end - a.end);
}

/** Characters [from, to) with edits from number `next` on. */
function edited(text: string, edits: readonly Edit[], next: number, from: number, to: number): string {
  let made = "";
  let at = from;
  for (let i = next; i < edits.length && edits[i]!.start < to; i++) {
    const { start, end, by } = edits[i]!;
    if (start < at || end > to) continue;
    made += text.slice(at, start) + by((begin, stop) => edited(text, edits, i + 1, begin, stop));
    at = end;
  }
  return made + text.slice(at, to);
}

/** `text` (a module at `url`, minified) with what `run` calls compiled at once. */
export async function eager(text: string, url: string, run: () => Promise<void>): Promise<string> {
  const called = await endsOfCalled(url, run);
  const tree = parse(text, { ecmaVersion: "latest", sourceType: "module" }) as unknown as Tree & { body: Tree[] };
  const edits = editsOf(tree, text, ({ end }) => called.has(end));
  const part = (from: number, to: number): string => edited(text, edits, 0, from, to);
  const declared = tree.body.filter(({ type, end }) => type === "FunctionDeclaration" && called.has(end));
  const variables = declared.map(({ start, end, id }) => {
    const { start: from, end: to, name } = id as Tree & { name: string };
    return `,${name}=(${text.slice(start, from).trimEnd()}${part(to, end)})`;
  });
  const rest = [{ end: 0 }, ...declared].map(({ end }, i) => part(end, declared[i]?.start ?? text.length));
  return `${ADDING.slice(0, -1)}${variables.join("")};${rest.join("")}`;
}
