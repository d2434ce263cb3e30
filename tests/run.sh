#!/usr/bin/env bash
# What ./dev test runs (ROOT, BUILD, SAN and CACHE come from it). Each stage writes TAP; the last line printed is the sum: "N passed, N failed".
# A stage that breaks off counts as a failure, never as nothing.
#   ./dev test [unit] [conformance] [integration] [e2e] [docs]     only some stages
set -uo pipefail
cd "$ROOT"
OUT=$(mktemp -d)
trap 'rm -rf "$OUT"' EXIT
stages=("$@")
[ $# -gt 0 ] || stages=(docs unit conformance integration e2e)
say() { printf '\033[2m== %s\033[0m\n' "$*" >&2; }

# Runs a program that prints TAP, shows what fails, keeps the output for the sum.
tap() { # name, command…
	local name=$1 rc=0
	shift
	say "$name"
	"$@" >"$OUT/$name.tap" 2>"$OUT/$name.err" || rc=$?
	grep -E '^not ok|^Bail out' "$OUT/$name.tap" >&2 || true
	if [ $rc -ne 0 ]; then
		tail -n 40 "$OUT/$name.err" >&2
		grep -q '^not ok' "$OUT/$name.tap" || echo "not ok - $name ended with $rc" | tee -a "$OUT/$name.tap" >&2
	elif ! grep -q '^ok' "$OUT/$name.tap"; then
		echo "not ok - $name tested nothing" | tee -a "$OUT/$name.tap" >&2
	fi
}

build_into() { # folder, targets (in one word), meson options…
	local dir=$1 target=$2
	shift 2
	local cc=${CC:-cc}
	command -v ccache >/dev/null && cc="ccache $cc"
	say "building $(basename "$dir")"
	{ [ -f "$dir/build.ninja" ] || CC=$cc meson setup "$dir" "$@"; } >"$OUT/setup.log" 2>&1 && ninja -C "$dir" $target >"$OUT/build.log" 2>&1 && return 0
	tail -n 60 "$OUT/setup.log" "$OUT/build.log" >&2
	echo "not ok - $(basename "$dir") does not build" | tee "$OUT/build.tap" >&2
	return 1
}

# A meson suite: one line of TAP for each test inside.
suites() { # name, command before meson (or none), suites…
	local name=$1 rc=0
	shift
	say "$name"
	rm -f "$SAN/meson-logs/testlog.json"
	"$@" >"$OUT/$name.out" 2>&1 || rc=$?
	/usr/bin/python3 tests/support/meson_tap.py "$SAN/meson-logs/testlog.json" >"$OUT/$name.tap" 2>"$OUT/$name.err"
	if [ $rc -ne 0 ]; then
		tail -n 80 "$OUT/$name.out" >&2
		grep -q '^not ok' "$OUT/$name.tap" || echo "not ok - $name ended with $rc" >>"$OUT/$name.tap"
	elif ! grep -q '^ok' "$OUT/$name.tap"; then
		echo "not ok - $name tested nothing" >>"$OUT/$name.tap"
	fi
	grep -E '^not ok' "$OUT/$name.tap" >&2 || true
}

unit() {
	suites unit meson test -C "$SAN" --no-rebuild --suite unit --suite fuzz --suite schemas --print-errorlogs
}

# The expression language: the public suite, and what cel-go answered.
conformance() {
	tap conformance tests/conformance/run.sh "$SAN" "$CACHE"
	grep '^# .* tests: parse' "$OUT/conformance.tap" >&2
	SOUK=$SAN/souk tap differential /usr/bin/python3 tests/differential/compare.py --replay tests/differential/corpus.jsonl tests/differential/found.jsonl
	SOUK=$SAN/souk tap rules-docs /usr/bin/python3 tests/docs/rules_docs.py
}

need_kafka() {
	KAFKA=$CACHE/kafka-3.9
	tests/support/kafka.sh install "$KAFKA" >&2 || return 1
	export SOUK_TEST_KAFKA_DIR=$KAFKA
}

integration() {
	need_kafka || { echo "not ok - no Kafka" >"$OUT/kafka.tap"; return; }
	suites integration tests/support/with_kafka.sh meson test -C "$SAN" --no-rebuild --suite integration --print-errorlogs
}

# What drives Debian's Chromium: npm packages of exact versions, kept in the cache; no browser is downloaded.
need_browser() {
	export SOUK_BROWSER_MODULES=$CACHE/browser
	cmp -s tests/e2e/browser/package.json "$SOUK_BROWSER_MODULES/installed.json" && return 0
	mkdir -p "$SOUK_BROWSER_MODULES" && cp tests/e2e/browser/package.json "$SOUK_BROWSER_MODULES/" &&
		npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$SOUK_BROWSER_MODULES" >&2 &&
		cp tests/e2e/browser/package.json "$SOUK_BROWSER_MODULES/installed.json"
}

e2e() {
	need_kafka || { echo "not ok - no Kafka" >"$OUT/kafka.tap"; return; }
	export SOUK=$BUILD/souk
	tap e2e-command-line /usr/bin/python3 tests/e2e/command_line.py
	tap e2e-demo /usr/bin/python3 tests/e2e/demo.py
	tap e2e-clients /usr/bin/python3 tests/e2e/clients.py
	tap e2e-operators /usr/bin/python3 tests/e2e/operators.py
	tap shop-modules node tests/e2e/shop_modules.mjs
	tap ops-modules node tests/e2e/ops_modules.mjs
	if need_browser; then
		tap e2e-storefront node tests/e2e/storefront.mjs
		tap e2e-ops node tests/e2e/ops.mjs
	else
		echo "not ok - playwright-core and axe-core cannot be installed" | tee "$OUT/browser.tap" >&2
	fi
	tap e2e-demo-kafka tests/support/with_kafka.sh /usr/bin/python3 tests/e2e/demo.py --real
	tap e2e-crash tests/support/with_kafka.sh /usr/bin/python3 tests/e2e/crash.py
}

docs() {
	tap include-rule /usr/bin/python3 tools/check-includes.py --tap
}

for s in "${stages[@]}"; do
	case $s in
	unit) build_into "$SAN" all -Db_sanitize=address,undefined -Db_lundef=false && unit ;;
	conformance) build_into "$SAN" "souk tests/cel_conformance" -Db_sanitize=address,undefined -Db_lundef=false && conformance ;;
	integration) build_into "$SAN" all -Db_sanitize=address,undefined -Db_lundef=false && integration ;;
	e2e) build_into "$BUILD" souk -Dtests=false && e2e ;;
	docs) docs ;;
	*) echo "no such stage: $s (unit, conformance, integration, e2e, docs)" >&2; exit 2 ;;
	esac
done

passed=$(cat "$OUT"/*.tap 2>/dev/null | grep -cE '^ok' || true)
failed=$(cat "$OUT"/*.tap 2>/dev/null | grep -cE '^(not ok|Bail out)' || true)
[ "$passed" -gt 0 ] || failed=$((failed + 1))
if [ "$failed" -gt 0 ]; then
	echo "failed:"
	grep -hE '^(not ok|Bail out)' "$OUT"/*.tap | sed 's/^/  /'
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
