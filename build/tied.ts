/** Writes a bundle that code caches are made of: it ends with a digest of itself (ts/start/tie.ts). */
import { createHash } from "node:crypto";
import { DIGEST_CHARACTERS } from "../ts/start/tie.ts";
import { put } from "./put.ts";

/** `text` ends in a comment. */
export function putTied(file: string, text: string): void {
  put(file, text + createHash("sha256").update(text).digest("hex").slice(0, DIGEST_CHARACTERS));
}
