source=bash
needs='bison libncurses-dev'
suite='`make test`: each of tests/run-*, by its exit status'

build() {
  ./configure --enable-largefile --without-bash-malloc
  make
  make recho zecho printenv xcase
}

# What tests/run-all does, but for the status of each.
check() {
  cp recho zecho printenv xcase tests/
  cd tests
  export PATH=".:$PATH" THIS_SH="$PWD/../bash" BUILD_DIR="$PWD/.." BASH_TSTOUT="$TMPDIR/out"
  for test in run-*; do
    case $test in run-all | run-minimal | run-gprof) continue ;; esac
    echo "== $test"
    sh "$test" && echo "pass $test" || echo "fail $test"
  done
}

results() { grep -E '^(pass|fail) run-' "$place/check.log"; }
