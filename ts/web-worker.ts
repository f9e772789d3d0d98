/** The worker of pages: links, and starts itself again to help where memory can be shared. */
import { serveWorker } from "./api/engine.ts";

serveWorker();
