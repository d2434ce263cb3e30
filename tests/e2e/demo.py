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

CHECKS = ["every_ack_decided_and_heard", "no_price_broke_a_guard", "no_price_rose_by_itself", "revisions_never_back", "pushes_in_order",
          "every_decision_recomputes", "guard_conflicts_under_1_percent", "every_message_readable", "every_order_answered", "one_request_per_order",
          "stock_adds_up", "nothing_sold_twice", "results_in_order", "refusals_are_right", "order_audit_complete"]
ENDS = {"FINAL", "REJECTED", "REVERTED", "EXPIRED", "CANCELLED"}


def is_in_order(lat):
    return 0 < lat["p50"] <= lat["p90"] <= lat["p99"] <= lat["p999"]


def the_orders(s, detail):
    """What shoppers ordered, what became of it, and that the counts agree with each other."""
    states, records, shopping = s["orders"], s["order_records"], s["shopping"]
    tap.ok(states.get("FINAL", 0) > 100 and states.get("REJECTED", 0) > 0, "orders were paid, and some refused", detail)
    tap.ok(states.get("REVERTED", 0) + states.get("EXPIRED", 0) > 0, "some payments failed, and gave their unit back", detail)
    tap.ok(set(states) <= ENDS, "every order has come to its end", states)
    tap.eq(sum(states.values()), records["orders"], "every order on the topic has a state")
    tap.eq(records["requests"] + records["refusals"], records["orders"], "each was requested or refused, once")
    tap.eq(records["releases"], states.get("REVERTED", 0) + states.get("EXPIRED", 0), "units came back from those that failed, and no others")
    tap.ok(s["order_reasons"].get("BAD_QUOTE") == shopping["tampered"] > 0, "whoever tampered with a quote was refused for it", detail)
    tap.ok(shopping["twice"] > 0 and shopping["retries"] > 0 and shopping["asked"] > 0, "shoppers clicked twice, tried again and asked", shopping)
    tap.ok(records["repeats"] > 0, "so some orders were sent more than once", records)
    tap.ok(shopping["refused"] == shopping["instalments"] > 0, "instalments, and nothing else, were refused at the gateway", shopping)
    tap.ok(0 < shopping["conflicts_told"] <= shopping["conflicts"], "an id with another body was a conflict", shopping)
    tap.ok(is_in_order(s["order_latency_ms"]["ack"]) and is_in_order(s["order_latency_ms"]["reserved"]), "order latencies are there and in order", detail)


def the_scene(again, *args):
    """Runs the scene once, with the demo's own checks and ours on its summary."""
    with tap.test(f"the scene on {on}{again}"), Demo("--for", "20s", "--rate", "200", "--order-one-in", "12", *where, *args) as d:
        ready = d.ready()
        tap.ok(all(k in ready for k in ("ws", "http", "kafka", "redis", "admin", "token")), "the ready line has its members", ready)
        for role, url in ready["admin"].items():
            tap.ok(wait_for(lambda: get(url + "/readyz")[0] == 200, 10, f"{role} ready"), f"{role} is ready")
        summary, code = d.end()
        detail = json.dumps(summary) + d.stderr()
        tap.eq(code, 0, "the run ends with 0")
        for name in CHECKS:
            tap.ok(summary["checks"].get(name) is True, f"check {name} holds on {on}{again}", detail)
        tap.ok(all(summary["checks"].values()), "and every other check", detail)
        tap.ok(summary["acks"] > 2000 and summary["acks"] + summary["cut"] >= 0.97 * summary["events"], "nearly every event was acknowledged, unless its session ended", detail)
        tap.ok(summary["decisions"].get("OFFER", 0) > 0.5 * summary["acks"], "most were answered with an offer", detail)
        tap.ok(summary["answered_again"] == 0, "and none twice, since no owner changed", detail)
        tap.ok(is_in_order(summary["latency_ms"]), "latency percentiles are there and in order", summary["latency_ms"])
        tap.ok(summary["revisions"] > 0 and summary["withdrawn"] > 0 and summary["market"] > 0, "live offers moved with the market", detail)
        tap.ok(summary["left"] > 0, "shoppers left and came back", detail)
        the_orders(summary, detail)
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
        for role in ("pricing", "connectors", "bidding", "wallet-bridge", "ws-server", "redis-server"):
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
        summary, code = d.end(120)
        tap.ok(code == 0 and all(summary["checks"].values()), "every check holds in spite of the restarts", json.dumps(summary) + d.stderr())
        tap.eq(d.leftovers(), ([], []), "nothing is left behind after restarts")

sys.exit(tap.done())
