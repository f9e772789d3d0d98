/** Light, dark, or as the system. */
import { useSignal } from "@preact/signals";

const NEXT: Record<string, string> = { "": "dark", dark: "light", light: "" };
const NAMES: Record<string, string> = { "": "Theme: system", dark: "Theme: dark", light: "Theme: light" };
const SIGNS: Record<string, string> = { "": "◐", dark: "☾", light: "☀" };

export function ThemeButton() {
  const theme = useSignal(document.documentElement.dataset["theme"] ?? "");
  const next = (): void => {
    theme.value = NEXT[theme.value] ?? "";
    document.documentElement.dataset["theme"] = theme.value;
    try {
      localStorage.setItem("theme", theme.value);
    } catch {
      // A page that may not store anything asks again next time.
    }
  };
  return <button type="button" class="button theme" aria-label={NAMES[theme.value]} title={NAMES[theme.value]} onClick={next}>{SIGNS[theme.value]}</button>;
}
