"""What the end-to-end tests share: TAP, a running demo, a WebSocket session from Debian's python3-websockets (a client that is not ours)."""
import asyncio
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import traceback
import urllib.error
import urllib.request

SOUK = os.environ.get("SOUK", "build/souk")


class Tap:
    """One line a fact; a test that raises is a failure of its own."""

    def __init__(self):
        self.n = 0
        self.bad = 0

    def ok(self, holds, name, detail=""):
        self.n += 1
        self.bad += not holds
        print(f"{'ok' if holds else 'not ok'} {self.n} - {name}", flush=True)
        if not holds and detail != "":
            print("  # " + str(detail).replace("\n", "\n  # "), flush=True)
        return holds

    def eq(self, got, want, name):
        return self.ok(got == want, name, f"got {got!r}, want {want!r}")

    @contextlib.contextmanager
    def test(self, name):
        try:
            yield
        except Exception:  # noqa: BLE001 - whatever it was, it is a failed test with its traceback
            self.ok(False, name, traceback.format_exc())

    def done(self):
        print(f"1..{self.n}", flush=True)
        return 1 if self.bad or not self.n else 0


def run(*args, timeout=120, **kw):
    """souk with arguments, to its end."""
    return subprocess.run([SOUK, *args], capture_output=True, text=True, timeout=timeout, **kw)


def wait_for(condition, seconds, what):
    """Polls until the condition holds; the bound is generous and only ends a hang."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = condition()
        if got:
            return got
        time.sleep(0.05)
    raise TimeoutError(f"{what} did not happen within {seconds} s")


def get(url, timeout=10):
    """Status and body, whatever the status."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as r:
            return r.status, r.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def children_of(pid):
    """Living processes whose parent is pid."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                stat = (entry / "stat").read_text()
                state, parent = stat.rpartition(")")[2].split()[:2]
                if int(parent) == pid and state != "Z":
                    found.append(int(entry.name))
    return found


def command_of(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    return []


class Demo:
    """`souk demo --json` in a temporary folder of its own; what it leaves behind is seen by leftovers()."""

    def __init__(self, *args):
        self.tmp = tempfile.mkdtemp(prefix="souk-e2e-")
        self.err = open(os.path.join(self.tmp, "stderr"), "w+")
        os.mkdir(os.path.join(self.tmp, "run"))
        self.process = subprocess.Popen([SOUK, "demo", "--json", *args], stdout=subprocess.PIPE, stderr=self.err, text=True,
                                        env={**os.environ, "TMPDIR": os.path.join(self.tmp, "run")})
        self.children = []

    def ready(self):
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise RuntimeError("the demo ended before it was ready: " + self.stderr())
        self.children = children_of(self.process.pid)
        return json.loads(line)["ready"]

    def end(self, timeout=90):
        """Waits; returns the summary (None if there was none) and the exit code."""
        out, _ = self.process.communicate(timeout=timeout)
        lines = [json.loads(x) for x in out.splitlines() if x.strip()]
        return (lines[-1].get("summary") if lines else None), self.process.returncode

    def child(self, name):
        """Pid of the child that runs this role or part."""
        for pid in children_of(self.process.pid):
            if name in command_of(pid)[:3] or (name == "redis-server" and name in " ".join(command_of(pid))):
                return pid
        return None

    def stderr(self):
        self.err.flush()
        self.err.seek(0)
        return self.err.read()

    def leftovers(self):
        alive = [p for p in self.children if os.path.exists(f"/proc/{p}")]
        return alive, os.listdir(os.path.join(self.tmp, "run"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        self.err.close()
        shutil.rmtree(self.tmp, ignore_errors=True)


class Session:
    """One WebSocket session; answers are taken by id, pushes by type."""

    def __init__(self, ws):
        self.ws = ws
        self.inbox = []

    async def send(self, message):
        await self.ws.send(message if isinstance(message, (str, bytes)) else json.dumps(message))

    async def next(self, wanted, seconds=20):
        """The next message for which wanted(m) holds; the others stay for later."""
        end = asyncio.get_running_loop().time() + seconds
        while True:
            for i, m in enumerate(self.inbox):
                if wanted(m):
                    return self.inbox.pop(i)
            left = end - asyncio.get_running_loop().time()
            text = await asyncio.wait_for(self.ws.recv(), max(left, 0.01))
            self.inbox += [json.loads(x) for x in text.split("\n") if x]

    async def ask(self, message, seconds=20):
        await self.send(message)
        return await self.next(lambda m: m.get("id") == message["id"], seconds)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def redis_server():
    """A real redis-server over TCP, as an operator would have one; gives its URL."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="souk-redis-") as folder:
        p = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder],
                             stdout=subprocess.DEVNULL)
        try:
            def up():
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    return True
            wait_for(up, 20, "redis-server")
            yield f"redis://127.0.0.1:{port}/3"
        finally:
            p.terminate()
            p.wait(20)


def raw_http(port, head, timeout=10):
    """Sends bytes to the port and returns the answer's status line and headers."""
    with socket.create_connection(("127.0.0.1", port), timeout) as s:
        s.sendall(head)
        answer = b""
        s.settimeout(timeout)
        with contextlib.suppress(OSError):
            while b"\r\n\r\n" not in answer:
                got = s.recv(4096)
                if not got:
                    break
                answer += got
    head_text = answer.split(b"\r\n\r\n")[0].decode("latin-1")
    return head_text
