"""Clients that are not ours against a running demo: python3-websockets on the edge, kcat on the topics, raw sockets on the head; and bad input at each door."""
import asyncio
import base64
import json
import os
import subprocess
import sys
import time
import urllib.parse

import websockets

sys.path.insert(0, os.path.dirname(__file__))
from harness import Demo, Session, Tap, get, raw_http, run, wait_for  # noqa: E402

tap = Tap()
PROTOCOL = "souk.v1.json"


def kcat(kafka, *args, stdin=None, timeout=60):
    r = subprocess.run(["kcat", "-b", kafka, "-q", *args], capture_output=True, text=True, timeout=timeout, input=stdin)
    return r.stdout.splitlines()


def metric(url, name):
    """Sum of a metric's series."""
    return sum(float(line.rsplit(" ", 1)[1]) for line in get(url + "/metrics")[1].splitlines() if line.split("{")[0].split(" ")[0] == name)


async def session(ready, connect=True, **kw):
    ws = await websockets.connect(ready["ws"], subprotocols=[PROTOCOL], max_size=1 << 20, **kw)
    s = Session(ws)
    if connect:
        s.connected = await s.ask({"id": 1, "type": "connect", "token": ready["token"]})
    return s


async def closed_with(ws, seconds=30):
    """The close code, reading what comes before it; also the messages."""
    got = []
    try:
        while True:
            got += [json.loads(x) for x in (await asyncio.wait_for(ws.recv(), seconds)).split("\n") if x]
    except websockets.ConnectionClosed as e:
        return (e.rcvd.code if e.rcvd else 1006), got


def interest(number, item, **over):
    return {"id": number, "type": "interest", "item": item, "signal": {"kind": "dwell", "dwell_ms": 3500},
            "context": {"place": "atrium", "device": "ar-headset", "locale": "de-DE"}, **over}


async def the_scene(ready, item, traded):
    s = await session(ready)
    tap.ok(s.connected["type"] == "connected" and s.connected["recovered"] is False and s.connected["server"].startswith("souk/"),
           "connect is answered", s.connected)
    ack = await s.ask(interest(2, item, event="my-1"))
    tap.eq((ack["type"], ack.get("event")), ("ack", "my-1"), "interest is acknowledged with the client's id")
    push = await s.next(lambda m: m.get("type") in ("offer", "no_offer"))
    tap.ok(push["type"] == "offer" and push["offer"]["client_id"] == "my-1" and push["offer"]["item"] == item, "an offer comes", push)
    offer = push["offer"]
    tap.ok(int(offer["price"]["amount"]) <= int(offer["list"]["amount"]) and offer["price"]["currency"] == offer["list"]["currency"],
           "its price is within the list price")
    tap.ok(set(offer["quote"]) == {"v", "kid", "offer", "rev", "user", "item", "price", "issued", "expires", "mac"}, "its quote has exactly the members",
           offer["quote"])
    tap.ok(offer["expires"] == offer["issued"] + offer["ttl_ms"], "it says until when it holds")
    tap.eq(push["seq"], 1, "the first push has seq 1")
    again = await s.ask(interest(3, item, event="my-1"))
    tap.eq(again["type"], "ack", "a repeated event is acknowledged again")
    await s.send({"id": 4, "type": "interest", "item": "eip155:1/erc721:0x3b3ee1931dc30c1957379fac9aba94d1c48a5405/999999999", "signal": {"kind": "view"}})
    nothing = await s.next(lambda m: m.get("type") == "no_offer")
    tap.ok(nothing["reason"] == "NO_LISTING" and nothing["seq"] == 2, "an unknown item is NO_LISTING; the repeat brought no second offer", nothing)
    refreshed = await s.ask({"id": 5, "type": "refresh", "token": ready["token"]})
    tap.ok(refreshed["type"] == "refreshed" and refreshed["expires"] > time.time() * 1000, "a token can be refreshed", refreshed)
    both = json.dumps(interest(6, item)) + "\n" + json.dumps({"id": 7, "type": "watch", "item": traded})
    await s.send(both)
    tap.eq((await s.next(lambda m: m.get("id") == 6))["type"], "ack", "two commands in one frame: the first is answered")
    tap.eq((await s.next(lambda m: m.get("id") == 7))["type"], "ack", "and so is the second, a watch")
    tick = await s.next(lambda m: m.get("type") == "market")
    tap.ok(tick["item"] == traded and {"bid", "ask", "as_of"} <= set(tick), "what is watched is told at once", tick)
    tap.eq(await s.ask({"id": 8, "type": "unwatch", "item": traded}), {"id": 8, "type": "ack"}, "unwatch is acknowledged")
    await s.ws.close()
    by_header = await session(ready, connect=False, extra_headers={"Authorization": "Bearer " + ready["token"]})
    answer = await by_header.ask({"id": 1, "type": "connect"})
    tap.eq(answer["type"], "connected", "a token on the upgrade needs none in connect")
    await by_header.ws.close()


async def an_order(ready, item):
    s = await session(ready)
    await s.ask(interest(2, item, event="order-1"))
    offer = (await s.next(lambda m: m.get("type") == "offer" and m["offer"].get("client_id") == "order-1"))["offer"]
    order = {"id": "buy-1", "quote": offer["quote"]}
    later = dict(order, id="buy-2", pay={"mode": "instalments"})
    tap.eq((await s.ask({"id": 3, "type": "order", "order": later}))["error"]["code"], "unsupported", "instalments are refused at once")
    tap.eq(await s.ask({"id": 4, "type": "order", "order": order}), {"id": 4, "type": "ack", "order": "buy-1"}, "an order is acknowledged")
    again = dict(order, pay={"mode": "now"}, quote=dict(reversed(list(offer["quote"].items()))))
    tap.eq((await s.ask({"id": 5, "type": "order", "order": again}))["type"], "ack", "the same one again, too")
    other = await s.ask({"id": 6, "type": "order", "order": dict(order, wallet="0x" + "ab" * 20)})
    tap.eq((other["error"]["code"], other["error"]["temporary"]), ("conflict", False), "another one under its id is a conflict")
    records = [json.loads(x) for x in kcat(ready["kafka"], "-C", "-t", "orders.v1", "-e", "-o", "beginning")]
    records = [r for r in records if r["client_id"] == "buy-1" and r["session"] == s.connected["session"]]
    tap.ok(len(records) == 1 and records[0]["quote"] == offer["quote"] and records[0]["item"] == item, "one record has the quote as it came", records)
    unknown = await s.ask({"id": 7, "type": "order_status", "order": "buy-3"})
    tap.eq((unknown["error"]["code"], unknown["error"]["temporary"]), ("not_found", False), "an order that nobody gave is not found")
    await s.ws.close()


async def bad_commands(ready, item):
    s = await session(ready)
    for number, (what, message, code) in enumerate([
            ("an unknown type", {"id": 10, "type": "dance"}, "unknown_type"),
            ("an order that is none", {"id": 11, "type": "order", "order": {}}, "bad_command"),
            ("an item that is none", interest(12, "EIP155:1/x"), "bad_command"),
            ("a signal that is none", {"id": 13, "type": "interest", "item": item, "signal": {"kind": "stare"}}, "bad_command"),
            ("a missing item", {"id": 14, "type": "interest", "signal": {"kind": "view"}}, "bad_command")]):
        answer = await s.ask(message)
        tap.ok(answer["type"] == "error" and answer["error"]["code"] == code and answer["error"]["title"], f"{what} is {code}", answer)
    tap.ok("kind" in (await s.ask({"id": 20, "type": "interest", "item": item, "signal": {"kind": "stare"}}))["error"]["detail"],
           "the error names the member")
    tap.eq((await s.ask(interest(21, item)))["type"], "ack", "the session goes on after all that")
    await s.send("{not json")
    first = await s.next(lambda m: m.get("type") == "error")
    tap.ok(first["id"] is None and first["error"]["code"] == "bad_json", "malformed JSON is bad_json with id null", first)
    await s.send("[1,2]")
    await s.send('{"type":"interest"}')
    tap.eq((await closed_with(s.ws))[0], 4008, "the third malformed message closes with 4008")


async def bad_sessions(ready):
    s = await session(ready, connect=False)
    await s.send({"id": 1, "type": "connect", "token": "not.a.token"})
    code, got = await closed_with(s.ws)
    tap.ok(code == 4001 and got and got[-1]["error"]["code"] == "unauthorized", "a bad token is unauthorized, then 4001", (code, got))
    head, body, _ = ready["token"].split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    for what, token in (("alg none", f"{none}.{body}."), ("a cut signature", ready["token"][:-2]), ("a swapped body", f"{head}.{head}.x")):
        s = await session(ready, connect=False)
        await s.send({"id": 1, "type": "connect", "token": token})
        tap.eq((await closed_with(s.ws))[0], 4001, f"{what} is 4001")
    s = await session(ready, connect=False, extra_headers={"Authorization": "Bearer nonsense"})
    code, got = await closed_with(s.ws)
    tap.ok(code == 4001 and got[0]["id"] is None, "a bad token on the upgrade too, with id null", (code, got))
    s = await session(ready, connect=False)
    await s.send({"id": 1, "type": "watch", "item": "x"})
    tap.eq((await closed_with(s.ws))[0], 4008, "another command before connect is 4008")
    s = await session(ready)
    await s.send(b"\x00\x01")
    tap.eq((await closed_with(s.ws))[0], 1003, "a binary frame is 1003")
    s = await session(ready)
    await s.send(json.dumps({"id": 2, "type": "interest", "item": "x" * 20000}))
    tap.eq((await closed_with(s.ws))[0], 1009, "a message over 16 KiB is 1009")


def refusals(ready):
    url = urllib.parse.urlparse(ready["ws"])

    def ask(path="/v1/ws", method="GET", drop=(), **headers):
        h = {"Host": "x", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": base64.b64encode(b"0123456789abcdef").decode(),
             "Sec-WebSocket-Version": "13", "Sec-WebSocket-Protocol": PROTOCOL}
        h.update({k.replace("_", "-"): v for k, v in headers.items()})
        text = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in h.items() if k not in drop) + "\r\n"
        return raw_http(url.port, text.encode())

    def status(answer):
        return int(answer.split(" ")[1]) if answer.startswith("HTTP/1") else None
    tap.eq(status(ask()), 101, "a right head is upgraded")
    tap.eq(status(ask(path="/nothing")), 404, "another path is 404")
    tap.eq(status(ask(method="POST")), 400, "another method is 400")
    tap.eq(status(ask(drop=("Upgrade",))), 400, "no upgrade is 400")
    tap.eq(status(ask(drop=("Sec-WebSocket-Key",))), 400, "no key is 400")
    answer = ask(Sec_WebSocket_Version="8")
    tap.ok(status(answer) == 426 and "sec-websocket-version: 13" in answer.lower(), "another version is 426 and names 13", answer)
    tap.eq(status(ask(Sec_WebSocket_Protocol="graphql-ws")), 400, "a subprotocol that is not ours is 400")
    tap.eq(status(ask(drop=("Sec-WebSocket-Protocol",))), 400, "no subprotocol is 400")
    tap.eq(status(ask(X_Large="y" * 9000)), 431, "a head over 8 KiB is 431")


def at_the_topics(ready, item, decided):
    kafka = ready["kafka"]
    tap.ok(decided and all(d["type"] == "decision" for d in decided), "kcat reads decisions", decided[:1])
    one = next(d for d in decided if d["outcome"] == "OFFER")
    tap.ok(one["inputs"] and one["ruleset"].startswith("sha256:") and one["waterfall"][0]["step"] == "anchor", "a decision has its inputs and waterfall", one)
    plain = {"id": "plain-1", "ts": int(time.time() * 1000), "user": "kcat", "session": "none", "item": item, "signal": {"kind": "view"},
             "context": {"device": "server"}}
    subprocess.run(["kcat", "-b", kafka, "-q", "-P", "-t", "nft.interest.v1", "-k", "kcat"], input=json.dumps(plain), text=True, check=True, timeout=30)

    def answered():
        lines = kcat(kafka, "-C", "-t", "nft.decisions.v1", "-e", "-o", "beginning")
        return next((d for d in map(json.loads, lines) if d.get("interest") == "plain-1"), None)
    one = wait_for(answered, 30, "decision of a plain producer's interest")
    # The demo's shoppers may have bought the piece meanwhile.
    tap.ok(one["outcome"] == "OFFER" or one["reason"] == "SOLD_OUT", "a record without headers is processed", one)
    subprocess.run(["kcat", "-b", kafka, "-q", "-P", "-t", "nft.interest.v1", "-k", "kcat"], input="{broken", text=True, check=True, timeout=30)

    def dead():
        lines = kcat(kafka, "-C", "-t", "nft.interest.v1.dlq", "-e", "-o", "beginning", "-f", "%s|%h\\n")
        return next((x for x in lines if x.startswith("{broken|")), None)
    letter = wait_for(dead, 30, "dead letter")
    tap.ok("x-souk-reason" in letter and "__connect.errors.topic=nft.interest.v1" in letter, "what cannot be read is a dead letter with its origin", letter)
    bad = dict(plain, id="plain-2", signal={"kind": "stare"})
    subprocess.run(["kcat", "-b", kafka, "-q", "-P", "-t", "nft.interest.v1", "-k", "kcat"], input=json.dumps(bad), text=True, check=True, timeout=30)

    def refused():
        lines = kcat(kafka, "-C", "-t", "nft.decisions.v1", "-e", "-o", "beginning")
        return next((d for d in map(json.loads, lines) if d.get("interest") == "plain-2"), None)
    tap.eq(wait_for(refused, 30, "decision of a bad event").get("reason"), "BAD_EVENT", "what can be read but is wrong is NO_OFFER(BAD_EVENT)")
    subprocess.run(["kcat", "-b", kafka, "-q", "-P", "-t", "loyalty.v1", "-k", "u1"], input='{"user":"u2","ver":"1","tier":"gold","points":1}', text=True,
                   check=True, timeout=30)
    tap.ok(wait_for(lambda: any('"u2"' in x for x in kcat(kafka, "-C", "-t", "loyalty.v1.dlq", "-e", "-o", "beginning")), 30, "dead letter of a row"),
           "a row whose key is not its user is a dead letter")


def an_item(kafka):
    """One with stock, from the topic, as anyone could find it."""
    rows = {}
    for line in kcat(kafka, "-C", "-t", "inventory.v1", "-e", "-o", "beginning"):
        row = json.loads(line)
        rows[row["item"]] = row
    return next(r["item"] for r in reversed(list(rows.values())) if r["supply"] > 0)


def a_traded_item(kafka):
    """One with a market."""
    def find():
        rows = (json.loads(x) for x in kcat(kafka, "-C", "-t", "market.bestbid.v1", "-e", "-o", "beginning"))
        return next((r["item"] for r in rows if "item" in r), None)
    return wait_for(find, 60, "a market row")


with tap.test("clients that are not ours"), Demo("--rate", "5", "--speed", "1") as d:
    ready = d.ready()
    item = an_item(ready["kafka"])
    asyncio.run(the_scene(ready, item, a_traded_item(ready["kafka"])))
    asyncio.run(an_order(ready, item))
    asyncio.run(bad_commands(ready, item))
    asyncio.run(bad_sessions(ready))
    refusals(ready)
    decided = [x for x in map(json.loads, kcat(ready["kafka"], "-C", "-t", "nft.decisions.v1", "-e", "-o", "beginning")) if x.get("type") == "decision"]
    at_the_topics(ready, item, decided)
    for role, url in ready["admin"].items():
        tap.ok("# TYPE souk_" in get(url + "/metrics")[1], f"{role} serves its metrics")
    tap.ok(metric(ready["admin"]["ws-server"], "souk_ws_acks_total") > 0, "acknowledgements are counted")
    r = run("recompute", "--json", "--set", "kafka.bootstrap=" + ready["kafka"])
    result = json.loads(r.stdout.splitlines()[-1])["recompute"]
    tap.ok(r.returncode == 0 and result["checked"] > 0 and result["same"] == result["checked"], "recompute finds every decision the same", r.stdout + r.stderr)

sys.exit(tap.done())
