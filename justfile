# What a contributor types. `just` alone lists them.

default:
    @just --list

# The README's test command: the embedded engine, nothing else needed
test *args:
    cargo test --locked {{args}}

# The same suite on a server: just test-on 16
test-on version *args:
    HEIRLOOM_TEST_URL="$(.ci/postgres {{version}} target/ci/postgres)" cargo test --locked {{args}}

# The same suite with a single connection, which finds whoever waits for a second one
test-pool-of-one *args:
    HEIRLOOM_TEST_POOL=1 HEIRLOOM_TEST_URL="$(.ci/postgres 18 target/ci/postgres)" cargo test --locked {{args}}

# Format, lints, documentation, dependencies
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
    cargo deny check licenses bans sources

# Rewrite the generated pages, the catalog and the snapshots, then read the difference
bless:
    HEIRLOOM_BLESS=1 INSTA_UPDATE=always cargo test --locked

# Every way of disturbing an apply, then resuming it; the checker shares no code with Heirloom. On a server of its own,
# because that is killed too
torture rounds="200":
    cargo build --locked
    python3 .ci/kill_and_resume.py --binary target/debug/heirloom --rounds {{rounds}} --server-dir target/ci/torture --url "$(HEIRLOOM_TEST_PORT_18=54328 .ci/postgres 18 target/ci/torture)"

# What recall finds and how fast; HEIRLOOM_LOCOMO names a labelled collection
bench-recall:
    cargo bench --locked -p heirloom-store --bench recall

# The page in a real browser (needs Node.js and Chromium); HEIRLOOM_BLESS=1 rewrites docs/images
inspector:
    cargo build --locked
    .ci/inspector

# A primary and a hot standby of it: recall answers there, and a write is refused as what it is
standby:
    cargo build --locked
    .ci/standby

# Everything CI does
ci:
    .ci/run

# Every route and tool of every door fuzzed from its contract, this many requests each.
fuzz requests="10000":
    HEIRLOOM_FUZZ_REQUESTS={{requests}} cargo test --locked -p heirloom --test it fuzz -- --nocapture

# The HTTP API by schemathesis, which follows links, this many examples a route.
schemathesis examples="50":
    cargo build --locked
    .ci/fuzz target/debug/heirloom {{examples}}
