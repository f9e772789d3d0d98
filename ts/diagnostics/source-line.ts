/**
 * Where in the source a place of an object is: DWARF lookups for messages.
 *
 * Reads the debug sections of one unlinked object on first use. Never throws: whatever is missing or corrupt gives null, and
 * the message does without a line.
 */
import type { ByteString } from "../args/link-options.ts";
import { readUnits, type Unit } from "./dwarf-info.ts";
import { filePath, findLine, readLineTables, type LineTable } from "./dwarf-line.ts";
import { ObjectSections, type DebugSection, type ObjectSource } from "./object-sections.ts";

export interface SourceLine {
  /** Absolute where the debug information says so. */
  path: ByteString;
  line: number;
}

interface DebugInfo {
  section: DebugSection;
  tables: LineTable[];
  units: Unit[];
}

export class SourceLines {
  private readonly source: ObjectSource;
  private info: DebugInfo | null | undefined;

  constructor(source: ObjectSource) {
    this.source = source;
  }

  /** The line of `offset` bytes into section header `shndx`. */
  line(shndx: number, offset: number): SourceLine | null {
    return this.guarded((info) => {
      for (const table of info.tables) {
        const row = findLine(table, info.section, shndx, offset);
        if (row !== null) return this.at(info, table, row.file, row.line);
      }
      return null;
    });
  }

  /** Where an external variable is declared. */
  variable(name: ByteString): SourceLine | null {
    if (name === "") return null;
    return this.guarded((info) => {
      for (const unit of info.units) {
        const found = unit.variables.get(name);
        const table = found === undefined ? undefined : info.tables.find(({ offset }) => offset === unit.lineOffset);
        if (table !== undefined) return this.at(info, table, found!.file, found!.line);
      }
      return null;
    });
  }

  private at(info: DebugInfo, table: LineTable, file: number, line: number): SourceLine | null {
    const unit = info.units.find(({ lineOffset }) => lineOffset === table.offset);
    const path = filePath(table, file, unit?.compilationDir ?? "");
    return path === "" ? null : { path, line };
  }

  private guarded(look: (info: DebugInfo) => SourceLine | null): SourceLine | null {
    try {
      if (this.info === undefined) this.info = this.load();
      return this.info === null ? null : look(this.info);
    } catch (error) {
      // Sizes that no machine can allocate; anything else is a bug of ours, but not worth losing the message for.
      if (error instanceof RangeError) return null;
      throw error;
    }
  }

  private load(): DebugInfo | null {
    this.info = null;
    const object = ObjectSections.open(this.source);
    const section = object?.load(".debug_line");
    if (object === null || section === null || section === undefined) return null;
    const strings = { str: object.load(".debug_str")?.bytes ?? null, lineStr: object.load(".debug_line_str")?.bytes ?? null };
    const info = object.load(".debug_info")?.bytes ?? null;
    const abbrev = object.load(".debug_abbrev")?.bytes ?? null;
    const strOffsets = object.load(".debug_str_offsets")?.bytes ?? null;
    const units = info === null || abbrev === null ? [] : readUnits({ info, abbrev, strOffsets, ...strings });
    return { section, tables: readLineTables(section.bytes, strings), units };
  }
}
