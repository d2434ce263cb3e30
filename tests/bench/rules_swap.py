"""A ruleset swapped under load: `./dev bench rules-swap`, on a real Kafka.

Runs of the whole demo at one rate, in turn without and with a new ruleset every `--every` seconds (a body and its pointer on nft.rules.v1, two sets in turn).
A swap must lose nothing (the demo's own checks: every acknowledged event answered, every price within its guards) and move p99 by less than the runs
without swaps differ among themselves. Live offers are priced again at each swap: their revisions are the load that a swap brings.
"""
import argparse
import hashlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
from harness import Demo, get  # noqa: E402

RULES = pathlib.Path(__file__).parents[2] / "souk/demo/data/rules.json"


def bodies():
    """Two sets of the demo's name that differ in one rule's basis points: (key, body, pointer)."""
    ret = []
    for n in (1, 2):
        doc = json.loads(RULES.read_text())
        doc["version"] = f"swap-{n}"
        doc.pop("tests", None)  # they speak of the prices of the set as it was
        rule = next(r for g in doc["groups"] for r in g["rules"] if isinstance(r.get("bps"), int))
        rule["bps"] -= n
        body = json.dumps(doc, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        digest = hashlib.sha256(body.encode()).hexdigest()
        ret.append((f"{doc['name']}/{digest}", body, doc["name"], json.dumps({"ruleset": "sha256:" + digest})))
    return ret


def put(topic, key, value):
    subprocess.run(["kcat", "-P", "-b", os.environ["SOUK_TEST_KAFKA"], "-t", topic, "-K", "\t"], input=f"{key}\t{value}\n".encode(), check=True)


def swaps(ready):
    body = get(ready["admin"]["pricing"] + "/metrics")[1]
    return sum(float(x.rsplit(" ", 1)[1]) for x in body.splitlines() if x.startswith("souk_pricing_ruleset_swaps_total"))


def one(rate, seconds, every):
    stop = threading.Event()
    n = 0

    with Demo("--kafka", os.environ["SOUK_TEST_KAFKA"], "--rate", str(rate), "--for", f"{seconds}s", "--shoppers", "100") as d:
        ready = d.ready()
        topic = ready.get("topic_prefix", "") + "nft.rules.v1"
        before = swaps(ready)

        def swapper():
            nonlocal n
            sets = bodies()
            for key, body, _, _ in sets:
                put(topic, key, body)
            while not stop.wait(every):
                put(topic, sets[n % 2][2], sets[n % 2][3])
                n += 1

        thread = threading.Thread(target=swapper)
        if every:
            thread.start()
            stop.wait(seconds - 3)
            stop.set()
            thread.join()
            seen = swaps(ready) - before
        summary, code = d.end(120 + seconds)
    lat = summary["latency_ms"]
    said = f", {n} published, {int(seen)} in force" if every else ""
    print(f"{'with swaps' if every else 'without':>10}   p50 {lat['p50']:7.2f}  p99 {lat['p99']:7.2f} ms   revisions {summary['revisions']}"
          f"   ({summary['events']} events, {summary['acks']} acks, checks {'hold' if code == 0 else 'BROKEN'}{said})", flush=True)
    ok = code == 0 and (not every or (n > 0 and seen >= n - 1))
    return lat["p99"], ok


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--rate", type=int, default=300)
    a.add_argument("--seconds", type=int, default=30)
    a.add_argument("--every", type=float, default=2.0)
    a.add_argument("--pairs", type=int, default=3)
    o = a.parse_args()
    print(f"rulesets swapped every {o.every} s at {o.rate} events/s, {os.cpu_count()} cores for everything; one run to warm the broker", flush=True)
    oks = [one(o.rate, o.seconds, 0)[1]]
    calm, swapped = [], []
    for _ in range(o.pairs):
        for every, into in ((0, calm), (o.every, swapped)):
            p99, ok = one(o.rate, o.seconds, every)
            into.append(p99)
            oks.append(ok)
    print(f"p99 without: median {statistics.median(calm):.2f} (from {min(calm):.2f} to {max(calm):.2f}); with swaps: median {statistics.median(swapped):.2f} ms"
          f" (from {min(swapped):.2f} to {max(swapped):.2f})")
    return 0 if all(oks) else 1


if __name__ == "__main__":
    sys.exit(main())
