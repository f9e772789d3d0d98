/**
 * Draws the layout tree into an element: a strip in address order, a zoomable treemap below it, and the way back up.
 *
 * Plain DOM, because the page and the file that --report writes both use it. Every box is a button: Tab goes to the first, arrow
 * keys from box to box, Enter zooms in, Escape out; screen readers hear name, size and share.
 */
import { pathTo, sameIn, type LayoutNode } from "./layout-tree.ts";
import { slices, squarify, type Rectangle } from "./treemap.ts";

/** Levels that are drawn inside each other, and the smallest box that is drawn, in CSS pixels. */
const LEVELS = 6;
const SMALLEST = 5;
const HEAD = 19;
const PAD = 2;

export interface MapViewOptions {
  /** A box without children was activated, or one was zoomed into. */
  onSelect?(node: LayoutNode): void;
}

export const bytesText = (size: number): string =>
  size < 10_000 ? `${size.toLocaleString("en")} B` : size < 1_000_000 ? `${(size / 1000).toFixed(1)} kB` : `${(size / 1_000_000).toFixed(1)} MB`;

function element<K extends keyof HTMLElementTagNameMap>(tag: K, className: string, text = ""): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== "") made.textContent = text;
  return made;
}

export class MapView {
  private readonly root: HTMLElement;
  private readonly options: MapViewOptions;
  private readonly crumbs = element("nav", "map-crumbs");
  private readonly strip = element("div", "map-strip");
  private readonly area = element("div", "map-area");
  private readonly tip = element("div", "map-tip");
  private readonly boxes = new Map<HTMLElement, LayoutNode>();
  private readonly observer: ResizeObserver;
  /** Width and height that it was drawn for. */
  private drawn = [0, 0];
  private tree: LayoutNode | null = null;
  private current: LayoutNode | null = null;

  constructor(root: HTMLElement, options: MapViewOptions = {}) {
    this.root = root;
    this.options = options;
    root.classList.add("map-view");
    this.crumbs.setAttribute("aria-label", "Zoomed to");
    this.strip.setAttribute("role", "group");
    this.strip.setAttribute("aria-label", "Parts in address order");
    this.area.setAttribute("role", "group");
    this.area.setAttribute("aria-label", "Layout: boxes in proportion to bytes");
    this.tip.hidden = true;
    this.tip.setAttribute("aria-hidden", "true");
    root.replaceChildren(this.crumbs, this.strip, this.area, this.tip);
    root.addEventListener("keydown", (event) => this.onKey(event));
    root.addEventListener("click", (event) => this.activate(event.target as HTMLElement));
    root.addEventListener("pointermove", (event) => this.showTip(event));
    root.addEventListener("pointerleave", () => void (this.tip.hidden = true));
    // It also tells the first size, for which show() has drawn.
    this.observer = new ResizeObserver(() => void (this.isDrawn() || this.draw()));
    this.observer.observe(this.area);
  }

  /** Stays zoomed where it was, as far as that is still there. */
  show(tree: LayoutNode): void {
    this.tree = tree;
    this.current = this.current === null ? tree : sameIn(tree, this.current);
    this.draw();
  }

  zoom(target: LayoutNode): void {
    this.current = target.children.length === 0 ? (target.parent ?? target) : target;
    this.draw();
    this.options.onSelect?.(target);
  }

  dispose(): void {
    this.observer.disconnect();
  }

  private draw(): void {
    const { current } = this;
    if (current === null) return;
    const focused = this.boxes.get(document.activeElement as HTMLElement);
    this.boxes.clear();
    this.drawCrumbs(current);
    this.drawStrip(current);
    const { clientWidth: width, clientHeight: height } = this.area;
    this.drawn = [width, height];
    const parts = document.createDocumentFragment();
    this.drawInside(current, { x: 0, y: 0, width, height }, parts, LEVELS);
    this.area.replaceChildren(parts);
    // One stop for Tab; arrow keys go on from there.
    if (this.area.firstElementChild instanceof HTMLElement) this.area.firstElementChild.tabIndex = 0;
    if (focused !== undefined) [...this.boxes].find(([, node]) => node === focused)?.[0].focus({ preventScroll: true });
  }

  private isDrawn(): boolean {
    return this.drawn[0] === this.area.clientWidth && this.drawn[1] === this.area.clientHeight;
  }

  private drawCrumbs(current: LayoutNode): void {
    const path = pathTo(current);
    this.crumbs.replaceChildren(...path.map((node, i) => {
      const crumb = element("button", "map-crumb", shortName(node));
      crumb.type = "button";
      if (i === path.length - 1) crumb.setAttribute("aria-current", "true");
      this.boxes.set(crumb, node);
      return crumb;
    }), element("span", "map-size", `${bytesText(current.size)}${current.address === "" ? "" : ` at 0x${current.address}`}`));
  }

  private drawStrip(current: LayoutNode): void {
    const width = this.strip.clientWidth;
    const places = slices(current.children.map(({ size }) => size), width);
    this.strip.replaceChildren(...current.children.flatMap((child, i) => {
      if (places[i]!.width < 1) return [];
      return [this.box(child, "map-slice", { x: places[i]!.at, y: 0, width: places[i]!.width, height: 14 })];
    }));
  }

  private drawInside(parent: LayoutNode, frame: Rectangle, into: ParentNode, levels: number): void {
    const places = squarify(parent.children.map(({ size }) => size), frame);
    parent.children.forEach((child, i) => {
      const place = places[i]!;
      if (place.width < SMALLEST || place.height < SMALLEST) return;
      const box = this.box(child, "map-box", place);
      const inner = withoutSingles(child);
      const open = levels > 1 && inner.children.length > (inner.kind === "segment" ? 0 : 1) && place.width > 44 && place.height > HEAD + 22;
      if (place.width > 26 && place.height > 13) box.append(this.label(child, place));
      into.append(box);
      if (!open) return;
      box.classList.add("open");
      this.drawInside(inner, { x: place.x + PAD, y: place.y + HEAD, width: place.width - 2 * PAD, height: place.height - HEAD - PAD }, into, levels - 1);
    });
  }

  private label(node: LayoutNode, { width }: Rectangle): HTMLElement {
    const label = element("span", "map-label");
    label.append(element("b", "", shortName(node)));
    if (width > 110) label.append(" ", element("i", "", bytesText(node.size)));
    return label;
  }

  private box(node: LayoutNode, className: string, { x, y, width, height }: Rectangle): HTMLButtonElement {
    const box = element("button", `${className} tone-${node.tone}`);
    box.type = "button";
    box.tabIndex = -1;
    box.style.cssText = `left:${x.toFixed(1)}px;top:${y.toFixed(1)}px;width:${Math.max(0, width - 1).toFixed(1)}px;height:${Math.max(0, height - 1).toFixed(1)}px`;
    box.setAttribute("aria-label", describe(node, this.tree!.size));
    this.boxes.set(box, node);
    return box;
  }

  private nodeOf(target: EventTarget | null): LayoutNode | undefined {
    const box = target instanceof Element ? target.closest<HTMLElement>("button") : null;
    return box === null ? undefined : this.boxes.get(box);
  }

  private activate(target: HTMLElement): void {
    const node = this.nodeOf(target);
    if (node !== undefined) this.zoom(node);
  }

  private showTip(event: PointerEvent): void {
    const node = this.nodeOf(event.target);
    this.tip.hidden = node === undefined;
    if (node === undefined) return;
    const frame = this.root.getBoundingClientRect();
    this.tip.replaceChildren(element("b", "", node.name), element("span", "", [KINDS[node.kind], bytesText(node.size), ...facts(node, this.tree!.size)].filter(Boolean).join(", ")));
    const right = event.clientX - frame.left > frame.width / 2;
    this.tip.style.cssText = `top:${event.clientY - frame.top + 14}px;${right ? `right:${frame.right - event.clientX + 10}px` : `left:${event.clientX - frame.left + 12}px`}`;
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key === "Escape" || event.key === "Backspace") {
      if (this.current?.parent == null) return;
      const from = this.current;
      this.zoom(this.current.parent);
      [...this.boxes].find(([box, node]) => node === from && box.classList.contains("map-box"))?.[0].focus();
    } else if (event.key.startsWith("Arrow")) this.move(event.key);
    else return;
    event.preventDefault();
  }

  /** To the nearest box in the direction of the arrow. */
  private move(key: string): void {
    const from = (document.activeElement as HTMLElement).getBoundingClientRect();
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key] ?? [0, 0];
    let best: HTMLElement | null = null;
    let nearest = Infinity;
    for (const box of this.boxes.keys()) {
      if (!box.classList.contains("map-box") || box === document.activeElement) continue;
      const to = box.getBoundingClientRect();
      const along = (to.left - from.left) * dx! + (to.top - from.top) * dy!;
      const across = Math.abs((to.left - from.left) * dy!) + Math.abs((to.top - from.top) * dx!);
      if (along > 1 && along + 2 * across < nearest) {
        nearest = along + 2 * across;
        best = box;
      }
    }
    best?.focus();
  }
}

/** A box that holds one box says nothing new: what is in that one. Sections are always shown. */
function withoutSingles(node: LayoutNode): LayoutNode {
  let at = node;
  while (at.children.length === 1 && at.kind !== "segment" && at.kind !== "file") at = at.children[0]!;
  return at;
}

/** Files without their folders, a function's section by the function alone; tips have all of it. */
function shortName({ kind, name }: LayoutNode): string {
  if (kind === "part") return name.replace(/^\.(?:text|rodata|data\.rel\.ro(?:\.local)?|data|bss)\.(?=.)/, "");
  return kind === "archive" || kind === "object" || kind === "file" ? name.slice(name.lastIndexOf("/") + 1) : name;
}

const KINDS: Record<LayoutNode["kind"], string> = { file: "output", segment: "segment", section: "output section", archive: "archive", object: "object", part: "input section", symbol: "symbol", rest: "" };

/** What is not on the box: its share of the output, and where it is. */
function facts(node: LayoutNode, total: number): string[] {
  const share = total === 0 ? 0 : (100 * node.size) / total;
  return [`${share.toFixed(share < 1 ? 2 : 1)} %`, ...(node.address === "" ? [] : [`0x${node.address}`])];
}

/** Begins with what can be read on the box. */
const describe = (node: LayoutNode, total: number): string => [`${node.name} ${bytesText(node.size)}`, KINDS[node.kind], ...facts(node, total)].filter(Boolean).join(", ");
