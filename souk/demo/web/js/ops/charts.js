// Which charts there are, and where each finds its numbers. A chart that has nothing to show says why.

const named = (rows, family, labels) => labels.map(([name, label]) => ({ name, values: rows.column(family, label) }));
const quantiles = (family) => ({ rows }) => ['p99', 'p90', 'p50'].map((q) => ({ name: q, values: rows.column(family, q) }));
const total = (now, family, label) => now.totals?.[family]?.[label] ?? 0;

/** Labels of a family that ever counted something (what never happened needs no place in a chart): those of @first, then the others. */
const counted = (family, first = []) => ({ rows, now }) => [...new Set([...first, ...rows.labels(family)])]
	.filter((label) => total(now, family, label) > 0).map((label) => ({ name: label, values: rows.column(family, label) }));

const every = (family) => ({ rows }) => rows.labels(family).map((label) => ({ name: label, values: rows.column(family, label) }));
const byRole = (family) => ({ rows, now }) => now.roles.map(({ role }) => ({ name: role, values: rows.column(family, role) }));

/** Totals of a family as bars: of what happened, largest first; or of the labels given, in their order. */
const totals = (family, labels) => ({ now }) => {
	const bars = (labels ?? Object.keys(now.totals?.[family] ?? {}))
		.map((name) => ({ name, value: total(now, family, name), rate: now.rates?.[family]?.[name] ?? null }));
	if (labels) return bars.some((b) => b.value > 0) ? bars : [];
	return bars.filter((b) => b.value > 0).sort((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1));
};

const latency = (id, family, title, empty) => ({
	id, title, unitText: 'over 10 s, log scale', type: 'line', kind: 'log', unit: 'ms', how: 'highest', right: 44,
	series: quantiles(family), empty,
});

const NO_ORDERS = 'No order within this time.';
const NO_EVENTS = 'No event within this time.';

const OUTCOMES = ['OFFER', 'NO_OFFER', 'WITHDRAWN', 'EXPIRED'];
const STATES = ['ACCEPTED', 'RESERVED', 'SENT', 'MINED', 'CONFIRMED', 'FINAL', 'HELD', 'REJECTED', 'REVERTED', 'EXPIRED', 'CANCELLED'];

export const SECTIONS = {
	traffic: [
		{
			id: 'throughput', title: 'Events and offers', unitText: 'per second', type: 'line', unit: 'rate', how: 'mean', right: 78, empty: NO_EVENTS,
			series: ({ rows }) => [
				...named(rows, 'events', [['events', 'acked']]),
				...named(rows, 'pushes', [['offers', 'offer']]),
				{ name: 'revisions', values: rows.sum('revisions', rows.labels('revisions')) },
				...named(rows, 'pushes', [['withdrawn', 'offer_withdrawn']]),
			],
		},
		{
			id: 'market', title: 'Market', unitText: 'per second', type: 'line', unit: 'rate', how: 'mean', right: 80, empty: 'Nothing is heard of the market.',
			series: ({ rows }) => [
				...named(rows, 'market_rows', [['rows', 'all']]),
				...named(rows, 'pushes', [['to clients', 'market']]),
			],
		},
	],
	latency: [
		latency('push', 'push', 'Event to offer', NO_EVENTS),
		latency('ack', 'ack', 'Event to acknowledgement', NO_EVENTS),
		latency('decision', 'decision', 'Event to decision', NO_EVENTS),
		latency('revision', 'revision', 'Change to revision', 'No live offer changed within this time.'),
		latency('order-ack', 'order_ack', 'Order to acknowledgement', NO_ORDERS),
		latency('told', 'told', 'Order to result', NO_ORDERS),
	],
	decisions: [
		{ id: 'outcomes', title: 'Decisions by outcome', unitText: 'per second', type: 'stack', unit: 'rate', how: 'mean', series: counted('decisions', OUTCOMES), empty: 'No decision yet.' },
		{ id: 'reasons', title: 'Decisions without an offer, by reason', unitText: 'since the start', type: 'bars', bars: totals('reasons'), head: 'Reason', empty: 'Every decision was an offer.' },
		{ id: 'causes', title: 'Revisions by cause', unitText: 'per second', type: 'stack', unit: 'rate', how: 'mean', series: counted('revisions'), empty: 'No live offer has changed yet.' },
		{ id: 'withdrawn', title: 'Offers withdrawn, by reason', unitText: 'since the start', type: 'bars', bars: totals('withdrawn'), head: 'Reason', empty: 'No offer was withdrawn.' },
	],
	orders: [
		{ id: 'states', title: 'Orders by state reached', unitText: 'since the start', type: 'bars', bars: totals('order_results', STATES), head: 'State', empty: 'No order yet.' },
		{ id: 'refusals', title: 'Orders refused, by reason', unitText: 'since the start', type: 'bars', bars: totals('refusals'), head: 'Reason', empty: 'No order was refused.' },
		{ id: 'results', title: 'Order results', unitText: 'per second', type: 'stack', unit: 'rate', how: 'mean', series: counted('order_results', STATES), empty: NO_ORDERS },
	],
	feeds: [
		{ id: 'ages', title: 'Age of the oldest feed', unitText: 'seconds', type: 'line', unit: 's', how: 'highest', right: 72, series: every('feed_age'), empty: 'Redis gives no feed.' },
	],
	roles: [
		{ id: 'up', title: 'Readiness', unitText: 'ready, not ready or away', type: 'strips', unit: 'state', how: 'lowest', series: byRole('up'), empty: 'No role is watched.' },
		{ id: 'cpu', title: 'Processor', unitText: 'of one core', type: 'line', unit: 'percent', how: 'mean', right: 100, series: byRole('cpu'), empty: 'No role answers.' },
		{ id: 'memory', title: 'Memory', unitText: 'resident', type: 'line', unit: 'bytes', how: 'highest', right: 100, series: byRole('memory'), empty: 'No role answers.' },
	],
};
