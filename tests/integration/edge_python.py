#!/usr/bin/python3
"""The session transport against a client and a server that are not ours (python3-websockets). Prints TAP.

usage: edge_python.py PATH-TO-ws_tool
"""
import asyncio
import os
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

try:
    import websockets
except ImportError:
    print("1..0 # SKIP python3-websockets is not installed")
    sys.exit(0)

TOOL = sys.argv[1]
PROTOCOL = "souk.v1.json"


class Server:
    """ws_tool serve, ended by the end of its standard input."""

    def __init__(self, listen="127.0.0.1:0"):
        self.process = subprocess.Popen([TOOL, "serve", listen], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])
        self.url = f"ws://127.0.0.1:{self.port}/v1/ws"

    def stop(self):
        self.process.stdin.close()
        output = self.process.stdout.read().split("\n")
        assert self.process.wait(10) == 0
        return [line for line in output if line]


def connect(server, **options):
    return websockets.connect(server.url, subprotocols=["other", PROTOCOL], max_size=None, **options)


async def echo_without_compression():
    server = Server()
    async with connect(server) as ws:
        assert ws.subprotocol == PROTOCOL
        assert not ws.extensions
        for text in ["hello", "", "h\u00e9llo \u20ac \U0001f600", "x" * 16384]:
            await ws.send(text)
            assert await ws.recv() == text
    assert server.stop() == ["closed 1000"]


async def fragments():
    server = Server()
    async with connect(server) as ws:
        await ws.send(["one ", "\u20ac", "", " two"])
        assert await ws.recv() == "one \u20ac two"
    server.stop()


async def pings():
    server = Server()
    async with connect(server, ping_interval=None) as ws:
        for payload in [b"", b"x", b"y" * 125]:
            await asyncio.wait_for(await ws.ping(payload), 5)
    server.stop()


async def close_codes():
    server = Server()
    for code, reason in [(1000, ""), (4001, "invalid token"), (4112, "retry_ms=1700"), (1013, "later"), (1001, "r" * 123)]:
        async with connect(server) as ws:
            await ws.send(f"close {code} {reason}")
            await ws.wait_closed()
            assert (ws.close_code, ws.close_reason) == (code, reason), (ws.close_code, ws.close_reason)
    assert server.stop() == ["closed 1000", "closed 4001", "closed 4112", "closed 1013", "closed 1001"]


async def too_large_and_binary():
    server = Server()
    for message, code in [("x" * 16385, 1009), ("x" * 1000000, 1009), (b"bytes", 1003)]:
        async with connect(server) as ws:
            try:
                await ws.send(message)
            except websockets.ConnectionClosed:
                pass
            await ws.wait_closed()
            assert ws.close_code == code, ws.close_code
    assert server.stop() == ["closed 1009", "closed 1009", "closed 1003"]


async def a_stop_says_1001():
    server = Server()
    async with connect(server) as ws:
        await ws.send("x")
        await ws.recv()
        server.stop()
        await ws.wait_closed()
        assert ws.close_code == 1001, ws.close_code


async def refusals():
    server = Server()
    for path, protocols, status in [("/", [PROTOCOL], 404), ("/v1/ws", ["other"], 400), ("/v1/ws", None, 400)]:
        try:
            async with websockets.connect(f"ws://127.0.0.1:{server.port}{path}", subprotocols=protocols):
                raise AssertionError("let in")
        except websockets.InvalidStatusCode as e:
            assert e.status_code == status, e.status_code
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{server.port}/v1/ws", timeout=5)
        raise AssertionError("let in")
    except urllib.error.HTTPError as e:
        assert e.code == 400 and b'"status":400' in e.read()
    assert server.stop() == []


async def two_processes_share_a_port():
    a = Server()
    b = Server(f"127.0.0.1:{a.port}")
    for _ in range(20):
        async with connect(a) as ws:
            await ws.send("x")
            assert await ws.recv() == "x"
    assert a.stop() + b.stop() == ["closed 1000"] * 20


def call(url, **environment):
    r = subprocess.run([TOOL, "call", url], stdout=subprocess.PIPE, text=True, timeout=20, env={**os.environ, **environment})
    return [line for line in r.stdout.split("\n") if line]


async def python_echo(ws, *_):
    assert ws.request_headers["Authorization"] == "Bearer a.b.c"
    async for text in ws:
        await ws.send(text)


async def our_client_in_plain():
    async with websockets.serve(python_echo, "127.0.0.1", 0, subprotocols=[PROTOCOL]) as server:
        port = server.sockets[0].getsockname()[1]
        lines = await asyncio.get_running_loop().run_in_executor(None, call, f"ws://127.0.0.1:{port}/x?y=z")
    assert lines == ["opened", "text hello", "closed 1000 0 closed by us"], lines


async def our_client_over_tls():
    with tempfile.TemporaryDirectory() as folder:
        key, cert = f"{folder}/key.pem", f"{folder}/cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
                       check=True, stderr=subprocess.DEVNULL)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        run = asyncio.get_running_loop().run_in_executor
        async with websockets.serve(python_echo, "127.0.0.1", 0, subprotocols=[PROTOCOL], ssl=context) as server:
            port = server.sockets[0].getsockname()[1]
            trusted = await run(None, lambda: call(f"wss://localhost:{port}/", SSL_CERT_FILE=cert))
            unknown = await run(None, lambda: call(f"wss://localhost:{port}/"))
            misnamed = await run(None, lambda: call(f"wss://127.0.0.1:{port}/", SSL_CERT_FILE=cert))
    assert trusted == ["opened", "text hello", "closed 1000 0 closed by us"], trusted
    for lines in (unknown, misnamed):
        assert len(lines) == 1 and lines[0].startswith("closed 1006 0 "), lines


TESTS = [echo_without_compression, fragments, pings, close_codes, too_large_and_binary, a_stop_says_1001, refusals,
         two_processes_share_a_port, our_client_in_plain, our_client_over_tls]


def main():
    print(f"1..{len(TESTS)}")
    failures = 0
    for i, test in enumerate(TESTS, 1):
        try:
            asyncio.run(asyncio.wait_for(test(), 60))
            print(f"ok {i} - {test.__name__}", flush=True)
        except Exception as e:  # one line per failure, then the next test
            failures += 1
            print(f"not ok {i} - {test.__name__}", flush=True)
            print(f"# {type(e).__name__}: {e}", flush=True)
    sys.exit(1 if failures else 0)


main()
