/**
 * Finds the files a command line means and gives every object and shared object its id, in command-line order.
 *
 * Reads → writes: options.inputs, options.scripts → ctx.inputs, ctx.sources, ctx.sharedObjects, ctx.loadedFiles and the `obj`
 * table. Objects are not read beyond their ELF header; the tables of shared objects are. The surprise: an archive that is
 * named again is loaded once only, because its second copy cannot bring anything the first one does not (gcc names libgcc.a
 * four times); that changes no result and saves parsing thousands of members.
 */
import { OBJF_AS_NEEDED, OBJF_EXCLUDE_LIBS, OBJF_LAZY } from "../../as-kernels/shared/abi.ts";
import { ELFOSABI_FREEBSD, EM_X86_64 } from "../../as-kernels/shared/elf.ts";
import type { ByteString, InputArgument } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { taggedError } from "../diagnostics/error-script.ts";
import * as messages from "../diagnostics/input-messages.ts";
import { HostError } from "../host/host.ts";
import { BadArchive, indexNames, memberAt, walkArchive, type Member } from "../input/archive.ts";
import { PathRewriter } from "../input/rewrite-path.ts";
import { fileKind, type FileKind } from "../input/file-kind.ts";
import { objectOfBinary, objectOfSymbols } from "../input/made-object.ts";
import { OpenFile } from "../input/input-file.ts";
import { baseName, joinPath, parentOf, Search } from "../input/search.ts";
import { BadSharedObject, readSharedObject, type SharedObject } from "../input/shared-object.ts";
import { parseInputScript, type InputScript } from "../script/input-script.ts";
import { joinLayouts } from "../script/layout.ts";
import { ScriptError } from "../script/lexer.ts";
import { BitcodeCompiler } from "../lto/bitcode.ts";
import { SLIM_MARK } from "../lto/slim-mark.ts";
import type { ClosedArchives } from "./closed-archives.ts";
import { inputName, InputRows } from "./input-rows.ts";
import { defsymScript } from "./script-symbols.ts";

/** Options that hold at an input's place on the command line. */
type Position = Pick<InputArgument, "asNeeded" | "wholeArchive" | "static" | "lib" | "copyNeeded">;

/** gABI ch. 4, ELF Identification. */
const EI_OSABI = 7;

/** The first object in a library is for another machine. */
const INCOMPATIBLE = new Error("incompatible");
/** The archive stays closed and its first object is for this machine. */
const SEEN_ENOUGH = new Error("seen enough");

/**
 * `closed`: archives may stay closed (see ClosedArchives); null = open all. Ends the link when there is nothing to link: scripts may name
 * inputs, so only now is that known. An archive counts, even an empty one.
 */
export function loadInputs(ctx: Context, closed: ClosedArchives | null = null): void {
  ctx.script = defsymScript(ctx);
  const loader = new Loader(ctx, closed);
  if (ctx.options.justSymbols.length > 0) loader.addJustSymbols();
  const { inputs, scripts } = ctx.options;
  let at = 0;
  for (const { path, place } of scripts) {
    while (at < place) loader.addInput(inputs[at++]!);
    loader.addScriptOption(path);
  }
  while (at < inputs.length) loader.addInput(inputs[at++]!);
  loader.addDefaultScript();
  loader.addCompiled();
  for (const path of ctx.dependents?.paths ?? []) loader.addDependent(path);
  loader.rows.fillTable();
  ctx.diag.throwIfErrors();
  if (loader.rows.files === 0 && loader.archives.size === 0) ctx.diag.fatal("no input files");
}

class Loader {
  /** An OUTPUT_FORMAT has been obeyed. */
  private formatKnown = false;
  private readonly ctx: Context;
  private readonly closed: ClosedArchives | null;
  private readonly machine: number;
  private readonly search: Search;
  private readonly paths: PathRewriter;
  readonly rows: InputRows;
  /** id of the shared object, by path and by soname. */
  private readonly sharedByPath = new Map<ByteString, number>();
  private readonly sharedBySoname = new Map<ByteString, number>();
  readonly archives = new Set<ByteString>();
  private readonly scripts = new Map<ByteString, InputScript>();
  /** Files that the script being read INCLUDEs. */
  private readonly included: ByteString[] = [];
  private compiledAdded = false;
  private isDependent = false;
  private previous: InputArgument | null = null;
  private readonly openScripts = new Set<ByteString>();
  private readonly libraries = new Map<string, ByteString>();
  private readonly loaded = new Set<ByteString>();

  constructor(ctx: Context, closed: ClosedArchives | null) {
    this.ctx = ctx;
    this.closed = closed;
    closed?.closed.clear();
    this.machine = ctx.params.get("machine") || EM_X86_64;
    this.paths = new PathRewriter(ctx.options, (path) => this.mapText(path), (message) => ctx.diag.error(message));
    this.search = new Search(ctx.options, (path) => this.exists(path));
    this.rows = new InputRows(ctx);
    ctx.archives.length = 0;
  }

  addInput(input: InputArgument): void {
    const together = this.previous !== null && ((input.group !== 0 && input.group === this.previous.group) || (input.lib !== 0 && input.lib === this.previous.lib));
    if (!together) this.rows.group++;
    this.previous = input;
    if (input.format === "binary" && input.kind === "file") this.addMade(input.name, (bytes, path) => objectOfBinary(this.machine, path, bytes));
    else if (input.kind === "library") this.addLibrary(input.name, input);
    else this.addFile(input.name, input, input.name);
  }

  /** --just-symbols, and -R when it names a file and not a folder of libraries. */
  addJustSymbols(): void {
    const { options, host, diag } = this.ctx;
    for (const { path, mayBeFolder } of options.justSymbols) {
      if (mayBeFolder && !this.exists(path)) continue;
      if (mayBeFolder) options.rpath.splice(options.rpath.indexOf(path), 1);
      this.addMade(path, (bytes) => objectOfSymbols(this.machine, bytes) ?? diag.error(messages.noSymbols(path)));
    }
    // -R is what it is in the next round too.
    options.justSymbols = options.justSymbols.filter(({ mayBeFolder, path }) => !mayBeFolder || host.exists(this.paths.rooted(path))).map(({ path }) => ({ path, mayBeFolder: false }));
  }

  /** An object that is made of another file. */
  private addMade(named: ByteString, make: (bytes: Uint8Array, path: ByteString) => Uint8Array | void): void {
    const path = this.paths.path(named);
    try {
      const object = make(this.ctx.host.readAll(path), named);
      this.noteLoaded(path);
      if (object !== undefined) this.rows.add(this.ctx.host.unnamed(object), 0, object.length, path, "", 0);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.ctx.diag.error(messages.cannotOpen(path, error));
    }
  }

  /** A library that an object asks for. */
  addDependent(path: ByteString): void {
    this.rows.group++;
    this.isDependent = true;
    this.addFile(path, { asNeeded: false, wholeArchive: false, static: false, lib: 0, copyNeeded: false }, baseName(path));
    this.isDependent = false;
  }

  // ---- finding files ----

  private addLibrary(name: ByteString, position: Position): void {
    const key = `${this.isStatic(position) ? "s" : "d"}${name}`;
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
    if (!this.search.library(name, this.isStatic(position), accept)) taggedError(this.ctx, messages.noLibrary(name, skipped), "missing-lib", name);
  }

  /**
   * Loads a file; `recorded` is what DT_NEEDED says when it is a shared object without a soname. False = it is for another
   * machine and `maySkip`; every other trouble is reported here.
   */
  private addFile(named: ByteString, position: Position, recorded: ByteString, maySkip = false): boolean {
    const path = this.paths.path(named);
    if (this.addAgain(path, position)) return true;
    const file = this.open(path);
    if (file === null) return true;
    try {
      return this.addOpened(file, position, recorded, maySkip);
    } finally {
      file.close();
    }
  }

  /** Files whose second mention needs no second look. */
  private addAgain(path: ByteString, position: Position): boolean {
    const shared = this.sharedByPath.get(path);
    if (shared !== undefined && !this.isStatic(position)) {
      this.need(shared, position);
      return true;
    }
    if (position.wholeArchive || !this.archives.has(path)) return false;
    const { archives } = this.ctx;
    const before = archives.find((archive) => archive.path === path);
    if (before !== undefined) archives.push({ ...before, group: this.rows.group });
    return true;
  }

  private exists(path: ByteString): boolean {
    return this.ctx.host.exists(this.paths.rooted(path));
  }

  /** Text of a --remap-inputs-file. */
  private mapText(path: ByteString): ByteString | undefined {
    const file = this.open(path);
    if (file !== null) this.noteLoaded(path);
    const text = file?.text();
    file?.close();
    return text;
  }

  private open(path: ByteString): OpenFile | null {
    try {
      return new OpenFile(this.ctx.host, path, this.machine);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.ctx.diag.error(messages.cannotOpen(path, error));
      return null;
    }
  }

  private addOpened(file: OpenFile, position: Position, recorded: ByteString, maySkip: boolean): boolean {
    if (file.kind === "incompatible" && maySkip) return false;
    if (file.kind === "archive" || file.kind === "thin") return this.addArchive(file, position, maySkip);
    // /dev/null is a script that says nothing (lld), and so is what stands in for a library that objects ask for; any other empty regular
    // file is what a full disk or a killed compiler leaves.
    const nothing = file.kind === "empty" && (this.isDependent || this.ctx.host.stat(this.paths.rooted(file.path))?.kind !== "file");
    if (file.kind === "text" || nothing) return this.addScript(file, position, maySkip);
    this.noteLoaded(file.path);
    if (file.kind === "relocatable" || file.kind === "shared") this.noteAbi(file.head[EI_OSABI]!);
    if (file.kind === "bitcode") this.addBitcode(file.path, 0, file.size, file.path, "", position.lib !== 0 ? OBJF_LAZY : 0);
    else if (file.kind === "relocatable") this.addObject(file.path, 0, file.size, file.path, "", position.lib !== 0 ? OBJF_LAZY : 0);
    else if (file.kind === "shared") this.addShared(file, position, recorded);
    else this.reject(file.kind, file.path);
    return true;
  }

  /** Without -m the output is for the system that the first input names (lld). */
  private noteAbi(osabi: number): void {
    if (this.ctx.osabi === 0 && this.ctx.options.emulation === "") this.ctx.osabi = osabi;
  }

  private reject(kind: FileKind, name: ByteString): void {
    const { diag, options } = this.ctx;
    if (kind === "incompatible") diag.error(messages.incompatible(name, options.emulation || "elf_x86_64"));
    else if (kind === "empty") diag.error(messages.empty(name));
    else if (kind === "truncated") diag.error(messages.truncated(name));
    else if (kind === "no-class") diag.error(messages.corruptElf(name, "file class"));
    else if (kind === "no-byte-order") diag.error(messages.corruptElf(name, "data encoding"));
    else if (kind === "elf") diag.error(messages.notLinkable(name));
    else diag.error(messages.unknownType(name));
  }

  private noteLoaded(path: ByteString): void {
    if (this.loaded.has(path)) return;
    this.loaded.add(path);
    this.ctx.loadedFiles.push(path);
  }

  private isStatic(position: Position): boolean {
    return position.static || this.ctx.options.relocatable;
  }

  // ---- objects and archives ----

  private addObject(source: ByteString, offset: number, bytes: number, path: ByteString, member: ByteString, flags: number): number {
    const { lto } = this.ctx;
    if (lto !== null) {
      const claim = lto.claim(this.ctx, source, offset, bytes);
      if (claim === "gone") {
        if ((flags & OBJF_LAZY) === 0) this.addCompiled();
        return 0;
      }
      if (claim !== null) return this.rows.add(claim.path, 0, claim.bytes, path, member, flags);
    }
    return this.rows.add(source, offset, bytes, path, member, flags);
  }

  private addBitcode(source: ByteString, offset: number, bytes: number, path: ByteString, member: ByteString, flags: number): void {
    const name = inputName({ path, member });
    const compiler = (this.ctx.bitcode ??= new BitcodeCompiler());
    const object = compiler.compile(this.ctx, source, offset, bytes, name);
    if (object !== null) this.rows.add(object.path, 0, object.bytes, path, member, flags);
    else if ((flags & OBJF_LAZY) === 0) this.ctx.diag.error(messages.bitcode(name));
    else this.ctx.diag.warn(messages.lazyBitcode(name));
  }

  /** What lto-wrapper made, in the place of the first object it was made of. */
  addCompiled(): void {
    const objects = this.compiledAdded ? [] : (this.ctx.lto?.objects ?? []);
    this.compiledAdded = true;
    for (const path of objects) {
      const file = this.open(path);
      if (file !== null) this.rows.add(path, 0, file.size, path, "", 0);
      file?.close();
    }
  }

  private addArchive(file: OpenFile, position: Position, maySkip: boolean): boolean {
    const { diag } = this.ctx;
    const flags = (position.wholeArchive ? 0 : OBJF_LAZY) | (this.isExcluded(file.path) ? OBJF_EXCLUDE_LIBS : 0);
    const thin = file.kind === "thin";
    const stays = this.staysClosed(file, flags);
    let objects = 0;
    const counted = { path: file.path, members: 0, group: this.rows.group };
    if (!position.wholeArchive && (this.ctx.options.printArchiveStats !== "" || this.ctx.options.warnBackrefs)) this.ctx.archives.push(counted);
    try {
      walkArchive(file, thin, (member) => {
        counted.members++;
        if (stays && objects > 0) throw SEEN_ENOUGH;
        if (thin) return this.addThinMember(file.path, member, flags);
        const kind = fileKind(member.head, member.headAt, member.headEnd, this.machine);
        if (kind === "incompatible" && objects === 0 && maySkip) throw INCOMPATIBLE;
        if (kind === "relocatable" || kind === "bitcode" || kind === "incompatible") objects++;
        if (kind === "relocatable") this.noteAbi(member.head[member.headAt + EI_OSABI]!);
        if (stays && kind !== "incompatible" && objects > 0) return;
        this.addMember(kind, file.path, member.offset, member.bytes, file.path, member.name, flags);
      });
    } catch (error) {
      if (error === INCOMPATIBLE) return false;
      if (error === SEEN_ENOUGH) return this.archiveDone(file.path);
      if (!(error instanceof BadArchive) && !(error instanceof HostError)) throw error;
      diag.error(messages.badArchive(file.path, error.message));
    }
    return this.archiveDone(file.path);
  }

  private archiveDone(path: ByteString): true {
    this.archives.add(path);
    this.noteLoaded(path);
    return true;
  }

  /** Is the archive left closed in this round? Notes its index if so. */
  private staysClosed(file: OpenFile, flags: number): boolean {
    if (this.closed === null || (flags & OBJF_LAZY) === 0 || file.kind === "thin" || this.closed.opened.has(file.path)) return false;
    const names = indexNames(file);
    // Slim LTO objects are known by their mark only.
    if (names === null || names.includes(SLIM_MARK)) return false;
    this.closed.closed.set(file.path, names);
    return true;
  }

  private isExcluded(archive: ByteString): boolean {
    const { excludeLibs } = this.ctx.options;
    if (excludeLibs.length === 0) return false;
    const name = baseName(archive);
    return excludeLibs.some((excluded) => excluded === "ALL" || excluded === name || `${excluded}.a` === name);
  }

  private addMember(kind: FileKind, source: ByteString, offset: number, bytes: number, archive: ByteString, member: ByteString, flags: number): void {
    if (kind === "bitcode") return this.addBitcode(source, offset, bytes, archive, member, flags);
    if (kind === "relocatable") {
      this.addObject(source, offset, bytes, archive, member, flags);
      return;
    }
    const name = `${archive}(${member})`;
    const { diag } = this.ctx;
    if ((flags & OBJF_LAZY) === 0 && (kind === "text" || kind === "other")) diag.error(messages.notElf(name));
    else if (kind === "incompatible" || (flags & OBJF_LAZY) === 0) this.reject(kind, name);
    else diag.warn(messages.oddMember(archive, member));
  }

  /** A thin archive names its members' files, relative to itself, or members of archives. */
  private addThinMember(archive: ByteString, member: Member, flags: number): void {
    const path = member.name.startsWith("/") ? member.name : joinPath(parentOf(archive), member.name);
    const name = baseName(member.name);
    let file: OpenFile | undefined;
    try {
      file = new OpenFile(this.ctx.host, this.paths.path(path), this.machine);
      this.noteLoaded(path);
      if (member.nested < 0) {
        this.addMember(file.kind, path, 0, file.size, archive, name, flags);
        return;
      }
      const inner = memberAt(file, member.nested);
      const kind = fileKind(inner.head, inner.headAt, inner.headEnd, this.machine);
      this.addMember(kind, path, inner.offset, inner.bytes, archive, name, flags);
    } catch (error) {
      if (!(error instanceof HostError) && !(error instanceof BadArchive)) throw error;
      this.ctx.diag.error(messages.thinMember(archive, member.name, error));
    } finally {
      file?.close();
    }
  }

  // ---- shared objects ----

  private addShared(file: OpenFile, position: Position, recorded: ByteString): void {
    const { arena, diag, options, sharedObjects } = this.ctx;
    if (this.isStatic(position)) {
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
    const id = this.rows.add(file.path, 0, file.size, file.path, "", position.asNeeded ? OBJF_AS_NEEDED : 0);
    const input = this.ctx.inputs[id]!;
    input.soname = soname;
    input.needed = object.needed;
    input.versions = object.versions;
    this.rows.setShared(id, object);
    this.sharedByPath.set(file.path, id);
    this.sharedBySoname.set(soname, id);
    sharedObjects.push(input);
    if (position.copyNeeded) for (const name of object.needed) this.addNeeded(name, file.path, position);
  }

  /** --copy-dt-needed-entries: a library that a library needs is linked if it is used (GNU ld). */
  private addNeeded(name: ByteString, by: ByteString, position: Position): void {
    if (this.sharedBySoname.has(name)) return;
    const { options, host, diag } = this.ctx;
    const folders = [...options.rpathLink, ...options.rpath, host.env("LD_LIBRARY_PATH") ?? ""].flatMap((list) => list.split(":")).filter((folder) => folder !== "");
    const near = name.includes("/") ? name : folders.map((folder) => joinPath(this.search.inSysroot(folder), name)).find((path) => this.exists(path));
    const path = near ?? this.search.file(name);
    if (path === "") diag.warn(`${name}, needed by ${by}, not found (try using -rpath or -rpath-link)`);
    else this.addFile(path, { ...position, asNeeded: true, static: false }, name);
  }

  /** A shared object named again: one mention without --as-needed is enough to need it. */
  private need(id: number, position: Position): void {
    if (!position.asNeeded) this.rows.clear(id, OBJF_AS_NEEDED);
  }

  // ---- scripts ----

  /** --default-script stands in for -T; it must be there anyway (lld). */
  addDefaultScript(): void {
    const { defaultScript, scripts } = this.ctx.options;
    if (defaultScript === "") return;
    if (scripts.length === 0) this.addScriptOption(defaultScript);
    else if (this.findScript(defaultScript) === "") this.ctx.diag.error(messages.noScript(defaultScript));
  }

  private findScript(path: ByteString): ByteString {
    return this.exists(path) ? this.paths.path(path) : this.search.file(path);
  }

  /** -T */
  addScriptOption(path: ByteString): void {
    const position = { asNeeded: false, wholeArchive: false, static: false, lib: 0, copyNeeded: false };
    const found = this.findScript(path);
    if (found === "") return this.ctx.diag.error(messages.noScript(path));
    const file = this.open(found);
    if (file === null) return;
    if (file.kind === "text") this.addScript(file, position, false);
    else this.ctx.diag.error(messages.unknownType(file.path));
    file.close();
  }

  private addScript(file: OpenFile, position: Position, maySkip: boolean): boolean {
    const { path } = file;
    if (this.openScripts.has(path)) {
      this.ctx.diag.error(messages.scriptInItself(path));
      return true;
    }
    const script = this.scripts.get(path) ?? this.readScript(file);
    if (script === null) return true;
    if (!suits(script)) {
      if (maySkip) return false;
      this.ctx.diag.error(messages.incompatible(path, this.ctx.options.emulation || "elf_x86_64"));
      return true;
    }
    this.noteLoaded(path);
    this.openScripts.add(path);
    const included = this.included.splice(0);
    this.expand(script, path, position);
    for (const each of included) this.noteLoaded(each);
    this.openScripts.delete(path);
    return true;
  }

  private readScript(file: OpenFile): InputScript | null {
    try {
      const script = parseInputScript(file.text(), file.path, (name) => this.include(name));
      this.scripts.set(file.path, script);
      if (suits(script)) this.obey(script);
      return script;
    } catch (error) {
      if (!(error instanceof ScriptError) && !(error instanceof HostError)) throw error;
      this.ctx.diag.error(error instanceof HostError ? messages.cannotOpen(file.path, error) : error.message);
      return null;
    }
  }

  private include(name: ByteString): ByteString | undefined {
    const found = this.exists(name) ? name : this.search.file(name);
    if (found === "") return undefined;
    const path = this.paths.path(found);
    const file = this.open(path);
    this.included.push(path);
    const text = file?.text();
    file?.close();
    return text;
  }

  /** The first OUTPUT_FORMAT counts. */
  private obeyFormat(format: ByteString | undefined): void {
    if (format === undefined || this.formatKnown) return;
    this.formatKnown = true;
    if (format === "srec" || format === "ihex") this.ctx.options.hexFormat = format;
    if (format === "binary" || this.ctx.options.hexFormat !== "") this.ctx.options.binary = true;
    if (format.endsWith("-freebsd")) this.ctx.osabi = ELFOSABI_FREEBSD;
  }

  /** Commands that stand for options; the command line wins. */
  private obey(script: InputScript): void {
    const { options, versionNodes } = this.ctx;
    if (!options.noStdlib) for (const directory of script.searchDirs) this.search.addDirectory(directory);
    this.obeyFormat(script.outputFormat[0]);
    if (options.entry === "") options.entry = script.entry;
    if (script.output !== "" && (options.output === "" || options.output === "a.out")) options.output = script.output;
    options.undefined.push(...script.externs);
    versionNodes.push(...script.versionNodes);
    if (script.layout === null) return;
    this.ctx.script = joinLayouts(this.ctx.script, script.layout);
  }

  private expand(script: InputScript, path: ByteString, position: Position): void {
    const inputs = script.startup === null ? script.inputs : [script.startup, ...script.inputs];
    for (const input of inputs) {
      const here = { ...position, asNeeded: position.asNeeded || input.asNeeded };
      if (input.kind === "library") {
        this.addLibrary(input.name, here);
        continue;
      }
      const found = this.search.fileOfScript(input.name, path);
      if (found === "") this.ctx.diag.error(input.wrong(messages.noScriptFile(input.name, this.search.sysrootOf(path, input.name))));
      else this.addFile(found, here, found);
    }
  }

}

/** No OUTPUT_FORMAT, or one for x86-64. */
function suits(script: InputScript): boolean {
  return script.outputFormat.length === 0 || /x86-64|^(binary|srec|ihex)$/.test(script.outputFormat[0]!);
}
