/**
 * Linker scripts among the inputs: read once, obeyed once, and their INPUT and GROUP expanded at every place they are named.
 *
 * Not here: the language (ts/script/) and what becomes of a layout (script-shape.ts). The surprise: libc.so of a C library for development
 * is such a script, so this is on the path of every ordinary link.
 */
import { ELFOSABI_FREEBSD } from "../../as-kernels/shared/elf.ts";
import type { Architecture } from "../arch/arch.ts";
import type { ByteString, InputPosition } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { foreignFile, notAScript } from "../diagnostics/foreign-file.ts";
import * as messages from "../diagnostics/input-messages.ts";
import { HostError } from "../host/host.ts";
import type { OpenFile } from "../input/input-file.ts";
import { parseInputScript, type InputScript } from "../script/input-script.ts";
import { joinLayouts, namedFiles } from "../script/layout.ts";
import { ScriptError } from "../script/lexer.ts";
import { mriScript } from "../script/mri.ts";
import { PLAIN, type InputAccess } from "./input-access.ts";

/** What takes the inputs that scripts name. */
export interface InputTaker {
  addLibrary(name: ByteString, position: InputPosition): void;
  addFile(path: ByteString, position: InputPosition, recorded: ByteString): boolean;
  addBinary(path: ByteString): void;
}

/** How a file comes to be a script: it is text among the inputs, or an option (-T, -c) says so. */
type Origin = "input" | "script" | "mri";

/** What stands for a pair of --start-lib: LIB ( … ) of any script. */
const LIB = -1;

/** Scripts in scripts: where each names the next twice, forty would be read a million million times. */
const SCRIPT_DEPTH = 10;

export class InputScripts {
  private readonly ctx: Context;
  private readonly access: InputAccess;
  private readonly taker: InputTaker;
  /** What was read, by path. */
  private readonly scripts = new Map<ByteString, InputScript>();
  /** Files that the script being read INCLUDEs. */
  private readonly included: ByteString[] = [];
  /** Scripts whose inputs are being added: one that names itself would never end. */
  private readonly expanding = new Set<ByteString>();
  /** An OUTPUT_FORMAT has been obeyed. */
  private formatKnown = false;

  constructor(ctx: Context, access: InputAccess, taker: InputTaker) {
    this.ctx = ctx;
    this.access = access;
    this.taker = taker;
  }

  /** --default-script stands in for -T; it must be there anyway (lld). */
  addDefault(): void {
    const { defaultScript, scripts } = this.ctx.options;
    if (defaultScript === "") return;
    if (scripts.length === 0) this.addOption(defaultScript);
    else if (this.findScript(defaultScript) === "") this.ctx.diag.error(messages.noScript("linker", defaultScript));
  }

  /** -T, -c. */
  addOption(path: ByteString, origin: "script" | "mri" = "script"): void {
    const found = this.findScript(path);
    // It is said of folders that they are some.
    if (found === "" && this.ctx.host.stat(path)?.kind === "directory") return void this.access.open(path);
    if (found === "") return this.ctx.diag.error(messages.noScript("linker", path));
    const file = this.access.open(found);
    if (file === null) return;
    if (file.kind === "text" || file.kind === "empty") this.add(file, PLAIN, false, origin);
    else this.ctx.diag.error(messages.notAnyScript({ path: file.path, member: "" }, foreignFile(file.head)));
    file.close();
  }

  /** False = it is for another machine and `maySkip`. */
  add(file: OpenFile, position: InputPosition, maySkip: boolean, origin: Origin = "input"): boolean {
    const { path } = file;
    if (this.expanding.has(path)) {
      this.ctx.diag.error(messages.scriptInItself(path));
      return true;
    }
    if (this.expanding.size >= SCRIPT_DEPTH) this.ctx.diag.fatal(messages.scriptsTooDeep(path));
    const script = this.scripts.get(path) ?? this.readScript(file, origin);
    if (script === null) return true;
    if (!suits(script, this.ctx.arch)) {
      if (maySkip) return false;
      this.access.reject("incompatible", { path, member: "" });
      return true;
    }
    this.access.noteLoaded(path);
    this.expanding.add(path);
    const included = this.included.splice(0);
    this.expand(script, path, position);
    for (const each of included) this.access.noteLoaded(each);
    this.expanding.delete(path);
    return true;
  }

  /**
   * A file that a layout takes sections of by its whole name is an input, named elsewhere or not (GNU ld): `boot.o(.text)`. One that is not there
   * is not missed, because lld never looks for it.
   */
  addDescribed(): void {
    const { inputs, options, script } = this.ctx;
    if (script === null) return;
    const known = new Set([...options.inputs.map(({ name }) => plainPath(name)), ...inputs.map(({ path }) => plainPath(path))]);
    for (const name of namedFiles(script)) {
      if (!known.has(plainPath(name)) && this.access.exists(name)) this.taker.addFile(name, PLAIN, name);
    }
  }

  private findScript(path: ByteString): ByteString {
    return this.access.exists(path) ? this.access.paths.path(path) : this.access.search.file(path);
  }

  private readScript(file: OpenFile, origin: Origin): InputScript | null {
    try {
      const script = parseInputScript(origin === "mri" ? this.translate(file) : file.text(), file.path, (name) => this.include(name), this.ctx.script?.regions);
      this.scripts.set(file.path, script);
      if (suits(script, this.ctx.arch)) this.obey(script);
      return script;
    } catch (error) {
      if (!(error instanceof ScriptError) && !(error instanceof HostError)) throw error;
      this.ctx.diag.error(error instanceof HostError ? messages.cannotOpen(file.path, error) : origin !== "input" ? error.said : { ...error.said, text: notAScript(error.said.text, file.head) });
      return null;
    }
  }

  private translate(file: OpenFile): ByteString {
    const { text, list, warnings } = mriScript(file.text(), file.path);
    for (const warning of warnings) this.ctx.diag.warnOnce({ code: "BAD_SCRIPT", text: warning, at: { input: file.path } });
    if (list) this.ctx.options.mapFile ||= "-";
    return text;
  }

  private include(name: ByteString): ByteString | undefined {
    const found = this.access.exists(name) ? name : this.access.search.file(name);
    if (found === "") return undefined;
    const path = this.access.paths.path(found);
    this.included.push(path);
    return this.access.text(path);
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
    if (!options.noStdlib) for (const directory of script.searchDirs) this.access.search.addDirectory(directory);
    this.obeyFormat(script.outputFormat[0]);
    if (options.entry === "") options.entry = script.entry;
    if (script.output !== "" && (options.output === "" || options.output === "a.out")) options.output = script.output;
    options.defineCommon ||= script.forceCommons;
    options.dissolveGroups ||= script.forceGroups;
    options.undefined = options.undefined.concat(script.externs);
    versionNodes.push(...script.versionNodes);
    if (script.layout === null) return;
    this.ctx.script = joinLayouts(this.ctx.script, script.layout);
  }

  private expand(script: InputScript, path: ByteString, position: InputPosition): void {
    const inputs = script.startup === null ? script.inputs : [script.startup, ...script.inputs];
    for (const input of inputs) {
      const here = { ...position, asNeeded: position.asNeeded || input.asNeeded, lib: input.lib ? LIB : position.lib };
      if (input.kind === "library") {
        this.taker.addLibrary(input.name, here);
        continue;
      }
      const found = this.access.search.fileOfScript(input.name, path);
      if (found === "") this.ctx.diag.error({ ...input.wrong(messages.noScriptFile(input.name, this.access.search.sysrootOf(path, input.name))), code: "FILE_NOT_FOUND" });
      else if (input.binary) this.taker.addBinary(found);
      else this.taker.addFile(found, here, found);
    }
  }
}

/** "a.o" and "./a.o" are one file. */
const plainPath = (path: ByteString): ByteString => path.replace(/^(\.\/+)+/, "");

/** No OUTPUT_FORMAT, or one of the machine. */
function suits(script: InputScript, { name }: Architecture): boolean {
  return script.outputFormat.length === 0 || script.outputFormat[0]!.includes(name) || ["binary", "srec", "ihex"].includes(script.outputFormat[0]!);
}
