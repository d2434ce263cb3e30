// The piece in front of the visitor: its picture, the offer with its reasons and its time, the bids, and what became of an order.
//
// Looking is an interest; whoever stays longer is asked about once more, as a dwell. While the piece is open its market is watched.

import { alert, isCalm, modal, tell } from './a11y.js';
import { BidLine } from './bidline.js';
import { $, h, say } from './dom.js';
import { inWords, ladder } from './ladder.js';
import { amount, bpsBelow, percent, text } from './money.js';
import { Offer } from './offer.js';
import { caption, picture } from './picture.js';
import { Refused } from './socket.js';
import { isLost, isTerminal, mayAskAgain, noOffer } from './words.js';

const DWELL_MS = 3500;
const TICK_MS = 250;
const LAST_CALL_S = 10;

const HALLS = { arena: 'The Arena', atrium: 'The Atrium', 'gallery-1': 'The Gallery' };

export class Piece {
	#shop; // {socket, orders, halls, context(place)}
	#item = null;
	#offer = null;
	#line;
	#timers = { dwell: 0, tick: 0 };
	#isLastCall = false;
	#saidState = '';
	#onClose;

	constructor(shop, onClose) {
		this.#shop = shop;
		this.#onClose = onClose;
		this.#line = new BidLine($('bids'), $('bids-text'), () => shop.socket.now());
		modal($('piece'), $('piece-close'), () => this.#closed());
		$('order').addEventListener('click', () => this.#order());
		$('again').addEventListener('click', () => this.#offer?.restart());
		$('wish').addEventListener('click', () => this.#wish());
	}

	get item() {
		return this.#item;
	}

	title(item = this.#item) {
		return this.#shop.halls.get(item)?.title ?? `Foundation #${item.slice(item.lastIndexOf('/') + 1)}`;
	}

	open(item) {
		if (this.#item === item) return;
		if (this.#item) this.#leave();
		this.#item = item;
		const known = this.#shop.halls.get(item);
		say($('piece-title'), this.title());
		say($('piece-hall'), HALLS[known?.hall] ?? 'Souk');
		say($('piece-list'), known ? text(known.list) : 'unknown');
		say($('piece-bid'), known?.bid ? text(known.bid) : 'none');
		const art = picture(item);
		art.setAttribute('role', 'img');
		art.removeAttribute('aria-hidden');
		art.setAttribute('aria-label', caption(item));
		$('piece-picture').replaceChildren(art);
		this.#wished(false);
		this.#line.begin(known ? (known.bid ?? null) : undefined);
		this.#begin();
		this.#showOrder();
		if (!$('piece').open) $('piece').showModal();
		$('piece-title').focus();
		$('piece').scrollTop = 0;
	}

	close() {
		if ($('piece').open) $('piece').close();
	}

	/** A new connection, or another visitor: all that was said before is void. */
	reconnect() {
		if (!this.#item) return;
		this.#watch();
		this.#offer.restart();
		this.#dwellLater();
		this.#showOrder();
	}

	/** The visitor's consent or standing changed. */
	askAnew() {
		this.#offer?.restart();
	}

	hear(m) {
		if (!this.#item) return;
		if (m.type === 'market') {
			if (m.item !== this.#item) return;
			this.#line.add(m.bid);
			say($('piece-bid'), m.bid ? text(m.bid) : 'none');
		} else if (m.type === 'order') {
			this.#showOrder();
		} else {
			this.#offer.hear(m);
		}
	}

	orderChanged(order) {
		if (order.item === this.#item) this.#showOrder();
		if (isTerminal(order.state)) alert(`${order.title}: ${inWords(order)}`);
		else tell(`${order.title}: ${inWords(order)}`);
	}

	#begin() {
		const place = this.#shop.halls.get(this.#item)?.hall ?? 'gallery-1';
		this.#offer = new Offer(this.#shop.socket, this.#item, () => this.#shop.context(place));
		this.#offer.addEventListener('change', () => this.#show());
		this.#saidState = '';
		this.#show();
		this.#watch();
		this.#offer.look('view');
		this.#dwellLater();
		this.#timers.tick = setInterval(() => this.#tick(), TICK_MS);
	}

	#dwellLater() {
		clearTimeout(this.#timers.dwell);
		this.#timers.dwell = setTimeout(() => this.#offer?.look('dwell', DWELL_MS), DWELL_MS);
	}

	async #watch() {
		const item = this.#item;
		try {
			await this.#shop.socket.ask('watch', { item });
		} catch (e) {
			if (!(e instanceof Refused)) throw e;
			if (e.temporary && e.code !== 'lost') setTimeout(() => this.#item === item && this.#watch(), e.retryAfterMs || 1000);
		}
	}

	#leave() {
		clearTimeout(this.#timers.dwell);
		clearInterval(this.#timers.tick);
		this.#offer.end();
		this.#shop.socket.ask('unwatch', { item: this.#item }).catch(() => {}); // a lost connection watches nothing
		this.#offer = null;
		this.#item = null;
	}

	#closed() {
		if (this.#item) this.#leave();
		this.#onClose();
	}

	#wish() {
		this.#wished(true);
		this.#offer?.look('wishlist');
		tell('On your wish list.');
	}

	#wished(yes) {
		$('wish').setAttribute('aria-pressed', String(yes));
		say($('wish'), yes ? 'On the wish list' : 'Put on the wish list');
	}

	#order() {
		if (this.#offer?.state !== 'live') return;
		this.#shop.orders.place(this.#offer.offer, this.title());
		$('piece-order-title').focus(); // the button goes away
		$('piece-order').scrollIntoView({ block: 'nearest', behavior: isCalm() ? 'auto' : 'smooth' });
	}

	// ---- what is seen ----

	/** The order of this piece that counts: one on its way or done. */
	#current() {
		const order = this.#shop.orders.of(this.#item);
		return order && !isLost(order.state) ? order : null;
	}

	#showOrder() {
		const order = this.#shop.orders.of(this.#item);
		$('piece-order').hidden = !order;
		if (order) $('piece-order-body').replaceChildren(...ladder(order));
		this.#paint();
	}

	#buttons() {
		const isLive = this.#offer?.state === 'live';
		const isOrdered = Boolean(this.#current());
		const isBack = isLost(this.#shop.orders.of(this.#item)?.state); // what we held is free again
		$('order').hidden = !isLive || isOrdered;
		if (isLive) say($('order'), `Order for ${text(this.#offer.offer.price)}`);
		$('wish').hidden = isOrdered || $('offer').dataset.state === 'sold';
		$('again').hidden = isOrdered || !(this.#offer?.state === 'out' || (this.#offer?.state === 'gone' && (isBack || mayAskAgain(this.#offer.reason))));
	}

	#show() {
		this.#paint();
		if (this.#offer.state === 'live') this.#showLive(this.#offer.offer);
		this.#announce();
	}

	/** How the panel is dressed: sold is one thing, sold to us another. */
	#look() {
		const { state, reason } = this.#offer;
		if (this.#current() && (state === 'out' || state === 'gone')) return 'mine';
		return state === 'gone' && reason === 'SOLD_OUT' ? 'sold' : state;
	}

	#paint() {
		const { state, offer } = this.#offer;
		$('offer').dataset.state = this.#look();
		$('piece').dataset.state = this.#look();
		$('offer-live').hidden = state !== 'live';
		$('offer-say').hidden = state === 'live';
		if (state !== 'live') say($('offer-say'), this.#words());
		this.#line.setOffer(state === 'live' ? offer.price : null);
		this.#others();
		this.#buttons();
	}

	/** Links to what the shop suggests beside or instead of this piece. */
	#others() {
		const links = this.#offer.alternatives.flatMap((item, i) => [i ? ', ' : '', h('a', { href: `#${item}` }, this.title(item))]);
		$('offer-others').hidden = links.length === 0;
		$('offer-others-links').replaceChildren(...links);
	}

	#words() {
		const { state, reason } = this.#offer;
		if (state === 'asking') return 'Asking for a price.';
		if (this.#look() === 'mine') return this.#current().state === 'FINAL' ? 'It is yours.' : 'Your order is on its way.';
		if (state === 'out') return 'The offer has run out.';
		return noOffer(reason);
	}

	#showLive(offer) {
		const below = bpsBelow(offer.list, offer.price);
		this.#isLastCall = false;
		say($('piece-list'), text(offer.list));
		say($('offer-price'), text(offer.price));
		say($('offer-off'), below ? percent(-below) : '');
		$('offer-reasons').replaceChildren(...(offer.reasons ?? []).map((r) => h('li', {}, h('span', {}, r.text), h('span', { class: 'bps' }, r.bps ? percent(r.bps) : ''))));
		$('offer-perks').replaceChildren(...(offer.perks ?? []).map((p) => h('li', {}, h('span', {}, p.text), h('span', { class: 'bps' }, 'included'))));
		const disclosure = offer.personalised && offer.disclosure;
		$('offer-disclosure').hidden = !disclosure;
		if (disclosure) say($('offer-disclosure'), disclosure);
		if (this.#offer.before && amount(this.#offer.before) !== amount(offer.price)) this.#flash(amount(this.#offer.before) > amount(offer.price) ? 'fell' : 'rose');
		this.#tick();
	}

	#flash(kind) {
		const e = $('offer-price');
		e.classList.remove('fell', 'rose');
		void e.offsetWidth; // starts the animation over
		e.classList.add(kind);
	}

	#announce() {
		const { state, offer, before } = this.#offer;
		if (state === 'live') {
			const changed = before && amount(before) !== amount(offer.price);
			tell(`${changed ? 'The offer is now' : 'Offer'} ${text(offer.price)}, ${percent(-bpsBelow(offer.list, offer.price))} from the list price. ${(offer.reasons ?? []).map((r) => r.text).join(', ')}.`);
		} else if (state !== 'asking' && this.#saidState !== state) {
			alert(this.#words());
		}
		this.#saidState = state;
	}

	/** The countdown, in the server's time. */
	#tick() {
		this.#line.draw();
		if (this.#offer?.state !== 'live') return;
		const { offer } = this.#offer;
		// The server's clock is known but for half a round trip: never more than the whole time.
		const leftMs = Math.min(offer.ttl_ms, offer.expires - this.#shop.socket.now());
		const left = Math.max(0, Math.ceil(leftMs / 1000));
		say($('offer-left'), `${left} s`);
		$('offer-bar').firstElementChild.style.transform = `scaleX(${Math.min(1, Math.max(0, leftMs / offer.ttl_ms))})`;
		$('offer').classList.toggle('last', left <= LAST_CALL_S);
		if (left === LAST_CALL_S && !this.#isLastCall) {
			this.#isLastCall = true;
			tell(`The offer holds ${LAST_CALL_S} seconds more.`);
		}
		if (leftMs <= 0) this.#offer.expire();
	}
}
