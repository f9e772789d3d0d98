/** Every phase that can run on workers, by name. The functions live in the passes; this is only the list. */
import { FOLD_PHASES } from "./passes/fold-identical.ts";
import { MERGE_PHASES } from "./passes/merge-pieces.ts";
import { SCAN_PHASES } from "./passes/scan-relocs.ts";
import { SPLIT_PHASES } from "./passes/split-pieces.ts";
import { STREAM_PHASES } from "./passes/stream-strings.ts";
import { DIGEST_PHASES } from "./synthetic/build-id.ts";
import { EH_FRAME_PHASES } from "./synthetic/eh-frame.ts";
import { COMPRESS_PHASES } from "./passes/compress-sections.ts";
import { EMITTED_RELOC_PHASES } from "./passes/emit-relocs.ts";
import { bindNamesPhase, countLeadersPhase, histogramPhase, indexNamesPhase, internPhase, numberLeadersPhase, scatterPhase } from "./passes/intern-names.ts";
import { LOAD_PHASES } from "./passes/load-sections.ts";
import { fillTargetsPhase, markLivePhase } from "./passes/mark-live.ts";
import { parseObjectPhase, readSymbolsPhase } from "./passes/parse-object.ts";
import { RELOCATABLE_SYMBOL_PHASES } from "./passes/relocatable/relocatable-symbols.ts";
import { RELOCATABLE_PHASES } from "./passes/relocatable/write-relocatable.ts";
import { resolveAddressesPhase } from "./passes/resolve-addresses.ts";
import { orderedContentsPhase } from "./passes/section-order/ordered-contents.ts";
import { WALK_PHASES } from "./passes/walk-archives.ts";
import { relocatePhase } from "./passes/write-output.ts";
import { countSymtabPhase, emitSymtabPhase } from "./synthetic/symtab.ts";
import type { Phases } from "./memory/pool.ts";

export const PHASES: Phases = {
  "parse-object": parseObjectPhase,
  "read-symbols": readSymbolsPhase,
  "histogram-names": histogramPhase,
  "scatter-names": scatterPhase,
  "intern-names": internPhase,
  "count-leaders": countLeadersPhase,
  "number-leaders": numberLeadersPhase,
  "bind-names": bindNamesPhase,
  "index-names": indexNamesPhase,
  "fill-targets": fillTargetsPhase,
  "mark-live": markLivePhase,
  "resolve-addresses": resolveAddressesPhase,
  "ordered-contents": orderedContentsPhase,
  relocate: relocatePhase,
  "count-symtab": countSymtabPhase,
  "emit-symtab": emitSymtabPhase,
  ...FOLD_PHASES, ...SPLIT_PHASES, ...MERGE_PHASES, ...STREAM_PHASES, ...EH_FRAME_PHASES, ...EMITTED_RELOC_PHASES, ...COMPRESS_PHASES, ...SCAN_PHASES, ...LOAD_PHASES, ...RELOCATABLE_PHASES,
  ...RELOCATABLE_SYMBOL_PHASES, ...WALK_PHASES, ...DIGEST_PHASES,
};
