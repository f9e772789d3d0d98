/**
 * The kernel ABI: what TypeScript can call. Exports only; every exported function of a pass file is a kernel.
 */
export * from "./passes/assign-addresses";
export * from "./passes/bind-sections";
export * from "./passes/build-id";
export * from "./passes/copy-relocs";
export * from "./passes/create-synthetic";
export * from "./passes/dynsym";
export * from "./passes/eh-frame";
export * from "./passes/emit-symtab";
export * from "./passes/address-significance";
export * from "./passes/fold-identical";
export * from "./passes/gdb-index";
export * from "./passes/intern-names";
export * from "./passes/load-sections";
export * from "./passes/mark-live";
export * from "./passes/merge-pieces";
export * from "./passes/order-members";
export * from "./passes/pack-relocs";
export * from "./passes/parse-object";
export * from "./passes/read-properties";
export * from "./passes/relocatable";
export * from "./passes/relocatable-symbols";
export * from "./passes/relocate";
export * from "./passes/report-undefined";
export * from "./passes/resolve-addresses";
export * from "./passes/resolve-symbols";
export * from "./passes/scan-relocs";
export * from "./passes/set-visibility";
export * from "./passes/settle-symbols";
export * from "./passes/split-pieces";
export * from "./passes/tail-merge";
export * from "./passes/warning-sections";
export * from "./passes/write-eh-frame";
export { reportIssue, reportObject } from "./lib/issue";
export * from "./lib/crel";
export * from "./lib/adler";
export { hashXxh3 } from "./lib/xxh3";
