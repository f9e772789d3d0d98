/** Walks an output .eh_frame (sdata4 pc-relative pointers only) and .eh_frame_hdr in plain TypeScript, throwing where they are wrong. */

export interface OutputFde {
  offset: number;
  cie: number;
  pc: number;
  bytes: number;
}

export interface OutputFrames {
  cies: number[];
  fdes: OutputFde[];
}

/** `address`: virtual address of the section. */
export function walkEhFrame(data: Uint8Array, address: number): OutputFrames {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const cies: number[] = [];
  const fdes: OutputFde[] = [];
  let at = 0;
  for (;;) {
    const length = view.getUint32(at, true);
    if (length === 0) break;
    if ((length + 4) % 4 !== 0) throw new Error(`record of ${length + 4} bytes at ${at}`);
    const id = view.getUint32(at + 4, true);
    if (id === 0) cies.push(at);
    else {
      const cie = at + 4 - id;
      if (!cies.includes(cie)) throw new Error(`FDE at ${at} points to ${cie}, which is no CIE`);
      fdes.push({ offset: at, cie, pc: address + at + 8 + view.getInt32(at + 8, true), bytes: view.getUint32(at + 12, true) });
    }
    at += length + 4;
  }
  if (at + 4 !== data.length) throw new Error(`terminator at ${at} of ${data.length} bytes`);
  return { cies, fdes };
}

/** Pairs of code and FDE addresses. */
export function readHdr(data: Uint8Array, address: number, frames: number): [number, number][] {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  if (view.getUint32(0, true) !== 0x3b031b01) throw new Error("header");
  if (address + 4 + view.getInt32(4, true) !== frames) throw new Error("distance to .eh_frame");
  return Array.from({ length: view.getUint32(8, true) }, (_, i) => [address + view.getInt32(12 + 8 * i, true), address + view.getInt32(16 + 8 * i, true)]);
}
