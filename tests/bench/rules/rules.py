#!/usr/bin/env python3
"""./dev bench rules: our rule language and its peers, one after the other, over the same data.

Each engine first has to give the expected sums, then is timed alone. Peers whose toolchain is missing are left out and said so.
    --only souk,c,lua,go,java,rust   some engines
    --callgrind                      instruction counts of ours and of hand-written C (slow)
    --profile CASE                   where the instructions of one of our cases go
"""
import argparse, collections, os, re, shutil, statistics, subprocess, sys

ROOT = os.environ["ROOT"]
CACHE = os.path.join(os.environ["CACHE"], "rules-peers")
SOURCE = os.path.join(ROOT, "tests/bench/rules/peers")
OURS = os.environ["SOUK_RULES_BENCH"]


def sh(cmd, cwd, **kw):
    return subprocess.run(cmd, cwd=cwd, shell=isinstance(cmd, str), check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kw).stdout


def copy():
    for folder, _, files in os.walk(SOURCE):
        to = os.path.join(CACHE, os.path.relpath(folder, SOURCE))
        os.makedirs(to, exist_ok=True)
        for name in files:
            a, b = os.path.join(folder, name), os.path.join(to, name)
            if not os.path.exists(b) or open(a, "rb").read() != open(b, "rb").read():
                shutil.copy(a, b)
    sh([sys.executable, "data/gen.py"], CACHE)


def times(text, pattern, scale=1.0):
    """name -> (min, median) of every line that the pattern finds: groups name and value(s)."""
    found = collections.OrderedDict()
    for line in text.splitlines():
        m = re.search(pattern, line)
        if m:
            found.setdefault(m[1].strip(), []).append([float(x) * scale for x in m.groups()[1:]])
    return {k: (min(v[0] for v in vs), vs[0][1] if len(vs[0]) > 1 else statistics.median(v[0] for v in vs)) for k, vs in found.items()}


C_LINE = r"^(.*?)\s+min\s+([\d.]+)\s+median\s+([\d.]+) (?:ns|us|ms)"


def souk():
    return times(sh([OURS], ROOT), C_LINE)


def c():
    sh(["make", "-C", "c", "build/native"], CACHE)
    return times(sh("./build/native", os.path.join(CACHE, "c")), C_LINE)


def lua():
    sh(["make", "-C", "c", "build/lua"], CACHE)
    ret = times(sh("./build/lua", os.path.join(CACHE, "c")), C_LINE)
    return {k: tuple(x * 1000 for x in v) if "1000 rules" in k else v for k, v in ret.items()}


def go():
    sh("mkdir -p build && go test -c -o build/peers.test .", os.path.join(CACHE, "go"))
    text = sh("./build/peers.test -test.bench Cel -test.benchtime 50ms -test.count 5 -test.cpu 1", os.path.join(CACHE, "go"))
    ret = times(text, r"^Benchmark(\S+)\s+\d+\s+([\d.]+) ns/op")
    return {k: tuple(x / 1000 for x in v) if "CelL" in k else v for k, v in ret.items()}


def java():
    sh("mvn -q compile dependency:build-classpath -Dmdep.outputFile=target/cp.txt", os.path.join(CACHE, "java"))
    ret = {}
    for case in ("drlG", "drlT", "drlR"):
        text = sh("timeout 120 java -Xms1g -Xmx1g -XX:+UseSerialGC -Dwarm=4 -cp target/classes:$(cat target/cp.txt) peers.Bench " + case,
                  os.path.join(CACHE, "java"))
        ret.update(times(text, C_LINE))
    return ret


def rust():
    sh("cargo build --release", os.path.join(CACHE, "rust"))
    text = sh("./target/release/peers-rules", os.path.join(CACHE, "rust"))
    ret = times(text, C_LINE)
    ms = {m[1].strip() for m in re.finditer(r"^(.*?)\s+min\s+[\d.]+\s+median\s+[\d.]+ ms", text, re.M)}
    return {k: tuple(x * 1000 for x in v) if k in ms else v for k, v in ret.items()}


ENGINES = collections.OrderedDict([("souk", (souk, None)), ("c", (c, "gcc")), ("lua", (lua, "gcc")), ("go", (go, "go")), ("java", (java, "mvn")), ("rust", (rust, "cargo"))])


def best(rows, *needles):
    hits = [(v[0], k) for k, v in rows.items() if all(n in k for n in needles)]
    return min(hits) if hits else None


def compare(rows):
    """The targets: ours, what it is held against, the ratio, and the most it may be."""
    cases = [
        ("G pre", ["souk G pre"], ("CelG", "pre"), 1 / 5, "cel-go, bound beforehand"),
        ("G bound", ["souk G bound"], ("CelG", "bound"), 1 / 5, "cel-go, bound"),
        ("T last pre", ["souk T last pre"], ("C T last index pre",), 3, "hand-written C"),
        ("T last bound", ["souk T last bound"], ("C T last index bound",), 3, "hand-written C"),
        ("T mix bound", ["souk T mix bound"], ("C T mix index bound",), 3, "hand-written C"),
        ("T last bound", ["souk T last bound"], ("DRL", "T last"), 1 / 10, "Drools DRL"),
        ("R", ["souk R decide"], ("LuaJIT R",), 1 / 2, "LuaJIT (doubles, no reasons)"),
        ("R explained", ["souk R compute, waterfall"], ("LuaJIT R",), 1, "LuaJIT: waterfall, guards, reasons, 128 bits"),
        ("R explained", ["souk R compute, waterfall"], ("souk R compute, no waterfall",), 1.1, "ours without the waterfall"),
        ("L", ["souk L 1000 expressions"], ("CelL",), 1 / 10, "cel-go"),
        ("L", ["souk L 1000 expressions"], ("zen-expression L",), 4, "Zen, no types"),
    ]
    print("\n%-14s %12s %12s %9s %9s  %s" % ("case", "ours", "theirs", "ratio", "at most", "held against"))
    for name, ours, theirs, most, what in cases:
        a, b = best(rows, *ours), best(rows, *theirs)
        if not a or not b:
            print("%-14s %12s %12s %9s %9.2f  %s: not run" % (name, "%.1f" % a[0] if a else "-", "%.1f" % b[0] if b else "-", "-", most, what))
            continue
        ratio = a[0] / b[0]
        print("%-14s %12.1f %12.1f %9.3f %9.2f  %s (%s)%s" % (name, a[0], b[0], ratio, most, what, b[1], "" if ratio <= most else "   MISSED"))


def instructions(program, case, records=1024):
    ir = lambda n: int(re.search(r"Collected : (\d+)", sh(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, case, str(n)], os.path.join(CACHE, "c")))[1])
    return (ir(3) - ir(1)) / 2 / records


def profile(case):
    out = os.path.join(CACHE, "callgrind.out")
    sh(["valgrind", "--tool=callgrind", "--callgrind-out-file=" + out, "--toggle-collect=run*", OURS, case, "20"], ROOT)
    print(sh("callgrind_annotate %s | head -40" % out, ROOT))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--only", default=",".join(ENGINES))
    ap.add_argument("--callgrind", action="store_true")
    ap.add_argument("--profile")
    args = ap.parse_args()
    unknown = [e for e in args.only.split(",") if e not in ENGINES]
    if unknown:
        ap.error("no such engine: %s (there are %s)" % (", ".join(unknown), ", ".join(ENGINES)))
    os.makedirs(CACHE, exist_ok=True)
    copy()
    if args.profile:
        return profile(args.profile)
    rows = collections.OrderedDict()
    for name in args.only.split(","):
        fn, tool = ENGINES[name]
        if tool and not shutil.which(tool):
            print("# %s: left out, %s is not installed" % (name, tool))
            continue
        try:
            got = fn()
        except subprocess.CalledProcessError as e:
            print("# %s: left out, it failed:\n#   %s" % (name, "\n#   ".join(e.stdout.strip().splitlines()[-5:])))
            continue
        for k, v in got.items():
            print("%-46s min %10.1f  median %10.1f %s" % (k, v[0], v[1], "us" if re.search(r"\bL\b|CelL|1000|1,000", k) else "ns"), flush=True)
        rows.update(got)
    compare(rows)
    if args.callgrind:
        print("\ninstructions a record (callgrind)")
        names = [k for k in rows if k.startswith("souk") and " L " not in k]
        for k in names:
            print("%-46s %8.0f" % (k, instructions(OURS, k)), flush=True)
        for k in ("C G pre", "C G bound", "C T last index pre", "C T last index bound", "C R pre", "C R bound"):
            print("%-46s %8.0f" % (k, instructions(os.path.join(CACHE, "c/build/native"), k)), flush=True)


if __name__ == "__main__":
    sys.exit(main())
