/**
 * --run: a command whose compilers find this linker under the names of the others.
 *
 * A folder with those names stands first in PATH, where people and clang look, and in COMPILER_PATH, where gcc and clang look before
 * that. Nothing is loaded into other programs, so a linker that is called by its whole path stays what it is.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import type { ByteString } from "../args/link-options.ts";
import { hostError } from "./errno.ts";

const NAMES = ["", "x86_64-linux-gnu-", "x86_64-pc-linux-gnu-"].flatMap((prefix) => ["ld", "ld.bfd", "ld.gold", "ld.lld", "ld.mold", "ld.wild", "ld.wield"].map((name) => prefix + name));

/** `home`: the folder of the program; `self`: what starts it otherwise. */
export function runCommand(home: string, self: readonly string[], environment: NodeJS.ProcessEnv, args: readonly ByteString[]): number {
  const folder = mkdtempSync(`${tmpdir()}/wield-run-`);
  try {
    for (const name of NAMES) install(home, self, `${folder}/${name}`);
    const env = { ...environment };
    for (const name of ["PATH", "COMPILER_PATH"]) env[name] = env[name] ? `${folder}:${env[name]}` : folder;
    const text = (bytes: ByteString): string => Buffer.from(bytes, "latin1").toString("utf8");
    const [program, ...rest] = args.map(text);
    const done = spawnSync(program!, rest, { stdio: "inherit", env });
    if (done.error !== undefined) throw hostError(done.error);
    return done.status ?? 128 + constants.signals[done.signal!];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function install(home: string, self: readonly string[], path: string): void {
  const driver = `${home}/driver/ld`;
  const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
  if (existsSync(driver)) symlinkSync(driver, path);
  else writeFileSync(path, `#!/bin/sh\nexec ${self.map(quoted).join(" ")} "$@"\n`, { mode: 0o755 });
}
