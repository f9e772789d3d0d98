/** Runs a bundle of the program, with its code cache: `node FLAGS SCRIPT NAME ARGUMENTS…`. Bundled into dist/ (warm.ts). */
import { loadBundle } from "../ts/start/load.ts";

const [name] = process.argv.splice(2, 1);
loadBundle(name!).start();
