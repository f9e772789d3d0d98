/** The cases of the API in pages of Firefox, with everything in one file. */
import { testPostedCases } from "../../helpers/posted-cases.ts";

testPostedCases("Firefox", "api/runtimes/firefox-inline", "inline.mjs", false);
