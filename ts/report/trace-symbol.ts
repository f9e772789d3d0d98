/**
 * -y SYMBOL: who mentions, offers and defines a symbol, in the order in which resolution met it (lld's words and order).
 *
 * Replays resolution for the traced names only: resolve-symbols left the order in which objects joined the link (obj.seq), when it was
 * done with them (obj.done) and which reference extracted them (obj.whyObj, obj.whySym). Runs before --wrap redirects mentions.
 */
import { OBJ_INTERNAL, OBJ_SHARED, OBJF_LAZY } from "../../as-kernels/shared/abi.ts";
import { SHN_COMMON, SHN_UNDEF, STB_GLOBAL, STB_WEAK, STV_DEFAULT, SYM_BYTES } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { displaySymbol, fileName, rawSymbol } from "../diagnostics/place.ts";
import { pushTo } from "../memory/lists.ts";
import { extractedObjects } from "./why-extract.ts";

interface State {
  kind: "none" | "undefined" | "lazy" | "shared" | "common" | "defined";
  bind: number;
  vis: number;
}

interface Mention {
  sym: number;
  shndx: number;
  bind: number;
  vis: number;
}

/** Lines such as `a.o: reference to foo`. */
export function tracedSymbols(ctx: Context): ByteString[] {
  const replay = new Replay(ctx);
  const { obj } = ctx.tables;
  for (let id = 1; id < obj.rows; id++) {
    if (obj.kind[id] === OBJ_SHARED) replay.shared(id);
    else if ((obj.flags[id]! & OBJF_LAZY) !== 0) replay.lazy(id);
    else replay.object(id);
  }
  for (const id of extractedObjects(ctx)) replay.object(id);
  replay.defineCommons();
  return replay.lines;
}

class Replay {
  readonly lines: ByteString[] = [];
  private readonly ctx: Context;
  private readonly states = new Map<number, State>();
  /** Members that references of an object extract, by object, in order. */
  private readonly extracts = new Map<number, number[]>();
  private readonly seen = new Set<number>();

  constructor(ctx: Context) {
    this.ctx = ctx;
    const { obj } = ctx.tables;
    for (const name of ctx.options.traceSymbols) this.states.set(ctx.lookup(name), { kind: "none", bind: STB_GLOBAL, vis: STV_DEFAULT });
    this.states.delete(0);
    for (const id of [...ctx.objects].filter((each) => obj.whySym[each] !== 0)) {
      const by = obj.whyObj[id]!;
      // Only while its references were looked at; later the member itself asked.
      if (by === 0 || obj.kind[by] !== OBJ_SHARED && obj.done[by]! < obj.done[id]!) continue;
      pushTo(this.extracts, by, id);
    }
  }

  /** An object that is part of the link, and the members that it extracts, and those that they do: as many deep as there are. */
  object(id: number): void {
    for (const inside = [this.steps(id)]; inside.length > 0; ) {
      const { value, done } = inside.at(-1)!.next();
      if (done) inside.pop();
      else inside.push(this.steps(value));
    }
  }

  /** Definitions, then references, each of which may extract a member, which comes next. */
  private *steps(id: number): Generator<number, void> {
    if (this.seen.has(id)) return;
    this.seen.add(id);
    const isInternal = this.ctx.tables.obj.kind[id] === OBJ_INTERNAL;
    for (const mention of this.mentions(id)) if (mention.shndx !== SHN_UNDEF) this.define(id, mention);
    const waiting = [...(this.extracts.get(id) ?? [])];
    for (const mention of isInternal ? this.wanted(id) : this.mentions(id, waiting)) {
      if (mention.shndx !== SHN_UNDEF) continue;
      this.refer(id, mention);
      while (waiting.length > 0 && this.ctx.tables.obj.whySym[waiting[0]!] === mention.sym) yield waiting.shift()!;
    }
    yield* waiting;
  }

  shared(id: number): void {
    const waiting = [...(this.extracts.get(id) ?? [])];
    for (const mention of this.mentions(id, waiting)) {
      if (mention.shndx !== SHN_UNDEF) {
        this.share(id, mention);
        continue;
      }
      this.refer(id, mention);
      if (this.ctx.tables.obj.whySym[waiting[0] ?? 0] === mention.sym && mention.bind !== STB_WEAK) this.object(waiting.shift()!);
    }
  }

  /** A member offers its definitions, or is taken at once when one of them is wanted already. */
  lazy(id: number): void {
    const { whySym, whyObj, done } = this.ctx.tables.obj;
    const by = whyObj[id]!;
    const atOnce = whySym[id] !== 0 && !this.seen.has(id) && by !== 0 && by < id && this.ctx.tables.obj.kind[by] !== OBJ_SHARED && done[by]! < done[id]!;
    for (const { sym, shndx } of this.mentions(id, atOnce ? [id] : [])) {
      if (shndx === SHN_UNDEF) continue;
      if (atOnce && sym === whySym[id]) return this.object(id);
      const state = this.states.get(sym);
      if (state === undefined || (state.kind !== "none" && !(state.kind === "undefined" && state.bind === STB_WEAK))) continue;
      state.kind = "lazy";
      this.say(id, "lazy definition of", sym);
    }
  }

  /** Common symbols that are left get their space. */
  defineCommons(): void {
    for (const [sym, { kind }] of this.states) if (kind === "common") this.say(this.ctx.tables.gsym.obj[sym]!, "definition of", sym);
  }

  private define(id: number, { sym, shndx, bind, vis }: Mention): void {
    const state = this.states.get(sym);
    if (state === undefined) return;
    if (vis !== STV_DEFAULT) state.vis = vis;
    const isCommon = shndx === SHN_COMMON;
    const strong = state.kind === "defined" && state.bind !== STB_WEAK;
    const replaces = isCommon ? !strong && state.kind !== "common" : state.kind === "common" ? bind !== STB_WEAK : state.kind !== "defined" || (state.bind !== STB_GLOBAL && bind === STB_GLOBAL);
    if (!replaces) return;
    Object.assign(state, { kind: isCommon ? "common" : "defined", bind });
    this.say(id, isCommon ? "common definition of" : "definition of", sym);
  }

  private refer(id: number, { sym, bind, vis }: Mention): void {
    const state = this.states.get(sym);
    if (state === undefined) return;
    if (state.kind === "none") Object.assign(state, { kind: "undefined", bind });
    else if (state.kind === "shared" && vis !== STV_DEFAULT) state.kind = "undefined";
    else if (state.kind === "undefined" && bind !== STB_WEAK) state.bind = bind;
    if (vis !== STV_DEFAULT) state.vis = vis;
    this.say(id, "reference to", sym);
  }

  private share(id: number, { sym, bind }: Mention): void {
    const state = this.states.get(sym);
    if (state === undefined) return;
    this.say(id, "shared definition of", sym);
    if (state.kind === "none") Object.assign(state, { kind: "shared", bind });
    else if ((state.kind === "undefined" || state.kind === "lazy") && state.vis === STV_DEFAULT) state.kind = "shared";
  }

  /** Symbol-table entries that mean a traced symbol, or the reason of one of `members`. */
  private *mentions(id: number, members: readonly number[] = []): Generator<Mention> {
    const { obj, esym } = this.ctx.tables;
    const also = new Set(members.map((member) => obj.whySym[member]!));
    for (let i = obj.kind[id] === OBJ_SHARED ? 1 : Math.max(1, obj.firstGlobal[id]!); i < obj.esymCount[id]!; i++) {
      const sym = esym.sym[obj.esymBase[id]! + i]!;
      if (!this.states.has(sym) && !also.has(sym)) continue;
      const raw = rawSymbol(this.ctx, id, i);
      const vis = this.ctx.arena.u8[obj.symtab[id]! + SYM_BYTES * i + 5]! & 3;
      if (raw !== null && obj.kind[id] !== OBJ_INTERNAL) yield { sym, shndx: raw.shndx, bind: raw.bind, vis };
    }
  }

  /** -u and names that scripts refer to. */
  private *wanted(id: number): Generator<Mention> {
    const { options, expressionNames } = this.ctx;
    for (const name of [...options.undefined, ...expressionNames]) {
      const sym = this.ctx.lookup(name);
      if (id === 1 && this.states.has(sym)) yield { sym, shndx: SHN_UNDEF, bind: STB_GLOBAL, vis: STV_DEFAULT };
    }
  }

  private say(id: number, what: string, sym: number): void {
    this.lines.push(`${fileName(this.ctx, id)}: ${what} ${displaySymbol(this.ctx, sym)}`);
  }
}
