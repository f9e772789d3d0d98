/**
 * Reading a CIE as far as the encoding of its FDEs' code addresses (Linux Standard Base core, ch. 10.6.1.1), for .eh_frame_hdr.
 *
 * Complaints are lld's, with the offset of the byte they are about. Nothing behind the 'R' of the augmentation is looked at.
 */
import { tables } from "../shared/tables.ts";
import { report } from "./issue.ts";
import {
  ERR_CIE_ALIGNED, ERR_CIE_CUT, ERR_CIE_END, ERR_CIE_ENCODING, ERR_CIE_LEB, ERR_CIE_LETTER, ERR_CIE_SMALL, ERR_CIE_STRING, ERR_CIE_VERSION,
  ISSUE_BAD_EH_FRAME,
} from "../shared/abi.ts";

// DW_EH_PE_*: the low four bits say how a value is stored, the next three what it is relative to
const DW_EH_PE_absptr: u32 = 0;
const DW_EH_PE_udata2: u32 = 2;
const DW_EH_PE_udata4: u32 = 3;
const DW_EH_PE_udata8: u32 = 4;
const DW_EH_PE_signed: u32 = 8;
const DW_EH_PE_sdata2: u32 = 10;
const DW_EH_PE_sdata4: u32 = 11;
const DW_EH_PE_sdata8: u32 = 12;
const DW_EH_PE_aligned: u32 = 0x50;

/** Length word of a record whose length follows in 64 bits. */
export const LONG_FORM: u32 = 0xffffffff;

/** Bytes before the CIE id of the record at `ptr`. */
// @ts-ignore: decorator
@inline
export function idOffset(ptr: u32): u32 {
  return load<u32>(ptr) == LONG_FORM ? 12 : 4;
}

/** Bytes of a pointer stored as `enc`; 0 = unknown. */
export function encodedBytes(enc: u32): u32 {
  const form = enc & 15;
  if (form == DW_EH_PE_absptr || form == DW_EH_PE_udata8 || form == DW_EH_PE_sdata8) return 8;
  if (form == DW_EH_PE_udata4 || form == DW_EH_PE_sdata4) return 4;
  return form == DW_EH_PE_udata2 || form == DW_EH_PE_sdata2 ? 2 : 0;
}

/** Reports what is wrong at `at` of the record `row`, which begins at `ptr`. Returns 0, no position. */
function bad(row: u32, ptr: u32, at: u32, detail: u32, value: u64): u32 {
  const rec = tables().ehrec;
  const i = rec.isec[row];
  report(ISSUE_BAD_EH_FRAME, tables().isec.obj[i], i, rec.inOffset[row] + (at - ptr), detail, value);
  return 0;
}

/** Position behind the LEB128 number at `at`; 0 = it does not end (reported). */
function skipLeb(row: u32, ptr: u32, at: u32, end: u32): u32 {
  for (let to = at; to < end; to++) if (!(load<u8>(to) & 0x80)) return to + 1;
  return bad(row, ptr, at, ERR_CIE_LEB, 0);
}

/** Position behind the encoding byte and the pointer to the personality routine at `at`; 0 = reported. */
function skipPersonality(row: u32, ptr: u32, at: u32, end: u32): u32 {
  if (at >= end) return bad(row, ptr, at, ERR_CIE_END, 0);
  const enc = <u32>load<u8>(at);
  if ((enc & 0xf0) == DW_EH_PE_aligned) return bad(row, ptr, at, ERR_CIE_ALIGNED, 0);
  const bytes: u32 = (enc & 15) == DW_EH_PE_signed ? 8 : encodedBytes(enc);
  if (bytes == 0) return bad(row, ptr, at, ERR_CIE_ENCODING, 0);
  return bytes >= end - (at + 1) ? bad(row, ptr, at, ERR_CIE_CUT, 0) : at + 1 + bytes;
}

/** First bytes of the string at `at`, for the message. */
function firstBytes(at: u32): u64 {
  let value: u64 = 0;
  for (let k: u32 = 0; k < 8 && load<u8>(at + k) != 0; k++) value |= <u64>load<u8>(at + k) << (k << 3);
  return value;
}

/** The encoding of code addresses in the FDEs of the CIE `row`, which lies at `ptr`; its id ends at `at`. What is broken is reported. */
export function fdeEncoding(row: u32, ptr: u32, at: u32): u32 {
  const end = ptr + tables().ehrec.size[row];
  if (at > end) return bad(row, ptr, ptr, ERR_CIE_SMALL, 0);
  if (at == end) return bad(row, ptr, at, ERR_CIE_END, 0);
  const version = <u32>load<u8>(at);
  if (version != 1 && version != 3) return bad(row, ptr, at, ERR_CIE_VERSION, <u64>version);
  const letters = at + 1;
  at = letters;
  while (at < end && load<u8>(at)) at++;
  if (at == end) return bad(row, ptr, letters, ERR_CIE_STRING, 0);
  at++;
  for (let k = 0; k < 2; k++) {
    at = skipLeb(row, ptr, at, end); // alignment factors of code and data
    if (!at) return DW_EH_PE_absptr;
  }
  if (version == 3) at = skipLeb(row, ptr, at, end); // return address register
  else at = at == end ? bad(row, ptr, at, ERR_CIE_END, 0) : at + 1;
  for (let letter = letters; at && load<u8>(letter); letter++) {
    const c = <u32>load<u8>(letter);
    if (c == 0x52 /* R */) return at == end ? bad(row, ptr, at, ERR_CIE_END, 0) : <u32>load<u8>(at);
    if (c == 0x7a /* z */) at = skipLeb(row, ptr, at, end);
    else if (c == 0x50 /* P */) at = skipPersonality(row, ptr, at, end);
    else if (c == 0x4c /* L */) at = at == end ? bad(row, ptr, at, ERR_CIE_END, 0) : at + 1;
    else if (c != 0x42 /* B */ && c != 0x53 /* S */ && c != 0x47 /* G */) return bad(row, ptr, letters, ERR_CIE_LETTER, firstBytes(letters));
  }
  return DW_EH_PE_absptr;
}
