#!/usr/bin/python3
"""The golden records are what the schemas say, and the invalid ones are not.

usage: schemas.py SOURCE_DIR

File names begin with the schema's: tests/data/golden/<schema>.<case>.json, tests/data/golden/invalid/<schema>.<case>.json.
"""
import json
import pathlib
import sys
import urllib.parse

import jsonschema

try:  # jsonschema from 4.18 on; its RefResolver does not find what unevaluatedProperties refers to
    import referencing
except ImportError:
    referencing = None

N_GOLDEN_MIN = 2
DOCUMENTS = ("souk/demo/data/rules.json", "tests/data/scenario/rules.json")  # rulesets that are used
NO_RECORD = {"common", "decision-inputs"}  # used by others, have no record of their own


def unique(pairs):
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        raise ValueError("repeated member")
    return dict(pairs)


def text_of(value):
    """What JSON can spell and a text cannot be: U+0000 and half a surrogate pair."""
    if isinstance(value, str):
        value.encode("utf-8")
        if "\0" in value:
            raise ValueError("U+0000")
    elif isinstance(value, dict):
        for name, member in value.items():
            text_of(name)
            text_of(member)
    elif isinstance(value, list):
        for element in value:
            text_of(element)


def load(path):
    value = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=unique)
    text_of(value)
    return value


class Schemas:
    def __init__(self, folder):
        self.by_name = {}
        store = {}
        for path in sorted(folder.glob("*.schema.json")):
            schema = load(path)
            jsonschema.Draft202012Validator.check_schema(schema)
            self.by_name[path.name[: -len(".schema.json")]] = schema
            store[path.as_uri()] = schema
        self.folder = folder
        self.store = store

    def validator(self, name):
        schema = self.by_name[name]
        uri = (self.folder / (name + ".schema.json")).as_uri()
        if referencing is None:
            resolver = jsonschema.RefResolver(uri, schema, store=self.store, handlers={"file": self.missing})
            return jsonschema.Draft202012Validator(schema, resolver=resolver)
        registry = referencing.Registry(retrieve=self.missing).with_contents(self.store.items())
        return jsonschema.Draft202012Validator({"$ref": uri}, registry=registry)

    def problem(self, name, path):
        """None, or why the file is not one of @name."""
        try:
            value = load(path)
        except ValueError as e:
            return str(e)
        error = jsonschema.exceptions.best_match(self.validator(name).iter_errors(value))
        return error and "/".join(map(str, error.absolute_path)) + ": " + error.message

    @staticmethod
    def missing(uri):
        raise SystemExit(f"schemas: no file {urllib.parse.urlparse(uri).path}")


def main(source):
    schemas = Schemas(source / "docs/protocol/schemas")
    golden = source / "tests/data/golden"
    failures = []
    n = 0
    for folder, is_valid in ((golden, True), (golden / "invalid", False)):
        count = dict.fromkeys(schemas.by_name, 0)
        for path in sorted(folder.glob("*.json")):
            name = path.name.split(".")[0]
            if name not in schemas.by_name:
                failures.append(f"{path.name}: there is no schema {name}")
                continue
            count[name] += 1
            n += 1
            problem = schemas.problem(name, path)
            if is_valid and problem:
                failures.append(f"{path.name}: {problem}")
            if not is_valid and not problem:
                failures.append(f"invalid/{path.name}: accepted by {name}.schema.json")
        for name, k in count.items():
            if k < N_GOLDEN_MIN and name not in NO_RECORD:
                failures.append(f"{name}: {k} records in {folder.name}/, at least {N_GOLDEN_MIN} are needed")
    for path in DOCUMENTS:
        n += 1
        problem = schemas.problem("ruleset", source / path)
        if problem:
            failures.append(f"{path}: {problem}")
    for failure in failures:
        print(failure, file=sys.stderr)
    print(f"schemas: {len(schemas.by_name)} schemas, {n} records, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
