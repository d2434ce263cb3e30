#!/usr/bin/env bash
# The public conformance suite of CEL against the expression language: TAP, and the count per file.
#   tests/conformance/run.sh BUILD [CACHE]      BUILD has tests/cel_conformance
# The suite is an npm package of an exact version, kept in the cache; nothing of it is copied into the sources.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$1
modules=${2:-$PWD/.cache}/cel-spec
if ! cmp -s tests/conformance/cel/package.json "$modules/installed.json"; then
	mkdir -p "$modules" && cp tests/conformance/cel/package.json "$modules/"
	npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$modules" >&2
	cp tests/conformance/cel/package.json "$modules/installed.json"
fi
node tests/conformance/cel/dump.mjs "$modules" >"$modules/tests.jsonl"
"$build/tests/cel_conformance" <"$modules/tests.jsonl"
