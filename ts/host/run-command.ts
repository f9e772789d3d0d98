/**
 * --run: a command whose compilers find this linker under the names of the others.
 *
 * A folder with those names stands first in PATH, where people and clang look, and in COMPILER_PATH, where gcc and clang look before
 * that. Nothing is loaded into other programs, so a linker that is called by its whole path stays what it is.
 */
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { guarded, hostError } from "./errno.ts";

const NAMES = ["", "x86_64-linux-gnu-", "x86_64-pc-linux-gnu-"].flatMap((prefix) => ["ld", "ld.bfd", "ld.gold", "ld.lld", "ld.mold", "ld.wild", "ld.wield"].map((name) => prefix + name));

/** Its exit status. `home`: the folder of the program; `self`: what starts it otherwise; `args`: the command. */
export async function runCommand(home: string, self: readonly string[], here: NodeJS.Process, args: readonly string[]): Promise<number> {
  const { tmpdir } = require("node:os") as typeof import("node:os");
  const folder = guarded(() => mkdtempSync(`${tmpdir()}/wield-run-`));
  try {
    for (const name of NAMES) guarded(() => install(home, self, `${folder}/${name}`));
    const env = { ...here.env };
    for (const name of ["PATH", "COMPILER_PATH"]) env[name] = env[name] ? `${folder}:${env[name]}` : folder;
    return await untilEnd(here, args, env);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function untilEnd(here: NodeJS.Process, [program, ...rest]: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  // They bring streams and sockets along, which the rest of the program does without.
  const { spawn } = require("node:child_process") as typeof import("node:child_process");
  const { constants } = require("node:os") as typeof import("node:os");
  return new Promise((done, failed) => {
    const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
    // As system(3): what is typed at a terminal goes to the command by itself, which decides what becomes of it.
    const leave = (): void => undefined;
    const listeners = { SIGTERM: forward, SIGHUP: forward, SIGINT: leave, SIGQUIT: leave };
    for (const [signal, listener] of Object.entries(listeners)) here.on(signal, listener);
    const child = spawn(program!, rest, { stdio: "inherit", env });
    const ended = (): void => Object.entries(listeners).forEach(([signal, listener]) => here.off(signal, listener));
    child.on("error", (error) => {
      ended();
      failed(hostError(error) as Error);
    });
    child.on("exit", (status, signal) => {
      ended();
      done(status ?? 128 + constants.signals[signal!]);
    });
  });
}

function install(home: string, self: readonly string[], path: string): void {
  const driver = `${home}/driver/ld`;
  const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
  if (existsSync(driver)) symlinkSync(driver, path);
  else writeFileSync(path, `#!/bin/sh\nexec ${self.map(quoted).join(" ")} "$@"\n`, { mode: 0o755 });
}
