"""The tests of a meson test log as TAP: one line for each test inside a TAP program, one for a program that is not."""
import json
import re
import sys

LINE = re.compile(r"^(ok|not ok)\b\s*-?\s*(.*)$")

for text in open(sys.argv[1]):
    test = json.loads(text)
    found = [m for m in map(LINE.match, (test.get("stdout") or "").splitlines()) if m]
    for m in found:
        print(f"{m.group(1)} - {test['name']}: {m.group(2)}")
    bad = test["result"] not in ("OK", "EXPECTEDFAIL")
    if not found:
        print(f"{'not ok' if bad else 'ok'} - {test['name']}")
    elif bad and all(m.group(1) == "ok" for m in found):
        # crashed, leaked or timed out after its last line
        print(f"not ok - {test['name']} ended with {test['result']}")
