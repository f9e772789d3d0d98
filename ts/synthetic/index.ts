/**
 * Which linker-made sections exist, by role, in the order they take in the output where ranks are equal.
 *
 * The only place that knows all of them. Sections whose contents depend on others are collected here, in dependency order:
 * symbols, then versions, then .dynamic's strings, then the size of .dynstr.
 */
import type { Context } from "../context.ts";
import { BuildIdSection } from "./build-id.ts";
import { CommentSection } from "./comment.ts";
import type { CopyRelSection } from "./copy-rel.ts";
import { DynamicSection } from "./dynamic.ts";
import { DynstrSection } from "./dynstr.ts";
import { DynsymSection } from "./dynsym.ts";
import { EhFrameHdrSection } from "./eh-frame-hdr.ts";
import { EhFrameSection } from "./eh-frame.ts";
import { GnuHashSection } from "./gnu-hash.ts";
import { HashSection } from "./hash.ts";
import { InterpSection } from "./interp.ts";
import { NotePropertySection } from "./note-property.ts";
import { PackageMetadataSection } from "./package-metadata.ts";
import type { SyntheticSection } from "./section.ts";
import { VerdefSection, VerneedSection, VersymSection } from "./version.ts";

/** .rela.dyn as .dynamic sees it. */
export interface RelaDyn extends SyntheticSection {
  /** How many R_*_RELATIVE entries it begins with. */
  relativeCount(ctx: Context): number;
}

/** null = does not exist in this link. */
export interface Synthetics {
  interp: InterpSection | null;
  noteProperty: NotePropertySection | null;
  buildId: BuildIdSection | null;
  packageMetadata: PackageMetadataSection | null;
  comment: CommentSection | null;
  dynsym: DynsymSection | null;
  versym: VersymSection | null;
  verdef: VerdefSection | null;
  verneed: VerneedSection | null;
  gnuHash: GnuHashSection | null;
  hash: HashSection | null;
  dynamic: DynamicSection | null;
  dynstr: DynstrSection | null;
  relaDyn: RelaDyn | null;
  relr: SyntheticSection | null;
  relaPlt: SyntheticSection | null;
  ehFrameHdr: EhFrameHdrSection | null;
  ehFrame: EhFrameSection | null;
  plt: SyntheticSection | null;
  pltSec: SyntheticSection | null;
  pltGot: SyntheticSection | null;
  iplt: SyntheticSection | null;
  got: SyntheticSection | null;
  copyRel: CopyRelSection | null;
  copyRelRo: CopyRelSection | null;
  gotPlt: SyntheticSection | null;
  symtab: SyntheticSection | null;
  shstrtab: SyntheticSection | null;
  strtab: SyntheticSection | null;
}

/** All roles empty: what a context starts with. */
export function noSynthetics(): Synthetics {
  return {
    interp: null, noteProperty: null, buildId: null, packageMetadata: null, comment: null, dynsym: null, versym: null, verdef: null, verneed: null,
    gnuHash: null, hash: null, dynamic: null, dynstr: null, relaDyn: null, relr: null, relaPlt: null, ehFrameHdr: null, ehFrame: null, plt: null,
    pltSec: null, pltGot: null, iplt: null, got: null, copyRel: null, copyRelRo: null, gotPlt: null, symtab: null, shstrtab: null,
    strtab: null,
  };
}

/** create-synthetic: needs are known. Fills ctx.synthetics. */
export function createAll(ctx: Context): void {
  const all = ctx.synthetics;
  all.interp = new InterpSection();
  all.noteProperty = new NotePropertySection();
  all.buildId = new BuildIdSection();
  all.packageMetadata = new PackageMetadataSection();
  all.ehFrame = new EhFrameSection();
  all.ehFrameHdr = new EhFrameHdrSection(all.ehFrame);
  all.comment = new CommentSection();
  createDynamic(ctx);
}

/** The dynamic symbol table and what describes it; after all sections that .dynamic mentions. */
export function createDynamic(ctx: Context): void {
  if (ctx.params.get("dynamic") === 0) return;
  const all = ctx.synthetics;
  all.dynsym = new DynsymSection();
  all.versym = new VersymSection();
  all.verdef = new VerdefSection();
  all.verneed = new VerneedSection();
  all.gnuHash = new GnuHashSection();
  all.hash = new HashSection();
  all.dynstr = new DynstrSection();
  all.dynamic = new DynamicSection();
  all.dynsym.collect(ctx);
  all.dynstr.reserve(all.dynsym.nameBytes);
  all.verdef.collect(ctx);
  all.verneed.collect(ctx);
  all.dynamic.collect(ctx);
  all.dynstr.freeze();
}
