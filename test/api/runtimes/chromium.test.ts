/** The cases of the API in pages of Chromium, with the files of a page. */
import { testPages } from "../../helpers/chromium-cases.ts";

testPages("api/runtimes/chromium", "browser.mjs");
