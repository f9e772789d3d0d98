/**
 * A context for one link: options as parameters of the kernels, empty lists, and an engine that is started when it is known how much there is
 * to do.
 */
import { BSYM_ALL, BSYM_FUNCTIONS, BSYM_NONE, BSYM_NON_WEAK, BSYM_NON_WEAK_FUNCTIONS, OUT_EXEC, OUT_PIE, OUT_RELOCATABLE, OUT_SHARED } from "../as-kernels/shared/abi.ts";
import { ELFOSABI_FREEBSD } from "../as-kernels/shared/elf.ts";
import { architectureOf } from "./arch/index.ts";
import { isLld } from "./args/identity.ts";
import type { LinkOptions } from "./args/link-options.ts";
import type { Context, LinkObserver, SymbolRoom } from "./context.ts";
import { wordIssues } from "./diagnostics/issues.ts";
import type { Diagnostics } from "./diagnostics/print.ts";
import { symbolBytes } from "./diagnostics/place.ts";
import type { Host } from "./host/host.ts";
import { instantiateKernels } from "./memory/kernels.ts";
import type { Machine } from "./memory/machine.ts";
import { PHASES } from "./phases.ts";
import { allocTable, Params } from "./memory/table.ts";
import { LinkerDefined } from "./passes/linker-defined.ts";
import { noSynthetics } from "./synthetic/index.ts";
import { SymbolTable } from "./synthetic/symtab.ts";

/** Rows of the issue table: more problems than this are only counted. */
const ISSUE_ROWS = 4096;
/** Who wants to see all errors means it: 32 MB of address space, which becomes memory when it is written to. */
const ALL_ISSUE_ROWS = 1 << 20;
/** Memory of which so many do not matter. */
const MUCH_BYTES = 2 ** 31;
/** Below this many input bytes (a fifth of a second) a link is over when a worker has begun to be of use. */
const PARALLEL_BYTES = 64 << 20;

const BSYMBOLIC = {
  none: BSYM_NONE, functions: BSYM_FUNCTIONS, all: BSYM_ALL, "non-weak": BSYM_NON_WEAK, "non-weak-functions": BSYM_NON_WEAK_FUNCTIONS,
} as const;

/** Rows that are kept free for a link that may follow: a sixteenth of those there are, some, and in a small link as many as there are. */
const SPARE_ROWS = 256;
const MANY_ROWS = 1 << 13;

const noRoom = (): SymbolRoom => ({ names: 0, namesEnd: 0, esyms: 0, esymsEnd: 0, locals: 0, localsEnd: 0, slots: 0, slotsEnd: 0, groups: 0, groupsEnd: 0, isecsEnd: 0, order: 0, rows: new Map(), moved: false });

/** What a link begins with. */
interface Beginning {
  options: LinkOptions;
  host: Host;
  diag: Diagnostics;
  observer: LinkObserver | null;
  machine: Machine;
  /** Another link may take this one up. */
  lasts: boolean;
}

export function createContext({ options, host, diag, observer, machine, lasts }: Beginning): Context {
  const arch = architectureOf(options.emulation);
  const { arena, kernels } = machine;
  const { tables, pool } = machine.begin(host, PHASES);
  const params = new Params(arena);
  const ctx: Context = {
    options, host, arena, tables, params, kernels, diag, arch, observer,
    pool,
    sources: [], inputs: [], loadedFiles: [], versionNodes: [], script: null, plan: null, expressionNames: [], dynamicList: [], sectionOrder: [],
    symbolOrder: null, callGraph: null, ordered: { list: 0, count: 0 }, retained: null, properties: new Map(), sharedObjects: [], assigned: new Map(), replaced: new Map(), dependents: null, traced: 0, lto: null,
    bitcode: null, whyExtracted: new Map(), archives: [], objects: new Uint32Array(0), synthetics: noSynthetics(), symtab: new SymbolTable(), osecs: [],
    segments: [], loads: [], headers: { address: 0n, bytes: 0 }, osabi: options.freebsd ? ELFOSABI_FREEBSD : options.emulation === "" ? -1 : 0, sectionHeaders: 0, separatedEnd: 0,
    onlyCalled: [],
    localSymBase: 0, dynsyms: new Uint32Array(0), passes: [],
    checkpoint: { linkerDefined: new LinkerDefined(), created: 0, laidOut: 0, digest: 0n, inputs: null, mirrored: false, resolved: null, room: noRoom() },
    spareRows: (rows) => (lasts ? SPARE_ROWS + Math.min(rows, MANY_ROWS) + (rows >>> 4) : 0),
    expectBytes: (bytes) => startEngine(ctx, bytes),
    checkIssues() {
      if (arena.issues > 0) wordIssues(ctx);
      ctx.diag.throwIfErrors();
    },
    lookup: () => 0,
    names: { table: 0, slots: 0 },
    symbolName: (sym) => symbolBytes(ctx, sym),
  };
  // What is only warned of is no reason to fail, however often it happens.
  const wantsAll = options.errorLimit === 0 || options.errorLimit > ISSUE_ROWS || options.unresolvedAreWarnings || options.noinhibitExec;
  // In the memory of a context, which has been written to, they would be cleared for every link; a page begins with little.
  allocTable(arena, tables, "issue", wantsAll && !lasts && arena.u8.length > MUCH_BYTES ? ALL_ISSUE_ROWS : ISSUE_ROWS);
  setParams(ctx);
  return ctx;
}

function setParams(ctx: Context): void {
  const { params, options, arch } = ctx;
  const flag = (value: boolean) => (value ? 1 : 0);
  params.set("machine", arch.e_machine);
  params.set("outputKind", options.relocatable ? OUT_RELOCATABLE : options.shared ? OUT_SHARED : options.pie ? OUT_PIE : OUT_EXEC);
  params.set("pic", flag(options.shared || options.pie));
  params.set("shared", flag(options.shared));
  params.set("bsymbolic", BSYMBOLIC[options.bsymbolic]);
  params.set("relax", flag(options.relax));
  params.set("zText", flag(options.z.text));
  params.set("ignoreEquality", flag(options.ignoreFunctionAddressEquality) | (2 * flag(options.ignoreDataAddressEquality)));
  params.set("zCopyreloc", flag(options.z.copyreloc));
  params.set("packRelr", flag(options.packRelr));
  if (options.filler >= 0) params.set("filler", options.filler);
  params.set("codeFill", arch.codeFill);
  // -z nocombreloc is for programs that relocate themselves; gnu-efi's crt0 adds to what is in place, as GNU ld leaves it. What reads kept
  // relocations reads contents, too: EDK2's GenFw makes UEFI images of them.
  params.set("writeAddends", flag((options.applyDynamicRelocs ?? options.emitRelocs) || options.z.rel || !options.z.combreloc));
  params.set("callNop", options.z.callNop);
  params.set("markPlt", flag(options.z.markPlt));
  params.set("ignoreOverflow", flag(options.z.ignoreOverflow));
  params.set("rel", flag(options.z.rel));
  params.set("gcSections", flag(options.gcSections));
  params.set("ehFrameHdr", flag(options.ehFrameHdr || options.optimizeBbJumps));
  params.set("warnCommon", flag(options.warnCommon));
  params.set("fortranCommon", flag(options.fortranCommon ?? !isLld(options)));
  params.set("stripDebug", flag(options.strip !== "none"));
  params.set("sttCommon", flag(options.z.sttCommon));
  params.set("gnuUnique", flag(!options.noGnuUnique));
}

/** Inputs of this size may have tens of thousands of sections and symbols to tell of. */
const NOT_SMALL_BYTES = 4 << 20;

/**
 * Instantiates the kernels and starts workers when the inputs are worth it; --threads=1: none, ever. Called when all `bytes` bytes of
 * input are known, and before that when they turn out to be many: a worker takes as long to start as a large link to look for its inputs.
 */
export function startEngine(ctx: Context, bytes: number): void {
  const { options, host, pool, kernels, arena } = ctx;
  // Before the first kernel is compiled: that depends on how long the host is to run.
  if (bytes >= NOT_SMALL_BYTES) host.expectLargeLink(bytes);
  if (kernels.readSymbols === undefined) {
    instantiateKernels(host.kernels(), arena.memory, kernels);
    arena.zero = (address, bytes) => void kernels.fillBytes(address, 0, bytes);
  }
  if (startsAll(ctx)) pool.patient = true;
  const wanted = options.threads > 1 && (pool.patient || host.keepsThreads === true) ? options.threads : threadsFor(ctx, bytes);
  const threads = Math.min(wanted, host.maxThreads ?? wanted);
  if (threads > pool.threads) pool.start(Array.from({ length: threads - pool.threads }, () => host.startWorker()), host.kernels());
}

/** Do all threads that --threads=N allows work in every pass? */
export function startsAll({ options, host }: Context): boolean {
  return options.threads > 1 && host.env(ALL_THREADS) === "1";
}

/** For tests: a value of 1 has small links start all threads that --threads=N allows, and wait for them in every pass. */
const ALL_THREADS = "WIELD_ALL_THREADS";

/** By the size of the inputs: a thread that starts costs more than it does for a small link. */
function threadsFor({ options, host }: Context, bytes: number): number {
  if (options.threads === 1 || bytes < PARALLEL_BYTES) return 1;
  return Math.min(options.threads || host.cpus, Math.max(2, Math.ceil(bytes / (32 << 20))));
}
