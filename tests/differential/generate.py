"""Random expressions in CEL, most of them well typed, as lines of `souk rules eval --batch`.

Everything comes from the seed. An expression is made from its type down; now and then a part of another type, a damaged text
or "check": false is put in, so that every stage has its errors. What no two engines need to agree on is left out: the order in
which a map's keys are visited is nobody's promise, so lists made from maps of several entries are only counted."""
import base64
import json
import random
import sys

SCALARS = ["bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration"]
NUMBERS = ["int", "uint", "double"]
KEYS = ["int", "uint", "bool", "string"]
INTS = [0, 1, -1, 2, 3, 5, 7, 10, 24, 59, 60, 100, 255, 1000, 86400, 2**31 - 1, 2**31, -2**31, 2**53, 2**53 + 1, 2**63 - 1, -2**63, 2**63 - 2, 10**18,
        253402300799, 253402300800, -62135596800, -62135596801, 9223372036, 9223372037]
UINTS = [0, 1, 2, 3, 7, 10, 255, 2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64 - 2]
DOUBLES = ["0.0", "-0.0", "1.0", "-1.0", "0.5", "1.5", "2.0", "3.0", "-2.5", "0.1", "0.30000000000000004", "1e3", "1e-7", "123456789.125", "1e15", "1e21",
           "1e22", "1.7976931348623157e308", "4.9e-324", "2.2250738585072014e-308", "9007199254740993.0", "9223372036854775807.0", "-9223372036854775808.0",
           "9223372036854774784.0", "18446744073709551615.0", "18446744073709549568.0", "6.02214076e23", "1E2", "1e+2", "3.14159", "100.0", ".5"]
STRINGS = ["", "a", "b", "abc", "ABC", "aBc", "abcabc", " a b ", "\t x\n", "é", "Am\u00e9lie", "Ame\u0301lie", "ß", "日本語", "😀", "a😀b", "\u0000", "x\u0000y", "\\", "'", '"',
           "gold", "true", "false", "0", "1", "-1", "42", "1.5", "name", "a.b", "\u2028", "\u00a0 x\u00a0", "\ufffd", "\u200b", "İ", "\r\n", "{}", "%s"]
PARSED_INTS = ["0", "42", "-7", "+5", "007", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
               "18446744073709551616", "", " 1", "1 ", "1.0", "1e3", "0x10", "1_000", "abc", "-", "--1", "-0", "１"]
PARSED_DOUBLES = ["0", "-0", "1.5", "-2.25", "1e308", "1e309", "-1e309", "1e-400", "inf", "-Inf", "+inf", "Infinity", "-infinity", "nan", "NaN", "-nan", "", " 1", "1 ", ".5", "5.",
                  "1e", "abc", "1e+5", "+1", "."]
PARSED_BOOLS = ["true", "false", "True", "False", "TRUE", "FALSE", "t", "f", "T", "F", "1", "0", "", "yes", "tRue", " true"]
TIMESTAMPS = ["1970-01-01T00:00:00Z", "2009-02-13T23:31:30Z", "2009-02-13T23:31:30.123456789Z", "2024-02-29T12:00:00Z", "2023-02-29T12:00:00Z", "0001-01-01T00:00:00Z",
              "9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59Z", "0000-12-31T00:00:00Z", "10000-01-01T00:00:00Z", "2024-03-31T01:30:00+01:00", "2024-03-31T00:59:59.5Z",
              "2024-10-27T00:30:00Z", "2024-10-27T01:30:00Z", "1900-01-01T00:00:00Z", "1883-11-18T17:00:00Z", "2038-01-19T03:14:08Z", "2100-07-01T00:00:00Z", "2024-06-15T23:59:60Z",
              "2024-06-15T24:00:00Z", "2024-06-15", "2024-06-15T10:00:00", "2024-06-15t10:00:00z", "2024-06-15 10:00:00Z", "2024-6-15T10:00:00Z", "2024-06-15T10:00:00.Z",
              "2024-06-15T10:00:00-0800", "2024-06-15T10:00:00-08:00", "2024-06-15T10:00:00+14:00", "2024-06-15T10:00:00+24:00", "2024-06-15T10:00:00.1234567891Z", "",
              "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "2024-06-15T10:00:00+00:60", "2011-12-30T12:00:00Z", "1969-12-31T23:59:59.999999999Z", "1582-10-10T00:00:00Z"]
GOOD_TIMESTAMPS = [t for t in TIMESTAMPS if t in TIMESTAMPS[:4] or t[:10] in ("2038-01-19", "2100-07-01", "1969-12-31", "2024-10-27", "1900-01-01", "0001-01-01", "9999-12-31") and t.endswith("Z")]
DURATIONS = ["0s", "1s", "-1s", "1.5s", "90m", "1h30m", "-1h30m10.5s", "100ms", "15us", "15µs", "7ns", "3600s", "86400s", "1000000s", "0", "", "1", "1d", ".5s", "1.s", "s", "+5s",
             "--1s", "9223372036854775807ns", "9223372036854775808ns", "-9223372036854775808ns", "-9223372036854775809ns", "2562047h47m16.854775807s", "2562048h", "1.0000000001s",
             "0.000000001s", "315576000000s", "1h 30m", "1H", "1e3s", "1h1h", "0.1ns", "0.9999999999s", "9223372036s"]
GOOD_DURATIONS = ["0s", "1s", "-1s", "1.5s", "90m", "1h30m", "100ms", "7ns", "3600s", "86400s", "-86400s", "0.000000001s", "2562047h"]
ZONES = ["UTC", "", "+02:00", "-08:00", "02:00", "-00:30", "+14:00", "America/Los_Angeles", "Europe/Berlin", "Asia/Kolkata", "Pacific/Apia", "America/St_Johns",
         "Australia/Lord_Howe", "Asia/Kathmandu", "Nowhere/At_All", "europe/berlin", "+2:00", "2:00", "25:00", "+02", "Z", "GMT", "+02:60", "Africa/Monrovia"]
PATTERNS = ["", "a", "^a", "a$", "^abc$", "a.c", "[a-z]+", "^[A-Z]", "\\d+", "\\w\\s", "(?i)ABC", "a{2,3}", "(ab)+", "a|b", ".", "^$", "é", "\\pL", "\\p{Greek}", "[^a]", "x*",
            "(", "[", "a**", "(?=a)", "\\1", "\\C", "(?P<n>a)", "^.{1,3}$", "\\x{1F600}", "[[:alpha:]]+", "\\b", "(?s).", "\\z", "a{1001}", "*", "\\Q.\\E", "\\8"]
GETTERS = ["getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours", "getMilliseconds", "getMinutes", "getMonth", "getSeconds"]
COMPARISONS = ["<", "<=", ">", ">="]
TYPES = ["int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type", "google.protobuf.Timestamp", "google.protobuf.Duration"]
FIELDS = ["name", "a", "b", "gold", "missing", "in_", "content"]


def quoted(r, s):
    """A string literal: plain, escaped in one of the ways there are, raw or tripled."""
    how = r.random()
    if how < 0.08 and not any(c in s for c in "'\\\n\r\0"):
        return f"{r.choice('rR')}'{s}'"
    if how < 0.12 and "'" not in s and "\\" not in s and "\r" not in s and not s.endswith('"'):
        return f'"""{s}"""' if r.random() < 0.5 and '"' not in s else f"'''{s}'''"
    q = r.choice("'\"")
    out = []
    for c in s:
        o = ord(c)
        if c == q or c == "\\":
            out.append("\\" + c)
        elif c in "\n\r\t" and r.random() < 0.7:
            out.append({"\n": "\\n", "\r": "\\r", "\t": "\\t"}[c])
        elif c in "\n\r" or o < 32 or r.random() < 0.04:
            forms = [f"\\u{o:04x}", f"\\U{o:08x}"] if o < 0x10000 else [f"\\U{o:08x}"]
            if o < 256:
                forms += [f"\\x{o:02x}", f"\\{o:03o}"]
            out.append(r.choice(forms))
        else:
            out.append(c)
    return q + "".join(out) + q


def bytes_literal(r, b):
    q = r.choice("'\"")
    return r.choice("bbbB") + q + "".join(chr(c) if 32 <= c < 127 and chr(c) not in "'\"\\" else r.choice([f"\\x{c:02x}", f"\\{c:03o}"]) for c in b) + q


BYTES = [b"", b"a", b"abc", b"\xff", b"\xc3\xa9", b"\x00", b"a\x00b", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"ABC", b"42"]


class Maker:
    def __init__(self, r):
        self.r = r
        self.vars = {}  # name -> type
        self.n_locals = 0

    # ---- types ----
    def any_type(self, depth=2):
        r = self.r.random()
        if depth > 0 and r < 0.14:
            return ("list", self.any_type(depth - 1))
        if depth > 0 and r < 0.24:
            return ("map", self.r.choice(KEYS), self.any_type(depth - 1))
        if r < 0.27:
            return "null"
        if r < 0.29:
            return "type"
        return self.r.choice(SCALARS)

    # ---- values of variables ----
    def value(self, t):
        r = self.r
        if isinstance(t, tuple) and t[0] == "list":
            return {"listValue": {"values": [self.value(t[1]) for _ in range(r.choice([0, 1, 1, 2, 3]))]}}
        if isinstance(t, tuple):
            entries, seen = [], set()
            for _ in range(r.choice([0, 1, 1, 2, 3])):
                k = {"stringValue": r.choice(FIELDS)} if t[1] == "string" and r.random() < 0.7 else self.value(t[1])
                n = json.dumps(list(k.values())[0])
                if n not in seen:
                    seen.add(n)
                    entries.append({"key": k, "value": self.value(t[2])})
            return {"mapValue": {"entries": entries}}
        if t == "dyn":
            return self.value(r.choice(SCALARS + ["null"]))
        if t == "null":
            return {"nullValue": None}
        if t == "bool":
            return {"boolValue": r.random() < 0.5}
        if t == "int":
            return {"int64Value": str(r.choice(INTS) if r.random() < 0.6 else r.randrange(-20, 20))}
        if t == "uint":
            return {"uint64Value": str(r.choice(UINTS) if r.random() < 0.6 else r.randrange(20))}
        if t == "double":
            return {"doubleValue": r.choice(["NaN", "Infinity", "-Infinity", -0.0] + [float(d) for d in DOUBLES] * 2)}
        if t == "string":
            return {"stringValue": r.choice(STRINGS)}
        if t == "bytes":
            return {"bytesValue": base64.b64encode(r.choice(BYTES)).decode()}
        if t == "timestamp":
            return {"objectValue": {"@type": "type.googleapis.com/google.protobuf.Timestamp", "value": r.choice(GOOD_TIMESTAMPS)}}
        if t == "duration":
            d = r.choice(["0s", "1s", "-1s", "1.500s", "3600s", "-0.000000001s", "9223372036.854775807s", "86400s", "0.100s"])
            return {"objectValue": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": d}}
        return {"typeValue": r.choice(TYPES)}

    # ---- expressions ----
    def of(self, t, d):
        """An expression of type t, at most d levels deep."""
        r = self.r
        if r.random() < 0.012:
            t = self.any_type()
        names = [n for n, vt in self.vars.items() if vt == t]
        if names and r.random() < (0.5 if d <= 0 else 0.22):
            return r.choice(names)
        if d <= 0:
            return self.literal(t)
        x = r.random()
        if x < 0.05:
            return f"({self.of('bool', d - 1)} ? {self.of(t, d - 1)} : {self.of(t, d - 1)})"
        if x < 0.08:
            return f"dyn({self.of(t, d - 1)})"
        if x < 0.11:
            return self.at(t, d)
        if x < 0.12:
            return self.wild(d)
        if isinstance(t, tuple):
            return self.list_of(t, d) if t[0] == "list" else self.literal(t, d)
        made = getattr(self, "make_" + t, None)
        return made(d) if made else self.literal(t)

    def literal(self, t, d=0):
        r = self.r
        if isinstance(t, tuple) and t[0] == "list":
            return "[" + ", ".join(self.of(t[1], d - 1) for _ in range(r.choice([0, 1, 1, 2, 3, 4]))) + r.choice(["", "", "", ""]) + "]"
        if isinstance(t, tuple):
            n = r.choice([0, 1, 1, 2, 3])
            keys = self.keys(t[1], min(n, 2) if t[1] == "bool" else n, d)
            return "{" + ", ".join(f"{k}: {self.of(t[2], d - 1)}" for k in keys) + "}"
        if t == "dyn":
            return f"dyn({self.literal(r.choice(SCALARS))})"
        if t == "null":
            return "null"
        if t == "bool":
            return r.choice(["true", "false"])
        if t == "int":
            i = r.choice(INTS) if r.random() < 0.3 else r.randrange(-6, 12)
            if r.random() < 0.005:
                i = r.choice([2**63, -2**63 - 1, 2**64])
            return hex(i) if r.random() < 0.04 else str(i)
        if t == "uint":
            u = r.choice(UINTS) if r.random() < 0.3 else r.randrange(12)
            if r.random() < 0.005:
                u = 2**64
            return (hex(u) if r.random() < 0.05 else str(u)) + r.choice("uuuU")
        if t == "double":
            return r.choice(DOUBLES) if r.random() < 0.95 else r.choice(["1e999", "(0.0/0.0)", "(1.0/0.0)", "(-1.0/0.0)"])
        if t == "string":
            return quoted(r, r.choice(STRINGS))
        if t == "bytes":
            return bytes_literal(r, r.choice(BYTES)) if r.random() < 0.9 else "b'é😀'"
        if t == "timestamp":
            text = r.choice(GOOD_TIMESTAMPS if r.random() < 0.75 else TIMESTAMPS)
            if text.endswith("Z") or len(text) < 20:
                return f"timestamp({quoted(r, text)})"
            return f"timestamp(int(timestamp({quoted(r, text)})))"  # a moment in cel-go remembers the zone that it was written in
        if t == "duration":
            return f"duration({quoted(r, r.choice(GOOD_DURATIONS if r.random() < 0.75 else DURATIONS))})"
        return r.choice(["int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type", "google.protobuf.Timestamp",
                         "google.protobuf.Duration", "type(1)", "type(type)", "type(null)", "type([1])", "type({})", "type(timestamp(0))"])

    def keys(self, t, n, d):
        """Of a map literal: different ones, as a map with a key twice has no value in the specification and one in cel-go."""
        r = self.r
        if n == 1 and r.random() < 0.5:
            return [self.of(t, d - 2)]
        if t == "string":
            return [quoted(r, k) for k in r.sample(FIELDS + STRINGS[1:8], n)]
        if t == "bool":
            return r.sample(["true", "false"], n)
        return [str(k) + ("u" if t == "uint" else "") for k in r.sample(range(20), n)]

    def at(self, t, d):
        """t out of a container."""
        r = self.r
        if r.random() < 0.4:
            i = self.of("int", d - 2) if r.random() < 0.3 else r.choice(["0", "0", "1", "-1", "dyn(0u)", "dyn(1.0)", "dyn(0.5)", "dyn('a')", "2"])
            return f"{self.of(('list', t), d - 1)}[{i}]"
        k = r.choice(KEYS)
        if k == "string" and r.random() < 0.5:
            return f"{self.of(('map', k, t), d - 1)}.{r.choice(FIELDS)}"
        return f"{self.of(('map', k, t), d - 1)}[{self.of(k, d - 2) if r.random() < 0.8 else self.literal('dyn')}]"

    def local(self, t, body):
        """body(name) with a variable of an iteration in scope."""
        self.n_locals += 1
        name = f"v{self.n_locals}" if self.r.random() < 0.9 or not self.vars else self.r.choice([n for n in self.vars if "." not in n] or ["v"])
        before = self.vars.get(name)
        self.vars[name] = t
        out = body(name)
        if before is None:
            del self.vars[name]
        else:
            self.vars[name] = before
        return out

    def list_of(self, t, d):
        r = self.r
        x = r.random()
        if x < 0.35:
            return self.literal(t, d)
        if x < 0.5:
            return f"({self.of(t, d - 1)} + {self.of(t, d - 1)})"
        source = self.any_type(1)
        if x < 0.65:
            c = self.of(t, d - 1)
            return self.local(t[1], lambda v: f"{c}.filter({v}, {self.of('bool', d - 1)})")
        c = self.of(("list", source), d - 1)
        if x < 0.85:
            return self.local(source, lambda v: f"{c}.map({v}, {self.of(t[1], d - 1)})")
        return self.local(source, lambda v: f"{c}.map({v}, {self.of('bool', d - 1)}, {self.of(t[1], d - 1)})")

    def make_bool(self, d):
        r = self.r
        x = r.random()
        if x < 0.10:
            return f"({self.of('bool', d - 1)} {r.choice(['&&', '||'])} {self.of('bool', d - 1)})"
        if x < 0.13:
            return f"{self.of('bool', d - 1)} {r.choice(['&&', '||'])} {self.of('bool', d - 1)} {r.choice(['&&', '||'])} {self.of('bool', d - 1)}"
        if x < 0.17:
            return "!" + self.of("bool", d - 1) if r.random() < 0.8 else "!!" + self.of("bool", d - 1)
        if x < 0.32:
            t = r.choice(SCALARS)
            return f"({self.of(t, d - 1)} {r.choice(COMPARISONS)} {self.of(t, d - 1)})"
        if x < 0.44:
            t = self.any_type()
            return f"({self.of(t, d - 1)} {r.choice(['==', '!='])} {self.of(t, d - 1)})"
        if x < 0.52:
            a, b = r.choice(NUMBERS), r.choice(NUMBERS)
            return f"(dyn({self.of(a, d - 1)}) {r.choice(COMPARISONS + ['==', '!='])} {self.of(b, d - 1)})"
        if x < 0.55:
            return f"(dyn({self.of(self.any_type(), d - 1)}) {r.choice(COMPARISONS + ['==', '!='])} dyn({self.of(self.any_type(), d - 1)}))"
        if x < 0.62:
            t = self.any_type(1)
            return f"({self.of(t, d - 1)} in {self.of(('list', t), d - 1)})"
        if x < 0.65:
            return f"(dyn({self.of(r.choice(NUMBERS), d - 1)}) in {self.of(('list', r.choice(NUMBERS)), d - 1)})"
        if x < 0.69:
            k = r.choice(KEYS)
            return f"({self.of(k, d - 1) if r.random() < 0.8 else self.literal('dyn')} in {self.of(('map', k, self.any_type(0)), d - 1)})"
        if x < 0.77:
            f = r.choice(["contains", "startsWith", "endsWith"])
            return f"{self.of('string', d - 1)}.{f}({self.of('string', d - 1)})"
        if x < 0.81:
            p = quoted(r, r.choice(PATTERNS))
            return f"{self.of('string', d - 1)}.matches({p})" if r.random() < 0.7 else f"matches({self.of('string', d - 1)}, {p})"
        if x < 0.84:
            return f"has({self.of(('map', 'string', self.any_type(1)), d - 1)}.{r.choice(FIELDS)})"
        if x < 0.86:
            return f"bool({quoted(r, r.choice(PARSED_BOOLS)) if r.random() < 0.7 else self.of('bool', d - 1)})"
        if x < 0.88:
            return f"(type({self.of(self.any_type(), d - 1)}) == {self.of('type', d - 1)})"
        macro = r.choice(["all", "exists", "exists_one", "existsOne"] if r.random() < 0.1 else ["all", "exists", "exists_one"])
        if r.random() < 0.75:
            t = self.any_type(1)
            c = self.of(("list", t), d - 1)
        else:
            t = r.choice(KEYS)
            c = self.of(("map", t, self.any_type(1)), d - 1)
        return self.local(t, lambda v: f"{c}.{macro}({v}, {self.of('bool', d - 1)})")

    def make_int(self, d):
        r = self.r
        x = r.random()
        if x < 0.35:
            return f"({self.of('int', d - 1)} {r.choice('+-*/%')} {self.of('int', d - 1)})"
        if x < 0.40:
            return "-" + self.of("int", d - 1) if r.random() < 0.7 else f"-({self.of('int', d - 1)})"
        if x < 0.55:
            t = r.choice(["string", "bytes", ("list", self.any_type(1)), ("map", r.choice(KEYS), self.any_type(0))])
            e = self.of(t, d - 1)
            return f"size({e})" if r.random() < 0.6 else f"{e}.size()"
        if x < 0.60:
            c, t = self.of(("map", "string", "int"), d - 1), self.any_type(1)
            return self.local("string", lambda v: f"{c}.map({v}, {self.of(t, d - 1)}).size()")
        if x < 0.68:
            return f"int({self.of(r.choice(['int', 'uint', 'double', 'timestamp']), d - 1)})"
        if x < 0.72:
            return f"int({quoted(r, r.choice(PARSED_INTS))})"
        if x < 0.87:
            zone = "" if r.random() < 0.45 else quoted(r, r.choice(ZONES)) if r.random() < 0.97 else self.of("string", d - 2)
            return f"{self.of('timestamp', d - 1)}.{r.choice(GETTERS)}({zone})"
        if x < 0.93:
            return f"{self.of('duration', d - 1)}.{r.choice(['getHours', 'getMinutes', 'getSeconds'])}()"
        return self.extreme("int", d)

    def extreme(self, t, d):
        n = self.r.choice([1, 2, 2, 3])
        return f"math.{self.r.choice(['least', 'greatest'])}({', '.join(self.of(t, d - 1) for _ in range(n))})"

    def make_uint(self, d):
        r = self.r
        x = r.random()
        if x < 0.6:
            return f"({self.of('uint', d - 1)} {r.choice('+-*/%')} {self.of('uint', d - 1)})"
        if x < 0.8:
            return f"uint({self.of(r.choice(['int', 'uint', 'double']), d - 1)})"
        return f"uint({quoted(r, r.choice(PARSED_INTS))})" if x < 0.9 else self.extreme("uint", d)

    def make_double(self, d):
        r = self.r
        x = r.random()
        if x < 0.55:
            return f"({self.of('double', d - 1)} {r.choice('+-*/')} {self.of('double', d - 1)})"
        if x < 0.62:
            return "-" + self.of("double", d - 1)
        if x < 0.80:
            return f"double({self.of(r.choice(NUMBERS), d - 1)})"
        return f"double({quoted(r, r.choice(PARSED_DOUBLES))})" if x < 0.9 else self.extreme("double", d)

    def make_string(self, d):
        r = self.r
        x = r.random()
        if x < 0.35:
            return f"({self.of('string', d - 1)} + {self.of('string', d - 1)})"
        if x < 0.70:
            return f"string({self.of(r.choice(SCALARS), d - 1)})"
        return f"{self.of('string', d - 1)}.{r.choice(['lowerAscii', 'upperAscii', 'trim'])}()"

    def make_bytes(self, d):
        if self.r.random() < 0.5:
            return f"({self.of('bytes', d - 1)} + {self.of('bytes', d - 1)})"
        return f"bytes({self.of(self.r.choice(['string', 'string', 'bytes']), d - 1)})"

    def make_timestamp(self, d):
        r = self.r
        x = r.random()
        if x < 0.25:
            return f"({self.of('timestamp', d - 1)} {r.choice('+-')} {self.of('duration', d - 1)})"
        if x < 0.35:
            return f"({self.of('duration', d - 1)} + {self.of('timestamp', d - 1)})"
        if x < 0.55:
            return f"timestamp({self.of(r.choice(['int', 'timestamp', 'string']), d - 1)})"
        return self.literal("timestamp")

    def make_duration(self, d):
        r = self.r
        x = r.random()
        if x < 0.3:
            return f"({self.of('duration', d - 1)} {r.choice('+-')} {self.of('duration', d - 1)})"
        if x < 0.5:
            return f"({self.of('timestamp', d - 1)} - {self.of('timestamp', d - 1)})"
        return f"duration({self.of(r.choice(['duration', 'string']), d - 1)})" if x < 0.6 else self.literal("duration")

    def make_type(self, d):
        return f"type({self.of(self.any_type(), d - 1)})" if self.r.random() < 0.6 else self.literal("type")

    def wild(self, d):
        """Any function or operator over any types: what has an overload and what has none."""
        r = self.r
        first = self.any_type(1)
        args = [self.of(t, d - 1) for t in (first, self.any_type(1), self.any_type(1))]
        f = r.choice(["size", "int", "uint", "double", "string", "bytes", "bool", "timestamp", "duration", "type", "dyn", "matches", "nothing"])
        x = r.random()
        if x < 0.35:
            return f"({args[0]} {r.choice(['+', '-', '*', '/', '%', '<', '<=', '>', '>=', '==', '!=', 'in', '&&', '||'])} {args[1]})"
        if x < 0.6:
            return f"{f}({', '.join(args[:r.choice([0, 1, 1, 1, 2])])})"
        if x < 0.85:
            m = r.choice(["size", "contains", "startsWith", "endsWith", "matches", "trim", "lowerAscii", "all", "nothing"] + ([] if first[0] == "map" else ["filter", "map"]) + [g for g in GETTERS if g != "getMilliseconds"])
            return f"{args[0]}.{m}({', '.join(args[1:r.choice([1, 1, 2, 3])])})"
        if x < 0.92:
            return r.choice("-!") + args[0]
        return f"{args[0]}[{args[1]}]"

    def damaged(self, e):
        r = self.r
        i = r.randrange(len(e) + 1)
        x = r.random()
        if x < 0.4:
            return e[:i] + e[i + 1:]
        if x < 0.7:
            return e[:i] + r.choice(list("()[]{}.,:?+-*/%!<>=&|'\"\\ \n\tu0x1e#`$@;é_") + ["//", " in ", "&&", "b'", "r'", "null", "has(", " as ", "for", "0x", ".."]) + e[i:]
        j = r.randrange(len(e) + 1)
        return e[:min(i, j)] + e[max(i, j):]

    def line(self):
        r = self.r
        self.n_locals = 0
        self.vars = {}
        for name in r.sample(["x", "y", "z", "s", "l", "m", "a.b", "a.b.c", "customer.tier"], r.choice([0, 0, 1, 2, 3, 4])):
            self.vars[name] = self.any_type()
            if self.vars[name] == "type":  # cel-go takes a variable with this value for the name of a type
                self.vars[name] = "null"
        values = {n: self.value(t) for n, t in self.vars.items()}
        if r.random() < 0.1 and values:
            n = r.choice(list(values))
            values[n] = self.value("dyn") if r.random() < 0.5 else {"listValue": {"values": [self.value("dyn") for _ in range(3)]}}
        e = self.of("bool" if r.random() < 0.4 else self.any_type(), r.choice([1, 2, 2, 3, 3, 4]))
        if r.random() < 0.03:
            e = self.damaged(e)
        out = {"expr": e}
        if values:
            out["bindings"] = {n: {"value": v} for n, v in values.items()}
        if r.random() < 0.15:
            out["check"] = False
        return out


def lines(seed, n):
    m = Maker(random.Random(seed))
    for _ in range(n):
        while True:
            out = m.line()
            if len(out["expr"]) <= 2000:
                break
        yield json.dumps(out, ensure_ascii=False)


if __name__ == "__main__":
    for text in lines(int(sys.argv[1]), int(sys.argv[2])):
        print(text)
