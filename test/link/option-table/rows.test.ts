/**
 * Every row of the option table, and every -z keyword, is given to the linker by a test that looks at what comes of it. Tests that only see
 * whether options are accepted do not count: their titles say so.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { matchOption } from "../../../ts/args/match-option.ts";
import { namesOf } from "../../../ts/args/option-row.ts";
import { OPTION_GROUPS } from "../../../ts/args/options.ts";
import { zKeywords } from "../../../ts/args/z-options.ts";
import { assert, behaviour } from "../../helpers/link.ts";
import { repoRoot } from "../../helpers/tools.ts";

const rows = behaviour("rows of the option table");
/** Letters whose value may follow at once. */
const JOINED = "lLhReuyTOoImzGYbP";

/** The texts of behaviours in test/link. */
function behaviours(): string {
  const folder = path.join(repoRoot(), "test", "link");
  const files = fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".test.ts"));
  const blocks = files.flatMap((name) => fs.readFileSync(path.join(folder, name), "utf8").split(/\n(?=[a-z]+\(")/));
  return blocks.filter((block) => !/^[a-z]+\("[^"]*\b(is|are) accepted/.test(block)).join("\n");
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

function spelling(name: string): RegExp {
  if (name.startsWith("--")) return new RegExp(`(?<![\\w-])--?${literal(name.slice(2))}(?![\\w-])`);
  return new RegExp(`(?<=[\\s,"'\`(])${literal(name)}${JOINED.includes(name[1]!) ? "" : "(?![\\w-])"}`);
}

rows("each has a test, but for those without effect, which have one together", () => {
  const text = behaviours();
  const obeyed = OPTION_GROUPS.flatMap(([, group]) => group).filter((row) => row.obeyed);
  assert.equal(obeyed.filter((row) => !namesOf(row).some((name) => spelling(name).test(text))).map((row) => row.names), []);
});

rows("each -z keyword has a test", () => {
  const text = behaviours();
  const spelled = (word: string): RegExp => new RegExp(`-z[ ,]?${literal(word)}${word.endsWith("=") ? "" : "(?![\\w-])"}`);
  assert.equal(zKeywords().filter((word) => !spelled(word).test(text)), []);
});

rows("each is found by each of its names, and no name is another row's", () => {
  for (const row of OPTION_GROUPS.flatMap(([, group]) => group)) {
    for (const name of namesOf(row)) assert.is(matchOption(name)?.row, row, name);
    for (const name of namesOf(row)) if (name.startsWith("--") && name[2] !== "o") assert.is(matchOption(name.slice(1))?.row, row, name.slice(1));
  }
});

rows.run();
