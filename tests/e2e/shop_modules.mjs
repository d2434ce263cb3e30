// The parts of the shop page that think, without a browser: money, the state of an offer, orders, the session with the gateway.
import { webcrypto } from 'node:crypto';
import { Tap } from './browser/tap.mjs';

globalThis.crypto ??= webcrypto;
globalThis.CustomEvent ??= class extends Event {
	constructor(name, { detail } = {}) {
		super(name);
		this.detail = detail;
	}
};
const stored = new Map();
globalThis.sessionStorage = { getItem: (k) => stored.get(k) ?? null, setItem: (k, v) => stored.set(k, String(v)) };

const web = new URL('../../souk/demo/web/js/', import.meta.url);
const load = (name) => import(new URL(name, web));
const [money, { Offer, compareRev }, { Orders }, { Refused, Socket }, words] = await Promise.all(['money.js', 'offer.js', 'orders.js', 'socket.js', 'words.js'].map(load));

const tap = new Tap();
const eth = (amount) => ({ amount, currency: 'ETH' });
const settled = () => new Promise((done) => setTimeout(done, 0));

/** A socket whose answers the test gives. */
class FakeSocket {
	asked = [];
	answers = []; // for the next commands: a value, or an error to throw
	ask(type, members) {
		this.asked.push({ type, ...members });
		const a = this.answers.shift() ?? {};
		return a instanceof Error ? Promise.reject(a) : Promise.resolve(a);
	}
	now() {
		return 1000;
	}
}

await tap.test('money', () => {
	tap.eq(money.text(eth('1250000000000000000')), '1.25 ETH', 'money is shown in whole units');
	tap.eq(money.text(eth('1')), '0.000000000000000001 ETH', 'the smallest unit is not lost');
	tap.eq(money.text(eth('79228162514264337593543950335')), '79228162514.264337593543950335 ETH', 'the largest amount keeps every digit');
	tap.eq(money.text({ amount: '1200', currency: 'JPY' }), '1200 JPY', 'a currency without decimals has none');
	tap.eq(money.text({ amount: '7', currency: 'XYZ' }), '7 XYZ', 'an unknown currency is shown as it came');
	tap.eq(money.bpsBelow(eth('10000'), eth('9251')), 749, 'a discount is counted in basis points');
	tap.eq(money.bpsBelow(eth('0'), eth('0')), 0, 'nothing off nothing is nothing');
	tap.eq([money.percent(-749), money.percent(300), money.percent(0)], ['\u22127.49 %', '+3 %', '0 %'], 'basis points become percent');
	tap.eq([money.share(5n, 0n, 10n), money.share(3n, 3n, 3n), money.share(20n, 0n, 10n)], [0.5, 0.5, 1], 'a share lies between 0 and 1');
	for (const bad of ['', '01', '-1', '1.5', '1e3', 'x']) {
		let refused = false;
		try {
			money.amount(eth(bad));
		} catch {
			refused = true;
		}
		tap.ok(refused, `"${bad}" is not an amount`);
	}
});

await tap.test('revisions', () => {
	tap.eq([compareRev('77.9', '77.10'), compareRev('78.1', '77.99'), compareRev('7', '7.0'), compareRev('18446744073709551615.2', '18446744073709551615.1')],
		[-1, 1, 0, 1], 'revisions are compared as numbers, part by part');
});

function anOffer(socket) {
	const o = new Offer(socket, 'a:b/c:d/1', () => ({ place: 'arena' }));
	o.states = [];
	o.addEventListener('change', () => o.states.push(o.state));
	return o;
}
const record = (event, rev, amount = '100', more = {}) => ({ type: 'offer', offer: { id: `of-${event}`, rev, client_id: event, price: eth(amount), ...more } });

await tap.test('the state of an offer', async () => {
	const socket = new FakeSocket();
	const o = anOffer(socket);
	o.look('view');
	o.look('dwell', 3500);
	const [first, second] = socket.asked.map((c) => c.event);
	tap.eq(socket.asked.map((c) => [c.type, c.item, c.signal.kind, c.signal.dwell_ms]), [['interest', 'a:b/c:d/1', 'view', undefined], ['interest', 'a:b/c:d/1', 'dwell', 3500]],
		'a look is an interest with its signal');
	tap.eq(socket.asked[0].context, { place: 'arena' }, 'and with the context of the moment');
	o.hear(record('someone-else', '1.1'));
	tap.eq(o.state, 'asking', 'an offer for another look is not ours');
	o.hear(record(second, '1.2', '100'));
	tap.eq([o.state, o.offer.price.amount], ['live', '100'], 'the answer to a look is live');
	o.hear(record(first, '1.9', '50'));
	tap.eq(o.offer.price.amount, '100', 'the answer to an earlier look does not replace it');
	o.hear(record(second, '1.2', '90'));
	tap.eq(o.offer.price.amount, '100', 'nor does the same revision again');
	o.hear(record(second, '1.10', '90'));
	tap.eq([o.offer.price.amount, o.before.amount], ['90', '100'], 'a higher revision does, and the former price is kept');
	o.hear({ type: 'no_offer', event: second, reason: 'QUOTE_LIMIT' });
	tap.eq(o.state, 'live', 'a look that could not be priced takes nothing away');
	o.hear({ type: 'offer_withdrawn', offer: { id: 'another', rev: '1.11', reason: 'SOLD_OUT' } });
	tap.eq(o.state, 'live', 'another offer may go');
	o.hear({ type: 'offer_withdrawn', offer: { id: `of-${second}`, rev: '1.11', reason: 'SOLD_OUT', alternatives: ['a:b/c:d/2'] } });
	tap.eq([o.state, o.reason, o.alternatives], ['gone', 'SOLD_OUT', ['a:b/c:d/2']], 'this one goes with its reason and what there is instead');
	o.hear(record(second, '1.12', '80'));
	tap.eq(o.state, 'gone', 'and does not come back');
	o.restart();
	tap.eq([o.state, o.alternatives], ['asking', []], 'asking anew forgets it');
	o.hear(record(second, '1.13', '80'));
	tap.eq(o.state, 'asking', 'with all its answers');
	o.hear(record(socket.asked[2].event, '2.1', '70'));
	o.expire();
	tap.eq([o.state, o.reason], ['out', 'EXPIRED'], 'an offer whose time is over is out');
	o.end();
});

await tap.test('a look that cannot be priced now', async () => {
	const socket = new FakeSocket();
	const o = anOffer(socket);
	o.look('view');
	o.hear({ type: 'no_offer', event: socket.asked[0].event, reason: 'STALE_MARKET', retry_after_ms: 1 });
	tap.eq([o.state, o.reason, o.alternatives], ['gone', 'STALE_MARKET', []], 'says why');
	await new Promise((done) => setTimeout(done, 30));
	tap.eq(socket.asked.length, 2, 'and is asked again after the time that was named');
	tap.ok(socket.asked[1].event !== socket.asked[0].event, 'as another event');
	o.end();
	const refused = new FakeSocket();
	refused.answers = [new Refused({ code: 'rate_limited', temporary: true, retry_after_ms: 1 }), {}];
	const p = anOffer(refused);
	p.look('view');
	await new Promise((done) => setTimeout(done, 30));
	tap.eq(new Set(refused.asked.map((c) => c.event)).size, 1, 'a command that was refused for now is repeated with the same event');
	tap.eq(refused.asked.length, 2, 'once');
	p.end();
	const bad = new FakeSocket();
	bad.answers = [new Refused({ code: 'bad_command', title: 'no' })];
	const q = anOffer(bad);
	q.look('view');
	await settled();
	tap.eq(q.state, 'gone', 'one that was refused for good is not');
});

await tap.test('orders', async () => {
	const socket = new FakeSocket();
	const lost = new Refused({ code: 'lost', temporary: true });
	const quote = { v: 1, kid: 'k', offer: 'o', rev: '1.1', price: eth('5'), mac: 'm' };
	const orders = new Orders(socket, 'u');
	const states = [];
	orders.addEventListener('change', (e) => states.push(e.detail.state));
	socket.answers = [lost];
	const order = orders.place({ item: 'a:b/c:d/1', price: eth('5'), quote }, 'One');
	await settled();
	tap.eq(order.state, 'SENDING', 'an order that was cut off is still to be sent');
	orders.resume();
	await settled();
	tap.eq(order.state, 'TAKEN', 'and is sent again with the next connection');
	tap.eq(socket.asked[0].order, socket.asked[1].order, 'with the same id and the same body');
	tap.eq(socket.asked[0].order.quote, quote, 'the quote as it came');
	orders.hear({ id: 'not ours', state: 'FINAL', n: 9 });
	orders.hear({ id: order.id, state: 'ACCEPTED', n: 1 });
	orders.hear({ id: order.id, state: 'SENT', n: 3, dry_run: true });
	orders.hear({ id: order.id, state: 'RESERVED', n: 2 });
	tap.eq(order.state, 'SENT', 'a state that comes late does not go back');
	const again = new Orders(socket, 'u');
	tap.eq(again.all.map((o) => [o.id, o.state]), [[order.id, 'SENT']], 'a reload remembers');
	tap.eq(new Orders(socket, 'v').all, [], 'another visitor does not see it');
	socket.asked = [];
	socket.answers = [{ order: { id: order.id, state: 'FINAL', n: 6 } }];
	again.resume();
	await settled();
	tap.eq(socket.asked, [{ type: 'order_status', order: order.id }], 'after a new connection the state is asked for');
	tap.eq(again.of('a:b/c:d/1').state, 'FINAL', 'and taken');
	again.hear({ id: order.id, state: 'SENT', n: 7 });
	tap.eq(again.of('a:b/c:d/1').state, 'FINAL', 'an order that has ended stays so');
	socket.answers = [new Refused({ code: 'bad_command', title: 'No', detail: 'quote' })];
	const wrong = again.place({ item: 'a:b/c:d/2', price: eth('5'), quote }, 'Two');
	await settled();
	tap.eq([wrong.state, wrong.reason], ['REFUSED', 'quote'], 'a refusal for good ends it');
	tap.ok(words.isLost('REFUSED') && !words.isLost('FINAL') && !words.isTerminal('MINED'), 'and the piece may be ordered again');
});

/** WebSocket with the server in the test's hand. */
class FakeWebSocket extends EventTarget {
	static all = [];
	sent = [];
	constructor(url, protocol) {
		super();
		Object.assign(this, { url, protocol });
		FakeWebSocket.all.push(this);
	}
	send(text) {
		this.sent.push(JSON.parse(text));
	}
	close() {}
	open() {
		this.dispatchEvent(new Event('open'));
	}
	say(m) {
		this.dispatchEvent(Object.assign(new Event('message'), { data: m.map((x) => JSON.stringify(x)).join('\n') }));
	}
	die(code, reason = '') {
		this.dispatchEvent(Object.assign(new Event('close'), { code, reason }));
	}
}
globalThis.WebSocket = FakeWebSocket;

async function connected(socket) {
	await settled();
	const ws = FakeWebSocket.all[FakeWebSocket.all.length - 1];
	ws.open();
	ws.say([{ id: ws.sent[0].id, type: 'connected', now: 5000 }]);
	await settled();
	return ws;
}

await tap.test('the session', async () => {
	let tokens = 0;
	const socket = new Socket(async () => ({ ws: 'ws://x/v1/ws', token: `t${++tokens}`, expires: 3600000, now: 0 }));
	const heard = [];
	socket.addEventListener('push', (e) => heard.push(e.detail.type));
	const realRandom = Math.random;
	Math.random = () => 0; // no waiting
	socket.start();
	const ws = await connected(socket);
	tap.eq([ws.url, ws.protocol, ws.sent[0]], ['ws://x/v1/ws', 'souk.v1.json', { id: 1, type: 'connect', token: 't1' }], 'connect is the first command');
	tap.eq(socket.state, 'open', 'and opens the session');
	tap.ok(Math.abs(socket.now() - 5000) < 1000, 'time is the server\'s');
	ws.say([{ type: 'ping', now: 9000 }, { type: 'market', seq: 1 }]);
	tap.eq(ws.sent[1], { type: 'pong' }, 'a ping is answered');
	tap.eq(heard, ['market'], 'several messages in a frame are taken one by one');
	const cut = socket.ask('watch', { item: 'i' });
	ws.die(1006);
	const why = await cut.catch((e) => e.code);
	tap.eq(why, 'lost', 'a command without an answer is lost with the connection');
	await new Promise((done) => setTimeout(done, 5));
	const second = await connected(socket);
	tap.ok(second !== ws && socket.state === 'open', 'which is made anew');
	Math.random = () => 0.9999;
	second.say([{ type: 'draining', retry_ms: 40 }]);
	second.die(4112, 'retry_ms=60');
	tap.eq(socket.state, 'waiting', 'a draining gateway is left for a while');
	const before = FakeWebSocket.all.length;
	await new Promise((done) => setTimeout(done, 55));
	tap.eq(FakeWebSocket.all.length, before, 'at least as long as it asked');
	await new Promise((done) => setTimeout(done, 600));
	tap.eq(FakeWebSocket.all.length, before + 1, 'and then called again');
	const third = await connected(socket);
	third.die(4201);
	const fourth = await connected(socket);
	tap.ok(fourth !== third && fourth.sent[0].token === `t${tokens}`, 'an expired token is replaced at once');
	fourth.die(4001);
	const fifth = await connected(socket);
	tap.ok(fifth !== fourth, 'so is a bad one, the first time');
	fifth.die(4008);
	tap.eq(socket.state, 'stopped', 'whoever is told that it misbehaved does not come back by itself');
	Math.random = realRandom;
	socket.stop();
});

process.exit(tap.done());
