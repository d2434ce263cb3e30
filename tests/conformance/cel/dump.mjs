// The standard conformance tests of CEL, one JSON object a line, for cel_conformance.c. Left out is what needs protobuf messages or a container.
// node dump.mjs FOLDER   where FOLDER has node_modules/@bufbuild/cel-spec
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const FILES = "basic comparisons conversions fields fp_math integer_math lists logic macros parse plumbing string timestamps".split(" ");
const from = createRequire(pathToFileURL(resolve(process.argv[2] ?? ".") + "/"));
const { tests } = await import(pathToFileURL(from.resolve("@bufbuild/cel-spec/testdata/conformance.js")));

// Timestamps and durations are no messages to us: by that the files have 1,078 tests, 5 more than when every test that says google.protobuf is left out.
const needsProtobuf = (text) => /TestAllTypes|google\.protobuf\.(?!Timestamp\b|Duration\b)|google\.api/.test(text);

// A double as text: JSON has no -0 and no Infinity, and 18446744073709551615.0 would be written as an integer.
function plain(v) {
	if (Array.isArray(v)) return v.map(plain);
	if (v === null || typeof v !== "object") return v;
	return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, k === "doubleValue" ? (Object.is(x, -0) ? "-0" : String(x)) : plain(x)]));
}

function walk(suite, file, path) {
	for (const s of suite.suites ?? []) walk(s, file ?? s.name, file ? [...path, s.name] : path);
	for (const t of suite.tests ?? []) {
		const o = t.original;
		if (!FILES.includes(file) || o.container || needsProtobuf(JSON.stringify(o))) continue;
		const { name, expr, typeEnv, bindings, disableCheck, value, evalError } = o;
		const { ast, checkedAst, type, error } = t;
		console.log(JSON.stringify(plain({ file, name: [...path, name].join("/"), expr, typeEnv, bindings, disableCheck, value, fails: !!evalError, ast, checkedAst, type, error })));
	}
}
walk(tests, undefined, []);
