/** --report and --metafile: the layout as a page that needs nothing else, and as esbuild's metafile. */
import { pathToFileURL } from "node:url";
import { inflateRawSync } from "node:zlib";
import type { Metafile } from "esbuild";
import { suite } from "uvu";
import { DATA_ELEMENT, readData, summed, type InputColumns, type ReportData } from "../../../ts/report/view/report-data.ts";
import { assert, behaviour, contains, linkerName, Workspace } from "../../helpers/link.ts";
import { needBrowser, openBrowser } from "../../helpers/runtimes.ts";
import { need } from "../../helpers/skip.ts";
import { repoRoot, run } from "../../helpers/tools.ts";

const reports = behaviour("layout page and metafile");
const wield = linkerName === "wield";

const SOURCES = {
  "a.s": '.globl _start\n.section .text._start,"ax"\n_start: call f\nlea table(%rip), %rax\nlea buffer(%rip), %rax\n.data\ntable: .zero 100\n.bss\nbuffer: .zero 5000\n',
  "f.s": '.globl f\n.section .text.f,"ax"\n.type f,@function\nf: ret\n.size f,1\n.section .text.unused,"ax"\n.zero 300\n',
};
const OBJECTS = "as a.s -o a.o && as f.s -o f.o && ar rcs lib.a f.o";

/** What is in the page, with columns as they are read. */
function dataOf(html: string): ReportData & { inputs: { input: string; member: string | undefined; section: string; size: number }[]; left: { input: string; member: string | undefined; section: string; size: number }[] } {
  const packed = new RegExp(`id="${DATA_ELEMENT}">([A-Za-z0-9+/=]*)</script>`).exec(html)![1]!;
  const data = readData(inflateRawSync(Buffer.from(packed, "base64")).toString("utf8"));
  const rows = (columns: InputColumns & { size: number[] }) => {
    const [input, member, prefix, section] = [columns.input, columns.member, columns.prefix, columns.section].map(summed);
    return columns.size.map((size, i) => ({ input: data.strings[input![i]!]!, member: data.strings[member![i]!], section: data.strings[prefix![i]!]! + data.strings[section![i]!]!, size }));
  };
  return { ...data, inputs: rows(data.parts), left: rows(data.discarded) };
}

reports("--report writes sections, inputs and what was left out; the output is the same", (w) => {
  if (!wield) return;
  w.write(SOURCES).sh(`${OBJECTS} && $LD --gc-sections a.o lib.a -o plain && $LD --gc-sections a.o lib.a -o out --report=r.html && cmp plain out`);
  const { strings, sections, inputs, left, symbols } = dataOf(w.read("r.html"));
  const elf = w.elf("out");
  for (const name of [".text", ".data", ".bss"]) {
    const [, , , address, size] = sections.find(([index]) => strings[index] === name)!;
    assert.equal([BigInt(`0x${address}`), size], [BigInt(elf.section(name)!.addr), Number(elf.section(name)!.size)], name);
  }
  const text = sections.findIndex(([index]) => strings[index] === ".text");
  assert.equal(inputs.filter(({ section }) => section.startsWith(".text")), [{ input: "a.o", member: undefined, section: ".text._start", size: 19 }, { input: "lib.a", member: "f.o", section: ".text.f", size: 1 }]);
  assert.is(sections[text]![5] >= 2, true);
  assert.equal(left, [{ input: "lib.a", member: "f.o", section: ".text.unused", size: 300 }]);
  assert.equal([summed(symbols.name).map((name) => strings[name]), symbols.size], [["f"], [1]]);
  assert.not.match(w.read("r.html"), /\b(?:src|href)=|https?:/);
});

reports("--report of -r, and of symbols with the names of HTML's elements", (w) => {
  if (!wield) return;
  w.write({ "a.s": '.globl "</script><b>x"\n"</script><b>x": ret\n.size "</script><b>x", 1\n' }).sh("as a.s -o a.o && $LD -r a.o -o r.o --report=r.html --metafile=m.json");
  assert.is((JSON.parse(w.read("m.json")) as Metafile).outputs["r.o"]!.bytes, w.bytes("r.o").length);
  assert.ok(dataOf(w.read("r.html")).strings.includes("</script><b>x"));
});

reports("the file of a program with many long names is a fraction of them, and shows them demangled", (w) => {
  if (!wield) return;
  const names = Array.from({ length: 3000 }, (_, i) => `_ZN${`${"namespace".length}namespace`.repeat(3)}4name${1000 + i}Ev`.replace(/4name(\d+)/, "8name$1"));
  w.write({ "a.s": names.map((name) => `.section .text.${name},"ax"\n.globl ${name}\n.type ${name},@function\n${name}: ret\n.size ${name},1\n`).join("") });
  w.sh("as a.s -o a.o && $LD -shared a.o -o out --report=r.html");
  const { inputs, symbols, strings } = dataOf(w.read("r.html"));
  assert.is(inputs.filter(({ section }) => /^\.text\.namespace::namespace::namespace::name\d+\(\)$/.test(section)).length, names.length);
  assert.is(symbols.name.length, names.length);
  assert.is(new Set(strings).size, strings.length);
  const viewer = w.read("r.html").length - w.read("r.html").indexOf("</script>\n<style>");
  assert.ok(w.bytes("r.html").length - viewer < 2 * names.join("").length * 0.15, `${w.bytes("r.html").length} bytes, ${viewer} of them the viewer`);
});

reports("--metafile is opened by esbuild's analyser, and its sizes are those of the files", (w) => {
  if (!wield) return;
  w.write(SOURCES).sh(`${OBJECTS} && $LD --gc-sections a.o lib.a -o out --metafile=m.json`);
  const { inputs, outputs } = JSON.parse(w.read("m.json")) as Metafile;
  const out = outputs["out"]!;
  assert.is(out.bytes, w.bytes("out").length);
  assert.is(out.entryPoint, "a.o");
  assert.is(inputs["a.o"]!.bytes, w.bytes("a.o").length);
  assert.is(inputs["lib.a/f.o"]!.bytes, w.bytes("f.o").length);
  assert.equal(inputs["a.o"]!.imports.map(({ path, original }) => [path, original]), [["lib.a/f.o", "f"]]);
  assert.is(out.inputs["lib.a/f.o"]!.bytesInOutput, 1);
  for (const name of Object.keys(out.inputs)) assert.ok(name in inputs, name);
  const analysed = run(process.execPath, ["-e", 'require("esbuild").analyzeMetafile(require("fs").readFileSync(process.argv[1], "utf8")).then(console.log)', w.path("m.json")], { cwd: repoRoot() });
  contains(analysed.stdout + analysed.stderr, "a.o", "<internal>/.symtab");
});

reports("--metafile of a shared library names what it needs and what it exports", (w) => {
  if (!wield) return;
  w.write({ ...SOURCES, "n.s": ".globl needed\nneeded: ret\n" }).sh(`${OBJECTS} && as n.s -o n.o && $LD -shared n.o -o libn.so && $LD -shared f.o libn.so -o libf.so --metafile=m.json`);
  const out = (JSON.parse(w.read("m.json")) as Metafile).outputs["libf.so"]!;
  assert.equal(out.exports, ["f"]);
  assert.equal(out.imports.map(({ path, external }) => [path, external]), [["libn.so", true]]);
  assert.is(out.bytes, w.bytes("libf.so").length);
});

reports("a report that cannot be written is an error before the link", (w) => {
  if (!wield) return;
  w.write(SOURCES).sh(OBJECTS);
  for (const option of ["--report", "--metafile"]) {
    const done = w.try(`$LD a.o lib.a -o out ${option}=missing/x`);
    assert.is(done.status, 1);
    contains(done.stderr, `cannot open ${option} file missing/x`);
  }
});

const pages = suite("layout page in a browser");
const missing = needBrowser() || need("as");
if (missing === "") {
  pages("the page draws the layout, and zooms with the keyboard", async () => {
    if (!wield) return;
    const w = new Workspace("layout-page");
    w.write(SOURCES).sh(`${OBJECTS} && $LD --gc-sections a.o lib.a -o out --report=r.html`);
    const browser = await openBrowser();
    try {
      const page = await browser.newPage();
      const trouble: string[] = [];
      page.on("pageerror", (error) => void trouble.push(error.message));
      await page.goto(pathToFileURL(w.path("r.html")).href);
      await page.waitForFunction("document.querySelectorAll('.map-box').length > 3", undefined, { timeout: 30_000 });
      assert.match(await page.evaluate<string>("document.querySelector('summary').textContent"), /1 sections?, 300 B, were left out/);
      const crumbs = (): Promise<string> => page.evaluate<string>("[...document.querySelectorAll('.map-crumb')].map((crumb) => crumb.textContent).join(' ')");
      await page.evaluate("[...document.querySelectorAll('.map-box')].find((box) => box.ariaLabel.startsWith('.bss')).click()");
      assert.match(await crumbs(), /^out LOAD rw- \.bss|^out LOAD rw-/);
      await page.evaluate("document.querySelector('#map').dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))");
      await page.evaluate("document.querySelector('#map').dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))");
      assert.is(await crumbs(), "out");
      assert.equal(trouble, []);
    } finally {
      await browser.close();
    }
  });
} else {
  console.log(`skipped: layout page: the page draws the layout (${missing})`);
  pages.skip("the page draws the layout, and zooms with the keyboard", () => {});
}

reports.run();
pages.run();
