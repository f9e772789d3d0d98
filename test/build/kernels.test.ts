/** When kernels are compiled again, and what goes with the old ones. */
import * as fs from "node:fs";
import * as path from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { refreshKernels } from "../../build/kernels.ts";
import { temporaryFolder } from "../helpers/tools.ts";

const test = suite("build/kernels");

test("kernels are compiled when their sources have changed, and no machine code of others stays", async () => {
  const dist = temporaryFolder("kernels");
  const compiled: string[] = [];
  const refresh = (): Promise<void> =>
    refreshKernels(dist, async (folder, target, name) => {
      assert.not(fs.readdirSync(folder).some((file) => file.endsWith(".cache")), "the program would run it meanwhile");
      compiled.push(target);
      fs.writeFileSync(path.join(folder, name), target);
    });
  const cache = path.join(dist, "kernels.quick.cache");
  fs.writeFileSync(cache, "of old kernels");
  await refresh();
  assert.equal(compiled, ["release", "debug"]);
  fs.writeFileSync(cache, "of these kernels");
  await refresh();
  assert.equal(compiled, ["release", "debug"]);
  assert.ok(fs.existsSync(cache));
});

test.run();
