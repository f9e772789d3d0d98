source=bash
needs='bison libncurses-dev locales bsdutils'
suite='`make test`: each of tests/run-*, by its exit status'

build() {
  ./configure --enable-largefile --without-bash-malloc
  make
  make recho zecho printenv xcase
}

# What `make test` and tests/run-all do, but for the status of each; some tests ask for a terminal or for locales.
check() {
  for locale in en_US.UTF-8 de_DE.UTF-8 fr_FR.ISO8859-1 ja_JP.SJIS zh_HK.BIG5-HKSCS; do
    mkdir -p locales
    localedef -c -i "${locale%.*}" -f "${locale#*.}" "locales/$locale" 2>/dev/null || true
  done
  cp recho zecho printenv xcase tests/
  export LOCPATH="$PWD/locales" PATH="$PWD/tests:$PATH" THIS_SH="$PWD/bash" BUILD_DIR="$PWD" BASH_TSTOUT="$TMPDIR/out"
  cat > tests/each <<'E'
cd tests
for test in run-*; do
  case $test in run-all | run-minimal | run-gprof) continue ;; esac
  echo "== $test"
  sh "$test" && echo "pass $test" || echo "fail $test"
done
E
  script -qec 'sh tests/each' /dev/null
}

results() { tr -d '\r' < "$place/check.log" | grep -E '^(pass|fail) run-'; }
