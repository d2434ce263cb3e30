// Asks the process for what is new, once a second, one request at a time, and not while nobody looks.

import { Rows } from './rows.js';

const EVERY_MS = 1000;
const PATIENCE_MS = 5000;

async function get(path) {
	const reply = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) });
	const body = await reply.json();
	if (!reply.ok) throw new Error(body.error?.code ?? `status ${reply.status}`);
	return body;
}

/**
 * @onData({rows, now}) after each answer that brought something, @onState('live'|'paused'|'lost') when that changes; one failure alone is not yet a
 * loss.
 */
export class Poll {
	#rows = new Rows();
	#isPaused = false;
	#isAsking = false;
	#timer = null;
	#failures = 0; // in a row
	#state = null;
	#onData;
	#onState;

	constructor(onData, onState) {
		this.#onData = onData;
		this.#onState = onState;
		document.addEventListener('visibilitychange', () => this.#wake());
		this.#wake();
	}

	get isPaused() {
		return this.#isPaused;
	}

	set isPaused(is) {
		this.#isPaused = is;
		if (is) this.#tell('paused');
		this.#wake();
	}

	#tell(state) {
		if (state === this.#state) return;
		this.#state = state;
		this.#onState(state);
	}

	#wake() {
		clearTimeout(this.#timer);
		if (!this.#isPaused && !document.hidden && !this.#isAsking) this.#ask();
	}

	async #ask() {
		const rows = this.#rows;
		this.#isAsking = true;
		try {
			const [series, now] = await Promise.all([get(`/api/ops/series?since=${rows.last}`), get('/api/ops/now')]);
			const came = rows.add(series);
			this.#failures = 0;
			if (!this.#isPaused) {
				this.#tell('live');
				if (came) this.#onData({ rows, now });
			}
		} catch {
			if (++this.#failures > 1 && !this.#isPaused) this.#tell('lost');
		}
		this.#isAsking = false;
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.#wake(), EVERY_MS);
	}
}
