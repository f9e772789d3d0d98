/**
 * Columns of the tables: typed arrays over shared memory, as kernels see them.
 *
 * A column is nothing but its address, so `col[i]` compiles to one load. Not bounds-checked: the row count is in the table's
 * header and every loop takes its range from there. Narrow columns take u32 and keep the low bits, so that the shared constants
 * (i32 to asc) go in without a cast.
 */

@unmanaged @final
export class U8Col {
  [key: u32]: u8;
  // @ts-ignore: decorator
  @inline @operator("[]") get(i: u32): u8 { return load<u8>(changetype<usize>(this) + i); }
  // @ts-ignore: decorator
  @inline @operator("[]=") set(i: u32, value: u32): void { store<u8>(changetype<usize>(this) + i, <u8>value); }
}

@unmanaged @final
export class U16Col {
  [key: u32]: u16;
  // @ts-ignore: decorator
  @inline @operator("[]") get(i: u32): u16 { return load<u16>(changetype<usize>(this) + (i << 1)); }
  // @ts-ignore: decorator
  @inline @operator("[]=") set(i: u32, value: u32): void { store<u16>(changetype<usize>(this) + (i << 1), <u16>value); }
}

@unmanaged @final
export class U32Col {
  [key: u32]: u32;
  // @ts-ignore: decorator
  @inline @operator("[]") get(i: u32): u32 { return load<u32>(changetype<usize>(this) + (i << 2)); }
  // @ts-ignore: decorator
  @inline @operator("[]=") set(i: u32, value: u32): void { store<u32>(changetype<usize>(this) + (i << 2), value); }
}

@unmanaged @final
export class U64Col {
  [key: u32]: u64;
  // @ts-ignore: decorator
  @inline @operator("[]") get(i: u32): u64 { return load<u64>(changetype<usize>(this) + (i << 3)); }
  // @ts-ignore: decorator
  @inline @operator("[]=") set(i: u32, value: u64): void { store<u64>(changetype<usize>(this) + (i << 3), value); }
}

@unmanaged @final
export class I64Col {
  [key: u32]: i64;
  // @ts-ignore: decorator
  @inline @operator("[]") get(i: u32): i64 { return load<i64>(changetype<usize>(this) + (i << 3)); }
  // @ts-ignore: decorator
  @inline @operator("[]=") set(i: u32, value: i64): void { store<i64>(changetype<usize>(this) + (i << 3), value); }
}

@unmanaged @final
export class F64Col {
  [key: u32]: f64;
  // @ts-ignore: decorator
  @inline @operator("[]") get(i: u32): f64 { return load<f64>(changetype<usize>(this) + (i << 3)); }
  // @ts-ignore: decorator
  @inline @operator("[]=") set(i: u32, value: f64): void { store<f64>(changetype<usize>(this) + (i << 3), value); }
}
