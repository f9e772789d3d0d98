source=openssl
needs='m4 bc perl'
suite='`make test`: every recipe of test/recipes'

build() {
  ./Configure shared no-idea no-mdc2 no-rc5 no-zlib no-ssl3 enable-unit-test no-ssl3-method enable-rfc3779 enable-cms no-capieng no-rdrand \
    enable-ec_nistp_64_gcc_128 --prefix=/usr --libdir=lib debian-amd64
  make
}

check() { make test HARNESS_JOBS="$JOBS"; }

results() {
  sed -n 's/^\([0-9][^ ]*\.t\) \.* *ok$/pass \1/p; s/^\([0-9][^ ]*\.t\) \.* *skipped:.*/skip \1/p' "$place/check.log"
  sed -n 's/^\([0-9][^ ]*\.t\) *(Wstat.*/fail \1/p' "$place/check.log"
}
