/**
 * Build systems that probe the linker before they use it: cmake, meson, autoconf with automake and libtool. Each configures, builds,
 * installs and runs a project of a static archive, a shared library with a version script, and a program that finds it by a run path.
 *
 * All builds need gcc, make or ninja besides the tool; the tools a machine lacks are named and the test is skipped.
 */
import { assert, behaviour, contains, lacks, linkerName, type Workspace } from "../../helpers/link.ts";

const builds = behaviour("build systems");
const wield = linkerName === "wield";

const SOURCES = {
  "util.c": "int util(int x) { return x * 2; }\nint util_unused(void) { return 1; }\n",
  "core.c": "int util(int);\nint core_value(void) { return util(21); }\nint core_internal(void) { return 1; }\n",
  "main.c": "#include <stdio.h>\n#include <math.h>\nint core_value(void);\nint main(int n, char **v) { printf(\"%d %.0f\\n\", core_value(), sqrt(n * 16.0)); return 0; }\n",
  "core.map": "CORE_1 { global: core_value; local: *; };\n",
};
/** The compiler with the linker under test, for make, cmake and meson alike. */
const CC = 'export CC="gcc -B$B" LD="$LD" LDFLAGS="" CFLAGS="-O1"; ';

/** The installed program runs, the library has its name and version, and the linker under test made them. */
function check(w: Workspace, prefix: string, soname: string, lib = "lib"): void {
  assert.is(w.sh(`${prefix}/bin/app`), "42 4\n");
  const library = `${prefix}/${lib}/libcore.so`;
  contains(w.sh(`readelf -dW ${library}`), `soname: [${soname}]`);
  contains(w.sh(`nm -D --with-symbol-versions ${library}`), "core_value@@CORE_1");
  lacks(w.sh(`nm -D ${library}`), "core_internal", "util");
  if (wield) for (const file of [library, `${prefix}/bin/app`]) contains(w.sh(`readelf -p .comment ${file}`), "wield");
}

const CMAKE = `cmake_minimum_required(VERSION 3.18)
project(demo C)
add_library(util STATIC util.c)
set_target_properties(util PROPERTIES POSITION_INDEPENDENT_CODE ON)
add_library(core SHARED core.c)
target_link_libraries(core PRIVATE util)
target_link_options(core PRIVATE "LINKER:--version-script=\${CMAKE_SOURCE_DIR}/core.map")
set_target_properties(core PROPERTIES VERSION 1.2.3 SOVERSION 1 LINK_DEPENDS \${CMAKE_SOURCE_DIR}/core.map)
add_executable(app main.c)
target_link_libraries(app PRIVATE core m)
set_target_properties(app PROPERTIES INSTALL_RPATH "$ORIGIN/../lib" ENABLE_EXPORTS ON)
include(CheckIPOSupported)
check_ipo_supported(RESULT ipo LANGUAGES C)
file(WRITE \${CMAKE_BINARY_DIR}/ipo "\${ipo}")
include(CheckLinkerFlag)
check_linker_flag(C "LINKER:--no-such-flag" bad)
check_linker_flag(C "LINKER:--as-needed" good)
file(WRITE \${CMAKE_BINARY_DIR}/flags "\${bad}/\${good}")
install(TARGETS core app LIBRARY DESTINATION lib RUNTIME DESTINATION bin)
`;

builds("cmake: configure, build, edit the run path at install", (w) => {
  w.write({ ...SOURCES, "CMakeLists.txt": CMAKE });
  w.sh(`${CC} cmake -S . -B build -DCMAKE_BUILD_TYPE=Release >log && cmake --build build >>log && build/app && cmake --install build --prefix inst >>log`, 300_000);
  check(w, "inst", "libcore.so.1");
  contains(w.sh("readelf -dW build/app"), /runpath: \[.*\/build/i);
  contains(w.sh("readelf -dW inst/bin/app"), /runpath: \[\$ORIGIN\/\.\.\/lib\]/i);
  assert.is(w.read("build/flags").replace(/^(FALSE|0)?\//, "/"), "/1");
  assert.is(w.read("build/ipo"), linkerName === "lld" ? w.read("build/ipo") : "YES");
}, "cmake", "make");

const MESON = `project('demo', 'c', default_options : ['buildtype=release', 'b_lundef=true'])
util = static_library('util', 'util.c', pic : true)
script = meson.current_source_dir() / 'core.map'
core = shared_library('core', 'core.c', link_with : util, version : '1.2.3', link_args : '-Wl,--version-script=' + script, link_depends : 'core.map', install : true)
m = meson.get_compiler('c').find_library('m')
executable('app', 'main.c', link_with : core, dependencies : m, install : true, install_rpath : '$ORIGIN/../lib')
assert(not meson.get_compiler('c').has_link_argument('-Wl,--no-such-flag'))
assert(meson.get_compiler('c').has_link_argument('-Wl,--as-needed'))
assert(not meson.get_compiler('c').has_link_argument('-Wl,-z,no-such-keyword'))
`;

builds("meson: detect the linker, build, edit the run path at install", (w) => {
  w.write({ ...SOURCES, "meson.build": MESON });
  w.sh(`${CC} unset LD; meson setup build --prefix=$PWD/inst --libdir=lib >log && ninja -C build >>log && build/app && meson install -C build >>log`, 300_000);
  contains(w.read("log"), /C linker for the host machine: \S*(gcc|cc) .*ld\.\w+/);
  check(w, "inst", "libcore.so.1");
  contains(w.sh("readelf -dW inst/bin/app"), /r(un)?path: \[\$ORIGIN\/\.\.\/lib\]/i);
}, "meson", "ninja");

const CONFIGURE = `AC_INIT([demo], [1.2])
AM_INIT_AUTOMAKE([foreign -Wall])
AC_PROG_CC
AM_PROG_AR
LT_INIT
AC_SEARCH_LIBS([sqrt], [m])
AC_CONFIG_FILES([Makefile])
AC_OUTPUT
`;
const AUTOMAKE = `noinst_LTLIBRARIES = libutil.la
libutil_la_SOURCES = util.c
lib_LTLIBRARIES = libcore.la
libcore_la_SOURCES = core.c
libcore_la_LIBADD = libutil.la
libcore_la_LDFLAGS = -version-info 3:2:1 -no-undefined -Wl,--version-script=$(srcdir)/core.map
bin_PROGRAMS = app
app_SOURCES = main.c
app_LDADD = libcore.la
app_LDFLAGS = -export-dynamic
check_LTLIBRARIES = libregex.la
libregex_la_SOURCES = core.c util.c
libregex_la_LDFLAGS = -rpath /nowhere -export-symbols-regex '^core_' -avoid-version -shared
`;

builds("autoconf, automake, libtool: shared libraries, export lists, relinking at install", (w) => {
  w.write({ ...SOURCES, "configure.ac": CONFIGURE, "Makefile.am": AUTOMAKE });
  w.sh(`autoreconf -i >log 2>&1; ${CC} ./configure --prefix=$PWD/inst --disable-dependency-tracking >>log && make >>log 2>&1 && ./app && make install >>log 2>&1`, 400_000);
  contains(w.read("log"), /linker .* is GNU ld\.\.\. yes/, /supports shared libraries\.\.\. yes/, /build shared libraries\.\.\. yes/);
  check(w, "inst", "libcore.so.2");
  contains(w.sh("readelf -dW inst/bin/app"), /r(un)?path: \[.*\/inst\/lib\]/i);
  assert.ok(w.exists("inst/lib/libcore.a"));
  w.sh("make libregex.la >>log 2>&1");
  contains(w.sh("nm -D .libs/libregex.so"), "core_value", "core_internal");
  lacks(w.sh("nm -D .libs/libregex.so"), "util");
}, "autoreconf", "automake", "libtoolize", "make");

builds("AX_CHECK_LINK_FLAG and the Linux kernel ask by exit status and version", (w) => {
  w.write({ "m.c": "int main(void) { return 0; }" });
  for (const [flag, accepted] of [["--as-needed", true], ["-z,relro", true], ["--no-such-flag", false]] as const) {
    assert.is(w.try(`gcc -B$B -Wl,${flag} m.c -o m`).status === 0, accepted, flag);
  }
  // scripts/Kbuild.include: ld-option = $(LD) -v FLAG
  assert.is(w.try("$LD -v -z noexecstack").status, 0);
  assert.is(w.try("$LD -v --no-such-flag").status, 1);
  // scripts/ld-version.sh takes the word behind LLD in the first line, or GNU ld's last one.
  if (wield) assert.match(w.sh("$LD --version | head -1 | tr ' ' '\\n' | grep -A1 -x LLD | tail -1"), /^\d+\.\d+\.\d+\n$/);
});

builds.run();
