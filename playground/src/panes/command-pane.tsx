/** The command line, and a form that says the same. */
import { CHOICES, choose, chosen, setValue, valueOf } from "../command-line.ts";
import { command, setCommand, setWords, words } from "../link/state.ts";

export function CommandPane() {
  const current = words.value;
  return (
    <section class="command" aria-label="Command line">
      <label class="prompt">
        <span aria-hidden="true">$</span>
        <textarea class="mono" rows={1} spellcheck={false} autocomplete="off" autocapitalize="off" aria-label="Command line of ld" value={command.value} onInput={(event) => setCommand(event.currentTarget.value.replace(/\n/g, " "))} />
      </label>
      <form class="choices" aria-label="Options" onSubmit={(event) => event.preventDefault()}>
        {CHOICES.map((choice) => {
          const value = chosen(choice, current);
          const isFlag = choice.values.length === 2 && choice.values[0]!.label === "off";
          const set = (next: number): void => setWords(choose(choice, next, current));
          return (
            <label title={choice.help}>
              {isFlag ? <><input type="checkbox" checked={value === 1} onChange={(event) => set(event.currentTarget.checked ? 1 : 0)} />{choice.label}</> : (
                <>{choice.label}<select value={String(value)} onChange={(event) => set(Number(event.currentTarget.value))}>{choice.values.map(({ label }, i) => <option value={String(i)}>{label}</option>)}</select></>
              )}
            </label>
          );
        })}
        {([["-e", "Entry", "_start"], ["-o", "Name", "a.out"]] as const).map(([option, label, placeholder]) => (
          <label title={option === "-e" ? "-e: where the program starts" : "-o: name of the output"}>{label}<input type="text" class="mono" size={7} placeholder={placeholder} value={valueOf(option, current)} onChange={(event) => setWords(setValue(option, event.currentTarget.value.trim(), current))} /></label>
        ))}
      </form>
    </section>
  );
}
