/**
 * The files of a link as rows: ctx.inputs and ctx.sources while they are found, the `obj` table when all are.
 *
 * Knows nothing of where files come from (load-inputs.ts). A row's id is its place in command-line order, which later passes
 * rely on: who comes first defines a name.
 */
import { OBJ_INTERNAL, OBJ_RELOCATABLE, OBJ_SHARED, OBJF_AS_NEEDED, OBJF_LAZY } from "../../as-kernels/shared/abi.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context, InputFile } from "../context.ts";
import { inputName } from "../diagnostics/input-messages.ts";
import { wholeFile, type InputPart } from "../input/input-file.ts";
import type { SharedObject, SymbolWarning } from "../input/shared-object.ts";
import { allocTable } from "../memory/table.ts";

/** Row 0, which is nothing, and row 1, the linker's own object. */
export const FIRST_FILE = 2;

const NO_NAMES: ByteString[] = [];
const NO_WARNINGS: readonly SymbolWarning[] = [];

function newInput(id: number, source: number, { offset, bytes, path, member }: InputPart, group = 0): InputFile {
  return { id, obj: id, source, offset, bytes, path, member, group, soname: "", needed: NO_NAMES, versions: NO_NAMES, warnings: NO_WARNINGS };
}

export class InputRows {
  /** InputFile.group of what is added. */
  group = 0;
  private readonly ctx: Context;
  /** By InputFile.id: OBJF_* and, for shared objects, what was read of them. */
  private readonly flags: number[] = [0, 0];
  private readonly shared = new Map<number, SharedObject>();
  private readonly sourceRows = new Map<ByteString, number>();
  private traced = 0;

  /** Starts from nothing, also when there were rows of an earlier round. */
  constructor(ctx: Context) {
    this.ctx = ctx;
    ctx.sources.length = 0;
    ctx.sources.push("");
    ctx.inputs.length = 0;
    ctx.inputs.push(newInput(0, 0, wholeFile("", 0)), newInput(1, 0, wholeFile("<internal>", 0)));
    ctx.sharedObjects.length = 0;
  }

  /** Inputs besides the linker's own. */
  get files(): number {
    return this.ctx.inputs.length - FIRST_FILE;
  }

  setShared(id: number, object: SharedObject): void {
    this.shared.set(id, object);
  }

  /** Takes OBJF_* back. */
  clear(id: number, flags: number): void {
    this.flags[id]! &= ~flags;
  }

  /** A row of ctx.inputs; its id. `flags`: OBJF_*. */
  add(part: InputPart, flags: number): number {
    const { inputs } = this.ctx;
    const input = newInput(inputs.length, this.sourceRow(part.source), part, this.group);
    inputs.push(input);
    this.flags.push(flags);
    if (this.ctx.options.trace && (flags & OBJF_LAZY) === 0 && ++this.traced > this.ctx.traced) {
      this.ctx.diag.message(inputName(input));
      this.ctx.traced = this.traced;
    }
    return input.id;
  }

  /** Row of ctx.sources. */
  sourceRow(path: ByteString): number {
    let row = this.sourceRows.get(path);
    if (row === undefined) {
      row = this.ctx.sources.push(this.ctx.host.reopen(path)) - 1;
      this.sourceRows.set(path, row);
    }
    return row;
  }

  /** `rows`: more than there are inputs where some are reserved behind them. */
  fillTable(rows = this.ctx.inputs.length): void {
    const { arena, inputs, tables } = this.ctx;
    const obj = allocTable(arena, tables, "obj", rows);
    obj.kind[1] = OBJ_INTERNAL;
    obj.fileId[1] = 1;
    this.fillRows(FIRST_FILE, inputs.length);
    for (const [id, object] of this.shared) this.fillShared(id, object);
  }

  /** Fills the table's rows [from, to) for inputs of which nothing has been read. */
  fillRows(from: number, to: number): void {
    const { inputs, tables } = this.ctx;
    const { kind, flags, fileId, source, offset, bytes } = tables.obj;
    for (let id = from; id < to; id++) {
      const input = inputs[id]!;
      kind[id] = OBJ_RELOCATABLE;
      flags[id] = this.flags[id]!;
      fileId[id] = id;
      source[id] = input.source;
      offset[id] = input.offset;
      bytes[id] = input.bytes;
    }
    this.ctx.pool.setSources(this.ctx.sources);
  }

  /** Takes all inputs back, to be added again (addAgain) with others between them. */
  takeBack(): { input: InputFile; flags: number }[] {
    const flags = this.flags.splice(FIRST_FILE);
    return this.ctx.inputs.splice(FIRST_FILE).map((input, i) => ({ input, flags: flags[i]! }));
  }

  addAgain({ input, flags }: { input: InputFile; flags: number }): void {
    const { inputs } = this.ctx;
    input.id = input.obj = inputs.length;
    inputs.push(input);
    this.flags.push(flags);
  }

  private fillShared(id: number, object: SharedObject): void {
    const { obj } = this.ctx.tables;
    obj.kind[id] = OBJ_SHARED;
    obj.osabi[id] = object.osabi;
    obj.needed[id] = this.flags[id]! & OBJF_AS_NEEDED ? 0 : 1;
    obj.symtab[id] = object.symtab;
    obj.esymCount[id] = object.esymCount;
    obj.firstGlobal[id] = object.firstGlobal;
    obj.strtab[id] = object.strtab;
    obj.strtabBytes[id] = object.strtabBytes;
    obj.versym[id] = object.versym;
    obj.verNames[id] = object.verNames;
    obj.verCount[id] = object.verCount;
  }
}
