source=python3.11
needs='libreadline-dev libncurses-dev zlib1g-dev libbz2-dev liblzma-dev libgdbm-dev libdb-dev libssl-dev libexpat1-dev libsqlite3-dev libffi-dev uuid-dev netbase gdb'
suite='`python -m test -u none`, single tests counted, without the modules that Debian leaves out and the process pools (minutes of waiting)'

leave_out='test_ensurepip test_venv test_gdb test_ttk_guionly test_ssl test_asyncio test_ftplib test_imaplib test_nntplib test_poplib
  test_httplib test_socket test_concurrent_futures test_multiprocessing_fork test_multiprocessing_forkserver test_multiprocessing_spawn
  test_multiprocessing_main_handling test_distutils test_peg_generator test_tools'

# Debian's patches make pyexpat use an internal header; Debian links it into the interpreter, where that is allowed.
build() {
  sed -i '1i #define Py_BUILD_CORE_MODULE 1' Modules/pyexpat.c
  ./configure --enable-shared --prefix=/usr --without-ensurepip --with-system-expat --enable-loadable-sqlite-extensions --with-dbmliborder=bdb:gdbm
  make
}

check() { LD_LIBRARY_PATH=$PWD ./python -m test -u none -j "$JOBS" --timeout 1200 --junit-xml "$place/results.xml" -x $leave_out; }

results() {
  python3 - "$place/results.xml" <<'E'
import sys, xml.etree.ElementTree as tree
for case in tree.parse(sys.argv[1]).iter("testcase"):
    kinds = {child.tag for child in case}
    word = "fail" if kinds & {"failure", "error"} else "skip" if "skipped" in kinds or case.get("result") == "skipped" else "pass"
    print(word, case.get("name").replace("\n", " "))
E
}
