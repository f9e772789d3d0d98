/**
 * Which input description of a layout script an input section belongs to: first match in script order.
 *
 * Section patterns are tried once per section name, file patterns once per object: scripts of thousands of descriptions that each name an
 * object are common for small machines. Loops over input sections here are TypeScript, which is only paid for when a script is given.
 */
import type { ByteString } from "../../args/link-options.ts";
import type { Context } from "../../context.ts";
import { GlobIndex } from "../../script/glob-index.ts";
import type { FilePattern, InputDescription, LayoutScript, OutputDescription, SectionPattern } from "../../script/layout.ts";

/** A section pattern, and where in the script it stands. */
export interface Candidate {
  output: OutputDescription;
  input: InputDescription;
  pattern: SectionPattern;
}

/** A file as patterns see it; each has one such object. */
export interface FileName {
  /** `a.o`, or `lib.a:member.o`; "" for what the linker makes. */
  text: ByteString;
  /** `lib.a`, "" = in none. */
  archive: ByteString;
}

/** An input section as patterns see it. */
export interface Subject {
  name: ByteString;
  file: FileName;
  flags: number;
}

/** A candidate, and how many patterns stand before it. */
interface Placed {
  candidate: Candidate;
  place: number;
}

/** A description that says for which files it is, with its patterns. */
interface FileDescription {
  input: InputDescription;
  place: number;
  patterns: Placed[];
}

const NOTHING: Placed[] = [];
/** More than so many patterns for a name are looked for once: sections with names of their own are many, and to remember them takes longer than to look. */
const MEMORABLE = 4;
/** Of so many descriptions for one file the patterns are tried. */
const FEW = 64;

export class Matcher {
  /** Patterns of descriptions for every file, and of those for some. */
  private readonly anyFile = new NameIndex();
  private readonly someFiles = new NameIndex();
  /** Descriptions that say for which files they are, and those of each file in script order. */
  private readonly files: Record<FilePattern["of"], GlobIndex<FileDescription>> = { any: new GlobIndex(), members: new GlobIndex(), plain: new GlobIndex() };
  private readonly byFile = new Map<FileName, { descriptions: FileDescription[]; inputs: Set<InputDescription> }>();
  private readonly exclusions = new Map<FilePattern[], Map<FileName, boolean>>();
  /** Descriptions that turned out not to apply (ONLY_IF_RO). */
  readonly disabled = new Set<OutputDescription>();

  constructor(layout: LayoutScript, wanted: (input: InputDescription) => boolean = () => true) {
    const outputs = layout.commands.filter((command) => command.kind === "output");
    let place = 0;
    // OVERWRITE_SECTIONS match before all others.
    for (const output of [...outputs.filter((output) => output.overwrites), ...outputs.filter((output) => !output.overwrites)]) {
      for (const input of output.commands) {
        if (input.kind !== "input" || !wanted(input)) continue;
        const description: FileDescription = { input, place, patterns: [] };
        for (const pattern of input.patterns) description.patterns.push({ candidate: { output, input, pattern }, place: place++ });
        const { glob, of } = input.file;
        const isAny = of === "any" && glob.kind === "any";
        for (const placed of description.patterns) (isAny ? this.anyFile : this.someFiles).add(placed);
        if (!isAny) this.files[of].add(glob, description);
      }
    }
  }

  /** Patterns of descriptions that say for which files they are, and mean this file. */
  private ofFile({ name, file }: Subject): Placed[] {
    let known = this.byFile.get(file);
    if (known === undefined) {
      const { any, members, plain } = this.files;
      const more = file.archive === "" ? plain.matching(file.text) : members.matching(file.archive);
      const descriptions = [...any.matching(file.text), ...more].sort(byPlace);
      this.byFile.set(file, (known = { descriptions, inputs: new Set(descriptions.map(({ input }) => input)) }));
    }
    const { descriptions, inputs } = known;
    if (descriptions.length === 0) return NOTHING;
    if (descriptions.length > FEW) return this.someFiles.named(name).filter(({ candidate }) => inputs.has(candidate.input));
    return descriptions.flatMap(({ patterns }) => patterns.filter(({ candidate }) => candidate.pattern.names.some((glob) => glob.matches(name))));
  }

  /** The first in script order that matches, and of which `takes` says so. */
  find(subject: Subject, takes?: (candidate: Candidate) => boolean): Candidate | null {
    const any = this.anyFile.named(subject.name);
    const some = this.ofFile(subject);
    for (let a = 0, s = 0; a < any.length || s < some.length; ) {
      const isAny = s === some.length || (a < any.length && any[a]!.place < some[s]!.place);
      const { candidate } = isAny ? any[a++]! : some[s++]!;
      const { input, pattern, output } = candidate;
      if (this.disabled.has(output) || this.isExcluded(pattern.excluded, subject.file) || this.isExcluded(input.excluded, subject.file)) continue;
      if ((subject.flags & input.withFlags) !== input.withFlags || (subject.flags & input.withoutFlags) !== 0) continue;
      if (takes === undefined || takes(candidate)) return candidate;
    }
    return null;
  }

  private isExcluded(patterns: FilePattern[], file: FileName): boolean {
    if (patterns.length === 0) return false;
    let known = this.exclusions.get(patterns);
    if (known === undefined) this.exclusions.set(patterns, (known = new Map()));
    let result = known.get(file);
    if (result === undefined) known.set(file, (result = patterns.some((pattern) => matchesFile(pattern, file))));
    return result;
  }
}

export function matchesFile({ glob, of }: FilePattern, { text, archive }: FileName): boolean {
  if (of === "members") return archive !== "" && glob.matches(archive);
  return (of === "any" || archive === "") && glob.matches(text);
}

/** Patterns by what they say of names. */
class NameIndex {
  private readonly patterns = new GlobIndex<Placed>();
  private readonly byName = new Map<ByteString, Placed[]>();

  add(placed: Placed): void {
    for (const glob of placed.candidate.pattern.names) this.patterns.add(glob, placed);
  }

  /** What names a section so, in script order, each once. */
  named(name: ByteString): Placed[] {
    let named = this.byName.get(name);
    if (named === undefined) {
      named = this.patterns.matching(name);
      if (named.length > 1) named = named.sort(byPlace).filter(({ place }, i) => i === 0 || place !== named![i - 1]!.place);
      if (named.length > MEMORABLE) this.byName.set(name, named);
    }
    return named;
  }
}

const byPlace = (a: { place: number }, b: { place: number }): number => a.place - b.place;

/** Whose sections the linker makes. */
export const NO_FILE: FileName = { text: "", archive: "" };

/** How file patterns see each object, by obj row. */
export function scriptFileNames(ctx: Context): (obj: number) => FileName {
  const names = new Map<number, FileName>();
  return (obj) => {
    let name = names.get(obj);
    if (name === undefined) {
      const input = obj > 1 ? ctx.inputs[ctx.tables.obj.fileId[obj]!] : undefined;
      if (input === undefined) name = NO_FILE;
      else if (input.member === "") name = { text: input.path, archive: "" };
      else name = { text: `${input.path}:${input.member}`, archive: input.path };
      names.set(obj, name);
    }
    return name;
  };
}
