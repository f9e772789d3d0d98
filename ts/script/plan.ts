/**
 * The layout of one link under a script: output sections with their contents in the order the script gives them, orphans
 * included. bind makes it, the later script passes fill in and read.
 */
import type { OutputSection } from "../context.ts";
import type { Assertion, Assignment, Data, InputDescription, OutputDescription } from "./layout.ts";
import type { SyntheticSection } from "../synthetic/section.ts";

/** What one input description brought, or orphans that joined a section. */
export interface Members {
  kind: "members";
  command: InputDescription | null;
  /** Rows of `member`. */
  from: number;
  to: number;
  synthetic: { section: SyntheticSection; offset: number }[];
}

export type Part = Members | Assignment | Assertion | Data;

export interface PlannedSection {
  kind: "section";
  /** null = orphan. */
  command: OutputDescription | null;
  osec: OutputSection;
  parts: Part[];
  /** Some input section or linker-made section is part of it. */
  hasInputs: boolean;
  /** Only linker-made sections that turned out not to be needed were part of it. */
  hadInputs: boolean;
  phdrs: string[];
  /** Load address minus address. */
  lmaOffset: bigint;
  /** Empty and not wanted: not part of the output. */
  removed: boolean;
}

/** A memory region after layout. */
export interface RegionUse {
  name: string;
  used: bigint;
  length: bigint;
}

/** What a region holds while sections are being placed. */
export interface Fill {
  origin: bigint;
  length: bigint;
  at: bigint;
}

/** Moves sections out of full regions; true = something moved. */
export interface Spilling {
  spill(items: readonly PlanItem[], fillsOf: (section: PlannedSection) => Fill[]): boolean;
}

/** Where a linker-made section goes. */
export interface Place {
  section: PlannedSection;
  part: Members;
  /** An input description names it: it is no orphan. */
  named: boolean;
}

export type PlanItem = PlannedSection | Assignment | Assertion;

export interface Plan {
  items: PlanItem[];
  /** Sections in the order of the script, orphans behind, removed ones too. */
  sections: PlannedSection[];
  /** Finds the place of a linker-made section by name: a section, or "discard", or null. */
  find(name: string): Place | "discard" | null;
  /** A further orphan; it has an osec row. */
  add(name: string): Place;
  /** Input sections that the script does not name: `a.o:(.x) is being placed in '.x'`. */
  orphanWords(): string[];
  /** INSERT: the first of what stands in front of a section and is about it, because both were moved. */
  leads: Map<PlanItem, PlannedSection>;
  /** Filled in by script-layout. */
  regions: RegionUse[];
  /** --enable-non-contiguous-regions, else null. */
  spills: Spilling | null;
}
