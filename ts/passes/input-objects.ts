/**
 * Object files among the inputs, alone or as members: rows for them, and for what the compiler makes of LTO objects.
 */
import { OBJF_LAZY } from "../../as-kernels/shared/abi.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import * as messages from "../diagnostics/input-messages.ts";
import { wholeFile, type InputPart } from "../input/input-file.ts";
import { BitcodeCompiler } from "../lto/bitcode.ts";
import type { InputAccess } from "./input-access.ts";
import type { InputRows } from "./input-rows.ts";

/** The engine hears of inputs each time there are this many bytes more. */
const STEP_BYTES = 48 << 20;

export class InputObjects {
  private readonly ctx: Context;
  private readonly access: InputAccess;
  private readonly rows: InputRows;
  private compiledAdded = false;
  private bytes = 0;

  constructor(ctx: Context, access: InputAccess, rows: InputRows) {
    this.ctx = ctx;
    this.access = access;
    this.rows = rows;
  }

  /** `flags`: OBJF_*. */
  addObject(part: InputPart, flags: number): void {
    const { lto } = this.ctx;
    const before = this.bytes;
    this.bytes += part.bytes;
    if (Math.floor(this.bytes / STEP_BYTES) > Math.floor(before / STEP_BYTES)) this.ctx.expectBytes(this.bytes);
    if (lto !== null) {
      const claim = lto.claim(this.ctx, part);
      if (claim === "gone") {
        if ((flags & OBJF_LAZY) === 0) this.addCompiled();
        return;
      }
      if (claim !== null) return void this.addMade(claim, part, flags);
    }
    this.rows.add(part, flags);
  }

  /** An object that stands in the place of `part`, under its name. */
  private addMade({ path, bytes }: { path: ByteString; bytes: number }, part: InputPart, flags: number): void {
    this.rows.add({ source: path, offset: 0, bytes, path: part.path, member: part.member }, flags);
  }

  addBitcode(part: InputPart, flags: number): void {
    const compiler = (this.ctx.bitcode ??= new BitcodeCompiler());
    const object = compiler.compile(this.ctx, part);
    if (object === "refused") return;
    if (object !== null) this.addMade(object, part, flags);
    else if ((flags & OBJF_LAZY) === 0) this.ctx.diag.error(messages.bitcode(part));
    else this.ctx.diag.warnOnce(messages.lazyBitcode(part));
  }

  /** What lto-wrapper made, in the place of the first object it was made of. */
  addCompiled(): void {
    const objects = this.compiledAdded ? [] : (this.ctx.lto?.objects ?? []);
    this.compiledAdded = true;
    for (const path of objects) {
      const file = this.access.open(path);
      if (file !== null) this.rows.add(wholeFile(path, file.size), 0);
      file?.close();
    }
  }
}
