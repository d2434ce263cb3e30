// The halls: what stands there now, asked for every two seconds while someone looks. A piece keeps its place and its element as long as it stands,
// so that neither a finger nor a reader loses it; what is gone leaves when nothing in it has the focus.

import { $, h, say } from './dom.js';
import { text } from './money.js';
import { picture } from './picture.js';

const EVERY_MS = 2000;
const NEAR_MS = 5000;

const seconds = (ms) => (ms < 90000 ? `${Math.ceil(ms / 1000)} s` : `${Math.round(ms / 60000)} min`);

export class Halls {
	#open; // (item) => void
	#cards = new Map(); // item -> {data, root, price, line, flag}
	#timer = 0;

	constructor(open) {
		this.#open = open;
		this.held = null; // an item whose card stays, whatever comes: focus will go back to it
		document.addEventListener('visibilitychange', () => document.hidden || this.refresh());
	}

	/** What is known of an item that stands here. */
	get(item) {
		return this.#cards.get(item)?.data;
	}

	async refresh() {
		clearTimeout(this.#timer);
		try {
			const answer = await fetch('/api/items', { cache: 'no-store' });
			if (answer.ok) this.#show((await answer.json()).items);
			say($('halls-note'), answer.ok ? '' : 'The shelves are being filled.');
		} catch {
			say($('halls-note'), 'The shop does not answer. Trying again.');
		}
		if (!document.hidden) this.#timer = setTimeout(() => this.refresh(), EVERY_MS);
	}

	#show(items) {
		const here = new Set();
		for (const data of items) {
			here.add(data.item);
			const card = this.#cards.get(data.item) ?? this.#hang(data);
			card.data = data;
			this.#update(card);
		}
		for (const [item, card] of this.#cards) {
			if (here.has(item) || item === this.held || card.root.contains(document.activeElement)) continue;
			card.root.remove();
			this.#cards.delete(item);
		}
	}

	#hang(data) {
		const price = h('span', { class: 'card-price' });
		const line = h('span', { class: 'card-line' });
		const flag = h('span', { class: 'flag' });
		const button = h('button', { class: 'card', type: 'button', data: { item: data.item }, 'aria-haspopup': 'dialog' },
			h('span', { class: 'frame' }, picture(data.item), flag),
			h('span', { class: 'plate' }, h('span', { class: 'card-title' }, data.title), price, line));
		button.addEventListener('click', () => this.#open(data.item));
		const card = { data, root: h('li', {}, button), price, line, flag };
		const wall = document.querySelector(`[data-hall="${data.hall}"] .wall`) ?? document.querySelector('[data-hall="gallery-1"] .wall');
		wall.append(card.root);
		this.#cards.set(data.item, card);
		return card;
	}

	#update({ data, root, price, line, flag }) {
		const isNear = !data.sold && data.next_in_ms !== undefined && data.next_in_ms < NEAR_MS;
		say(price, text(data.list));
		say(line, data.sold ? 'sold'
			: data.bid ? `bid ${text(data.bid)}${data.ends_in_ms !== undefined ? `, ${seconds(data.ends_in_ms)} left` : ''}`
				: 'no bid yet');
		say(flag, data.sold ? 'Sold' : isNear ? 'Moving' : '');
		root.dataset.state = data.sold ? 'sold' : isNear ? 'near' : 'calm';
	}
}
