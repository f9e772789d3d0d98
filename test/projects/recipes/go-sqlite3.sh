# A cgo program: the tests of Go's SQLite driver, linked with -linkmode=external.
source=golang-github-mattn-go-sqlite3
needs='golang-go libsqlite3-dev'
suite='`go test -ldflags=-linkmode=external`'

flags='-tags libsqlite3,sqlite_fts5 -ldflags=-linkmode=external'
export GOFLAGS=-mod=mod GO111MODULE=auto GOPROXY=off

build() {
  export GOCACHE="$place/cache" GOPATH="$place/go"
  [ -f go.mod ] || printf 'module github.com/mattn/go-sqlite3\ngo 1.19\n' > go.mod
  go build $flags ./...
  for program in _example/simple _example/hook _example/limit; do go build $flags -o "$place/tmp/" "./$program"; done
}

check() { export GOCACHE="$place/cache" GOPATH="$place/go"; "$place/tmp/simple" && echo '--- PASS: _example/simple ' || echo '--- FAIL: _example/simple '; go test -v $flags ./...; }
results() { sed -n 's/^ *--- PASS: \([^ ]*\) .*/pass \1/p; s/^ *--- FAIL: \([^ ]*\) .*/fail \1/p; s/^ *--- SKIP: \([^ ]*\) .*/skip \1/p' "$place/check.log"; }
