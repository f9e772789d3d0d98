/** The playground without a mouse and without eyes: names, focus, live regions, and contrast for those who see little. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { closeBrowser, missing, state, withPage, type FullPage } from "../helpers/playground.ts";

const test = suite("playground/accessibility");

function check(name: string, body: (page: FullPage) => Promise<void>): void {
  if (missing === "") return void test(name, () => withPage(false, body));
  console.log(`skipped: playground/accessibility: ${name} (${missing})`);
  test.skip(name, () => {});
}

interface AxNode {
  ignored: boolean;
  role?: { value: string };
  name?: { value: string };
}

/** What a screen reader is told: "role: name". */
async function told(page: FullPage): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send<{ nodes: AxNode[] }>("Accessibility.getFullAXTree");
  return nodes.filter(({ ignored }) => !ignored).map(({ role, name }) => `${role?.value}: ${name?.value ?? ""}`);
}

const NEEDS_NAME = /^(?:button|checkbox|combobox|form|grid|group|link|log|searchbox|tab|tablist|tabpanel|table|textbox): $/;

/** The focused element: what it is, and whether one sees that it is focused. "" = none. */
const focused = (page: FullPage): Promise<string> => page.evaluate(`(() => {
  const at = document.activeElement;
  if (at === null || at === document.body) return "";
  const rings = [at, at.closest(".prompt")].filter((each) => each !== null).map((each) => getComputedStyle(each));
  const frame = at.closest(".sheet") === null ? null : getComputedStyle(at.closest(".sheet"), "::after");
  const seen = rings.some((style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) || (frame !== null && frame.content !== "none" && parseFloat(frame.borderTopWidth) >= 2);
  return (seen ? "" : "unseen ") + (at.id || at.className || at.tagName).toString().split(" ")[0];
})()`);

/** Texts with less than 4.5:1 to what is under them (WCAG 2.2, 1.4.3); disabled buttons are excepted. */
const TOO_PALE = `(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const colour = (css) => (canvas.clearRect(0, 0, 1, 1), (canvas.fillStyle = css), canvas.fillRect(0, 0, 1, 1), [...canvas.getImageData(0, 0, 1, 1).data].map((part) => part / 255));
  const over = ([r, g, b, a], under) => [r, g, b].map((part, i) => part * a + under[i] * (1 - a));
  const light = (part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  const pale = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    if (data.trim() === "" || parentElement.closest("noscript, script, option, :disabled, .heard") !== null) continue;
    const outward = [];
    for (let at = parentElement; at !== null; at = at.parentElement) outward.push(getComputedStyle(at));
    let ground = [1, 1, 1];
    let opacity = 1;
    for (const style of outward.reverse()) {
      ground = over(colour(style.backgroundColor), ground);
      opacity *= Number(style.opacity);
    }
    const [r, g, b, a] = colour(getComputedStyle(parentElement).color);
    const two = [luminance(over([r, g, b, a * opacity], ground)), luminance(ground)];
    const ratio = (Math.max(...two) + 0.05) / (Math.min(...two) + 0.05);
    if (ratio < 4.5) pale.push(ratio.toFixed(2) + " " + data.trim().slice(0, 40));
  }
  return pale;
})()`;

check("Tab goes through the page in its order, visibly, and out of the editor after Escape", async (page) => {
  const stops: string[] = [];
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press("Tab");
    const stop = await focused(page);
    if (stop === "") break;
    assert.not.match(stop, /^unseen/);
    stops.push(stop);
    if (stop === "cm-content") await page.keyboard.press("Escape");
  }
  const text = stops.join(" ");
  assert.match(text, /^SELECT button button mono .*remove file file cm-content messages tab-layout map-crumb map-box A$/);
  assert.is(await page.evaluate<string>("document.getElementById(document.querySelector('.cm-content').getAttribute('aria-describedby')).textContent"), "Esc, then Tab: leave the editor");
});

check("the keyboard stays where a link, a box of the map or a removed file leads", async (page) => {
  await page.press("#tab-layout", "ArrowRight");
  // Down to a symbol with something to follow.
  const link = "document.querySelector('[role=tabpanel] .link') !== null";
  for (let i = 0; i < 20 && !(await page.evaluate<boolean>(link)); i++) await page.press(".grid", "ArrowDown");
  for (let i = 0; i < 20 && !(await focused(page)).startsWith("link"); i++) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForFunction("document.activeElement?.classList.contains('grid') && document.activeElement.getAttribute('aria-activedescendant') !== null");
  await page.press('button[aria-label="Remove main.s"]', "Enter");
  await page.waitForFunction("document.activeElement?.getAttribute('aria-label') === 'Remove crt1.o'");
});

check("every control and every region in every view has a name; results are told", async (page) => {
  for (const view of ["layout", "symbols", "relocations", "dropped", "objects", "passes"]) {
    await page.click(`#tab-${view}`);
    if (await page.evaluate<boolean>("document.querySelector('.grid') !== null")) await page.press(".grid", "ArrowDown");
    const all = await told(page);
    assert.equal(all.filter((each) => NEEDS_NAME.test(each)), [], view);
    if (view === "symbols") assert.match(all.join("\n"), /^tab: Symbols \d+$/m);
  }
  await page.fill(".prompt textarea", "ld -o hello crt1.o");
  await state(page, "failed");
  assert.match(await page.textContent('[role="log"]'), /undefined symbol: main/);
  assert.match(await page.textContent('[role="status"]'), /^\d+ errors?$/);
});

check("text can be read in light and in dark, also when the link failed", async (page) => {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const view of ["layout", "symbols", "relocations", "dropped", "objects", "passes"]) {
      await page.click(`#tab-${view}`);
      if (await page.evaluate<boolean>("document.querySelector('.grid') !== null")) await page.press(".grid", "ArrowDown");
      assert.equal(await page.evaluate<string[]>(TOO_PALE), [], `${colorScheme}, ${view}`);
    }
    const line = await page.inputValue(".prompt textarea");
    await page.fill(".prompt textarea", "ld -static -o hello crt1.o");
    await state(page, "failed");
    assert.equal(await page.evaluate<string[]>(TOO_PALE), [], `${colorScheme}, failed`);
    await page.fill(".prompt textarea", line);
    await state(page, "ok");
  }
});

test.after(closeBrowser);

test.run();
