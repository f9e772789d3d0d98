# Debian builds three flavours; this is the one with OpenSSL, so the last two patches, which rename the library, come off again.
source=curl
needs='libtool autoconf automake libbrotli-dev libidn2-dev libkrb5-dev libldap2-dev libnghttp2-dev libpsl-dev librtmp-dev libssh2-1-dev libssl-dev zlib1g-dev python3 stunnel4 nghttp2-proxy'
suite='`runtests.pl -a -n !flaky`'

build() {
  patch -R -p1 < debian/patches/99_nss.patch
  patch -R -p1 < debian/patches/90_gnutls.patch
  ./buildconf
  ./configure --disable-symbol-hiding --enable-versioned-symbols --enable-threaded-resolver --with-lber-lib=lber --with-gssapi=/usr \
    --with-nghttp2 --with-libssh2 --with-openssl --with-ca-path=/etc/ssl/certs
  make
  make -C tests all
}

check() { cd tests && perl ./runtests.pl -a -n -s $([ -s ../../again ] && cat ../../again || echo '!flaky'); }

results() {
  sed -n 's/^test \([0-9]*\)\.\.\.OK.*/pass \1/p; s/^test \([0-9]*\) SKIPPED.*/skip \1/p' "$place/check.log"
  sed -n 's/^TESTFAIL: These test cases failed: //p; s/^IGNORED: failed tests: //p' "$place/check.log" | tr ' ' '\n' | sed -n 's/^[0-9]/fail &/p'
}
