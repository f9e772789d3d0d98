/** The cases of the API in pages of WebKitGTK. */
import { testPostedCases } from "../../helpers/posted-cases.ts";

testPostedCases("WebKitGTK", "api/runtimes/webkitgtk", "browser.mjs", false);
