/** The files that the API's cases link: the demo's objects, and a static hello world with musl where it is installed. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { repoRoot, temporaryFolder } from "../helpers/tools.ts";
import type { Fixtures } from "./cases.ts";

const MUSL = "/usr/lib/x86_64-linux-musl";

export function fixtures(): Fixtures {
  const files: Fixtures = {};
  for (const name of ["start.o", "print.o", "steps.o"]) files[name] = new Uint8Array(fs.readFileSync(path.join(repoRoot(), "build/demo", name)));
  if (!fs.existsSync(`${MUSL}/libc.a`)) return files;
  const dir = temporaryFolder("musl-hello");
  fs.writeFileSync(path.join(dir, "hello.c"), '#include <stdio.h>\nint main(int argc, char **argv) { printf("hello from %s, %d\\n", "musl", argc); return 0; }\n');
  if (spawnSync("gcc", ["-O1", "-fno-pie", "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-nostdinc", "-isystem", "/usr/include/x86_64-linux-musl", "-c", "hello.c"], { cwd: dir }).status !== 0) return files;
  files["hello.o"] = new Uint8Array(fs.readFileSync(path.join(dir, "hello.o")));
  for (const name of ["crt1.o", "crti.o", "crtn.o", "libc.a"]) files[name] = new Uint8Array(fs.readFileSync(`${MUSL}/${name}`));
  return files;
}
