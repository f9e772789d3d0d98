source=postgresql-15
needs='bison flex libicu-dev libreadline-dev libssl-dev liblz4-dev libzstd-dev libperl-dev libxml2-dev libxslt1-dev tcl-dev uuid-dev python3-dev perl zlib1g-dev'
suite='`make check` in src/test/regress, src/pl and contrib (loadable modules)'

build() {
  ./configure --prefix=/usr --with-icu --with-openssl --with-lz4 --with-zstd --with-perl --with-python --with-tcl --with-libxml --with-libxslt --with-uuid=e2fs
  make
  make -C contrib
}

check() { make -j1 check; make -j1 -k -C src/pl check; make -j1 -k -C contrib check; }

results() {
  awk '/ \.\.\. (ok|FAILED)/ { name = $0; sub(/ *\.\.\..*/, "", name); sub(/^(test)? */, "", name); print (/\.\.\. ok/ ? "pass" : "fail"), name }' "$place/check.log"
}
