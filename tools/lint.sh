#!/usr/bin/env bash
# Everything that can be judged without running Souk. One line for each check on stdout, the findings on stderr; exit 1 if one failed.
#
#   tools/lint.sh                all of it
#   tools/lint.sh includes links only these: includes format tidy asyncapi links config
#
# BUILD: a build folder with compile_commands.json and the binary (default build/). CLANG_TIDY, CLANG_FORMAT: other versions of the tools.
set -uo pipefail
cd "$(dirname "$0")/.."
BUILD=${BUILD:-build}
JOBS=${LINT_JOBS:-2}
OUT=$(mktemp -d)
trap 'rm -rf "$OUT"' EXIT
failed=0

sources() { git ls-files -- '*.c' '*.h' '*.cc' | while read -r f; do [ -f "$f" ] && printf '%s\n' "$f"; done; }

check() { # name, command…: 0 good, 3 skipped (the reason is its output's first line), else bad
	local name=$1 rc=0
	shift
	"$@" >"$OUT/$name" 2>&1 || rc=$?
	case $rc in
	0) printf 'ok      %-9s %s\n' "$name" "$(tail -n 1 "$OUT/$name" | cut -c1-100)" ;;
	3) printf 'skipped %-9s %s\n' "$name" "$(head -n 1 "$OUT/$name")" ;;
	*)
		printf 'FAILED  %s\n' "$name"
		cat "$OUT/$name" >&2
		failed=1
		;;
	esac
}

includes() { python3 tools/check-includes.py; }
links() { python3 tools/check-links.py; }

format() {
	sources | xargs "${CLANG_FORMAT:-clang-format}" --dry-run --Werror || return 1
	echo "$(sources | wc -l) files"
}

# The sources that the compile database knows and git does too: each in its own process, JOBS at a time.
tidy() {
	[ -f "$BUILD/compile_commands.json" ] || { echo "no $BUILD/compile_commands.json: ./dev build makes it"; return 1; }
	python3 - "$BUILD" >"$OUT/units" <<'P' || return 1
import json, os, subprocess, sys
known = set(subprocess.run(["git", "ls-files", "--", "*.c"], check=True, capture_output=True, text=True).stdout.split())
units = {os.path.relpath(os.path.join(c["directory"], c["file"])) for c in json.load(open(f"{sys.argv[1]}/compile_commands.json"))}
print("\n".join(sorted(u for u in units & known if not u.startswith("tests/"))))
P
	xargs -P "$JOBS" -n 1 "${CLANG_TIDY:-clang-tidy}" --quiet -p "$BUILD" <"$OUT/units" >"$OUT/tidy-found" 2>"$OUT/tidy-noise"
	local rc=$?
	grep -E '(warning|error):' "$OUT/tidy-found" | sed "s#^\(\.\./\|$PWD/build/\.\./\|$PWD/\)*##" | sort -u
	[ $rc -eq 0 ] || { grep -E 'error' "$OUT/tidy-noise" | sort -u | head -n 20; return 1; }
	echo "$(wc -l <"$OUT/units") files"
}

# The reference parser is an npm package; it is installed into SOUK_ASYNCAPI_MODULES or the cache if it is not there yet.
asyncapi() {
	[ -f tools/asyncapi-check.mjs ] || { echo "no AsyncAPI document"; return 3; }
	command -v node >/dev/null || { echo "node is not installed"; return 3; }
	export SOUK_ASYNCAPI_MODULES=${SOUK_ASYNCAPI_MODULES:-$PWD/.cache/asyncapi}
	if [ ! -d "$SOUK_ASYNCAPI_MODULES/node_modules/@asyncapi/parser" ]; then
		mkdir -p "$SOUK_ASYNCAPI_MODULES" && cp tools/asyncapi/package.json "$SOUK_ASYNCAPI_MODULES/" &&
			npm install --silent --no-audit --no-fund --prefix "$SOUK_ASYNCAPI_MODULES" || return 1
	fi
	node tools/asyncapi-check.mjs
}

config() {
	[ -x "$BUILD/souk" ] || { echo "no $BUILD/souk: ./dev build makes it"; return 1; }
	"$BUILD/souk" config doc >"$OUT/config.md" || return 1
	diff -u docs/ops/config.md "$OUT/config.md" || { echo "docs/ops/config.md: write it anew: $BUILD/souk config doc >docs/ops/config.md"; return 1; }
	echo "$(wc -l <docs/ops/config.md) lines"
}

checks=("$@")
[ $# -gt 0 ] || checks=(includes format tidy asyncapi links config)
for c in "${checks[@]}"; do
	case $c in
	includes | format | tidy | asyncapi | links | config) check "$c" "$c" ;;
	*)
		echo "lint: no such check: $c (includes format tidy asyncapi links config)" >&2
		exit 2
		;;
	esac
done
exit $failed
