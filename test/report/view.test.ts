/** The layout map's tree and geometry: areas are bytes. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { layoutTree, pathTo, sameIn, type LayoutMap, type LayoutNode } from "../../ts/report/view/layout-tree.ts";
import { slices, squarify } from "../../ts/report/view/treemap.ts";
import { prng } from "../helpers/prng.ts";

const test = suite("report/view");

const part = (input: string, member: string | undefined, section: string, offset: number, size: number) => ({ input, ...(member === undefined ? {} : { member }), section, offset, size });

const map: LayoutMap = {
  segments: [{ type: 6, flags: 4, sections: [] }, { type: 1, flags: 5, sections: [".text"] }, { type: 1, flags: 6, sections: [".data", ".bss"] }],
  sections: [
    { name: ".text", type: 1, flags: 6, address: 0x1000n, size: 0x100, inputs: [part("main.o", undefined, ".text.main", 0, 0x20), part("libc.a", "puts.lo", ".text.puts", 0x40, 0x60), part("libc.a", "exit.lo", ".text", 0xa0, 0x60)] },
    { name: ".data", type: 1, flags: 3, address: 0x2000n, size: 8, inputs: [part("main.o", undefined, ".data", 0, 8)] },
    { name: ".bss", type: 8, flags: 3, address: 0x2008n, size: 16, inputs: [part("<internal>", undefined, ".bss", 0, 16)] },
    { name: ".symtab", type: 2, flags: 0, address: 0n, size: 48, inputs: [part("<internal>", undefined, ".symtab", 0, 48)] },
  ],
  symbols: [{ name: "puts", address: 0x1040n, size: 0x40, section: ".text" }, { name: "puts_alias", address: 0x1040n, size: 0x40, section: ".text" }, { name: "main", address: 0x1000n, size: 0x20, section: ".text" }],
};

const find = (node: LayoutNode, ...names: string[]): LayoutNode => names.reduce((at, name) => at.children.find((child) => child.name === name) ?? assert.unreachable(`${name} in ${at.children.map((child) => child.name)}`) as never, node);

function everyNode(node: LayoutNode, visit: (node: LayoutNode) => void): void {
  visit(node);
  for (const child of node.children) everyNode(child, visit);
}

test("file, segments, sections, archives, objects, sections and symbols nest, and sizes add up", () => {
  const tree = layoutTree(map, "out");
  assert.is(tree.size, 0x100 + 8 + 16 + 48);
  assert.equal(tree.children.map(({ name }) => name), ["LOAD r-x", "LOAD rw-", "not loaded"]);
  assert.is(find(tree, "LOAD r-x", ".text", "libc.a", "puts.lo", ".text.puts", "puts").size, 0x40);
  assert.is(find(tree, "LOAD r-x", ".text", "padding").size, 0x20);
  assert.equal([find(tree, "LOAD r-x", ".text", "libc.a", "puts.lo").address, find(tree, "LOAD r-x", ".text", "libc.a", "puts.lo", ".text.puts", "puts").address], ["1040", "1040"]);
  assert.equal(find(tree, "not loaded", ".symtab").children, []);
  everyNode(tree, (node) => {
    if (node.children.length > 0) assert.is(node.children.reduce((sum, { size }) => sum + size, 0), node.size, node.name);
    for (const child of node.children) assert.is(child.parent, node);
  });
});

test("tones tell what bytes are for", () => {
  const tree = layoutTree(map, "out");
  assert.equal(["LOAD r-x/.text", "LOAD rw-/.data", "LOAD rw-/.bss", "not loaded/.symtab"].map((path) => find(tree, ...path.split("/")).tone), ["code", "data", "zero", "unloaded"]);
});

test("a place is found again in the next link, or what is left of its path", () => {
  const tree = layoutTree(map, "out");
  const puts = find(tree, "LOAD r-x", ".text", "libc.a", "puts.lo");
  assert.equal(pathTo(puts).map(({ name }) => name), ["out", "LOAD r-x", ".text", "libc.a", "puts.lo"]);
  assert.is(sameIn(layoutTree(map, "other"), puts).name, "puts.lo");
  const less = { ...map, sections: map.sections.map((section) => ({ ...section, inputs: section.inputs.filter(({ member }) => member !== "puts.lo") })) };
  assert.is(sameIn(layoutTree(less, "out"), puts).name, "libc.a");
});

test("without segments (-r) sections stand alone", () => {
  assert.equal(layoutTree({ ...map, segments: [] }, "out.o").children.map(({ name }) => name), ["sections"]);
});

test("boxes of a treemap have areas in proportion, stay in the frame and do not overlap", () => {
  const random = prng(7);
  for (let round = 0; round < 50; round++) {
    const sizes = Array.from({ length: 1 + (round % 30) }, () => random.below(1000));
    const frame = { x: 3, y: 5, width: 640, height: 200 + (round % 5) * 90 };
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const boxes = squarify(sizes, frame);
    boxes.forEach(({ x, y, width, height }, i) => {
      if (total > 0) assert.ok(Math.abs(width * height - (sizes[i]! / total) * frame.width * frame.height) < 1e-6 * frame.width * frame.height, `area ${i}`);
      assert.ok(x >= frame.x - 1e-6 && y >= frame.y - 1e-6 && x + width <= frame.x + frame.width + 1e-6 && y + height <= frame.y + frame.height + 1e-6, "inside");
    });
    for (let a = 0; a < boxes.length; a++) {
      for (let b = a + 1; b < boxes.length; b++) {
        const overlap = Math.min(boxes[a]!.x + boxes[a]!.width, boxes[b]!.x + boxes[b]!.width) - Math.max(boxes[a]!.x, boxes[b]!.x);
        const across = Math.min(boxes[a]!.y + boxes[a]!.height, boxes[b]!.y + boxes[b]!.height) - Math.max(boxes[a]!.y, boxes[b]!.y);
        assert.ok(overlap < 1e-6 || across < 1e-6, "apart");
      }
    }
  }
  assert.equal(squarify([], { x: 0, y: 0, width: 1, height: 1 }), []);
  assert.equal(slices([1, 3], 8), [{ at: 0, width: 2 }, { at: 2, width: 6 }]);
});

test.run();
