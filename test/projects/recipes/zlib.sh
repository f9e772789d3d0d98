# Its version script names symbols of other configurations. lld 17 and later refuse that, and so does wield; who links zlib with lld
# passes --undefined-version, as here (GNU ld knows the option too).
source=zlib
needs=
suite='`make test`: example and minigzip, static, shared and 64-bit; `minizip` packs and unpacks'

build() {
  CC="gcc -Wl,--undefined-version" ./configure --shared
  make
  make -C contrib/minizip -f Makefile CFLAGS="$CFLAGS -I../.." minizip miniunz
}

check() {
  make test
  cd contrib/minizip && ./minizip -o packed.zip zip.c unzip.c && mkdir out && ./miniunz packed.zip -d out && cmp zip.c out/zip.c && echo '*** minizip test OK ***'
}

results() { sed -n 's/.*\*\*\* \(.*\) test OK \*\*\*.*/pass \1/p; s/.*\*\*\* \(.*\) test FAILED \*\*\*.*/fail \1/p' "$place/check.log"; }
