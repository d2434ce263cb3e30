"""The live scene on a real Kafka: a market row written to Redis -> the first revision at the client; order -> ack -> RESERVED; orders a second of one wallet-bridge.

2,000 items with 5 live offers each (100 sessions), open loop, latency from the intended time. In the same run, at the same load: the bus floor (a record of an offer's size,
produced and consumed, nothing between) and a WebSocket round trip (a command that does nothing). Market rows are written by the load program as bidding writes them; no
bidding runs. Everything shares the machine: its cores and how busy it was are printed with the figures.
"""
import argparse
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
sys.path.insert(0, os.path.dirname(__file__))
from edge_to_offer import broker_pid, cpu_s, machine, rss_mib  # noqa: E402
from harness import SOUK, free_port, get, run, wait_for  # noqa: E402

DRIVER = os.environ["SOUK_SCENE"]
KAFKA = os.environ["SOUK_TEST_KAFKA"]
ROLES = ["connectors", "pricing", "wallet-bridge", "ws-server"]
RULES = {"name": "bench", "version": "1", "tables": [{"id": "sale", "match": "first", "rows": [{"id": "sale", "when": {}, "bps": -4500, "reason": "Sale"}]}]}


class Scene:
    """Redis and the roles, with topics of a prefix of their own."""

    def __init__(self, name):
        self.folder = tempfile.mkdtemp(prefix="souk-bench-")
        self.processes = {}
        self.prefix = f"{name}-{os.getpid()}-{int(time.time())}."
        self.ports = {r: free_port() for r in [*ROLES, "ws"]}
        self.redis = os.path.join(self.folder, "redis.sock")
        self.config = self.file("souk.yaml", self.configuration())
        self.file("rules.json", json.dumps(RULES))
        self.secret = self.file("jwt.secret", "0123456789abcdef0123456789abcdef")
        self.keys = self.file("quote.keys", '{"keys":[{"kid":"bench","secret":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}]}')
        made = run("topics", "create", "--config", self.config, "--demo-sizes")
        if made.returncode:
            raise RuntimeError(made.stderr)

    def file(self, name, text):
        path = pathlib.Path(self.folder, name)
        path.write_text(text)
        path.chmod(0o600)
        return str(path)

    def configuration(self):
        f = self.folder
        return f"""
kafka: {{ bootstrap: "{KAFKA}", topic_prefix: "{self.prefix}" }}
redis: {{ url: "unix://{self.redis}" }}
log: {{ level: warn }}
ws:
  listen: "127.0.0.1:{self.ports["ws"]}"
  auth: {{ hs256_secret_file: "{f}/jwt.secret" }}
  offer_ttl_ms: 600000
  limits: {{ connections_per_address: 0, events_per_s: 1000, events_burst: 1000, orders_per_s: 1000, outbox_bytes: 4194304 }}
pricing:
  rules_file: "{f}/rules.json"
  quote_keys_file: "{f}/quote.keys"
  offer_ttl_ms: 600000
wallet: {{ quote_keys_file: "{f}/quote.keys", open_per_user: 0, order_slack_bps: 10000 }}
"""

    def start(self, name, *command):
        with open(os.path.join(self.folder, name + ".log"), "a") as log:
            self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log)

    def role(self, name):
        self.start(name, SOUK, name, "--config", self.config, "--set", f"admin.listen=127.0.0.1:{self.ports[name]}")

    def ready(self, name):
        with contextlib.suppress(OSError):
            return get(f"http://127.0.0.1:{self.ports[name]}/readyz", 1)[0] == 200
        return False

    def __enter__(self):
        self.start("redis", "redis-server", "--port", "0", "--unixsocket", self.redis, "--save", "", "--appendonly", "no", "--dir", self.folder)
        wait_for(lambda: os.path.exists(self.redis), 20, "redis")
        for r in ROLES:
            self.role(r)
        try:
            for r in ROLES:
                wait_for(lambda r=r: self.ready(r), 60, f"{r} ready")
        except BaseException:
            self.__exit__()
            raise
        return self

    def end(self, name):
        p = self.processes.pop(name)
        p.send_signal(signal.SIGTERM)
        try:
            return p.wait(30)
        except subprocess.TimeoutExpired:
            p.kill()
            return p.wait()

    def __exit__(self, *_):
        for name in ["ws-server", "wallet-bridge", "pricing", "connectors", "redis"]:
            if name in self.processes:
                self.end(name)

    def pids(self):
        found = {n: p.pid for n, p in self.processes.items()}
        found["kafka"] = broker_pid()
        return {k: v for k, v in found.items() if v}


def drive(scene, mode, rate, warm, measure):
    """Runs the load; figures, and CPU seconds of each process over the measured time."""
    p = subprocess.Popen([DRIVER, mode, "--config", scene.config, "--url", f"ws://127.0.0.1:{scene.ports['ws']}/v1/ws", "--secret", scene.secret, "--rate", str(rate),
                          "--warm", str(warm), "--measure", str(measure)], stdout=subprocess.PIPE, text=True)
    pids = {**scene.pids(), "load": p.pid}
    before = m0 = after = m1 = figures = None
    for line in p.stdout:
        d = json.loads(line)
        if "live" in d:
            print(f"  {d['live']} offers live ({d['no_offer']} asked again)", flush=True)
        if "warm" in d:
            before, m0 = {k: cpu_s(v) for k, v in pids.items()}, machine()
            time.sleep(measure)
            after, m1 = {k: cpu_s(v) for k, v in pids.items()}, machine()
        figures = d.get("figures", figures)
    if p.wait() or not figures or not after:
        raise RuntimeError(f"the load ended with {p.returncode}")
    figures["cpu_s"] = {k: after[k] - before[k] for k in pids}
    figures["rss_mib"] = {k: rss_mib(v) for k, v in scene.pids().items()}
    figures["busy"] = (m1[0] - m0[0]) / (m1[1] - m0[1])
    return figures


def ms(h):
    return f"p50 {h['p50'] / 1000:7.2f}  p90 {h['p90'] / 1000:7.2f}  p99 {h['p99'] / 1000:7.2f}  p99.9 {h['p999'] / 1000:7.2f} ms  (n {h['n']})"


def cpu(f, n):
    return "".join(f"  {k} {1e6 * v / max(n, 1):.0f}" for k, v in f["cpu_s"].items())


def live(o, rate):
    with Scene("live") as s:
        f = drive(s, "live", rate, o.warm, o.seconds)
    transport = f["bus_us"]["p99"] + f["websocket_us"]["p99"]
    target = 20000 + transport
    print(f"live offers, {rate} market changes/s, {f['revisions_expected'] / o.seconds:.0f} revisions/s wanted, {100 * f['busy']:.0f} % of the machine busy")
    print(f"  row written -> first revision at the client  {ms(f['revision_us'])}")
    print(f"  bus floor, same run                          {ms(f['bus_us'])}")
    print(f"  WebSocket round trip, same run               {ms(f['websocket_us'])}")
    print(f"  {f['revisions']} of {f['revisions_expected']} revisions came; withdrawn {f['withdrawn']}, errors {f['errors']}, write errors {f['write_errors']}")
    print(f"  p99 {f['revision_us']['p99'] / 1000:.1f} ms; 20 ms + the transport's p99 is {target / 1000:.1f} ms: ratio {f['revision_us']['p99'] / target:.2f}")
    print(f"  CPU us per revision:{cpu(f, f['revisions'])}")
    print("  RSS MiB:" + "".join(f"  {k} {v:.0f}" for k, v in f["rss_mib"].items()), flush=True)
    return f


def orders(o, rate):
    with Scene("orders") as s:
        f = drive(s, "orders", rate, o.warm, o.seconds)
    print(f"orders, {rate}/s, {100 * f['busy']:.0f} % of the machine busy")
    print(f"  order -> ack       {ms(f['ack_us'])}")
    print(f"  order -> RESERVED  {ms(f['reserved_us'])}")
    print(f"  {f['acked']} acknowledged, {f['reserved']} reserved, {f['rejected']} rejected of {f['orders']}; errors {f['errors']}")
    print(f"  CPU us per order:{cpu(f, rate * o.seconds)}", flush=True)
    return f


def backlog(o):
    """What one wallet-bridge process sustains: a backlog, written while none runs."""
    with Scene("backlog") as s:
        # Once through everything, so that the items are known and supplied, and the compiler of the broker is done.
        wait_for(lambda: s.ready("wallet-bridge"), 30, "wallet-bridge")
        seed = subprocess.Popen([DRIVER, "live", "--config", s.config, "--url", f"ws://127.0.0.1:{s.ports['ws']}/v1/ws", "--secret", s.secret, "--rate", "10", "--warm", "1",
                                 "--measure", "1"], stdout=subprocess.DEVNULL)
        seed.wait()
        s.end("wallet-bridge")
        p = subprocess.Popen([DRIVER, "backlog", "--config", s.config, "--keys", s.keys, "--orders", str(o.backlog)], stdout=subprocess.PIPE, text=True)
        written = json.loads(p.stdout.readline())
        s.role("wallet-bridge")
        pid = s.processes["wallet-bridge"].pid
        done = json.loads(p.stdout.readline())["backlog"]
        used = cpu_s(pid)
        p.wait()
    per_s = done["reserved"] / done["seconds"] if done["seconds"] else 0
    print(f"backlog of {written['written']} orders: {done['reserved']} reserved, {done['rejected']} rejected in {done['seconds']:.2f} s: {per_s:.0f} orders/s")
    print(f"  CPU of the process from its start: {used:.2f} s, {1e6 * used / max(done['reserved'], 1):.0f} us per order (executor, results and views included): "
          f"{done['reserved'] / used if used else 0:.0f} orders/s per core", flush=True)
    return {**done, "cpu_s": used}


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--rates", default="200,1000", help="market changes a second")
    a.add_argument("--order-rate", type=int, default=200)
    a.add_argument("--backlog", type=int, default=20000)
    a.add_argument("--seconds", type=int, default=20)
    a.add_argument("--warm", type=int, default=15)
    a.add_argument("--json", action="store_true")
    a.add_argument("--only", choices=["live", "orders", "backlog"])
    o = a.parse_args()
    print(f"the scene on a real Kafka, {os.cpu_count()} cores, {o.seconds} s after {o.warm} s of the same load", flush=True)
    rows = {}
    if o.only in (None, "live"):
        rows["live"] = [live(o, int(r)) for r in o.rates.split(",")]
    if o.only in (None, "orders"):
        rows["orders"] = orders(o, o.order_rate)
    if o.only in (None, "backlog"):
        rows["backlog"] = backlog(o)
    if o.json:
        print(json.dumps(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
