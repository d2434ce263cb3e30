// The best bid of the last minute as a line of steps, and the same in words.

import { s, say } from './dom.js';
import { amount, share, text } from './money.js';

const SPAN_MS = 60000;
const KEPT_MAX = 400;
const WIDTH = 600;
const HEIGHT = 150;
const MARGIN = 12;

export class BidLine {
	#svg;
	#words;
	#now;
	#ticks = []; // {at, bid: money | null}, oldest first
	#offer = null;

	constructor(svg, words, now) {
		this.#svg = svg;
		this.#words = words;
		this.#now = now;
	}

	/** Begins with what is known of the bid; null: no one has bid, undefined: not known. */
	begin(bid) {
		this.#ticks = [];
		this.#offer = null;
		if (bid === undefined) this.draw();
		else this.add(bid);
	}

	add(bid) {
		this.#ticks.push({ at: this.#now(), bid });
		if (this.#ticks.length > KEPT_MAX) this.#ticks.shift();
		this.draw();
	}

	/** The offer's price, drawn beside the bids; null: none. */
	setOffer(price) {
		this.#offer = price;
		this.draw();
	}

	/** What the minute has seen: the last tick before it counts, as it still held when it began. */
	#seen() {
		const from = this.#now() - SPAN_MS;
		const first = this.#ticks.findIndex((t) => t.at > from);
		const start = first < 0 ? this.#ticks.length - 1 : Math.max(0, first - 1);
		return this.#ticks.slice(Math.max(0, start));
	}

	draw() {
		const seen = this.#seen();
		const priced = seen.filter((t) => t.bid);
		this.#tellWords(priced);
		this.#svg.replaceChildren();
		this.#svg.toggleAttribute('hidden', !priced.length);
		if (!priced.length) return;
		const bids = priced.map((t) => amount(t.bid));
		const all = this.#offer && this.#offer.currency === priced[0].bid.currency ? [...bids, amount(this.#offer)] : bids;
		const low = all.reduce((a, b) => (b < a ? b : a));
		const high = all.reduce((a, b) => (b > a ? b : a));
		const from = this.#now() - SPAN_MS;
		const x = (at) => Math.round(Math.min(1, Math.max(0, (at - from) / SPAN_MS)) * WIDTH);
		const y = (value) => Math.round(HEIGHT - MARGIN - share(value, low, high) * (HEIGHT - 2 * MARGIN));

		for (const run of this.#runs(seen)) {
			const to = x(run.until);
			let d = `M${x(run.ticks[0].at)} ${y(amount(run.ticks[0].bid))}`;
			for (const t of run.ticks.slice(1)) d += `H${x(t.at)}V${y(amount(t.bid))}`;
			d += `H${to}`;
			this.#svg.append(s('path', { d: `${d}V${HEIGHT}H${x(run.ticks[0].at)}z`, class: 'under' }), s('path', { d, class: 'line' }));
		}
		if (all.length > bids.length) {
			const at = y(amount(this.#offer));
			this.#svg.append(s('path', { d: `M0 ${at}H${WIDTH}`, class: 'mine' }));
		}
	}

	/** Stretches with a bid; one ends where the bid was taken away, the last one now. */
	#runs(seen) {
		const runs = [];
		let ticks = [];
		for (const t of [...seen, { at: this.#now(), bid: null }]) {
			if (t.bid) {
				ticks.push(t);
			} else if (ticks.length) {
				runs.push({ ticks, until: t.at });
				ticks = [];
			}
		}
		return runs;
	}

	#tellWords(seen) {
		const last = this.#ticks[this.#ticks.length - 1];
		if (!last) return say(this.#words, 'Waiting for the market.');
		if (!last.bid) return say(this.#words, this.#ticks.length > 1 ? 'No one bids on it now.' : 'No one has bid on it yet.');
		const first = seen[0].bid;
		const rose = amount(last.bid) - amount(first);
		const change = rose === 0n ? 'as it was' : `${rose > 0n ? 'up' : 'down'} ${text({ amount: (rose < 0n ? -rose : rose).toString(), currency: last.bid.currency })}`;
		const steps = seen.length - 1;
		return say(this.#words, `Best bid ${text(last.bid)}, ${change} in the last minute, ${steps} ${steps === 1 ? 'change' : 'changes'}${this.#offer ? '. The dashed line is your offer' : ''}.`);
	}
}
