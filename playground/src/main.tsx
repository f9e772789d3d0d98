/** Starts the page. */
import { render } from "preact";
import { App } from "./app.tsx";
import "./page.css";

// In a task of its own: reading the program is one already.
setTimeout(() => render(<App />, document.getElementById("app")!));

// For use without a network; pages of file: and of the development server go without.
if (import.meta.env.PROD && "serviceWorker" in navigator && location.protocol !== "file:") {
  navigator.serviceWorker.register("./service-worker.js").catch(() => undefined);
}
