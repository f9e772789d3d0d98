/**
 * The layout of a link as a tree to look at: file → segments → sections → inputs (archive, member) → their sections → symbols.
 *
 * Only shapes data (a LinkMap, or what --report wrote of one); drawing is in map-view.ts. A node's size is always the sum of its
 * children's: what is left over becomes a child of its own, so that areas never lie.
 */

/** What bytes are for: the colour. */
export type Tone = "code" | "constant" | "data" | "zero" | "unloaded" | "gap";

export interface LayoutNode {
  name: string;
  /** One line for tips: what it is. */
  kind: "file" | "segment" | "section" | "archive" | "object" | "part" | "symbol" | "rest";
  size: number;
  tone: Tone;
  /** Virtual address, hexadecimal without prefix; "" = none. */
  address: string;
  children: LayoutNode[];
  parent: LayoutNode | null;
}

/** The part of a LinkMap that is drawn; numbers and bigints alike. */
export interface LayoutSource {
  readonly sections: readonly {
    readonly name: string; readonly type: number; readonly flags: number; readonly address: bigint; readonly size: number;
    readonly inputs: readonly { readonly input: string; readonly member?: string; readonly section: string; readonly address: bigint; readonly size: number }[];
  }[];
  readonly segments: readonly { readonly type: number; readonly flags: number; readonly sections: readonly string[] }[];
  readonly symbols: readonly { readonly name: string; readonly address: bigint; readonly size: number; readonly section: string }[];
}

type Section = LayoutSource["sections"][number];
type Part = Section["inputs"][number];

const PT_LOAD = 1;
const SHT_NOBITS = 8;
const [SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR] = [1, 2, 4];
const [PF_X, PF_W, PF_R] = [1, 2, 4];

function node(name: string, kind: LayoutNode["kind"], size: number, tone: Tone, address: bigint | null, children: LayoutNode[] = []): LayoutNode {
  return { name, kind, size, tone, address: address === null ? "" : address.toString(16), children, parent: null };
}

const sum = (nodes: readonly LayoutNode[]): number => nodes.reduce((total, { size }) => total + size, 0);

export function toneOf({ type, flags }: Pick<Section, "type" | "flags">): Tone {
  if ((flags & SHF_ALLOC) === 0) return "unloaded";
  if ((flags & SHF_EXECINSTR) !== 0) return "code";
  if ((flags & SHF_WRITE) === 0) return "constant";
  return type === SHT_NOBITS ? "zero" : "data";
}

const permissions = (flags: number): string => `${flags & PF_R ? "r" : "-"}${flags & PF_W ? "w" : "-"}${flags & PF_X ? "x" : "-"}`;

/** `name`: of the output. */
export function layoutTree(map: LayoutSource, name: string): LayoutNode {
  // What fills a page up to its end is neither in the file nor anybody's.
  const rest = new Map(map.sections.filter(({ name: section, size }) => size > 0 && section !== ".relro_padding").map((section) => [section.name, section]));
  const symbols = symbolsBySection(map);
  const build = (section: Section): LayoutNode => sectionNode(section, symbols.get(section.name) ?? []);
  const groups: LayoutNode[] = [];
  for (const segment of map.segments) {
    if (segment.type !== PT_LOAD) continue;
    const own = segment.sections.map((each) => rest.get(each)).filter((section) => section !== undefined);
    for (const section of own) rest.delete(section.name);
    if (own.length === 0) continue;
    const children = own.map(build);
    const tone = toneOf({ type: 1, flags: SHF_ALLOC | (segment.flags & PF_W ? SHF_WRITE : 0) | (segment.flags & PF_X ? SHF_EXECINSTR : 0) });
    groups.push(node(`LOAD ${permissions(segment.flags)}`, "segment", sum(children), tone, own[0]!.address, children));
  }
  const left = [...rest.values()].map(build);
  if (left.length > 0) groups.push(node(groups.length === 0 ? "sections" : "not loaded", "segment", sum(left), "unloaded", null, left));
  return adopt(node(name, "file", sum(groups), "gap", null, groups));
}

function adopt(parent: LayoutNode): LayoutNode {
  for (const child of parent.children) {
    child.parent = parent;
    adopt(child);
  }
  return parent;
}

function symbolsBySection({ symbols }: LayoutSource): Map<string, LayoutSource["symbols"][number][]> {
  const found = new Map<string, LayoutSource["symbols"][number][]>();
  for (const symbol of symbols) {
    if (symbol.size === 0) continue;
    const list = found.get(symbol.section);
    if (list === undefined) found.set(symbol.section, [symbol]);
    else list.push(symbol);
  }
  for (const list of found.values()) list.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  return found;
}

function sectionNode(section: Section, symbols: LayoutSource["symbols"]): LayoutNode {
  const tone = toneOf(section);
  const archives = new Map<string, LayoutNode>();
  const objects = new Map<string, LayoutNode>();
  const children: LayoutNode[] = [];
  for (const part of section.inputs) {
    const inside = partNode(part, tone, symbolsIn(symbols, part));
    const key = `${part.input}\0${part.member ?? ""}`;
    let object = objects.get(key);
    if (object === undefined) {
      object = node(part.member ?? part.input, "object", 0, tone, part.address);
      if (part.input === "<internal>") {
        children.push(inside);
        continue;
      }
      objects.set(key, object);
      containerOf(part, archives, children, tone).push(object);
    }
    object.children.push(inside);
    object.size += inside.size;
  }
  for (const archive of archives.values()) archive.size = sum(archive.children);
  addRest(children, section.size, tone);
  // What the linker makes is one thing, not a thing inside a thing.
  if (children.length === 1 && children[0]!.kind === "part" && children[0]!.children.length === 0) children.pop();
  return node(section.name, "section", section.size, tone, section.address, children);
}

/** Where an object of an input goes: into its archive, or beside the others. */
function containerOf(part: Part, archives: Map<string, LayoutNode>, children: LayoutNode[], tone: Tone): LayoutNode[] {
  if (part.member === undefined) return children;
  let archive = archives.get(part.input);
  if (archive === undefined) {
    archive = node(part.input, "archive", 0, tone, part.address);
    archives.set(part.input, archive);
    children.push(archive);
  }
  return archive.children;
}

function symbolsIn(symbols: LayoutSource["symbols"], { address, size }: Part): LayoutSource["symbols"] {
  let low = 0;
  for (let high = symbols.length; low < high; ) {
    const middle = (low + high) >>> 1;
    if (symbols[middle]!.address < address) low = middle + 1;
    else high = middle;
  }
  const end = address + BigInt(size);
  const found = [];
  for (let i = low; i < symbols.length && symbols[i]!.address < end; i++) found.push(symbols[i]!);
  return found;
}

function partNode(part: Part, tone: Tone, symbols: LayoutSource["symbols"]): LayoutNode {
  const children: LayoutNode[] = [];
  let at = part.address;
  for (const symbol of symbols) {
    // Aliases and overlapping symbols: the first one counts.
    if (symbol.address < at || symbol.address + BigInt(symbol.size) > part.address + BigInt(part.size)) continue;
    children.push(node(symbol.name, "symbol", symbol.size, tone, symbol.address));
    at = symbol.address + BigInt(symbol.size);
  }
  if (children.length > 0) addRest(children, part.size, tone);
  return node(part.section, "part", part.size, tone, part.address, children);
}

/** Alignment and what has no name. */
function addRest(children: LayoutNode[], size: number, tone: Tone): void {
  const left = size - sum(children);
  if (left > 0 && children.length > 0) children.push(node(children.every(({ kind }) => kind === "symbol") ? "without a symbol" : "padding", "rest", left, left < size / 2 ? "gap" : tone, null));
}

/** From the file down to the node. */
export function pathTo(target: LayoutNode): LayoutNode[] {
  const path: LayoutNode[] = [];
  for (let at: LayoutNode | null = target; at !== null; at = at.parent) path.unshift(at);
  return path;
}

/** The node with the same names on its path in another tree (after another link), or the deepest that is still there. */
export function sameIn(tree: LayoutNode, old: LayoutNode): LayoutNode {
  let at = tree;
  for (const { name, kind } of pathTo(old).slice(1)) {
    const next = at.children.find((child) => child.name === name && child.kind === kind);
    if (next === undefined) break;
    at = next;
  }
  return at;
}
