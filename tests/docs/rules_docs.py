"""Every example of docs/rules.md is right: TAP. SOUK names the binary.

	```json ruleset FILE     a document: `souk rules check` and `souk rules test` are content with it; FILE is there for the commands below
	```json wrong FILE       a document that check refuses
	```json rule             a rule: so is a document with just this one
	```json group            a group, the same
	```cel                   an expression a line (behind # is a remark): each is well typed over the fields of production
	```console               `$ souk …` and all that it prints, exactly; `…` at the end of a line stands for its rest
	table below <!-- mistakes -->   an expression, and a part of what check says of a rule with it
docs/rules-fields.md is what `souk rules fields --markdown` prints."""
import json
import os
import re
import subprocess
import sys
import tempfile

SOUK = os.path.abspath(os.environ.get("SOUK", "build/souk"))
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
n = failed = 0


def ok(good, name, detail=""):
    global n, failed
    n += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {n} - {name}")
    if not good:
        print("".join(f"# {line}\n" for line in detail.splitlines()), end="")


def souk(*args, cwd, stdin=None):
    return subprocess.run([SOUK, *args], cwd=cwd, capture_output=True, text=True, input=stdin)


def document(*groups):
    return {"name": "example", "version": "1", "language": "en", "disclosure": {"default": "This price was made for you."}, "groups": list(groups)}


def group(*rules):
    return {"id": "example", "mode": "stack", "rules": list(rules)}


def content(folder, name, text, where):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(text)
    r = souk("rules", "check", name, cwd=folder)
    ok(r.returncode == 0, f"{where} is a right document", r.stdout + r.stderr)
    if '"tests"' in text:
        r = souk("rules", "test", name, cwd=folder)
        ok(r.returncode == 0, f"{where} passes its tests", r.stdout + r.stderr)


def expressions(folder, block, where):
    lines = [re.sub(r"\s*#.*", "", line) for line in block.splitlines()]
    lines = [line for line in lines if line.strip()]
    fields = souk("rules", "fields", "--json", cwd=folder).stdout
    with open(os.path.join(folder, "fields.json"), "w") as f:
        f.write(fields)
    out = souk("rules", "eval", "--batch", "--env", "fields.json", cwd=folder, stdin="".join(json.dumps({"expr": e}) + "\n" for e in lines)).stdout
    answers = [json.loads(line) for line in out.splitlines()]
    for e, a in zip(lines, answers):
        ok(a.get("error", {}).get("stage") not in ("parse", "check"), f"{where}: {e}", json.dumps(a, indent=1))
    ok(len(answers) == len(lines) > 0, f"{where}: all are answered")


def commands(folder, block, where):
    for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
        command, _, expected = part.partition("\n")
        r = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, env={**os.environ, "PATH": os.path.dirname(SOUK) + ":" + os.environ["PATH"]})
        want = [re.escape(line.rstrip()) for line in expected.rstrip("\n").splitlines()]
        pattern = "\n".join(line[:-1] + ".*" if line.endswith("…") else line for line in want)
        actual = "\n".join(line.rstrip() for line in (r.stdout + r.stderr).rstrip("\n").splitlines())
        ok(re.fullmatch(pattern, actual) is not None, f"{where}: {command}", f"expected\n{expected}\nactual\n{actual}")


def mistake(folder, expr, message):
    rule = {"id": "wrong", "when": expr, "bps": -100}
    with open(os.path.join(folder, "wrong.json"), "w") as f:
        json.dump(document(group(rule)), f)
    r = souk("rules", "check", "wrong.json", cwd=folder)
    ok(r.returncode == 1 and message in r.stdout, f"check says of {expr}: {message}", r.stdout + r.stderr)


def mistakes(folder, text):
    table = text.partition("<!-- mistakes -->")[2].partition("\n\n")[2].partition("\n\n")[0].splitlines()[2:]
    ok(len(table) > 4, "there is a table of mistakes")
    for row in table:
        cells = [c.strip() for c in re.split(r"(?<!\\)\|", row.strip().strip("|"))]
        expr, message = (re.sub(r"^`+ ?| ?`+$", "", c).replace("\\|", "|") for c in cells[:2])
        mistake(folder, expr, message)


def main():
    with open(os.path.join(ROOT, "docs/rules.md")) as f:
        text = f.read()
    with tempfile.TemporaryDirectory() as folder:
        for m in re.finditer(r"^```(\w+)([^\n]*)\n(.*?)^```$", text, re.M | re.S):
            kind, rest, block = m.group(1), m.group(2).split(), m.group(3)
            where = f"docs/rules.md:{text.count(chr(10), 0, m.start()) + 1}"
            if kind == "cel":
                expressions(folder, block, where)
            elif kind == "console":
                commands(folder, block, where)
            elif kind == "json" and rest[:1] == ["ruleset"]:
                content(folder, rest[1], block, where)
            elif kind == "json" and rest[:1] == ["wrong"]:
                with open(os.path.join(folder, rest[1]), "w") as f:
                    f.write(block)
                ok(souk("rules", "check", rest[1], cwd=folder).returncode == 1, f"{where} is refused")
            elif kind == "json" and rest:
                part = json.loads(block)
                content(folder, "part.json", json.dumps(document(part if rest[0] == "group" else group(part))), where)
            else:
                ok(False, f"{where}: a block of no kind that is tested")
        mistakes(folder, text)
        r = souk("rules", "fields", "--markdown", cwd=folder)
    with open(os.path.join(ROOT, "docs/rules-fields.md")) as f:
        page = f.read()
    ok(page == r.stdout and r.stdout.count("\n") > 20, "docs/rules-fields.md is what souk rules fields --markdown prints", "write it anew")
    print(f"1..{n}")
    return 1 if failed else 0


sys.exit(main())
