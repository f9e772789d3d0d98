/**
 * The playground in headless Chromium: examples, edits, the form, the tables, downloads that run here; isolated and not, and
 * without a network.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { archive, ObjectBuilder } from "../helpers/object.ts";
import { closeBrowser, missing, state, withPage, type FullPage } from "../helpers/playground.ts";
import { temporaryFolder } from "../helpers/tools.ts";

const test = suite("playground/page");

/** An example, linked. */
async function open(page: FullPage, id: string, name: "ok" | "failed"): Promise<void> {
  await page.selectOption(".example select", id);
  await state(page, name);
}

/** Downloads the executable and runs it. */
async function downloaded(page: FullPage): Promise<{ status: number | null; stdout: string; trouble: string }> {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("header .primary")]);
  const file = path.join(temporaryFolder("page"), download.suggestedFilename());
  await download.saveAs(file);
  fs.chmodSync(file, 0o755);
  const { status, stdout, error, stderr } = spawnSync(file, { encoding: "utf8" });
  return { status, stdout, trouble: String(error ?? stderr) };
}

async function runs(page: FullPage): Promise<string> {
  const { status, stdout, trouble } = await downloaded(page);
  assert.is(status, 0, trouble);
  return stdout;
}

function check(name: string, isolated: boolean, body: (page: FullPage) => Promise<void>): void {
  if (missing === "") return void test(name, () => withPage(isolated, body));
  console.log(`skipped: playground/page: ${name} (${missing})`);
  test.skip(name, () => {});
}

for (const isolated of [true, false]) {
  const suffix = isolated ? "isolated" : "not isolated";
  check(`the first example is linked, says how it runs, and its download runs here (${suffix})`, isolated, async (page) => {
    assert.match(await page.textContent("footer .isolation"), isolated ? /^isolated/ : /^not isolated, one thread/);
    assert.is(await runs(page), "Hello from the editor, linked by wield\n".repeat(3));
    assert.ok(await page.evaluate<boolean>("document.querySelectorAll('.map-box').length > 10"));
  });
}

check("an edit that makes an undefined symbol is shown at its line, with a hint, and can be undone", false, async (page) => {
  const text = (): Promise<string> => page.textContent(".cm-content");
  const before = await text();
  await page.click(".cm-content");
  await page.press(".cm-content", "Control+End");
  await page.keyboard.type("        call    fputz");
  await state(page, "failed");
  await page.waitForSelector(".cm-lintRange-error");
  const line = await page.evaluate<number>("[...document.querySelectorAll('.cm-line')].findIndex((line) => line.textContent.includes('fputz')) + 1");
  assert.is(await page.textContent(".messages .link"), `main.s:${line}`);
  assert.match(await page.textContent(".messages"), /undefined symbol: fputz[^]*did you mean: fputc/);
  assert.match(await page.textContent(".cm-lintRange-error"), /call\s+fputz/);
  for (let i = 0; i < 20 && (await text()) !== before; i++) await page.press(".cm-content", "Control+z");
  await state(page, "ok");
  assert.is(await runs(page), "Hello from the editor, linked by wield\n".repeat(3));
});

check("a line that cannot be assembled counts as an error, and the program without it is not offered", false, async (page) => {
  await page.click(".cm-content");
  await page.press(".cm-content", "Control+End");
  await page.keyboard.type("        mov     %raxx, %rbx");
  await state(page, "failed");
  assert.is(await page.textContent("footer .state"), "1 error");
  assert.match(await page.textContent(".messages"), /Unknown register/);
  assert.ok(await page.evaluate<boolean>("document.querySelector('header .primary').disabled"));
});

check("examples are found as they were left, by arrow keys too, and can be started over", false, async (page) => {
  await page.click(".cm-content");
  await page.press(".cm-content", "Control+End");
  await page.keyboard.type("        call    fputz");
  await state(page, "failed");
  const example = (id: string): Promise<unknown> => page.waitForFunction(`document.querySelector(".example select").value === ${JSON.stringify(id)} && document.querySelector(".about").textContent === document.querySelector(".example option:checked").title`);
  for (const key of ["ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp"]) await page.press(".example select", key);
  await example("puts");
  await page.waitForFunction("document.querySelector('.cm-content').textContent.includes('fputz')");
  await state(page, "failed");
  await page.click("header .example + .button");
  await state(page, "ok");
  assert.is(await page.evaluate<boolean>("document.querySelector('.cm-content').textContent.includes('fputz') || document.querySelector('header .example + .button') !== null"), false);
});

check("every example does what it says", true, async (page) => {
  await open(page, "syscalls", "ok");
  assert.is(await runs(page), "Hello, kernel\n");
  await open(page, "mandelbrot", "ok");
  assert.match(await runs(page), /@@@@/);
  await open(page, "typo", "failed");
  assert.match(await page.textContent(".messages"), /main\.s:12[^]*did you mean: print_greeting/);
  await open(page, "two", "ok");
  assert.is(await runs(page), "1\n2\n3\n4\n5\n");
});

check("the form and the command line follow each other", false, async (page) => {
  const line = (): Promise<string> => page.inputValue(".prompt textarea");
  await page.click('.choices label[title^="--gc-sections"] input');
  assert.not.match(await line(), /gc-sections/);
  await page.selectOption('.choices label[title^="--icf"] select', "2");
  assert.match(await line(), /--icf=all/);
  await page.fill(".prompt textarea", "ld -static --gc-sections -s -o tiny crt1.o crti.o main.o libc.a crtn.o");
  await page.waitForFunction("document.querySelector('header .primary').textContent.includes('tiny')");
  assert.ok(await page.evaluate<boolean>("document.querySelector('.choices label[title^=\"--gc\"] input').checked"));
  await state(page, "ok");
  assert.is(await runs(page), "Hello from the editor, linked by wield\n".repeat(3));
  for (const kind of ["0", "1", "2", "3", "4"]) {
    await page.selectOption('.choices label[title="What is made"] select', kind);
    const words = JSON.stringify(await line());
    await page.waitForFunction(`document.querySelector(".prompt textarea").value === ${words} && /^(ok|failed)$/.test(document.querySelector("footer").dataset.state)`);
  }
  await page.fill(".prompt textarea", "ld --gc-sectoins main.o");
  await state(page, "failed");
  assert.match(await page.textContent(".messages"), /unknown argument '--gc-sectoins'[^]*--gc-sections/);
});

check("symbols, relocations, dropped sections and passes can be looked at, with the keyboard", false, async (page) => {
  await page.press("#tab-layout", "ArrowRight");
  await page.fill('input[type="search"]', "puts");
  await page.press(".grid", "ArrowDown");
  assert.is(await page.textContent(".details h2"), "puts");
  assert.match(await page.textContent(".details"), /Referred to by.*main\.o[^]*Why it is there.*main\.o:\(\.text\)[^]*entry point[^]*puts\.lo is in the link because main\.o refers to puts/);
  await page.click(".details .links .link");
  await page.waitForSelector("#tab-relocations[aria-selected=true]");
  const field = await page.evaluate<string[]>("[...document.querySelectorAll('.details .bytes')].map((bytes) => [...bytes.querySelectorAll('.field')].map((byte) => byte.textContent).join(' '))");
  assert.is(field[0], "00 00 00 00");
  assert.not.equal(field[1], field[0]);
  await page.click("#tab-dropped");
  await page.click(".row");
  assert.match(await page.textContent(".details"), /:\(/);
  await page.click("#tab-passes");
  assert.match(await page.textContent(".bars"), /resolve-symbols/);
});

/** As if files were let go over the page. */
async function drop(page: FullPage, name: string, contents: Uint8Array): Promise<void> {
  await page.evaluate(`(() => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(atob(${JSON.stringify(Buffer.from(contents).toString("base64"))}), (c) => c.charCodeAt(0))], ${JSON.stringify(name)}));
    document.querySelector(".app").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  })()`);
}

/** An object with a function that returns 42. */
function functionObject(): Uint8Array {
  const object = new ObjectBuilder();
  const text = object.text([0xb8, 42, 0, 0, 0, 0xc3]);
  object.symbol("answer", { in: text, type: 2, size: 6 });
  return object.bytes();
}

const answerLibrary = (): Uint8Array => archive([{ name: "answer.o", data: functionObject(), symbols: ["answer"] }]);

check("dropped assembly and archives join the link", false, async (page) => {
  await page.fill(".prompt textarea", "ld -static --gc-sections -o hello crt1.o crti.o libc.a crtn.o");
  await drop(page, "second.s", Buffer.from("        .globl  main\n        .text\nmain:   call    answer\n        ret\n"));
  await page.waitForFunction("document.querySelector('.prompt textarea').value.includes('second.o')");
  await page.waitForFunction("document.querySelector('.messages').textContent.includes('second.s:3')");
  assert.match(await page.textContent(".messages"), /undefined symbol: answer/);
  await drop(page, "libanswer.a", answerLibrary());
  await page.waitForFunction("document.querySelector('.prompt textarea').value.includes('libanswer.a')");
  await state(page, "ok");
  assert.is((await downloaded(page)).status, 42);
});

check("files that are no inputs are answered with what to do, and can be taken away again", false, async (page) => {
  const line = await page.inputValue(".prompt textarea");
  await drop(page, "notes.txt", Buffer.from("hello"));
  await page.waitForFunction("document.querySelector('.messages').textContent.includes('notes.txt is neither an object nor an archive')");
  await drop(page, "prog.c", Buffer.from("int main(void) { return 0; }"));
  await page.waitForFunction("document.querySelector('.messages').textContent.includes('gcc -O1 -c prog.c')");
  assert.is(await page.inputValue(".prompt textarea"), line);
  await drop(page, "text.o", Buffer.from("no object at all"));
  await page.waitForFunction("document.querySelector('.messages').textContent.includes('text.o is neither')");
  await state(page, "failed");
  await page.click('button[aria-label="Remove text.o"]');
  await state(page, "ok");
  await drop(page, "empty.o", new Uint8Array());
  await page.waitForFunction("document.querySelector('.messages').textContent.includes('empty.o is empty.')");
  await page.click('button[aria-label="Remove empty.o"]');
  await drop(page, "win.obj", Uint8Array.from([0x64, 0x86, 3, 0, 1, 2, 3, 4]));
  await page.waitForFunction("document.querySelector('.messages').textContent.includes('win.obj is a COFF object (Windows): this linker takes')");
  await drop(page, "prog.bc", Buffer.from("BC\xc0\xde5\x14\0\0", "latin1"));
  await page.waitForFunction("document.querySelector('.messages').textContent.includes('prog.bc is LLVM bitcode, and there is no compiler in this page')");
  await state(page, "failed");
  await page.click('button[aria-label="Remove prog.bc"]');
  await state(page, "ok");
  await drop(page, "big.s", Buffer.alloc(1_000_001, "nop\n"));
  await page.waitForFunction("document.querySelector('.messages').textContent.includes('big.s has 1.0 MB, too much to be assembled in this page')");
  assert.is(await page.inputValue(".prompt textarea"), line);
  const machine = functionObject();
  machine[18] = 183;
  await drop(page, "arm.o", machine);
  await page.waitForFunction("document.querySelector('.messages').textContent.includes('arm.o is incompatible with elf_x86_64')");
  await page.click('button[aria-label="Remove arm.o"]');
  await state(page, "ok");
});

check("an object shows its sections and its symbols; the downloaded program says how it is run", false, async (page) => {
  await page.click("#tab-objects");
  await page.fill('input[type="search"]', "puts.lo");
  await page.press(".grid", "ArrowDown");
  assert.match(await page.textContent(".details"), /libc\.a\(puts\.lo\).*because main\.o refers to puts.*\.text\.puts/);
  await page.click(".details .link");
  await page.waitForSelector("#tab-symbols[aria-selected=true]");
  assert.is(await page.inputValue('input[type="search"]'), "libc.a(puts.lo)");
  await page.waitForFunction("document.querySelector('.row').textContent.startsWith('puts')");
  await runs(page);
  assert.match(await page.textContent(".messages"), /chmod \+x hello && \.\/hello/);
});

check("the page works without a network once it was loaded", true, async (page) => {
  await page.waitForFunction("navigator.serviceWorker.ready.then(() => caches.keys()).then((names) => names.length > 0)", undefined, { timeout: 60_000 });
  await page.waitForFunction("navigator.serviceWorker.controller !== null");
  await page.context().setOffline(true);
  await page.reload();
  await state(page, "ok");
  await open(page, "mandelbrot", "ok");
  assert.match(await page.textContent("footer .isolation"), /^isolated/);
});

test.after(closeBrowser);

test.run();
