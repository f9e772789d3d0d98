source=libzstd
needs='zlib1g-dev liblzma-dev liblz4-dev less python3'
suite='`make -C tests test`: its nine targets, fuzzers for 30 s each; cli-tests counted one by one'

build() { make; }

check() {
  for target in zstd fullbench fuzzer zstream invalidDictionaries legacy decodecorpus pool cli-tests; do
    make -C tests "test-$target" ZSTDRTTEST= FUZZERTEST=-T30s ZSTREAM_TESTTIME=-T30s DECODECORPUS_TESTTIME=-T30s FULLBENCHS1= &&
      echo "pass $target" || echo "fail $target"
  done
}

results() { sed -n 's/^\(pass\|fail\) /&/p; s/^PASS: /pass cli-tests /p; s/^FAIL: /fail cli-tests /p' "$place/check.log"; }
