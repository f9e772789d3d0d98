/**
 * The linker under test, and the small vocabulary of the end-to-end tests: a suite, a folder of sources, bash commands, assertions on ELF.
 *
 * Not for unit tests of passes. The surprising choice: WIELD_TEST_LD may name another linker (a program, or a folder with an `ld` in it),
 * so that the tests themselves are checked against ld.bfd and ld.lld; tests say which assertions are about wield alone.
 *
 * Commands see: $B a folder for `gcc -B$B`, $LD the linker, $CLANG and $CLANGXX.
 */

import * as fs from "node:fs";
import * as path from "node:path";
import { suite as uvuSuite } from "uvu";
import * as assert from "uvu/assert";
import { ElfFile } from "./dump.ts";
import { need } from "./skip.ts";
import { type Result, repoRoot, run, temporaryFolder, tool } from "./tools.ts";
import { verifyElf } from "./verify.ts";

/** The folder to give to `gcc -B`: it holds `ld`. */
const driverDir = driver();
/** The linker under test. */
export const ld = path.join(driverDir, "ld");
/** "wield", or "lld" / "bfd" / "mold" / "gold" when WIELD_TEST_LD points there. */
export const linkerName = identify();

function driver(): string {
  const given = process.env.WIELD_TEST_LD;
  if (!given) return path.join(repoRoot(), "dist", "driver");
  if (fs.statSync(given).isDirectory()) return path.resolve(given);
  const dir = temporaryFolder("driver");
  fs.writeFileSync(path.join(dir, "ld"), `#!/bin/sh\nexec ${path.resolve(given)} "$@"\n`, { mode: 0o755 });
  return dir;
}

function identify(): string {
  if (!process.env.WIELD_TEST_LD) return "wield";
  const version = run(ld, ["--version"]).stdout;
  if (/wield/i.test(version)) return "wield";
  if (/LLD/.test(version)) return "lld";
  if (/mold/.test(version)) return "mold";
  return /gold/.test(version) ? "gold" : "bfd";
}

export class Workspace {
  readonly dir: string;
  constructor(name: string) {
    this.dir = temporaryFolder(name);
  }

  path(name: string): string {
    return path.join(this.dir, name);
  }

  /** Writes files: text as latin1, one char per byte. */
  write(files: Record<string, string | Uint8Array>): this {
    for (const [name, data] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(this.path(name)), { recursive: true });
      fs.writeFileSync(this.path(name), typeof data === "string" ? Buffer.from(data, "latin1") : data);
    }
    return this;
  }

  bytes(name: string): Uint8Array {
    return fs.readFileSync(this.path(name));
  }

  read(name: string): string {
    return fs.readFileSync(this.path(name), "latin1");
  }

  exists(name: string): boolean {
    return fs.existsSync(this.path(name));
  }

  /** Runs bash text in the folder; any exit status is returned. */
  try(script: string, timeout = 120_000): Result {
    return run("bash", ["-e", "-o", "pipefail", "-c", script], {
      cwd: this.dir,
      timeout,
      env: { B: driverDir, LD: ld, CLANG: tool("clang"), CLANGXX: tool("clang++"), NODE_OPTIONS: "" },
    });
  }

  /** Runs bash text that must succeed and returns its standard output. */
  sh(script: string, timeout?: number): string {
    const done = this.try(script, timeout);
    if (done.status !== 0) {
      throw new Error(`status ${done.status ?? done.signal} from: ${script.slice(0, 600)}\n${done.stderr.slice(0, 3000)}${done.stdout.slice(0, 1000)}`);
    }
    return done.stdout;
  }

  /** Runs bash text that must fail cleanly (status 1, no signal, no trace of a crash) and returns its standard error. */
  fails(script: string): string {
    const done = this.try(script);
    const shown = `${script.slice(0, 600)}\n${done.stderr.slice(0, 3000)}`;
    if (done.status !== 1) throw new Error(`expected status 1, got ${done.status ?? done.signal} from: ${shown}`);
    if (/internal error|\n\s+at .*\.[jt]s:\d+|RuntimeError|unreachable/.test(done.stderr)) throw new Error(`crash: ${shown}`);
    return done.stderr;
  }

  /** Reads an output of the linker and checks everything that must hold for any ELF file. */
  elf(name: string): ElfFile {
    const bytes = this.bytes(name);
    const problems = verifyElf(bytes);
    if (problems.length > 0) throw new Error(`${name} is not well-formed:\n  ${problems.slice(0, 20).join("\n  ")}`);
    return new ElfFile(bytes);
  }
}

type TestBody = (w: Workspace) => void | Promise<void>;

export interface Suite {
  /** Registers a test; tools beside gcc that it needs come third. */
  (name: string, body: TestBody, ...tools: string[]): void;
  run(): void;
}

/** A group of tests of one behaviour, each with its own folder. Tests whose tools are missing are counted as skipped. */
export function behaviour(name: string, ...tools: string[]): Suite {
  const inner = uvuSuite(name);
  const only = process.env.WIELD_TEST_ONLY;
  const register = (title: string, body: TestBody, ...more: string[]): void => {
    if (only && !title.includes(only)) return;
    const reason = need("gcc", ...tools, ...more);
    if (reason !== "") {
      console.log(`skipped: ${name}: ${title} (${reason})`);
      inner.skip(title, () => {});
      return;
    }
    inner(title, async () => {
      await body(new Workspace(`${name}-${title}`));
    });
  };
  return Object.assign(register, { run: () => inner.run() });
}

/** Asserts that `text` holds each of `parts` (strings, or patterns). */
export function contains(text: string, ...parts: (string | RegExp)[]): void {
  for (const part of parts) {
    const hit = typeof part === "string" ? text.includes(part) : part.test(text);
    if (!hit) throw new Error(`expected ${part instanceof RegExp ? part : JSON.stringify(part)} in:\n${text.slice(0, 3000)}`);
  }
}

/** Asserts that `text` holds none of `parts`. */
export function lacks(text: string, ...parts: (string | RegExp)[]): void {
  for (const part of parts) {
    const hit = typeof part === "string" ? text.includes(part) : part.test(text);
    if (hit) throw new Error(`unexpected ${part instanceof RegExp ? part : JSON.stringify(part)} in:\n${text.slice(0, 3000)}`);
  }
}

export { assert };
