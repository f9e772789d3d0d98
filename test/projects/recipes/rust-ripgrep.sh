# Rust as Debian has it: its rustc and cargo, crates from its librust packages, no network. The feature simd-accel has to go: the
# version of the crate grep that Debian has by now knows it no more.
source=rust-ripgrep
needs='cargo rustc librust-bstr-0.2+default-dev librust-clap-2+suggestions-dev librust-grep-dev librust-grep-searcher+default-dev
  librust-ignore-0.4+default-dev librust-lazy-static-1+default-dev librust-log-0.4+default-dev librust-num-cpus-1+default-dev
  librust-regex-1+default-dev librust-serde-json-1+default-dev librust-termcolor-1+default-dev librust-serde-derive-dev librust-walkdir-dev'
suite='`cargo test --features pcre2`: unit and integration tests'

build() {
  mkdir -p .cargo
  printf '[source.crates-io]\nreplace-with = "debian"\n[source.debian]\ndirectory = "/usr/share/cargo/registry"\n' > .cargo/config.toml
  sed -i '/^simd-accel/d' Cargo.toml
  rm -f Cargo.lock
  cargo build --offline --release --features pcre2
}

check() { cargo test --offline --features pcre2 --no-fail-fast; }
results() { sed -n 's/^test \(.*\) \.\.\. ok$/pass \1/p; s/^test \(.*\) \.\.\. FAILED$/fail \1/p; s/^test \(.*\) \.\.\. ignored.*/skip \1/p' "$place/check.log"; }
