// TAP as the Python tests write it: one line a fact; a test that throws is a failure of its own.

export class Tap {
	n = 0;
	bad = 0;

	ok(holds, name, detail = '') {
		this.n++;
		if (!holds) this.bad++;
		console.log(`${holds ? 'ok' : 'not ok'} ${this.n} - ${name}`);
		if (!holds && detail !== '') console.log(`  # ${String(typeof detail === 'string' ? detail : JSON.stringify(detail)).replaceAll('\n', '\n  # ')}`);
		return holds;
	}

	eq(got, want, name) {
		return this.ok(JSON.stringify(got) === JSON.stringify(want), name, `got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
	}

	async test(name, body) {
		try {
			await body();
		} catch (e) {
			this.ok(false, name, e.stack);
		}
	}

	done() {
		console.log(`1..${this.n}`);
		return this.bad || !this.n ? 1 : 0;
	}
}
