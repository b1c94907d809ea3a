#!/usr/bin/env bash
# bisik speaks with the programs that others run:    bash tests/live/run.sh [--seed N] [--write | --check | --record]
# Needs cargo, node with npm, and python3 with venv; fetches pinned versions from npm and PyPI once. Any deviation ends it with a
# non-zero status.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=${CARGO_TARGET_DIR:-$PWD/target}
peers=$target/live
export PYTHONDONTWRITEBYTECODE=1

mkdir -p "$peers"
if ! cmp -s tests/live/package-lock.json "$peers/installed.npm"; then
    cp tests/live/package.json tests/live/package-lock.json "$peers"
    (cd "$peers" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    cp tests/live/package-lock.json "$peers/installed.npm"
fi
if ! cmp -s tests/live/requirements.txt "$peers/installed.pip"; then
    python3 -m venv --clear "$peers/venv"
    "$peers/venv/bin/pip" install --quiet --disable-pip-version-check -r tests/live/requirements.txt
    cp tests/live/requirements.txt "$peers/installed.pip"
fi
cp tests/live/peers/* "$peers"

cargo build --locked --quiet --features interop --example peer
python3 tests/live/live.py "$target/debug/examples/peer" "$peers" "$@"
