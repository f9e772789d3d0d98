/** The cases of the API in isolated pages of WebKitGTK. */
import { testPostedCases } from "../../helpers/posted-cases.ts";

testPostedCases("WebKitGTK", "api/runtimes/webkitgtk-isolated", "browser.mjs", true);
