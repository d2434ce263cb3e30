"""What operators do by hand, on a running demo: pause and resume, confirm a list price that the breaker holds."""
import asyncio
import json
import os
import subprocess
import sys
import time

import websockets

sys.path.insert(0, os.path.dirname(__file__))
from harness import Demo, Session, Tap, run, wait_for  # noqa: E402

tap = Tap()
CONTRACT = "eip155:1/erc721:0x3b3ee1931dc30c1957379fac9aba94d1c48a5405"
ITEM = CONTRACT + "/424242424242"
OTHER = CONTRACT + "/424242424243"


def kcat(kafka, *args, stdin=None):
    r = subprocess.run(["kcat", "-b", kafka, "-q", *args], capture_output=True, text=True, timeout=60, input=stdin)
    return r.stdout.splitlines()


def row_of(redis, key):
    at = ["-s", redis.removeprefix("unix://")] if redis.startswith("unix://") else ["-u", redis]
    got = subprocess.run(["redis-cli", *at, "HGETALL", key], check=True, capture_output=True, text=True).stdout.splitlines()
    return dict(zip(got[::2], got[1::2]))


def command(ready, *args):
    r = run(*args, "--json", "--set", "kafka.bootstrap=" + ready["kafka"])
    return r, json.loads(r.stdout) if r.returncode == 0 else None


def listed(ready, item, ver, amount):
    value = {"item": item, "ver": ver, "list": {"amount": str(amount), "currency": "ETH"}, "supply": 1}
    kcat(ready["kafka"], "-P", "-t", "inventory.v1", "-K", "|", "-X", "topic.partitioner=murmur2_random", stdin=item + "|" + json.dumps(value) + "\n")


async def answer_to(s, number, item):
    await s.send({"id": number, "type": "interest", "item": item, "event": f"e-{number}", "signal": {"kind": "ask"}})
    return await s.next(lambda m: m.get("event") == f"e-{number}" and m["type"] == "no_offer"
                        or m.get("type") == "offer" and m["offer"].get("client_id") == f"e-{number}")


async def pauses(ready):
    s = Session(await websockets.connect(ready["ws"], subprotocols=["souk.v1.json"], max_size=1 << 20))
    await s.ask({"id": 1, "type": "connect", "token": ready["token"]})
    number = 10

    async def until(what, holds):
        nonlocal number
        end = time.monotonic() + 20
        while time.monotonic() < end:
            number += 1
            got = await answer_to(s, number, OTHER)
            if holds(got):
                return tap.ok(True, what)
            await asyncio.sleep(0.1)
        return tap.ok(False, what, got)

    await until("an item is offered", lambda m: m["type"] == "offer")
    r, said = command(ready, "pause", "--note", "looking at prices")
    tap.ok(said and said["key"] == "pause/all" and said["paused"] is True and said["offset"] >= 0, "a pause is told with its place in the log", r.stdout + r.stderr)
    await until("then nothing is offered", lambda m: m["type"] == "no_offer" and m["reason"] == "PAUSED")
    value = [json.loads(x) for x in kcat(ready["kafka"], "-C", "-t", "nft.rules.v1", "-e", "-o", "beginning", "-f", "%k|%s\n") for k, x in [x.split("|", 1)] if k == "pause/all"]
    tap.ok(len(value) == 1 and value[0]["note"] == "looking at prices" and abs(value[0]["since"] / 1000 - time.time()) < 600, "the record says since when and why", value)
    r, said = command(ready, "resume")
    tap.ok(said and said["key"] == "pause/all" and said["paused"] is False, "a resume is told, too", r.stdout + r.stderr)
    await until("and it is offered again", lambda m: m["type"] == "offer")
    r, said = command(ready, "pause", "--collection", "no-such-collection")
    tap.ok(said and said["key"] == "pause/no-such-collection", "a collection is paused by its slug", r.stdout + r.stderr)
    number += 1
    tap.eq((await answer_to(s, number, OTHER))["type"], "offer", "which pauses no other")
    r = run("resume", "--collection", "no-such-collection", "--set", "kafka.bootstrap=" + ready["kafka"])
    tap.ok(r.returncode == 0 and r.stdout.startswith("resumed no-such-collection (nft.rules.v1 partition 0 offset "), "people are told in words", r.stdout + r.stderr)
    await s.ws.close()


def confirmations(ready):
    key = f"inventory:{{{ITEM}}}"
    listed(ready, ITEM, "1", 10**18)
    wait_for(lambda: row_of(ready["redis"], key).get("list_ok") == str(10**18), 30, "the first row")
    listed(ready, ITEM, "2", 10**19)
    held = wait_for(lambda: "held" in row_of(ready["redis"], key) and row_of(ready["redis"], key), 30, "the breaker")
    tap.ok(held["held"] == "1" and held["list_ok"] == str(10**18), "a price ten times as high is held", held)
    r, said = command(ready, "confirm", "--item", ITEM)
    tap.ok(said and said["item"] == ITEM and said["ver"] == "2" and said["list"] == {"amount": str(10**19), "currency": "ETH"}, "it is confirmed", r.stdout + r.stderr)
    free = wait_for(lambda: "held" not in row_of(ready["redis"], key) and row_of(ready["redis"], key), 30, "the confirmation")
    tap.eq(free["list_ok"], str(10**19), "then it is held no more, and the next one is compared with it")
    r, said = command(ready, "confirm", "--item", ITEM)
    tap.ok(said and said["ver"] == "2", "a second time does no harm", r.stdout + r.stderr)
    listed(ready, ITEM, "3", 11 * 10**18)
    tap.ok(wait_for(lambda: row_of(ready["redis"], key).get("list") == str(11 * 10**18), 30, "the next row"), "the next version of the source is taken")
    r = run("confirm", "--item", CONTRACT + "/7777777777777777", "--set", "kafka.bootstrap=" + ready["kafka"])
    tap.ok(r.returncode == 1 and "no such item" in r.stderr and not r.stdout, "an item that nobody listed is told", r.stdout + r.stderr)


with tap.test("operators"), Demo("--rate", "2", "--speed", "1") as d:
    ready = d.ready()
    listed(ready, OTHER, "1", 10**18)
    wait_for(lambda: row_of(ready["redis"], f"inventory:{{{OTHER}}}"), 30, "the item of the pauses")
    asyncio.run(pauses(ready))
    confirmations(ready)

sys.exit(tap.done())
