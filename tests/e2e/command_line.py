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

with tap.test("rules"):
    fails("rules alone lists its commands", ["rules"], 2, "Usage", "check", "explain")
    fails("an unknown command of rules names those there are", ["rules", "backtest"], 2, "backtest", "check", "test", "eval", "explain", "fields")
    fails("and the nearest", ["rules", "chek"], 2, "did you mean souk rules check?")
    for name in ("check", "test", "eval", "explain", "fields"):
        r = run("rules", name, "--help")
        tap.ok(r.returncode == 0 and f"Usage: souk rules {name}" in r.stdout, f"rules {name} has its help", r.stdout + r.stderr)
        fails(f"rules {name} names an unknown flag", ["rules", name, "--fiel", "x"], 2, "--fiel", "unknown flag")

with tap.test("rules eval"):
    def prints(name, args, stdout, **kw):
        r = run("rules", "eval", *args, **kw)
        tap.ok(r.returncode == 0 and r.stdout == stdout and not r.stderr, name, f"exit {r.returncode}\n{r.stdout}{r.stderr}")

    prints("an expression is evaluated", ["1 + 2"], "3\n")
    prints("one that begins with a dash stands behind --", ["--", "-1 + 2"], "1\n")
    prints("variables are set as JSON", ["x + size(l)", "--set", "x=2", "--set", "l=[1, 2]"], "4\n")
    prints("a value as JSON", ["[1u, 'a']", "--json"], '{"value":{"listValue":{"values":[{"uint64Value":"1"},{"stringValue":"a"}]}}}\n')
    prints("money is there", ["eth('1.25').add_bps(bps(-500)) == eth('1.1875')"], "true\n")
    fails("neither an expression nor --batch is wrong usage", ["rules", "eval"], 2, "EXPR", "--batch")
    fails("two expressions are one too many", ["rules", "eval", "1", "2"], 2, "2", "too many")
    fails("a text without quotes is no JSON", ["rules", "eval", "x", "--set", "x=gold"], 2, "--set x=gold", '\'"gold"\'')
    fails("a --set without a name is refused", ["rules", "eval", "x", "--set", "=1"], 2, "name=value")
    fails("--batch has bindings and no --set", ["rules", "eval", "--batch", "--set", "x=1"], 2, "--set x=1", "bindings")
    fails("an error of the checker has line, column, caret and code", ["rules", "eval", "1 + 'a'"], 1, "<input>:1:3", " | 1 + 'a'\n | ..^", "overload")
    fails("an error of an evaluation is said", ["rules", "eval", "1 / 0"], 1, "division by zero")
    r = run("rules", "eval", "1 / 0", "--json")
    tap.ok(r.returncode == 1 and json.loads(r.stdout)["error"]["stage"] == "eval", "and is JSON with --json", r.stdout + r.stderr)
    fails("a missing environment is named", ["rules", "eval", "1", "--env", "/nonexistent.json"], 2, "/nonexistent.json")
    fails("an environment that is no JSON is named", ["rules", "eval", "1", "--env", written("{")], 2, ".yaml")
    fails("an unknown type is named", ["rules", "eval", "1", "--env", written('{"fields":[{"name":"x","type":"strin"}]}')], 2, "strin")
    env = written('{"fields":[{"name":"customer.tier","type":"string","values":["gold","none"]},{"name":"price","type":"money(ETH)"},'
                  '{"name":"at","type":"timestamp"},{"name":"off","type":"bps","optional":true}]}')
    prints("an environment declares types", ["price > eth('1') && at < timestamp('2027-01-01T00:00:00Z')", "--env", env, "--set", 'price="1.25 ETH"', "--set", 'at="2026-11-20T19:00:00Z"'], "true\n")
    fails("a value of another type says which is wanted", ["rules", "eval", "price", "--env", env, "--set", "price=1"], 2, "money(ETH)", "1.25 ETH")
    fails("a variable that is not declared names the nearest", ["rules", "eval", "1", "--env", env, "--set", 'customer.teir="gold"'], 2, "customer.teir", "customer.tier")
    fails("a name that was misspelt is told", ["rules", "eval", "customer.teir == 'gold'", "--env", env], 1, "customer.teir", "did you mean `customer.tier`?")
    fails("a value that can never be is an error", ["rules", "eval", "customer.tier == 'glod'", "--env", env], 1, "enum", "gold")
    fails("a field without its value is named", ["rules", "eval", "off < bps(0)", "--env", env], 1, "off")
    prints("fields of production are an environment", ["customer.tier in ['gold'] && item.left < 3", "--set", 'customer.tier="gold"', "--set", "item.left=2", "--env",
                                                       written(run("rules", "fields", "--json").stdout)], "true\n")
    gold = ["customer.tier == 'gold'"]
    fails("without --env the fields are those of production", ["rules", "eval", "customer.teir == 'gold'"], 1, "did you mean `customer.tier`?")
    prints("a field is set as explain reads it", ["customer.tier == 'gold' && item.list > eth('1')", "--set", "customer.tier=gold", "--set", "item.list=2 ETH"], "true\n")
    prints("or as JSON", [*gold, "--set", 'customer.tier="none"'], "false\n")
    fails("one that is not set has no value", ["rules", "eval", *gold], 1, "customer.tier has no value")
    fails("nor has one that is set to null", ["rules", "eval", "market.floor", "--set", "market.floor=null"], 1, "market.floor has no value")
    prints("a text may look like a number", ["session.app", "--set", "session.app=2"], '"2"\n')
    fails("a value that it never has is told", ["rules", "eval", *gold, "--set", "customer.tier=Gold"], 2, "customer.tier", '"Gold"', '"gold"')
    fails("one of another type too", ["rules", "eval", *gold, "--set", "item.list=2"], 2, "item.list", "1.25 ETH")
    fails("a protected trait has none", ["rules", "eval", "1", "--set", "customer.gender=f"], 2, "customer.gender")
    fails("and no expression", ["rules", "eval", "customer.gender == 'f'"], 1, "customer.gender", "must not depend")
    fails("bytes that are no text are refused", ["rules", "eval", *gold, "--set", b"customer.tier=\xff"], 2, "not UTF-8", errors="surrogateescape")
    r = run("rules", "eval", "customer.teir", "--set", 'customer.teir="gold"')
    tap.ok(r.returncode == 0 and r.stdout == '"gold"\n' and "did you mean customer.tier?" in r.stderr, "a variable of one's own that looks like a field is noted", r.stdout + r.stderr)

with tap.test("rules eval --batch"):
    def batch(text, *args):
        r = subprocess.run([SOUK, "rules", "eval", "--batch", *args], input=text, capture_output=True, text=True, errors="surrogateescape")
        return [json.loads(line) for line in r.stdout.splitlines()] if r.returncode == 0 else f"exit {r.returncode} {r.stderr}"

    tap.eq(batch('{"expr":"x + 1","bindings":{"x":{"value":{"int64Value":"5"}}}}\n'), [{"value": {"int64Value": "6"}}], "the line of the contract")
    stages = batch('{"expr":"1 +"}\n{"expr":"1 + \'a\'"}\n{"expr":"1 / 0"}\n{"expr":"\'a\' + \'b\'"}')
    tap.eq([a.get("error", {}).get("stage", a.get("value")) for a in stages], ["parse", "check", "eval", {"stringValue": "ab"}], "stages in order, and a last line without its newline")
    tap.eq(batch('{"expr":"x || true","check":false}\n{"expr":"1 + 1u","check":false}\n')[0], {"value": {"boolValue": True}}, "unchecked evaluation absorbs what is undeclared")
    tap.eq(batch('{"expr":"x","typeEnv":[{"name":"x","ident":{"type":{"primitive":"INT64"}}}],"bindings":{"x":{"value":{"int64Value":7}}}}\n'),
           [{"value": {"int64Value": "7"}}], "declarations of the suite are understood")
    tap.eq(batch('{"expr":"l.exists(e, e == 2)","bindings":{"l":{"value":{"listValue":{"values":[{"stringValue":"a"},{"int64Value":"2"}]}}}}}\n'),
           [{"value": {"boolValue": True}}], "a mixed list has elements of type dyn")
    bad = batch('\n{"expr":1}\n[]\n{"expr":"1","bindings":{"x":{"int64Value":"1"}}}\n{"expr":"x","bindings":{"x":{"value":{"int64Value":"9223372036854775808"}}}}\n'
                '{"expr":"1","expr":"2"}\n{"expr":\n{"expr":"1"}\n')
    tap.ok(len(bad) == 8 and all(b["error"]["stage"] == "parse" and f"line {i + 1}" in b["error"]["message"] for i, b in enumerate(bad[:7])) and bad[7] == {"value": {"int64Value": "1"}},
           "every bad line, an empty one too, has an error with its number, and the next is answered", repr(bad))
    tap.ok("bindings.x" in bad[3]["error"]["message"] and "int64Value" in bad[4]["error"]["message"], "what is wrong is named", repr(bad))
    long = batch('{"expr":"\'' + "a" * (1 << 20) + '\'"}\n{"expr":"2"}\n' + '{"expr":"size(\'' + "b" * 1000000 + '\')"}\n')
    tap.ok("line 1" in long[0]["error"]["message"] and long[1:] == [{"value": {"int64Value": "2"}}, {"value": {"int64Value": "1000000"}}], "a line has at most 1 MiB", repr(long)[:500])
    tap.eq(batch(""), [], "nothing in, nothing out")
    deep = batch('{"expr":"' + "[" * 12 + "1" + "]" * 12 + '"}\n{"expr":"' + "(" * 5000 + "1" + ")" * 5000 + '"}\n')
    tap.ok("value" in deep[0] and deep[1]["error"]["stage"] == "parse", "what is nested too deeply is an error, not a crash", repr(deep)[:500])
    tap.eq(batch('{"expr":"customer.teir == \'gold\'"}\n', "--env", env)[0]["error"]["stage"], "check", "--env declares for all lines")
    wrong = batch('{"expr":"price","bindings":{"price":{"value":{"int64Value":"1"}}}}\n{"expr":"1","bindings":{"pice":{"value":{"int64Value":"1"}}}}\n', "--env", env)
    tap.ok("bindings.price" in wrong[0]["error"]["message"] and "price" in wrong[1]["error"]["message"], "and what is bound must be as declared", repr(wrong))
    p = subprocess.Popen([SOUK, "rules", "eval", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    p.stdin.write('{"expr":"1"}\n')
    tap.eq(json.loads(p.stdout.readline()), {"value": {"int64Value": "1"}}, "an answer comes before the next line is written")
    p.stdin.close()
    tap.eq(p.wait(10), 0, "the end of input is the end")

with tap.test("rules fields"):
    fields = json.loads(run("rules", "fields", "--json").stdout)["fields"]
    tap.ok(any(f["name"] == "customer.tier" and "gold" in f["values"] for f in fields), "fields are machine-readable")
    tap.ok("| `customer.tier` |" in run("rules", "fields", "--markdown").stdout, "and a table for documents")

with tap.test("rules check, test and explain"):
    def ruleset(when, *, bps=-500, tests="", **more):
        rule = {"id": "r", "when": when, "bps": bps, "explanation": {"en": "x"}, **more}
        doc = {"name": "e2e", "version": "1", "disclosure": {"default": "d"}, "groups": [{"id": "g", "mode": "stack", "rules": [rule]}]}
        return written(json.dumps({**doc, "tests": tests} if tests else doc))

    good = ruleset("customer.tier == 'gold'", tests=[
        {"id": "gold", "given": {"item.list": "2 ETH", "customer.tier": "gold"}, "expect": {"price": "1.9 ETH"}},
        {"id": "none", "given": {"item.list": "2 ETH"}, "expect": {"price": "2 ETH", "not_fired": ["r"]}}])
    wrong = ruleset("customer.teir == 'gold'")
    bad_test = ruleset("customer.tier == 'gold'", tests=[{"id": "hope", "given": {"item.list": "2 ETH"}, "expect": {"price": "1.9 ETH"}}])
    fails("a file is needed", ["rules", "check"], 2, "FILE is needed")
    fails("a missing file is named", ["rules", "check", "/nonexistent.json"], 2, "/nonexistent.json")
    fails("a missing configuration is named", ["rules", "check", good, "--config", "/nonexistent.yaml"], 2, "/nonexistent.yaml")
    r = run("rules", "check", good)
    tap.ok(r.returncode == 0 and r.stdout.endswith("ok\n") and not r.stderr, "a right document is ok", r.stdout + r.stderr)
    r = run("rules", "check", good, wrong)
    tap.ok(r.returncode == 1 and "$.groups[0].rules[0].when:1:10" in r.stdout and "did you mean `customer.tier`?" in r.stdout and f"{good}: " in r.stdout,
           "of several files one that is wrong fails, and all are reported", r.stdout + r.stderr)
    lines = [json.loads(line) for line in run("rules", "check", good, wrong, "--json").stdout.splitlines()]
    tap.ok(lines[0]["ok"] and lines[0]["id"].startswith("sha256:") and not lines[1]["ok"] and lines[1]["findings"][0]["code"] == "undeclared", "and as JSON, a line each", repr(lines))
    r = run("rules", "check", written("{"))
    tap.ok(r.returncode == 1 and "1 error" in r.stdout, "what is no JSON is an error of the document", r.stdout + r.stderr)
    r = run("rules", "check", written(""))
    tap.ok(r.returncode == 1 and "error" in r.stdout, "and so is an empty file", r.stdout + r.stderr)
    deep = ruleset("true", bps=-4000)
    tap.ok(run("rules", "check", deep).returncode == 0, "a discount inside the guards is right")
    r = run("rules", "check", deep, "--set", "pricing.max_discount_bps=3000")
    tap.ok(r.returncode == 1 and "guard-bound" in r.stdout and "max_discount" in r.stdout, "and can only end at a guard that is narrower: with the proof", r.stdout + r.stderr)

    r = run("rules", "test", good)
    tap.ok(r.returncode == 0 and "1..2" in r.stdout and "2 passed, 0 failed" in r.stdout, "tests of a document pass", r.stdout + r.stderr)
    r = run("rules", "test", good, bad_test)
    tap.ok(r.returncode == 1 and "not ok 3" in r.stdout and "expected 1.9 ETH, got 2 ETH" in r.stdout and "2 passed, 1 failed" in r.stdout, "or fail, with what came", r.stdout + r.stderr)
    r = run("rules", "test", bad_test, "--json")
    tap.ok(r.returncode == 1 and json.loads(r.stdout)["tests"][0]["passed"] is False, "and as JSON", r.stdout + r.stderr)
    r = run("rules", "test", wrong)
    tap.ok(r.returncode == 1 and "refused" in r.stdout and "0 passed, 1 failed" in r.stdout and "customer.tier" in r.stderr,
           "a document that is refused has no tests to run, which is a failure", r.stdout + r.stderr)

    explain = ["rules", "explain", "--rules", good]
    fails("explain needs its rules", ["rules", "explain", "--set", "customer.tier=gold"], 2, "--rules is needed")
    fails("and something to explain", explain, 2, "--inputs", "--decision", "--set")
    fails("but not two things", [*explain, "--set", "customer.tier=gold", "--inputs", good], 2, "one of")
    fails("a field that is none names the nearest", [*explain, "--set", "customer.teir=gold"], 2, "customer.teir", "customer.tier")
    fails("bytes that are no text are refused, not passed over", [*explain, "--set", b"customer.tier=\xff"], 2, "not UTF-8", errors="surrogateescape")
    fails("in a name too", [*explain, "--set", b"customer.ti\xff=1"], 2, "not UTF-8", errors="surrogateescape")
    r = run(*explain, "--set", "session.app=2", "--set", "item.list=2 ETH")
    tap.ok(r.returncode == 0 and r.stdout.startswith("OFFER 2 ETH"), "a text may look like a number", r.stdout + r.stderr)
    fails("a file that has no inputs is named", [*explain, "--decision", good], 2, good, "no decision record")
    fails("a document that is refused explains nothing", ["rules", "explain", "--rules", wrong, "--set", "customer.tier=gold"], 1, "refused")
    r = run(*explain, "--set", "customer.tier=gold", "--set", "item.list=2 ETH")
    tap.ok(r.returncode == 0 and "1.9 ETH" in r.stdout and "r: fired" in r.stdout, "a rule that fired", r.stdout + r.stderr)
    r = run(*explain, "--set", "customer.tier=silver", "--set", "item.list=2 ETH", "--json")
    rule = json.loads(r.stdout)["groups"][0]["rules"][0] if r.returncode == 0 else {}
    tap.ok(rule.get("state") == "condition" and rule["tests"][0]["needs"] == '"gold"', "one that did not, and what it needs", r.stdout + r.stderr)
    golden = os.path.join(os.path.dirname(__file__), "../data/golden/decision.gallery.json")
    r = run(*explain, "--decision", golden)
    tap.ok(r.returncode == 0 and "sha256:" in r.stderr and "group g" in r.stdout, "a recorded decision under another ruleset says so", r.stdout + r.stderr)
    with open(golden) as f:
        inputs = written(json.dumps(json.load(f)["inputs"], separators=(",", ":")))
    tap.eq(run(*explain, "--inputs", inputs).stdout, r.stdout, "and its inputs alone come to the same")

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
