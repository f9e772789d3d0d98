/**
 * Why a library was not found: what else lies in the folders that were searched.
 *
 * Only for people, in a link that has failed already; no other link reads a folder.
 */
import type { ByteString } from "../args/link-options.ts";
import { nearest } from "../args/suggest.ts";
import { joinPath } from "./search.ts";

const SHOWN_FOLDERS = 8;

/** Lines for -l`name`; `isStatic`: only archives were looked for. `lists`: with the folders, if nothing better can be said. `readdir` gives the names in a folder. */
export function whyMissing(name: ByteString, isStatic: boolean, folders: readonly ByteString[], lists: boolean, readdir: (folder: ByteString) => ByteString[]): ByteString[] {
  const contents = [...new Set(folders)].map((folder) => ({ folder, files: readdir(folder).sort() }));
  const first = (matches: (file: ByteString) => boolean): ByteString | undefined => {
    for (const { folder, files } of contents) {
      const file = files.find(matches);
      if (file !== undefined) return joinPath(folder, file);
    }
    return undefined;
  };
  const linked = `lib${name}.so`;
  const shared = isStatic ? first((file) => file === linked) : undefined;
  if (shared !== undefined) return [`${shared} is a shared object, and only archives are taken here (-static, -Bstatic)`];
  const atRunTime = isStatic ? undefined : first((file) => file.startsWith(`${linked}.`));
  if (atRunTime !== undefined) return [`${atRunTime} is what programs load when they run; ${linked}, for linking, comes with a development package`];
  const suffix = isStatic ? /^lib(.+)\.a$/ : /^lib(.+)\.(?:so|a)$/;
  const near = name.startsWith(":")
    ? nearest(name.slice(1), contents.flatMap(({ files }) => files))
    : nearest(name, contents.flatMap(({ files }) => files.flatMap((file) => suffix.exec(file)?.[1] ?? [])));
  if (near !== "") return [`did you mean: -l${name.startsWith(":") ? ":" : ""}${near}`];
  const searched = !lists ? [] : whereSearched(contents.map(({ folder, files }) => (files.length > 0 ? folder : `${folder} (nothing there)`)));
  const looksLikeFile = !name.startsWith(":") && /^lib|\.(so|a|o)$/.test(name);
  return looksLikeFile ? [`-l${name} searches lib${name}.so and lib${name}.a; -l:FILE searches the exact name`, ...searched] : searched;
}

/** Drivers name a dozen folders; the first ones are those that users gave. */
function whereSearched(folders: readonly ByteString[]): ByteString[] {
  if (folders.length === 0) return ["no folder was searched: -L names them"];
  const more = folders.length - SHOWN_FOLDERS;
  return [`searched: ${folders.slice(0, SHOWN_FOLDERS).join(", ")}${more > 0 ? ` and ${more} more` : ""}`];
}
