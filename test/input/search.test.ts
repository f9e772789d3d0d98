import { suite } from "uvu";
import * as assert from "uvu/assert";
import { joinPath, parentOf, Search } from "../../ts/input/search.ts";

const test = suite("search");

function search(files: string[], libraryPaths: string[], sysroot = "", noStdlib = true): Search {
  return new Search({ emulation: "", libraryPaths, noStdlib, sysroot }, (path) => files.includes(path));
}

function found(s: Search, name: string, isStatic = false, refuse: string[] = []): string {
  let path = "";
  s.library(name, isStatic, (candidate) => {
    if (refuse.includes(candidate)) return false;
    path = candidate;
    return true;
  });
  return path;
}

test("takes the shared object before the archive, directory by directory", () => {
  const s = search(["/a/libx.a", "/b/libx.so", "/b/libx.a"], ["/a", "/b/"]);
  assert.is(found(s, "x"), "/a/libx.a");
  assert.is(found(search(["/b/libx.so", "/b/libx.a"], ["/a", "/b/"]), "x"), "/b/libx.so");
  assert.is(found(s, "y"), "");
});

test("offers no shared object under -Bstatic", () => {
  const s = search(["/a/libx.so", "/b/libx.a"], ["/a", "/b"]);
  assert.is(found(s, "x", true), "/b/libx.a");
});

test("-l: searches an exact name", () => {
  assert.is(found(search(["/b/libx.so.1"], ["/a", "/b"]), ":libx.so.1"), "/b/libx.so.1");
});

test("goes on behind a file that does not suit", () => {
  const s = search(["/a/libx.so", "/a/libx.a", "/b/libx.so"], ["/a", "/b"]);
  assert.is(found(s, "x", false, ["/a/libx.so"]), "/a/libx.a");
  assert.is(found(s, "x", false, ["/a/libx.so", "/a/libx.a"]), "/b/libx.so");
});

test("reads a folder where many names were looked for in vain, and believes it but for case", () => {
  const files = ["/a/libx.a", "/b/LIBc.a", "/b/sub/y.a"];
  let [questions, reads] = [0, 0];
  const exists = (path: string): boolean => (questions++, files.some((file) => file.toLowerCase() === path.toLowerCase()));
  const names: Record<string, string[]> = { "/a": ["libx.a"], "/b": ["LIBc.a", "sub"] };
  const s = new Search({ emulation: "", libraryPaths: ["/a", "/b", "/locked"], noStdlib: true, sysroot: "" }, exists, (folder) => (reads++, names[folder]));
  for (let i = 0; i < 1000; i++) assert.is(found(s, `none${i}`), "");
  assert.is(reads, 3);
  assert.ok(questions < 2500, `${questions} questions`);
  assert.is(found(s, "x"), "/a/libx.a");
  assert.is(found(s, "c"), "/b/libc.a");
  assert.is(found(s, ":sub/y.a"), "/b/sub/y.a");
});

test("replaces = and $SYSROOT in -L", () => {
  assert.equal(search([], ["=/lib", "$SYSROOT/usr/lib", "/lib"], "/root").folders, ["/root/lib", "/root/usr/lib", "/lib"]);
});

test("searches the system's directories last, in the sysroot, unless -nostdlib", () => {
  const files = ["/root/usr/lib/libx.so", "/own/libx.a"];
  assert.is(found(search(files, ["/own"], "/root", false), "x"), "/own/libx.a");
  assert.is(found(search(files, [], "/root", false), "x"), "/root/usr/lib/libx.so");
  assert.is(found(search(files, [], "/root", true), "x"), "");
});

test("an absolute name in a script is in the sysroot when the script is", () => {
  const files = ["/root/lib/libc.so.6", "/lib/libc.so.6"];
  const s = search(files, [], "/root/");
  assert.is(s.fileOfScript("/lib/libc.so.6", "/root/usr/lib/libc.so"), "/root/lib/libc.so.6");
  assert.is(s.fileOfScript("/lib/libc.so.6", "/usr/lib/libc.so"), "/lib/libc.so.6");
  assert.is(s.fileOfScript("/lib/libc.so.6", "/rooted/libc.so"), "/lib/libc.so.6");
  assert.is(s.fileOfScript("/lib/none", "/usr/lib/libc.so"), "/lib/none");
  assert.is(s.fileOfScript("/lib/none", "/root/usr/lib/libc.so"), "");
  assert.is(s.sysrootOf("/root/usr/lib/libc.so", "/lib/none"), "/root");
});

test("a relative name in a script is beside it, here, or along -L", () => {
  assert.is(search(["s/x.so.1", "x.so.1", "/l/x.so.1"], ["/l"]).fileOfScript("x.so.1", "s/x.so"), "s/x.so.1");
  assert.is(search(["x.so.1", "/l/x.so.1"], ["/l"]).fileOfScript("x.so.1", "s/x.so"), "x.so.1");
  assert.is(search(["/l/x.so.1"], ["/l"]).fileOfScript("x.so.1", "s/x.so"), "/l/x.so.1");
  assert.is(search(["/root/x"], [], "/root").fileOfScript("=/x", "s/x.so"), "/root/x");
});

test("joins and splits paths", () => {
  assert.is(joinPath("a", "b"), "a/b");
  assert.is(joinPath("a/", "b"), "a/b");
  assert.is(joinPath("", "b"), "b");
  assert.is(parentOf("/x"), "/");
  assert.is(parentOf("x"), "");
  assert.is(parentOf("a/b/c"), "a/b");
});

test.run();
