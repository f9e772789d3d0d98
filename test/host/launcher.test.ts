/** dist/driver/ld, as a program and as a shell script: what reaches cli.cjs. */
import * as fs from "node:fs";
import * as path from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { nativeLauncher, shellLauncher } from "../../build/launcher/launcher.ts";
import { repoRoot, run, temporaryFolder, type Result } from "../helpers/tools.ts";

const test = suite("host/launcher");
const object = path.join(repoRoot(), "build/launcher/launcher.o");
const ld = path.join(repoRoot(), "dist/driver/ld");

/** A dist/ whose cli.cjs prints what it is given; `launcher` is driver/ld there. */
function fakeDist(launcher: string | Uint8Array): string {
  const folder = temporaryFolder("launcher");
  fs.mkdirSync(path.join(folder, "dist/driver"), { recursive: true });
  fs.writeFileSync(path.join(folder, "dist/cli.cjs"), `
    const { WIELD_CALLED, NODE_OPTIONS, NODE_EXTRA_CA_CERTS, NODE_ENV, LAST } = process.env;
    const words = require("fs").readFileSync("/proc/self/cmdline", "latin1").split("\\0").slice(0, -1);
    console.log(JSON.stringify([WIELD_CALLED, NODE_OPTIONS, NODE_EXTRA_CA_CERTS, NODE_ENV, LAST, process.execArgv, words.slice(-process.argv.length + 2), require("fs").realpathSync(process.argv[1])]));`);
  fs.writeFileSync(path.join(folder, "dist/driver/ld"), launcher, { mode: 0o755 });
  return folder;
}

const flags = ["--no-sparkplug", "--v8-pool-size=1"];
const native = (node?: string): Uint8Array => nativeLauncher(flags, object, ld, temporaryFolder("native"), node);

const KINDS: [string, (node?: string) => string | Uint8Array][] = [["program", native], ["shell script", (node) => shellLauncher(flags, node)]];
if (process.platform !== "linux" || process.arch !== "x64") KINDS.shift();

for (const [kind, launcher] of KINDS) {
  const said = (done: Result): unknown => (assert.equal([done.status, done.stderr], [0, ""], done.command), JSON.parse(done.stdout));
  // Bytes that are no text, and words that a shell would take apart.
  const words = ["-o", "a b", "$HOME", "", "*", "'"];

  test(`${kind}: words, flags and name arrive, Node's environment does not`, () => {
    const folder = fakeDist(launcher());
    const cli = path.join(folder, "dist/cli.cjs");
    const env = { NODE_OPTIONS: "--require=./nothing.cjs", NODE_EXTRA_CA_CERTS: "nothing", NODE_ENV: "test", WIELD_CALLED: "x", LAST: "1" };
    const expected = (called: string) => [called, null, null, "test", "1", flags, words, cli];
    assert.equal(said(run(path.join(folder, "dist/driver/ld"), words, { env })), expected("ld"));
    assert.equal(said(run("./ld", words, { env, cwd: path.join(folder, "dist/driver") })), expected("ld"));
    fs.symlinkSync("dist/driver/ld", path.join(folder, "ld.lld"));
    assert.equal(said(run(path.join(folder, "ld.lld"), words, { env })), expected("ld.lld"));
    assert.equal(said(run("ld.lld", words, { env: { ...env, PATH: `${folder}:${process.env["PATH"]}` } })), expected("ld.lld"));
    assert.equal(said(run("bash", ["-c", `exec -a other "$0" "$@"`, "./ld.lld", ...words], { env, cwd: folder })), expected("ld.lld"));
    const bytes = run("bash", ["-c", `./dist/driver/ld $'\\xff\\xfe'`], { cwd: folder });
    assert.equal((said(bytes) as unknown[])[6], ["\xff\xfe".replace(/[^]/g, (byte) => Buffer.from(byte, "utf8").toString("latin1"))]);
  });

  test(`${kind}: many words`, () => {
    const folder = fakeDist(launcher());
    const done = run("bash", ["-c", `./dist/driver/ld $(seq 100000)`], { cwd: folder });
    assert.equal((said(done) as unknown[])[6], Array.from({ length: 100_000 }, (_, i) => String(i + 1)));
  });

  test(`${kind}: where its Node is gone, that on PATH is taken`, () => {
    const folder = fakeDist(launcher("/no/node"));
    const PATH = `${path.dirname(process.execPath)}:${process.env["PATH"]}`;
    assert.equal(said(run(path.join(folder, "dist/driver/ld"), words, { env: { PATH, NODE_ENV: "", LAST: "1" } })), ["ld", null, null, "", "1", [], words, path.join(folder, "dist/cli.cjs")]);
    const without = run(path.join(folder, "dist/driver/ld"), words, { env: { PATH: "/no" } });
    assert.is(without.status, 127);
    assert.match(without.stderr, /node: not found/);
  });
}

test("the object is what its source says", () => {
  const folder = temporaryFolder("assembled");
  const made = run("as", ["-o", path.join(folder, "launcher.o"), path.join(repoRoot(), "build/launcher/launcher.s")]);
  assert.is(made.status, 0, made.stderr);
  const sections = (file: string): string[] => [".text", ".rodata", ".data", ".rela.text"].map((name) => run("readelf", ["-x", name, file]).stdout);
  assert.equal(sections(object), sections(path.join(folder, "launcher.o")));
});

test.run();
