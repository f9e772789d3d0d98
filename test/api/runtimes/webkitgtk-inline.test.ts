/** The cases of the API in pages of WebKitGTK, with everything in one file. */
import { testPostedCases } from "../../helpers/posted-cases.ts";

testPostedCases("WebKitGTK", "api/runtimes/webkitgtk-inline", "inline.mjs", false);
