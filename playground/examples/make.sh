#!/bin/bash
# Makes the objects of the playground's examples anew: C programs and musl's start files and libc.a, as Debian's musl-tools
# (and musl-dev) have them. The results are committed, so that the page needs no compiler; run this to change them.
set -euo pipefail
cd "$(dirname "$0")"
musl=/usr/lib/x86_64-linux-musl
flags=(-O1 -c -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-stack-protector -fno-pie -fcf-protection=none)
mkdir -p objects musl
for name in hello mandelbrot shapes area greet; do musl-gcc "${flags[@]}" "c/$name.c" -o "objects/$name.o"; done
for name in count counter; do gcc "${flags[@]}" -ffreestanding "c/$name.c" -o "objects/$name.o"; done
cp "$musl"/crt1.o "$musl"/crti.o "$musl"/crtn.o musl/
strip --strip-debug musl/crt1.o musl/crti.o musl/crtn.o
cp /usr/share/doc/musl-dev/copyright musl/COPYRIGHT
node -e '
  const { readFileSync, writeFileSync } = require("fs"), zlib = require("zlib");
  const bytes = readFileSync(process.argv[1]);
  writeFileSync("musl/libc.a.br", zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_LGWIN]: 24, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }));
' "$musl/libc.a"
ls -l objects musl
