/** How builds write: files appear whole, by rename, so that a build beside a running test, or another build, disturbs nothing. */
import * as fs from "node:fs";
import * as path from "node:path";

export function put(file: string, contents: string | Uint8Array, mode = 0o666): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(temporary, contents, { mode });
  fs.renameSync(temporary, file);
}
