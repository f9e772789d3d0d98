source=redis
needs='libhiredis-dev libjemalloc-dev liblua5.1-dev liblzf-dev lua-bitop-dev lua-cjson-dev libssl-dev tcl tcl-tls procps'
suite='`runtest --durable`: the whole suite'
export DEB_CFLAGS_APPEND=-I/usr/include/liblzf DEB_LDFLAGS_APPEND='-Wl,--no-as-needed -ldl -latomic -llzf'

build() { make V=1 BUILD_TLS=yes USE_SYSTEM_JEMALLOC=yes USE_JEMALLOC=yes; }

check() {
  set -- --clients "$JOBS" --durable
  [ ! -s ../again ] || set -- "$@" $(sed -n 's|.* in tests/\(.*\)\.tcl$|--single \1|p' ../again | sort -u)
  ./runtest "$@"
}

results() {
  sed 's/\x1b\[[0-9;]*m//g' "$place/check.log" |
    sed -n 's/^\[ok\]: \(.*\) ([0-9]* ms)$/pass \1/p; s/^\[\(skip\|ignore\)\]: /skip /p; s/^\[\(err\|exception\|timeout\)\]: /fail /p'
}
