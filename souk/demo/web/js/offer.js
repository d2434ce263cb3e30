// What the shop says about one piece, as a state: asking, live, gone (with a reason), out (its time is over). No DOM here: piece.js shows it.
//
// Each look is an interest event with an id of its own; the answer names it. A later look's answer replaces an earlier one's, an earlier one's
// never a later one's. Of one offer a higher revision replaces a lower; a withdrawn one does not come back.

import { Refused } from './socket.js';

const RETRY_MS = 1000;
const RETRIES_MAX = 5;
const ASK_AGAIN_MAX = 8; // times the shop may answer "not now, ask again" before the visitor is asked

/** "77.12" and "77.2": compared as numbers, part by part. */
export function compareRev(a, b) {
	const [x, y] = [a.split('.'), b.split('.')];
	for (let i = 0; i < Math.max(x.length, y.length); i++) {
		const [p, q] = [BigInt(x[i] ?? 0), BigInt(y[i] ?? 0)];
		if (p !== q) return p < q ? -1 : 1;
	}
	return 0;
}

export class Offer extends EventTarget {
	#socket;
	#item;
	#context; // () => context of the moment
	#looks = []; // event ids, in order
	#shown = -1; // which look's answer is shown
	#again = { timer: 0, n: 0 };
	#isOver = false;

	constructor(socket, item, context) {
		super();
		this.#socket = socket;
		this.#item = item;
		this.#context = context;
		this.state = 'asking';
		this.offer = null; // the record, while live and after
		this.reason = null;
		this.before = null; // the price that this one replaced
		this.alternatives = []; // other pieces that the shop suggests
	}

	/** A look at the piece: view, dwell, ask or wishlist. */
	look(kind = 'view', dwellMs = undefined) {
		const event = crypto.randomUUID();
		const signal = { kind, source: 'pointer', ...(dwellMs === undefined ? {} : { dwell_ms: dwellMs }) };
		this.#looks.push(event);
		this.#send({ event, item: this.#item, signal, context: this.#context() }, 0);
	}

	/** Forgets what was said and asks anew: the session or the visitor is another one. */
	restart() {
		clearTimeout(this.#again.timer);
		this.#looks = [];
		this.#shown = -1;
		this.#again.n = 0;
		this.alternatives = [];
		this.#set('asking', null, null);
		this.look();
	}

	end() {
		this.#isOver = true;
		clearTimeout(this.#again.timer);
	}

	/** The time of a live offer is over. */
	expire() {
		if (this.state === 'live') this.#set('out', this.offer, 'EXPIRED');
	}

	hear(m) {
		if (m.type === 'offer') this.#offered(m.offer);
		else if (m.type === 'offer_withdrawn') this.#withdrawn(m.offer);
		else if (m.type === 'no_offer') this.#none(m);
	}

	async #send(interest, tries) {
		try {
			await this.#socket.ask('interest', interest);
		} catch (e) {
			if (!(e instanceof Refused)) throw e;
			if (this.#isOver || e.code === 'lost') return; // restart() follows the new connection
			if (e.temporary && tries < RETRIES_MAX) setTimeout(() => this.#isOver || this.#send(interest, tries + 1), e.retryAfterMs || RETRY_MS);
			else if (this.state === 'asking') this.#set('gone', null, 'BAD_EVENT');
		}
	}

	#offered(offer) {
		const look = this.#looks.indexOf(offer.client_id);
		if (look < this.#shown || look < 0) return;
		if (this.offer?.id === offer.id && (compareRev(offer.rev, this.offer.rev) <= 0 || this.state !== 'live')) return;
		this.#shown = look;
		this.#again.n = 0;
		this.before = this.state === 'live' ? this.offer.price : null;
		this.alternatives = offer.alternatives ?? [];
		this.#set('live', offer, null);
	}

	#withdrawn(gone) {
		if (this.offer?.id !== gone.id || this.state === 'gone') return;
		this.alternatives = gone.alternatives ?? [];
		this.#set('gone', this.offer, gone.reason);
	}

	#none(m) {
		const look = this.#looks.indexOf(m.event);
		if (look < this.#shown || look < 0) return;
		// A second look that could not be priced does not take away what the first one got.
		if (this.state === 'live' && m.reason !== 'SOLD_OUT') return;
		this.#shown = look;
		this.alternatives = m.alternatives ?? [];
		this.#set('gone', null, m.reason);
		if (m.retry_after_ms && this.#again.n++ < ASK_AGAIN_MAX) this.#again.timer = setTimeout(() => this.look(), m.retry_after_ms);
	}

	#set(state, offer, reason) {
		this.state = state;
		this.offer = offer;
		this.reason = reason;
		if (state !== 'live') this.before = null;
		this.dispatchEvent(new Event('change'));
	}
}
