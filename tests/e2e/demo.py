"""The demo's scene with its own checks, on the embedded broker or (--real) on the Kafka of SOUK_TEST_KAFKA; and how it ends."""
import json
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from harness import Demo, Tap, get, redis_server, wait_for  # noqa: E402

REAL = "--real" in sys.argv
where = ["--kafka", os.environ["SOUK_TEST_KAFKA"]] if REAL else []
on = "real Kafka" if REAL else "the embedded broker"
tap = Tap()

CHECKS = ["every_ack_decided_and_heard", "no_price_broke_a_guard", "revisions_never_back", "every_decision_recomputes", "guard_conflicts_under_1_percent",
          "every_message_readable"]

def the_scene(again, *args):
    """Runs the scene once, with the demo's own checks and ours on its summary."""
    with tap.test(f"the scene on {on}{again}"), Demo("--for", "20s", "--rate", "200", *where, *args) as d:
        ready = d.ready()
        tap.ok(all(k in ready for k in ("ws", "http", "kafka", "redis", "admin", "token")), "the ready line has its members", ready)
        for role, url in ready["admin"].items():
            tap.eq(get(url + "/readyz")[0], 200, f"{role} is ready")
        summary, code = d.end()
        detail = json.dumps(summary) + d.stderr()
        tap.eq(code, 0, "the run ends with 0")
        for name in CHECKS:
            tap.ok(summary["checks"].get(name) is True, f"check {name} holds on {on}{again}", detail)
        tap.ok(all(summary["checks"].values()), "and every other check", detail)
        tap.ok(summary["acks"] > 2000 and summary["acks"] >= 0.97 * summary["events"], "nearly every event was acknowledged", detail)
        tap.ok(summary["decisions"].get("OFFER", 0) > 0.5 * summary["acks"], "most were answered with an offer", detail)
        tap.ok(summary["answered_again"] == 0, "and none twice, since no owner changed", detail)
        lat = summary["latency_ms"]
        tap.ok(0 < lat["p50"] <= lat["p90"] <= lat["p99"] <= lat["p999"], "latency percentiles are there and in order", lat)
        tap.eq(d.leftovers(), ([], []), "no process and no file is left behind")


if REAL:
    # Twice on the same servers: a run's versions and topics are its own, what the first left in Redis does not hold up the second.
    with redis_server() as url:
        the_scene("", "--redis", url)
        the_scene(", again", "--redis", url)
else:
    the_scene("")

if not REAL:
    with tap.test("Ctrl-C"), Demo() as d:
        d.ready()
        time.sleep(2)
        d.process.send_signal(signal.SIGINT)
        summary, code = d.end()
        tap.ok(code == 0 and all(summary["checks"].values()), "Ctrl-C ends the demo well, with its summary", json.dumps(summary) + d.stderr())
        tap.eq(d.leftovers(), ([], []), "and leaves nothing behind")

    with tap.test("Ctrl-C twice"), Demo() as d:
        d.ready()
        d.process.send_signal(signal.SIGINT)
        time.sleep(0.05)
        d.process.send_signal(signal.SIGINT)
        _, code = d.end(timeout=10)
        tap.eq(code, 1, "a second Ctrl-C ends it at once")
        tap.eq(d.leftovers(), ([], []), "and leaves nothing behind either")

    with tap.test("a child dies"), Demo() as d:
        ready = d.ready()
        for role in ("pricing", "connectors", "bidding", "redis-server"):
            pid = d.child(role)
            tap.ok(pid is not None, f"{role} runs as a child")
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: d.child(role) not in (None, pid), 20, f"restart of {role}")
            tap.ok(True, f"{role} is started again")
        for role, url in ready["admin"].items():
            def is_ready():
                try:
                    return get(url + "/readyz")[0] == 200
                except OSError:
                    return False
            tap.ok(wait_for(is_ready, 60, f"{role} ready again"), f"{role} is ready again")
        d.process.send_signal(signal.SIGINT)
        d.end()
        tap.eq(d.leftovers(), ([], []), "nothing is left behind after restarts")

sys.exit(tap.done())
