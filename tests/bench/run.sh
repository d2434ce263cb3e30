#!/usr/bin/env bash
# What ./dev bench runs (ROOT, BUILD and CACHE come from it).
#   ./dev bench [--seconds N] [--rates 100,1000]              event -> offer through every role
#   ./dev bench rules [--only souk,go] [--callgrind]             the rule language beside its peers
#   ./dev bench rules-swap [--rate 300] [--every 2]              a ruleset swapped under load
#   ./dev bench scene [--only live|orders|backlog] [--rates 200,1000]   live offers and orders
set -euo pipefail
cd "$ROOT"
export SOUK=$BUILD/souk SOUK_TEST_KAFKA_DIR=$CACHE/kafka-3.9
program=edge_to_offer.py
case ${1:-} in
edge-to-offer) shift ;;
rules-swap)
	shift
	program=rules_swap.py
	;;
rules) # an optimised build of its own: the peers are optimised too
	shift
	folder=$ROOT/build-bench-rules
	{ [ -f "$folder/build.ninja" ] || meson setup "$folder" --buildtype=release -Db_ndebug=false >/dev/null; } && ninja -C "$folder" tests/bench/rules_bench >/dev/null
	export SOUK_RULES_BENCH=$folder/tests/bench/rules_bench
	exec /usr/bin/python3 tests/bench/rules/rules.py "$@"
	;;
scene)
	shift
	program=scene.py
	load=$ROOT/build-bench
	{ [ -f "$load/build.ninja" ] || meson setup "$load" >/dev/null; } && ninja -C "$load" tests/bench/scene >/dev/null
	export SOUK_SCENE=$load/tests/bench/scene
	;;
esac
exec tests/support/with_kafka.sh /usr/bin/python3 "tests/bench/$program" "$@"
