#!/usr/bin/env bash
# Checks everything, also on a fresh machine (Debian or Ubuntu, with Rust): form, lints, docs, tests.
# tests/setup.sh installs what is missing; where a linter cannot be had, its step is left out.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*" >&2; }

# Runs a linter on a file; its absence fails nothing.
lint() {
    if command -v "$1" >/dev/null; then "$@"; else echo "no $1: this is not checked" >&2; fi
}

lint_compose() {
    if docker compose version >/dev/null 2>&1; then
        docker compose config -q
    else
        lint docker-compose config -q
    fi
}

lint_manifests() {
    local packages=target/tools/kubernetes
    if [ ! -d "$packages/cloudcoil" ]; then
        echo "no schemas of Kubernetes: deploy/kubernetes is not checked" >&2
        return 0
    fi
    PYTHONPATH="$packages" python3 -B tests/ops/manifests.py deploy/kubernetes/*.yaml
}

tests/setup.sh
for tool in hadolint just shellcheck; do PATH+=":$PWD/target/tools/$tool/bin"; done

# Without a way to the toolchain of rust-toolchain.toml, the default one has to do.
if command -v rustup >/dev/null && ! cargo --version >/dev/null 2>&1; then
    RUSTUP_TOOLCHAIN=$(rustup default | cut -d ' ' -f 1)
    export RUSTUP_TOOLCHAIN
    echo "checking with the toolchain $RUSTUP_TOOLCHAIN" >&2
fi

step "form"
cargo fmt --all --check
step "lints"
cargo clippy --locked --workspace --all-targets -- -D warnings
step "docs"
RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps
step "Dockerfile"
lint hadolint Dockerfile
step "compose"
lint_compose
step "manifests"
lint_manifests
step "scripts"
lint shellcheck tests/run.sh tests/setup.sh tests/data/tls/make.sh .ci/run
lint just --list --unsorted >&2
step "examples in docs"
cargo test --locked --workspace --doc
step "tests"
cargo test --locked --workspace --tests
