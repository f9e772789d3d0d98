/**
 * Archives among the inputs: their members become objects, unless the archive may stay closed (closed-archives.ts).
 *
 * The surprise: an archive that is named again is loaded once only, because its second copy cannot bring anything the first one does not
 * (gcc names libgcc.a four times); that changes no result and saves parsing thousands of members.
 */
import { OBJF_EXCLUDE_LIBS, OBJF_LAZY } from "../../as-kernels/shared/abi.ts";
import type { ByteString, InputPosition } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import * as messages from "../diagnostics/input-messages.ts";
import { HostError } from "../host/host.ts";
import { BadArchive, memberAt, symbolIndex, walkArchive, type Member } from "../input/archive.ts";
import { fileKind, type FileKind } from "../input/file-kind.ts";
import { OpenFile, type InputPart } from "../input/input-file.ts";
import { baseName, joinPath, parentOf } from "../input/search.ts";
import type { ClosedArchives } from "./closed-archives.ts";
import type { InputAccess } from "./input-access.ts";
import type { InputObjects } from "./input-objects.ts";
import type { InputRows } from "./input-rows.ts";
import type { ScannedArchives } from "./scanned-archives.ts";
import type { WalkedArchive, WalkedArchives } from "./walk-archives.ts";

/** Kernels look at words. */
const MARGIN = 16;
/** Thrown, and no Error, because that would cost the place where it was made. The first object in a library is for another machine. */
const INCOMPATIBLE = Symbol("incompatible");
/** The archive stays closed and its first object is for this machine. */
const SEEN_ENOUGH = Symbol("seen enough");

export class InputArchives {
  private readonly ctx: Context;
  private readonly closed: ClosedArchives | null;
  private readonly access: InputAccess;
  private readonly rows: InputRows;
  private readonly objects: InputObjects;
  private readonly seen = new Set<ByteString>();
  private readonly excluded: ReadonlySet<ByteString>;
  /** Archives whose members are found later, by threads. */
  walked: WalkedArchives | null = null;

  constructor(ctx: Context, closed: ClosedArchives | null, access: InputAccess, rows: InputRows, objects: InputObjects) {
    this.ctx = ctx;
    this.closed = closed;
    this.access = access;
    this.rows = rows;
    this.objects = objects;
    this.excluded = new Set(ctx.options.excludeLibs);
    closed?.closed.clear();
    ctx.archives.length = 0;
  }

  /** Archives that were found. */
  get count(): number {
    return this.seen.size;
  }

  /** Is this a mention that brings nothing new? Every mention counts in reports. */
  addAgain(path: ByteString, position: InputPosition): boolean {
    if (position.wholeArchive || !this.seen.has(path)) return false;
    const { archives } = this.ctx;
    const before = archives.find((archive) => archive.path === path);
    if (before !== undefined) archives.push({ ...before, group: this.rows.group });
    return true;
  }

  /** False = it is for another machine and `maySkip`. */
  add(file: OpenFile, position: InputPosition, maySkip: boolean): boolean {
    const flags = (position.wholeArchive ? 0 : OBJF_LAZY) | (this.isExcluded(file.path) ? OBJF_EXCLUDE_LIBS : 0);
    const scanned = this.closed?.scanned;
    if ((flags & OBJF_LAZY) !== 0 && scanned?.has(file.path)) return this.addScanned(file.path, scanned, flags);
    if (this.walked?.take(file, flags, this.access.machine, maySkip) === true) return this.archiveDone(file.path);
    return this.walk(file, flags, maySkip);
  }

  /** One that was to be found later, and is odd. */
  addOdd({ path, flags, group }: WalkedArchive): void {
    this.rows.group = group;
    const file = this.access.open(path);
    if (file !== null) this.walk(file, flags, false);
    file?.close();
  }

  private walk(file: OpenFile, flags: number, maySkip: boolean): boolean {
    const { diag } = this.ctx;
    const thin = file.kind === "thin";
    const stays = this.staysClosed(file, flags);
    let objects = 0;
    const counted = { path: file.path, members: 0, group: this.rows.group };
    if ((flags & OBJF_LAZY) !== 0 && (this.ctx.options.printArchiveStats !== "" || this.ctx.options.warnBackrefs)) this.ctx.archives.push(counted);
    try {
      walkArchive(file, thin, (member) => {
        counted.members++;
        if (stays && objects > 0) throw SEEN_ENOUGH;
        if (thin) return this.addThinMember(file.path, member, flags);
        const kind = fileKind(member.head, member.headAt, member.headEnd, this.access.machine);
        if (kind === "incompatible" && objects === 0 && maySkip) throw INCOMPATIBLE;
        if (kind === "relocatable" || kind === "bitcode" || kind === "incompatible") objects++;
        if (stays && kind !== "incompatible" && objects > 0) return;
        this.addMember(kind, { source: file.path, offset: member.offset, bytes: member.bytes, path: file.path, member: member.name }, flags, member);
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
    this.seen.add(path);
    this.access.noteLoaded(path);
    return true;
  }

  /** Is the archive left closed in this round? Notes its index if so. */
  private staysClosed(file: OpenFile, flags: number): boolean {
    if (this.closed === null || (flags & OBJF_LAZY) === 0 || file.kind === "thin" || this.closed.opened.has(file.path)) return false;
    const index = symbolIndex(file);
    if (index === null) return false;
    const { arena } = this.ctx;
    const { at, bytes, wordBytes } = index;
    const address = arena.alloc(bytes + MARGIN);
    const words = arena.bytes(address, bytes);
    if (file.read(words, at) < bytes) return false;
    // Of a 64-bit count the lower half: there are not as many bytes.
    const count = ((words[wordBytes - 4]! << 24) | (words[wordBytes - 3]! << 16) | (words[wordBytes - 2]! << 8) | words[wordBytes - 1]!) >>> 0;
    const offsets = wordBytes * (1 + count);
    if (offsets > bytes) return false;
    this.closed.closed.set(file.path, { count, names: address + offsets, namesBytes: bytes - offsets, bytes: file.size });
    return true;
  }

  /** Loads those members of an archive that can have a say in the link. */
  private addScanned(path: ByteString, scanned: ScannedArchives, flags: number): true {
    try {
      scanned.forNeeded(path, ({ name, offset, bytes }) => this.objects.addObject({ source: path, offset, bytes, path, member: name }, flags));
    } catch (error) {
      if (!(error instanceof BadArchive)) throw error;
      this.ctx.diag.error(messages.badArchive(path, error.message));
    }
    return this.archiveDone(path);
  }

  private isExcluded(archive: ByteString): boolean {
    const { excluded } = this;
    if (excluded.size === 0) return false;
    const name = baseName(archive);
    return excluded.has("ALL") || excluded.has(name) || (name.endsWith(".a") && excluded.has(name.slice(0, -2)));
  }

  /** `first`: the first bytes of the member. */
  private addMember(kind: FileKind, part: InputPart, flags: number, first: Pick<Member, "head" | "headAt" | "headEnd">): void {
    if (kind === "bitcode") return this.objects.addBitcode(part, flags);
    if (kind === "relocatable") return this.objects.addObject(part, flags);
    const { diag } = this.ctx;
    if ((flags & OBJF_LAZY) === 0 && (kind === "text" || kind === "other")) diag.error(messages.notElf(part));
    else if (kind === "incompatible" || (flags & OBJF_LAZY) === 0) this.access.reject(kind, part, first.head.subarray(first.headAt, first.headEnd));
    else diag.warnOnce(messages.oddMember(part));
  }

  /** A thin archive names its members' files, relative to itself, or members of archives. */
  private addThinMember(archive: ByteString, member: Member, flags: number): void {
    const path = member.name.startsWith("/") ? member.name : joinPath(parentOf(archive), member.name);
    const name = baseName(member.name);
    let file: OpenFile | undefined;
    try {
      file = new OpenFile(this.ctx.host, this.access.paths.path(path), this.access.machine);
      this.access.noteLoaded(path);
      if (member.nested < 0) {
        this.addMember(file.kind, { source: path, offset: 0, bytes: file.size, path: archive, member: name }, flags, { head: file.head, headAt: 0, headEnd: file.headBytes });
        return;
      }
      const inner = memberAt(file, member.nested);
      const kind = fileKind(inner.head, inner.headAt, inner.headEnd, this.access.machine);
      this.addMember(kind, { source: path, offset: inner.offset, bytes: inner.bytes, path: archive, member: name }, flags, inner);
    } catch (error) {
      if (!(error instanceof HostError) && !(error instanceof BadArchive)) throw error;
      this.ctx.diag.error(messages.thinMember(archive, member.name, error));
    } finally {
      file?.close();
    }
  }
}
