/**
 * Symbols the linker defines when something refers to them and nothing else defines them.
 *
 * Before gc they only become "defined by the linker" (so that they are neither undefined nor dynamic); their place is found
 * once output sections have addresses. Names, defaults and visibilities are lld's.
 */
import {
  SYM_ABSOLUTE, SYM_COMMON, SYM_DEFINED, SYM_FUNC, SYM_IFUNC, SYM_IN_OSEC, SYM_KIND_MASK, SYM_OBJECT, SYM_ROOT, SYM_SHARED, SYM_TLS, SYM_USED_REGULAR,
  SYM_USED_SHARED, SYM_WEAK,
} from "../../as-kernels/shared/abi.ts";
import { PF_W, PT_TLS, SHF_EXECINSTR, SHF_X86_64_LARGE, SHT_NOBITS, STB_GLOBAL, STT_NOTYPE, STT_TLS, STV_DEFAULT, STV_HIDDEN } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context, OutputSection, Segment } from "../context.ts";
import { HEADERS_OSEC } from "./bind-sections.ts";
import { orderedPlace } from "./output-order.ts";
import { sectionsByName } from "./order-sections.ts";
import { needsLoad } from "./segments.ts";
import { hasDynamicTables, refreshVisibility } from "./set-visibility.ts";
import { laterVersions } from "./version-patterns.ts";

/** A place in the output: bytes from the start of an osec. */
interface Place {
  osec: number;
  offset: number;
}

interface Definition {
  sym: number;
  place: (ctx: Context) => Place;
}

interface Rule {
  name: ByteString;
  vis: number;
  place: (ctx: Context) => Place;
  /** The default layout's: a script with SECTIONS must define it itself. */
  layout?: true;
}

const HEADERS: Place = { osec: HEADERS_OSEC, offset: 0 };
const find = (ctx: Context, name: string): OutputSection | undefined => ctx.osecs.find((osec) => osec.name === name);
const startOf = (name: string) => (ctx: Context): Place => {
  const osec = find(ctx, name);
  return osec === undefined ? HEADERS : { osec: osec.id, offset: 0 };
};
const endOf = (name: string) => (ctx: Context): Place => {
  const osec = find(ctx, name);
  return osec === undefined ? HEADERS : { osec: osec.id, offset: osec.size };
};

const isLarge = (osec: OutputSection): boolean => (osec.sh_flags & SHF_X86_64_LARGE) !== 0;
const endOfSection = (osec: OutputSection): Place => ({ osec: osec.id, offset: osec.size });
/** End of what a PT_LOAD holds; with only the file's headers in it, their end. */
const endOfLoad = (ctx: Context, load: Segment | undefined): Place => {
  const last = load?.sections.at(-1);
  return last === undefined ? { osec: HEADERS_OSEC, offset: ctx.headers.bytes } : endOfSection(last);
};

/** End of the last read-only segment that does not end in large data; with -N and in raw images, which have none, of the last code. */
function textEnd(ctx: Context): Place {
  const load = ctx.loads.findLast(({ p_flags, sections }) => (p_flags & PF_W) === 0 && (sections.length === 0 || !isLarge(sections.at(-1)!)));
  const code = load === undefined ? ctx.osecs.findLast((osec) => (osec.sh_flags & SHF_EXECINSTR) !== 0 && !isLarge(osec)) : undefined;
  return code === undefined ? endOfLoad(ctx, load) : endOfSection(code);
}

/** The last section of the image; a raw image has no segments. */
const lastLoaded = ({ loads, osecs }: Context): OutputSection | undefined =>
  loads.length > 0 ? loads.at(-1)!.sections.at(-1) : osecs.findLast(needsLoad);

/** End of the last section of the image that has contents and is not large. */
function dataEnd(ctx: Context): Place {
  const last = lastLoaded(ctx);
  const end = last === undefined ? 0 : ctx.osecs.indexOf(last) + 1;
  const data = ctx.osecs.slice(0, end).findLast((osec) => osec.sh_type !== SHT_NOBITS && !isLarge(osec));
  return data === undefined ? endOfLoad(ctx, undefined) : endOfSection(data);
}

function imageEnd(ctx: Context): Place {
  const last = lastLoaded(ctx);
  return last === undefined ? endOfLoad(ctx, undefined) : endOfSection(last);
}

const synthetic = (role: "gotPlt" | "got" | "dynamic" | "relaDyn" | "ehFrameHdr", end = false) => (ctx: Context): Place => {
  const section = ctx.synthetics[role];
  if (section === null || section.osec === 0) return HEADERS;
  const osec = ctx.osecs.find((candidate) => candidate.id === section.osec);
  const offset = osec === undefined ? 0 : Number(section.address - osec.sh_addr);
  return { osec: section.osec, offset: end ? offset + section.size(ctx) : offset };
};

/**
 * Local dynamic through a TLS descriptor asks for this base. In an executable the offsets added to it have been relaxed to
 * thread pointer offsets, so the base is the thread pointer itself; in a shared object it is the start of the block.
 */
function tlsModuleBase(ctx: Context): Place {
  const segment = ctx.segments.find((candidate) => candidate.p_type === PT_TLS);
  if (segment === undefined) return HEADERS;
  const start = segment.sections[0]!;
  return { osec: start.id, offset: ctx.options.shared ? 0 : Number(ctx.params.get("tlsEnd") - start.sh_addr) };
}

const RULES: readonly Rule[] = [
  { name: "__ehdr_start", vis: STV_HIDDEN, place: () => HEADERS },
  { name: "__executable_start", vis: STV_HIDDEN, place: () => HEADERS },
  { name: "__dso_handle", vis: STV_HIDDEN, place: () => HEADERS },
  { name: "_GLOBAL_OFFSET_TABLE_", vis: STV_HIDDEN, place: (ctx) => synthetic(ctx.synthetics.gotPlt === null ? "got" : "gotPlt")(ctx) },
  { name: "__GNU_EH_FRAME_HDR", vis: STV_HIDDEN, place: synthetic("ehFrameHdr") },
  ...["preinit_array", "init_array", "fini_array"].flatMap((name) => [
    { name: `__${name}_start`, vis: STV_HIDDEN, place: startOf(`.${name}`) },
    { name: `__${name}_end`, vis: STV_HIDDEN, place: endOf(`.${name}`) },
  ]),
  { name: "__bss_start", vis: STV_DEFAULT, place: startOf(".bss"), layout: true },
  ...["_etext", "etext", "__etext"].map((name) => ({ name, vis: STV_DEFAULT, place: textEnd, layout: true as const })),
  ...["_edata", "edata"].map((name) => ({ name, vis: STV_DEFAULT, place: dataEnd, layout: true as const })),
  ...["_end", "end"].map((name) => ({ name, vis: STV_DEFAULT, place: imageEnd, layout: true as const })),
  { name: "__tdata_start", vis: STV_HIDDEN, place: startOf(".tdata") },
];

/** Only static executables walk their own IRELATIVE relocations. */
const IPLT_RULES: readonly Rule[] = [
  { name: "__rela_iplt_start", vis: STV_HIDDEN, place: synthetic("relaDyn") },
  { name: "__rela_iplt_end", vis: STV_HIDDEN, place: synthetic("relaDyn", true) },
];

const TLS_BASE = "_TLS_MODULE_BASE_";
/** Defined whenever there is a .dynamic, referred to or not; startup code of static programs sees from its absence what they are. */
const DYNAMIC = "_DYNAMIC";

/** Names that must be interned so that the rules can find them. */
export function linkerNames(): ByteString[] {
  return [...RULES, ...IPLT_RULES].map((rule) => rule.name).concat(TLS_BASE, DYNAMIC);
}

/** The symbol is defined by the linker from now on; it has its place later. */
export function markLinkerDefined(ctx: Context, sym: number, vis: number): void {
  const { sym: table, gsym } = ctx.tables;
  // A shared object that defines it too will look for ours first: it has to be exported.
  if ((table.flags[sym]! & SYM_KIND_MASK) === SYM_SHARED) table.flags[sym]! |= SYM_USED_SHARED;
  // Nothing stays of an input's definition that --defsym or a script overrides: neither indirect function nor thread-local nor number.
  table.flags[sym] = (table.flags[sym]! & ~(SYM_KIND_MASK | SYM_WEAK | SYM_ROOT | SYM_FUNC | SYM_IFUNC | SYM_OBJECT | SYM_TLS | SYM_ABSOLUTE)) | SYM_IN_OSEC;
  table.isec[sym] = HEADERS_OSEC;
  table.value[sym] = 0n;
  gsym.bind[sym] = STB_GLOBAL;
  gsym.type[sym] = STT_NOTYPE;
  gsym.size[sym] = 0;
  gsym.obj[sym] = 1;
  gsym.esym[sym] = 0;
  if (vis !== STV_DEFAULT && (gsym.vis[sym] === STV_DEFAULT || gsym.vis[sym]! > vis)) gsym.vis[sym] = vis;
}

const IDENTIFIER = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

/** A C identifier. Character by character: the two names that a small link asks about are no reason to compile a regular expression. */
export function isIdentifier(name: ByteString): boolean {
  for (const character of name) if (!IDENTIFIER.includes(character)) return false;
  return name !== "" && (name[0]! < "0" || name[0]! > "9");
}

/** By an object, or by the linker already; a definition in a shared object does not count. */
export function isDefined({ tables }: Context, sym: number): boolean {
  const kind = tables.sym.flags[sym]! & SYM_KIND_MASK;
  return kind === SYM_DEFINED || kind === SYM_COMMON || kind === SYM_IN_OSEC;
}

export class LinkerDefined {
  private readonly definitions: Definition[] = [];
  private readonly startStop: { sym: number; section: ByteString; stop: boolean; physical: boolean }[] = [];
  /** What the version script says of those; made for the first of them. */
  private versionOf: ReturnType<typeof laterVersions> | undefined;

  /** After resolve-symbols: claims the names that are mentioned and not defined by an input. */
  claim(ctx: Context): void {
    const { options } = ctx;
    const rules = options.shared || options.pie || ctx.sharedObjects.length > 0 ? RULES : [...RULES, ...IPLT_RULES];
    if (!options.relocatable) {
      for (const rule of rules) {
        if (ctx.script?.hasSections === true && rule.layout === true) continue;
        const sym = this.wanted(ctx, rule.name);
        if (sym !== 0) this.define(ctx, sym, rule.vis, rule.place);
      }
      for (const { kind, name } of options.outputOrder) if (kind === "symbol") this.claimOrdered(ctx, name);
      if (hasDynamicTables(ctx)) this.claimDynamic(ctx);
      const tls = this.wanted(ctx, TLS_BASE);
      if (tls !== 0) {
        this.define(ctx, tls, STV_HIDDEN, tlsModuleBase);
        ctx.tables.sym.flags[tls]! |= SYM_TLS;
        ctx.tables.gsym.type[tls] = STT_TLS;
      }
    }
  }

  /** !NAME of --section-order, mentioned or not; an input that defines it wins. */
  private claimOrdered(ctx: Context, name: ByteString): void {
    const sym = ctx.lookup(name);
    if (sym === 0 || isDefined(ctx, sym)) return;
    this.define(ctx, sym, STV_DEFAULT, () => orderedPlace(ctx, name) ?? HEADERS);
    ctx.tables.sym.flags[sym]! |= SYM_USED_REGULAR;
  }

  private claimDynamic(ctx: Context): void {
    const sym = ctx.lookup(DYNAMIC);
    if (sym === 0 || isDefined(ctx, sym)) return;
    this.define(ctx, sym, STV_HIDDEN, synthetic("dynamic"));
    ctx.tables.sym.flags[sym]! |= SYM_USED_REGULAR;
  }

  /** The link goes on before bind-sections once more. */
  restart(): void {
    this.startStop.length = 0;
  }

  /** After bind-sections: __start_X and __stop_X of output sections whose name is a C identifier. */
  claimStartStop(ctx: Context, osecNames: ByteString[]): void {
    for (const section of osecNames) {
      if (section[0] !== "." && isIdentifier(section)) this.claimEnds(ctx, section, "__", section);
    }
  }

  /** `name`: of the section, as symbols have it; `prefix`: "__", or "__phys_" for where it is loaded. */
  claimEnds(ctx: Context, section: ByteString, prefix: string, name: ByteString): void {
    for (const stop of [false, true]) {
      const symbol = `${prefix}${stop ? "stop_" : "start_"}${name}`;
      const sym = this.wanted(ctx, symbol);
      if (sym === 0) continue;
      markLinkerDefined(ctx, sym, ctx.options.startStopVisibility);
      if (ctx.versionNodes.length > 0) ctx.tables.gsym.ver[sym] = (this.versionOf ??= laterVersions(ctx))(symbol) ?? ctx.tables.gsym.ver[sym]!;
      refreshVisibility(ctx, sym);
      this.startStop.push({ sym, section, stop, physical: prefix !== "__" });
    }
  }

  /** Row of a name that an object refers to, or a shared object knows, and no object defines; 0 otherwise. */
  private wanted(ctx: Context, name: ByteString): number {
    const sym = ctx.lookup(name);
    if (sym === 0 || isDefined(ctx, sym)) return 0;
    const flags = ctx.tables.sym.flags[sym]!;
    // A shared object that exports its own (`_end`, from older linkers) has the program's, whoever linked the program.
    return (flags & SYM_KIND_MASK) === SYM_SHARED || (flags & (SYM_USED_REGULAR | SYM_USED_SHARED)) !== 0 ? sym : 0;
  }

  private define(ctx: Context, sym: number, vis: number, place: (ctx: Context) => Place): void {
    markLinkerDefined(ctx, sym, vis);
    this.definitions.push({ sym, place });
  }

  /** After assign-addresses: gives every claimed symbol its section and offset. */
  place(ctx: Context): void {
    const { sym } = ctx.tables;
    const put = (row: number, place: Place) => {
      sym.isec[row] = place.osec;
      sym.value[row] = BigInt(place.offset);
    };
    for (const definition of this.definitions) put(definition.sym, definition.place(ctx));
    if (this.startStop.length === 0) return;
    const byName = sectionsByName(ctx.osecs);
    for (const { sym: row, section, stop, physical } of this.startStop) {
      const osec = byName.get(section);
      put(row, osec === undefined ? HEADERS : { osec: osec.id, offset: stop ? osec.size : 0 });
      if (physical) sym.value[row]! += ctx.options.physicalBase! - ctx.headers.address;
    }
  }
}
