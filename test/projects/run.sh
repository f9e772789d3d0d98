#!/bin/sh
# Builds projects of Debian with wield as their only linker, runs their own test suites, and prints one row of the table in README.md
# for each. Not part of `npm test`: a project takes minutes or hours, build dependencies, and the sources of Debian.
#
# The compiler drivers are not told which linker to use: a folder of stand-ins comes first in PATH and in COMPILER_PATH, where gcc and
# clang look before their own places. Its `ld` is wield and keeps a record; every other linker's name fails there and is recorded too.
set -eu

here=$(dirname "$(readlink -f "$0")")
wield=${WIELD:-$(readlink -m "$here/../../dist/driver/ld")}
folder=$(readlink -m "${PROJECTS:-/tmp/wield-projects}")
both=
install=

usage() {
  cat <<'E'
run.sh [-b] [-d] NAME...   builds and tests these projects with wield; when a test fails, with GNU ld also
run.sh -l                  lists the projects
  -b   with GNU ld in any case
  -d   first installs the packages that the projects need (as root)
PROJECTS=FOLDER holds sources, builds and logs (/tmp/wield-projects); JOBS=N (1) goes to make; LIMIT (2h) to timeout;
WIELD=FILE is the linker (dist/driver/ld); root builds and tests as the user BUILDER (nobody).
E
}

# recipe NAME: reads recipes/NAME.sh, which sets source, needs and suite and defines build, check and results.
recipe() {
  [ -f "$here/recipes/$1.sh" ] || { echo "run.sh: no recipe for $1 (-l lists them)" >&2; exit 2; }
  user=${BUILDER:-nobody} with=
  . "$here/recipes/$1.sh"
}

# install_needs NAME...: what the recipes need, and Debian's tools to unpack and build sources.
install_needs() {
  if ! apt-get indextargets 'Created-By: Sources' | grep -q .; then
    sed -i 's/^Types: deb$/Types: deb deb-src/' /etc/apt/sources.list.d/debian.sources
  fi
  apt-get update -q
  apt-get install -q -y --no-install-recommends dpkg-dev gcc g++ make $(for name; do (recipe "$name"; echo "$needs"); done)
}

# fetch SOURCE FOLDER: the newest version that the mirror has, with Debian's patches and no other; prints the version.
fetch() {
  mkdir -p "$folder/sources"
  versions=$(apt-cache showsrc --only-source "$1" 2>/dev/null | sed -n 's/^Version: //p' | sort -rVu)
  [ -n "$versions" ] || { echo "run.sh: apt knows no source package $1: add deb-src entries (-d does) and apt-get update" >&2; exit 1; }
  for version in $versions; do
    dsc=$folder/sources/${1}_${version#*:}.dsc
    [ -f "$dsc" ] || (cd "$folder/sources" && apt-get source -qq --download-only "$1=$version" >/dev/null 2>&1) || continue
    rm -rf "$2"
    dpkg-source -x "$dsc" "$2" >/dev/null 2>&1 || continue
    echo "$version"
    return
  done
  echo "run.sh: cannot fetch and unpack $1" >&2
  exit 1
}

# stand_ins FOLDER PROGRAM LOG: a folder in which `ld` is the program, recorded as "STATUS ARGUMENTS", and no other linker works.
stand_ins() {
  mkdir -p "$1"
  cat > "$1/ld" <<E
#!/bin/sh
"$2" "\$@"
status=\$?
echo "\$status \$*" | tr '\n' ' ' >> $3
echo >> $3
exit \$status
E
  for other in bfd gold lld mold wild; do
    printf '#!/bin/sh\necho "other %s $*" >> %s\nexit 1\n' "$other" "$3" > "$1/ld.$other"
    for alias in $other x86_64-linux-gnu-ld.$other; do cp "$1/ld.$other" "$1/$alias"; done
  done
  cp "$1/ld" "$1/x86_64-linux-gnu-ld"
  chmod +x "$1"/*
}

# step FUNCTION: runs one function of the recipe in the source folder, as the user, in an environment of its own.
step() {
  as=
  [ "$(id -u)" != 0 ] || [ "$user" = root ] || as="setpriv --reuid=$user --regid=$(id -g "$user") --clear-groups"
  (cd "$place/source" && env -i $as timeout "${LIMIT:-2h}" env PATH="$place/linkers:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
    COMPILER_PATH="$place/linkers" HOME="$place" TMPDIR="$place/tmp" LANG=C.UTF-8 USER="$user" MAKEFLAGS="-j${JOBS:-1}" JOBS="${JOBS:-1}" \
    ${CARGO:+"CARGO=$CARGO"} sh -c 'place=$3; . "$1"; eval "$(dpkg-buildflags --export=sh)"; set -eu; "$2"' sh "$here/recipes/$name.sh" "$1" "$place" </dev/null)
}

# run LINKER PROGRAM: builds and tests in $folder/NAME.LINKER, which then has results ("pass|fail|skip TEST"), links and logs. GNU ld comes
# second and has the file `again`: a recipe whose suite takes names runs only those that failed with wield.
run() {
  place=$folder/$name.$1
  rm -rf "$place"
  mkdir -p "$place/tmp"
  : > "$place/links"
  version=$(fetch "$source" "$place/source")
  for other in $with; do (fetch "$other" "$place/$other" >/dev/null); done
  stand_ins "$place/linkers" "$2" "$place/links"
  [ "$(id -u)" != 0 ] || chown -R "$user" "$place"
  [ "$1" = wield ] || failed wield > "$place/again"
  touch "$place/start"
  step build > "$place/build.log" 2>&1 || { tail -n 30 "$place/build.log" >&2; echo "run.sh: $name does not build with $1: $place/build.log" >&2; return 1; }
  status=0
  step check > "$place/check.log" 2>&1 || status=$?
  step results > "$place/results" || true
  if [ $status != 0 ] && ! grep -q '^fail ' "$place/results"; then echo "fail (the suite ended with status $status)" >> "$place/results"; fi
}

# count WORD [LINKER]: tests with this outcome.
count() { grep -c "^$1 " "$folder/$name.${2:-wield}/results" || true; }
failed() { sed -n 's/^fail //p' "$folder/$name.$1/results" | sort -u; }

# made FILE...: how many programs and shared objects were made since the start, and how many carry wield's note.
made() {
  find "$place" -type f -newer "$place/start" -size +200c -exec env LC_ALL=C grep -laP '^\x7fELF.{12}[\x02\x03]\x00' {} + > "$place/programs" || true
  total=$(wc -l < "$place/programs")
  marked=$(tr '\n' '\0' < "$place/programs" | xargs -0r env LC_ALL=C grep -laF 'Linker: wield' | wc -l)
  echo "$marked of $total"
}

# compare: what GNU ld says of the same tests.
compare() {
  failed wield > "$folder/failed.wield"
  failed bfd > "$folder/failed.bfd"
  only=$(comm -23 "$folder/failed.wield" "$folder/failed.bfd" | tr '\n' ' ')
  echo "$(count pass bfd) / $(count fail bfd) / $(count skip bfd)${only:+, only with wield: $only}"
}

row() {
  links=$(grep -c '^0 .*-o ' "$place/links" || true)
  others=$(grep '^other' "$place/links" | sort -u | wc -l)
  proof="$(made)"
  [ "$others" = 0 ] || proof="$proof; $others calls of another linker refused"
  bfd=
  if [ -n "$both" ] || [ "$(count fail)" != 0 ]; then
    run bfd /usr/bin/ld.bfd
    bfd=$(compare)
  fi
  echo "| $name | $version | $suite | $links | $proof | $(count pass) / $(count fail) / $(count skip) | $bfd | $(date -u +%F) |"
}

while getopts bdlh flag; do
  case $flag in
    b) both=yes ;;
    d) install=yes ;;
    l) for file in "$here"/recipes/*.sh; do basename "$file" .sh; done; exit ;;
    h) usage; exit ;;
    *) usage >&2; exit 2 ;;
  esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || { usage >&2; exit 2; }
[ -x "$wield" ] || { echo "run.sh: no $wield: npm run build" >&2; exit 1; }
[ -z "$install" ] || install_needs "$@"
bad=0
for name; do
  (recipe "$name"; run wield "$wield" && row) || bad=1
done
exit $bad
