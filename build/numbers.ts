/**
 * Puts constants that are numbers where their names are, in bundles.
 *
 * esbuild does that itself, but only for constants of modules that import nothing. So a file's constants go to a module of their own. Each is a
 * variable less to set up and a name less to read from the code cache at every start.
 */
import * as fs from "node:fs";
import type { PluginBuild } from "esbuild";

/** A constant on a line of its own, perhaps with a remark behind it. */
const NUMBER = /^(export )?const (\w+)(?:: number)? = (-?\d\w*(?:\.\d+)?(?: (?:<<|[-+*]) \d\w*)*);(?: \/\/.*)?\n/gm;

/** `source`, of the TypeScript file `file`, with its constants from their module. */
export function numbersApart(source: string, file: string): string {
  const found = [...source.matchAll(NUMBER)];
  if (found.length === 0) return source;
  const from = JSON.stringify(`numbers:${file}`);
  const exported = found.flatMap(([, isExported, name]) => (isExported ? [name] : []));
  const exports = exported.length > 0 ? `export { ${exported.join(", ")} } from ${from};\n` : "";
  return `import { ${found.map(([, , name]) => name).join(", ")} } from ${from};\n${exports}${source.replaceAll(NUMBER, "")}`;
}

/** Makes the modules that numbersApart imports. */
export function resolveNumbers(bundler: PluginBuild): void {
  bundler.onResolve({ filter: /^numbers:/ }, ({ path }) => ({ path: path.slice("numbers:".length), namespace: "numbers" }));
  bundler.onLoad({ filter: /()/, namespace: "numbers" }, ({ path: file }) => ({
    contents: [...fs.readFileSync(file, "utf8").matchAll(NUMBER)].map(([, , name, value]) => `export const ${name} = ${value};`).join("\n"),
  }));
}
