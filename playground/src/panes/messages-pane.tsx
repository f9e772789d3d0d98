/** What assembler and linker say. */
import { reveal } from "../editor/editor.tsx";
import { linked, messages, told, trouble } from "../link/state.ts";

export function MessagesPane() {
  const said = messages.value;
  const printed = linked.value?.result.text ?? "";
  return (
    <div class="messages" role="log" aria-label="Messages" aria-live="polite" tabIndex={0}>
      {trouble.value !== "" && <p class="message error">{trouble.value}</p>}
      {told.value !== "" && <p class="message told">{told.value}</p>}
      {said.map(({ severity, text, file, line }) => (
        <div class={`message ${severity}`}>
          {line > 0 && <button type="button" class="link mono" onClick={() => reveal(file, line)}>{file}:{line}</button>}
          <pre>{severity === "note" ? "" : `${severity}: `}{text}</pre>
        </div>
      ))}
      {said.length === 0 && trouble.value === "" && told.value === "" && printed === "" && <p class="dim">No errors, no warnings.</p>}
      {printed !== "" && <pre class="printed">{printed}</pre>}
    </div>
  );
}
