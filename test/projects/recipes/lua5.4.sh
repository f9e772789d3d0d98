# Debian's build goes through libtool: a shared and a static library, in C and in C++. Lua's test suite is not in Debian's source, so
# what runs are those of two modules in C that the interpreter loads, LPeg and CJSON: all three made by the linker under test.
# Debian's version script names _IO_stdin_used, which a shared object does not have: --undefined-version, as for lld.
source=lua5.4
with='lua-lpeg lua-cjson'
needs='libtool libreadline-dev autoconf automake perl'
suite='not in the source; the suites of lua-lpeg (one test) and lua-cjson, as modules in C that it loads'
export DEB_LDFLAGS_APPEND=-Wl,--undefined-version

build() {
  (mkdir debian/libtool && cp debian/configure.ac debian/libtool/ && cd debian/libtool && LIBTOOLIZE='libtoolize -i' autoreconf -f -i && ./configure)
  printf '#define DEB_HOST_MULTIARCH "%s"\n' "$(dpkg-architecture -qDEB_HOST_MULTIARCH)" > src/lua5.4-deb-multiarch.h
  make linux-readline LIBTOOL="$PWD/debian/libtool/libtool" CC='gcc -std=gnu99' CXX=g++
  make -C ../lua-lpeg linux LUADIR="$PWD/src"
  make -C ../lua-cjson LUA_INCLUDE_DIR="$PWD/src" CC=gcc
}

check() {
  export LUA_PATH="../lua-lpeg/?.lua;$place/lua-cjson/lua/?.lua" LUA_CPATH="../lua-lpeg/?.so;$place/lua-cjson/?.so"
  ./src/lua5.4 ../lua-lpeg/test.lua && echo pass lpeg || echo fail lpeg
  cd ../lua-cjson/tests
  perl -X ./genutf8.pl
  "$place/source/src/lua5.4" test.lua
}

results() { sed -n 's/^==> Test \[\([0-9]*\)\] .*: PASS.*/pass cjson \1/p; s/^==> Test \[\([0-9]*\)\] .*: FAIL.*/fail cjson \1/p; s/^\(pass\|fail\) lpeg$/&/p' "$place/check.log"; }
