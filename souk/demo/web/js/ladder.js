// An order as people see it: where it stands, since when, and what is still to come.

import { h } from './dom.js';
import { text } from './money.js';
import { LADDER, STATES, cause, isTerminal } from './words.js';

const clock = (ms) => new Date(ms).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** One line: "Reserved for you", with its reason where it ended badly. */
export function inWords(order) {
	const state = STATES[order.state] ?? order.state;
	if (order.state === 'REFUSED') return `${state}: ${order.reason}`;
	const why = order.reason && cause(order.state, order.reason);
	return why ? `${state}: ${why}` : state;
}

/** A step is behind once a later one is reached; MINED that went back to SENT is to come again. */
function step(order, name, at) {
	const now = LADDER.indexOf(order.state);
	const isGood = now >= 0;
	const kind = isGood && at < now ? 'done' : isGood && at === now ? (order.state === 'FINAL' ? 'done' : 'now') : 'later';
	const time = kind !== 'later' && order.times[name];
	return h('li', { class: 'step', data: { kind, state: name }, ...(at === now ? { 'aria-current': 'step' } : {}) },
		h('span', { class: 'hidden' }, kind === 'done' ? 'done: ' : kind === 'now' ? 'now: ' : 'to come: '),
		h('span', { class: 'step-name' }, STATES[name]),
		time ? h('time', { dateTime: new Date(time).toISOString() }, clock(time)) : null);
}

/** The states of an order, from the acknowledgement on. */
export function ladder(order) {
	const isStopped = isTerminal(order.state) && order.state !== 'FINAL';
	const parts = [h('p', { class: 'state', data: { state: order.state } }, inWords(order))];
	if (!isStopped) parts.push(h('ol', { class: 'ladder' }, ...LADDER.map((name, at) => step(order, name, at))));
	if (order.dryRun) parts.push(h('p', { class: 'note' }, 'Paid by the rehearsal: no chain, no money.'));
	return parts;
}

/** An entry of the list of orders. */
export function entry(order) {
	return h('li', { class: 'entry', data: { order: order.id } },
		h('h3', {}, order.title),
		h('p', { class: 'sum' }, text(order.price)),
		...ladder(order));
}
