/** Can this Node's own pread be called as ts/host/direct-read.ts does? */
import { execFileSync } from "node:child_process";
import { nodeBuild } from "../ts/host/direct-read.ts";

const TRY = `
  const { openSync, readSync } = require("node:fs"), { read } = process.binding("fs"), fd = openSync(process.execPath, "r");
  const memory = new Uint8Array(new WebAssembly.Memory({ initial: 2, maximum: 4, shared: true }).buffer), wanted = new Uint8Array(100);
  const fails = (call) => { try { call(); return "" } catch (error) { return error.code } };
  readSync(fd, wanted, 0, 100, 5000);
  const right = read(fd, memory, 70000, 100, 5000) === 100 && wanted.every((byte, i) => memory[70000 + i] === byte) && memory[69999] === 0 && memory[70100] === 0
    && read(fd, memory, 0, 10, 2 ** 40) === 0 && fails(() => read(9999, memory, 0, 10, 0)) === "EBADF" && fails(() => read(openSync("/", "r"), memory, 0, 10, 0)) === "EISDIR";
  process.stdout.write(right ? "right" : "wrong");
`;

/** What is then defined as DIRECT_READS. */
export function directReads(): string {
  try {
    const said = execFileSync(process.execPath, ["-e", TRY], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], env: { ...process.env, NODE_OPTIONS: "" } });
    return said === "right" ? nodeBuild(process) : "";
  } catch {
    return "";
  }
}
