#!/usr/bin/env bash
# Runs a command with a real, empty Kafka of its own: its address in SOUK_TEST_KAFKA, ended and removed afterwards.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
: "${SOUK_TEST_KAFKA_DIR:?where tests/support/kafka.sh installed the jars}"
data=$(mktemp -d)
# Two neighbouring free ports: clients and controller.
port=$(/usr/bin/python3 - <<'P'
import socket
while True:
    with socket.socket() as a:
        a.bind(("127.0.0.1", 0))
        port = a.getsockname()[1]
        with socket.socket() as b:
            try:
                b.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
    print(port)
    break
P
)
trap '"$here/kafka.sh" wipe "$data" >&2 || true; rm -rf "$data"' EXIT
"$here/kafka.sh" start "$SOUK_TEST_KAFKA_DIR" "$data" "$port" >&2
export SOUK_TEST_KAFKA=127.0.0.1:$port
"$@"
