source=git
needs='libpcre2-dev libcurl4-gnutls-dev libexpat1-dev zlib1g-dev gettext tcl python3 unzip libcgi-pm-perl liberror-perl'
suite='`make -C t`, scripts t0* and t4* (basics; diff, log, apply)'

OPTS='NO_OPENSSL=1 prefix=/usr gitexecdir=/usr/lib/git-core INSTALLDIRS=vendor SANE_TOOL_PATH= NO_CROSS_DIRECTORY_HARDLINKS=1
  NO_INSTALL_HARDLINKS=1 NO_PERL_CPAN_FALLBACKS=1 PYTHON_PATH=/usr/bin/python3 HOST_CPU=x86_64 USE_LIBPCRE2=1 CC=gcc'

build() { make all $OPTS CFLAGS="$CFLAGS $CPPFLAGS" LDFLAGS="$LDFLAGS"; }
check() {
  scripts=$(cut -d' ' -f1 ../again 2>/dev/null | sort -u)
  make -k -C t T="${scripts:-$(cd t && echo t[04]*.sh)}" TEST_LINT= $OPTS all
}

# TAP without names of its own: the header of each script says which it is. A known breakage ("# TODO") counts as skipped.
results() {
  awk '/^\*\*\* t.*\*\*\*$/ { script = $2 }
    /^not ok .* # TODO/ || /^ok .* # skip/ { print "skip", script, $0; next }
    /^ok / { print "pass", script, $0 }
    /^not ok / { print "fail", script, $0 }' "$place/check.log"
}
