// A client of souk.v1.json (docs/protocol/websocket.md): one session that comes back by itself.
//
// Events: "state" (detail: connecting | open | waiting | stopped, with why), "connected" (each time, detail.again), "push" (detail: the message).
// What was asked and not answered when the connection went is rejected with `lost`: it may have been done, so repeat it with the same id.

const BACKOFF_FIRST_MS = 250;
const BACKOFF_MAX_MS = 10000;
const ANSWER_MAX_MS = 15000;
const REFRESH_AT = 0.8; // of a token's life

export class Refused extends Error {
	/** `error` as the server sent it, or one of our own: lost, too_slow. */
	constructor(error) {
		super(error.detail ?? error.title ?? error.code);
		Object.assign(this, { code: error.code, temporary: Boolean(error.temporary), retryAfterMs: error.retry_after_ms ?? 0 });
	}
}

const lost = () => new Refused({ code: 'lost', title: 'The connection went', temporary: true });

export class Socket extends EventTarget {
	#token; // async () => {ws, token, expires, now}: a fresh one for the same user
	#ws = null;
	#nextId = 1;
	#waiting = new Map(); // id -> {resolve, reject, timer}
	#attempt = 0;
	#retryMs = 0; // what a draining server asked for
	#timers = { retry: 0, refresh: 0 };
	#isWanted = false;
	#wasConnected = false;
	#badTokens = 0;
	#clock = { server: Date.now(), at: performance.now() };

	constructor(token) {
		super();
		this.#token = token;
		this.state = 'stopped';
	}

	/** The server's time: its clock at the last word from it, carried on by ours. */
	now() {
		return this.#clock.server + (performance.now() - this.#clock.at);
	}

	start() {
		this.#isWanted = true;
		this.#badTokens = 0;
		this.#attempt = 0;
		this.#open();
	}

	stop() {
		this.#isWanted = false;
		clearTimeout(this.#timers.retry);
		this.#ws?.close(1000);
		this.#drop();
		this.#say('stopped');
	}

	/** Sends a command; resolves with its answer, rejects with Refused. */
	ask(type, members = {}) {
		return this.state === 'open' ? this.#ask(type, members) : Promise.reject(lost());
	}

	#ask(type, members) {
		const id = this.#nextId++;
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => {
				this.#waiting.delete(id);
				reject(new Refused({ code: 'too_slow', title: 'No answer came', temporary: true }));
			}, ANSWER_MAX_MS);
			this.#waiting.set(id, { resolve, reject, timer });
			this.#ws.send(JSON.stringify({ id, type, ...members }));
		});
	}

	#say(state, why = '') {
		this.state = state;
		this.dispatchEvent(new CustomEvent('state', { detail: { state, why } }));
	}

	#setClock(server) {
		this.#clock = { server, at: performance.now() };
	}

	async #open() {
		let session;
		this.#say('connecting');
		try {
			session = await this.#token();
		} catch {
			if (this.#isWanted) this.#later();
			return;
		}
		if (!this.#isWanted || this.#ws) return;
		const ws = new WebSocket(session.ws, 'souk.v1.json');
		this.#ws = ws;
		ws.addEventListener('open', () => this.#connect(ws, session));
		ws.addEventListener('message', (e) => this.#ws === ws && this.#hear(e.data));
		ws.addEventListener('close', (e) => this.#ws === ws && this.#closed(e.code, e.reason));
	}

	async #connect(ws, session) {
		try {
			const answer = await this.#ask('connect', { token: session.token });
			this.#setClock(answer.now);
			this.#attempt = 0;
			this.#retryMs = 0;
			this.#badTokens = 0;
			this.#refreshLater(session.expires - session.now);
			this.#say('open');
			this.dispatchEvent(new CustomEvent('connected', { detail: { again: this.#wasConnected } }));
			this.#wasConnected = true;
		} catch {
			ws.close(); // why is in the close code, if there is one
		}
	}

	#refreshLater(lifeMs) {
		clearTimeout(this.#timers.refresh);
		this.#timers.refresh = setTimeout(async () => {
			try {
				const session = await this.#token();
				await this.ask('refresh', { token: session.token });
				this.#refreshLater(session.expires - session.now);
			} catch {
				this.#refreshLater(30000); // at the latest the close code 4201 makes us come again
			}
		}, lifeMs * REFRESH_AT);
	}

	#hear(text) {
		for (const line of text.split('\n')) {
			if (line) this.#one(JSON.parse(line));
		}
	}

	#one(m) {
		const waiting = m.id === undefined || m.id === null ? undefined : this.#waiting.get(m.id);
		if (waiting) {
			this.#waiting.delete(m.id);
			clearTimeout(waiting.timer);
			if (m.type === 'error') waiting.reject(new Refused(m.error));
			else waiting.resolve(m);
		} else if (m.type === 'ping') {
			this.#setClock(m.now);
			this.#ws.send('{"type":"pong"}');
		} else if (m.type === 'draining') {
			this.#retryMs = m.retry_ms;
		} else if (m.type !== 'error') {
			this.dispatchEvent(new CustomEvent('push', { detail: m }));
		}
	}

	#drop() {
		this.#ws = null;
		clearTimeout(this.#timers.refresh);
		for (const { reject, timer } of this.#waiting.values()) {
			clearTimeout(timer);
			reject(lost());
		}
		this.#waiting.clear();
	}

	/** What the close codes ask of a client; those of RFC 6455 that blame it end the session. */
	#closed(code, reason) {
		this.#drop();
		if (!this.#isWanted) return;
		const asked = /retry_ms=(\d+)/.exec(reason);
		if (asked) this.#retryMs = Number(asked[1]);
		if (code === 4001 && this.#badTokens++ === 0) this.#open(); // #open() fetches a new one
		else if ((code >= 4000 && code < 4100) || [1002, 1003, 1007, 1009].includes(code)) {
			this.#isWanted = false;
			this.#say('stopped', `closed with ${code}`);
		} else if (code >= 4200 && code < 4300) this.#open();
		else this.#later();
	}

	/** Full jitter over a growing span; never before the time a server has named. */
	#later() {
		const span = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** this.#attempt++);
		const waitMs = Math.random() * span + this.#retryMs;
		this.#retryMs = 0;
		this.#say('waiting');
		this.#timers.retry = setTimeout(() => this.#isWanted && this.#open(), waitMs);
	}
}
