/**
 * Object files among the inputs, alone or as members: rows for them, and for what the compiler makes of LTO objects.
 */
import { OBJF_LAZY } from "../../as-kernels/shared/abi.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import * as messages from "../diagnostics/input-messages.ts";
import { BitcodeCompiler } from "../lto/bitcode.ts";
import type { InputAccess } from "./input-access.ts";
import type { InputRows } from "./input-rows.ts";
import type { WalkedArchives } from "./walk-archives.ts";

/** The engine hears of inputs each time there are this many bytes more. */
const STEP_BYTES = 48 << 20;

export class InputObjects {
  private readonly ctx: Context;
  private readonly access: InputAccess;
  private readonly rows: InputRows;
  private compiledAdded = false;
  private bytes = 0;
  /** Archives of which members are found later. */
  walked: WalkedArchives | null = null;

  constructor(ctx: Context, access: InputAccess, rows: InputRows) {
    this.ctx = ctx;
    this.access = access;
    this.rows = rows;
  }

  /** `source`: the file that holds the bytes; `flags`: OBJF_*. */
  addObject(source: ByteString, offset: number, bytes: number, path: ByteString, member: ByteString, flags: number): void {
    const { lto } = this.ctx;
    const before = this.bytes;
    this.bytes += bytes;
    if (Math.floor(this.bytes / STEP_BYTES) > Math.floor(before / STEP_BYTES)) this.ctx.expectBytes(this.bytes);
    if (lto !== null) {
      const claim = lto.claim(this.ctx, source, offset, bytes);
      if (claim === "gone") {
        if ((flags & OBJF_LAZY) === 0) this.addCompiled();
        return;
      }
      if (claim !== null) return void this.rows.add(claim.path, 0, claim.bytes, path, member, flags);
    }
    this.rows.add(source, offset, bytes, path, member, flags);
  }

  addBitcode(source: ByteString, offset: number, bytes: number, path: ByteString, member: ByteString, flags: number): void {
    const compiler = (this.ctx.bitcode ??= new BitcodeCompiler());
    const object = compiler.compile(this.ctx, source, offset, bytes, { path, member });
    if (object === "refused") return;
    if (object !== null) this.rows.add(object.path, 0, object.bytes, path, member, flags);
    else if ((flags & OBJF_LAZY) === 0) this.ctx.diag.error(messages.bitcode({ path, member }));
    else this.ctx.diag.warn(messages.lazyBitcode({ path, member }));
  }

  /** What lto-wrapper made, in the place of the first object it was made of. */
  addCompiled(): void {
    const objects = this.compiledAdded ? [] : (this.ctx.lto?.objects ?? []);
    this.compiledAdded = true;
    for (const path of objects) {
      const file = this.access.open(path);
      if (file !== null) this.rows.add(path, 0, file.size, path, "", 0);
      file?.close();
    }
  }

  /** Without -m the output is for the system that the first input names (lld). */
  noteAbi(osabi: number): void {
    if (osabi === 0 || this.ctx.osabi !== 0 || this.ctx.options.emulation !== "" || this.walked?.holdsAbi(osabi) === true) return;
    this.ctx.osabi = osabi;
  }
}
