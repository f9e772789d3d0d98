/** The files in the page: open, remove, add by choosing or dropping. */
import { useRef } from "preact/hooks";
import { namedFiles } from "../command-line.ts";
import { addFiles, dropFile, files, isAssembly, newAssembly, objectName, shown, sizeOf, words } from "../link/state.ts";

const size = (bytes: number): string => (bytes < 10_000 ? `${bytes} B` : bytes < 10_000_000 ? `${Math.round(bytes / 1000)} kB` : `${Math.round(bytes / 1_000_000)} MB`);

export function FilesPane() {
  const input = useRef<HTMLInputElement>(null);
  const group = useRef<HTMLDivElement>(null);
  // The button goes with its file: the keyboard goes on at the next one.
  const remove = (name: string, at: number): void => {
    dropFile(name);
    setTimeout(() => {
      const left = group.current!.querySelectorAll<HTMLElement>(".remove");
      (left[Math.min(at, left.length - 1)] ?? group.current!.querySelector<HTMLElement>(".add"))?.focus();
    });
  };
  const named = new Set(namedFiles(words.value));
  return (
    <div class="files" role="group" aria-label="Files" ref={group}>
      {files.value.map((file, at) => {
        const readable = isAssembly(file.name) || file.source !== "";
        const title = isAssembly(file.name) ? "assembly, edited here" : file.source === "" ? "an object, an archive or a script" : "compiled; its C source can be read";
        return (
          <span class={`file ${shown.value === file.name ? "current" : ""} ${named.has(objectName(file.name)) ? "" : "unused"}`} title={named.has(objectName(file.name)) ? title : "not on the command line"}>
            {readable ? <button type="button" aria-pressed={shown.value === file.name} onClick={() => void (shown.value = file.name)}>{file.name}</button> : <span class="name">{file.name}</span>}
            {!named.has(objectName(file.name)) && <span class="heard">, not on the command line</span>}
            {file.bytes !== null && <i>{size(sizeOf(file.bytes))}</i>}
            <button type="button" class="remove" aria-label={`Remove ${file.name}`} onClick={() => remove(file.name, at)}>×</button>
          </span>
        );
      })}
      <button type="button" class="file add" onClick={() => newAssembly()}>+ assembly</button>
      <button type="button" class="file add" onClick={() => input.current!.click()}>+ objects, archives</button>
      <input ref={input} type="file" multiple hidden onChange={({ currentTarget }) => void addFiles(currentTarget.files ?? []).then(() => void (currentTarget.value = ""))} />
    </div>
  );
}
