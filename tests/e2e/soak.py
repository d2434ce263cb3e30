"""A long run of the scene on a real Kafka: the demo's checks must hold at its end, nothing may restart by itself, and no process may keep growing.

  ./dev soak [--minutes N] [--rate N]
"""
import argparse
import os
import pathlib
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from harness import Demo, Tap  # noqa: E402

PARTS = ["ws-server", "pricing", "bidding", "connectors", "wallet-bridge", "redis-server", "shoppers", "world", "storefront"]
SETTLE_S = 60  # caches and tables fill in the first minute


def rss_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0


a = argparse.ArgumentParser()
a.add_argument("--minutes", type=float, default=10)
a.add_argument("--rate", default="200")
o = a.parse_args()
tap = Tap()

with tap.test("a long run"), Demo("--for", f"{int(o.minutes * 60)}s", "--rate", o.rate, "--kafka", os.environ["SOUK_TEST_KAFKA"]) as d:
    d.ready()
    pids = {p: d.child(p) for p in PARTS}
    end = time.monotonic() + o.minutes * 60 - 5
    time.sleep(min(SETTLE_S, max(end - time.monotonic(), 1)))
    first = {p: rss_kib(pid) for p, pid in pids.items()}
    time.sleep(max(end - time.monotonic(), 1))
    last = {p: rss_kib(pid) for p, pid in pids.items()}
    summary, code = d.end(180)
    tap.ok(code == 0 and all(summary["checks"].values()), "every check holds at the end", summary)
    tap.eq(summary["restarts"], 0, "nothing had to be restarted")
    for p in PARTS:
        print(f"  # {p}: {first[p] / 1024:.1f} MiB after a minute, {last[p] / 1024:.1f} MiB at the end")
        # Tables of the demo grow with the story; what leaks at this rate grows much faster.
        tap.ok(last[p] < first[p] * 2 + 32768, f"{p} does not keep growing", (first[p], last[p]))

sys.exit(tap.done())
