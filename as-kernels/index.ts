/**
 * The kernel ABI: what TypeScript can call. Exports only; every exported function of a pass file is a kernel, but for those that
 * kernels call in one another's files. build/gen-kernels.ts makes ts/memory/kernel-types.ts of this list.
 */
export * from "./passes/address-significance";
export * from "./passes/assign-addresses";
export * from "./passes/bind-sections";
export * from "./passes/build-id";
export { anyDirty, compareContents, firstDifference } from "./passes/compare-contents";
export * from "./passes/copy-relocs";
export * from "./passes/create-synthetic";
export * from "./passes/dynsym";
export { countEhFrames, dropRecords, linkCies, linkFdes, listEhFrames, moveRecords } from "./passes/eh-frame";
export { countGlobals, countLocals, emitGlobals, emitLocalised, listLocalised, sortLocalised, emitLocals, listDefinedGlobals, listGlobals } from "./passes/emit-symtab";
export * from "./passes/fill-symbols";
export * from "./passes/fold-identical";
export * from "./passes/gdb-index";
export * from "./passes/intern-names";
export * from "./passes/load-sections";
export * from "./passes/old-arrays";
export * from "./passes/zero-sections";
export * from "./passes/report-relative";
export * from "./passes/unique-names";
export { anyLive, collectIdentifiers, fillTargets, markAll, markCies, markPieces, markRootSections, markRootSymbols, markSweep, retain } from "./passes/mark-live";
export * from "./passes/merge-pieces";
export * from "./passes/order-members";
export * from "./passes/ordered-names";
export * from "./passes/pack-relocs";
export * from "./passes/parse-object";
export { patchRelocations, patchSections, patchSymbols, relaBytes } from "./passes/patch-object";
export { movePieces, recutPieces, rehashPieces, standsAlone } from "./passes/patch-pieces";
export {
  anyAux, anyNeeded, bindMentions, clearSymbols, compareMentions, isRowOrder, keepsTables, orderNames, sameSymbols, settleMentions, symbolKeys,
} from "./passes/patch-symbols";
export * from "./passes/kept-marks";
export * from "./passes/kept-needs";
export { claimAgain, clearLate, clearPieces, listGroups, moveContents, moveReferences, restoreGlobals, saveDefined, saveGlobals, sameNotes, tableBytes } from "./passes/replace-object";
export { bindTables, checkHeader, countLinkonce, keepSpan, planTables, scanHeaders } from "./passes/read-headers";
export * from "./passes/read-properties";
export * from "./passes/relocatable";
export * from "./passes/relocatable-symbols";
export { relocate } from "./passes/relocate";
export * from "./passes/relocate-objects";
export { relocateSlice } from "./passes/relocate-unloaded";
export * from "./passes/report-undefined";
export * from "./passes/resolve-addresses";
export * from "./passes/resolve-symbols";
export * from "./passes/rewrite-endbr";
export {
  countScanned, indexReferred, indexScanned, listScanned, needScanned, nextMissing, scanHeader, scanMembers, scanTables, memberBehind, passNames,
} from "./passes/scan-archives";
export * from "./passes/scan-relocs";
export * from "./passes/set-visibility";
export * from "./passes/settle-symbols";
export * from "./passes/shards";
export * from "./passes/shorten-jumps";
export { assignPieceRows, bindObjectPieces, bindSymbolPieces, countConstants, keepRun, nextPieceRun, pieceBytes, pieceOf, rejectPieces, resetPieces, splitRun } from "./passes/split-pieces";
export * from "./passes/stream-strings";
export * from "./passes/place-strings";
export * from "./passes/tail-merge";
export * from "./passes/walk-archives";
export * from "./passes/warning-sections";
export * from "./passes/write-eh-frame";
export * from "./passes/write-output";
export * from "./lib/memory";
export { reportIssue } from "./lib/issue";
export * from "./lib/crel";
export * from "./lib/adler";
export { hashXxh3 } from "./lib/xxh3";
