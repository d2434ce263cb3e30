"""The binary as an operator meets it: help, wrong flags, wrong configuration, a dead broker."""
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(__file__))
from harness import SOUK, Tap, free_port, get, redis_server, run, wait_for  # noqa: E402

tap = Tap()


def fails(name, args, code, *parts, **kw):
    r = run(*args, **kw)
    tap.ok(r.returncode == code and all(p in r.stderr for p in parts) and not r.stdout, name, f"exit {r.returncode}\n{r.stdout}{r.stderr}")


def written(text):
    f = tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False)
    f.write(text)
    f.close()
    return f.name


with tap.test("help"):
    r = run("--help")
    tap.ok(r.returncode == 0 and "demo" in r.stdout and "pricing" in r.stdout, "help lists the commands")
    r = run("demo", "--help")
    tap.ok(r.returncode == 0 and "--rate" in r.stdout, "a command's help lists its flags")
    r = run("version", "--json")
    tap.ok(r.returncode == 0 and "librdkafka" in json.loads(r.stdout), "version is machine-readable")

with tap.test("wrong usage"):
    fails("no command is wrong usage", [], 2, "Usage")
    fails("an unknown command names the nearest", ["pricin"], 2, "pricing")
    fails("an unknown flag is named", ["pricing", "--cofig", "x"], 2, "--cofig")
    fails("a flag without its value is named", ["pricing", "--config"], 2, "--config", "value")
    fails("a rate that is no rate is named", ["demo", "--rate", "many"], 2, "--rate", "many")
    fails("a time that is no time is named", ["demo", "--for", "soon"], 2, "--for", "30s")
    fails("an unexpected word is named", ["demo", "now"], 2, "now")

with tap.test("configuration"):
    fails("a missing file is named", ["config", "check", "--config", "/nonexistent.yaml"], 2, "/nonexistent.yaml")
    path = written("kafka: { bootstrap: 127.0.0.1:9092 }\npricing:\n  offer_ttl_sm: 30000\n")
    fails("an unknown key is named with file, line and the nearest", ["config", "check", "--config", path], 2, f"{path}:3:", "offer_ttl_sm", "offer_ttl_ms")
    path = written("pricing:\n  offer_ttl_ms: soon\n")
    fails("a wrong value is named with what would be right", ["config", "check", "--config", path], 2, f"{path}:2:", "offer_ttl_ms")
    fails("a wrong --set is named", ["config", "check", "--set", "pricing.offer_ttl_sm=1"], 2, "--set", "offer_ttl_ms")
    fails("a wrong environment variable is named", ["config", "check"], 2, "SOUK_PRICING_OFFER_TTL_SM",
          env={**os.environ, "SOUK_PRICING_OFFER_TTL_SM": "1"})
    path = written("log: { level: debug }\n")
    r = run("config", "print", "--config", path, "--set", "kafka.topic_prefix=x.", env={**os.environ, "SOUK_REDIS_URL": "redis://10.0.0.1:1/0"})
    tap.ok(r.returncode == 0 and 'level: "debug"' in r.stdout and "x." in r.stdout and "10.0.0.1" not in r.stdout,
           "print shows values in force and hides secrets", r.stdout + r.stderr)
    r = run("config", "doc")
    tap.ok(r.returncode == 0 and "SOUK_PRICING_OFFER_TTL_MS" in r.stdout, "doc names every key's environment form")
    r = run("config", "check", "--json")
    tap.ok(r.returncode == 0 and json.loads(r.stdout) == {"ok": True}, "the defaults are a right configuration", r.stderr)
    fails("a role without its secrets says which key", ["ws-server"], 2, "hs256_secret_file")

with tap.test("token"):
    secret = written("s" * 48)
    r = run("token", "--user", "u_42", "--secret-file", secret)
    tap.ok(r.returncode == 0 and r.stdout.count(".") == 2, "a token has three parts", r.stderr)
    fails("a short secret is refused", ["token", "--user", "u", "--secret-file", written("short")], 1, "32")
    fails("a user is needed", ["token"], 2, "--user")

with tap.test("pause, resume and confirm"):
    for name in ("pause", "resume", "confirm"):
        r = run(name, "--help")
        tap.ok(r.returncode == 0 and f"Usage: souk {name}" in r.stdout, f"{name} has its help", r.stdout + r.stderr)
    fails("a collection called all is told from all collections", ["pause", "--collection", "all"], 2, "--collection all", "leave")
    fails("an empty collection is none", ["resume", "--collection", ""], 2, "--collection", "128")
    fails("a slug has its bound", ["pause", "--collection", "x" * 129], 2, "128")
    fails("and so has a note", ["pause", "--note", "x" * 513], 2, "512")
    fails("a resume has no note", ["resume", "--note", "x"], 2, "--note", "unknown flag")
    fails("a word more is named", ["pause", "azuki"], 2, "azuki")
    fails("confirm needs an item", ["confirm"], 2, "--item")
    fails("an item that is none is named", ["confirm", "--item", "EIP155:1/erc721:0xAB/7"], 2, "EIP155:1/erc721:0xAB/7", "CAIP-19")
    fails("their configuration is checked like others'", ["pause", "--set", "kafka.bootstap=x"], 2, "kafka.bootstrap")

with tap.test("cache reset"), redis_server() as url:
    fails("an unknown side is named", ["cache", "reset", "--side", "weather"], 2, "weather", "inventory")
    fails("a side that is not there has nothing to reset", ["cache", "reset", "--side", "market", "--set", "redis.url=" + url], 1, "nothing to reset")
    cli = ["redis-cli", "-u", url]
    subprocess.run([*cli, "HSET", "feed:{market}", "gen", "4", "shards", "0"], check=True, stdout=subprocess.DEVNULL)
    r = run("cache", "reset", "--side", "market", "--json", "--set", "redis.url=" + url)
    tap.ok(r.returncode == 0 and json.loads(r.stdout) == {"side": "market", "gen": 5}, "a reset raises the generation", r.stdout + r.stderr)
    stored = subprocess.run([*cli, "HGETALL", "feed:{market}"], check=True, capture_output=True, text=True).stdout.split()
    tap.eq(dict(zip(stored[::2], stored[1::2])), {"gen": "5", "shards": "0"}, "and keeps the number of shards")

with tap.test("a dead broker"):
    dead, admin = free_port(), free_port()
    secret = written("s" * 48)
    p = subprocess.Popen([SOUK, "ws-server", "--set", f"kafka.bootstrap=127.0.0.1:{dead}", "--set", f"redis.url=redis://127.0.0.1:{dead}/0", "--set",
                          "ws.listen=127.0.0.1:0", "--set", f"ws.auth.hs256_secret_file={secret}", "--set", f"admin.listen=127.0.0.1:{admin}"],
                         stderr=subprocess.PIPE, text=True)

    def answers():
        try:
            return get(f"http://127.0.0.1:{admin}/livez")
        except OSError:
            return None
    tap.eq(wait_for(answers, 20, "livez")[0], 200, "a role without its broker lives")
    status, body = get(f"http://127.0.0.1:{admin}/readyz")
    tap.ok(status == 503 and "kafka" in body and "redis" in body, "and says why it is not ready", body)
    tap.eq(get(f"http://127.0.0.1:{admin}/nothing")[0], 404, "an unknown admin path is 404")
    status, body = get(f"http://127.0.0.1:{admin}/metrics")
    tap.ok(status == 200 and "souk_" in body and "process_cpu_seconds_total" in body, "metrics are served all the same")
    began = time.monotonic()
    p.terminate()
    tap.eq(p.wait(40), 0, "it ends well when asked")
    tap.ok("kafka" in p.stderr.read().lower() or time.monotonic() - began < 40, "within the drain's bound")
    fails("pause says that nobody answers", ["pause", "--set", f"kafka.bootstrap=127.0.0.1:{dead}"], 1, "souk pause", str(dead))
    fails("and so does confirm", ["confirm", "--item", "game:azeroth/sword:iron/17", "--set", f"kafka.bootstrap=127.0.0.1:{dead}"], 1, "souk confirm", str(dead))
    r = run("topics", "check", "--set", f"kafka.bootstrap=127.0.0.1:{dead}")
    tap.ok(r.returncode == 1 and str(dead) in r.stderr, "topics check says that nobody answers", r.stdout + r.stderr)

sys.exit(tap.done())
