/** Time per pass as bars, and what the link counted. */
import type { Linked } from "../link/state.ts";

export function PassesPane({ linked: { result, milliseconds } }: { linked: Linked }) {
  const { passes, total } = result.timings;
  const byName = new Map<string, number>();
  for (const pass of passes) byName.set(pass.name, (byName.get(pass.name) ?? 0) + pass.milliseconds);
  const largest = Math.max(0.01, ...byName.values());
  const { stats } = result;
  const facts: [string, string][] = [
    ["linker", `${total.toFixed(1)} ms`], ["with the worker's messages", `${milliseconds.toFixed(1)} ms`], ["files read", stats.files.toLocaleString("en")],
    ["objects", `${stats.objects.toLocaleString("en")}, ${stats.members.toLocaleString("en")} from archives`], ["symbols", stats.symbols.toLocaleString("en")], ["relocations", stats.relocations.toLocaleString("en")],
    ["threads", String(stats.threads)], ["memory", `${(stats.memory / 1e6).toFixed(1)} MB`],
  ];
  return (
    <div class="pane pad scroll" role="group" aria-label="Time and counts" tabIndex={0}>
      <dl class="facts">{facts.map(([name, value]) => <div><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      <table class="bars">
        <caption class="dim">Milliseconds in each pass. Collecting what this page shows is part of the total, but of no pass.</caption>
        <tbody>
          {[...byName].map(([name, time]) => (
            <tr>
              <th scope="row" class="mono">{name}</th>
              <td class="bar"><i style={{ width: `${(100 * time) / largest}%` }} /></td>
              <td class="right">{time.toFixed(2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
