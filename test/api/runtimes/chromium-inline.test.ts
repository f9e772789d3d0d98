/** The cases of the API in pages of Chromium, with everything in one file. */
import { testPages } from "../../helpers/chromium-cases.ts";

testPages("api/runtimes/chromium-inline", "inline.mjs");
