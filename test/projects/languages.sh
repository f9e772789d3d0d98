#!/bin/bash
# Small programs in many languages, built with GNU ld and with wield as the only linker, and run: the outputs must be the same.
#
#   languages.sh [NAME…]     without names: all whose compiler is installed. The packages are in languages.md.
# Compilers find the linker as run.sh's do: a folder with `ld` (and ld.bfd, ld.gold, ld.lld: Pascal and Haskell name one) is first in
# PATH and COMPILER_PATH. A line per language: ok, differs, or that the compiler is not there.
cd "$(dirname "$0")/../.." || exit 1
LD=${LD:-$PWD/dist/driver/ld}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
for name in ld ld.bfd ld.gold ld.lld; do printf '#!/bin/sh\necho x >>%s/links\nexec %s "$@"\n' "$work" "$LD" >"$work/bin/$name"; done
chmod +x "$work/bin/"*
wanted=" $* "
failed=0

# language NAME COMPILER FILE BUILD: the program is on stdin, BUILD makes ./p
language() {
  local text; text=$(cat)
  [ "$wanted" = "  " ] || [[ $wanted == *" $1 "* ]] || return 0
  command -v "$2" >/dev/null || { echo "-       $1: no $2"; return 0; }
  rm -f "$work/links"
  for side in bfd wield; do
    mkdir -p "$work/$1/$side"
    (
      cd "$work/$1/$side" && printf '%s\n' "$text" >"$3"
      [ $side = wield ] && export PATH="$work/bin:$PATH" COMPILER_PATH="$work/bin"
      bash -c "$4" >build.log 2>&1 || { echo "does not build"; tail -5 build.log; }
      ./p 2>&1; echo "status $?"
    ) >"$work/$1/$side.out" 2>&1
  done
  if cmp -s "$work/$1/bfd.out" "$work/$1/wield.out" && [ -s "$work/links" ] && ! grep -q "does not build" "$work/$1/wield.out"; then echo "ok      $1"
  else echo "differs $1"; diff "$work/$1/bfd.out" "$work/$1/wield.out" | head -10; failed=1; fi
}

language fortran gfortran p.f90 'gfortran -O2 -fopenmp p.f90 -o p' <<'P'
program p
  real :: cx; common /blk/ cx
  real(8) :: s; integer :: i
  cx = 1.5; s = 0
  !$omp parallel do reduction(+:s)
  do i = 1, 50; s = s + sqrt(real(i, 8)); end do
  print '(f12.6)', s; call sub
end program
subroutine sub
  real :: cx; common /blk/ cx
  print *, cx, matmul(reshape([1,2,3,4],[2,2]), reshape([1,0,0,1],[2,2]))
end subroutine
P
D_PROGRAM='import std.stdio, std.algorithm, std.range, core.thread, std.regex;
int tls = 5; __gshared int g;
shared static this() { g = 7; }
void main(string[] a) {
  try { throw new Exception("hey"); } catch (Exception e) { writeln("caught ", e.msg); }
  auto t = new Thread({ tls += 10; writeln("tls ", tls); }); t.start(); t.join();
  writeln(iota(10).map!(x => x * x).array, tls, g, matchFirst("hello 42", regex(r"\d+")).hit);
}'
language gdc gdc p.d 'gdc -O p.d -o p' <<<"$D_PROGRAM"
language ldc ldc2 p.d 'ldc2 -O p.d -of=p' <<<"$D_PROGRAM"
language ada gnatmake p.adb 'gnatmake -g p.adb' <<'P'
with Ada.Text_IO; use Ada.Text_IO; with Ada.Exceptions;
procedure P is
  Oops : exception;
  task type T is entry Go (N : Integer); end T;
  task body T is M : Integer; begin accept Go (N : Integer) do M := N; end Go; Put_Line ("task" & M'Image); end T;
begin
  declare A : T; begin A.Go (3); end;
  begin raise Oops with "failing"; exception when E : others => Put_Line (Ada.Exceptions.Exception_Message (E)); end;
end P;
P
language haskell ghc p.hs 'ghc -O1 -threaded p.hs -o p' <<'P'
import Control.Concurrent
import Control.Exception
import qualified Data.Map as M
main :: IO ()
main = do
  print (M.toList (M.fromListWith (+) [(x `mod` 7, x) | x <- [1 .. 1000 :: Int]]))
  box <- newEmptyMVar
  _ <- forkIO (putMVar box "from a thread")
  takeMVar box >>= putStrLn
  r <- try (evaluate (1 `div` (0 :: Int))) :: IO (Either ArithException Int)
  print r
P
language ocaml ocamlopt p.ml 'ocamlopt -g str.cmxa p.ml -o p' <<'P'
exception Foo of int
let () =
  (try raise (Foo 3) with Foo n -> Printf.printf "foo %d\n" n);
  Gc.full_major (); print_endline (Str.global_replace (Str.regexp "o") "0" "foo")
P
language pascal fpc p.pas 'fpc -gl -O2 p.pas' <<'P'
program p; {$mode objfpc}{$H+}
uses cthreads, Classes, SysUtils;
type TTh = class(TThread) procedure Execute; override; end;
threadvar tv: integer;
procedure TTh.Execute; begin tv := 5; writeln('thread ', tv); end;
resourcestring rs = 'a resource';
var t: TTh;
begin
  try raise Exception.Create('boo'); except on e: Exception do writeln(e.ClassName, ' ', e.Message); end;
  t := TTh.Create(false); t.WaitFor; writeln(tv, ' ', rs);
end.
P
language nim nim p.nim 'nim c --threads:on --hints:off p.nim' <<'P'
import tables, math
for k, v in {"a": 1, "b": 2}.toTable: echo k, v
try: raise newException(ValueError, "x") except ValueError as e: echo e.msg
echo sqrt(2.0)
P
language tcc tcc l.c 'tcc -shared l.c -o libl.so && echo "int twice(int); int printf(const char *, ...); int main(void) { return printf(\"%d\n\", twice(4)) - 2; }" >p.c && tcc -c p.c && gcc p.o -L. -ll -Wl,-rpath,. -o p' <<'P'
int twice(int x) { return 2 * x; }
P
language gccgo gccgo p.go 'gccgo -g p.go -o p' <<'P'
package main
import ("fmt"; "sync")
func main() {
  var wg sync.WaitGroup; c := make(chan int, 10)
  for i := 0; i < 10; i++ { wg.Add(1); go func(i int) { defer wg.Done(); c <- i * i }(i) }
  wg.Wait(); close(c); s := 0; for v := range c { s += v }; fmt.Println(s)
  defer func() { fmt.Println("recovered", recover()) }()
  var p *struct{ a int }; fmt.Println(p.a)
}
P
language cobol cobc p.cob 'cobc -x p.cob -o p' <<'P'
       IDENTIFICATION DIVISION.
       PROGRAM-ID. HELLO.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       01 N PIC 9(4) VALUE 12.
       PROCEDURE DIVISION.
           COMPUTE N = N * 2.
           DISPLAY "HELLO " N.
           STOP RUN.
P
language vala valac p.vala 'valac --pkg gio-2.0 p.vala -o p' <<'P'
class Animal : Object { public signal void hit (int n); public virtual string name () { return "animal"; } }
class Bird : Animal { public override string name () { return "bird"; } }
int main () { var a = new Bird (); a.hit.connect ((n) => { print ("hit %d\n", n); }); a.hit (4); print ("%s\n", a.name ()); return 0; }
P
language chicken csc p.scm 'csc -static p.scm -o p' <<'P'
(import (chicken condition))
(print (call/cc (lambda (k) (+ 1 (k 3)))))
(handle-exceptions e (print "caught") (car 5))
P
language crystal crystal p.cr 'crystal build p.cr -o p' <<'P'
ch = Channel(Int32).new
spawn { ch.send 42 }
puts ch.receive
begin
  raise "boom"
rescue ex
  puts ex.message
end
P
language prolog gplc p.pl 'gplc p.pl -o p' <<'P'
:- initialization(main).
main :- findall(Y, member(Y, [a, b]), L), write(L), nl, halt.
P
language polyml polyc p.sml 'polyc p.sml -o p' <<'P'
fun main () = (raise Fail "x") handle Fail s => print (s ^ "\n");
P
exit $failed
