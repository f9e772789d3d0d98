source=sqlite3
needs='tcl-dev libreadline-dev libtool autoconf automake zlib1g-dev'
suite='`make fuzztest sourcetest tcltest` (fuzz corpus, source checks, veryquick.test)'

build() {
  CFLAGS="$CFLAGS -fno-strict-aliasing -DSQLITE_ENABLE_COLUMN_METADATA -DSQLITE_ENABLE_FTS3 -DSQLITE_ENABLE_RTREE=1 -DSQLITE_ENABLE_SESSION -DSQLITE_ENABLE_PREUPDATE_HOOK -DSQLITE_ENABLE_DBPAGE_VTAB -DSQLITE_ENABLE_DBSTAT_VTAB"
  ./configure --with-tcl="/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)/tcl8.6" --enable-load-extension --enable-fts4 --enable-fts5
  make all testfixture
}

check() { make -k fuzztest sourcetest tcltest; }

# veryquick.test writes a line "NAME... Ok" for each test to a file, and the list of failures at the end.
results() {
  sed -n 's/^\(.*\)\.\.\. Ok$/pass \1/p; s/^\([^ ]*\): 0 errors.*/pass \1/p; s/^\([^ ]*\)\.\.\. Omitted.*/skip \1/p' "$place/check.log" test-out.txt
  sed -n 's/^!Failures on these tests: //p' test-out.txt | tr ' ' '\n' | sed -n 's/./fail &/p'
}
