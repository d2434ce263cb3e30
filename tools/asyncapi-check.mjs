// Checks an AsyncAPI document with the reference parser: every reference resolved, every error reported.
//
// usage: node tools/asyncapi-check.mjs [FILE]      default: docs/protocol/asyncapi.yaml
//
// The parser is looked for in $SOUK_ASYNCAPI_MODULES (a folder with node_modules), then in tools/asyncapi.
// Exit: 0 accepted, 1 not, 2 the parser is not installed.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const file = resolve(process.argv[2] ?? join(here, '../docs/protocol/asyncapi.yaml'));
const modules = resolve(process.env.SOUK_ASYNCAPI_MODULES ?? join(here, 'asyncapi'));

let parserModule;
try {
	parserModule = createRequire(join(modules, 'package.json'))('@asyncapi/parser');
} catch (e) {
	console.error(`asyncapi-check: cannot load @asyncapi/parser from ${modules} (${e.code ?? e.message}); run: npm install --prefix ${modules}`);
	process.exit(2);
}

const ERROR = 0;
const { document, diagnostics } = await new parserModule.Parser().parse(readFileSync(file, 'utf8'), { source: file });
const errors = diagnostics.filter((d) => d.severity === ERROR);

for (const d of diagnostics) {
	const kind = ['error', 'warning', 'info', 'hint'][d.severity];
	console.error(`${file}:${d.range.start.line + 1}:${d.range.start.character + 1}: ${kind}: ${d.message} (${d.code}) at ${d.path.join('.')}`);
}
if (errors.length > 0 || !document) {
	console.error(`asyncapi-check: ${errors.length} errors`);
	process.exit(1);
}
console.log(`asyncapi-check: ${document.channels().all().length} channels, ${document.operations().all().length} operations, `
	+ `${document.messages().all().length} messages, AsyncAPI ${document.version()}: accepted`);
