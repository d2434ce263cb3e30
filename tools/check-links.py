#!/usr/bin/env python3
"""Relative links and anchors of the Markdown documents, kept whole.

Reads every .md file that git knows (or would add). A link to a file must lead to one inside the project; a link with `#anchor` must
name a heading of that file, spelled as GitHub makes anchors. Links with a scheme (https:) are not looked at. Text in code is no link.
Prints each broken link as file:line and exits 1.
"""
import functools
import pathlib
import re
import subprocess
import sys
import unicodedata
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
INLINE = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+[\"'][^)]*)?\)")
REFERENCE = re.compile(r"^\s{0,3}\[[^\]]+\]:\s+(\S+)")
FENCE = re.compile(r"^\s*(```+|~~~+)")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*\s*$")
SCHEME = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]*:")


def documents() -> list[pathlib.Path]:
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", "*.md"], cwd=ROOT, check=True,
                         capture_output=True, text=True).stdout
    return sorted(p for p in (ROOT / line for line in out.splitlines()) if p.is_file())


def text_lines(file: pathlib.Path):
    """Lines outside code fences, numbered, with code spans blanked."""
    fence = ""
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        mark = FENCE.match(line)
        if mark and (not fence or line.strip().startswith(fence)):
            fence = "" if fence else mark.group(1)
        elif not fence:
            yield number, line


def slug(heading: str) -> str:
    """GitHub's: link texts only, marks dropped, lower case, blanks to hyphens."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
    kept = (c for c in text if c in " -_" or unicodedata.category(c)[0] in "LN" or unicodedata.category(c) == "Mn")
    return "".join(kept).replace(" ", "-")


@functools.lru_cache(maxsize=None)
def anchors(file: pathlib.Path) -> frozenset[str]:
    found: dict[str, int] = {}
    names = set()
    for _, line in text_lines(file):
        heading = HEADING.match(line)
        if heading:
            name = slug(heading.group(1))
            count = found.get(name, 0)
            found[name] = count + 1
            names.add(f"{name}-{count}" if count else name)
        names.update(re.findall(r"<a\s+(?:name|id)=\"([^\"]+)\"", line))
    return frozenset(names)


def problem(file: pathlib.Path, link: str) -> str:
    """What is wrong with the link, or an empty text."""
    path, _, anchor = link.partition("#")
    target = (file.parent / urllib.parse.unquote(path)).resolve() if path else file
    if path.startswith("/") or not target.is_relative_to(ROOT):
        return "leads out of the project"
    if not target.exists():
        return "no such file"
    if anchor and target.suffix == ".md" and anchor not in anchors(target):
        return "no such heading"
    return ""


def main() -> int:
    bad = total = 0
    files = documents()
    for file in files:
        for number, line in text_lines(file):
            bare = re.sub(r"(`+)(?:(?!\1).)*\1", lambda m: " " * len(m.group(0)), line)
            links = INLINE.findall(bare) + REFERENCE.findall(bare)
            for link in links:
                if SCHEME.match(link):
                    continue
                total += 1
                why = problem(file, link)
                if why:
                    print(f"{file.relative_to(ROOT)}:{number}: {link}: {why}")
                    bad += 1
    print(f"check-links: {len(files)} documents, {total} links, {bad} broken", file=sys.stderr)
    return 1 if bad or not files else 0


if __name__ == "__main__":
    sys.exit(main())
