#!/usr/bin/env bash
# What ./dev bench runs (ROOT, BUILD and CACHE come from it).
#   ./dev bench [edge-to-offer] [--seconds N] [--rates 100,1000]
set -euo pipefail
cd "$ROOT"
export SOUK=$BUILD/souk SOUK_TEST_KAFKA_DIR=$CACHE/kafka-3.9
exec tests/support/with_kafka.sh /usr/bin/python3 tests/bench/edge_to_offer.py "$@"
