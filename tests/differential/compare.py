"""Souk's expressions against cel-go's: the same value, or both an error of the same stage.

compare.py --oracle PROGRAM [--seeds N] [--first SEED] [--each N]   generates, asks both, prints what differs
compare.py --oracle PROGRAM --record FILE [--each N]                writes a corpus: expressions with cel-go's answers
compare.py --replay FILE…                                           asks Souk alone; TAP

SOUK names the binary. What differs by intention is in EXCUSED, with its reason."""
import argparse
import base64
import collections
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
import generate  # noqa: E402

SOUK = os.environ.get("SOUK", "build/souk")
HEADER = "Random expressions and what cel-go %s answers; written by tests/differential/compare.py --record, seeds 1 to %d, without what differs by intention"

# A difference that is meant: what it is; patterns in the line, in cel-go's answer, in ours.
EXCUSED = [
    ("a map literal with a key twice, or with a key of a type that no map has, is an error, as the conformance suite wants", "", '"value"|"eval"', "repeated key|unsupported key type"),
    ("cel-go panics where a map is asked for a key that Go cannot hash; no such key is there", "", "unhashable", '"value"|no such key'),
    ("cel-go has math.least and math.greatest as macros, whose literals are looked at while parsing", "math\\.(least|greatest)", 'simple literal arguments|invalid single argument', ""),
    ("cel-go counts all milliseconds of a duration, the conformance suite those beyond its seconds", "getMilliseconds", '"value"', '"value"'),
    ("math.least and math.greatest over different kinds of numbers: a conversion says what is meant", "math\\.(least|greatest)", "", '"check".*math\\.(least|greatest)'),
    ("and their result has the type of their arguments, not dyn", "math\\.(least|greatest).*dyn|dyn.*math\\.(least|greatest)", '"check"', '"value"|"eval"'),
    ("cel-go takes bytes for a list if nobody checked", '"check": false', '"value"', "no such overload"),
    ("cel-go takes a variable over types for the name of one", "", "reference to undefined type", ""),
    ("cel-go refuses a call that has no implementation before it knows whether it is made", '"check": false', "no such overload: [a-zA-Z]+\\((arg|lhs, rhs|\\.\\.\\.)?\\)", ""),
    ("and an index that no container has", '"check": false', "invalid qualifier type", ""),
    ("what is dyn and multiplied by an integer may be basis points", "\\*", '"check"', '"value"|"eval"'),
    ("NaN as dyn beside what is no number has no order, and so no answer", "dyn", '"boolValue": false', "no such overload"),
    ("cel-go rounds long durations before it takes them apart", "get(Hours|Minutes|Seconds)", 'Value": "?-?[0-9]{6,}', 'Value": "?-?[0-9]{6,}'),
    ("a reserved word before braces is no message's name either", "", '"check"', "reserved identifier"),
    ("a difference of times that is just the least duration is one", "", "integer overflow", "-9223372036.854775808s"),
    ("cel-go forgets which overload of bytes() it means", "bytes\\(", "no such overload: bytes", '"value"'),
]


def canonical(v):
    """A value as something that compares: maps without order, doubles with the sign of zero."""
    (kind, x), = v.items()
    if kind == "doubleValue":
        return kind, repr(float(x))
    if kind == "listValue":
        return kind, tuple(canonical(e) for e in x.get("values", []))
    if kind == "mapValue":
        return kind, tuple(sorted((canonical(e["key"]), canonical(e["value"])) for e in x.get("entries", [])))
    if kind == "objectValue":
        return kind, x["@type"], x["value"]
    return kind, str(x)


def verdict(answer):
    if "error" in answer:
        return "error", answer["error"]["stage"]
    return "value", canonical(answer["value"])


def kind_of(answer):
    return answer["error"]["stage"] if "error" in answer else "value"


def ask(command, lines):
    """One answer a line."""
    with tempfile.TemporaryFile("w+") as f:
        f.writelines(line + "\n" for line in lines)
        f.seek(0)
        r = subprocess.run(command, stdin=f, capture_output=True, text=True)
    out = [json.loads(text, parse_int=lambda i: -0.0 if i == "-0" else int(i)) for text in r.stdout.split("\n") if text]
    if len(out) != len(lines):
        sys.exit(f"{command[0]} ended with {r.returncode} after {len(out)} of {len(lines)} lines\n{r.stderr[-4000:]}"
                 + (f"\nat: {lines[len(out)]}" if len(out) < len(lines) else ""))
    return out


def souk(lines):
    return ask([SOUK, "rules", "eval", "--batch"], lines)


def texts(v):
    """All texts in a value, those in bytes too, with the lengths of time in them as a float has them."""
    (kind, x), = v.items()
    if kind == "listValue":
        return [t for e in x.get("values", []) for t in texts(e)]
    if kind == "mapValue":
        return [t for e in x.get("entries", []) for t in texts(e["key"]) + texts(e["value"])]
    if kind not in ("stringValue", "bytesValue"):
        return []
    text = x if kind == "stringValue" else base64.b64decode(x).decode(errors="replace")
    return [re.sub(r"-?\d+(\.\d+)?(?=[sS])", lambda m: f"{float(m[0]):.5e}", text)]


def excuse(line, theirs, ours):
    if "value" in theirs and "value" in ours and texts(theirs["value"]) == texts(ours["value"]) != []:
        return "cel-go loses digits of long durations in their text"
    for what, *patterns in EXCUSED:
        if all(re.search(p, text) for p, text in zip(patterns, (line, json.dumps(theirs), json.dumps(ours)))):
            return what
    return None


def differ(args):
    counts, excused, found = collections.Counter(), collections.Counter(), []
    for seed in range(args.first, args.first + args.seeds):
        lines = list(generate.lines(seed, args.each))
        for line, theirs, ours in zip(lines, ask([args.oracle], lines), souk(lines)):
            counts[kind_of(theirs)] += 1
            if verdict(theirs) == verdict(ours):
                continue
            why = excuse(line, theirs, ours)
            if why:
                excused[why] += 1
            else:
                found.append((line, theirs, ours))
        print(f"seed {seed}: {sum(counts.values())} expressions, {len(found)} differ", file=sys.stderr, flush=True)
    for line, theirs, ours in sorted(found, key=lambda d: len(d[0]))[:args.show]:
        print(f"{line}\n  cel-go {json.dumps(theirs, ensure_ascii=False)}\n  souk   {json.dumps(ours, ensure_ascii=False)}")
    total = sum(counts.values())
    print(f"{total} expressions ({', '.join(f'{n} {k}' for k, n in counts.most_common())}), {len(found)} differ")
    for why, n in excused.most_common():
        print(f"  {n} differ as they should: {why}")
    return 1 if found else 0


def record(args):
    """Short expressions with answers of every kind; without those that come out otherwise by intention."""
    kept, counts, seed = [], collections.Counter(), 0
    while len(kept) < args.each and seed < 100:
        seed += 1
        lines = list(generate.lines(seed, 2000))
        for line, theirs, ours in zip(lines, ask([args.oracle], lines), souk(lines)):
            k = kind_of(theirs)
            if len(line) > 330 or len(kept) >= args.each or counts[k] >= args.each * {"value": 0.5, "eval": 0.25, "check": 0.15, "parse": 0.1}[k]:
                continue
            if verdict(theirs) != verdict(ours) and excuse(line, theirs, ours):
                continue
            counts[k] += 1
            answer = theirs if k == "value" else {"error": {"stage": k}}
            kept.append({**json.loads(line), "answer": answer})
    with open(args.record, "w") as f:
        print(json.dumps({"about": HEADER % (args.version, seed)}), file=f)
        for k in kept:
            print(json.dumps(k, ensure_ascii=False), file=f)
    print(f"{len(kept)} expressions: {dict(counts)}")
    return 0


def replay(path):
    with open(path) as f:
        about, *rows = [json.loads(line) for line in f]
    print(f"# {about['about']}")
    name = os.path.basename(path)
    answers = souk([json.dumps({k: v for k, v in row.items() if k != "answer"}, ensure_ascii=False) for row in rows])
    right, wrong = collections.Counter(), collections.Counter()
    for row, ours in zip(rows, answers):
        k = kind_of(row["answer"])
        if verdict(row["answer"]) == verdict(ours):
            right[k] += 1
        else:
            wrong[k] += 1
            print(f"# {row['expr']!r} {json.dumps(row.get('bindings'))}\n#   expected {json.dumps(row['answer'])}\n#   actual   {json.dumps(ours)}")
    for k in sorted(right | wrong):
        print(f"{'not ok' if wrong[k] else 'ok'} - {right[k]} of {right[k] + wrong[k]} recorded expressions in {name} with {k if k == 'value' else 'an error in ' + k} come out as cel-go's")
    return 1 if wrong else 0


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--oracle")
    p.add_argument("--seeds", type=int, default=25)
    p.add_argument("--first", type=int, default=1)
    p.add_argument("--each", type=int, default=4000)
    p.add_argument("--show", type=int, default=40)
    p.add_argument("--record")
    p.add_argument("--version", default="")
    p.add_argument("--replay", nargs="+")
    a = p.parse_args()
    if not a.replay and not a.oracle:
        p.error("--oracle or --replay is needed")
    sys.exit(max(map(replay, a.replay)) if a.replay else record(a) if a.record else differ(a))
