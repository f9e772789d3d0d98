/**
 * The layout of a link as a tree to look at: file → segments → sections → inputs (archive, member) → their sections → symbols.
 *
 * Only shapes data (a LinkMap, or what --report wrote of one); drawing is in map-view.ts. A node's size is always the sum of its
 * children's: what is left over becomes a child of its own, so that areas never lie. The children of sections and of their parts are
 * made when somebody looks at them: of a large program most are never seen.
 */

/** What bytes are for: the colour. */
export type Tone = "code" | "constant" | "data" | "zero" | "unloaded" | "gap";

export interface LayoutNode {
  readonly name: string;
  /** One line for tips: what it is. */
  readonly kind: "file" | "segment" | "section" | "archive" | "object" | "part" | "symbol" | "rest";
  readonly size: number;
  readonly tone: Tone;
  /** Virtual address, hexadecimal without prefix; "" = none. */
  readonly address: string;
  readonly children: LayoutNode[];
  parent: LayoutNode | null;
}

/** What an input gave to an output section; `offset` from that one's start. */
export interface Part {
  readonly input: string;
  readonly member?: string;
  readonly section: string;
  readonly offset: number;
  readonly size: number;
}

/** Named parts of an output section by offset; none is without a size. */
export interface SymbolColumns {
  readonly offset: ArrayLike<number>;
  readonly size: ArrayLike<number>;
  name(i: number): string;
}

interface Section {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly address: bigint;
  readonly size: number;
  parts(): readonly Part[];
  symbols(): SymbolColumns;
}

/** What is drawn. */
export interface LayoutSource {
  readonly sections: readonly Section[];
  readonly segments: readonly { readonly type: number; readonly flags: number; readonly sections: readonly string[] }[];
}

/** The part of a LinkMap that is drawn. */
export interface LayoutMap {
  readonly sections: readonly {
    readonly name: string; readonly type: number; readonly flags: number; readonly address: bigint; readonly size: number;
    readonly inputs: readonly Part[];
  }[];
  readonly segments: LayoutSource["segments"];
  readonly symbols: readonly { readonly name: string; readonly address: bigint; readonly size: number; readonly section: string }[];
}

const PT_LOAD = 1;
const SHT_NOBITS = 8;
const [SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR] = [1, 2, 4];
const [PF_X, PF_W, PF_R] = [1, 2, 4];

class Node implements LayoutNode {
  readonly name: string;
  readonly kind: LayoutNode["kind"];
  size: number;
  readonly tone: Tone;
  parent: LayoutNode | null = null;
  /** null = it has no address. */
  private readonly base: bigint | null;
  private readonly offset: number;
  private made: LayoutNode[] | (() => LayoutNode[]);

  /** Its address is `offset` bytes behind `base`. */
  constructor(name: string, kind: LayoutNode["kind"], size: number, tone: Tone, base: bigint | null, offset: number, children: LayoutNode[] | (() => LayoutNode[]) = []) {
    this.name = name;
    this.kind = kind;
    this.size = size;
    this.tone = tone;
    this.base = base;
    this.offset = offset;
    this.made = children;
    if (typeof children !== "function") for (const child of children) child.parent = this;
  }

  get address(): string {
    return this.base === null ? "" : (this.base + BigInt(this.offset)).toString(16);
  }

  get children(): LayoutNode[] {
    if (typeof this.made === "function") {
      this.made = this.made();
      for (const child of this.made) child.parent = this;
    }
    return this.made;
  }

  /** While it is being made. */
  add(child: LayoutNode): void {
    this.children.push(child);
    child.parent = this;
    this.size += child.size;
  }
}

const sum = (nodes: readonly LayoutNode[]): number => nodes.reduce((total, { size }) => total + size, 0);

function toneOf({ type, flags }: { type: number; flags: number }): Tone {
  if ((flags & SHF_ALLOC) === 0) return "unloaded";
  if ((flags & SHF_EXECINSTR) !== 0) return "code";
  if ((flags & SHF_WRITE) === 0) return "constant";
  return type === SHT_NOBITS ? "zero" : "data";
}

const permissions = (flags: number): string => `${flags & PF_R ? "r" : "-"}${flags & PF_W ? "w" : "-"}${flags & PF_X ? "x" : "-"}`;

/** `name`: of the output. */
export const layoutTree = (map: LayoutMap, name: string): LayoutNode => treeOf(sourceOf(map), name);

/** The same of data that need not be there before it is looked at. */
export function treeOf({ sections, segments }: LayoutSource, name: string): LayoutNode {
  // What fills a page up to its end is neither in the file nor anybody's.
  const rest = new Map(sections.filter(({ name: section, size }) => size > 0 && section !== ".relro_padding").map((section) => [section.name, section]));
  const groups: LayoutNode[] = [];
  for (const segment of segments) {
    if (segment.type !== PT_LOAD) continue;
    const own = segment.sections.map((each) => rest.get(each)).filter((section) => section !== undefined);
    for (const section of own) rest.delete(section.name);
    if (own.length === 0) continue;
    const children = own.map(sectionNode);
    const tone = toneOf({ type: 1, flags: SHF_ALLOC | (segment.flags & PF_W ? SHF_WRITE : 0) | (segment.flags & PF_X ? SHF_EXECINSTR : 0) });
    groups.push(new Node(`LOAD ${permissions(segment.flags)}`, "segment", sum(children), tone, own[0]!.address, 0, children));
  }
  const left = [...rest.values()].map(sectionNode);
  if (left.length > 0) groups.push(new Node(groups.length === 0 ? "sections" : "not loaded", "segment", sum(left), "unloaded", null, 0, left));
  return new Node(name, "file", sum(groups), "gap", null, 0, groups);
}

function sourceOf({ sections, segments, symbols }: LayoutMap): LayoutSource {
  let bySection: Map<string, LayoutMap["symbols"][number][]> | undefined;
  const symbolsOf = (name: string): LayoutMap["symbols"] => {
    if (bySection === undefined) {
      bySection = new Map();
      for (const symbol of symbols) {
        if (symbol.size === 0) continue;
        const list = bySection.get(symbol.section);
        if (list === undefined) bySection.set(symbol.section, [symbol]);
        else list.push(symbol);
      }
    }
    return bySection.get(name) ?? [];
  };
  return {
    segments,
    sections: sections.map(({ name, type, flags, address, size, inputs }) => ({
      name, type, flags, address, size,
      parts: () => inputs,
      symbols: () => {
        const own = symbolsOf(name).map((symbol) => ({ ...symbol, offset: Number(symbol.address - address) })).sort((a, b) => a.offset - b.offset);
        return { offset: own.map(({ offset }) => offset), size: own.map((symbol) => symbol.size), name: (i) => own[i]!.name };
      },
    })),
  };
}

function sectionNode(section: Section): LayoutNode {
  return new Node(section.name, "section", section.size, toneOf(section), section.address, 0, () => insideSection(section));
}

function insideSection(section: Section): LayoutNode[] {
  const tone = toneOf(section);
  const { address } = section;
  let known: SymbolColumns | undefined;
  const symbols = (): SymbolColumns => (known ??= section.symbols());
  const archives = new Map<string, Node>();
  const objects = new Map<string, Node>();
  const children: LayoutNode[] = [];
  for (const part of section.parts()) {
    const inside = new Node(part.section, "part", part.size, tone, address, part.offset, () => insidePart(part, tone, address, symbols()));
    if (part.input === "<internal>") {
      children.push(inside);
      continue;
    }
    const key = part.member === undefined ? part.input : `${part.input}\0${part.member}`;
    let object = objects.get(key);
    if (object === undefined) {
      object = new Node(part.member ?? part.input, "object", 0, tone, address, part.offset, []);
      objects.set(key, object);
      if (part.member === undefined) children.push(object);
      else archiveOf(part, archives, () => new Node(part.input, "archive", 0, tone, address, part.offset, []), children).add(object);
    }
    object.add(inside);
  }
  for (const archive of archives.values()) archive.size = sum(archive.children);
  addRest(children, section.size, tone);
  // What the linker makes is one thing, not a thing inside a thing.
  if (children.length === 1 && children[0]!.kind === "part" && children[0]!.children.length === 0) children.pop();
  return children;
}

function archiveOf({ input }: Part, archives: Map<string, Node>, make: () => Node, children: LayoutNode[]): Node {
  let archive = archives.get(input);
  if (archive === undefined) {
    archive = make();
    archives.set(input, archive);
    children.push(archive);
  }
  return archive;
}

/** The first symbol at `offset` or behind it. */
function firstFrom(offsets: ArrayLike<number>, offset: number): number {
  let low = 0;
  for (let high = offsets.length; low < high; ) {
    const middle = (low + high) >>> 1;
    if (offsets[middle]! < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function insidePart(part: Part, tone: Tone, base: bigint, symbols: SymbolColumns): LayoutNode[] {
  const children: LayoutNode[] = [];
  const end = part.offset + part.size;
  let at = part.offset;
  for (let i = firstFrom(symbols.offset, at); i < symbols.offset.length && symbols.offset[i]! < end; i++) {
    const offset = symbols.offset[i]!;
    const size = symbols.size[i]!;
    // Aliases and overlapping symbols: the first one counts.
    if (offset < at || offset + size > end) continue;
    children.push(new Node(symbols.name(i), "symbol", size, tone, base, offset));
    at = offset + size;
  }
  if (children.length > 0) addRest(children, part.size, tone);
  return children;
}

/** Alignment and what has no name. */
function addRest(children: LayoutNode[], size: number, tone: Tone): void {
  const left = size - sum(children);
  if (left > 0 && children.length > 0) children.push(new Node(children.every(({ kind }) => kind === "symbol") ? "without a symbol" : "padding", "rest", left, left < size / 2 ? "gap" : tone, null, 0));
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
