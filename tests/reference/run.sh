#!/usr/bin/env bash
# Two implementations of docs/spec read what the other wrote:    bash tests/reference/run.sh
# Needs python3 with venv, and cargo. Any difference ends it with a non-zero status.
set -euo pipefail
cd "$(dirname "$0")/../.."

venv=$PWD/target/reference-venv
requirements=tests/reference/requirements.txt
fresh=$(mktemp -d)
trap 'rm -r "$fresh"' EXIT
mkdir "$fresh/rust" "$fresh/python"
export PYTHONDONTWRITEBYTECODE=1

if ! cmp -s "$requirements" "$venv/installed"; then
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$requirements"
    cp "$requirements" "$venv/installed"
fi

vectors() { "$venv/bin/python" tests/reference/vectors.py "$@"; }
quietly() { "$@" >"$fresh/log" 2>&1 || { cat "$fresh/log"; exit 1; }; }

echo "Python runs the published vectors for the form of attachments:"
"$venv/bin/python" tests/reference/c2sp.py

echo "Python verifies tests/vectors:"
vectors verify tests/vectors

echo "Python verifies tests/vectors/interop:"
"$venv/bin/python" tests/reference/interop_media.py verify tests/vectors/interop

echo "Python reads the records of interop by docs/formats.md:"
"$venv/bin/python" tests/reference/interop_records.py tests/golden/v1

echo "Python reads a session with blocks by docs/formats.md:"
"$venv/bin/python" tests/reference/blocks.py tests/golden/v1

echo "Python reads conversations with blocks by docs/formats.md:"
"$venv/bin/python" tests/reference/conversation_records.py tests/golden/v1

echo "Python reads a group at one device by docs/formats.md, and its letters by docs/spec/rooms.md:"
"$venv/bin/python" tests/reference/rooms.py tests/golden/v1

echo "Rust records a fresh conversation, Python verifies it:"
BISIK_VECTORS_OUT=$fresh/rust quietly cargo test --test known write_vectors -- --ignored
vectors verify "$fresh/rust"

echo "Python records every vector afresh, Rust verifies them:"
vectors write "$fresh/python"
BISIK_VECTORS=$fresh/python quietly cargo test --test known vectors::
BISIK_VECTORS=$fresh/python quietly cargo test --package bisik-core --lib braid::tests::vectors
BISIK_VECTORS=$fresh/python quietly cargo test --lib conversation::frame
BISIK_VECTORS=$fresh/python quietly cargo test --lib group::room::tests::vectors

echo "Interop: Python verifies its conversations, and records afresh what Rust verifies:"
"$venv/bin/python" tests/reference/interop.py verify tests/vectors/interop
"$venv/bin/python" tests/reference/interop.py write "$fresh/interop"
BISIK_INTEROP=$fresh/interop quietly cargo test --features interop --test interop known_conversations
echo "no difference"
