# Lists the recipes.
default:
    @just --list --unsorted

# Installs what the tests need.
setup:
    tests/setup.sh

# Runs everything that a change has to pass.
check:
    tests/run.sh

# Formats the code.
fmt:
    cargo fmt --all

# Checks the format, the lints and the docs of the code.
lint:
    cargo fmt --all --check
    cargo clippy --locked --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps

# Runs the tests, or those with a word in their name: `just test dockerignore`.
test *WORDS:
    cargo test --locked --workspace --tests -- {{ WORDS }}

# Runs the end-to-end tests, or those with a word in their name: `just e2e reload`.
e2e *WORDS:
    cargo test --locked --test e2e -- {{ WORDS }}

# Writes the expositions of the golden tests anew; read the difference.
golden-update:
    GOLDEN_UPDATE=1 cargo test --locked --test golden

# Writes the rule file, and the Kubernetes manifests made from it and from the boards.
rules-update:
    UPDATE=1 cargo test --locked --test rules the_file_is_what_the_program_says
    UPDATE=1 cargo test --locked --test ops the_generated_files_are_what_they_are_made_from

# Writes the tables of the docs that come from the code anew; read the difference.
docs-update:
    DOCS_UPDATE=1 cargo test --locked --test ops

# Serves the demo on http://127.0.0.1:10850/.
demo *FLAGS:
    cargo run --locked -- demo {{ FLAGS }}

# Builds the container image, whose labels tell its commit and its time.
image:
    docker build --build-arg REVISION="$(git rev-parse HEAD)" --build-arg CREATED="$(date -u +%Y-%m-%dT%H:%M:%SZ)" -t rolling-upgrade-exporter .
