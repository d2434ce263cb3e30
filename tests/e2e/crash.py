"""What dies, sleeps or forgets in mid-run, on the Kafka of SOUK_TEST_KAFKA: the demo's own checks must hold at its end, and each fault must really have happened.

  killed    SIGKILL of each role in turn, of Redis, and FLUSHALL; the supervisor starts them again
  asleep    SIGSTOP of pricing and of wallet-bridge until a second instance has taken their partitions, then SIGCONT
"""
import contextlib
import glob
import json
import os
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from harness import SOUK, Demo, Tap, get, wait_for  # noqa: E402

KAFKA = os.environ["SOUK_TEST_KAFKA"]
# The shortest that a broker allows by itself: a killed member is given up after this time.
SESSION_S = 6
BASE = ["--kafka", KAFKA, "--rate", "60", "--set", f"kafka.properties.session.timeout.ms={SESSION_S * 1000}"]
ROLES = ["ws-server", "pricing", "bidding", "connectors", "wallet-bridge"]
# What shows that a role works: a counter of its own that grows.
WORK = {
    "ws-server": 'souk_ws_events_total{result="acked"}',
    "pricing": "souk_pricing_decisions_total",
    "bidding": "souk_bidding_rows_published_total",
    "connectors": "souk_connectors_rows_total",
    "wallet-bridge": "souk_wallet_results_total",
}
tap = Tap()


def metric(url, name):
    """Sum of the series whose name (and labels, if any are given) begin so; None while nobody answers."""
    try:
        status, text = get(url + "/metrics", timeout=2)
    except OSError:
        return None
    if status != 200:
        return None
    return sum(float(x.rpartition(" ")[2]) for x in text.splitlines() if x.startswith(name))


def is_ready(url):
    with contextlib.suppress(OSError):
        return get(url + "/readyz", timeout=2)[0] == 200
    return False


def works(url, name, seconds, what):
    """The counter grows by itself: twice, so that what was left in a buffer does not count."""
    for _ in range(2):
        before = wait_for(lambda: metric(url, name) is not None and [metric(url, name)], seconds, f"{what}: metrics")[0] or 0
        wait_for(lambda: (metric(url, name) or 0) > before, seconds, f"{what}: {name} beyond {before}")
    return True


def logs(d):
    """The last lines of every process, for a failure's detail."""
    found = []
    for path in sorted(glob.glob(os.path.join(d.tmp, "run", "souk-*", "*.log"))):
        with open(path, errors="replace") as f:
            found.append(os.path.basename(path) + ":\n" + "".join(f.readlines()[-6:]))
    return "\n".join(found)


def kill(d, admin, name):
    """SIGKILL, a new process, ready again, at work again."""
    pid = d.child("redis-server" if name == "redis" else name)
    os.kill(pid, signal.SIGKILL)
    new = wait_for(lambda: (lambda p: p if p not in (None, pid) else None)(d.child("redis-server" if name == "redis" else name)), 30, f"restart of {name}")
    tap.ok(new != pid, f"{name}: started again after SIGKILL")
    watched = ROLES if name == "redis" else [name]
    for role in watched:
        tap.ok(wait_for(lambda r=role: is_ready(admin[r]), 60, f"{role} ready after the death of {name}"), f"{name}: {role} is ready again")
    for role in ("ws-server", "pricing", "wallet-bridge") if name == "redis" else (name, "pricing"):
        tap.ok(works(admin[role], WORK[role], 60, f"{role} after the death of {name}"), f"{name}: {role} works again")


def flush(d):
    """FLUSHALL by a client that is not ours."""
    path = glob.glob(os.path.join(d.tmp, "run", "souk-*", "redis.sock"))[0]
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        s.sendall(b"FLUSHALL\r\n")
        return s.recv(100)


def judge(d, what):
    """The end of a run: exit code and every check of the summary."""
    d.process.send_signal(signal.SIGINT)
    tail = logs(d)
    summary, code = d.end(180)
    detail = json.dumps(summary) + "\n" + d.stderr() + "\n" + tail
    tap.eq(code, 0, f"{what}: the run ends with 0")
    tap.ok(summary is not None, f"{what}: there is a summary", detail)
    for name, holds in (summary or {"checks": {}})["checks"].items():
        tap.ok(holds is True, f"{what}: check {name} holds", detail)
    orders = (summary or {}).get("orders", {})
    tap.ok(orders.get("FINAL", 0) > 0, f"{what}: orders came to FINAL", detail)
    tap.eq(d.leftovers(), ([], []), f"{what}: nothing is left behind")
    return summary


def killed():
    with tap.test("killed"), Demo(*BASE) as d:
        admin = d.ready()["admin"]
        time.sleep(5)
        for name in [*ROLES, "redis"]:
            kill(d, admin, name)
            time.sleep(2)
        tap.eq(flush(d), b"+OK\r\n", "flush: Redis forgot everything")
        tap.ok(works(admin["pricing"], 'souk_pricing_decisions_total{outcome="OFFER"}', 60, "pricing after a flush"), "flush: offers are made again")
        tap.ok(works(admin["wallet-bridge"], WORK["wallet-bridge"], 60, "wallet-bridge after a flush"), "flush: orders go on")
        time.sleep(2)
        summary = judge(d, "killed")
        if summary:
            tap.ok(summary["restarts"] >= len(ROLES) + 1, "killed: the supervisor counted the restarts", summary["restarts"])


@contextlib.contextmanager
def second(d, role):
    """Another instance of a role with the run's own configuration; gives the URL of its admin port."""
    config = glob.glob(os.path.join(d.tmp, "run", "souk-*", "souk.yaml"))[0]
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    log = open(os.path.join(d.tmp, f"second-{role}.log"), "w+")
    p = subprocess.Popen([SOUK, role, "--config", config, "--set", f"admin.listen=127.0.0.1:{port}", "--set",
                          f"kafka.properties.session.timeout.ms={SESSION_S * 1000}"], stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
        p.send_signal(signal.SIGTERM)
        tap.eq(p.wait(40), 0, f"{role}: the second instance drains and ends with 0")
    finally:
        if p.poll() is None:
            p.kill()
            p.wait()
        log.close()


def sleep_through(d, admin, role, acquired):
    """Stopped until another instance owns every partition and works; then it wakes, and does no harm."""
    pid = d.child(role)
    n = metric(admin[role], acquired)
    tap.ok(n and n > 0, f"{role}: owns its partitions at first", n)
    os.kill(pid, signal.SIGSTOP)
    try:
        with second(d, role) as url:
            wait_for(lambda: (metric(url, acquired) or 0) >= n, 60, f"the second {role} has all {n} partitions")
            tap.ok(works(url, WORK[role], 60, f"the second {role}"), f"{role}: the second instance works while the first sleeps")
            os.kill(pid, signal.SIGCONT)
            tap.ok(wait_for(lambda: metric(admin[role], acquired) is not None, 30, f"{role} answers again"), f"{role}: the sleeper is awake")
            # With both alive the group shares the partitions: some are claimed anew.
            tap.ok(works(url, WORK[role], 60, f"the second {role}, both awake"), f"{role}: both together go on")
        tap.ok(wait_for(lambda: is_ready(admin[role]), 60, f"{role} alone again"), f"{role}: the first is ready alone")
        # Ready comes before the group has given it anything.
        tap.ok(wait_for(lambda: (metric(admin[role], acquired) or 0) > n, 60, f"{role} claims again"), f"{role}: it had to claim its partitions again")
        tap.ok(works(admin[role], WORK[role], 60, f"{role} alone again"), f"{role}: the first works alone again")
        tap.eq(d.child(role), pid, f"{role}: it is the same process as before")
    finally:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGCONT)


def asleep():
    with tap.test("asleep"), Demo(*BASE) as d:
        admin = d.ready()["admin"]
        time.sleep(5)
        sleep_through(d, admin, "pricing", 'souk_pricing_owner_changes_total{change="acquired"}')
        sleep_through(d, admin, "wallet-bridge", 'souk_wallet_owner_changes_total{change="acquired"}')
        judge(d, "asleep")


for scenario in (killed, asleep):
    if len(sys.argv) < 2 or scenario.__name__ in sys.argv[1:]:
        scenario()
sys.exit(tap.done())
