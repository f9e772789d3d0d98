/**
 * Finds the files a command line means and gives every object and shared object its id, in command-line order.
 *
 * Reads → writes: options.inputs, options.scripts → ctx.inputs, ctx.sources, ctx.sharedObjects, ctx.loadedFiles and the `obj`
 * table. Objects are not read beyond their ELF header; the tables of shared objects are. Says which file comes next and what it is:
 * input-objects.ts, input-archives.ts and input-scripts.ts know what to do with one, input-access.ts gets at it, input-rows.ts keeps the rows.
 */
import { OBJF_AS_NEEDED, OBJF_LAZY } from "../../as-kernels/shared/abi.ts";
import { SYM_BYTES } from "../../as-kernels/shared/elf.ts";
import { isLld } from "../args/identity.ts";
import type { ByteString, InputArgument, InputPosition } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { taggedError } from "../diagnostics/error-script.ts";
import * as messages from "../diagnostics/input-messages.ts";
import { HostError, LARGE_BYTES } from "../host/host.ts";
import { versionBySoname } from "../input/imported-versions.ts";
import { wholeFile, type OpenFile } from "../input/input-file.ts";
import { objectOfBinary, objectOfSymbols } from "../input/made-object.ts";
import { whyMissing } from "../input/missing-library.ts";
import { baseName } from "../input/search.ts";
import { BadSharedObject, readSharedObject, type SharedObject } from "../input/shared-object.ts";
import type { ClosedArchives } from "./closed-archives.ts";
import { InputAccess, PLAIN } from "./input-access.ts";
import { InputArchives } from "./input-archives.ts";
import { InputObjects } from "./input-objects.ts";
import { InputRows } from "./input-rows.ts";
import { InputScripts, type InputTaker } from "./input-scripts.ts";
import { addDefsyms } from "./script/script-symbols.ts";
import { WalkedArchives } from "./walk-archives.ts";

/**
 * `closed`: archives may stay closed (see ClosedArchives); null = open all. Ends the link when there is nothing to link: scripts may name
 * inputs, so only now is that known. An archive counts, even an empty one. Returns archives whose members have no rows yet.
 */
export function loadInputs(ctx: Context, closed: ClosedArchives | null = null): WalkedArchives | null {
  ctx.script = null;
  addDefsyms(ctx, 0);
  const loader = new Loader(ctx, closed);
  if (ctx.options.justSymbols.length > 0) loader.addJustSymbols();
  const { inputs, scripts } = ctx.options;
  let at = 0;
  for (const [i, { path, place, mri }] of scripts.entries()) {
    while (at < place) loader.addInput(inputs[at++]!);
    loader.scripts.addOption(path, mri ? "mri" : "script");
    addDefsyms(ctx, i + 1);
  }
  while (at < inputs.length) loader.addInput(inputs[at++]!);
  loader.scripts.addDefault();
  loader.scripts.addDescribed();
  loader.objects.addCompiled();
  for (const path of ctx.dependents?.paths ?? []) loader.addDependent(path);
  const walked = loader.walked !== null && loader.walked.list.length > 0 ? loader.walked : null;
  loader.rows.fillTable(walked?.reserve(ctx.inputs.length));
  ctx.diag.throwIfErrors();
  if (loader.rows.files === 0 && loader.archives.count === 0) ctx.diag.fatal({ code: "NO_INPUT", text: "no input files\n>>> what was given is empty, or scripts that name none" });
  return walked;
}

/** Are archives walked by kernels? In large links, where all are open, nobody is told of members one by one, and none of them is replaced. */
function walksArchives({ host, kernels, lto, options, pool }: Context, closed: ClosedArchives | null): boolean {
  const isLarge = closed !== null ? closed.openedBytes >= LARGE_BYTES : (host.inputBytes ?? 0) >= LARGE_BYTES || pool.patient;
  if (!isLarge || kernels.walkMembers === undefined) return false;
  return lto === null && !options.trace && options.printArchiveStats === "" && !options.warnBackrefs;
}

class Loader implements InputTaker {
  readonly rows: InputRows;
  readonly objects: InputObjects;
  readonly archives: InputArchives;
  readonly scripts: InputScripts;
  readonly walked: WalkedArchives | null = null;
  private readonly ctx: Context;
  private readonly access: InputAccess;
  /** id of the shared object, by path and by soname. */
  private readonly sharedByPath = new Map<ByteString, number>();
  private readonly sharedBySoname = new Map<ByteString, number>();
  /** What -lNAME has found. */
  private readonly libraries = new Map<string, ByteString>();
  private previous: InputArgument | null = null;

  constructor(ctx: Context, closed: ClosedArchives | null) {
    this.ctx = ctx;
    this.access = new InputAccess(ctx);
    this.rows = new InputRows(ctx);
    this.objects = new InputObjects(ctx, this.access, this.rows);
    this.archives = new InputArchives(ctx, closed, this.access, this.rows, this.objects);
    this.scripts = new InputScripts(ctx, this.access, this);
    if (walksArchives(ctx, closed)) this.walked = new WalkedArchives(ctx, this.rows, (archive) => this.archives.addOdd(archive));
    this.archives.walked = this.walked;
  }

  addInput(input: InputArgument): void {
    const together = this.previous !== null && ((input.group !== 0 && input.group === this.previous.group) || (input.lib !== 0 && input.lib === this.previous.lib));
    if (!together) this.rows.group++;
    this.previous = input;
    if (input.format === "binary" && input.kind === "file") this.addBinary(input.name);
    else if (input.kind === "library") this.addLibrary(input.name, input);
    else this.addFile(input.name, input, input.name);
  }

  addBinary(name: ByteString): void {
    this.addMade(name, (bytes, path) => objectOfBinary(this.access.machine, path, bytes));
  }

  /** --just-symbols, and -R when it names a file and not a folder of libraries. */
  addJustSymbols(): void {
    const { options, host, diag } = this.ctx;
    for (const { path, mayBeFolder } of options.justSymbols) {
      if (mayBeFolder && !this.access.exists(path)) continue;
      if (mayBeFolder) options.rpath.splice(options.rpath.indexOf(path), 1);
      this.addMade(path, (bytes) => {
        host.optimise?.(bytes.length / SYM_BYTES);
        return objectOfSymbols(this.access.machine, bytes) ?? diag.error(messages.noSymbols(path));
      });
    }
    // -R is what it is in the next round too.
    options.justSymbols = options.justSymbols.filter(({ mayBeFolder, path }) => !mayBeFolder || host.exists(this.access.paths.rooted(path))).map(({ path }) => ({ path, mayBeFolder: false }));
  }

  /** An object that is made of another file. */
  private addMade(named: ByteString, make: (bytes: Uint8Array, path: ByteString) => Uint8Array | void): void {
    const path = this.access.paths.path(named);
    try {
      const object = make(this.ctx.host.readAll(path), named);
      this.access.noteLoaded(path);
      if (object !== undefined) this.rows.add({ source: this.ctx.host.unnamed(object), offset: 0, bytes: object.length, path, member: "" }, 0);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.ctx.diag.error(messages.cannotOpen(path, error));
    }
  }

  /** A library that an object asks for. */
  addDependent(path: ByteString): void {
    this.rows.group++;
    this.addFile(path, PLAIN, baseName(path));
  }

  // ---- finding files ----

  addLibrary(name: ByteString, position: InputPosition): void {
    const resolved = this.ctx.host.resolve?.(name, "lib");
    if (resolved !== undefined) return void this.addFile(resolved, position, baseName(resolved));
    const key = `${this.access.isStatic(position) ? "s" : "d"}${name}`;
    const known = this.libraries.get(key);
    if (known !== undefined) return void this.addFile(known, position, baseName(known));
    const skipped: ByteString[] = [];
    const accept = (path: ByteString): boolean => {
      if (this.addFile(path, position, baseName(path), true)) {
        this.libraries.set(key, path);
        return true;
      }
      if (this.ctx.options.verbose) this.ctx.diag.message(messages.skipping(path, name));
      skipped.push(path);
      return false;
    };
    const { search } = this.access;
    const isStatic = this.access.isStatic(position);
    if (search.library(name, isStatic, accept)) return;
    if (skipped.length > 0 && this.access.anyMachine) return;
    const { host, options } = this.ctx;
    const why = skipped.length > 0 ? [] : whyMissing(name, isStatic, search.folders, !isLld(options), (folder) => host.readdir(folder));
    taggedError(this.ctx, messages.noLibrary(name, skipped, why));
  }

  /**
   * Loads a file; `recorded` is what DT_NEEDED says when it is a shared object without a soname. False = it is for another
   * machine and `maySkip`; every other trouble is reported here.
   */
  addFile(named: ByteString, position: InputPosition, recorded: ByteString, maySkip = false): boolean {
    const path = this.ctx.host.resolve?.(named, "input") ?? this.access.paths.path(named);
    if (this.addAgain(path, position)) return true;
    const file = this.access.open(path);
    if (file === null) return true;
    try {
      return this.addOpened(file, position, recorded, maySkip);
    } finally {
      file.close();
    }
  }

  /** Files whose second mention needs no second look. */
  private addAgain(path: ByteString, position: InputPosition): boolean {
    const shared = this.sharedByPath.get(path);
    if (shared !== undefined && !this.access.isStatic(position)) {
      this.need(shared, position);
      return true;
    }
    return this.archives.addAgain(path, position);
  }

  private addOpened(file: OpenFile, position: InputPosition, recorded: ByteString, maySkip: boolean): boolean {
    if (file.kind === "incompatible" && maySkip) return false;
    if (file.kind === "archive" || file.kind === "thin") return this.archives.add(file, position, maySkip);
    // An empty file is a script that says nothing (GNU ld, lld): /dev/null, what stands in for a library that objects ask for.
    if (file.kind === "text" || file.kind === "empty") return this.scripts.add(file, position, maySkip);
    this.access.noteLoaded(file.path);
    const flags = position.lib !== 0 ? OBJF_LAZY : 0;
    if (file.kind === "bitcode") this.objects.addBitcode(wholeFile(file.path, file.size), flags);
    else if (file.kind === "relocatable") this.objects.addObject(wholeFile(file.path, file.size), flags);
    else if (file.kind === "shared") this.addShared(file, position, recorded);
    else this.access.reject(file.kind, { path: file.path, member: "" }, file.head);
    return true;
  }

  // ---- shared objects ----

  private addShared(file: OpenFile, position: InputPosition, recorded: ByteString): void {
    const { arena, diag, sharedObjects } = this.ctx;
    if (this.access.isStatic(position)) {
      diag.error(messages.staticLink(file.path));
      return;
    }
    const mark = arena.mark();
    let object: SharedObject;
    try {
      object = readSharedObject(arena, file);
    } catch (error) {
      if (!(error instanceof BadSharedObject) && !(error instanceof HostError)) throw error;
      diag.error(messages.badShared(file.path, error.message));
      return;
    }
    const soname = object.soname || recorded;
    const known = this.sharedBySoname.get(soname);
    if (known !== undefined) {
      arena.release(mark);
      this.need(known, position);
      return;
    }
    if (this.ctx.options.defaultImportedSymver) versionBySoname(arena, object, soname);
    const id = this.rows.add(wholeFile(file.path, file.size), position.asNeeded ? OBJF_AS_NEEDED : 0);
    const input = this.ctx.inputs[id]!;
    input.soname = soname;
    input.needed = object.needed;
    input.versions = object.versions;
    input.warnings = object.warnings;
    this.rows.setShared(id, object);
    this.sharedByPath.set(file.path, id);
    this.sharedBySoname.set(soname, id);
    sharedObjects.push(input);
    if (position.copyNeeded) for (const name of object.needed) this.addNeeded(name, file.path, position);
  }

  /** --copy-dt-needed-entries: a library that a library needs is linked if it is used (GNU ld). */
  private addNeeded(name: ByteString, by: ByteString, position: InputPosition): void {
    if (this.sharedBySoname.has(name)) return;
    const path = this.access.needed(name);
    if (path === "") this.ctx.diag.warnOnce(messages.noNeededLibrary(name, by));
    else this.addFile(path, { ...position, asNeeded: true, static: false }, name);
  }

  /** A shared object named again: one mention without --as-needed is enough to need it. */
  private need(id: number, position: InputPosition): void {
    if (!position.asNeeded) this.rows.clear(id, OBJF_AS_NEEDED);
  }
}
