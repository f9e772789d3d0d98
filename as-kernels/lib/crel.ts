/**
 * SHT_CREL, LLVM's compact relocations, unpacked into Elf64_Rela once, when their object is loaded (generic ABI proposal
 * "CREL relocation format", as LLVM 19 writes it).
 *
 * A ULEB128 header says how many there are, whether addends follow and by how much offsets are shifted. Each entry begins with a
 * byte of flags (which of symbol, type and addend differ from the entry before) and the low bits of the offset's growth; all
 * differences are signed.
 */
import { tables } from "../shared/tables.ts";
import { report } from "./issue.ts";
import { ERR_CREL, ERR_REL_UNSUPPORTED, ISSUE_BAD_OBJECT } from "../shared/abi.ts";
import { RELA_BYTES, R_ADDEND, R_SYM, R_TYPE } from "../shared/elf.ts";

/** An entry has at least one byte. */
const MORE: u32 = 0x80;
const HAS_ADDENDS: u64 = 4;

/** Position behind the LEB128 number at `at`, 0 = it does not end before `end`. */
function lebEnd(at: u32, end: u32): u32 {
  let k = at;
  while (k < end && load<u8>(k) & MORE) k++;
  return k < end && k - at < 10 ? k + 1 : 0;
}

function uleb(at: u32, end: u32): u64 {
  let value: u64 = 0;
  let shift: u64 = 0;
  for (let k = at; k < end; k++, shift += 7) value |= <u64>(load<u8>(k) & 127) << shift;
  return value;
}

function sleb(at: u32, end: u32): u64 {
  const value = uleb(at, end);
  const bits = <u64>(end - at) * 7;
  return bits < 64 && load<u8>(end - 1) & 64 ? value | (~(<u64>0) << bits) : value;
}

/**
 * How many relocations the `bytes` bytes at `from` say they hold; 0xffffffff = they cannot, which has been reported for section
 * `row`. REL entries, without addends, do not exist on machines with RELA.
 */
export function crelCount(row: u32, from: u32, bytes: u32): u32 {
  const end = lebEnd(from, from + bytes);
  const header = end ? uleb(from, end) : 0;
  const count = header >> 3;
  const isec = tables().isec;
  if (end == 0 || count > <u64>bytes) report(ISSUE_BAD_OBJECT, isec.obj[row], row, isec.shndx[row], ERR_CREL, 0);
  else if (!(header & HAS_ADDENDS) && count) report(ISSUE_BAD_OBJECT, isec.obj[row], row, isec.shndx[row], ERR_REL_UNSUPPORTED, 0);
  else return <u32>count;
  return 0xffffffff;
}

/** Unpacks `count` relocations of section `row` from `from` to `to` and gives them to the section. */
export function unpackCrel(row: u32, from: u32, bytes: u32, to: u32, count: u32): u32 {
  const isec = tables().isec;
  const end = from + bytes;
  let at = lebEnd(from, end);
  const shift = uleb(from, at) & 3;
  let offset: u64 = 0;
  let symbol: u32 = 0;
  let type: u32 = 0;
  let addend: u64 = 0;
  let next: u32 = 0;
  isec.dynRel[row] = 0;
  isec.rela[row] = 0;
  isec.relaCount[row] = 0;
  for (let i: u32 = 0; i < count; i++) {
    if (at == 0 || at >= end) return broken(row);
    const flags = <u32>load<u8>(at++);
    offset += <u64>(flags >> 3);
    if (flags & MORE) {
      if (!(next = lebEnd(at, end))) return broken(row);
      offset += (uleb(at, next) << 4) - (MORE >> 3);
      at = next;
    }
    if (flags & 1) {
      if (!(next = lebEnd(at, end))) return broken(row);
      symbol += <u32>sleb(at, next);
      at = next;
    }
    if (flags & 2) {
      if (!(next = lebEnd(at, end))) return broken(row);
      type += <u32>sleb(at, next);
      at = next;
    }
    if (flags & 4) {
      if (!(next = lebEnd(at, end))) return broken(row);
      addend += sleb(at, next);
      at = next;
    }
    const entry = to + i * RELA_BYTES;
    store<u64>(entry, offset << shift);
    store<u32>(entry, type, R_TYPE);
    store<u32>(entry, symbol, R_SYM);
    store<u64>(entry, addend, R_ADDEND);
  }
  isec.rela[row] = to;
  isec.relaCount[row] = count;
  return count;
}

function broken(row: u32): u32 {
  const isec = tables().isec;
  report(ISSUE_BAD_OBJECT, isec.obj[row], row, isec.shndx[row], ERR_CREL, 0);
  return 0;
}
