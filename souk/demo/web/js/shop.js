// The shop: who walks in, the connection, the halls, the piece in front, the orders. Everything else is in the modules beside it.

import { modal, tell } from './a11y.js';
import { $, say } from './dom.js';
import { Halls } from './halls.js';
import { entry } from './ladder.js';
import { Orders } from './orders.js';
import { Piece } from './piece.js';
import { Socket } from './socket.js';
import { isTerminal } from './words.js';

const WHO_KEY = 'souk-user';

const LINK = { connecting: 'connecting', open: 'live', waiting: 'reconnecting', stopped: 'not connected' };

let visitor = null; // {user, as}: of this tab

const kept = {
	get: () => {
		try {
			return sessionStorage.getItem(WHO_KEY);
		} catch {
			return null;
		}
	},
	set: (user) => {
		try {
			sessionStorage.setItem(WHO_KEY, user);
		} catch {
			// then each reload is another visitor
		}
	},
};

/** A name and a token; an unknown name (another run's) becomes a newcomer. */
async function session(query) {
	const answer = await fetch(`/api/session?${new URLSearchParams(query)}`, { cache: 'no-store' });
	if (answer.status === 404 && query.user) return session({ as: 'newcomer' });
	if (!answer.ok) throw new Error(`session: ${answer.status}`);
	return answer.json();
}

async function walkIn(query) {
	visitor = await session(query);
	kept.set(visitor.user);
	say($('who'), visitor.as === 'newcomer' ? visitor.user : `${visitor.user.slice(0, 8)}\u2026${visitor.user.slice(-4)}, ${visitor.as} member`);
	$('persona').value = visitor.as === 'none' ? 'newcomer' : visitor.as;
}

const shop = {
	socket: new Socket(() => session({ user: visitor.user })),
	orders: null,
	halls: null,
	context: (place) => ({
		place,
		device: matchMedia('(max-width: 640px)').matches ? 'phone' : 'desktop',
		locale: navigator.language,
		consent: { personalization: $('consent').checked },
	}),
};

// ---- which piece is open is the address's fragment ----

const itemOfAddress = () => {
	const item = decodeURIComponent(location.hash.slice(1));
	return /^[-a-z0-9]+:[^/]+\/[^/]+\/.+$/.test(item) ? item : null;
};

function goTo(item) {
	history.pushState(null, '', item ? `#${item}` : location.pathname);
	followAddress();
}

function followAddress() {
	const item = itemOfAddress();
	shop.halls.held = item;
	if (item) piece.open(item);
	else piece.close();
}

// ---- orders ----

function showOrders() {
	const open = shop.orders.all.filter((o) => !isTerminal(o.state)).length;
	$('orders-list').replaceChildren(...shop.orders.all.map(entry));
	$('orders-none').hidden = shop.orders.all.length > 0;
	$('orders-count').hidden = shop.orders.all.length === 0;
	say($('orders-count'), open ? `${open} open` : String(shop.orders.all.length));
}

function followOrders() {
	shop.orders = new Orders(shop.socket, visitor.user);
	shop.orders.addEventListener('change', (e) => {
		showOrders();
		piece.orderChanged(e.detail);
	});
	showOrders();
}

// ---- the connection ----

shop.socket.addEventListener('state', ({ detail: { state, why } }) => {
	$('link').dataset.state = state;
	$('link-again').hidden = state !== 'stopped' || !why;
	say($('link-text'), why ? `${LINK[state]} (${why})` : LINK[state]);
	if (state === 'waiting') tell('The connection went. Reconnecting.');
});
shop.socket.addEventListener('connected', ({ detail: { again } }) => {
	if (again) tell('Connected again.');
	shop.orders.resume();
	piece.reconnect();
});
shop.socket.addEventListener('push', ({ detail: m }) => {
	if (m.type === 'order') shop.orders.hear(m.order);
	piece.hear(m);
});

const piece = new Piece(shop, () => itemOfAddress() && goTo(null));

$('persona').addEventListener('change', async () => {
	shop.socket.stop();
	await walkIn({ as: $('persona').value });
	followOrders();
	shop.socket.start();
});
$('consent').addEventListener('change', () => piece.askAnew());
$('walk-in').addEventListener('submit', (e) => e.preventDefault());
$('orders-open').addEventListener('click', () => {
	showOrders();
	$('orders').showModal();
});
modal($('orders'), $('orders-close'), () => {});
addEventListener('popstate', followAddress);
addEventListener('hashchange', followAddress);
$('link-again').addEventListener('click', () => shop.socket.start());

/** The first name is worth waiting for: without it there is no shop. */
async function begin() {
	for (let waitMs = 250; ; waitMs = Math.min(waitMs * 2, 5000)) {
		try {
			await walkIn(kept.get() ? { user: kept.get() } : { as: 'newcomer' });
			break;
		} catch {
			await new Promise((done) => setTimeout(done, Math.random() * waitMs));
		}
	}
	followOrders();
	shop.halls = new Halls(goTo);
	await shop.halls.refresh();
	shop.socket.start();
	followAddress();
}

begin();
