// The orders of this visitor: placed, sent until they are taken, followed to their end. Kept in sessionStorage, so that a reload does not forget
// what was ordered; a client id is made once and every repetition brings the same body, so that the shop sees one order.

import { Refused } from './socket.js';
import { isTerminal } from './words.js';

const RETRY_MS = 1000;
const KEPT_MAX = 50;

export class Orders extends EventTarget {
	#socket;
	#key;
	#list; // newest first: {id, item, title, price, quote, state, n, reason, dryRun, tx, times:{state: ms}}
	#busy = new Set();

	constructor(socket, user) {
		super();
		this.#socket = socket;
		this.#key = `souk-orders:${user}`;
		try {
			this.#list = JSON.parse(sessionStorage.getItem(this.#key)) ?? [];
		} catch {
			this.#list = [];
		}
	}

	get all() {
		return this.#list;
	}

	/** The newest one of an item. */
	of(item) {
		return this.#list.find((o) => o.item === item);
	}

	/** Orders at the price of this offer, with its quote exactly as it came. */
	place(offer, title) {
		const order = {
			id: crypto.randomUUID(), item: offer.item, title, price: offer.price, quote: offer.quote, state: 'SENDING', n: 0, times: { SENDING: this.#socket.now() },
		};
		this.#list.unshift(order);
		this.#list.length = Math.min(this.#list.length, KEPT_MAX);
		this.#changed(order);
		this.#send(order);
		return order;
	}

	/** A new connection: what was not taken is sent again, the rest is asked for. */
	resume() {
		for (const order of this.#list) {
			if (order.state === 'SENDING') this.#send(order);
			else if (!isTerminal(order.state)) this.#ask(order);
		}
	}

	/** A push of type order, or the answer to order_status. */
	hear(report) {
		const order = this.#list.find((o) => o.id === report.id);
		if (!order || isTerminal(order.state)) return;
		if (report.n <= order.n && order.state !== 'SENDING' && order.state !== 'TAKEN') return;
		order.state = report.state;
		order.n = report.n;
		order.reason = report.reason;
		order.dryRun = report.dry_run;
		order.tx = report.tx ?? order.tx;
		order.times[report.state] = report.ts ?? this.#socket.now();
		this.#changed(order);
	}

	async #send(order) {
		if (this.#busy.has(order.id)) return;
		this.#busy.add(order.id);
		try {
			await this.#socket.ask('order', { order: { id: order.id, quote: order.quote, pay: { mode: 'now' } } });
			if (order.state === 'SENDING') {
				order.state = 'TAKEN';
				order.times.TAKEN = this.#socket.now();
				this.#changed(order);
			}
		} catch (e) {
			this.#unsent(order, e);
		} finally {
			this.#busy.delete(order.id);
		}
	}

	#unsent(order, e) {
		if (!(e instanceof Refused)) throw e;
		if (e.code === 'lost') return; // resume() sends it
		if (e.temporary) {
			setTimeout(() => order.state === 'SENDING' && this.#send(order), e.retryAfterMs || RETRY_MS);
			return;
		}
		order.state = 'REFUSED';
		order.reason = e.message;
		order.times.REFUSED = this.#socket.now();
		this.#changed(order);
	}

	async #ask(order) {
		try {
			this.hear((await this.#socket.ask('order_status', { order: order.id })).order);
		} catch (e) {
			if (!(e instanceof Refused)) throw e;
			if (e.code === 'lost' || isTerminal(order.state)) return;
			// No state yet: the shop is reading up, or does not know it any more. Sending it again is the same order.
			setTimeout(() => (e.code === 'not_found' && !e.temporary ? this.#send(order) : this.#ask(order)), e.retryAfterMs || RETRY_MS);
		}
	}

	#changed(order) {
		try {
			sessionStorage.setItem(this.#key, JSON.stringify(this.#list));
		} catch {
			// full or forbidden: the list lives as long as the page
		}
		this.dispatchEvent(new CustomEvent('change', { detail: order }));
	}
}
