/** dist/driver/ld, and the flags with which it starts Node. */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { NATIVES } from "../../ts/host/kernel-cache.ts";
import { OPTIMISE_NONE } from "../../ts/host/v8-flags.ts";

/**
 * What the launcher tells V8, because most links are over in the time that V8 takes to plan for a long run: no optimising
 * compiler for kernels that run for a few milliseconds (a large link asks for it: Host.expectLargeLink), no validation of
 * kernels that are not called, no compiled JavaScript (a third of the CPU time of a link of 100 ms), room for all garbage of a
 * small link, strings hashed as in V8's snapshot instead of all of them again, and kernels that are compiled already.
 */
const SMALL_LINK_FLAGS = ["--wasm-tiering-budget=1000000000", "--wasm-lazy-validation", "--no-sparkplug", OPTIMISE_NONE, "--min-semi-space-size=8", "--no-rehash-snapshot", "--no-verify-snapshot-checksum", NATIVES];

/**
 * And Node: one thread for V8's background work, of which a small link has little; nothing that has to do with certificates; no folders to look for
 * modules in; and the program's path as it is, in which the launcher has followed links.
 */
const SMALL_LINK_NODE_FLAGS = ["--v8-pool-size=1", "--openssl-config=/dev/null", "--preserve-symlinks-main", "--no-global-search-paths"];

/** The flags that this Node knows: it refuses to start with any other. */
export function launcherFlags(): string[] {
  const accepted = (flags: string[]): boolean => spawnSync(process.execPath, [...flags, "-e", ""]).status === 0;
  const flags = [...SMALL_LINK_FLAGS, ...SMALL_LINK_NODE_FLAGS];
  return accepted(flags) ? flags : flags.filter((flag) => accepted([flag]));
}

/** Those of the launcher's `flags` that are V8's. */
export const launcherV8Flags = (flags: readonly string[]): string[] => flags.filter((flag) => !SMALL_LINK_NODE_FLAGS.includes(flag));

/**
 * dist/driver/ld, for `gcc -B dist/driver`, as a shell script. What a user's environment does to Node programs (NODE_OPTIONS=--require …, extra
 * certificates that cost 30 ms to load) does not reach the linker; nothing but a symbolic link to it costs a process. The name
 * that it was called by goes along, for messages. `node`: its path; when it is gone, the one on PATH is taken.
 */
export function shellLauncher(flags: string[], node = process.execPath): string {
  const quoted = `'${node.replaceAll("'", "'\\''")}'`;
  return [
    "#!/bin/sh",
    "unset NODE_OPTIONS NODE_EXTRA_CA_CERTS",
    'export WIELD_CALLED="${0##*/}"',
    'cli="${0%/*}/../cli.cjs"',
    '[ -f "$cli" ] || cli="$(dirname "$(readlink -f "$0")")/../cli.cjs"',
    `[ -x ${quoted} ] || exec node "$cli" "$@"`,
    `exec ${[quoted, ...flags].join(" ")} "$cli" "$@"`,
    "",
  ].join("\n");
}

/** The same as a program, of launcher.s, which starts Node a millisecond sooner. `ld`: a linker; `folder`: for files. */
export function nativeLauncher(flags: string[], object: string, ld: string, folder: string, node = process.execPath): Uint8Array {
  fs.writeFileSync(path.join(folder, "words"), [node, ...flags, ""].join("\0"));
  execFileSync(ld, ["-s", "-z", "noseparate-code", object, "-b", "binary", "words", "-o", "launcher"], { cwd: folder });
  return fs.readFileSync(path.join(folder, "launcher"));
}
