#!/usr/bin/env python3
"""The dependency rule, kept true.

base <- model, base <- eth, base <- io; a role may use all four; no role includes another role's header; only souk/ (which wires
them) and tests may see several. Nothing but souk/demo (and tests) includes souk/demo. In-memory twins (common/io/sim) are for tests only.
Prints each violation as file:line and exits 1.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROLES = ("ws-server", "pricing", "bidding", "wallet-bridge", "connectors", "studio")
COMMON = ("common/base", "common/model", "common/eth", "common/io")
MAY = {
    "common/base": ("common/base",),
    "common/model": ("common/base", "common/model"),
    "common/eth": ("common/base", "common/eth"),
    "common/io": ("common/base", "common/io"),
    "common/io/sim": ("common/base", "common/io", "common/io/sim"),
    "souk": COMMON + ROLES + ("souk",),
    "souk/demo": COMMON + ROLES + ("souk", "souk/demo"),
    "tools": (),  # what the build runs: no part of Souk
}
for role in ROLES:
    MAY[role] = COMMON + (role,)
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def area(path: str) -> str:
    """The longest known prefix."""
    known = sorted(set(MAY) | {"tests"}, key=len, reverse=True)
    return next((k for k in known if path.startswith(k + "/")), "")


def main() -> int:
    bad = 0
    files = [p for p in ROOT.rglob("*.[ch]") if not any(x.startswith(("build", ".")) for x in p.relative_to(ROOT).parts)]
    for file in sorted(files):
        name = file.relative_to(ROOT).as_posix()
        here = area(name)
        if here == "tests":
            continue
        if not here:
            print(f"{name}: lies in no known folder")
            bad += 1
            continue
        for number, line in enumerate(file.read_text().splitlines(), 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            target = found.group(1)
            if not (ROOT / target).is_file():
                print(f'{name}:{number}: "{target}" is not a path from the root of the project')
                bad += 1
            elif area(target) not in MAY[here]:
                # souk's own command table names the demo, and only that
                if here == "souk" and name in ("souk/main.c",):
                    continue
                print(f"{name}:{number}: {here} must not include {target}")
                bad += 1
    if "--tap" in sys.argv:
        print(f"{'not ok' if bad else 'ok'} - the include rule holds in {len(files)} files")
    print(f"check-includes: {len(files)} files, {bad} violations", file=sys.stderr)
    return 1 if bad or not files else 0


if __name__ == "__main__":
    sys.exit(main())
