"""Event -> offer through every role on a real Kafka: latency from the intended send time, and CPU per event of each process.

The load is the demo's own: simulated shoppers over WebSocket, open loop, on the replayed market. CPU is user + system time of the whole process over the measured
window (10 ms steps), per acknowledged event. Broker, Redis, load generator and roles share the machine: its cores and what else ran on it are printed with the figures.
"""
import argparse
import json
import os
import pathlib
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
from harness import Demo, get  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
PARTS = ["ws-server", "pricing", "bidding", "connectors", "redis-server", "shoppers", "world"]


def cpu_s(pid):
    f = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(f[11]) + int(f[12])) / TICK


def rss_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def machine():
    """Busy and total jiffies of all cores."""
    v = list(map(int, pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]))
    return sum(v) - v[3] - v[4], sum(v)


def acks(ready):
    body = get(ready["admin"]["ws-server"] + "/metrics")[1]
    return sum(float(x.rsplit(" ", 1)[1]) for x in body.splitlines() if x.startswith("souk_ws_acks_total"))


def broker_pid():
    port = os.environ["SOUK_TEST_KAFKA"].rsplit(":", 1)[1]
    for p in pathlib.Path("/proc").iterdir():
        if p.name.isdigit():
            try:
                line = (p / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"kafka.Kafka" in line:
                properties = [x.decode() for x in line if x.endswith(b"server.properties")]
                if properties and f":{port}" in pathlib.Path(properties[0]).read_text():
                    return int(p.name)
    return None


def one(rate, seconds, warm):
    with Demo("--kafka", os.environ["SOUK_TEST_KAFKA"], "--rate", str(rate), "--for", f"{warm + seconds}s", "--shoppers", "100") as d:
        ready = d.ready()
        time.sleep(warm)
        pids = {p: d.child(p) for p in PARTS}
        pids["kafka"] = broker_pid()
        pids = {k: v for k, v in pids.items() if v}
        before, n0, m0 = {k: cpu_s(v) for k, v in pids.items()}, acks(ready), machine()
        time.sleep(seconds - 1)
        after, n1, m1 = {k: cpu_s(v) for k, v in pids.items()}, acks(ready), machine()
        rss = {k: rss_mib(v) for k, v in pids.items()}
        summary, code = d.end(120)
    events = max(n1 - n0, 1)
    lat = summary["latency_ms"]
    print(f"{rate:>5} ev/s   p50 {lat['p50']:7.2f}  p90 {lat['p90']:7.2f}  p99 {lat['p99']:7.2f}  p99.9 {lat['p999']:7.2f} ms"
          f"   ({int(events)} events, machine {100 * (m1[0] - m0[0]) / (m1[1] - m0[1]):.0f} % busy, checks {'hold' if code == 0 else 'BROKEN'})")
    row = "".join(f"  {k} {1e6 * (after[k] - before[k]) / events:.0f}" for k in pids)
    print(f"            CPU us per event:{row}")
    print("            RSS MiB:" + "".join(f"  {k} {rss[k]:.0f}" for k in pids))
    return {"rate": rate, "latency_ms": lat, "cpu_us": {k: round(1e6 * (after[k] - before[k]) / events, 1) for k in pids}, "rss_mib": rss, "ok": code == 0}


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--rates", default="100,1000")
    a.add_argument("--seconds", type=int, default=30)
    a.add_argument("--warm", type=int, default=5)
    a.add_argument("--broker-warm", type=int, default=40, help="seconds of load before anything is measured")
    a.add_argument("--json", action="store_true")
    o = a.parse_args()
    print(f"event -> offer on a real Kafka, {os.cpu_count()} cores, {o.seconds} s after {o.warm} s; latency includes the warm-up", flush=True)
    if o.broker_warm:
        # A JVM compiles what it runs often: without this the first figures are the compiler's.
        with Demo("--kafka", os.environ["SOUK_TEST_KAFKA"], "--rate", "1000", "--for", f"{o.broker_warm}s", "--shoppers", "100") as d:
            d.ready()
            d.end(120 + o.broker_warm)
    rows = [one(int(r), o.seconds, o.warm) for r in o.rates.split(",")]
    if o.json:
        print(json.dumps(rows))
    return 0 if all(r["ok"] for r in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
