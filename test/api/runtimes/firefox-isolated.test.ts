/** The cases of the API in isolated pages of Firefox. */
import { testPostedCases } from "../../helpers/posted-cases.ts";

testPostedCases("Firefox", "api/runtimes/firefox-isolated", "browser.mjs", true);
