/** The cases of the API in pages of Firefox. */
import { testPostedCases } from "../../helpers/posted-cases.ts";

testPostedCases("Firefox", "api/runtimes/firefox", "browser.mjs", false);
