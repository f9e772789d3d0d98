/**
 * Which input description of a layout script an input section belongs to: first match in script order.
 *
 * Section patterns are tried once per section name, file patterns once per object. Loops over input sections here are TypeScript,
 * which is only paid for when a script is given.
 */
import type { ByteString } from "../../args/link-options.ts";
import type { Context } from "../../context.ts";
import type { Glob } from "../../script/glob.ts";
import { GlobIndex } from "../../script/glob-index.ts";
import type { InputDescription, LayoutScript, OutputDescription, SectionPattern } from "../../script/layout.ts";

/** A section pattern, and where in the script it stands. */
export interface Candidate {
  output: OutputDescription;
  input: InputDescription;
  pattern: SectionPattern;
}

/** An input section as patterns see it. `file`: "" for what the linker makes. */
export interface Subject {
  name: ByteString;
  file: ByteString;
  flags: number;
}

/** A candidate, and how many patterns stand before it. */
interface Placed {
  candidate: Candidate;
  place: number;
}

export class Matcher {
  private readonly patterns = new GlobIndex<Placed>();
  private readonly byName = new Map<ByteString, Candidate[]>();
  private readonly byFile = new Map<Glob, Map<ByteString, boolean>>();
  /** Descriptions that turned out not to apply (ONLY_IF_RO). */
  readonly disabled = new Set<OutputDescription>();

  constructor(layout: LayoutScript, wanted: (input: InputDescription) => boolean = () => true) {
    const outputs = layout.commands.filter((command) => command.kind === "output");
    let place = 0;
    // OVERWRITE_SECTIONS match before all others.
    for (const output of [...outputs.filter((output) => output.overwrites), ...outputs.filter((output) => !output.overwrites)]) {
      for (const input of output.commands) {
        if (input.kind !== "input" || !wanted(input)) continue;
        for (const pattern of input.patterns) this.add({ output, input, pattern }, place++);
      }
    }
  }

  private add(candidate: Candidate, place: number): void {
    for (const glob of candidate.pattern.names) this.patterns.add(glob, { candidate, place });
  }

  /** What names a section so, in script order, each once: a script that lists thousands of functions is asked about each of them once. */
  private named(name: ByteString): Candidate[] {
    const found = this.patterns.matching(name).sort((a, b) => a.place - b.place);
    return found.filter(({ place }, i) => i === 0 || place !== found[i - 1]!.place).map(({ candidate }) => candidate);
  }

  find(subject: Subject): Candidate | null {
    return this.matches(subject).next().value;
  }

  /** All that match, in script order. */
  *matches(subject: Subject): Generator<Candidate, null> {
    let candidates = this.byName.get(subject.name);
    if (candidates === undefined) {
      candidates = this.named(subject.name);
      this.byName.set(subject.name, candidates);
    }
    for (const candidate of candidates) {
      const { input, pattern, output } = candidate;
      if (this.disabled.has(output) || !this.isFile(input.file, subject.file)) continue;
      if (pattern.excluded.some((glob) => this.isFile(glob, subject.file))) continue;
      if (input.excluded.some((glob) => this.isFile(glob, subject.file))) continue;
      if ((subject.flags & input.withFlags) !== input.withFlags || (subject.flags & input.withoutFlags) !== 0) continue;
      yield candidate;
    }
    return null;
  }

  private isFile(glob: Glob, file: ByteString): boolean {
    if (glob.kind === "any") return true;
    let known = this.byFile.get(glob);
    if (known === undefined) this.byFile.set(glob, (known = new Map()));
    let result = known.get(file);
    if (result === undefined) known.set(file, (result = glob.matches(file)));
    return result;
  }
}

/** `a.o`, or `lib.a:member.o`: how file patterns see each object, by obj row. */
export function scriptFileNames(ctx: Context): (obj: number) => ByteString {
  const names = new Map<number, ByteString>();
  return (obj) => {
    let name = names.get(obj);
    if (name === undefined) {
      const input = obj > 1 ? ctx.inputs[ctx.tables.obj.fileId[obj]!] : undefined;
      name = input === undefined ? "" : input.member === "" ? input.path : `${input.path}:${input.member}`;
      names.set(obj, name);
    }
    return name;
  };
}
